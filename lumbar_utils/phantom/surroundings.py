"""What lies around the spine: abdomen, great vessel, pelvis, the muscle and fat of the back, skin."""

import numpy as np

from lumbar_utils.phantom.anatomy import N_LEVELS, back, up
from lumbar_utils.phantom.canvas import blobs, rounded, smooth_field
from lumbar_utils.phantom.section import Slice, midline_share


def draw(slice_: Slice) -> np.ndarray:
    """Draw everything but the spine; return the distance (S, S) in mm of each pixel from the skin of the back."""
    line = supraspinous(slice_)
    skin = skin_of_the_back(slice_, line)
    belly = skin_of_the_belly(slice_)
    draw_abdomen(slice_, belly, skin)
    draw_bowel(slice_)
    draw_pelvis(slice_)
    draw_prevertebral_fat(slice_)
    draw_vessels(slice_)
    draw_abdominal_wall(slice_, belly)
    draw_back(slice_, line, skin)
    return distance_from(slice_, skin)


def supraspinous(slice_: Slice) -> np.ndarray:
    """Return the line (points, 2) over the tips of the spinous processes, head to foot and on to the buttocks."""
    column, canal = slice_.column, slice_.canal
    levels = np.arange(N_LEVELS - 0.6, -1.0, -1.0)
    reach = slice_.anatomy.spinous_length * np.where(levels < 1, 0.85, 1.0) + 8.0
    tips = canal.at(levels, canal.rear) + canal.at(levels, canal.direction) * reach[:, None]
    tail = column.sacrum[[1, 3, 5], 2] + back(column.sacrum_phi[[1, 3, 5]]) * np.array(
        [[17.0], [13.0], [14.0]]
    )
    line = np.concatenate([tips, tail, tail[-1:] + np.array([[-8.0, 60.0], [-8.0, 260.0]])])
    smooth = np.stack(
        [np.convolve(np.pad(line[:, i], 1, mode="edge"), [0.25, 0.5, 0.25], "valid") for i in (0, 1)]
    )
    return smooth.T


def skin_of_the_back(slice_: Slice, line: np.ndarray) -> np.ndarray:
    """Return the skin (points, 2) behind the supraspinous line; fat is thickest over the sacrum."""
    n = len(line)
    profile = np.interp(np.arange(n), [0, n - 8, n - 4, n - 1], [0.45, 1.0, 1.35, 1.6])
    profile = profile * np.exp(slice_.generator.normal(0, 0.06, n))
    return line + np.stack([slice_.anatomy.skin_fat * profile + 3.0, np.zeros(n)], axis=-1)


def skin_of_the_belly(slice_: Slice) -> np.ndarray:
    """Return the skin (points, 2) of the belly, head to foot."""
    depth = slice_.generator.uniform(85, 150)
    heights = np.array([-420.0, -200, -60, 40, 130, 330])
    hang = slice_.generator.uniform(10, 26)
    middle = slice_.column.bodies[2][:, 0].min()
    return np.stack([middle - depth - hang * np.cos((heights + 60) / 130), heights], axis=-1)


def distance_from(slice_: Slice, skin: np.ndarray) -> np.ndarray:
    """Return how far each pixel of the picture (S, S) lies in front of the skin of the back, in mm."""
    canvas = slice_.canvas
    size = canvas.side // 2
    pixels = (canvas.to_pixels(skin) - 0.5) / 2
    order = np.argsort(pixels[:, 1])
    edge = np.interp(np.arange(size), pixels[order, 1], pixels[order, 0])
    distance = (edge[:, None] - np.arange(size)) * (2 / canvas.scale)
    return np.maximum(distance, 0).astype(np.float32)


def share(field: np.ndarray, steepness: float, threshold: float) -> np.ndarray:
    """Turn a smooth field into shares of a tissue between 0 and 1."""
    return 1 / (1 + np.exp(-steepness * (field - threshold), dtype=np.float32))


def draw_abdomen(slice_: Slice, belly: np.ndarray, skin: np.ndarray) -> None:
    """Mesentery and bowel as a mixture of fat and muscle: large masses, loops within them, vessels and septa."""
    canvas, palette, generator = slice_.canvas, slice_.palette, slice_.generator
    size = canvas.side // 2
    masses = smooth_field(generator, size, (5, 6))
    loops = smooth_field(generator, size, (11, 15))
    fine = smooth_field(generator, size, (34, 48))
    fatty = share(0.9 * masses + 0.7 * loops + 0.25 * fine, 2.4, generator.uniform(-0.6, 0.9))
    septa = np.abs(loops + 0.35 * fine)
    fatty -= (0.5 * fatty) * np.exp(-((septa / 0.12) ** 2))
    organ = 0.75 * palette["bowel"] + 0.25 * palette["muscle"]
    abdomen = organ * (1 + 0.25 * fine) + (0.85 * palette["fat"] - organ) * fatty
    canvas.paste(abdomen, canvas.region(np.concatenate([belly, skin[::-1]])))


