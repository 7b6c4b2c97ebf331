"""The spine of one slice before anything is wrong with it: posterior elements, canal, bodies, discs."""

import cv2
import numpy as np

from lumbar_utils.dataset import FIRST_BODY, FIRST_DISC, MASK_LABELS
from lumbar_utils.phantom.anatomy import N_LEVELS, Column, back, up
from lumbar_utils.phantom.canvas import rounded, smooth_field
from lumbar_utils.phantom.section import Slice, midline_share
from lumbar_utils.phantom.surroundings import draw_front, draw_soft_tissue

LAYERS = np.linspace(0.0, 1.0, 7)  # from the disc's rim to its nucleus


def draw(slice_: Slice) -> np.ndarray:
    """Draw everything; return the distance (S, S) in mm of each pixel of the picture from the skin of the back."""
    distance, belly = draw_soft_tissue(slice_)
    draw_front(slice_, belly)
    draw_posterior(slice_)
    draw_canal(slice_)
    draw_bones(slice_)
    draw_discs(slice_)
    return distance


def draw_posterior(slice_: Slice) -> None:
    """Epidural fat, laminae with the ligamentum flavum between them, spinous processes."""
    canvas, palette, canal, anatomy = slice_.canvas, slice_.palette, slice_.canal, slice_.anatomy
    generator = slice_.generator
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (canal.level - 0.05))
    fat = 0.8 + 4.6 * wave**2.2 * generator.uniform(0.8, 1.2)
    rear = canal.rear + canal.direction * fat[:, None]
    canvas.fill(np.concatenate([canal.front, rear[::-1]]), 0.92 * palette["fat"])
    for k in range(N_LEVELS):  # the ligament spans from lamina to lamina, the laminae lie between
        ligament = np.abs(canal.level - k + 0.05) < 0.30
        canvas.stroke((rear + 1.0 * canal.direction)[ligament], palette["flavum"] + 0.06, 2.0)
        lamina = np.abs(canal.level - k - 0.42) < 0.20
        canvas.stroke((rear + 0.9 * canal.direction)[lamina], palette["cortex"] + 0.06, 2.0)

    share = midline_share(slice_.offset_mm)
    bright = (share * palette["marrow"] + (1 - share) * palette["muscle"]) * 0.95
    for k in range(N_LEVELS):
        base = np.array([np.interp(-k - 0.22, -canal.level, canal.rear[:, i]) for i in (0, 1)])
        phi = slice_.column.body_phi[k]
        droop = phi - np.radians(generator.uniform(6, 16) + (8 if k > 5 else 0))
        length = anatomy.spinous_length * (0.72 if k == 0 else 1.0) * generator.uniform(0.9, 1.08)
        height = anatomy.body_height[k] * (0.64 if k else 0.48) * generator.uniform(0.78, 1.12)
        centre = base + back(phi) * 2.5 + back(droop) * length / 2
        flare = generator.uniform(0.0, 0.3)
        shape = rounded(centre, back(droop), up(droop), length, height, power=0.62, flare=flare)
        if share > 0.3:
            canvas.stroke(shape, palette["cortex"] + 0.16 + 0.2 * (1 - share), 1.5, closed=True)
            canvas.fill(shape, bright)
            core = centre + 0.6 * (shape - centre) + 1.5 * back(droop)
            canvas.fill(core, 1.12 * bright)
    for k in range(3):  # median sacral crest
        phi = slice_.column.sacrum_phi[k]
        middle = slice_.column.sacrum[k, 1:3].mean(axis=0) + back(phi) * (14.0 - 2.5 * k)
        canvas.fill(
            rounded(middle, back(phi), up(phi), 7.0, 15.0 - 2 * k, power=0.9), 0.85 * palette["marrow"]
        )


def draw_canal(slice_: Slice) -> None:
    """Dural sac, cord down to its conus, and the roots of the cauda equina, which lie at the back (supine)."""
    canvas, palette, canal, generator = slice_.canvas, slice_.palette, slice_.canal, slice_.generator
    width = np.linalg.norm(canal.rear - canal.front, axis=1)
    if width.max() < 2.0:
        return
    canvas.fill(np.concatenate([canal.front, canal.rear[::-1]]), palette["csf"], MASK_LABELS["sac"])
    span = canal.rear - canal.front
    below = (canal.level < slice_.anatomy.conus_level + 0.25) & (canal.level > -1.5)
    for root in range(7):
        across = generator.uniform(0.55, 0.93) + 0.03 * np.sin(canal.level * generator.uniform(2, 5) + root)
        start = np.clip((slice_.anatomy.conus_level - canal.level) / 2.0, 0, 1)
        across = 0.55 * (1 - start) + across * start
        strand = (canal.front + span * across[:, None])[below]
        canvas.stroke(
            strand, palette["csf"] * generator.uniform(0.55, 0.8) + 0.4 * (palette["csf"] < 0.5), 0.6
        )
    taper = np.clip((canal.level - slice_.anatomy.conus_level) / 0.9, 0, 1)
    keep = taper > 0
    if abs(slice_.offset_mm) < 4.5 and keep.any():
        half = (3.9 * np.sqrt(1 - (slice_.offset_mm / 4.6) ** 2) * taper[keep] ** 0.6)[:, None]
        middle = (canal.front + 0.52 * span)[keep]
        outline = np.concatenate(
            [middle - half * canal.direction[keep], (middle + half * canal.direction[keep])[::-1]]
        )
        canvas.fill(outline, palette["cord"], MASK_LABELS["cord"])
    canvas.stroke(canal.front, palette["cortex"] + 0.08, 0.7)


