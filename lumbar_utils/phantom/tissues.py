"""The spine of one slice before anything is wrong with it: canal, bodies, discs, and their texture."""

import numpy as np

from lumbar_utils.dataset import FIRST_BODY, FIRST_DISC, MASK_LABELS
from lumbar_utils.phantom import posterior, surroundings
from lumbar_utils.phantom.anatomy import N_LEVELS, Column, up
from lumbar_utils.phantom.canvas import blobs, curved, smooth_field
from lumbar_utils.phantom.section import Slice

LAYERS = np.linspace(0.0, 1.0, 7)  # from the disc's rim to its nucleus
CROWDED_MM = 8.5  # above a sac narrower than this the roots are redundant: they wave


def draw(slice_: Slice) -> np.ndarray:
    """Draw everything; return the distance (S, S) in mm of each pixel of the picture from the skin of the back."""
    distance = surroundings.draw(slice_)
    posterior.draw(slice_)
    slice_.canvas.blur(0.7)
    draw_canal(slice_)
    draw_bones(slice_)
    draw_discs(slice_)
    return distance


def draw_canal(slice_: Slice) -> None:
    """Dural sac, cord down to its conus, and the roots of the cauda equina, which lie at the back (supine)."""
    canvas, palette, canal = slice_.canvas, slice_.palette, slice_.canal
    span = canal.rear - canal.front
    if np.linalg.norm(span, axis=1).max() < 2.0:
        return
    haze = canal.haze[:, None] * canal.direction
    wide = np.concatenate([canal.front - haze, (canal.rear + haze)[::-1]])
    canvas.fill(wide, 0.5 * (palette["csf"] + palette["fat"]))
    canvas.fill(np.concatenate([canal.front, canal.rear[::-1]]), palette["csf"], MASK_LABELS["sac"])
    draw_roots(slice_, span)
    taper = np.clip((canal.level - slice_.anatomy.conus_level) / 0.9, 0, 1)
    beside = np.minimum(1.0, (slice_.offset_at(canal.level) / 4.6) ** 2)
    half = 3.9 * np.sqrt(1 - beside) * taper**0.6
    keep = half > 0
    if keep.any():
        middle, aside = (canal.front + 0.52 * span)[keep], (half[:, None] * canal.direction)[keep]
        canvas.fill(
            np.concatenate([middle - aside, (middle + aside)[::-1]]), palette["cord"], MASK_LABELS["cord"]
        )
        canvas.stroke(middle - 0.1 * aside, 1.12 * palette["cord"], 0.8)
    canvas.stroke(canal.front, palette["cortex"] + 0.08, 0.7)


def draw_roots(slice_: Slice, span: np.ndarray) -> None:
    """Roots from the conus down, at the back of the sac; redundant ones above a level that is too narrow for them."""
    canvas, palette, canal, generator = slice_.canvas, slice_.palette, slice_.canal, slice_.generator
    below = (canal.level < slice_.anatomy.conus_level + 0.25) & (canal.level > -1.5)
    start = np.clip((slice_.anatomy.conus_level - canal.level) / 2.0, 0, 1)[:, None]
    narrow = [k for k, level in enumerate(slice_.levels) if level.canal_mm < CROWDED_MM]
    wave = 0.03 + 0.11 * (canal.level > max(narrow, default=np.inf))
    tone = palette["csf"] * generator.uniform(0.62, 0.9, 8) + 0.4 * (palette["csf"] < 0.5)
    place, turns = generator.uniform(0.50, 0.93, 8), generator.uniform(2, 5, 8) * (1.6 if narrow else 1.0)
    across = place + wave[:, None] * start * np.sin(canal.level[:, None] * turns + np.arange(8))
    across = np.clip(0.55 * (1 - start) + across * start, 0.08, 0.95)[below]
    strands = canal.front[below] + span[below] * across.T[..., None]
    canvas.stroke_each(strands, tone, generator.uniform(0.3, 1.0, 8))


