"""The spine of an axial slice: disc, dural sac with its roots, ligaments, facet joints, and what is wrong with them."""

from __future__ import annotations

import cv2
import numpy as np

from lumbar_utils.dataset import FIRST_BODY, FIRST_DISC, MASK_LABELS
from lumbar_utils.phantom.axial_surroundings import SIDES, AxialSlice, mirrored, oval, smooth, wobble
from lumbar_utils.phantom.lesions import SMALLEST_MM
from lumbar_utils.phantom.pathology import NORMAL_FLAVUM_MM

FACET_TURN_DEGREES = (50.0, 44.0, 36.0, 30.0, 27.0)  # of the joint from the sagittal plane, L5-S1 first
ROOTS = (12, 16, 20, 24, 26)
MOST_ROOTS = 26
DEPTHS_MM = (0.0, 1.2, 3.5, 6.5, 10.0, 14.0)  # below the disc's margin
NUCLEUS_SHARE = {
    1: (0.25, 0.8),
    2: (0.18, 0.7),
    3: (0.12, 0.5),
    4: (0.1, 0.4),
    5: (0.1, 0.4),
}  # at 3.5, 6.5 mm


def draw(slice_: AxialSlice, texture: np.random.Generator, shapes: np.random.Generator) -> None:
    """Draw the spine and its lesions; every stream gives the same number of draws whatever the grades."""
    draw_fat(slice_, texture)
    draw_posterior(slice_, texture)
    draw_disc(slice_, shapes)
    draw_sac(slice_, texture)
    draw_herniation(slice_)


def draw_fat(slice_: AxialSlice, generator: np.random.Generator) -> None:
    """Fat of the canal, lateral recesses and foramina, the exiting roots in it, and small veins."""
    canvas, palette, section = slice_.canvas, slice_.palette, slice_.section
    fat, edge = 0.93 * palette["fat"], section.width / 2
    for side in SIDES:
        space = [
            (0, section.lamina[0]), (0, -3), (edge * 0.6, -6), (edge - 4, -10), (edge + 3, -9), (edge + 8, 1),
            (20, section.lamina[-1] - 1), (12, section.lamina[-1] + 1),
        ]  # fmt: skip
        canvas.fill(smooth(wobble(mirrored(space, side), generator, 0.02)), fat)
        for _ in range(4):
            vein = generator.uniform((edge * 0.55, -7), (edge + 5, 2)) * (side, 1)
            canvas.fill(oval(*vein, generator.uniform(0.5, 1.1), 0.6), 0.5 * palette["muscle"])
        at = np.array([edge * 0.86, -3.5]) + generator.normal(0, 0.8, 2)
        nerve = wobble(oval(side * at[0], at[1], 3.1, 2.3, side * 0.6), generator, 0.07)
        canvas.fill(nerve, palette["cord"] * (0.8 if slice_.contrast == "T2" else 1.0))
        canvas.stroke(nerve, 0.6 * palette["muscle"] + 0.3 * palette["cord"], 0.6, closed=True)


