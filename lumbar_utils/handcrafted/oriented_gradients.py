"""Histograms of oriented gradients: which way the edges run, cell by cell, so that the place counts."""

from __future__ import annotations

import numpy as np
from skimage.feature import hog

ORIENTATIONS = 9  # over 180 degrees
CELL = 16  # pixels
BLOCK = 2  # cells


def names(size: tuple[int, int]) -> list[str]:
    """Return the names of the features: 36 a block; 1764 at 128 x 128 pixels, 1980 at 192 x 96."""
    rows, columns = (side // CELL - BLOCK + 1 for side in size)
    return [
        f"hog_block{row}-{column}_cell{down}-{across}_orientation{number}"
        for row in range(rows)
        for column in range(columns)
        for down in range(BLOCK)
        for across in range(BLOCK)
        for number in range(ORIENTATIONS)
    ]


def measure(picture: np.ndarray) -> np.ndarray:
    """Return the features of a (H, W) uint8 picture, each block of 2 x 2 cells normalised by itself (L2-Hys).

    Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005, with cells of 16 pixels
    instead of 8. Orientation 0 is an edge whose gradient points along the row.
    """
    return hog(picture, ORIENTATIONS, (CELL, CELL), (BLOCK, BLOCK))
