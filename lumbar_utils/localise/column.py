"""Turns class probabilities into a column: pieces cleaned, put in order, and numbered from the sacrum upwards."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from ..dataset import FIRST_BODY, FIRST_DISC, MAX_LEVELS
from .network import BODY, DISC, SACRUM

CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
SMALLEST_PX = 6  # of a piece, on the network's grid
PITCH_OF_BODY = 1.25  # from one body to the next, over the square root of a body's area


@dataclass
class Piece:
    """One body or disc on the network's grid: `kind` BODY or DISC, its pixels (P, 2) as (x, y), and its level.

    Disc `k` has level k and the body above it level k + 0.5, so L5-S1 is 0, L5 is 0.5, L4-L5 is 1.
    """

    kind: int
    pixels: np.ndarray
    level: float = np.nan

    @property
    def centre(self) -> np.ndarray:
        return self.pixels.mean(axis=0)

    @property
    def area(self) -> int:
        return len(self.pixels)

    @property
    def number(self) -> int:
        """The number of `MASK_LABELS`."""
        return (FIRST_BODY if self.kind == BODY else FIRST_DISC) + int(self.level)


@dataclass(frozen=True)
class Column:
    """Pieces from the lowest to the highest, all numbered.

    `sacrum` holds its pixels (P, 2) as (x, y), or None where it is not seen. `score` is how often a disc and a
    body are neighbours: 4 for the shortest column that counts as one.
    """

    pieces: list[Piece]
    sacrum: np.ndarray | None
    score: int


def find_column(probabilities: np.ndarray) -> Column:
    """Return the column in class probabilities (S, S, 8); it has no piece where nothing was found."""
    classes = probabilities.argmax(axis=-1).astype(np.uint8)
    bodies, discs = _pieces(classes, BODY), _pieces(classes, DISC)
    if len(bodies) < 2 or not discs:
        return Column([], None, 0)
    side = np.sqrt(np.median(sorted(piece.area for piece in bodies)[-5:]))
    pieces = [piece for piece in bodies if piece.area > 0.12 * side**2]
    pieces += [piece for piece in discs if piece.area > 0.03 * side**2]
    pieces = _connected(pieces, reach=1.6 * side)
    sacrum = _sacrum(classes, smallest=0.5 * side**2)
    pieces, up = _in_order(pieces, side)
    if sacrum is not None:
        pieces = _above_sacrum(pieces, sacrum, up)
    pitch = _pitch(pieces, side)
    pieces = _merge(_split(pieces, up, pitch), up, pitch)
    if len(pieces) < 2:
        return Column([], None, 0)
    _number(pieces, sacrum, _pitch(pieces, side))
    pieces = [piece for piece in pieces if 0 <= piece.level < MAX_LEVELS]
    score = sum(
        piece.kind != before.kind and piece.level - before.level == 0.5 for before, piece in pairwise(pieces)
    )
    return Column(pieces, sacrum, score)


def _pieces(classes: np.ndarray, kind: int) -> list[Piece]:
    """Return the connected pieces of a class; bodies that touch by a bridge of a pixel or two are parted."""
    mask = (classes == kind).astype(np.uint8)
    core = cv2.erode(mask, CROSS) if kind == BODY else mask
    count, parts = cv2.connectedComponents(core, connectivity=4)
    if count < 2:
        return []
    if kind == BODY:
        parts = np.where(mask, nearest(parts), 0)
    rows, columns = np.nonzero(parts)
    owner = parts[rows, columns]
    order = np.argsort(owner, kind="stable")
    pixels = np.stack([columns, rows], axis=1)[order]
    pieces = np.split(pixels, np.flatnonzero(np.diff(owner[order])) + 1)
    return [Piece(kind, part) for part in pieces if len(part) >= SMALLEST_PX]


def nearest(numbers: np.ndarray) -> np.ndarray:
    """Return for each pixel the number of the nearest pixel that has one (is not 0)."""
    free = (numbers == 0).astype(np.uint8)
    _, owner = cv2.distanceTransformWithLabels(free, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number_of = np.zeros(owner.max() + 1, numbers.dtype)
    number_of[owner[free == 0]] = numbers[free == 0]
    return number_of[owner]


def _connected(pieces: list[Piece], reach: float) -> list[Piece]:
    """Return the group of pieces, each within `reach` of another by its centre, that covers most."""
    centres = np.array([piece.centre for piece in pieces])
    near = np.linalg.norm(centres[:, None] - centres[None], axis=-1) < reach
    left, best = set(range(len(pieces))), []
    while left:
        group, front = set(), {min(left)}
        while front:
            group |= front
            front = set(np.flatnonzero(near[sorted(front)].any(axis=0)).tolist()) - group
        left -= group
        best = max(best, sorted(group), key=lambda rows: sum(pieces[row].area for row in rows))
    return [pieces[row] for row in best]


def _sacrum(classes: np.ndarray, smallest: float) -> np.ndarray | None:
    """Return the largest piece of sacrum, (P, 2) as (x, y), or None if it is smaller than `smallest` pixels.

    Pieces that a residual disc parts count as one.
    """
    whole = cv2.morphologyEx((classes == SACRUM).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, parts, sizes, _ = cv2.connectedComponentsWithStats(whole, connectivity=4)
    sizes[0] = 0
    largest = sizes[:, cv2.CC_STAT_AREA].argmax()
    if sizes[largest, cv2.CC_STAT_AREA] < smallest:
        return None
    return np.argwhere(parts == largest)[:, ::-1]


def _in_order(pieces: list[Piece], side: float) -> tuple[list[Piece], np.ndarray]:
    """Return the pieces from low to high along the column's axis, and the axis's unit vector (x, y) upwards.

    A piece further than a body's side from the parabola through all others lies beside the column and is dropped.
    """
    centres = np.array([piece.centre for piece in pieces])
    weights = np.sqrt([piece.area for piece in pieces])
    spread = np.cov(centres.T, aweights=weights) if len(pieces) > 2 else np.diag([0.0, 1.0])
    up = np.linalg.eigh(spread)[1][:, -1]
    up = up if up[1] < 0 else -up
    along, across = centres @ up, centres @ np.array([-up[1], up[0]])
    keep = np.ones(len(pieces), bool)
    if len(pieces) >= 6:
        for _ in range(2):
            curve = np.polyfit(along[keep], across[keep], 2, w=weights[keep])
            keep = np.abs(across - np.polyval(curve, along)) < side
    order = [row for row in np.argsort(along) if keep[row]]
    return [pieces[row] for row in order], up


def _above_sacrum(pieces: list[Piece], sacrum: np.ndarray, up: np.ndarray) -> list[Piece]:
    """Drop what lies inside the sacrum, such as the residual disc S1-S2: a third of the sacrum is above it."""
    heights = np.sort(sacrum @ up)
    limit = heights[int(0.67 * len(heights))]
    return [piece for piece in pieces if piece.centre @ up > limit]


def _pitch(pieces: list[Piece], side: float) -> float:
    """Return the usual distance from one level to the next, on the network's grid."""
    steps = []
    for kind in (BODY, DISC):
        centres = np.array([piece.centre for piece in pieces if piece.kind == kind])
        if len(centres) > 1:
            steps += np.linalg.norm(np.diff(centres, axis=0), axis=1).tolist()
    usual = PITCH_OF_BODY * side
    steps = [step for step in steps if 0.6 * usual < step < 1.5 * usual]
    return float(np.median(steps)) if len(steps) >= 3 else float(usual)


