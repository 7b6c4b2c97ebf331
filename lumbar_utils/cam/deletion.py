"""Deletion and insertion: how the class's score moves while the hottest pixels are taken away, or given back.

They need no mask and say whether the network used what the map shows, not whether it should have. What they make is no
spine any more, so they rank maps of one network; their numbers mean little beyond that (Gomez et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ..dataset import LumbarError

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]


def deletion(heat: np.ndarray, pictures: np.ndarray, score: Score, *, steps: int = 20) -> np.ndarray:
    """Return (N, steps + 1) scores while the hottest pixels turn into the blurred picture, all in equal shares.

    Petsiuk et al. 2018 (RISE) put grey or black there; a blurred picture adds no edge. The lower
    the `area_under` it, the more the network needed what was hot.

    Parameters
    ----------
    heat : (N, H, W).
    pictures : (N, H, W) of any kind of number, which `score` understands.
    score : called as score(changed (B, H, W), rows (B,)); returns (B,), such as the probability of the class
        of picture `rows[b]`.
    """
    return _curves(heat, pictures, blurred(pictures), score, steps)


def insertion(heat: np.ndarray, pictures: np.ndarray, score: Score, *, steps: int = 20) -> np.ndarray:
    """Return (N, steps + 1) scores while the blurred picture gets back its hottest pixels; see `deletion`.

    The higher the `area_under` it, the sooner the network has what it needs.
    """
    return _curves(heat, blurred(pictures), pictures, score, steps)


def area_under(curves: np.ndarray) -> np.ndarray:
    """Return (N,) the area under curves (N, steps + 1) over the share of pixels, by the trapezoid rule."""
    return np.trapezoid(curves, dx=1.0 / (curves.shape[1] - 1), axis=1)


def blurred(pictures: np.ndarray) -> np.ndarray:
    """Return (N, H, W) pictures of the same kind, blurred by a Gaussian of a sixteenth of the shorter side."""
    sigma = min(pictures.shape[1:]) / 16
    return np.stack([cv2.GaussianBlur(picture, (0, 0), sigma) for picture in pictures])


def _curves(heat, before, after, score: Score, steps: int) -> np.ndarray:
    """Return scores while the pixels of `before` turn into those of `after`, hottest first."""
    if np.shape(heat) != np.shape(before) or np.ndim(heat) != 3:
        raise LumbarError(
            f"The heat maps have shape {np.shape(heat)} and the pictures {np.shape(before)}, wanted (N, H, W) both; "
            "hand in the pictures that were explained."
        )
    n, n_pixels = len(heat), heat[0].size
    ends = np.round(np.linspace(0, n_pixels, steps + 1)).astype(int)
    curves = np.zeros((n, steps + 1))
    for row in range(n):
        order = np.argsort(-heat[row], axis=None, kind="stable")
        rank = np.empty(n_pixels, np.int64)
        rank[order] = np.arange(n_pixels)
        rank = rank.reshape(heat[row].shape)
        changed = np.where(rank[None] < ends[:, None, None], after[row], before[row])  # (steps + 1, H, W)
        curves[row] = score(changed, np.full(steps + 1, row))
    return curves
