"""One slice through a phantom patient: tissue drawn in millimetres, then scanned, with its label map."""

from __future__ import annotations

import numpy as np

from lumbar_utils.dataset import LUMBAR_BODIES, LUMBAR_DISCS, LumbarError
from lumbar_utils.phantom import lesions, tissues
from lumbar_utils.phantom.anatomy import N_LEVELS, place
from lumbar_utils.phantom.canvas import Canvas
from lumbar_utils.phantom.pathology import NORMAL_FLAVUM_MM
from lumbar_utils.phantom.rendering import Rendering
from lumbar_utils.phantom.scanner import acquire, sample_scan
from lumbar_utils.phantom.section import Slice
from lumbar_utils.phantom.signal import SEQUENCES, signals


def render(
    patient,
    *,
    view: str = "sagittal",
    contrast: str = "T2",
    offset_mm: float = 0.0,
    size: int = 224,
    fov_mm: float | None = None,
    noise: float | None = None,
    variation: str = "narrow",
    seed: int | None = None,
) -> Rendering:
    """Return the slice `offset_mm` beside the midline (right is positive) as `size` x `size` pixels.

    `fov_mm` is the side of the field of view, `noise` the noise's spread over the signal of CSF; without
    them both are sampled with the other settings ("narrow" or "wide" `variation`). `seed` draws those
    settings and all texture; without it, it follows from the patient: same seed, same pixels.
    """
    check_request(view, contrast, offset_mm, size, fov_mm, noise)
    # one stream for each part, so that a grade moved by hand changes nothing but its own drawing
    root = [patient.seed, 1] if seed is None else [seed, 2]
    settings, texture, shapes, receiver = (np.random.default_rng([*root, part]) for part in range(4))
    scan = sample_scan(settings, variation=variation, fov_mm=fov_mm, noise=noise)
    anatomy, levels = patient.anatomy, patient.levels
    heights = np.concatenate([[level.disc_height_mm for level in levels], anatomy.disc_height_above])
    slips = np.zeros(N_LEVELS)
    slips[: len(levels)] = [level.slip_mm for level in levels]
    column = place(anatomy, heights, slips)

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
    image = acquire(canvas.signal, scan, distance, receiver, tissues.texture(slice_))
    return Rendering(image, canvas.labels[::2, ::2].copy(), scan.fov_mm / size, landmarks_of(slice_))


def check_request(view, contrast, offset_mm, size, fov_mm, noise) -> None:
    """Raise `LumbarError` for a slice that the phantom cannot make."""
    if view != "sagittal":
        raise LumbarError(
            f'view is {view!r}, and this phantom has sagittal slices only; use view="sagittal".'
        )
    if contrast not in SEQUENCES:
        raise LumbarError(f'contrast is {contrast!r}, wanted "T2" or "T1"; choose one of the two.')
    if not abs(offset_mm) <= 20:
        raise LumbarError(
            f"offset_mm is {offset_mm:g}, wanted -20 to 20 mm beside the midline; choose a slice nearer to it."
        )
    if not 32 <= size <= 1024:
        raise LumbarError(
            f"size is {size} pixels, wanted 32 to 1024; render in that range and resize the picture after it."
        )
    if fov_mm is not None and not 60 <= fov_mm <= 500:
        raise LumbarError(f"fov_mm is {fov_mm:g}, wanted 60 to 500 mm; 280 shows the lumbar spine.")
    if noise is not None and not 0 <= noise <= 1:
        raise LumbarError(
            f"noise is {noise:g}, wanted 0 to 1 as a share of the signal of CSF; 0.03 is usual."
        )


def landmarks_of(slice_: Slice) -> dict[str, tuple[float, float]]:
    """Return landmarks in pixels of the finished picture.

    Named are the middles of the lumbar bodies and discs ("L4", "L4-L5"), the corners of the bodies ("L4 upper
    front", …), and where the sac's walls stand at each disc ("canal front L4-L5", "canal rear L4-L5"); the distance
    of those two is `Level.canal_mm` on the midline.
    """
    column, canal = slice_.column, slice_.canal
    points = {}
    for k, (body, disc, level) in enumerate(zip(LUMBAR_BODIES, LUMBAR_DISCS, slice_.levels, strict=True)):
        top, bottom = column.top[k], column.bottom[k]
        points[body] = (top.mean(axis=0) + bottom.mean(axis=0)) / 2
        points[disc] = (column.disc_low[k].mean(axis=0) + column.disc_high[k].mean(axis=0)) / 2
        points |= {f"{body} upper front": top[0], f"{body} upper rear": top[-1]}
        points |= {f"{body} lower front": bottom[0], f"{body} lower rear": bottom[-1]}
        front, rear, direction = (canal.at(k, line) for line in (canal.front, canal.rear, canal.direction))
        pressed = max(0.0, level.bulge_mm - level.gap_mm), max(0.0, level.flavum_mm - NORMAL_FLAVUM_MM)
        points[f"canal front {disc}"] = front + pressed[0] * direction
        points[f"canal rear {disc}"] = rear - pressed[1] * direction
    pixels = (slice_.canvas.to_pixels(np.stack(list(points.values()))) - 0.5) / 2
    return {name: (float(x), float(y)) for name, (x, y) in zip(points, pixels, strict=True)}