def draw_posterior(slice_: AxialSlice, generator: np.random.Generator) -> None:
    """Laminae and spinous process, facet joints with their fluid, and the ligamenta flava in front of them."""
    canvas, palette, section, person = slice_.canvas, slice_.palette, slice_.section, slice_.person
    number = MASK_LABELS["posterior_elements"]
    cortex, marrow = palette["cortex"] + 0.05, 0.92 * palette["marrow"]
    excess = max(0.0, section.level.flavum_mm - NORMAL_FLAVUM_MM)
    grown = person.facet_size * (1 + 0.09 * excess)
    base, end = section.lamina[0], section.lamina[-1]
    length = (slice_.tip_y - base) * generator.uniform(0.82, 1.0)
    sway, tip_width, waist = (
        generator.normal(0, 1.0),
        generator.uniform(3.2, 5.2),
        generator.uniform(2.0, 3.4),
    )
    process = [
        (-5.5, base + 1.5), (0, base + 0.3), (5.5, base + 1.5), (3.6, base + 8), (waist + sway, base + 0.55 * length),
        (tip_width + sway, base + 0.85 * length), (sway, base + length), (sway - tip_width, base + 0.85 * length),
        (sway - waist, base + 0.55 * length), (-3.6, base + 8),
    ]  # fmt: skip
    bones = []
    joints = []
    for side in SIDES:
        turn = np.radians(FACET_TURN_DEGREES[section.index] + person.facet_turn + generator.normal(0, 2.5))
        along, out = np.array([np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), -np.sin(turn)])
        start = np.array([12.0, end - 1.5])
        t = np.linspace(0, 1, 9)[:, None]
        joint = start + 16.0 * grown * t * along + 2.2 * np.sin(np.pi * t) * -out
        size = grown * generator.normal(1, 0.04)
        superior = np.concatenate(
            [
                joint + 1.0 * out,
                [joint[-1] + 3.0 * out + 1.5 * along],
                [joint[6] + 7.5 * size * out],
                [joint[3] + 8.5 * size * out],
                [joint[0] + 5.5 * size * out - 1.5 * along],
            ]
        )
        inferior = np.concatenate(
            [
                joint[::-1] - 1.0 * out,
                [(8.0, section.lamina[19] + 1.0), (3.5, base + 0.8), (2.5, base + 8.5)],
                [joint[4] - 9.0 * size * out, joint[7] - 7.0 * size * out],
                [joint[-1] - 3.5 * size * out + 2.0 * along],
            ]
        )
        bones += [smooth(mirrored(inferior, side), 1), smooth(mirrored(superior, side), 1)]
        joints.append(mirrored(joint[1:-1], side))
    bones.append(smooth(process))
    for bone in bones:
        outline = wobble(bone, generator, 0.018)
        canvas.fill(outline, marrow * generator.uniform(0.88, 1.08), number)
        canvas.stroke(outline, cortex, generator.uniform(0.8, 1.2), closed=True)
    canvas.fill(
        smooth([(-3.2, base + 3), (0, base + 1.6), (3.2, base + 3), (2.2, base + 9), (-2.2, base + 9)]),
        marrow,
    )
    cv2.GaussianBlur(canvas.signal, (0, 0), 0.6 * canvas.scale, dst=canvas.signal)  # these walls lie oblique
    fluid = generator.uniform(0.25, 0.8)
    for joint in joints:
        canvas.stroke(joint, cortex + 0.05, 2.0)
        canvas.stroke(joint[1:], cortex + fluid * (palette["fluid"] - cortex), 0.7)

    pressing = excess >= SMALLEST_MM
    label = MASK_LABELS["flavum" if pressing else "normal_flavum"]
    signal = palette["flavum"] + (0.05 if slice_.contrast == "T2" else 0.0)
    keep = section.beside > 0.7
    inner = np.stack([section.beside, section.ligament], -1)[keep]
    outer = np.stack([section.beside, section.lamina + 0.4], -1)[keep]
    for side in SIDES:
        canvas.fill(mirrored(np.concatenate([inner, outer[::-1]]), side), signal, label)


def draw_disc(slice_: AxialSlice, generator: np.random.Generator) -> None:
    """Osteophytes, bulge and disc from outside to inside; a thick slice mixes in the bodies beside the disc."""
    canvas, palette, section, level = slice_.canvas, slice_.palette, slice_.section, slice_.section.level
    grade, cortex = level.pfirrmann, palette["cortex"] + 0.05
    if level.osteophyte_mm >= SMALLEST_MM:
        canvas.fill(section.osteophyte, 0.45 * palette["marrow"] + 0.2 * cortex, MASK_LABELS["osteophyte"])
        canvas.stroke(section.osteophyte, cortex + 0.04, 0.9, closed=True)
    floor = 0.05 if slice_.contrast == "T2" else 0.0
    rim = 0.75 * palette["annulus", grade] + floor
    disc_label = FIRST_DISC + section.index
    if section.bulge_mm >= SMALLEST_MM:
        label = MASK_LABELS["bulge"] if section.bulge_mm >= 1.0 else disc_label
        canvas.fill(section.bulge, rim + 0.02, label)
    label = disc_label if section.bone < 0.5 else neighbour(slice_)
    canvas.fill(section.disc, None, label)

    paint_disc(slice_, rim, palette["nucleus", grade] + floor, generator)
    outline = section.bulge if section.bulge_mm >= SMALLEST_MM else section.disc
    canvas.stroke(outline, cortex + 0.04, 0.7, closed=True)


def paint_disc(slice_: AxialSlice, rim: float, nucleus: float, generator: np.random.Generator) -> None:
    """Paint the disc from annulus to nucleus by each pixel's depth below the margin, and the bone in the slice."""
    canvas, section = slice_.canvas, slice_.section
    grade, cortex = section.level.pfirrmann, slice_.palette["cortex"] + 0.05
    inside = canvas.region(section.disc)
    x, y, wide, high = cv2.boundingRect(inside)
    box = np.s_[y : y + high, x : x + wide]
    deep = cv2.distanceTransform(inside[box], cv2.DIST_L2, 3) * np.float32(1 / canvas.scale)
    coarse = generator.standard_normal((2, 7, 9), dtype=np.float32)
    coarse = [cv2.resize(field, (wide, high), interpolation=cv2.INTER_CUBIC) for field in coarse]
    fine = cv2.resize(generator.standard_normal((26, 36), dtype=np.float32), (wide, high))
    tone = rim + (nucleus - rim) * np.array([0.0, 0.0, *NUCLEUS_SHARE[grade], 1.0, 1.0])
    tone[0] = rim if section.bulge_mm >= SMALLEST_MM else 0.6 * rim
    picture = np.interp(deep + 0.9 * coarse[0] * (deep > 1.5), DEPTHS_MM, tone).astype(np.float32)
    lamellae = (0.10 if grade < 5 else 0.05) * np.cos(deep * 2.6) * (deep < 7.0)
    picture *= 1 + 0.09 * coarse[1] + 0.05 * fine + lamellae
    bone = slice_.palette["marrow"] * (1 + 0.10 * coarse[0] + 0.10 * fine)
    bone[deep < 1.3] = cortex
    picture += np.float32(section.bone) * (bone - picture)
    cv2.copyTo(picture, inside[box], canvas.signal[box])


