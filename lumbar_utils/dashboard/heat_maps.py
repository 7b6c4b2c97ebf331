"""Every heat map method on one picture, trained and with weights drawn anew, scored against the true lesion."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import numpy as np

from lumbar_utils.cam.masks import dilated, energy, level_hit, level_zones, pointing
from lumbar_utils.cam.references import chance_map, discs_map, edge_map, perfect_maps
from lumbar_utils.dashboard.parts import table
from lumbar_utils.dashboard.pictures import figure_html
from lumbar_utils.framing import Frames

METHODS = {
    "gradcam": "Grad-CAM and HiResCAM",
    "gradcam++": "Grad-CAM++",
    "layercam": "LayerCAM",
    "eigencam": "Eigen-CAM (no class)",
    "scorecam": "Score-CAM",
}
TOLERANCE_PX = 8  # as in the course's studies: at 224 pixels of 280 mm a centimetre
SAME = (
    "Behind the last maps stand an average over all cells and one dense layer. The gradient is then the same in every "
    "cell, so HiResCAM gives what Grad-CAM gives, and LayerCAM differs only by leaving out what speaks against the "
    "class."
)


class Truth:
    """What a heat map is held against: the lesion of one phantom, and what lies around it.

    lesion : (H, W) bool. labels : (H, W) label map. picture : (H, W). frames : what the network saw of it.
    """

    def __init__(self, lesion: np.ndarray, labels: np.ndarray, picture: np.ndarray, frames: Frames):
        self.lesion, self.labels, self.picture, self.frames = lesion, labels, picture, frames
        self.near = dilated(lesion, TOLERANCE_PX)
        self.zones = level_zones(labels)
        self.column = frames.back(np.ones((1, *frames.pictures.shape[1:]), np.float32))[0]  # (H, W), 1 inside
        self.outline = frames.carry(lesion[None].astype(np.uint8))[0] > 0  # (h, w) in the column


class Scores(NamedTuple):
    """Share of the heat in the lesion, hottest point within a centimetre of it, hottest level one of the lesion's."""

    energy: float
    pointing: float
    level: float


def score(heat: np.ndarray, truth: Truth) -> Scores:
    """Return the scores of a heat map (H, W); one of zeros scores what chance scores."""
    heat = heat if heat.any() else chance_map(*heat.shape)
    return Scores(
        energy(heat, truth.lesion),
        pointing(heat, truth.near),
        level_hit(heat, truth.lesion, truth.zones),
    )


def pictures_html(trained: dict, anew: dict, truth: Truth) -> str:
    """Return each method's two heat maps {method: (H, W)} on the column that the network saw, lesion outlined."""
    column = truth.frames.pictures[0]
    size = column.shape
    pairs = []
    for method, heat in trained.items():
        both = "".join(
            "<figure>"
            + figure_html(
                column,
                f"{METHODS[method]}, {name}: heat over the column",
                heat=np.clip(truth.frames.cells_of(each[None], size)[0], 0, 1),
                opacity=0.75,
                outline=truth.outline,
            )
            + f"<figcaption>{name}{'' if each.any() else ': empty'}</figcaption></figure>"
            for name, each in (("trained", heat), ("drawn anew", anew[method]))
        )
        pairs.append(f"<section><h3>{escape(METHODS[method])}</h3><div>{both}</div></section>")
    return f'<div class="lumbar-pairs">{"".join(pairs)}</div>'


def finding(trained: dict, anew: dict, truth: Truth) -> str:
    """Return in a sentence how Grad-CAM's heat stands to chance and to a network that learned nothing."""
    if not truth.lesion.any():
        return "This slice shows no lesion of the patient's class to hold the heat maps against"
    learned, nothing, chance = (
        _share(score(heat, truth).energy) for heat in (trained["gradcam"], anew["gradcam"], truth.column)
    )
    return (
        f"Grad-CAM puts {learned} of its heat into the lesion; alike everywhere in the column would put {chance}, and "
        f"the network that learned nothing puts {nothing}"
    )


def scores_html(trained: dict, anew: dict, truth: Truth, cells: tuple[int, int]) -> str:
    """Return a table of all scores beside those of maps that never saw a network; cells of the last maps."""
    if not truth.lesion.any():
        return ""
    references = {
        "alike everywhere in the picture (chance)": chance_map(*truth.lesion.shape),
        "alike everywhere in the column": truth.column,
        "the picture's edges": edge_map(truth.picture),
        "all discs alike, with a margin of 1 cm": discs_map(truth.labels),
        f"the lesion itself in {cells[0]} x {cells[1]} cells (ceiling)": perfect_maps(
            truth.lesion[None], cells, truth.frames
        )[0],
    }
    found = {method: (score(trained[method], truth), score(anew[method], truth)) for method in trained}
    rows = [
        (METHODS[method], *(cell for pair in zip(*map(_row, both), strict=True) for cell in pair))
        for method, both in found.items()
    ]
    rows += [
        (name, *(cell for value in _row(score(each, truth)) for cell in (value, "")))
        for name, each in references.items()
    ]
    measures = ("Heat in the lesion", "Hottest point within 1 cm", "Right level")
    header = ("Map", *(name for measure in measures for name in (measure, "drawn anew")))
    scores = table(header, rows, "Scores against the true lesion, one phantom")
    return (
        scores.replace("h2>", "h3>") + f'<p class="lumbar-fine">{SAME}</p>'
        '<p class="lumbar-fine">One patient has no interval: whether a method finds lesions is a question for many '
        "patients, and lesson 15 asks it. A map of zeros scores as chance does.</p>"
    )


def _row(scores: Scores) -> tuple[str, str, str]:
    return _share(scores.energy), _hit(scores.pointing), _hit(scores.level)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _hit(value: float) -> str:
    """Return yes or no, or the chance of yes where several places are equally hot."""
    if np.isnan(value):
        return "no disc near"
    return _share(value) if 0 < value < 1 else "yes" if value else "no"