def draw_bones(slice_: Slice) -> None:
    """Vertebral bodies with the basivertebral vein and islands of fat, and the sacrum with its residual discs."""
    canvas, palette, column, generator = slice_.canvas, slice_.palette, slice_.column, slice_.generator
    marrow = palette["marrow"]
    tone = marrow * (1 + generator.normal(0, 0.04, N_LEVELS))
    bright = min(1.35 * marrow, palette["fat"])
    veins = generator.uniform((4, 0.8), (11, 2.8), (N_LEVELS, 2))
    shown = generator.random(N_LEVELS) < 0.7
    islands = generator.random(N_LEVELS) < slice_.anatomy.marrow_fat - 0.3
    for k in range(N_LEVELS):
        b, u = column.body_axes[0][k], column.body_axes[1][k]
        canvas.fill(column.bodies[k], tone[k], FIRST_BODY + k)
        if shown[k]:
            root = (column.top[k, -1] + column.bottom[k, -1]) / 2 - 1.2 * b
            (depth, height), local = veins[k], np.stack([b, u])
            wedge = np.array([[0.3, height], [0.3, -height], [-depth, -0.5], [-depth, 0.5]])
            canvas.fill(curved(root + wedge @ local, 1), bright)
        if islands[k]:
            place = (
                column.bodies[k].mean(axis=0) + generator.uniform(-8, 8) * b + generator.uniform(-6, 6) * u
            )
            canvas.fill(blobs(generator, [place], generator.uniform(1.5, 4.5), 1.2)[0], 0.9 * palette["fat"])
    draw_sacrum(slice_)


def draw_sacrum(slice_: Slice) -> None:
    """S1 to S5 with their residual discs, and the coccyx."""
    canvas, palette, column, generator = slice_.canvas, slice_.palette, slice_.column, slice_.generator
    marrow = palette["marrow"]
    for k in range(6):
        label = MASK_LABELS["sacrum"] if k < 5 else None
        canvas.fill(column.sacrum[k], marrow * (1.0 if k < 5 else 0.9), label)
    heights = np.array([slice_.anatomy.residual_disc, 0.6, 0.4, 0.3, 0.2])
    residual = generator.uniform(0.0, 1.0) * palette["nucleus", 3] + 0.2 * palette["annulus", 3]
    for k in range(5):
        rear, front, u = column.sacrum[k, 2], column.sacrum[k, 3], up(column.sacrum_phi[k])
        canvas.stroke(np.stack([rear, front]), palette["cortex"] + 0.06, 1.2 + heights[k])
        if heights[k] > 0.25:
            inner = np.stack([0.85 * rear + 0.15 * front, 0.25 * rear + 0.75 * front])
            ends = np.concatenate([inner, [inner[1] + 0.3 * heights[k] * u, inner[0] + 0.3 * heights[k] * u]])
            canvas.fill(curved(ends - 0.15 * heights[k] * u, 1), residual)
    outline = np.concatenate(
        [column.sacrum[:, 1], column.sacrum[-1:, 2], column.sacrum[::-1, 3], column.sacrum[:1, 0]]
    )
    canvas.stroke(outline, palette["cortex"] + 0.05, 0.9, closed=True)


