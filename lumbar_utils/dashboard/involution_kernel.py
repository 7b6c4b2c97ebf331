"""The kernel that an involution makes at a chosen place, beside those of a body, a disc and the fluid."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np

from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.opened_network import OpenNetwork
from lumbar_utils.dashboard.parts import Chart, box, control, text
from lumbar_utils.dataset import MASK_LABELS
from lumbar_utils.figures import filters_on_picture
from lumbar_utils.framing import Frames

TISSUE = {number: name for name, number in MASK_LABELS.items()}
PLACES = {"body L3": (MASK_LABELS["L3"],), "disc L4-L5": (MASK_LABELS["L4-L5"],), "sac": (40, 41, 42)}
FOLLOWS = (
    "<h2>Involution: the kernel belongs to the place</h2><p>The second layer of this network makes a kernel of 7 x 7 "
    "weights at each cell, from what that cell holds. Move the place across bone, discs and fluid, and watch the "
    "first kernel follow.</p>"
)
ELSEWHERE = (
    "<h2>Involution: the kernel belongs to the place</h2><p>This network has none: its kernels are the same at every "
    "place. Choose the VGG with involution to see one that makes its kernels anew at each cell.</p>"
)


class KernelView:
    """Two sliders and four kernels, or a hint where the network has no involution."""

    def __init__(self, log: Log):
        self._kernels = self._picture = self._labels = None
        self._row = control(widgets.IntSlider, "Row of the place (cells)", value=48, max=95)
        self._column = control(widgets.IntSlider, "Column of the place (cells)", value=20, max=47)
        self._chart = Chart("lumbar-bare")
        self._hint = text("")
        self._body = box([box([self._row, self._column], "lumbar-bar"), self._chart.widget])
        self.widget = box([self._hint, self._body], "lumbar-card")
        for slider in (self._row, self._column):
            slider.observe(log.watch(lambda _: self._draw()), "value")

    def show(self, network: OpenNetwork, frames: Frames, label_map: np.ndarray) -> None:
        """Show the kernels of a network on the first of the frames; label_map (H, W) names the tissues."""
        self._body.layout.display = None if network.has_involution else "none"
        self._hint.value = FOLLOWS if network.has_involution else ELSEWHERE
        self._kernels = None
        if not network.has_involution:
            return
        kernels = network.kernels(frames)  # (h, w, K, K)
        self._row.max, self._column.max = kernels.shape[0] - 1, kernels.shape[1] - 1
        self._kernels, self._picture = kernels, frames.pictures[0]
        self._labels = frames.carry(label_map[None])[0]
        self._draw()

    def _draw(self) -> None:
        if self._kernels is None:
            return
        cell = self._picture.shape[0] // self._kernels.shape[0]  # pixels a cell
        here = (self._row.value, self._column.value)
        tissue = TISSUE[int(self._labels[cell * here[0] + cell // 2, cell * here[1] + cell // 2])]
        places = {f"here: {tissue}": here}
        for name, numbers in PLACES.items():
            rows, columns = np.nonzero(np.isin(self._labels, numbers))
            if len(rows):
                nearest = np.argmin((rows - np.median(rows)) ** 2 + (columns - np.median(columns)) ** 2)
                places[name] = (rows[nearest] // cell, columns[nearest] // cell)
        kernels = np.stack([self._kernels[place] for place in places.values()])
        figure = filters_on_picture(
            self._picture,
            [(cell * (row + 0.5) - 0.5, cell * (column + 0.5) - 0.5) for row, column in places.values()],
            kernels,
            list(places),
            side=cell * kernels.shape[-1],
            limit=float(
                np.quantile(np.abs(self._kernels), 0.995)
            ),  # one scale for all places of this patient
            title=_finding(tissue, kernels, list(places)),
        )
        figure.update_xaxes(title_text="", showticklabels=False)  # no room for them on a phone
        figure.update_yaxes(title_text="", showticklabels=False)
        self._chart.show(figure)


def _finding(tissue: str, kernels: np.ndarray, names: list[str]) -> str:
    where = "outside the drawn anatomy" if tissue == "background" else f"in {tissue}"
    said = f"Here, {where}, the kernel's weights add up to {kernels[0].sum():.1f}"
    flat = kernels.reshape(len(kernels), -1)
    if len(kernels) == 1 or (flat.std(axis=1) == 0).any():
        return said
    alike = np.corrcoef(flat)[0, 1:]
    most = int(np.argmax(alike))
    return f"{said}; it is most like that of {names[1 + most]} (correlation {alike[most]:.2f})"
