"""What lies behind the dural sac: epidural fat, laminae and ligaments, spinous processes; beside it, the foramina."""

import numpy as np

from lumbar_utils.phantom.anatomy import N_LEVELS, back, up
from lumbar_utils.phantom.canvas import blobs, curved, rounded
from lumbar_utils.phantom.section import IN_SLAB, Slice, midline_share

# Outline of a spinous process: along it (shares of its length) and across (shares of its height), root to tip and back.
PROCESS = np.array(
    [[0, 0.30], [0.35, 0.24], [0.8, 0.34], [1, 0.24], [1.04, -0.2], [0.93, -0.58], [0.62, -0.44], [0.3, -0.34],
     [0, -0.32]]
)  # fmt: skip
# Pedicle with the articular processes, in mm behind the body's rear wall and above its middle.
ARCH = np.array(
    [[-1, 10], [6, 9], [9, 17], [13, 20], [16, 15], [16, 3], [19, -8], [20, -20], [15, -24], [11, -14], [9, -3],
     [5, 0], [-1, -1]]
)  # fmt: skip


def draw(slice_: Slice) -> None:
    """Draw epidural fat and posterior elements, and foramina instead where the slice lies beside the canal."""
    offset = slice_.offset_at(np.arange(N_LEVELS))
    midline = midline_share(offset)
    draw_epidural(slice_)
    if midline.max() > 0.3:
        draw_spinous_processes(slice_, midline)
    draw_sacral_crest(slice_)
    lateral = np.clip((np.abs(offset[:, None] + IN_SLAB) - 7.5) / 4.0, 0, 1).mean(axis=1)
    if lateral.max() > 0.1:
        draw_foramina(slice_, lateral)


def draw_epidural(slice_: Slice) -> None:
    """Fat behind the sac, most of it at the discs; ligaments span from lamina to lamina."""
    canvas, palette, canal, generator = slice_.canvas, slice_.palette, slice_.canal, slice_.generator
    thick = np.interp(canal.level, np.arange(-2, N_LEVELS + 1), generator.uniform(3.6, 7.2, N_LEVELS + 3))
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (canal.level - 0.02))
    rear = canal.rear + canal.direction * (0.7 + thick * wave**2.4)[:, None]
    canvas.fill(np.concatenate([canal.front, rear[::-1]]), 0.92 * palette["fat"])
    for k in range(N_LEVELS):
        ligament = np.abs(canal.level - k + 0.03) < 0.28
        canvas.stroke((rear + 1.2 * canal.direction)[ligament], palette["flavum"] + 0.05, 2.6)
        lamina = np.abs(canal.level - k - 0.43) < 0.21
        canvas.stroke((rear + 1.1 * canal.direction)[lamina], palette["cortex"] + 0.06, 2.2)


def draw_spinous_processes(slice_: Slice, midline: np.ndarray) -> None:
    """Hatchet-shaped processes that point down a little, and the streaky ligaments between them."""
    canvas, palette, canal, anatomy = slice_.canvas, slice_.palette, slice_.canal, slice_.anatomy
    generator, column = slice_.generator, slice_.column
    levels = np.arange(N_LEVELS) + 0.22
    base = canal.at(levels, canal.rear) + 3.2 * canal.at(levels, canal.direction)
    droop = column.body_phi - np.radians(
        generator.uniform(6, 18, N_LEVELS) + np.where(np.arange(N_LEVELS) > 5, 10, 0)
    )
    along, across = back(droop), up(droop)
    length = anatomy.spinous_length * np.where(np.arange(N_LEVELS) == 0, 0.72, 1.0)
    length = length * generator.uniform(0.9, 1.06, N_LEVELS)
    height = anatomy.body_height * np.where(np.arange(N_LEVELS) == 0, 0.62, 0.86)
    height = height * generator.uniform(0.85, 1.12, N_LEVELS)

    draw_interspinous(slice_, base, along, length)
    uneven = generator.normal(0, 0.035, (N_LEVELS, *PROCESS.shape))
    tone = midline * palette["marrow"] + (1 - midline) * palette["muscle"]
    tones = tone * generator.uniform(0.85, 1.08, N_LEVELS)
    x, y = np.moveaxis(PROCESS + uneven, -1, 0) * np.stack([length, height])[..., None]
    shapes = curved(base[:, None] + x[..., None] * along[:, None] + y[..., None] * across[:, None])
    shown = midline > 0.3
    canvas.fill_each(shapes[shown], tones[shown])
    rims = palette["cortex"] + 0.08 + 0.3 * (1 - midline[shown])
    canvas.stroke_each(shapes[shown], rims, 1.1, closed=True)


