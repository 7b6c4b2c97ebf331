"""One slice while it is drawn: the canvas, the geometry, and the walls of the dural sac in that slice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lumbar_utils.phantom.anatomy import N_LEVELS, Anatomy, Column, back, place
from lumbar_utils.phantom.canvas import Canvas
from lumbar_utils.phantom.pathology import EPIDURAL_GAP_MM, Level

SAC_HALF_WIDTH_MM = 10.5
SLICE_THICKNESS_MM = 4.0
IN_SLAB = SLICE_THICKNESS_MM * np.linspace(-0.4, 0.4, 5)  # planes over which a slice's signal is averaged


@dataclass
class Slice:
    """What is being drawn, and where; `canal` follows from the rest.

    `offset_mm` is the slice's distance from the midline at L3, `tilt` what it gains a level upwards; `mottling`
    scales the texture of marrow.
    """

    canvas: Canvas
    column: Column
    anatomy: Anatomy
    levels: tuple[Level, ...]
    palette: dict
    offset_mm: float
    generator: np.random.Generator
    tilt: float = 0.0
    mottling: float = 1.0
    canal: Canal = field(init=False)

    def __post_init__(self):
        self.canal = shape_canal(self)

    def offset_at(self, level: np.ndarray | float) -> np.ndarray | float:
        """Return the distance from the midline in mm at a level, counted in discs above L5-S1."""
        return self.offset_mm + self.tilt * (level - 2.0)


@dataclass(frozen=True)
class Canal:
    """The dural sac's walls, head to foot: `level` (S,) in discs above L5-S1, `front` and `rear` (S, 2) mm.

    The walls are those of the mean over the slice's thickness; `haze` (S,) mm is how far the widest plane reaches
    beyond them, where CSF and fat share a pixel. `direction` (S, 2) are unit vectors to the back.
    """

    level: np.ndarray
    front: np.ndarray
    rear: np.ndarray
    direction: np.ndarray
    haze: np.ndarray

    def at(self, levels, values: np.ndarray) -> np.ndarray:
        """Return `values` (S, 2), one a station, at other levels (n,)."""
        return np.stack([np.interp(-np.asarray(levels), -self.level, values[:, i]) for i in (0, 1)], axis=-1)


def column_of(anatomy: Anatomy, levels: tuple[Level, ...]) -> Column:
    """Return one person's column: the anatomy, with the disc heights and slips of the five graded levels."""
    heights = np.concatenate([[level.disc_height_mm for level in levels], anatomy.disc_height_above])
    slips = np.zeros(N_LEVELS)
    slips[: len(levels)] = [level.slip_mm for level in levels]
    return place(anatomy, heights, slips)


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
    planes = slice_.offset_at(fine)[:, None] + IN_SLAB
    chords = np.sqrt(np.maximum(0.0, 1 - (planes / SAC_HALF_WIDTH_MM) ** 2))
    full = place(widths)
    seen, haze = full * chords.mean(axis=1), full * (chords.max(axis=1) - chords.mean(axis=1)) / 2
    front = wall + direction * (place(gaps) + (full - seen) / 2)[:, None]
    return Canal(fine, front, front + direction * seen[:, None], direction, haze)


def midline_share(offset_mm) -> np.ndarray:
    """Return how much of a slice lies in the spinous processes, between 0 and 1; they end beside the midline."""
    planes = np.asarray(offset_mm)[..., None] + IN_SLAB
    return np.clip(1.6 - np.abs(planes) / 4.0, 0.0, 1.0).mean(axis=-1)
