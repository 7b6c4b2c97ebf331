"""Lateral radiographs of a phantom patient: the column of its MR slices, projected by a cone beam of X-rays."""

from __future__ import annotations

import cv2
import numpy as np

from lumbar_utils.phantom.anatomy import Anatomy, Column, back
from lumbar_utils.phantom.canvas import Canvas, blobs, smooth_field
from lumbar_utils.phantom.exposure import FILMS, Exposure, expose
from lumbar_utils.phantom.landmarks import in_pixels, of_column
from lumbar_utils.phantom.rendering import Rendering
from lumbar_utils.phantom.section import column_of
from lumbar_utils.phantom.settings import sample_settings
from lumbar_utils.phantom.skeleton import (
    Film,
    bone_density,
    draw_column,
    draw_findings,
    draw_pelvis,
    draw_ribs,
)

SOFT, LUNG = 0.0215, 0.006  # linear attenuation in 1/mm at 50 keV


def render_radiograph(patient, *, size, fov_mm, noise, variation, seed) -> Rendering:
    """Return the lateral radiograph of the lumbar spine as `size` x `size` pixels, the patient looking left.

    `fov_mm` is the side of the picture in the midline, `noise` the relative quantum noise of a pixel behind
    soft tissue; without them both are sampled with the other settings ("narrow" or "wide" `variation`).
    `seed` as in `render`. Bodies, disc spaces, sacrum and osteophytes are labelled. What soft tissue does in
    the canal does not show: herniations, bulges, ligaments and the width of the sac leave no trace.
    """
    # one stream for each part, so that a grade moved by hand changes nothing but its own drawing
    root = [patient.seed, 3] if seed is None else [seed, 4]
    settings, body, shapes, quanta = (np.random.default_rng([*root, part]) for part in range(4))
    exposure = Exposure(**sample_settings(settings, FILMS, variation=variation, fov_mm=fov_mm, noise=noise))
    anatomy, levels = patient.anatomy, patient.levels
    column = column_of(anatomy, levels)

    centre = np.array([column.bodies[2].mean(axis=0)[0] + 4.0, -92.0]) + exposure.shift_mm
    canvas = Canvas(size, exposure.fov_mm, exposure.rotation, centre)
    film = Film(canvas, centre, exposure.focus_mm, bone_density(patient.age_years, patient.sex))
    draw_column(film, column, anatomy, shapes)
    draw_findings(film, column, levels, shapes)
    draw_pelvis(film, column, anatomy)
    draw_ribs(film, column, body)
    trabeculae = 0.08 * smooth_field(body, size, (120, 55)) + 0.06 * smooth_field(body, size, (50, 40))
    canvas.signal *= canvas.enlarge(1 + trabeculae)
    draw_calcified_aorta(film, column, patient.age_years, body)
    draw_air(film, column, body)
    integral = canvas.signal + canvas.enlarge(soft_tissue(canvas, column, anatomy, body))

    field = open_field(size, exposure)
    image = expose(integral, exposure, field, quanta)
    labels = np.where(field > 0.5, canvas.labels[::2, ::2], 0).astype(np.uint8)
    return Rendering(image, labels, exposure.fov_mm / size, in_pixels(of_column(column), canvas))


