"""Sliders that make a phantom patient: who it is, and the grades of one level at a time."""

from __future__ import annotations

from contextlib import contextmanager

import ipywidgets as widgets

from lumbar_utils.dashboard.parts import box, control, text
from lumbar_utils.dataset import LUMBAR_DISCS, PAPER4
from lumbar_utils.phantom import Patient, Rendering, render, sample_patient

ANY = "as the seed gives"
CONTRASTS = {"MRI, T2": "T2", "MRI, T1": "T1", "radiograph": "XR"}
USUAL_NOISE = 0.03
# grade: label, largest value, step
GRADES = {
    "herniation_mm": ("Herniation (mm)", 12.0, 0.5),
    "bulge_mm": ("Disc bulge (mm)", 6.0, 0.5),
    "flavum_mm": ("Ligamentum flavum (mm)", 9.0, 0.5),
    "osteophyte_mm": ("Osteophyte (mm)", 8.0, 0.5),
    "pfirrmann": ("Disc degeneration (Pfirrmann 1 to 5)", 5, 1),
}


class PhantomControls:
    """The controls and the patient they describe.

    A new seed or disease is a new patient: age and grades then show what was sampled. Moving one of these sets
    it, and the rest of the patient stays. `on_change()` is called whenever the patient or the view of it changed.
    """

    def __init__(self, watch, on_change):
        self._on_change, self._quiet = on_change, False
        self._age_years, self._overrides = None, {}
        self._seed = control(widgets.IntSlider, "Patient (seed)", value=10, min=0, max=200)
        self._disease = control(widgets.Dropdown, "Disease", options=(ANY, *PAPER4), value="Herniated Disk")
        self._age = control(widgets.IntSlider, "Age (years)", min=18, max=95)
        self._level = control(widgets.Dropdown, "Level", options=LUMBAR_DISCS)
        self._noise = control(
            widgets.FloatSlider, "Noise (share of the CSF signal)", value=USUAL_NOISE, max=0.2, step=0.01
        )
        self._contrast = control(widgets.Dropdown, "Contrast", options=tuple(CONTRASTS))
        self._offset = control(
            widgets.FloatSlider,
            "Slice beside the midline (mm)",
            min=-16.0,
            max=16.0,
            step=1.0,
            readout_format=".0f",
        )
        self._grades = {
            name: control(widgets.IntSlider, label, min=1, max=largest)
            if name == "pfirrmann"
            else control(widgets.FloatSlider, label, max=largest, step=step, readout_format=".1f")
            for name, (label, largest, step) in GRADES.items()
        }
        self.widget = box(
            [
                self._seed,
                self._disease,
                self._age,
                self._contrast,
                self._offset,
                self._noise,
                text("<h3>Grades of one level</h3>"),
                self._level,
                *self._grades.values(),
            ],
            "lumbar-controls",
        )
        for widget in (self._seed, self._disease):
            widget.observe(watch(self._take_new_patient), "value")
        self._age.observe(watch(self._take_age), "value")
        self._level.observe(watch(self._take_level), "value")
        for widget in (self._noise, self._contrast, self._offset):
            widget.observe(watch(self._take_view), "value")
        for name, slider in self._grades.items():
            slider.observe(watch(lambda change, name=name: self._take_grade(name, change["new"])), "value")
        self.patient = self._sample()
        self._show(level=telling_level(self.patient))

    @property
    def is_usual(self) -> bool:
        """Whether the picture is of the kind that the networks learned from: T2, on the midline."""
        return self._contrast.value == "MRI, T2" and self._offset.value == 0

    @property
    def view(self) -> str:
        """The kind of picture in words."""
        if self._contrast.value == "radiograph":
            return "lateral radiograph"
        where = (
            f"{abs(self._offset.value):.0f} mm beside the midline" if self._offset.value else "on the midline"
        )
        return f"{CONTRASTS[self._contrast.value]}, {where}"

    def draw(self) -> Rendering:
        """Return the picture of the patient, with its label map."""
        return render(
            self.patient,
            contrast=CONTRASTS[self._contrast.value],
            offset_mm=0.0 if self._offset.disabled else self._offset.value,
            noise=self._noise.value,  # standard deviation as a share of the signal of CSF
        )

    def _sample(self) -> Patient:
        return sample_patient(
            self._seed.value,
            disease=None if self._disease.value == ANY else self._disease.value,
            age_years=self._age_years,
            overrides=self._overrides,
        )

    def _take_new_patient(self, _):
        self._age_years, self._overrides = None, {}
        self._take_patient(level=None)

    def _take_age(self, change):
        if not self._quiet:
            self._age_years = change["new"]
            self._take_patient(level=self._level.value)

    def _take_level(self, change):
        if not self._quiet:
            self._show(level=change["new"])

    def _take_view(self, _):
        self._offset.disabled = self._contrast.value == "radiograph"  # a projection has no slice
        self._on_change()

    def _take_grade(self, name, value):
        if not self._quiet:
            self._overrides.setdefault(self._level.value, {})[name] = value
            self._take_patient(level=self._level.value)

    def _take_patient(self, level: str | None) -> None:
        self.patient = self._sample()
        self._show(level=level or telling_level(self.patient))
        self._on_change()

    def _show(self, level: str) -> None:
        """Let the sliders say what the patient is, without taking that for the user's doing."""
        grades = self.patient.levels[LUMBAR_DISCS.index(level)]
        with self._quietly():
            self._age.value = round(self.patient.age_years)
            self._level.value = level
            for name, slider in self._grades.items():
                slider.value = getattr(grades, name)

    @contextmanager
    def _quietly(self):
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False


def telling_level(patient: Patient) -> str:
    """Return the level that shows most of what the patient's label stands for."""
    worst = {
        "Herniated Disk": lambda level: level.herniation_mm,
        "Spinal Stenosis": lambda level: -level.canal_mm,
        "Spondylosis": lambda level: level.osteophyte_mm,
        "Healthy": lambda level: level.name == "L4-L5",
    }[patient.label]
    return max(patient.levels, key=worst).name