def draw_interspinous(slice_: Slice, base: np.ndarray, along: np.ndarray, length: np.ndarray) -> None:
    """Fibres and fat between neighbouring processes: bent strands of uneven width and signal."""
    canvas, palette, generator = slice_.canvas, slice_.palette, slice_.generator
    shape = (N_LEVELS - 1, 6)
    signal = palette["fat"] * generator.choice((0.08, 0.2, 0.45, 0.85), shape, p=(0.25, 0.3, 0.25, 0.2))
    part, slant = generator.uniform(0.05, 1.0, shape), generator.normal(-0.2, 0.18, shape)
    bend, width = generator.normal(0, 2.5, shape), generator.uniform(0.5, 2.4, shape)
    reach = (along * length[:, None])[:, None]
    low = base[:-1, None] + reach[:-1] * part[..., None]
    high = base[1:, None] + reach[1:] * np.clip(part + slant, 0, 1)[..., None]
    middle = (low + high) / 2 + along[:-1, None] * bend[..., None]
    strands = np.stack([low, middle, high], axis=2).reshape(-1, 3, 2)
    canvas.stroke_each(strands, signal.ravel(), width.ravel())


def draw_sacral_crest(slice_: Slice) -> None:
    """Fat of the sacral canal, and the median sacral crest behind it."""
    canvas, palette, column = slice_.canvas, slice_.palette, slice_.column
    for k in range(3):
        b, u = back(column.sacrum_phi[k]), up(column.sacrum_phi[k])
        middle = column.sacrum[k, 1:3].mean(axis=0) + b * (14.0 - 2.5 * k)
        crest = rounded(middle, b, u, 7.5, 21.0 - 3 * k, power=0.8)
        canvas.fill(crest, 0.85 * palette["marrow"])
        canvas.stroke(crest, palette["cortex"] + 0.1, 0.9, closed=True)


def draw_foramina(slice_: Slice, lateral: np.ndarray) -> None:
    """Foraminal fat with the exiting roots in it, pedicles and articular processes, of which `lateral` is seen."""
    canvas, palette, column, generator = slice_.canvas, slice_.palette, slice_.column, slice_.generator
    muscle, fat, marrow = palette["muscle"], 0.85 * palette["fat"], 0.95 * palette["marrow"]
    seen = np.flatnonzero(lateral > 0.1)
    for k in seen:
        b, share = column.body_axes[0][k], lateral[k]
        wall = np.stack([column.disc_low[k, -1], column.bottom[k, -1], column.top[k, -1]])
        canvas.fill(np.concatenate([wall, (wall + 11.0 * b)[::-1]]), muscle + (fat - muscle) * share)
    for k in seen:
        b, u, share = column.body_axes[0][k], column.body_axes[1][k], lateral[k]
        soft = muscle + (fat - muscle) * share
        middle = (column.bottom[k, -1] + column.top[k, -1]) / 2
        root = blobs(generator, [middle + 5.5 * b - 7.5 * u], generator.uniform(1.8, 2.6), 1.3)
        canvas.fill(root[0], soft + (0.9 * muscle + 0.08 - soft) * share)
        scale = slice_.anatomy.body_height[k] / 28.0
        x, y = (ARCH * scale + generator.normal(0, 0.5, ARCH.shape)).T
        arch = curved(middle + np.outer(x, b) + np.outer(y, u))
        canvas.fill(arch, soft + (marrow - soft) * share)
        canvas.stroke(arch, soft + (palette["cortex"] + 0.06 - soft) * share, 1.1, closed=True)
