"""Panel "Look inside": a network's maps layer by layer, its heat maps against the truth, its involution's kernels."""

from __future__ import annotations

import warnings
from html import escape

import ipywidgets as widgets
import numpy as np

from lumbar_utils.cam import METHODS as CAM_METHODS
from lumbar_utils.checkpoints import CARD, CHECKPOINTS, read_checkpoint
from lumbar_utils.dashboard.feature_maps import feature_maps_html
from lumbar_utils.dashboard.heat_maps import METHODS, Truth, finding, pictures_html, scores_html
from lumbar_utils.dashboard.involution_kernel import KernelView
from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.opened_network import LAST_MAPS, RandomisedNetwork, opened_network
from lumbar_utils.dashboard.parts import box, control, text
from lumbar_utils.dashboard.pictures import figure_html
from lumbar_utils.dataset import PAPER4, LumbarError
from lumbar_utils.phantom import lesion_mask, render, sample_patient

FIRST = "cnn"
PREDICTED = "the predicted class"
SEED = 0  # of the weights drawn anew
ANEW = (
    "<b>Drawn anew</b> is the same network as it stood before training: every kernel and every dense weight drawn from "
    f"Glorot's uniform distribution (seed {SEED}), biases 0, normalisation reset. It learned nothing. Where its map "
    "looks like the trained one, the map shows the picture and not what was learned."
)


class LookInsidePanel:
    """A network, a phantom and a layer to choose; `widget` is what to show."""

    def __init__(self, log: Log):
        self._open = self._anew = self._frames = self._truth = None
        self._class = self._true_class = ""
        self._network = control(widgets.Dropdown, "Network", options=networks())
        if FIRST in dict(self._network.options).values():
            self._network.value = FIRST
        self._seed = control(widgets.IntSlider, "Phantom patient (seed)", value=10, min=0, max=200)
        self._disease = control(
            widgets.Dropdown, "Disease of the patient", options=PAPER4, value="Herniated Disk"
        )
        self._explained = control(widgets.Dropdown, "Heat maps for", options=(PREDICTED, *PAPER4))
        self._with_score_cam = control(
            widgets.Checkbox, "Score-CAM as well (takes seconds)", value=False, indent=False
        )
        self._layer = control(widgets.SelectionSlider, "Layer", options=(LAST_MAPS,), continuous_update=False)
        self._seen, self._maps, self._heat = text("", "lumbar-card"), text(""), text("")
        self._kernels = KernelView(log)
        sidebar = box(
            [
                box([self._network, self._seed, self._disease], "lumbar-card", "lumbar-controls"),
                self._seen,
            ],
            "lumbar-controls",
        )
        heat_controls = box([self._explained, self._with_score_cam], "lumbar-bar")
        results = box(
            [
                box([self._layer, self._maps], "lumbar-card"),
                box([heat_controls, self._heat], "lumbar-card"),
                self._kernels.widget,
            ],
            "lumbar-panel",
        )
        self.widget = box([sidebar, results], "lumbar-panel", "lumbar-diagnose")

        watch = log.watch
        self._network.observe(watch(lambda _: self._take_network()), "value")
        for each in (self._seed, self._disease):
            each.observe(watch(lambda _: self._take_patient()), "value")
        self._layer.observe(watch(lambda _: self._show_maps()), "value")
        for each in (self._explained, self._with_score_cam):
            each.observe(watch(lambda _: self._show_heat()), "value")
        watch(self._take_network)()

    def _take_network(self) -> None:
        if self._open is not None:
            self._open.forget()
        self._open = self._anew = self._frames = None
        name = self._network.value
        self._open, self._anew = opened_network(name), RandomisedNetwork(read_checkpoint(name), seed=SEED)
        self._layer.options = [
            (f"{number}: {name}", name) for number, name in enumerate(self._open.layers, start=1)
        ]
        self._take_patient()

    def _take_patient(self) -> None:
        """Draw the patient, and show all that the network makes of it."""
        patient = sample_patient(self._seed.value, disease=self._disease.value)
        drawn = render(patient)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the sentence below says it
            frames = self._open.frame(drawn.image[None])
        if not frames.found[0]:
            raise LumbarError(
                f"No lumbar column was found in phantom {patient.seed}; choose another patient, this one shows that "
                "the localiser fails too."
            )
        self._frames, self._true_class = frames, patient.label
        self._truth = Truth(lesion_mask(drawn.mask, patient.label), drawn.mask, drawn.image, frames)
        self._show_answer()
        self._show_maps()
        self._show_heat()
        self._kernels.show(self._open, frames, drawn.mask)

    def _show_answer(self) -> None:
        names = self._open.class_names
        probabilities, anew = (each.predict(self._frames)[0] for each in (self._open, self._anew))
        best = int(np.argmax(probabilities))
        self._class = names[best]
        seen = figure_html(
            self._frames.pictures[0], f"The column of phantom {self._seed.value}", outline=self._truth.outline
        )
        line = (
            "The line is the true lesion."
            if self._truth.lesion.any()
            else "This slice shows no lesion of that class."
        )
        agrees = "The answer agrees" if self._class == self._true_class else "The answer is wrong"
        self._seen.value = (
            f'<h2>What the network sees</h2><div class="lumbar-column">{seen}</div>'
            f'<p class="lumbar-answer">{escape(self._class)}<span>probability {probabilities[best]:.2f}; with weights '
            f"drawn anew {anew[best]:.2f}</span></p><p>Truth: {escape(self._true_class)}. {agrees}. {line}</p>"
        )

    def _show_maps(self) -> None:
        if self._frames is None:
            return
        layer = self._layer.value
        position = self._open.layers.index(layer) + 1
        self._maps.value = feature_maps_html(
            self._open.maps(self._frames, layer),
            layer,
            position,
            len(self._open.layers),
            self._open.input_size,
        )

    def _show_heat(self) -> None:
        if self._frames is None:
            return
        target = self._class if self._explained.value == PREDICTED else self._explained.value
        number = self._open.class_names.index(target)
        methods = [
            name for name in METHODS if CAM_METHODS[name].needs != "scores" or self._with_score_cam.value
        ]
        if self._with_score_cam.value:
            self._heat.value = '<p role="status">Score-CAM runs each network once for each of its maps …</p>'
        trained, anew = (each.heat_maps(self._frames, number, methods) for each in (self._open, self._anew))
        cells = self._open.maps(self._frames, LAST_MAPS).shape[:2]
        self._heat.value = (
            f"<h2>{finding(trained, anew, self._truth)}</h2>".replace(" %", "\N{NO-BREAK SPACE}%")
            + pictures_html(trained, anew, self._truth)
            + f"<p>Evidence for {escape(target)}; yellow is most. {ANEW}</p>"
            + scores_html(trained, anew, self._truth, cells)
        )


def networks() -> list[tuple[str, str]]:
    """Return (display name, name) of every shipped network that classifies."""
    names = [
        card.parent.name.removesuffix("_course") for card in sorted(CHECKPOINTS.glob(f"*_course/{CARD}"))
    ]
    return [(read_checkpoint(name).card["display_name"], name) for name in names]