def _split(pieces: list[Piece], up: np.ndarray, pitch: float) -> list[Piece]:
    """Cut what is more than one body or disc.

    A body as long as two or more is cut into equal lengths: the disc between them was not seen. Discs that run
    into one another, as along osteophytes in front of a body, are cut at that body's middle.
    """
    heights = sorted(float(piece.centre @ up) for piece in pieces if piece.kind == BODY)
    parts = []
    for piece in pieces:
        along = piece.pixels @ up
        if piece.kind == BODY:
            low, high = np.percentile(along, (2, 98))
            n = round((high - low) / pitch) if high - low > 1.45 * pitch else 1
            cuts = np.linspace(low, high, n + 1)[1:-1]
        else:
            beyond = 0.25 * pitch
            cuts = [
                height
                for height in heights
                if min(np.mean(along < height - beyond), np.mean(along > height + beyond)) > 0.15
            ]
        owner = np.digitize(along, cuts)
        parts += [Piece(piece.kind, piece.pixels[owner == part]) for part in range(len(cuts) + 1)]
    return [part for part in parts if part.area >= SMALLEST_PX]


def _merge(pieces: list[Piece], up: np.ndarray, pitch: float) -> list[Piece]:
    """Join pieces of one body, or of one disc, that lie closer than two levels can."""
    joined = []
    for kind, closest in ((BODY, 0.55), (DISC, 0.5)):
        alike = []
        for piece in (piece for piece in pieces if piece.kind == kind):
            if alike and (piece.centre - alike[-1].centre) @ up < closest * pitch:
                alike[-1] = Piece(kind, np.concatenate([alike[-1].pixels, piece.pixels]))
            else:
                alike.append(piece)
        joined += alike
    return sorted(joined, key=lambda piece: piece.centre @ up)


def _number(pieces: list[Piece], sacrum: np.ndarray | None, pitch: float) -> None:
    """Set the level of each piece; a gap as long as a level or more skips that many."""
    first = pieces[0]
    if sacrum is None:
        first.level = 0.5 if first.kind == BODY else 0.0
    else:
        gap = np.linalg.norm(sacrum - first.centre, axis=1).min() / pitch
        start, usual = (0.5, 0.6) if first.kind == BODY else (0.0, 0.15)
        first.level = start + max(0, round(gap - usual))
    for before, piece in pairwise(pieces):
        step = 1.0 if piece.kind == before.kind else 0.5
        distance = np.linalg.norm(piece.centre - before.centre) / pitch
        piece.level = before.level + step + max(0, round(distance - step - 0.2))
