"""First-order statistics: how bright the pixels are, wherever they stand."""

from __future__ import annotations

import numpy as np

PERCENTILES = (5, 25, 50, 75, 95)


def names(size: tuple[int, int]) -> list[str]:
    """Return the names of the 10 features."""
    return [
        "intensity_mean", "intensity_sd", "intensity_skewness", "intensity_kurtosis",
        *(f"intensity_percentile{percent}" for percent in PERCENTILES), "intensity_entropy",
    ]  # fmt: skip


def measure(picture: np.ndarray) -> np.ndarray:
    """Return (10,) of a (H, W) uint8 picture: grey values in [0, 1], entropy in bits.

    Skewness and kurtosis (excess, 0 for a Gaussian) are the standardised third and fourth moments; of a flat
    picture, which has none, they are 0. A percentile is the lowest grey value that so many percent do not exceed.
    """
    share = np.bincount(picture.ravel(), minlength=256) / picture.size
    grey, share = np.flatnonzero(share) / 255.0, share[share > 0]
    mean = share @ grey
    sd = np.sqrt(share @ (grey - mean) ** 2)
    flat = len(grey) == 1
    skewness = 0.0 if flat else share @ ((grey - mean) / sd) ** 3
    kurtosis = 0.0 if flat else share @ ((grey - mean) / sd) ** 4 - 3.0
    below = np.cumsum(share) * 100
    percentiles = [grey[np.searchsorted(below, percent - 1e-9)] for percent in PERCENTILES]
    return np.array([mean, sd, skewness, kurtosis, *percentiles, -(share @ np.log2(share))])
