"""One slice through a phantom patient: tissue drawn in millimetres, then scanned, with its label map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumbar_utils.dataset import LUMBAR_BODIES, LUMBAR_DISCS, MASK_LABELS, LumbarError
from lumbar_utils.phantom import lesions, tissues
from lumbar_utils.phantom.anatomy import N_LEVELS, place
from lumbar_utils.phantom.canvas import Canvas
from lumbar_utils.phantom.scanner import acquire, sample_scan
from lumbar_utils.phantom.section import Slice
from lumbar_utils.phantom.signal import SEQUENCES, signals

LESIONS = {
    "Herniated Disk": ("herniation",),
    "Spinal Stenosis": ("bulge", "flavum", "herniation"),
    "Spondylosis": ("osteophyte", "modic"),
    "Spondylolisthesis": (),
    "Disc Degeneration": ("modic",),
    "Healthy": (),
}


@dataclass(frozen=True)
class Rendering:
    """A picture with its truth.

    Attributes
    ----------
    image : (S, S) uint8.
    mask : (S, S) uint8, numbers of `MASK_LABELS`; what is drawn is what is labelled.
    spacing_mm : side of a pixel.
    landmarks : middle of each lumbar body and disc in pixels, name to (x, y); may lie outside the picture.
    """

    image: np.ndarray
    mask: np.ndarray
    spacing_mm: float
    landmarks: dict[str, tuple[float, float]]


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
    slice_ = Slice(canvas, column, anatomy, levels, palette, offset_mm, texture)
    distance = tissues.draw(slice_)
    lesions.draw(slice_, shapes)
    tissues.add_texture(slice_)

    image = acquire(canvas.signal, scan, distance, receiver)
    return Rendering(image, canvas.labels[::2, ::2].copy(), scan.fov_mm / size, landmarks_of(column, canvas))


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


def landmarks_of(column, canvas) -> dict[str, tuple[float, float]]:
    """Return the middle of each lumbar body and disc in pixels of the finished picture."""
    bodies = (column.top[:5].mean(axis=1) + column.bottom[:5].mean(axis=1)) / 2
    discs = (column.disc_low[:5].mean(axis=1) + column.disc_high[:5].mean(axis=1)) / 2
    pixels = (canvas.to_pixels(np.concatenate([bodies, discs])) - 0.5) / 2
    names = LUMBAR_BODIES + LUMBAR_DISCS
    return {name: (float(x), float(y)) for name, (x, y) in zip(names, pixels, strict=True)}


def lesion_mask(mask: np.ndarray, class_name: str) -> np.ndarray:
    """Return the pixels of a label map that make a class, as a boolean array of its shape.

    Herniated Disk: herniations. Spinal Stenosis: what presses on the sac, that is bulges, thick ligamentum
    flavum and herniations. Spondylosis: osteophytes and Modic changes, and discs that have collapsed to less
    than six tenths of the median lumbar disc's area. Disc Degeneration: Modic changes and such discs.
    Healthy: nothing, whatever incidental finding there is.
    """
    if class_name not in LESIONS:
        raise LumbarError(
            f"class {class_name!r} has no lesion mask, wanted one of {', '.join(LESIONS)}; check its spelling."
        )
    mask = np.asarray(mask)
    lesion = np.isin(mask, [MASK_LABELS[name] for name in LESIONS[class_name]])
    if class_name in ("Spondylosis", "Disc Degeneration"):
        numbers = [MASK_LABELS[name] for name in LUMBAR_DISCS]
        areas = np.bincount(mask.ravel(), minlength=256)[numbers]
        seen = areas > 0
        if seen.any():
            collapsed = np.array(numbers)[seen & (areas < 0.6 * np.median(areas[seen]))]
            lesion |= np.isin(mask, collapsed)
    return lesion
