"""Hu's moments: how the brightness lies in the picture, whatever its place, size and turn."""

from __future__ import annotations

import cv2
import numpy as np

SMALLEST = 1e-12  # the third-order moments of a spine's column go down to 1e-11


def names(size: tuple[int, int]) -> list[str]:
    """Return the names of the 7 features."""
    return [f"hu_{number}" for number in range(1, 8)]


def measure(picture: np.ndarray) -> np.ndarray:
    """Return (7,) of a (H, W) uint8 picture: sign(h) log10(1 + |h| / 1e-12), which passes through 0 without a jump.

    Hu, Visual Pattern Recognition by Moment Invariants, IRE Trans. Information Theory 8(2), 1962. The seventh turns
    its sign in a mirror.
    """
    moments = cv2.HuMoments(cv2.moments(picture.astype(np.float32) / 255)).ravel()
    return np.sign(moments) * np.log10(1 + np.abs(moments) / SMALLEST)
