"""How alike two heat maps are: by the order of their pixels and by their structure."""

from __future__ import annotations

import cv2
import numpy as np


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of two maps (H, W); 0 where one of them is the same everywhere.

    Equally hot pixels share their mean rank.
    """
    ranks = [_ranks(each.ravel()) for each in (first, second)]
    centred = [each - each.mean() for each in ranks]
    length = np.linalg.norm(centred[0]) * np.linalg.norm(centred[1])
    return float(centred[0] @ centred[1] / length) if length > 0 else 0.0


def ssim(first: np.ndarray, second: np.ndarray) -> float:
    """Return the structural similarity (Wang et al. 2004) of two maps (H, W) in [0, 1].

    Means, variances and covariance in a Gaussian window of 11 pixels with standard deviation 1.5, K1 = 0.01,
    K2 = 0.03, and the mean over all pixels.
    """
    x, y = first.astype(np.float64), second.astype(np.float64)
    mean_x, mean_y = _smooth(x), _smooth(y)
    variance_x, variance_y = _smooth(x * x) - mean_x**2, _smooth(y * y) - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return float((above / below).mean())


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _smooth(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT)
