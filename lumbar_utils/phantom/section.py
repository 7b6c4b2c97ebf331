"""One slice while it is drawn: the canvas, the geometry, and the walls of the dural sac in that slice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lumbar_utils.phantom.anatomy import N_LEVELS, Anatomy, Column, back
from lumbar_utils.phantom.canvas import Canvas
from lumbar_utils.phantom.pathology import EPIDURAL_GAP_MM, Level

SAC_HALF_WIDTH_MM = 10.5


@dataclass
class Slice:
    """What is being drawn, and where; `canal` follows from the rest."""

    canvas: Canvas
    column: Column
    anatomy: Anatomy
    levels: tuple[Level, ...]
    palette: dict
    offset_mm: float
    generator: np.random.Generator
    canal: Canal = field(init=False)

    def __post_init__(self):
        self.canal = shape_canal(self)


@dataclass(frozen=True)
class Canal:
    """The dural sac's walls, head to foot: `level` (S,) in discs above L5-S1, `front` and `rear` (S, 2) mm."""

    level: np.ndarray
    front: np.ndarray
    rear: np.ndarray
    direction: np.ndarray  # (S, 2) unit vectors to the back


def shape_canal(slice_: Slice) -> Canal:
    """Return the walls of the dural sac from the sampled diameters, at a station every few millimetres."""
    column, anatomy = slice_.column, slice_.anatomy
    width = np.concatenate([[level.sac_mm for level in slice_.levels], anatomy.sac_above])
    gap = np.concatenate([EPIDURAL_GAP_MM, np.full(N_LEVELS - 5, 1.0)])
    stations = []  # level, corner, tilt, gap, width; from the sacrum upwards
    sacrum, phi = column.sacrum, column.sacrum_phi
    stations += [(-1.9, sacrum[1, 2], phi[1], 7.0, 0.5), (-1.4, sacrum[1, 1], phi[0], 5.0, 0.62 * width[0])]
    stations += [(-1.0, (sacrum[0, 1] + sacrum[0, 2]) / 2, phi[0], 3.6, 0.85 * width[0])]
    for k in range(N_LEVELS):
        low, high = column.disc_low[k, -1], column.disc_high[k, -1]
        stations.append((k, (low + high) / 2, column.disc_phi[k], gap[k], width[k]))
        wider = (width[k] + width[min(k + 1, N_LEVELS - 1)]) / 2 + 0.6
        middle = (column.bottom[k, -1] + column.top[k, -1]) / 2
        stations.append((k + 0.5, middle, column.body_phi[k], gap[k], wider))
    level, corner, tilt, gaps, widths = (np.array(part) for part in zip(*stations, strict=True))
    fine = np.linspace(level[-1], level[0], 130)
    place = lambda values: np.interp(fine, level, values)
    direction = back(place(tilt))
    wall = np.stack([place(corner[:, 0]), place(corner[:, 1])], axis=-1)
    chord = np.sqrt(max(0.0, 1 - (slice_.offset_mm / SAC_HALF_WIDTH_MM) ** 2))
    full, seen = place(widths), place(widths) * chord
    front = wall + direction * (place(gaps) + (full - seen) / 2)[:, None]
    return Canal(fine, front, front + direction * seen[:, None], direction)


def midline_share(offset_mm: float) -> float:
    """Return how much of a slice lies in the spinous processes, between 0 and 1; they end beside the midline."""
    return float(np.clip(1.6 - abs(offset_mm) / 4.0, 0.0, 1.0))