def draw_discs(slice_: Slice) -> None:
    """Discs with a gradient from annulus to nucleus, the intranuclear cleft, and the dark endplates.

    Marrow fat is displaced along the frequency-encoding axis, head to foot: one endplate of each body looks thick,
    the other thin (chemical shift).
    """
    canvas, palette, column, generator = slice_.canvas, slice_.palette, slice_.column, slice_.generator
    grades = [level.pfirrmann for level in slice_.levels]
    grades += [min(grades[-1], 3)] * (N_LEVELS - len(grades))
    chance = generator.random(N_LEVELS)
    thick, thin = (1.5, 0.6) if generator.random() < 0.5 else (0.6, 1.5)
    for k, grade in enumerate(grades):
        outline = disc_outline(column, k)
        canvas.fill(outline, palette["annulus", grade] * 0.45, FIRST_DISC + k)
        b, u = column.disc_axes[0][k], column.disc_axes[1][k]
        centre = (column.disc_low[k].mean(axis=0) + column.disc_high[k].mean(axis=0)) / 2 + 0.8 * b
        along, across = (outline - centre) @ b, (outline - centre) @ u
        edge = {1: 2.6, 2: 2.2, 3: 1.5, 4: 1.0, 5: 1.0}[grade]
        rim, core = palette["annulus", grade], palette["nucleus", grade]
        t = LAYERS[1:, None]
        squeeze = (1 - 0.22 * t) * (1 - 0.6 * t * (along / along.max()) ** 2)
        inner = (along * (0.95 - 0.27 * t))[..., None] * b + (across * squeeze)[
            ..., None
        ] * u  # (6, points, 2)
        canvas.fill_each(centre + inner, rim + (core - rim) * np.clip((LAYERS[1:] - 0.3) * edge, 0, 1))
        if grade <= 3 and chance[k] < 0.75:
            half = 0.30 * (along.max() - along.min()) * b
            canvas.stroke(np.stack([centre - half, centre + half]), core * (0.72 if grade < 3 else 0.8), 1.0)
        elif grade == 5 and chance[k] < 0.3:  # vacuum
            half = 0.22 * (along.max() - along.min()) * b
            canvas.stroke(np.stack([centre - half, centre + half]), 0.02, 1.2)
    cortex = palette["cortex"] + 0.04
    canvas.stroke_each(column.bodies, cortex, 0.6, closed=True)
    canvas.stroke_each(column.top, cortex, thick)
    canvas.stroke_each(column.bottom, cortex, thin)
    canvas.stroke(column.disc_low[0], cortex, 0.9)


def disc_outline(column: Column, k: int) -> np.ndarray:
    """Return the outline (points, 2) of disc `k`: straight at the back, where bulges are added, round in front."""
    low, high = column.disc_low[k], column.disc_high[k]
    bow = np.array([0.9, 1.2, 0.9])[:, None] * column.disc_axes[0][k]
    part = np.array([0.25, 0.5, 0.75])[:, None]
    front = high[0] * (1 - part) + low[0] * part - bow
    return np.concatenate([low, high[::-1], front])


def amplitudes() -> np.ndarray:
    """Return how strongly texture shows in each label (256,): marrow is mottled, fluid is even."""
    strength = np.full(256, 0.45, np.float32)
    strength[FIRST_BODY : MASK_LABELS["sacrum"] + 1] = 1.0
    strength[[MASK_LABELS["sac"], MASK_LABELS["cord"]]] = 0.2
    strength[FIRST_DISC:] = 0.7
    strength[MASK_LABELS["modic"]] = 1.0
    return strength


AMPLITUDE = amplitudes()


def texture(slice_: Slice) -> np.ndarray:
    """Return factors (S, S) for the signal: mottled marrow, more so in the old, and voids where CSF pulses."""
    canvas, generator = slice_.canvas, slice_.generator
    size, labels = canvas.side // 2, canvas.labels[::2, ::2]
    fine, middle = smooth_field(generator, size, (150, 150)), smooth_field(generator, size, (75, 75))
    coarse = smooth_field(generator, size, (26, 26))
    mottling = np.float32(slice_.mottling * (0.05 + 0.10 * slice_.anatomy.marrow_fat))
    factors = 1 + AMPLITUDE[labels] * (0.07 * fine + mottling * middle + 0.10 * coarse)
    if slice_.palette["csf"] > 0.5:
        voids = np.minimum(0.0, 0.15 * (1.3 - np.abs(coarse + 0.5 * middle)))
        factors += voids * (labels == MASK_LABELS["sac"])
    return np.maximum(factors, 0.0)
