"""What was found in one picture, in its own pixels: label map, centres, the column's curve and its crop."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np

from ..checkpoints import read_checkpoint
from ..dataset import FIRST_BODY, FIRST_DISC, LUMBAR_BODIES, LUMBAR_DISCS, MASK_LABELS, LumbarError
from ..sources.pictures import fit_matrix, resample
from .column import Column, find_column, nearest
from .network import BODY, CLASSES, DISC, SAC, SACRUM, Localiser, check_picture, stretch_classes

SHORTEST = 4  # neighbours disc and body: three bodies with two discs between them
ABOVE, BELOW = 0.08, 0.17  # what the crop shows beyond L1 and L5-S1, over the distance between them


@dataclass(frozen=True)
class Location:
    """Where the column lies in a picture of `shape` (H, W); positions are (x, y) in its pixels.

    Attributes
    ----------
    labels : (H, W) uint8 with the numbers of `MASK_LABELS`; all 0 where no column was found.
    bodies, discs : name to middle, from the lowest upwards: "L5", "L4", … and "L5-S1", "L4-L5", …; above L1
        follow T12, T11 and so on.
    curve : (P, 2) the middles of all bodies and discs from the lowest to the highest.
    levels : (P,) where on the column each point of `curve` lies: L5-S1 is 0, L5 is 0.5, L4-L5 is 1.
    found : whether at least three bodies alternate with discs; if not, everything above is empty.
    score : how often a disc and a body were found as neighbours; 4 or more is a column.
    numbered_from : "sacrum"; "lowest body" where no sacrum is seen and L5 is therefore a guess; "nothing".
    confidence : mean over all that is not background of the probability of the class found there; 0 where nothing is.
    sac_contrast : median grey of the dural sac less that of the bodies, as shares of the picture's grey range (1st to
        99th percentile); above 0 in T2 near the midline, nan where no sac or no body is seen.
    """

    labels: np.ndarray = field(repr=False)
    bodies: dict[str, tuple[float, float]]
    discs: dict[str, tuple[float, float]]
    curve: np.ndarray = field(repr=False)
    levels: np.ndarray = field(repr=False)
    found: bool
    score: int
    numbered_from: str
    confidence: float = 0.0
    sac_contrast: float = float("nan")

    def __str__(self) -> str:
        if not self.found:
            return (
                "No lumbar column was found: wanted at least three vertebral bodies with discs between them, as in a "
                "sagittal slice near the midline."
            )
        counted = (
            "counted from the sacrum"
            if self.numbered_from == "sacrum"
            else "counted from the lowest body seen, because no sacrum is: L5 is a guess"
        )
        lines = [
            f"{len(self.bodies)} vertebral bodies and {len(self.discs)} discs, {counted}; x and y in pixels"
        ]
        for what, points in (("body", self.bodies), ("disc", self.discs)):
            lines += [f"{what}  {name:8}{x:8.1f}{y:8.1f}" for name, (x, y) in points.items()]
        return "\n".join(lines)

    def to_dict(self) -> dict:
        """Return all but the label map as plain values for JSON."""
        rounded = lambda points: {name: [round(x, 1), round(y, 1)] for name, (x, y) in points.items()}
        return {
            "found": self.found,
            "score": self.score,
            "numbered_from": self.numbered_from,
            "confidence": round(self.confidence, 3),
            "sac_contrast": None if np.isnan(self.sac_contrast) else round(self.sac_contrast, 3),
            "bodies": rounded(self.bodies),
            "discs": rounded(self.discs),
        }

    def at(self, level: float) -> np.ndarray:
        """Return the point (x, y) of the column at a level, carried on in a straight line beyond what was found."""
        self._need_column()
        if self.levels[0] <= level <= self.levels[-1]:
            return np.array([np.interp(level, self.levels, axis) for axis in self.curve.T])
        end = slice(0, 4) if level < self.levels[0] else slice(-4, None)
        return np.array(
            [np.polyval(np.polyfit(self.levels[end], axis[end], 1), level) for axis in self.curve.T]
        )

    def crop_matrix(self, size: tuple[int, int]) -> np.ndarray:
        """Return the affine (2, 3) from the picture's pixels to an upright crop of `size` (H, W).

        The line from disc L5-S1 to disc T12-L1 becomes vertical and stands in the middle. The crop reaches from
        just above L1 into S1; proportions are kept, so with H = 2 W it shows the bodies, the canal behind them
        and a little in front, and a square shows more on both sides.
        """
        low, high = self.at(0.0), self.at(float(len(LUMBAR_DISCS)))
        up = (high - low) / np.linalg.norm(high - low)
        length = np.linalg.norm(high - low) * (1 + ABOVE + BELOW)
        scale = size[0] / length
        right = np.array([-up[1], up[0]])
        rotation = scale * np.stack([right, -up])
        middle = (low + high) / 2 - up * np.linalg.norm(high - low) * (BELOW - ABOVE) / 2
        target = (np.array(size[::-1]) - 1) / 2
        return np.column_stack([rotation, target - rotation @ middle])

    def crop(self, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return the column of the (H, W) picture, upright, as `size` pixels; black where the picture ends."""
        return resample(picture, self.crop_matrix(size), size)

    def _need_column(self) -> None:
        if not self.found:
            raise LumbarError(
                "No lumbar column was found in the picture, wanted at least three bodies with discs between them; "
                "give a sagittal slice near the midline."
            )


