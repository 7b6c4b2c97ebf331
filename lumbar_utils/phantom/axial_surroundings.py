"""What lies around the spine in an axial slice: skin, fat, muscles, abdomen, vessels, kidneys, pelvis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lumbar_utils.phantom.anatomy import Anatomy
from lumbar_utils.phantom.canvas import SHIFT, Canvas, smooth_field
from lumbar_utils.phantom.cross_section import LEVEL_PITCH_MM, CrossSection, Person

SIDES = (-1.0, 1.0)
ANGLE = np.linspace(0, 2 * np.pi, 32, endpoint=False)
CIRCLE = np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=-1)
WAVES = np.array([1, 2, 3, 4, 6])
# L5-S1 first: distance from the disc's edge, y over the disc's depth, half width and half height in mm
PSOAS = ((19.0, -0.86, 16.0, 18.0), (17.0, -0.62, 19.0, 24.0), (13.5, -0.5, 16.0, 21.0),
         (9.5, -0.4, 11.5, 17.0), (6.0, -0.3, 7.5, 13.0))  # fmt: skip


@dataclass
class AxialSlice:
    """What is being drawn, and where."""

    canvas: Canvas
    section: CrossSection
    anatomy: Anatomy
    person: Person
    palette: dict
    contrast: str
    offset_mm: float

    @property
    def tip_y(self) -> float:
        """Where the spinous process ends, mm behind the disc."""
        length = self.anatomy.spinous_length * (0.74 if self.section.index == 0 else 0.9)
        return float(self.section.lamina[0] + length)

    @property
    def height(self) -> float:
        """Where the slice lies, in discs above L5-S1."""
        return self.section.index + self.offset_mm / LEVEL_PITCH_MM

    @property
    def skin_y(self) -> float:
        """Where the skin lies on the midline, mm behind the disc."""
        thicker = (1.5, 1.25, 1.0, 0.85, 0.75)[self.section.index]
        return self.tip_y + 7.0 + self.anatomy.skin_fat * thicker


def mirrored(points, side: float) -> np.ndarray:
    """Return points (n, 2) given for the picture's right side on either side."""
    return np.asarray(points, float) * np.array([side, 1.0])


def smooth(points, times: int = 2) -> np.ndarray:
    """Return a closed outline with its corners cut (Chaikin)."""
    points = np.asarray(points, float)
    for _ in range(times):
        step = (np.concatenate([points[1:], points[:1]]) - points) / 4
        finer = np.empty((2 * len(points), 2))
        finer[0::2], finer[1::2] = points + step, points + 3 * step
        points = finer
    return points


def wobble(points, generator: np.random.Generator, amount: float) -> np.ndarray:
    """Return a closed outline made uneven by `amount` of its radius."""
    points = np.asarray(points, float)
    centre = points.mean(axis=0)
    away = points - centre
    angle = np.arctan2(away[:, 1], away[:, 0])
    swell = np.cos(angle[:, None] * WAVES + generator.uniform(0, 6.28, 5)) @ (
        generator.standard_normal(5) * (amount / WAVES**0.5)
    )
    return centre + away * (1 + swell)[:, None]


def oval(x: float, y: float, half_width: float, half_height: float, turn: float = 0.0) -> np.ndarray:
    """Return an ellipse (32, 2), turned by `turn` radians."""
    c, d = math.cos(turn), math.sin(turn)
    return CIRCLE @ np.array([[half_width * c, half_width * d], [-half_height * d, half_height * c]]) + (x, y)


