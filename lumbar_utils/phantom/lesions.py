"""What is wrong with a spine, drawn onto its slice from the grades of each level."""

from __future__ import annotations

import numpy as np

from lumbar_utils.dataset import FIRST_DISC, MASK_LABELS
from lumbar_utils.phantom.anatomy import back, up
from lumbar_utils.phantom.pathology import NORMAL_FLAVUM_MM, Level
from lumbar_utils.phantom.section import IN_SLAB, Slice

HERNIATION_SPREAD_MM = 5.0  # sideways reach of a herniation (standard deviation)
SMALLEST_MM = 0.5  # what is flatter is not drawn


def visible_herniation(level: Level, offset_mm: float) -> float:
    """Return the depth in mm of a level's herniation in the slice at `offset_mm`: it fades sideways.

    The depth is its mean over the slice's thickness.
    """
    away = (offset_mm + IN_SLAB - level.herniation_offset_mm) / HERNIATION_SPREAD_MM
    return level.herniation_mm * float(np.exp(-0.5 * away**2).mean())


def draw(slice_: Slice, generator: np.random.Generator) -> None:
    """Draw Modic changes, Schmorl nodes, osteophytes, bulges, thick ligaments and herniations of all levels."""
    for k, level in enumerate(slice_.levels):
        shape = generator.random(4)
        place = generator.random(2)
        if level.modic:
            draw_modic(slice_, k, level.modic, 4 + 5 * shape[:2])
        draw_schmorl_node(slice_, k, level, place)
        draw_osteophytes(slice_, k, level.osteophyte_mm, 0.45 + 0.55 * shape[2], shape[3] < 0.5)
        draw_flavum(slice_, k, level.flavum_mm)
        draw_bulge(slice_, k, level)
        draw_herniation(slice_, k, level)


