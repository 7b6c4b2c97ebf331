"""Panel "Diagnose": one picture, what every network says of it, and where each of them looked."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets
import numpy as np

from lumbar_utils.dashboard.jury import Jury, Opinions
from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.parts import Chart, box, control, text
from lumbar_utils.dashboard.phantom_controls import PhantomControls
from lumbar_utils.dashboard.pictures import figure_html, limit_size
from lumbar_utils.dashboard.report import download_html, report_html
from lumbar_utils.dashboard.stored_cases import StoredCases
from lumbar_utils.dashboard.verdict import LEARNED, answer_html, looks_html, opinions_html
from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import probabilities_bar
from lumbar_utils.framing import Frames
from lumbar_utils.localise import Location
from lumbar_utils.phantom import lesion_mask
from lumbar_utils.sources.pictures import read_picture

LARGEST_UPLOAD_MB = 20
PHANTOM, STORED, UPLOAD = "a phantom", "a stored case", "a file of your own"
PREDICTED = "what each network says"
NO_ANSWER = "There is no verdict; the messages below say why."


class DiagnosePanel:
    """Picture, answers and heat maps of one picture; `widget` is what to show."""

    def __init__(self, log: Log):
        self._log = log
        self._jury: Jury | None = None
        self._uploaded = None  # name and pixels of the last file that could be read
        self._forget()
        self._source = control(widgets.ToggleButtons, "The picture is", options=(PHANTOM, STORED, UPLOAD))
        self._phantom = PhantomControls(log.watch, self._diagnose)
        self._cases: StoredCases | None = None  # read when somebody asks for one
        self._cases_box = box([])
        self._upload = widgets.FileUpload(description="Choose a PNG, JPEG or DICOM file", multiple=False)
        self._upload.add_class("lumbar-upload")
        self._upload_box = box(
            [
                self._upload,
                text(
                    f"<p>Up to {LARGEST_UPLOAD_MB} MB, one midsagittal T2 slice. The file is read on the computer that "
                    f"runs this page and is not kept.</p><p>{LEARNED}</p>",
                    "lumbar-note",
                ),
            ],
            "lumbar-controls",
        )
        self._picture = text("")
        self._names = control(widgets.Checkbox, "Name bodies and discs", value=True, indent=False)
        self._verdict, self._opinions, self._looks = text(""), text("", "lumbar-card"), text("")
        self._bars = Chart("lumbar-plain")
        self._explained = control(widgets.Dropdown, "Heat maps for", options=(PREDICTED,))
        self._opacity = control(widgets.FloatSlider, "Opacity of the heat", value=0.7, max=1.0, step=0.05)
        self._show_lesion = control(widgets.Checkbox, "Outline the true lesion", value=False, indent=False)
        self._report_button = widgets.Button(description="Make a report of this case")
        self._report = text("")
        heat_controls = box([self._explained, self._opacity, self._show_lesion], "lumbar-bar")
        results = box(
            [
                box([self._picture, self._names], "lumbar-card"),
                box([self._verdict, self._bars.widget], "lumbar-card", "lumbar-verdict"),
                self._opinions,
                box([heat_controls, self._looks], "lumbar-card", "lumbar-wide"),
                box([self._report_button, self._report], "lumbar-card", "lumbar-wide", "lumbar-bar"),
            ],
            "lumbar-results",
        )
        sidebar = box(
            [self._source, self._phantom.widget, self._cases_box, self._upload_box],
            "lumbar-card",
            "lumbar-sidebar",
        )
        self.widget = box([sidebar, results], "lumbar-panel", "lumbar-diagnose")

        watch = log.watch
        self._source.observe(watch(lambda _: self._diagnose()), "value")
        self._upload.observe(watch(self._take_upload), "value")
        self._names.observe(watch(lambda _: self._draw_picture()), "value")
        self._explained.observe(watch(lambda _: self._explain()), "value")
        for widget in (self._opacity, self._show_lesion):
            widget.observe(watch(lambda _: self._draw_looks()), "value")
        self._report_button.on_click(watch(lambda _: self._make_report()))
        watch(self._diagnose)()

    def _forget(self) -> None:
        """Drop everything that belongs to the picture before."""
        self._image: np.ndarray | None = None
        self._location: Location | None = None
        self._frames: Frames | None = None
        self._lesion: np.ndarray | None = None  # (h, w) bool in the column, where the truth is known
        self._opinions_now: Opinions | None = None
        self._heats: dict[str, np.ndarray] = {}
        self._caption = ""

    def _take_upload(self, change) -> None:
        """Read the chosen file; the upload is emptied, so that the same file can be chosen again."""
        files = change["new"]
        if not files:
            return
        if isinstance(files, dict):  # ipywidgets 7
            name, file = next(iter(files.items()))
        else:
            file = files[0]
            name = file["name"]
        content = bytes(file["content"])
        self._upload.value = type(files)()
        if len(content) > LARGEST_UPLOAD_MB * 1e6:
            raise LumbarError(
                f"{name} has {len(content) / 1e6:.0f} MB, at most {LARGEST_UPLOAD_MB} MB are taken; "
                "save the one slice you need."
            )
        self._uploaded = name, limit_size(read_picture(content, name=name))
        self._diagnose()

    def _diagnose(self) -> None:
        """Take the picture from its source, and show it with everything that follows from it."""
        source = self._source.value
        is_phantom = source != UPLOAD
        places = {PHANTOM: self._phantom.widget, STORED: self._cases_box, UPLOAD: self._upload_box}
        for name, place in places.items():
            place.layout.display = None if name == source else "none"
        self._show_lesion.layout.display = None if is_phantom else "none"
        self._forget()
        self._report.value = ""
        truth, rendering = None, None
        drawn = self._stored_cases() if source == STORED else self._phantom
        if is_phantom:
            patient, rendering = drawn.patient, drawn.draw()
            self._image, truth = rendering.image, patient.label
            self._caption = (
                f"Phantom patient {patient.seed}, {patient.age_years:.0f} years, "
                f"{'woman' if patient.sex == 'F' else 'man'}; {drawn.view}. Label by the phantom's rule: "
                f"{patient.label}."
            )
        elif self._uploaded:
            name, self._image = self._uploaded
            self._caption = f"{name}, {self._image.shape[1]} x {self._image.shape[0]} pixels as shown."
        self._draw_picture()
        self._show_none("No picture yet." if self._image is None else NO_ANSWER)
        if self._image is None:
            return
        if self._jury is None:
            self._jury = Jury(self._log.tell)
            self._explained.options = (PREDICTED, *self._jury.class_names)
        name = "This phantom" if is_phantom else self._uploaded[0]
        self._frames, self._location = self._jury.frame(self._image, name)
        self._draw_picture()
        if rendering is not None:
            lesion = lesion_mask(rendering.mask, truth).astype(np.uint8)
            self._lesion = self._frames.carry(lesion[None])[0].astype(bool)
        self._opinions_now = self._jury.opinions(self._frames)
        self._verdict.value = answer_html(
            self._opinions_now, truth, other_kind=is_phantom and not drawn.is_usual
        )
        self._bars.show(probabilities_bar(self._opinions_now.joint, self._opinions_now.class_names))
        self._bars.reveal()
        self._opinions.value = opinions_html(self._jury, self._opinions_now)
        self._explain()

    def _stored_cases(self) -> StoredCases:
        if self._cases is None:
            self._cases = StoredCases(self._log.watch, self._diagnose)
            self._cases_box.children = (self._cases.widget,)
        return self._cases

    def _draw_picture(self) -> None:
        if self._image is None:
            self._picture.value = "<h2>Picture</h2><p>Choose a file on the left, and it appears here.</p>"
            return
        found, said = {}, ""
        if self._location is not None:
            found = {**self._location.bodies, **self._location.discs}
            counted = (
                "the sacrum"
                if self._location.numbered_from == "sacrum"
                else "the lowest body seen: L5 is a guess"
            )
            n_bodies, n_discs = len(self._location.bodies), len(self._location.discs)
            said = f" Found: {n_bodies} bodies and {n_discs} discs, counted from {counted}."
        view = figure_html(self._image, self._caption, names=found if self._names.value else None)
        self._picture.value = f"<h2>Picture</h2>{view}<p>{escape(self._caption + said)}</p>"

    def _show_none(self, sentence: str) -> None:
        self._verdict.value = f"<h2>Verdict</h2><p>{sentence}</p>"
        self._bars.hide()
        self._opinions.value = f"<h2>What each model says</h2><p>{sentence}</p>"
        self._looks.value = f"<h2>Where each network looked</h2><p>{sentence}</p>"

    def _explain(self) -> None:
        """Compute each network's heat map, in the column that it sees."""
        if self._opinions_now is None:
            return
        size = self._frames.pictures.shape[1:]
        for name, target in self._targets().items():
            k = self._jury.class_names.index(target)
            heat = self._jury.predictors[name].explain(self._frames, class_index=k)
            self._heats[name] = self._frames.cells_of(heat, size)[0]
        self._draw_looks()

    def _targets(self) -> dict[str, str]:
        """Return the class that each network's heat map explains."""
        opinions = self._opinions_now
        if self._explained.value != PREDICTED:
            return dict.fromkeys(opinions.members, self._explained.value)
        own = opinions.probabilities.argmax(axis=1)
        return {name: opinions.class_names[k] for name, k in zip(opinions.members, own, strict=True)}

    def _draw_looks(self) -> None:
        if not self._heats:
            return
        self._looks.value = looks_html(
            self._jury,
            self._frames.pictures[0],
            self._heats,
            self._targets(),
            opacity=self._opacity.value,
            lesion=self._lesion,
            outline=self._show_lesion.value,
        )

    def _make_report(self) -> None:
        if self._opinions_now is None:
            raise LumbarError("There is no case to report; choose a picture that gets a verdict first.")
        # a file's name may hold a patient's: what is saved does not carry it
        picture = self._picture.value
        if self._source.value == UPLOAD:
            picture = picture.replace(escape(self._uploaded[0], quote=True), "A file").replace(
                escape(self._uploaded[0]), "A file"
            )
        page = report_html(picture, self._verdict.value, self._opinions.value, self._looks.value)
        self._report.value = download_html(page)