def soft_tissue(
    canvas: Canvas, column: Column, anatomy: Anatomy, generator: np.random.Generator
) -> np.ndarray:
    """Return the line integral (S, S) through an elliptic trunk without bones, less that at the waist."""
    size = canvas.side // 2
    pixel = np.moveaxis(np.indices((size, size))[::-1] * 2 + 0.5, 0, -1)
    x, y = np.moveaxis((pixel - canvas.shift) @ np.linalg.inv(canvas.matrix).T, -1, 0)
    fat = anatomy.skin_fat
    rear = np.concatenate([column.top[::-1, -1], column.sacrum[[0, 2, 4], 2]])  # head to foot
    rear = rear + np.array([66.0, 0.0]) * anatomy.size_factor + np.array([1.1 * fat, 0.0])
    rear = np.concatenate([rear, rear[-1:] + np.array([[20.0, 80.0]])])
    skin = np.interp(y, rear[:, 1], np.convolve(np.pad(rear[:, 0], 2, mode="edge"), np.ones(5) / 5, "valid"))
    belly = column.bodies[2][:, 0].min() - generator.uniform(85, 115) - 1.6 * fat
    belly = belly - 12 * np.cos((y + 60) / 130)
    waist = 270 + 2.6 * fat
    width = waist * np.interp(y, [-260, -140, -70, 10, 80], [1.05, 0.98, 1.0, 1.08, 1.12])
    across = np.abs(2 * (x - belly) / (skin - belly) - 1)
    thick = width * np.maximum(1 - across**2.8, 0.0) ** (1 / 2.8)
    organs = 0.05 * smooth_field(generator, size, (6, 8)) + 0.012 * smooth_field(generator, size, (30, 24))
    return (SOFT * (thick - waist + 200 * organs * (thick / waist))).astype(np.float32)


def draw_air(film: Film, column: Column, generator: np.random.Generator) -> None:
    """Both lungs above the diaphragm, and gas in stomach and bowel."""
    l1 = column.top[4].mean(axis=0)
    x = np.linspace(-170, 80, 28)
    sides = np.linspace(45, 110, 13)
    for side in (-1.0, 1.0):
        dome, peak = l1[1] - generator.uniform(52, 80), generator.uniform(-75, -45)
        for beside in sides:
            slope = np.where(x > peak, (x - peak) ** 2 / 190, (x - peak) ** 2 / 400)
            edge = np.stack([l1[0] + x, dome + slope + 0.012 * (beside - 75) ** 2], axis=-1)
            outline = np.concatenate([edge, edge[-1:] - [0, 400], edge[:1] - [0, 400]])
            film.slab(outline, (LUNG - SOFT) * (sides[1] - sides[0]) * 0.55, side * beside)
    front = column.bodies[:5].min(axis=(0, 1))[0]
    for _ in range(generator.integers(2, 6)):
        place_mm = np.array([front - generator.uniform(10, 110), generator.uniform(-190, 40)])
        drift = generator.uniform(-1, 1, 2) * (12.0, 20.0)
        beside = generator.uniform(-90, 90)
        for step in range(generator.integers(1, 6)):
            radius = generator.uniform(6, 13)
            loop = blobs(generator, [place_mm + step * drift], radius, generator.uniform(1.0, 1.5))[0]
            middle = loop.mean(axis=0)
            for part in np.linspace(0.15, 1.0, 6):
                film.slab(middle + part * (loop - middle), -SOFT * 1.6 * radius / 6, beside)


def draw_calcified_aorta(
    film: Film, column: Column, age_years: float, generator: np.random.Generator
) -> None:
    """Plaques in the aorta's walls before L1 to L4, more of them in old age."""
    chance, tall = generator.random(2), np.linspace(0, 1, 40)
    wall = np.stack([column.top[4:0:-1, 0], column.bottom[4:0:-1, 0]], axis=1).reshape(-1, 2)
    wall = np.stack([np.interp(tall, np.linspace(0, 1, 8), wall[:, i]) for i in (0, 1)], axis=-1)
    for distance in (6.0, 6.0 + generator.uniform(15, 20)):
        line = wall - distance * back(column.body_phi[2]) + 0.5 * generator.standard_normal((40, 2))
        plaque = generator.random(40) < 0.5 * (age_years - 50) / 40
        for k in np.flatnonzero(plaque[:-3]):
            if chance[0] < 0.7:
                film.band(line[k : k + 3], 0.10 + 0.15 * chance[1], 0.9, 12.0)


def open_field(size: int, exposure: Exposure) -> np.ndarray:
    """Return (S, S) float32: 1 where the shutters let the beam through, with a penumbra of a millimetre or two."""
    pixel = (np.arange(size) + 0.5 - size / 2) * exposure.fov_mm / size
    inside = [np.abs(pixel) < half for half in exposure.field_mm]
    field = np.outer(inside[1], inside[0]).astype(np.float32)
    return cv2.GaussianBlur(field, (0, 0), 0.9 * size / exposure.fov_mm)
