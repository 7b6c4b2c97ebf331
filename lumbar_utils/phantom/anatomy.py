"""The healthy shape of one spine: sampled sizes in millimetres, and where they put bodies, discs and canal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

N_LEVELS = 11  # vertebrae above the sacrum, so that the column leaves the picture at the top
EDGE = np.linspace(-1.0, 1.0, 13)  # stations along an endplate, anterior to posterior
SMOOTHING = sum(np.eye(15, 13, -k) for k in range(3)) / 3**0.5  # moving mean of three, spread kept


@dataclass(frozen=True)
class Anatomy:
    """Sizes of one person; arrays run upwards from L5 (bodies) and from L5-S1 (discs), `N_LEVELS` long.

    Lengths in mm, angles in degrees; a positive angle is lordotic (wider in front).
    """

    size_factor: float
    sacral_slope: float
    body_height: np.ndarray
    body_depth: np.ndarray
    body_wedge: np.ndarray
    disc_angle: np.ndarray
    disc_height_above: np.ndarray  # discs above L1-L2, the other five are graded
    sac_above: np.ndarray  # AP diameter of the sac above L1-L2
    endplate_concavity: np.ndarray
    conus_level: float  # in discs above L5-S1
    marrow_fat: float
    skin_fat: float
    spinous_length: float
    wall: np.ndarray  # (2, N_LEVELS, 5) unevenness of the rear and front walls of the bodies
    residual_disc: float  # height of the disc S1-S2 that fusion has left, mm
    endplate: np.ndarray  # (2, N_LEVELS, 13) unevenness of the lower and upper endplates


def sample_anatomy(generator: np.random.Generator, *, age_years: float, sex: str) -> Anatomy:
    """Return one person's sizes (Cook, Wolf, Lord and others; see the course's anatomy lesson for the tables)."""
    size = float(generator.normal(1.0, 0.05) * (1.03 if sex == "M" else 0.96))
    height = np.array([28.3, 27.8, 28.0, 28.0, 27.6, 26.0, 24.5, 23.5, 22.5, 22.0, 21.5])
    depth = np.array([36.8, 36.2, 35.2, 34.0, 33.0, 32.0, 31.0, 30.0, 29.0, 28.0, 27.0])
    wedge = np.array([6.2, 1.9, -0.1, -1.6, -3.0, -3.5, -3.5, -3.5, -4.0, -4.0, -4.0])
    wedge[:5] += 1.0 if sex == "F" else -1.0
    slope = float(np.clip(generator.normal(43, 8.5), 22, 64))
    lordosis = float(np.clip(slope + generator.normal(4, 5), 24, 70))
    disc = np.array([13.0, 10.0, 7.0, 5.0, 3.0])
    disc = disc * (lordosis - wedge[:5].sum()) / disc.sum()
    angle = np.concatenate([disc, [0.5, -0.5, -1.0, -1.5, -1.5, -1.5]]) + generator.normal(0, 1.0, N_LEVELS)
    fat = 0.38 + 0.004 * (age_years - 30) + generator.normal(0, 0.05)
    return Anatomy(
        size_factor=size,
        sacral_slope=slope,
        body_height=height * size * generator.normal(1, 0.02, N_LEVELS),
        body_depth=depth * size * generator.normal(1, 0.02, N_LEVELS),
        body_wedge=wedge + generator.normal(0, 1.0, N_LEVELS) * np.where(np.arange(N_LEVELS) == 0, 2.5, 1.0),
        disc_angle=angle,
        disc_height_above=np.linspace(7.0, 4.5, N_LEVELS - 5) * size,
        sac_above=np.full(N_LEVELS - 5, 15.0) + generator.normal(0, 0.3, N_LEVELS - 5),
        endplate_concavity=generator.uniform(0.9, 1.9, (2, N_LEVELS)),
        conus_level=float(np.clip(generator.normal(4.5, 0.5), 3.3, 6.0)),
        marrow_fat=float(np.clip(fat, 0.30, 0.70)),
        skin_fat=float(np.clip(generator.gamma(4.0, 4.0), 4, 45)),
        spinous_length=float(generator.normal(33, 2.5)) * size,
        wall=generator.normal(0, 0.35, (2, N_LEVELS, 5)),
        residual_disc=float(np.clip(generator.gamma(1.2, 1.3), 0, 6)),
        endplate=generator.normal(0, 0.25, (2, N_LEVELS, 15)) @ SMOOTHING,
    )


def up(phi):
    """Unit vector along the spine, towards the head, for a tilt `phi` (radians, forwards is positive)."""
    return np.stack([-np.sin(phi), -np.cos(phi)], axis=-1)


def back(phi):
    """Unit vector along an endplate, towards the back."""
    return np.stack([np.cos(phi), -np.sin(phi)], axis=-1)


@dataclass(frozen=True)
class Column:
    """Where everything lies, in mm: x to the back, y to the feet, origin in the middle of S1's endplate.

    `top` and `bottom` are endplates (N_LEVELS, 13, 2), front to back; `disc_low` and `disc_high` the two
    endplates that a disc touches; `phi` tilts (radians) of the disc's mid-plane; `sacrum` (5, 4, 2) corners.
    """

    top: np.ndarray
    bottom: np.ndarray
    body_phi: np.ndarray
    disc_phi: np.ndarray
    disc_low: np.ndarray
    disc_high: np.ndarray
    bodies: np.ndarray  # (N_LEVELS, points, 2) outlines
    sacrum: np.ndarray
    sacrum_phi: np.ndarray

    @cached_property
    def body_axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (N_LEVELS, 2) to the back and up, of each body."""
        return back(self.body_phi), up(self.body_phi)

    @cached_property
    def disc_axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (N_LEVELS, 2) to the back and up, of each disc."""
        return back(self.disc_phi), up(self.disc_phi)


def place(anatomy: Anatomy, disc_height: np.ndarray, slip: np.ndarray) -> Column:
    """Stack bodies and discs on the sacrum.

    `disc_height` (N_LEVELS,) mm in the middle of each disc; `slip` (N_LEVELS,) mm by which the body above
    lies in front of the one below.
    """
    depth = anatomy.body_depth
    hollow = np.minimum(anatomy.endplate_concavity, 0.17 * disc_height)
    gap = disc_height - hollow.sum(axis=0)
    gap[0] = disc_height[0] - hollow[1, 0]  # the sacrum's endplate is flat
    steepest = 2 * np.degrees(np.arctan(np.maximum(gap - 1.2, 0.1) / depth))
    disc_angle = np.radians(np.clip(anatomy.disc_angle, -steepest, steepest))
    wedge = np.radians(anatomy.body_wedge)

    turns = np.empty(2 * N_LEVELS)
    turns[0::2], turns[1::2] = disc_angle, wedge
    planes = np.radians(anatomy.sacral_slope) - np.concatenate(
        [[0.0], np.cumsum(turns)]
    )  # S1, L5 low, L5 up, …
    middles = (planes[:-1] + planes[1:]) / 2
    lengths = np.empty(2 * N_LEVELS)
    lengths[0::2], lengths[1::2] = gap, anatomy.body_height
    steps = up(middles) * lengths[:, None]
    steps[0::2] -= back(middles[0::2]) * slip[:, None]
    centres = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])

    dip = 1 - EDGE**4

    smoother = np.clip(gap / 6.0, 0.2, 1.0)[:, None]  # a thin disc leaves no room for uneven endplates

    def endplate(centre, phi, width, bend, uneven):
        along = EDGE[None, :, None] * (width / 2)[:, None, None] * back(phi)[:, None, :]
        height = bend[:, None] * dip + uneven
        return centre[:, None, :] + along + height[..., None] * up(phi)[:, None, :]

    bottom = endplate(centres[1::2], planes[1::2], depth, hollow[1], anatomy.endplate[0] * smoother)
    upper_hollow = np.concatenate(
        [hollow[0, 1:], [1.0]]
    )  # a body's upper endplate belongs to the disc above it
    upper_smoother = np.concatenate([smoother[1:], smoother[-1:]])
    top = endplate(
        centres[2::2], planes[2::2], depth * 0.985, -upper_hollow, anatomy.endplate[1] * upper_smoother
    )
    sacral_top = endplate(np.zeros((1, 2)), planes[:1], np.array([depth[0] * 0.95]), np.zeros(1), 0.0)
    disc_low = np.concatenate([sacral_top, top[:-1]])

    body_phi = middles[1::2]
    waist = np.array([0.55, 0.9, 1.0, 0.9, 0.55])
    part = np.linspace(0, 1, 7)[1:-1][None, :, None]
    to_back = back(body_phi)[:, None, :]
    rear_waist, front_waist = 1.1 * waist + anatomy.wall[0], 2.1 * waist + 1.3 * anatomy.wall[1]
    back_wall = bottom[:, -1:] * (1 - part) + top[:, -1:] * part - rear_waist[..., None] * to_back
    front_wall = top[:, :1] * (1 - part) + bottom[:, :1] * part + front_waist[..., None] * to_back
    bodies = np.concatenate([bottom, back_wall, top[:, ::-1], front_wall], axis=1)
    sacrum, sacrum_phi = place_sacrum(anatomy, sacral_top[0])
    return Column(top, bottom, body_phi, middles[0::2], disc_low, bottom, bodies, sacrum, sacrum_phi)


def place_sacrum(anatomy: Anatomy, endplate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners (6, 4, 2) of S1 to S5 and the coccyx, and their tilts: backwards first, then forwards.

    Corners run: upper front, upper back, lower back, lower front.
    """
    size = anatomy.size_factor
    heights = np.array([30.0, 25.0, 20.0, 17.0, 15.0, 26.0]) * size
    waist = 26.0 + 0.9 * anatomy.residual_disc  # the less S1 has fused, the squarer it is
    depths = np.array([anatomy.body_depth[0] * 0.95 / size, waist, 20.5, 16.0, 12.5, 9.0, 4.0]) * size
    tilt = anatomy.sacral_slope + np.array([5.0, 9.0, 2.0, -16.0, -40.0, -66.0])
    phi = np.radians(tilt)
    corners = np.empty((6, 4, 2))
    front, rear = endplate[0], endplate[-1]
    for k in range(6):
        middle = (front + rear) / 2 - up(phi[k]) * heights[k] + back(phi[k]) * (1.2 if k == 0 else 0.0)
        lower_tilt = phi[k] if k == 5 else (phi[k] + phi[k + 1]) / 2
        half = back(lower_tilt) * depths[k + 1] / 2
        corners[k] = front, rear, middle + half, middle - half
        front, rear = middle - half, middle + half
    return corners, phi
