"""What every rendering has: a picture, its label map, limits of its settings, and which labels make a disease."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumbar_utils.dataset import LUMBAR_DISCS, MASK_LABELS, LumbarError

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
    landmarks : name to (x, y) in pixels, such as the middle of each lumbar body and disc ("L4", "L4-L5"); may lie
        outside the picture.
    """

    image: np.ndarray
    mask: np.ndarray
    spacing_mm: float
    landmarks: dict[str, tuple[float, float]]


def check_settings(size: int, fov_mm: float | None, noise: float | None) -> None:
    """Raise `LumbarError` for a size, field of view or noise that no picture can have."""
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
