"""Panel "Diagnose": one picture, the network's verdict on it, and where the network looked."""

from __future__ import annotations

import warnings
from html import escape

import ipywidgets as widgets
import numpy as np

from lumbar_utils.dashboard import INTENDED_USE
from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.parts import Chart, box, control, text
from lumbar_utils.dashboard.phantom_controls import PhantomControls
from lumbar_utils.dashboard.pictures import figure_html, limit_size
from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import probabilities_bar
from lumbar_utils.framing import Frames
from lumbar_utils.phantom import lesion_mask, render
from lumbar_utils.runtime import load_predictor
from lumbar_utils.sources.pictures import read_picture

NETWORK = "cnn"
LARGEST_UPLOAD_MB = 20
PHANTOM, UPLOAD = "a phantom", "a file of your own"
PREDICTED = "the predicted class"
NOT_VALIDATED = (
    "The network learned from phantoms, which are drawn; its verdict on a real picture is not validated."
)


class DiagnosePanel:
    """Picture, probabilities and heat map of one picture; `widget` is what to show."""

    def __init__(self, log: Log):
        self._log = log
        self._predictor = None
        self._uploaded = None  # name and pixels of the last file that could be read
        self._image = self._frames = self._heat = self._lesion = None
        self._class = ""
        self._source = control(widgets.ToggleButtons, "The picture is", options=(PHANTOM, UPLOAD))
        self._phantom = PhantomControls(log.watch, self._diagnose)
        self._upload = widgets.FileUpload(description="Choose a PNG, JPEG or DICOM file", multiple=False)
        self._upload.add_class("lumbar-upload")
        self._upload_box = box(
            [
                self._upload,
                text(
                    f"<p>Up to {LARGEST_UPLOAD_MB} MB, one midsagittal T2 slice. The file is read on the computer that "
                    f"runs this page and is not kept.</p><p>{NOT_VALIDATED}</p>",
                    "lumbar-note",
                ),
            ],
            "lumbar-controls",
        )
        self._picture = text("", "lumbar-card")
        self._verdict = text("")
        self._bars = Chart("lumbar-plain")
        self._heat_view = text("")
        self._explained = control(widgets.Dropdown, "Heat map (Grad-CAM) for", options=(PREDICTED,))
        self._opacity = control(widgets.FloatSlider, "Opacity of the heat", value=0.7, max=1.0, step=0.05)
        self._show_lesion = control(widgets.Checkbox, "Outline the true lesion", value=False, indent=False)
        heat_card = box(
            [self._heat_view, box([self._explained, self._opacity, self._show_lesion], "lumbar-controls")],
            "lumbar-card",
        )
        verdict_card = box([self._verdict, self._bars.widget], "lumbar-card", "lumbar-verdict")
        sidebar = box([self._source, self._phantom.widget, self._upload_box], "lumbar-card", "lumbar-sidebar")
        results = box([verdict_card, self._picture, heat_card], "lumbar-results")
        self.widget = box([sidebar, results], "lumbar-panel", "lumbar-diagnose")

        watch = log.watch
        self._source.observe(watch(lambda _: self._diagnose()), "value")
        self._upload.observe(watch(self._take_upload), "value")
        self._explained.observe(watch(lambda _: self._explain()), "value")
        for widget in (self._opacity, self._show_lesion):
            widget.observe(watch(lambda _: self._draw_heat()), "value")
        watch(self._diagnose)()

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
        is_phantom = self._source.value == PHANTOM
        self._phantom.widget.layout.display = None if is_phantom else "none"
        self._upload_box.layout.display = "none" if is_phantom else None
        self._show_lesion.layout.display = None if is_phantom else "none"
        self._image = self._frames = self._heat = self._lesion = None
        if is_phantom:
            patient = self._phantom.patient
            rendering = render(patient, noise=self._phantom.noise)
            self._image, self._lesion = rendering.image, lesion_mask(rendering.mask, patient.label)
            caption = (
                f"Phantom patient {patient.seed}, {patient.age_years:.0f} years, "
                f"{'woman' if patient.sex == 'F' else 'man'}. Label by the phantom's rule: {patient.label}."
            )
        elif self._uploaded:
            name, self._image = self._uploaded
            caption = f"{name}, {self._image.shape[1]} x {self._image.shape[0]} pixels as shown."
        else:
            self._show_nothing()
            return
        self._picture.value = f"<h2>Picture</h2>{figure_html(self._image, caption)}<p>{escape(caption)}</p>"
        self._predict(truth=self._phantom.patient.label if is_phantom else None)
        self._explain()

    def _show_nothing(self) -> None:
        self._picture.value = (
            "<h2>Picture</h2><p>Choose a file on the left, and its verdict appears here.</p>"
        )
        self._verdict.value = "<h2>Verdict</h2><p>No picture yet.</p>"
        self._bars.hide()
        self._heat_view.value = "<h2>Where the network looked</h2><p>No picture yet.</p>"

    def _predict(self, truth: str | None) -> None:
        self._verdict.value = "<h2>Verdict</h2><p>There is no verdict; the messages below say why.</p>"
        self._heat_view.value = (
            "<h2>Where the network looked</h2><p>There is no heat map without a verdict.</p>"
        )
        self._bars.hide()
        if self._predictor is None:
            self._predictor = load_predictor(NETWORK)
            self._explained.options = (PREDICTED, *self._predictor.class_names)
        names = self._predictor.class_names
        self._frames = self._framed(self._image, "this phantom" if truth else self._uploaded[0])
        probabilities = self._predictor.predict(self._frames)[0]
        best = int(np.argmax(probabilities))
        self._class = names[best]
        lines = [
            f'<p class="lumbar-answer">{escape(self._class)} <span>probability {probabilities[best]:.2f}</span></p>'
        ]
        if truth is not None:
            agrees = "The verdict agrees." if truth == self._class else "The verdict is wrong."
            lines.append(f"<p>Truth: {escape(truth)}. {agrees}</p>")
        else:
            lines.append(f"<p>{NOT_VALIDATED}</p>")
        lines.append(f'<p class="lumbar-intended">{INTENDED_USE}</p>')
        self._verdict.value = "<h2>Verdict</h2>" + "".join(lines)
        self._bars.show(probabilities_bar(probabilities, names))
        self._bars.reveal()

    def _framed(self, image: np.ndarray, name: str) -> Frames:
        """Return the column that the network sees; refuse a picture without one."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the sentence below says it
            frames = self._predictor.frame(image[None])
        if not frames.found[0]:
            raise LumbarError(
                f"No lumbar column was found in {name}, wanted three vertebral bodies or more with discs between; "
                "choose a sagittal slice near the midline."
            )
        return frames

    def _explain(self) -> None:
        if self._frames is None:
            return
        names = self._predictor.class_names
        target = self._class if self._explained.value == PREDICTED else self._explained.value
        self._heat = self._predictor.explain(self._frames, class_index=names.index(target))[0]
        self._draw_heat()

    def _draw_heat(self) -> None:
        if self._heat is None:
            return
        target = self._class if self._explained.value == PREDICTED else self._explained.value
        outline = self._lesion if self._show_lesion.value else None
        view = figure_html(
            self._image,
            f"Heat map for {target} over the picture",
            heat=self._heat,
            opacity=self._opacity.value,
            outline=outline,
        )
        scale = '<div class="lumbar-scale"><span>no evidence</span><i></i><span>most</span></div>'
        self._heat_view.value = (
            f"<h2>Where the network looked</h2>{view}{scale}<p>{self._describe_heat(target)}</p>"
        )

    def _describe_heat(self, target: str) -> str:
        total = float(self._heat.sum())
        if total == 0:
            return f"Nothing in the network's last maps speaks for {escape(target)}: the heat map is empty."
        sentence = f"Evidence for {escape(target)}."
        if self._lesion is None:
            return sentence
        if not self._lesion.any():
            return f"{sentence} There is no lesion of the patient's class in this slice to compare it with."
        inside, area = float(self._heat[self._lesion].sum()) / total, float(self._lesion.mean())
        return (
            f"{sentence} <b>{inside:.1%}</b> of the heat lies inside the true lesion, which covers "
            f"<b>{area:.2%}</b> of the picture: that share is what chance would give."
        )
