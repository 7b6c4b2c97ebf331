"""One axial slice through a lumbar disc of a phantom patient, with the patient's right on the picture's left."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lumbar_utils.dataset import LUMBAR_DISCS, MASK_LABELS
from lumbar_utils.phantom import axial_surroundings, axial_tissues
from lumbar_utils.phantom.axial_surroundings import AxialSlice
from lumbar_utils.phantom.canvas import Canvas, smooth_field
from lumbar_utils.phantom.cross_section import CrossSection, cross_section, person_of
from lumbar_utils.phantom.landmarks import in_pixels
from lumbar_utils.phantom.rendering import Rendering
from lumbar_utils.phantom.scanner import SAGITTAL, Scan, acquire
from lumbar_utils.phantom.settings import between, both, exp_between, sample_settings
from lumbar_utils.phantom.signal import signals

AXIAL_REACH_MM = 8.0  # from the disc's mid-plane
ROUGHNESS = np.where(np.arange(256) >= MASK_LABELS["sac"], 0.35, 1.0).astype(np.float32)  # by label
EDGE_MM = 0.3  # spread of every edge within the slice's thickness, beside the scanner's own blur


AXIAL = {
    "narrow": SAGITTAL["narrow"]
    | dict(
        fov_mm=between(150, 180),
        rotation=between(-2.5, 2.5),
        shift_mm=both(between(-4, 4), between(-4, 6)),
        noise=between(0.02, 0.045),
        noise_grain=between(0.4, 0.65),
        blur=between(0.4, 0.6),
        coil_reach_mm=between(110, 170),
        coil_near=between(0.3, 0.8),
        coil_ends=0.0,
        gain=between(0.92, 1.08),
    ),
    "wide": SAGITTAL["wide"]
    | dict(
        fov_mm=between(120, 240),
        rotation=between(-8, 8),
        shift_mm=both(between(-15, 15), between(-15, 20)),
        noise=between(0.01, 0.08),
        noise_grain=between(0.3, 0.9),
        blur=between(0.4, 1.2),
        coil_reach_mm=exp_between(np.log(70), np.log(400)),
        coil_ends=0.0,
    ),
}


def render_axial(patient, *, level, contrast, offset_mm, size, fov_mm, noise, variation, seed) -> Rendering:
    """Return the axial slice through the disc `level`, `offset_mm` above its mid-plane, as `size` x `size` pixels.

    Up is the front, left the patient's right, as a radiologist reads it. The slice is 4 mm thick; near the
    disc's edge the bodies beside it shine through, and beyond it they are what is drawn and labelled.
    `fov_mm`, `noise`, `variation` and `seed` are those of `render`. The landmarks, in pixels: the disc's
    middle under the level's name, "canal front" and "canal rear" (the sac's walls on the midline), and
    "herniation tip" where one is in the slice.
    """
    k = LUMBAR_DISCS.index(level)
    # settings belong to the examination; texture, shapes and noise to the level
    root = [patient.seed, 3] if seed is None else [seed, 4]
    settings = np.random.default_rng([*root, 9])
    texture, around, shapes, receiver = (np.random.default_rng([*root, k, part]) for part in range(4))
    scan = Scan(**sample_settings(settings, AXIAL, variation=variation, fov_mm=fov_mm, noise=noise))
    anatomy, person = patient.anatomy, person_of(patient)
    section = cross_section(patient, person, patient.levels[k], offset_mm, shapes.standard_normal(6))
    palette = signals(contrast, marrow_fat=anatomy.marrow_fat, muscle_fat=float(settings.uniform(0.08, 0.18)))
    canvas = Canvas(size, scan.fov_mm, scan.rotation, np.array([0.0, 2.0]) + scan.shift_mm)
    slice_ = AxialSlice(canvas, section, anatomy, person, palette, contrast, offset_mm)
    distance = axial_surroundings.draw(slice_, around)
    axial_tissues.draw(slice_, texture, shapes)
    add_texture(canvas, texture)

    window = 0.78 if contrast == "T1" else 1.0  # fat stays below white
    scan = replace(scan, gain=scan.gain * window, blur=float(np.hypot(scan.blur, EDGE_MM * canvas.scale / 2)))
    image = acquire(canvas.signal, scan, distance, receiver)
    return Rendering(image, canvas.labels[::2, ::2].copy(), scan.fov_mm / size, landmarks_of(section, canvas))


def add_texture(canvas: Canvas, generator: np.random.Generator) -> None:
    """Multiply fine and coarse texture into the signal, little of it in CSF and disc."""
    size = canvas.side // 2
    texture = 0.09 * smooth_field(generator, size, (130, 130)) + 0.06 * smooth_field(
        generator, size, (48, 48)
    )
    texture = cv2.multiply(canvas.enlarge(texture), cv2.LUT(canvas.labels, ROUGHNESS))
    canvas.signal *= cv2.max(cv2.add(texture, 1.0), 0.0)


def landmarks_of(section: CrossSection, canvas: Canvas) -> dict[str, tuple[float, float]]:
    """Return the disc's middle, the sac's walls on the midline and a herniation's tip in pixels of the picture."""
    middle = len(section.x) // 2
    places = {
        section.level.name: np.array([0.0, -section.depth / 2]),
        "canal front": np.array([0.0, section.front[middle]]),
        "canal rear": np.array([0.0, section.rear[middle]]),
    }
    if section.tip is not None:
        places["herniation tip"] = np.asarray(section.tip)
    return in_pixels(places, canvas)