def positions(canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y in mm of every pixel (S, S) of the finished picture."""
    inverse = np.linalg.inv(canvas.matrix).astype(np.float32)
    line = (2 * np.arange(canvas.side // 2) + 0.5).astype(np.float32)
    column, row = line - np.float32(canvas.shift[0]), (line - np.float32(canvas.shift[1]))[:, None]
    return inverse[0, 0] * column + inverse[0, 1] * row, inverse[1, 0] * column + inverse[1, 1] * row


def skin_line(slice_: AxialSlice) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of the skin of the back: a furrow on the midline between the two muscle columns."""
    x = np.linspace(-220, 220, 89)
    furrow = 5.0 * (1 - np.exp(-((x / 16) ** 2))) - 0.0016 * x**2 - 14.0 * (np.abs(x) / 150) ** 6
    return x, slice_.skin_y + furrow


def draw(slice_: AxialSlice, generator: np.random.Generator) -> np.ndarray:
    """Draw everything around the spine; return each pixel's distance (S, S) in mm from the skin of the back."""
    canvas, size = slice_.canvas, slice_.canvas.side // 2
    x, y = positions(canvas)
    fields = [
        smooth_field(generator, size, cells) for cells in ((9, 9), (30, 30), (90, 90), (60, 60), (14, 36))
    ]
    streaks = radial_streaks(generator, x, y - 12.0)
    skin = skin_line(slice_)
    back, front = trunk(slice_, skin)
    draw_body(slice_, back, front, fields, y)
    draw_abdomen(slice_, generator, fields)
    draw_wall(slice_, back, front)
    draw_muscles(slice_, generator, fields, streaks)
    draw_pelvis(slice_, generator, fields)
    draw_vessels(slice_, generator)
    behind = np.interp(x[size // 2], *skin).astype(np.float32)  # the tilt of a few degrees is left out
    return cv2.max(behind - y, 0.0)


def radial_streaks(generator: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return noise (S, S) drawn out along the rays from a point: the septa between a muscle's bundles."""
    rough = generator.standard_normal((22, 150), dtype=np.float32)
    angle = cv2.phase(x, y)
    radius = cv2.magnitude(x, y)
    bent = angle * (149 / 6.2832) + 2.2 * np.sin(radius / 9.0)
    return cv2.remap(rough, bent, radius / 6.0, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def trunk(slice_: AxialSlice, skin) -> tuple[np.ndarray, np.ndarray]:
    """Return the skin (points, 2) of the back and of the front, both from the patient's right to the left."""
    x, back = skin
    girth = slice_.person.girth
    inside = np.abs(x) < girth
    across = girth * np.cos(np.linspace(np.pi, 0, 61))
    front = -0.5 * slice_.section.depth - 0.72 * girth * np.sqrt(1 - (across / girth) ** 2)
    return np.stack([x[inside], back[inside]], -1), np.stack([across, front], -1)


def draw_body(slice_: AxialSlice, back, front, fields, y) -> None:
    """The trunk filled with fat and its septa, and with bowel and mesentery in front of the vessels."""
    canvas, palette = slice_.canvas, slice_.palette
    septa = np.exp(-((fields[4] / 0.10) ** 2), dtype=np.float32)
    fat = palette["fat"] * (0.86 + 0.04 * fields[0] - 0.16 * septa)
    bowel = 0.6 * palette["bowel"] + 0.4 * palette["muscle"]
    border = -slice_.section.depth - 13.0
    rows = slice(0, int((y.min(axis=1) < border).sum()))
    organs = 0.5 + 0.5 * np.tanh(1.6 * fields[0][rows] + 0.7 * fields[1][rows] - 0.1)
    fat[rows] += np.clip((border - y[rows]) / 10.0, 0, 1) * organs * (bowel - fat[rows])
    canvas.paste(fat, canvas.region(np.concatenate([back, front[::-1]])))


def draw_wall(slice_: AxialSlice, back, front) -> None:
    """The muscles of the abdominal wall, the fat under the skin of the belly, and the skin."""
    canvas, palette = slice_.canvas, slice_.palette
    middle = np.array([0.0, -0.4 * slice_.section.depth])
    inner = middle + (front - middle) * (1 - (0.7 * slice_.anatomy.skin_fat + 5.0) / slice_.person.girth)
    canvas.fill(np.concatenate([front, inner[::-1]]), 0.88 * palette["fat"])
    canvas.stroke(middle + 0.965 * (inner - middle), 1.3 * palette["muscle"], 9.0)
    canvas.stroke(np.concatenate([back, front[::-1]]), 0.3 * palette["fat"], 2.2, closed=True)


def draw_abdomen(slice_: AxialSlice, generator: np.random.Generator, fields) -> None:
    """Loops of bowel with wall and content, kidneys beside the upper discs."""
    canvas, palette, k = slice_.canvas, slice_.palette, slice_.section.index
    for _ in range(9):
        place = generator.uniform((-75, -slice_.section.depth - 75), (75, -slice_.section.depth - 34))
        loop = wobble(oval(*place, generator.uniform(6, 14), generator.uniform(5, 10)), generator, 0.12)
        gas, content = generator.random() < 0.22, generator.uniform(0.6, 2.2)
        canvas.fill(loop, 0.7 * palette["muscle"] + 0.3 * palette["bowel"])
        inner = loop.mean(axis=0) + 0.78 * (loop - loop.mean(axis=0))
        canvas.fill(inner, 0.05 if gas else content * palette["bowel"])
    stool = np.zeros((canvas.side, canvas.side), np.uint8)
    for side in SIDES:
        kidney = oval(side * generator.normal(66, 3), generator.normal(-26, 4), 23, 28, side * 0.5)
        kidney = wobble(kidney, generator, 0.03)
        middle = kidney.mean(axis=0)
        colon = wobble(oval(side * 68, -50, 14, 17), generator, 0.1)
        content, hilum = generator.uniform(0.5, 1.6), wobble(oval(0, 0, 10, 8), generator, 0.15)
        if k >= 3:
            cortex = 1.25 * palette["bowel"] + 0.1 * palette["cord"]
            canvas.fill(kidney, cortex)
            for turn in np.arange(0.0, 6.2, 0.7):  # pyramids
                at = middle + np.array([12.5 * np.cos(turn), 16.0 * np.sin(turn)])
                canvas.fill(oval(*at, 4.2, 4.8, turn), 1.3 * cortex)
            canvas.fill(middle + hilum + (-side * 6.0, -3.0), 0.9 * palette["fat"])
        else:
            canvas.fill(colon, 0.7 * palette["muscle"] + 0.5 * palette["bowel"])
            fill_region(canvas, stool, colon.mean(axis=0) + 0.9 * (colon - colon.mean(axis=0)))
    if k < 3:
        mixed = content * palette["bowel"] * (1 + 0.25 * fields[1] + 0.2 * fields[3]) + 0.1 * palette["fat"]
        canvas.paste(mixed, stool)


def draw_muscles(slice_: AxialSlice, generator: np.random.Generator, fields, streaks) -> None:
    """Psoas, quadratus lumborum, multifidus and erector spinae, with fat that comes with age and lies low."""
    canvas, palette, section = slice_.canvas, slice_.palette, slice_.section
    k, fascia = section.index, slice_.tip_y + 3.0
    dark = palette["muscle"] + (0.07 if slice_.contrast == "T2" else 0.0)
    bright = 0.92 * palette["fat"]
    low = (0.5, 0.25, 0.0, -0.15, -0.2)[k]
    fatty = 0.9 * streaks + 0.55 * fields[2] + 0.35 * fields[0]
    share = 1 / (1 + np.exp(-2.3 * (fatty - 1.75 + 0.75 * slice_.person.muscle_fat + low), dtype=np.float32))
    behind = dark * (1 + 0.10 * fields[3]) + (bright - dark) * share
    lean = 1 / (1 + np.exp(-3.0 * (fields[3] + 0.4 * fields[1] - 2.1), dtype=np.float32))
    before = dark * (1 + 0.10 * fields[2]) + 0.6 * (bright - dark) * lean

    reach, from_edge, y, half_width, half_height = section.width / 2, *PSOAS[k]
    facet = section.lamina[-1] + 14.0
    back, front = (np.zeros((canvas.side, canvas.side), np.uint8) for _ in range(2))
    for side in SIDES:
        psoas = oval(reach + from_edge, y * section.depth, half_width, half_height, 0.25)
        psoas[:, 0] = np.maximum(psoas[:, 0], reach - 1.0 + 0.02 * (psoas[:, 1] + 0.5 * section.depth) ** 2)
        quadratus = oval(reach + 30, 1.0, 17, 7.5, -0.3)
        multifidus = [
            (1.5, section.lamina[0] + 7), (8, section.lamina[0] + 4), (15, facet - 1), (25, facet - 4),
            (32, facet + 5), (32, fascia - 9), (22, fascia - 2), (2.5, fascia + 0.5),
        ]  # fmt: skip
        erector = [
            (26, facet - 6), (30, facet - 15), (42, facet - 21), (58, facet - 16), (68, facet - 1),
            (66, fascia - 12), (50, fascia - 3), (33, fascia), (25, fascia - 1.0), (31, fascia - 10),
            (32, facet + 6),
        ]  # fmt: skip
        if k == 0:
            multifidus = [(1.3 * across, down) for across, down in multifidus]
            erector = [
                (35, facet - 8),
                (43, facet - 12),
                (56, facet - 2),
                (58, fascia - 12),
                (40, fascia - 2),
            ]
        shapes = [
            (multifidus, back, 0.02),
            (erector, back, 0.02),
            (quadratus, front, 0.06),
            (psoas, front, 0.04),
        ]
        for points, region, amount in shapes:
            outline = wobble(mirrored(points, side), generator, amount)
            if points is not quadratus or k:
                fill_region(canvas, region, smooth(outline) if len(points) < 32 else outline)
    for field, region in ((behind, back), (before, front)):
        canvas.paste(field, region)
    line = np.stack([np.linspace(-68, 68, 41), np.zeros(41)], -1)
    line[:, 1] = fascia + 1.6 - 0.0024 * line[:, 0] ** 2 + 1.5 * (1 - np.exp(-((line[:, 0] / 10) ** 2)))
    canvas.stroke(line, 0.5 * palette["muscle"] + 0.1 * palette["fat"], 1.2)


def fill_region(canvas: Canvas, region: np.ndarray, outline: np.ndarray) -> None:
    """Add an outline to a region (2 S, 2 S) uint8, a thin rim inside it left out: the fat between two muscles."""
    corners = np.rint(canvas.to_pixels(outline) * (1 << SHIFT)).astype(np.int32)
    cv2.fillPoly(region, [corners], 255, cv2.LINE_8, SHIFT)
    cv2.polylines(region, [corners], True, 0, max(1, round(0.55 * canvas.scale)), cv2.LINE_8, SHIFT)


def draw_pelvis(slice_: AxialSlice, generator: np.random.Generator, fields) -> None:
    """Iliac bones with their muscles beside the lowest disc, the crests' upper rim beside L4-L5."""
    canvas, palette, k = slice_.canvas, slice_.palette, slice_.section.index
    turns = generator.uniform(0.85, 1.1, 2)
    region, rims = np.zeros((canvas.side, canvas.side), np.uint8), []
    for side, turn in zip(SIDES, turns, strict=True):
        if k == 0:
            ala = [(21, 7), (29, -5), (45, -11), (59, -5), (66, 9), (57, 21), (42, 17), (28, 15)]
            gluteal = oval(side * 86, 26, 34, 15, side * -turn)
            iliacus = oval(side * 68, -14, 30, 8, side * -turn)
            canvas.fill(wobble(gluteal, generator, 0.05), 1.3 * palette["muscle"])
            canvas.fill(wobble(iliacus, generator, 0.06), 1.2 * palette["muscle"])
            rims.append(smooth(wobble(mirrored(ala, side), generator, 0.06)))
            rims.append(wobble(oval(side * 74, 6, 39, 5.5, side * -turn), generator, 0.05))
        elif k == 1:
            rims.append(wobble(oval(side * 80, 6, 12, 3.4, side * -turn), generator, 0.06))
    for outline in rims:
        fill_region(canvas, region, outline)
    if rims:
        canvas.paste(palette["marrow"] * (1 + 0.06 * fields[2]), region)
    for outline in rims:
        canvas.stroke(outline, palette["cortex"] + 0.06, 1.4, closed=True)


def draw_vessels(slice_: AxialSlice, generator: np.random.Generator) -> None:
    """Aorta on the patient's left and vena cava on the right, below L4 the iliac vessels: mostly flow voids."""
    canvas, palette, k = slice_.canvas, slice_.palette, slice_.section.index
    front, size = -slice_.section.depth, slice_.person.vessel
    places = {  # x, distance in front of the disc, half width, half height, share of slow flow
        2: [(11, 11, 8.5, 8.5, 0.0), (-14, 9, 11.5, 7.5, 0.5)],
        1: [(16, 8, 6.0, 5.2, 0.0), (-7, 12, 5.6, 5.0, 0.0), (-13, 5.5, 11.0, 6.0, 0.6)],
        0: [(29, 1, 5.2, 4.8, 0.0), (-28, 3, 5.2, 4.8, 0.0), (30, -8, 6.5, 4.4, 0.8), (-29, -7, 6.5, 4.4, 0.8)],
    }  # fmt: skip
    draws = generator.standard_normal((4, 5))
    for (x, before, half_width, half_height, slow), draw in zip(places[min(k, 2)], draws, strict=False):
        shape = oval(x + 1.5 * draw[0], front - before - half_height * 0.4 + 1.2 * draw[1],
                     half_width * size, half_height * size * (1 + 0.1 * draw[2]))  # fmt: skip
        flow = palette["blood_void"] + 0.04 + slow * (0.12 + 0.06 * abs(draw[3]))
        canvas.fill(shape, flow)
        canvas.fill(shape.mean(axis=0) + 0.6 * (shape - shape.mean(axis=0)), flow * 0.7)
        canvas.stroke(shape, 0.8 * palette["muscle"], 1.3, closed=True)
