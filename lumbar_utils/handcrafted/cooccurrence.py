"""Grey-level co-occurrence: which grey values stand side by side, and so how coarse and how ordered a texture is."""

from __future__ import annotations

import numpy as np
from skimage.feature import graycomatrix, graycoprops

LEVELS = 16
DISTANCES = (1, 2, 4)  # pixels
ANGLES = (0, 45, 90, 135)  # degrees; 0 looks at the neighbour beside, 90 at the neighbour above or below
PROPERTIES = ("ASM", "contrast", "correlation", "homogeneity")


def names(size: tuple[int, int]) -> list[str]:
    """Return the names of the 48 features."""
    return [
        f"glcm_{what}_distance{distance}_angle{angle}"
        for what in PROPERTIES
        for distance in DISTANCES
        for angle in ANGLES
    ]


def measure(picture: np.ndarray) -> np.ndarray:
    """Return (48,) of a (H, W) uint8 picture cut into 16 grey levels.

    Haralick, Shanmugam and Dinstein, Textural Features for Image Classification, IEEE Trans. SMC 3(6), 1973: their
    f1 angular second moment, f2 contrast, f3 correlation (1 for a flat picture) and f5 inverse difference moment,
    which scikit-image calls homogeneity. The angles are kept apart, for a spine stands upright.
    """
    levels = picture // (256 // LEVELS)
    matrix = graycomatrix(levels, DISTANCES, np.deg2rad(ANGLES), levels=LEVELS, symmetric=True, normed=True)
    return np.concatenate([graycoprops(matrix, what).ravel() for what in PROPERTIES])