def neighbour(slice_: AxialSlice) -> int:
    """Return the label of the vertebra that fills most of a slice beyond the disc's edge."""
    above = FIRST_BODY + slice_.section.index
    below = above - 1 if slice_.section.index else MASK_LABELS["sacrum"]
    return above if slice_.offset_mm > 0 else below


def draw_sac(slice_: AxialSlice, generator: np.random.Generator) -> None:
    """The dural sac with CSF, cord or roots in it, and the traversing roots in the lateral recesses.

    The roots lie at the back in a supine patient; where the sac is small they fill it (Schizas 2010).
    """
    canvas, palette, section = slice_.canvas, slice_.palette, slice_.section
    draws = generator.random((MOST_ROOTS, 5))
    for side, shift in zip(SIDES, generator.normal(0, 0.5, (2, 2)), strict=True):
        u = 0.93 if section.index else 0.80
        x = side * (u * section.x[-1] + 1.2) + shift[0]
        y = section.level.gap_mm + section.bulge_mm * 0.6 + 3.0 + shift[1]
        nerve = oval(x, y, 1.6 if section.index else 2.0, 1.5)
        canvas.fill(nerve, 0.75 * palette["cord"])
    area = section.sac_area
    outline = section.sac_outline(0.5 / canvas.scale)  # a filled outline takes in the pixels that it crosses
    if len(outline) < 6:
        return
    crowded = float(np.clip((130.0 - area) / 55.0, 0, 1))
    severe = float(np.clip((85.0 - area) / 45.0, 0, 1))
    root = 0.62 * palette["cord"] if slice_.contrast == "T2" else 0.9 * palette["cord"]
    fluid = palette["csf"] + 0.75 * severe * (1.3 * root - palette["csf"])
    canvas.stroke(outline, 0.35 * palette["muscle"], 1.2, closed=True)
    canvas.fill(outline, fluid, MASK_LABELS["sac"])
    conus = slice_.height - slice_.anatomy.conus_level
    wall = lambda x: (np.interp(x, section.x, section.front), np.interp(x, section.x, section.rear))
    if conus > 0:
        half = 3.9 * min(1.0, conus / 0.9) ** 0.6
        front, rear = wall(0.0)
        half = min(half, 0.42 * (rear - front))
        cord = oval(0.0, front + 0.54 * (rear - front), 1.15 * half, half)
        canvas.fill(cord, palette["cord"], MASK_LABELS["cord"])
        canvas.fill(oval(0.0, cord[:, 1].mean(), 0.5 * half, 0.35 * half), 1.12 * palette["cord"])
    room = section.x[section.rear - section.front > 2.2]
    ends = (room[0], room[-1]) if len(room) else (0.0, 0.0)
    for across, depth, size, tone, which in draws[: ROOTS[section.index]]:
        u = 2 * across - 1
        behind = 0.93 - 0.30 * depth**1.3 * (1 + 0.4 * u**2)
        if which < 0.16:  # next to leave the sac: at its side, further in front
            u, behind = np.sign(u) * (0.78 + 0.1 * abs(u)), 0.40 + 0.4 * depth
        elif conus > 0:
            u, behind = np.sign(u) * (0.3 + 0.5 * abs(u)), 0.15 + 0.75 * depth
        share = behind + crowded * (0.10 + 0.8 * depth - behind)
        x = (ends[0] + ends[1]) / 2 + 0.92 * u * (ends[1] - ends[0]) / 2
        front, rear = wall(x)
        radius = 0.5 + 0.28 * size
        if rear - front < 2.4 * radius:
            continue
        y = np.clip(front + share * (rear - front), front + radius + 0.2, rear - radius - 0.2)
        dot = oval(x, y, radius * (0.9 + 0.4 * tone), radius)[::4]
        canvas.fill(dot, root * (0.8 + 0.5 * tone), MASK_LABELS["roots"])


def draw_herniation(slice_: AxialSlice) -> None:
    """A tongue of disc behind its margin, or a fragment torn off it; what it presses aside was shaped before."""
    canvas, palette, level = slice_.canvas, slice_.palette, slice_.section.level
    signal = 0.5 * palette["extruded"] + 0.5 * palette["annulus", level.pfirrmann]
    cortex = palette["cortex"] + 0.05
    for outline in slice_.section.herniations:
        canvas.fill(outline, signal, MASK_LABELS["herniation"])
        for part in (0.7, 0.5, 0.3):
            middle = outline.mean(axis=0)
            canvas.fill(middle + part * (outline - middle), (1.2 - 0.3 * part) * signal)
        canvas.stroke(outline, cortex + 0.04, 0.6, closed=True)
