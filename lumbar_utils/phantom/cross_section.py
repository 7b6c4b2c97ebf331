"""The shape of one axial slice: disc, dural sac, ligaments and lesions as outlines in millimetres.

Axes of every outline: x to the right of the picture, which is the patient's left; y to the back; the origin
is the middle of the disc's posterior margin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumbar_utils.dataset import LUMBAR_DISCS
from lumbar_utils.phantom.lesions import SMALLEST_MM
from lumbar_utils.phantom.pathology import NORMAL_FLAVUM_MM, Level

SLICE_MM = 4.0
LEVEL_PITCH_MM = 36.0
# L5-S1 first, as everywhere
CONCAVITY_MM = (-0.7, 0.5, 1.2, 1.6, 1.8)  # of the disc's posterior margin
WIDTH_OVER_DEPTH = (1.42, 1.42, 1.40, 1.38, 1.36)
SAC_WIDTH_MM = (17.0, 17.8, 18.8, 19.8, 20.4)
SAC_TRIANGLE = (0.85, 0.9, 0.65, 0.35, 0.1)  # 0 an oval, 1 a triangle with its apex behind
PROTRUSION_HALF_MM = 11.0  # half the base; at 7 mm beside the tip .37 of the depth, as in the sagittal slices


@dataclass(frozen=True)
class Person:
    """What the axial slices of one patient share and the sagittal ones do not show; mm, and shares of 1."""

    sac_width: float
    posterior_fat: float
    lamina_slope: float
    facet_turn: float
    facet_size: float
    muscle_fat: float
    girth: float
    vessel: float


def person_of(patient) -> Person:
    """Return the patient's own sizes, which follow from the patient's seed alone."""
    generator = np.random.default_rng([patient.seed, 5])
    normal = generator.standard_normal(8)
    return Person(
        sac_width=0.8 * normal[0],
        posterior_fat=float(np.clip(4.2 + 0.8 * normal[1], 2.5, 6.5)),
        lamina_slope=1.0 + 0.08 * normal[2],
        facet_turn=4.0 * normal[3],
        facet_size=1.0 + 0.06 * normal[4] + 0.003 * (patient.age_years - 45),
        muscle_fat=float(np.clip((patient.age_years - 45) / 40 + 0.35 * normal[5], -1.0, 1.6)),
        girth=float(np.clip(150 + 1.2 * patient.anatomy.skin_fat + 8 * normal[6], 125, 215)),
        vessel=1.0 + 0.1 * normal[7],
    )


@dataclass(frozen=True)
class CrossSection:
    """Outlines of one slice; `bone` is the share of the slice's thickness in the bodies beside the disc.

    `disc`, `bulge` and `osteophyte` (96, 2); `x`, `front`, `rear` (81,) the walls of the dural sac; `lamina`
    and `ligament` (31,) the y of the laminae's front and of the ligamenta flava's at `beside` mm from the
    midline; `herniations` outlines of tongue and loose fragment; `tip` the deepest point of them or None.
    """

    index: int
    level: Level
    depth: float
    width: float
    bone: float
    disc: np.ndarray
    bulge: np.ndarray
    bulge_mm: float
    osteophyte: np.ndarray
    x: np.ndarray
    front: np.ndarray
    rear: np.ndarray
    beside: np.ndarray
    lamina: np.ndarray
    ligament: np.ndarray
    herniations: list
    tip: np.ndarray | None

    @property
    def sac_area(self) -> float:
        """Area of the dural sac in mm2."""
        return float(np.trapezoid(self.rear - self.front, self.x))

    def sac_outline(self, inset: float = 0.0) -> np.ndarray:
        """Return the dural sac (points, 2), its walls moved inwards by `inset` mm."""
        inset = np.minimum(inset, 0.3 * (self.rear - self.front))
        front, rear = self.front + inset, self.rear - inset
        inside = rear - front > 0.05
        x = self.x[inside]
        walls = np.stack([x, front[inside]], -1), np.stack([x, rear[inside]], -1)[::-1]
        return np.concatenate(walls)


def cross_section(patient, person: Person, level: Level, offset_mm: float, bumps: np.ndarray) -> CrossSection:
    """Return the slice `offset_mm` above the mid-plane of a disc; `bumps` (6,) N(0, 1) make its rim uneven."""
    k = LUMBAR_DISCS.index(level.name)
    depth = patient.anatomy.body_depth[k]
    width = depth * WIDTH_OVER_DEPTH[k]
    half = level.disc_height_mm / 2
    in_disc = np.clip(min(offset_mm + SLICE_MM / 2, half) - max(offset_mm - SLICE_MM / 2, -half), 0, SLICE_MM)
    disc = disc_outline(depth, width, CONCAVITY_MM[k])
    bulge_mm = bulge_at(level, offset_mm)
    around = np.linspace(0, 2 * np.pi, len(disc), endpoint=False)
    behind = 0.5 + 0.5 * np.sin(around)
    normals = outward(disc)
    bulge = disc + normals * (bulge_mm * (0.3 + 0.7 * np.clip(1.7 * behind - 0.3, 0, 1)))[:, None]

    spur = level.osteophyte_mm * beaks(around, bumps)
    osteophyte = bulge + normals * np.where(spur > 0.15, spur + 0.2, 0.0)[:, None]

    tongue, fragment, tip = herniation_outlines(level, offset_mm, disc)
    x = np.linspace(-1, 1, 81) * sac_half_width(patient, person, level)
    beside, lamina, ligament = posterior_wall(person, level)
    front, rear = sac_walls(level, x, CONCAVITY_MM[k], bulge_mm, SAC_TRIANGLE[k])
    # the ligaments leave a quarter of the sac's depth at the least
    inner = np.maximum(np.interp(np.abs(x), beside, ligament) - 0.4, front + 0.25 * (rear - front))
    rear = np.minimum(rear, inner)
    front = np.maximum(front, np.interp(x, *rear_of(bulge)))
    for shape in (tongue, fragment):
        if shape is not None:
            front = np.maximum(front, upper_envelope(shape, x) + 0.3)
    front = np.minimum(front, rear)
    return CrossSection(
        index=k,
        level=level,
        depth=depth,
        width=width,
        bone=1 - in_disc / SLICE_MM,
        disc=disc,
        bulge=bulge,
        bulge_mm=bulge_mm,
        osteophyte=osteophyte,
        x=x,
        front=front,
        rear=rear,
        beside=beside,
        lamina=lamina,
        ligament=ligament,
        herniations=[shape for shape in (tongue, fragment) if shape is not None],
        tip=tip,
    )


def beaks(around: np.ndarray, bumps: np.ndarray) -> np.ndarray:
    """Return how far osteophytes reach at each angle, 1 at the longest: most at the two front corners."""
    places = -np.pi / 2 + np.array([-0.9 + 0.2 * bumps[0], 0.9 + 0.2 * bumps[1], 0.4 * bumps[2]])
    reach = np.clip([0.85 + 0.2 * bumps[3], 0.85 + 0.2 * bumps[4], 0.5 + 0.15 * bumps[5]], 0.25, 1.2)
    away = np.angle(np.exp(1j * (around[:, None] - places)))
    rim = (reach * np.exp(-((away / 0.42) ** 2))).max(axis=1)
    return np.where(np.sin(around) < 0.1, rim / rim.max(), 0.0)


def disc_outline(depth: float, width: float, concavity: float) -> np.ndarray:
    """Return a disc (96, 2) from above: an oval whose back is flat, hollow (`concavity` > 0) or rounded."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    x = width / 2 * np.sign(c) * np.abs(c) ** 0.88
    reach = np.where(s > 0, 0.44 * depth * np.abs(s) ** 0.72, -0.56 * depth * np.abs(s) ** 0.92)
    y = reach - concavity * np.exp(-((x / (0.2 * width)) ** 2))
    return np.stack([x, y - (0.44 * depth - concavity)], axis=-1)