def locate(picture: np.ndarray, *, localiser: Localiser | None = None) -> Location:
    """Return where the lumbar column lies in one sagittal slice, (H, W) uint8 or float32 of any shape.

    localiser : the network to ask, by default the one that ships with the package.
    """
    picture = check_picture(picture)
    localiser = localiser or shipped_localiser()
    probabilities = localiser.probabilities(picture)
    column = find_column(probabilities)
    if column.score < SHORTEST:
        nothing = np.empty((0, 2))
        labels = np.zeros(picture.shape, np.uint8)
        return Location(labels, {}, {}, nothing, np.empty(0), False, column.score, "nothing")
    labels, to_picture = _labels(probabilities, column, picture.shape)
    curve = np.array([piece.centre for piece in column.pieces]) @ to_picture[:, :2].T + to_picture[:, 2]
    named = {BODY: {}, DISC: {}}
    for piece, (x, y) in zip(column.pieces, curve, strict=True):
        named[piece.kind][name_of(piece.number)] = (float(x), float(y))
    return Location(
        labels=labels,
        bodies=named[BODY],
        discs=named[DISC],
        curve=curve,
        levels=np.array([piece.level for piece in column.pieces]),
        found=True,
        score=column.score,
        numbered_from="lowest body" if column.sacrum is None else "sacrum",
        **_quality(probabilities, localiser.scale(picture)),
    )


@cache
def shipped_localiser() -> Localiser:
    """Return the localiser that ships with the package, loaded once."""
    return Localiser(read_checkpoint("localiser"))


def name_of(number: int) -> str:
    """Return the name of a body or disc by its number in a label map: 1 is L5, 6 is T12, 101 is L5-S1."""
    level = number - (FIRST_DISC if number >= FIRST_DISC else FIRST_BODY)
    vertebra = lambda k: LUMBAR_BODIES[k] if k < 5 else f"T{17 - k}" if k < 17 else f"C{24 - k}"
    if number < FIRST_DISC:
        return vertebra(level)
    return LUMBAR_DISCS[level] if level < 5 else f"{vertebra(level)}-{vertebra(level - 1)}"


def _quality(probabilities: np.ndarray, scaled: np.ndarray) -> dict[str, float]:
    """Return `confidence` and `sac_contrast` of class probabilities (S, S, 8) and the picture on the same grid."""
    classes = probabilities.argmax(axis=-1)
    grey = scaled.reshape(classes.shape)
    sac, bodies = grey[classes == SAC], grey[classes == BODY]
    return {
        "confidence": float(probabilities.max(axis=-1)[classes > 0].mean()),
        "sac_contrast": float(np.median(sac) - np.median(bodies))
        if len(sac) and len(bodies)
        else float("nan"),
    }


def _labels(probabilities, column: Column, shape) -> tuple[np.ndarray, np.ndarray]:
    """Return the label map in the picture's pixels, and the affine from the network's grid to them.

    A pixel of a class takes the number of the nearest kept piece if that is two grid cells away or less; sac and
    lesions count only within about a body's length of the column.
    """
    size = probabilities.shape[0]
    numbers = {kind: np.zeros((size, size), np.uint8) for kind in (BODY, DISC, SACRUM)}
    for piece in column.pieces:
        numbers[piece.kind][piece.pixels[:, 1], piece.pixels[:, 0]] = piece.number
    if column.sacrum is not None:
        numbers[SACRUM][column.sacrum[:, 1], column.sacrum[:, 0]] = MASK_LABELS["sacrum"]
    to_picture = cv2.invertAffineTransform(fit_matrix(shape, (size, size)))
    enlarge = lambda small: cv2.warpAffine(small, to_picture, shape[::-1], flags=cv2.INTER_NEAREST)

    pieces = ((numbers[BODY] > 0) | (numbers[DISC] > 0)).astype(np.uint8)
    side = float(np.sqrt(np.median([piece.area for piece in column.pieces if piece.kind == BODY])))
    away = cv2.distanceTransform(1 - pieces, cv2.DIST_L2, 5)
    near = enlarge((away < 1.2 * side).astype(np.uint8)).astype(bool)
    classes = stretch_classes(probabilities, shape)
    labels = np.zeros(shape, np.uint8)
    for number, name in enumerate(CLASSES):
        if number in numbers:
            kept = cv2.dilate((numbers[number] > 0).astype(np.uint8), np.ones((5, 5), np.uint8))
            labels = np.where(classes == number, enlarge(nearest(numbers[number]) * kept), labels)
        elif name != "background":
            labels[(classes == number) & near] = MASK_LABELS[name]
    return labels, to_picture