def front_wall(slice_: Slice) -> tuple[np.ndarray, np.ndarray]:
    """Return the front of the column (points, 2), head to foot on to the coccyx, and unit vectors forwards."""
    column = slice_.column
    wall = np.stack([column.top[::-1, 0], column.bottom[::-1, 0]], axis=1).reshape(-1, 2)
    tilt = np.repeat(column.body_phi[::-1], 2)
    wall = np.concatenate([wall, column.sacrum[:1, 0], column.sacrum[:, 3]])
    return wall, -back(np.concatenate([tilt, column.sacrum_phi[:1], column.sacrum_phi]))


def draw_bowel(slice_: Slice) -> None:
    """Loops of bowel with their wall, some filled with fluid or gas, and small vessels of the mesentery."""
    canvas, palette, generator = slice_.canvas, slice_.palette, slice_.generator
    wall, _ = front_wall(slice_)
    contents = (0.7 * palette["bowel"], 1.6 * palette["bowel"], palette["muscle"], 0.5 * palette["muscle"])
    n, m = generator.integers(5, 12), generator.integers(6, 14)
    front = np.array([wall[-9, 0], 0.0])
    places = front + generator.uniform((-150, -190), (-35, 60), (n, 2))
    loops = blobs(generator, places, generator.uniform(4, 12, n), generator.uniform(1.0, 2.4, n))
    filling = np.where(generator.random(n) < 0.2, 0.06, generator.choice(contents, n))
    for place, loop, signal in zip(places, loops, filling, strict=True):
        canvas.fill(place + 1.14 * (loop - place), 0.5 * palette["muscle"] + 0.5 * palette["bowel"])
        canvas.fill(loop, signal)
    places = front + generator.uniform((-110, -200), (-12, 50), (m, 2))
    vessels = blobs(generator, places, generator.uniform(1.0, 2.6, m), generator.uniform(1.0, 3.5, m))
    canvas.fill_each(vessels, np.full(m, palette["blood_void"] + 0.05))


def draw_pelvis(slice_: Slice) -> None:
    """Bladder and rectum in front of the sacrum."""
    canvas, palette, generator, column = slice_.canvas, slice_.palette, slice_.generator, slice_.column
    pelvis = column.sacrum[2, 3] + generator.normal((-38.0, 18.0), 6)
    if generator.random() < 0.7:
        bladder = rounded(pelvis + np.array([-45.0, 22.0]), back(0.3), up(0.3), 60, 38, power=0.9)
        canvas.stroke(bladder, palette["muscle"], 4.0, closed=True)
        canvas.fill(bladder, palette["fluid"] * generator.uniform(0.5, 0.95))
    length, height = generator.uniform(16, 26), generator.uniform(40, 60)
    rectum = rounded(pelvis, back(0.9), up(0.9), length, height, power=1.0)
    canvas.stroke(rectum, palette["muscle"], 3.4, closed=True)
    canvas.fill(rectum, generator.uniform(0.4, 1.2) * palette["bowel"])


