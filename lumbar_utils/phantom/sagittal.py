"""Sagittal slices: the column seen from the side, on the midline or beside it."""

from __future__ import annotations

import numpy as np

from lumbar_utils.phantom import landmarks, lesions, tissues
from lumbar_utils.phantom.canvas import Canvas
from lumbar_utils.phantom.rendering import Rendering
from lumbar_utils.phantom.scanner import SAGITTAL, Scan, acquire
from lumbar_utils.phantom.section import Slice, column_of
from lumbar_utils.phantom.settings import sample_settings
from lumbar_utils.phantom.signal import signals


def render_sagittal(patient, *, contrast, offset_mm, size, fov_mm, noise, variation, seed) -> Rendering:
    """Return a sagittal slice; the parameters are those of `render.render`."""
    # one stream for each part, so that a grade moved by hand changes nothing but its own drawing
    root = [patient.seed, 1] if seed is None else [seed, 2]
    settings, texture, shapes, receiver = (np.random.default_rng([*root, part]) for part in range(4))
    scan = Scan(**sample_settings(settings, SAGITTAL, variation=variation, fov_mm=fov_mm, noise=noise))
    anatomy, levels = patient.anatomy, patient.levels
    column = column_of(anatomy, levels)

    # L3 a little behind the middle of the picture, the sacrum's endplate at four fifths of its height
    centre = np.array([column.bodies[2].mean(axis=0)[0] - 0.06 * 280, -0.30 * 280]) + scan.shift_mm
    canvas = Canvas(size, scan.fov_mm, scan.rotation, centre)
    palette = signals(contrast, marrow_fat=anatomy.marrow_fat, muscle_fat=float(settings.uniform(0.08, 0.18)))
    tilt, mottling = 0.0, 1.0
    if variation == "wide":
        palette = {tissue: signal * np.exp(settings.normal(0, 0.3)) for tissue, signal in palette.items()}
        tilt, mottling = float(settings.normal(0, 1.2)), float(np.exp(settings.uniform(-0.7, 0.9)))
    slice_ = Slice(canvas, column, anatomy, levels, palette, offset_mm, texture, tilt, mottling)
    distance = tissues.draw(slice_)
    lesions.draw(slice_, shapes)
    found = landmarks.in_pixels(landmarks.of_column(column) | landmarks.of_canal(slice_), canvas)
    image = acquire(canvas.signal, scan, distance, receiver, tissues.texture(slice_))
    return Rendering(image, canvas.labels[::2, ::2].copy(), scan.fov_mm / size, found)
