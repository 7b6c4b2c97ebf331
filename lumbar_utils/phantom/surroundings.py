"""What lies around the spine: abdomen, great vessel, pelvis, the muscle and fat of the back, skin."""

import numpy as np

from lumbar_utils.phantom.anatomy import N_LEVELS, back, up
from lumbar_utils.phantom.canvas import blob, rounded, smooth_field
from lumbar_utils.phantom.section import Slice, midline_share


def supraspinous(slice_: Slice) -> np.ndarray:
    """Return the line (points, 2) over the tips of the spinous processes, head to foot and on to the buttocks."""
    column, canal = slice_.column, slice_.canal
    levels = np.arange(N_LEVELS - 0.6, -1.0, -1.0)
    at = lambda values: np.stack([np.interp(-levels, -canal.level, values[:, i]) for i in range(2)], axis=-1)
    reach = slice_.anatomy.spinous_length * np.where(levels < 1, 0.85, 1.0) + 8.0
    tips = at(canal.rear) + at(canal.direction) * reach[:, None]
    tail = column.sacrum[[1, 3, 5], 2] + back(column.sacrum_phi[[1, 3, 5]]) * np.array(
        [[17.0], [13.0], [14.0]]
    )
    line = np.concatenate([tips, tail, tail[-1:] + np.array([[-8.0, 60.0], [-8.0, 260.0]])])
    smooth = np.stack(
        [np.convolve(np.pad(line[:, i], 1, mode="edge"), [0.25, 0.5, 0.25], "valid") for i in (0, 1)]
    )
    return smooth.T


def draw_soft_tissue(slice_: Slice) -> tuple[np.ndarray, np.ndarray]:
    """Abdomen, muscles of the back, fat under the skin; returns the distance map of `draw` and the belly's skin."""
    canvas, palette, generator = slice_.canvas, slice_.palette, slice_.generator
    size = canvas.side // 2
    line = supraspinous(slice_)
    n = len(line)
    profile = np.interp(np.arange(n), [0, n - 8, n - 4, n - 1], [0.45, 1.0, 1.25, 1.6])
    skin = line + np.stack([slice_.anatomy.skin_fat * profile + 3.0, np.zeros(n)], axis=-1)
    depth = generator.uniform(85, 150)
    heights = np.array([-420.0, -200, -60, 40, 130, 330])
    front = np.stack(
        [slice_.column.bodies[2][:, 0].min() - depth - 22 * np.cos((heights + 60) / 130), heights], -1
    )

    organs = smooth_field(generator, size, (7, 9)) + 0.5 * smooth_field(generator, size, (22, 13))
    folds = np.abs(smooth_field(generator, size, (13, 7)) + 0.3 * smooth_field(generator, size, (26, 16)))
    fatty = 1 / (1 + np.exp(-2.2 * (organs + generator.uniform(-0.6, 0.8)), dtype=np.float32))
    fatty = np.maximum(fatty, 0.6 * np.exp(-((folds / 0.2) ** 2)))
    bowel = 0.6 * palette["bowel"] + 0.4 * palette["muscle"]
    abdomen = bowel + (0.72 * palette["fat"] - bowel) * fatty
    canvas.paste(abdomen, canvas.region(np.concatenate([front, skin[::-1]])))

    across, along = smooth_field(generator, size, (26, 56)), smooth_field(generator, size, (70, 18))
    streaks = (1.1 * across + 0.6 * along) if midline_share(slice_.offset_mm) > 0.3 else 1.4 * along
    share = 1 / (1 + np.exp(-1.1 * (streaks - generator.uniform(0.0, 0.7)), dtype=np.float32))
    muscle = palette["muscle"] + (0.9 * palette["fat"] - palette["muscle"]) * share
    canal = slice_.canal
    behind = np.concatenate([canal.front, line[-6:], line[::-1]])
    canvas.paste(muscle, canvas.region(behind))

    fat = palette["fat"] * (1 + 0.05 * smooth_field(generator, size, (18, 40)))
    canvas.paste(fat, canvas.region(np.concatenate([line, skin[::-1]])))
    canvas.stroke(line, 0.4 * palette["muscle"], 1.6)
    canvas.stroke(skin, 0.35 * palette["fat"], 1.8)

    pixels = (canvas.to_pixels(skin) - 0.5) / 2
    order = np.argsort(pixels[:, 1])
    edge = np.interp(np.arange(size), pixels[order, 1], pixels[order, 0])
    distance = (edge[:, None] - np.arange(size)) * (2 / canvas.scale)
    return np.maximum(distance, 0).astype(np.float32), front


