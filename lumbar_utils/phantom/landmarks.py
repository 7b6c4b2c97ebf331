"""Where things lie in a finished sagittal picture, by name."""

from __future__ import annotations

import numpy as np

from lumbar_utils.dataset import LUMBAR_BODIES, LUMBAR_DISCS
from lumbar_utils.phantom.anatomy import Column
from lumbar_utils.phantom.canvas import Canvas
from lumbar_utils.phantom.pathology import NORMAL_FLAVUM_MM
from lumbar_utils.phantom.section import Slice


def in_pixels(points: dict[str, np.ndarray], canvas: Canvas) -> dict[str, tuple[float, float]]:
    """Return points given in mm as (x, y) in pixels of the finished picture."""
    pixels = (canvas.to_pixels(np.stack(list(points.values()))) - 0.5) / 2
    return {name: (float(x), float(y)) for name, (x, y) in zip(points, pixels, strict=True)}


def of_column(column: Column) -> dict[str, np.ndarray]:
    """Return in mm the middles of the lumbar bodies and discs ("L4", "L4-L5") and corners ("L4 upper front", …)."""
    points = {}
    for k, (body, disc) in enumerate(zip(LUMBAR_BODIES, LUMBAR_DISCS, strict=True)):
        top, bottom = column.top[k], column.bottom[k]
        points[body] = (top.mean(axis=0) + bottom.mean(axis=0)) / 2
        points[disc] = (column.disc_low[k].mean(axis=0) + column.disc_high[k].mean(axis=0)) / 2
        points |= {f"{body} upper front": top[0], f"{body} upper rear": top[-1]}
        points |= {f"{body} lower front": bottom[0], f"{body} lower rear": bottom[-1]}
    return points


def of_canal(slice_: Slice) -> dict[str, np.ndarray]:
    """Return in mm where the sac's walls stand at each disc ("canal front L4-L5", "canal rear L4-L5").

    On the midline the distance of the two is `Level.canal_mm`.
    """
    canal, points = slice_.canal, {}
    for k, level in enumerate(slice_.levels):
        front, rear, direction = (canal.at(k, line) for line in (canal.front, canal.rear, canal.direction))
        points[f"canal front {level.name}"] = front + max(0.0, level.bulge_mm - level.gap_mm) * direction
        points[f"canal rear {level.name}"] = rear - max(0.0, level.flavum_mm - NORMAL_FLAVUM_MM) * direction
    return points