def draw_bones(slice_: Slice) -> None:
    """Vertebral bodies with their basivertebral vein, and the sacrum with its residual discs."""
    canvas, palette, column, generator = slice_.canvas, slice_.palette, slice_.column, slice_.generator
    marrow = palette["marrow"]
    tone = 1 + generator.normal(0, 0.03, N_LEVELS)
    for k in range(N_LEVELS):
        canvas.fill(column.bodies[k], marrow * tone[k], FIRST_BODY + k)
        vein = (column.top[k, -1] + column.bottom[k, -1]) / 2 - 1.2 * back(column.body_phi[k])
        depth, height = generator.uniform(5, 11), generator.uniform(1.5, 3.0)
        wedge = vein + np.array([[0.3, height], [0.3, -height], [-depth, -0.6], [-depth, 0.6]]) @ np.stack(
            [back(column.body_phi[k]), up(column.body_phi[k])]
        )
        canvas.fill(wedge, min(1.35 * marrow, palette["fat"]))
    for k in range(6):
        canvas.fill(
            column.sacrum[k], marrow * (1.0 if k < 5 else 0.9), MASK_LABELS["sacrum"] if k < 5 else None
        )
    for k in range(5):
        canvas.stroke(column.sacrum[k, 2:], palette["annulus", 3] * 0.8, 2.2 if k == 0 else 1.2)
    outline = np.concatenate(
        [column.sacrum[:, 1], column.sacrum[-1:, 2], column.sacrum[::-1, 3], column.sacrum[:1, 0]]
    )
    canvas.stroke(outline, palette["cortex"] + 0.05, 1.1, closed=True)


def draw_discs(slice_: Slice) -> None:
    """Discs with a gradient from annulus to nucleus, the intranuclear cleft, and the dark endplates."""
    canvas, palette, column, generator = slice_.canvas, slice_.palette, slice_.column, slice_.generator
    grades = [level.pfirrmann for level in slice_.levels]
    grades += [min(grades[-1], 3)] * (N_LEVELS - len(grades))
    chance = generator.random(N_LEVELS)
    for k, grade in enumerate(grades):
        outline = disc_outline(column, k)
        canvas.fill(outline, palette["annulus", grade] * 0.6, FIRST_DISC + k)
        b, u = back(column.disc_phi[k]), up(column.disc_phi[k])
        centre = (column.disc_low[k].mean(axis=0) + column.disc_high[k].mean(axis=0)) / 2 + 0.8 * b
        along, across = (outline - centre) @ b, (outline - centre) @ u
        edge = {1: 2.6, 2: 2.2, 3: 1.5, 4: 1.0, 5: 1.0}[grade]
        rim, core = palette["annulus", grade], palette["nucleus", grade]
        t = LAYERS[1:, None]
        squeeze = (1 - 0.22 * t) * (1 - 0.6 * t * (along / along.max()) ** 2)
        inner = (along * (1 - 0.28 * t))[..., None] * b + (across * squeeze)[..., None] * u  # (6, points, 2)
        canvas.fill_each(centre + inner, rim + (core - rim) * np.clip((LAYERS[1:] - 0.3) * edge, 0, 1))
        if grade <= 3 and chance[k] < 0.75:
            half = 0.30 * (along.max() - along.min()) * b
            canvas.stroke(np.stack([centre - half, centre + half]), core * (0.72 if grade < 3 else 0.8), 1.0)
        elif grade == 5 and chance[k] < 0.3:  # vacuum
            half = 0.22 * (along.max() - along.min()) * b
            canvas.stroke(np.stack([centre - half, centre + half]), 0.02, 1.2)
    for body in column.bodies:
        canvas.stroke(body, palette["cortex"] + 0.04, 0.9, closed=True)
    canvas.stroke(column.disc_low[0], palette["cortex"] + 0.04, 0.9)


def disc_outline(column: Column, k: int) -> np.ndarray:
    """Return the outline (points, 2) of disc `k`: straight at the back, where bulges are added, round in front."""
    low, high = column.disc_low[k], column.disc_high[k]
    bow = np.array([0.9, 1.2, 0.9])[:, None] * back(column.disc_phi[k])
    part = np.array([0.25, 0.5, 0.75])[:, None]
    front = high[0] * (1 - part) + low[0] * part - bow
    return np.concatenate([low, high[::-1], front])


def add_texture(slice_: Slice) -> None:
    """Multiply fine and coarse texture into the signal, more of it in marrow than in fluid."""
    canvas, generator = slice_.canvas, slice_.generator
    size = canvas.side // 2
    fine, coarse = smooth_field(generator, size, (150, 150)), smooth_field(generator, size, (44, 44))
    texture = canvas.enlarge(0.08 * fine + 0.08 * coarse)
    texture[(canvas.labels == MASK_LABELS["sac"]) | (canvas.labels >= FIRST_DISC)] *= 0.3
    canvas.signal *= cv2.max(1 + texture, 0.0)