def draw_front(slice_: Slice, belly: np.ndarray) -> None:
    """Fat in front of the column, a great vessel, bowel loops, and the organs of the pelvis."""
    canvas, palette, generator, column = slice_.canvas, slice_.palette, slice_.generator, slice_.column
    wall = np.stack([column.top[::-1, 0], column.bottom[::-1, 0]], axis=1).reshape(-1, 2)  # head to foot
    tilt = np.repeat(column.body_phi[::-1], 2)
    sacral = column.sacrum[:, 3]
    wall = np.concatenate([wall, column.sacrum[:1, 0], sacral])
    tilt = np.concatenate([tilt, column.sacrum_phi[:1], column.sacrum_phi])
    forwards = -back(tilt)
    thick = np.linspace(3.5, generator.uniform(9, 20), len(wall))[:, None]
    swell = np.convolve(generator.normal(0, 0.45, len(wall) + 4), np.ones(5) / 5**0.5, "valid")
    rim = wall + forwards * thick * np.exp(0.6 * swell)[:, None]
    fine = np.linspace(0, len(wall) - 1, 4 * len(wall))
    rim = np.stack([np.interp(fine, np.arange(len(wall)), rim[:, i]) for i in (0, 1)], axis=-1)
    rim[6:-6] = np.stack([np.convolve(rim[:, i], np.ones(13) / 13, "valid") for i in (0, 1)], axis=-1)
    canvas.fill(np.concatenate([wall, rim[::-1]]), 0.85 * palette["fat"])

    for _ in range(generator.integers(4, 10)):
        place = np.array([wall[-9, 0] + generator.uniform(-150, -40), generator.uniform(-190, 60)])
        gas = generator.random() < 0.25
        content = generator.choice((0.7 * palette["bowel"], 1.5 * palette["bowel"], palette["muscle"]))
        loop = blob(generator, place, generator.uniform(4, 11), generator.uniform(1.0, 2.6))
        canvas.stroke(loop, 0.6 * palette["muscle"] + 0.4 * palette["bowel"], 1.6, closed=True)
        canvas.fill(loop, 0.06 if gas else content)

    canvas.fill(np.concatenate([belly - np.array([300.0, 0.0]), belly[::-1]]), 0.0)
    inner = belly + np.array([generator.uniform(8, 30), 0.0])
    canvas.fill(np.concatenate([belly, inner[::-1]]), 0.9 * palette["fat"])
    canvas.stroke(inner + np.array([4.0, 0.0]), palette["muscle"], 6.0)
    canvas.stroke(belly, 0.35 * palette["fat"], 2.0)

    if generator.random() < 0.5:  # aorta or vena cava; it leaves the slice at both ends
        ends = np.sort(generator.choice(np.arange(2, 2 * N_LEVELS - 2), 2, replace=False))
        rows = slice(max(ends[0] - 6, 0), max(ends[1], ends[0] + 7))
        part = np.linspace(0, np.pi, len(wall[rows]))[:, None]
        width = generator.uniform(11, 17) * np.sin(part) ** 0.5
        near = wall[rows] + forwards[rows] * (generator.uniform(4.0, 8.0) + 0.25 * (17 - width))
        tube = np.concatenate([near, (near + forwards[rows] * width)[::-1]])
        canvas.stroke(tube, 0.7 * palette["muscle"] + 0.2 * palette["fat"], 2.0, closed=True)
        canvas.fill(tube, palette["blood_void"] + generator.uniform(0.06, 0.28))

    pelvis = column.sacrum[2, 3] + generator.normal((-38.0, 18.0), 6)
    if generator.random() < 0.7:
        bladder = rounded(pelvis + np.array([-45.0, 22.0]), back(0.3), up(0.3), 60, 38, power=0.9)
        canvas.fill(bladder, palette["fluid"] * generator.uniform(0.5, 0.95))
        canvas.stroke(bladder, palette["muscle"], 3.0, closed=True)
    rectum = rounded(
        pelvis, back(0.9), up(0.9), generator.uniform(16, 26), generator.uniform(40, 60), power=1.0
    )
    canvas.fill(rectum, generator.uniform(0.6, 1.2) * palette["bowel"])
    canvas.stroke(rectum, palette["muscle"], 2.4, closed=True)
    canvas.stroke(wall[: 2 * N_LEVELS] + 0.4 * forwards[: 2 * N_LEVELS], palette["cortex"] + 0.04, 1.0)
