"""Local binary patterns: which of a pixel's neighbours are at least as bright, counted over the picture."""

from __future__ import annotations

import numpy as np
from skimage.feature import local_binary_pattern

CIRCLES = ((8, 1), (16, 2))  # neighbours, radius in pixels


def names(size: tuple[int, int]) -> list[str]:
    """Return the names of the 28 features.

    A pixel of bin b has b neighbours at least as bright as itself, all in one arc; a mixed one has several arcs.
    """
    return [
        f"lbp_radius{radius}_{number if number <= points else 'mixed'}"
        for points, radius in CIRCLES
        for number in range(points + 2)
    ]


def measure(picture: np.ndarray) -> np.ndarray:
    """Return (28,) of a (H, W) uint8 picture: two histograms, each adding up to 1.

    The rotation-invariant uniform patterns of Ojala, Pietikäinen and Mäenpää, IEEE Trans. PAMI 24(7), 2002 (their
    riu2). Pixels whose circle leaves the picture are not counted.
    """
    histograms = []
    for points, radius in CIRCLES:
        codes = local_binary_pattern(picture, points, radius, method="uniform")
        inside = codes[radius:-radius, radius:-radius].astype(np.int64).ravel()
        histograms.append(np.bincount(inside, minlength=points + 2) / inside.size)
    return np.concatenate(histograms)