def outward(outline: np.ndarray) -> np.ndarray:
    """Return unit normals (points, 2) of a closed outline that runs as `disc_outline` does."""
    along = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=-1)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def rear_of(outline: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x, growing, and y of the posterior margin of a disc's outline."""
    points = outline[6:43][::-1]
    return points[:, 0], points[:, 1]


def sac_half_width(patient, person: Person, level: Level) -> float:
    """Return half the width in mm of the sac before anything presses on it."""
    k = LUMBAR_DISCS.index(level.name)
    size = 0.5 * (patient.anatomy.size_factor - 1) * SAC_WIDTH_MM[k]
    return (SAC_WIDTH_MM[k] + size + person.sac_width + 0.55 * (level.sac_mm - 13.8)) / 2


def sac_walls(level: Level, x, concavity: float, bulge_mm: float, triangle: float):
    """Return y of the front and rear wall at `x`; on the midline they lie `level.canal_mm` apart at the disc."""
    u = np.abs(x) / x.max()
    pressed = max(0.0, bulge_mm - level.gap_mm)
    thick = max(0.0, level.flavum_mm - NORMAL_FLAVUM_MM)
    across = max(1.0, level.sac_mm - pressed - thick)
    start = level.gap_mm + pressed
    corner = 0.40 * across
    front = start + corner * (1 - np.sqrt(1 - u**2.6)) + 0.3 * max(concavity, 0) * u**2
    round_, pointed = (1 - u**2.2) ** 0.5, (1 - u**1.55) ** 0.85
    rear = start + corner + (across - corner) * ((1 - triangle) * round_ + triangle * pointed)
    return front, np.maximum(rear, front)


def posterior_wall(person: Person, level: Level):
    """Return distances from the midline (31,) and there the y of the laminae's front and the ligaments'."""
    beside = np.linspace(0, 12.5, 31)
    slope = person.lamina_slope
    steep = np.sqrt(1 + slope**2)
    shape = 0.42 + 0.58 * np.sin(np.pi * np.clip(beside / 12.5, 0, 1) ** 0.9) ** 0.8
    apex = level.gap_mm + level.sac_mm + person.posterior_fat + NORMAL_FLAVUM_MM * steep * shape[0]
    lamina = apex - slope * (np.sqrt(beside**2 + 6.0) - np.sqrt(6.0))
    return beside, lamina, lamina - level.flavum_mm * steep * shape


def bulge_at(level: Level, offset_mm: float) -> float:
    """Return how far a bulge stands out in the slice at `offset_mm` above the disc's mid-plane."""
    half = level.disc_height_mm / 2 + 0.8 + 0.25 * level.bulge_mm
    return level.bulge_mm * max(0.0, 1 - abs(offset_mm / half) ** 2.5)


def herniation_outlines(level: Level, offset_mm: float, disc: np.ndarray):
    """Return a herniation's tongue and loose fragment (points, 2), or None each, and the deepest point.

    Their depth in the slice follows the outline that the sagittal slices draw: a tongue that migrated
    leans towards the head or the feet, a fragment lies beyond the disc's edge.
    """
    tongue_mm, fragment_mm = depths_at(level, offset_mm)
    side = -level.herniation_offset_mm
    base = float(np.interp(side, *rear_of(disc)))
    tongue = fragment = tip = None
    if tongue_mm >= SMALLEST_MM:
        outline = protrusion if level.herniation_type in ("protrusion", "sequestration") else extrusion
        x, y = outline(tongue_mm)
        lift = np.interp(x + side, *rear_of(disc)) if outline is protrusion else base
        tongue = np.stack([x + side, y + lift], axis=-1)
        if outline is extrusion:
            tongue = np.concatenate([tongue, [[side - 2.5, base - 1.5], [side + 2.5, base - 1.5]]])
        else:
            root = np.stack([x + side, lift - 1.2], axis=-1)[::-1]
            tongue = np.concatenate([tongue, root])
        tip = np.array([side, base + tongue_mm])
    if fragment_mm[1] >= SMALLEST_MM:
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        centre = base + 0.6 * level.herniation_mm
        fragment = np.stack(
            [side + (fragment_mm[1] * 1.3 + 0.8) * np.cos(angle), centre + fragment_mm[1] * np.sin(angle)], -1
        )
        if tip is None or centre + fragment_mm[1] > tip[1]:
            tip = np.array([side, centre + fragment_mm[1]])
    return tongue, fragment, tip


def depths_at(level: Level, offset_mm: float) -> tuple[float, tuple[float, float]]:
    """Return the tongue's depth, and the fragment's middle and half thickness, at `offset_mm` from the mid-plane."""
    depth, height = level.herniation_mm, level.disc_height_mm
    if depth < SMALLEST_MM:
        return 0.0, (0.0, 0.0)
    angle = np.linspace(0, np.pi, 91)
    x, s = np.sin(angle), np.cos(angle)
    if level.herniation_type == "protrusion":
        back, along = depth * x**0.8, (0.5 * height + 1.2) * s
    else:
        half = max(0.32 * height, 1.5) * (1 + 0.9 * x) + 0.12 * depth
        back, along = depth * x, half * s + 0.6 * level.migration_mm * x**2
    fragment = 0.0
    if level.herniation_type == "sequestration":
        back, along = 0.5 * back, 0.7 * half * s
        centre = np.sign(level.migration_mm or -1) * (height / 2 + 0.5 * depth + 2.5)
        away = (offset_mm - centre) / (0.5 * depth + 1)
        fragment = 0.4 * depth * np.sqrt(max(0.0, 1 - away**2))
    crossed = (along[:-1] - offset_mm) * (along[1:] - offset_mm) <= 0
    reach = np.maximum(back[:-1], back[1:])[crossed]
    return float(reach.max(initial=0.0)), (0.6 * depth, fragment)


def protrusion(depth_mm: float):
    """Return x and y (29,) of a tongue whose base is its widest part."""
    u = np.linspace(-1, 1, 29)
    return u * PROTRUSION_HALF_MM, depth_mm * np.cos(np.pi / 2 * u) ** 1.6


def extrusion(depth_mm: float):
    """Return x and y (41,) of a tongue with a neck that is narrower than its dome."""
    neck, dome = 4.4 + 0.05 * depth_mm, 5.8 + 0.2 * depth_mm
    y = np.array([0.0, 0.14, 0.3, 0.45, 0.6, 0.74, 0.86, 0.94, 0.985, 1.0])
    half = np.array([neck + 1.2, neck, 0.4 * neck + 0.6 * dome, 0.94 * dome, dome, 0.94 * dome, 0.78 * dome])
    half = np.concatenate([half, [0.55 * dome, 0.3 * dome, 0.0]])
    fine = np.linspace(0, len(y) - 1, 21)
    y, half = (np.interp(fine, np.arange(len(y)), values) for values in (y, half))
    return np.concatenate([half, -half[-2::-1]]), depth_mm * np.concatenate([y, y[-2::-1]])


def upper_envelope(outline: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the largest y of a closed outline at each `x`; -inf beside it."""
    start, end = outline, np.roll(outline, -1, axis=0)
    run = end[:, 0] - start[:, 0]
    part = (x[:, None] - start[:, 0]) / np.where(np.abs(run) < 1e-9, np.inf, run)
    y = start[:, 1] + part * (end[:, 1] - start[:, 1])
    crossed = (x[:, None] - start[:, 0]) * (x[:, None] - end[:, 0]) <= 0
    return np.where(crossed, y, -np.inf).max(axis=1)