def draw_prevertebral_fat(slice_: Slice) -> None:
    """Fat in front of the column, thin above and wide before the sacrum, with lumbar vessels as dark dots in it."""
    canvas, palette, generator = slice_.canvas, slice_.palette, slice_.generator
    wall, forwards = front_wall(slice_)
    fine = np.linspace(0, len(wall) - 1, 5 * len(wall))
    rows = np.arange(len(wall))
    along = np.stack([np.interp(fine, rows, wall[:, i]) for i in (0, 1)], axis=-1)
    outwards = np.stack([np.interp(fine, rows, forwards[:, i]) for i in (0, 1)], axis=-1)
    thick = np.linspace(generator.uniform(3.0, 7.0), generator.uniform(10, 22), len(fine))
    swell = np.interp(fine, rows, generator.normal(0, 0.5, len(wall)))
    ragged = np.convolve(generator.normal(0, 0.35, len(fine) + 2), np.ones(3) / 3**0.5, "valid")
    rim = along + outwards * (thick * np.exp(0.7 * swell + 0.3 * ragged))[:, None]
    patchy = share(smooth_field(generator, canvas.side // 2, (40, 56)), 2.0, -1.0)
    fat = palette["muscle"] + (0.9 * palette["fat"] - palette["muscle"]) * patchy
    canvas.paste(fat, canvas.region(np.concatenate([along, rim[::-1]])))
    chosen = np.flatnonzero(generator.random(N_LEVELS) < 0.5)
    n = len(chosen)
    middles = (wall[2 * chosen] + wall[2 * chosen + 1]) / 2
    middles = middles + forwards[2 * chosen] * generator.uniform(0.5, 2.5, (n, 1))
    vessels = blobs(generator, middles, generator.uniform(0.8, 1.7, n), generator.uniform(1.0, 2.2, n))
    canvas.fill_each(vessels, np.full(n, palette["blood_void"] + 0.05))


def draw_vessels(slice_: Slice) -> None:
    """Aorta or vena cava: a dark band along the column down to its bifurcation before L4, then an iliac vessel."""
    canvas, palette, generator = slice_.canvas, slice_.palette, slice_.generator
    wall, forwards = front_wall(slice_)
    flow = palette["blood_void"] + generator.uniform(0.03, 0.2)
    if generator.random() < 0.55:
        last = 2 * (N_LEVELS - 1) - int(generator.integers(1, 4))
        first = int(generator.integers(0, last - 6)) if generator.random() < 0.4 else 0
        rows = slice(first, last + 1)
        count = last + 1 - first
        width = (
            generator.uniform(10, 17) * np.minimum(1, (np.arange(count)[::-1] + 0.6) / 2.5)[:, None] ** 0.5
        )
        if first:
            width *= np.minimum(1, (np.arange(count) + 0.4) / 3)[:, None] ** 0.5
        sway = np.cumsum(generator.normal(0, 0.8, count))[:, None]
        width = width * np.exp(generator.normal(0, 0.06, (count, 1)))
        near = wall[rows] + forwards[rows] * (generator.uniform(3.0, 9.0) + sway)
        tube = np.concatenate([near, (near + forwards[rows] * width)[::-1]])
        canvas.stroke(tube, 0.8 * palette["muscle"], 1.6, closed=True)
        canvas.fill(tube, flow)
    n = generator.integers(1, 4)
    rows = generator.integers(2 * N_LEVELS - 4, 2 * N_LEVELS + 1, n)
    places = wall[rows] + forwards[rows] * generator.uniform(6, 22, (n, 1))
    iliac = blobs(generator, places, generator.uniform(2.5, 4.5, n), generator.uniform(1.0, 2.0, n))
    canvas.fill_each(iliac, np.full(n, flow))


def draw_abdominal_wall(slice_: Slice, belly: np.ndarray) -> None:
    """Air, the fat under the skin of the belly, and the rectus muscle behind it."""
    canvas, palette, generator = slice_.canvas, slice_.palette, slice_.generator
    canvas.fill(np.concatenate([belly - np.array([300.0, 0.0]), belly[::-1]]), 0.0)
    depth = generator.uniform(8, 30) * np.exp(generator.normal(0, 0.15, len(belly)))
    inner = belly + np.stack([depth, np.zeros(len(belly))], axis=-1)
    canvas.fill(np.concatenate([belly, inner[::-1]]), 0.9 * palette["fat"])
    canvas.stroke(inner + np.array([4.0, 0.0]), palette["muscle"], 6.0)
    canvas.stroke(belly, 0.35 * palette["fat"], 2.0)


def draw_back(slice_: Slice, line: np.ndarray, skin: np.ndarray) -> None:
    """Muscle and ligaments of the back with streaks of fat, the supraspinous ligament, fat under the skin."""
    canvas, palette, generator, canal = slice_.canvas, slice_.palette, slice_.generator, slice_.canal
    size = canvas.side // 2
    midline = np.float32(midline_share(slice_.offset_mm))
    along, across = smooth_field(generator, size, (64, 14)), smooth_field(generator, size, (24, 44))
    streaks = 1.1 * along + 0.9 * midline * across
    below = np.clip((np.arange(size) - canvas.to_pixels(slice_.column.sacrum[0, 1])[1] / 2) / 24, 0, 1)[
        :, None
    ]
    fatty = share(streaks + below, 1.4, generator.uniform(0.3, 1.1) * (1 - 0.5 * midline))
    muscle = palette["muscle"] + (0.9 * palette["fat"] - palette["muscle"]) * fatty
    canvas.paste(muscle, canvas.region(np.concatenate([canal.front, line[-6:], line[::-1]])))

    septa = np.exp(-((smooth_field(generator, size, (60, 16)) / 0.1) ** 2), dtype=np.float32)
    fat = palette["fat"] * (1 - 0.18 * septa)
    canvas.paste(fat, canvas.region(np.concatenate([line, skin[::-1]])))
    canvas.stroke(line, 0.3 * palette["muscle"], 1.4)
    canvas.stroke(skin, 0.35 * palette["fat"], 1.8)