def rear_margin(slice_: Slice, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the middle of disc k's posterior margin, unit vectors to the back and up, and the margin's height."""
    low, high = slice_.column.disc_low[k, -1], slice_.column.disc_high[k, -1]
    phi = slice_.column.disc_phi[k]
    return (low + high) / 2, back(phi), up(phi), float(np.linalg.norm(high - low))


def draw_modic(slice_: Slice, k: int, kind: int, thickness_mm: np.ndarray) -> None:
    """Bands in both bodies along the endplates of disc k: oedema (1), fat (2) or sclerosis (3)."""
    palette, column = slice_.palette, slice_.column
    signal = {1: palette["edema"], 2: 1.05 * palette["fat"], 3: 0.35 * palette["marrow"]}[kind]
    for edge, towards, thick in zip(
        (column.disc_high[k], column.disc_low[k]), (1.0, -1.0), thickness_mm, strict=True
    ):
        profile = np.clip(np.sin(np.linspace(0.15, np.pi - 0.3, len(edge))), 0.1, 1.0)[:, None]
        for part in (1.0, 0.8, 0.6):
            deep = edge + towards * thick * part * profile * up(column.disc_phi[k])
            mixed = signal + (palette["marrow"] - signal) * (part - 0.6)
            label = MASK_LABELS["modic"] if part == 0.8 else None
            slice_.canvas.fill(np.concatenate([edge[1:-1], deep[1:-1][::-1]]), mixed, label)
        slice_.canvas.stroke(edge, palette["cortex"] + 0.04, 0.9)


def draw_schmorl_node(slice_: Slice, k: int, level: Level, place: np.ndarray) -> None:
    """Disc that has broken through an endplate, `schmorl_mm` deep, with a sclerotic rim; `place` is in [0, 1)."""
    if level.schmorl_mm < SMALLEST_MM:
        return
    column, palette = slice_.column, slice_.palette
    upwards = place[0] < 0.55 or k == 0
    edge, away = (column.disc_high[k], 1.0) if upwards else (column.disc_low[k], -1.0)
    b, u = column.disc_axes[0][k], column.disc_axes[1][k]
    middle = edge[4 + int(4 * place[1])]
    angle = np.linspace(0, np.pi, 11)
    half = 2.5 + level.schmorl_mm
    rise = away * level.schmorl_mm * np.sin(angle)
    dome = middle + np.outer(half * np.cos(angle), b) + np.outer(rise, u)
    outline = np.concatenate([dome, [middle - half * b - away * u, middle + half * b - away * u]])
    slice_.canvas.fill(
        outline,
        0.5 * (palette["annulus", level.pfirrmann] + palette["nucleus", level.pfirrmann]),
        FIRST_DISC + k,
    )
    slice_.canvas.stroke(dome, palette["cortex"] + 0.08, 0.7)


def draw_osteophytes(slice_: Slice, k: int, length_mm: float, shorter: float, upper_longer: bool) -> None:
    """Beaks at the front corners of both bodies; the longer of the two reaches `length_mm` in front of its corner."""
    if length_mm < SMALLEST_MM:
        return
    column, palette = slice_.column, slice_.palette
    b, u = back(column.disc_phi[k]), up(column.disc_phi[k])
    for corner, away, share in (
        (column.disc_high[k, 0], 1.0, 1.0 if upper_longer else shorter),
        (column.disc_low[k, 0], -1.0, shorter if upper_longer else 1.0),
    ):
        reach = length_mm * share
        base = 3.0 + 0.9 * reach
        beak = np.array(
            [
                [2.0, 0.2],
                [0.3 * -reach, 0.1],
                [-reach, -0.22 * reach],
                [-0.55 * reach, 0.3 * base],
                [0.8, base],
                [2.5, base],
            ]
        )
        outline = corner + np.outer(beak[:, 0], b) + np.outer(beak[:, 1] * away, u)
        slice_.canvas.fill(outline, 0.75 * palette["marrow"], MASK_LABELS["osteophyte"])
        slice_.canvas.stroke(outline[1:5], palette["cortex"] + 0.05, 0.9)


def draw_bulge(slice_: Slice, k: int, level: Level) -> None:
    """A rim of disc behind the whole posterior margin, `bulge_mm` deep in its middle."""
    if level.bulge_mm < SMALLEST_MM:
        return
    middle, b, u, height = rear_margin(slice_, k)
    s = np.linspace(-1, 1, 11)
    half = height / 2 + 0.8 + 0.25 * level.bulge_mm
    rim = middle + np.outer(level.bulge_mm * (1 - np.abs(s) ** 2.5), b) + np.outer(s * half, u)
    outline = np.concatenate([rim, (middle - 1.0 * b + np.outer([1.0, -1.0], u) * height / 2)])
    label = MASK_LABELS["bulge"] if level.bulge_mm >= 1.0 else FIRST_DISC + k
    slice_.canvas.fill(outline, 0.8 * slice_.palette["annulus", level.pfirrmann], label)
    slice_.canvas.stroke(rim, slice_.palette["cortex"] + 0.05, 0.7)


def draw_herniation(slice_: Slice, k: int, level: Level) -> None:
    """A tongue of disc into the canal: broad-based (protrusion), with a neck (extrusion), or torn off."""
    depth = visible_herniation(level, slice_.offset_at(k))
    if depth < SMALLEST_MM:
        return
    middle, b, u, height = rear_margin(slice_, k)
    signal = 0.5 * slice_.palette["extruded"] + 0.5 * slice_.palette["annulus", level.pfirrmann]
    number = MASK_LABELS["herniation"]
    angle = np.linspace(0, np.pi, 15)
    x, s = np.sin(angle), np.cos(angle)
    drift = level.migration_mm * depth / max(level.herniation_mm, 0.1)
    if level.herniation_type == "protrusion":
        half = 0.5 * height + 1.2
        tongue = np.outer(depth * x**0.8, b) + np.outer(half * s, u)
    else:
        half = max(0.32 * height, 1.5) * (1 + 0.9 * x) + 0.12 * depth
        tongue = np.outer(depth * x, b) + np.outer(half * s + 0.6 * drift * x**2, u)
    if level.herniation_type == "sequestration":
        fragment = np.outer(0.4 * depth * np.cos(2 * angle), b) + np.outer(
            (0.5 * depth + 1) * np.sin(2 * angle), u
        )
        loose = (
            middle + 0.6 * depth * b + np.sign(drift or -1) * (height / 2 + 0.5 * depth + 2.5) * u + fragment
        )
        slice_.canvas.fill(loose, signal * 1.15, number)
        slice_.canvas.stroke(loose, slice_.palette["cortex"] + 0.05, 0.6, closed=True)
        tongue = np.outer(0.5 * depth * x, b) + np.outer(half * 0.7 * s, u)
    slice_.canvas.fill(np.concatenate([middle + tongue, [middle - 1.5 * b]]), signal, number)
    slice_.canvas.stroke(middle + tongue, slice_.palette["cortex"] + 0.05, 0.6)


def draw_flavum(slice_: Slice, k: int, thickness_mm: float) -> None:
    """A thick ligamentum flavum: it presses on the sac from behind by what it has above 4 mm."""
    pressing = thickness_mm - NORMAL_FLAVUM_MM
    if pressing < SMALLEST_MM:
        return
    canal = slice_.canal
    rear, b = (
        np.stack([np.interp(-k, -canal.level, values[:, i]) for i in (0, 1)])
        for values in (canal.rear, canal.direction)
    )
    u = up(slice_.column.disc_phi[k])
    s = np.linspace(-1, 1, 13)
    half = 6.0 + 0.8 * pressing
    rim = rear - np.outer(pressing * (1 - s**2) ** 1.2, b) + np.outer(s * half, u)
    hollow = rear + np.outer([1.2, 2.6, 3.0, 2.6, 1.2], b) + np.outer([0.9, 0.6, 0.0, -0.6, -0.9], u) * half
    outline = np.concatenate([rim, hollow])
    slice_.canvas.fill(outline, slice_.palette["flavum"] + 0.06, MASK_LABELS["flavum"])
