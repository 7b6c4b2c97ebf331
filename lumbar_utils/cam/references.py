"""Maps that know nothing of a network, and a perfect one at its resolution: what a heat map's scores stand beside."""

from __future__ import annotations

import cv2
import numpy as np

from ..dataset import FIRST_DISC, MAX_LEVELS
from ..framing import Frames, frame
from .masks import dilated


def chance_map(height: int, width: int) -> np.ndarray:
    """Return (H, W) float32, hot everywhere: pointing, energy and AUPRC then are the mask's share of the area."""
    return np.ones((height, width), np.float32)


def centre_map(height: int, width: int) -> np.ndarray:
    """Return (H, W) float32, a Gaussian in the middle whose standard deviation is a quarter of each side."""
    rows = (np.arange(height) + 0.5) / height - 0.5
    columns = (np.arange(width) + 0.5) / width - 0.5
    return np.exp(-8.0 * (rows[:, None] ** 2 + columns[None] ** 2)).astype(np.float32)


def edge_map(picture: np.ndarray) -> np.ndarray:
    """Return (H, W) float32 in [0, 1], the length of Sobel's gradient of the slightly smoothed picture (H, W)."""
    picture = picture.astype(np.float32)
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.0)
    length = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    length[length < 1e-5 * np.abs(picture).max()] = 0.0  # rounding errors are no edges
    return length / max(length.max(), np.finfo(np.float32).tiny)


def discs_map(label_map: np.ndarray, margin_px: int = 8) -> np.ndarray:
    """Return (H, W) float32, 1 on every disc of a label map and no further than `margin_px` from it, else 0.

    What somebody would mark who finds the discs and cannot tell an ill one: the margin, because what leaves a disc
    lies beside it. The numbers are those of `MASK_LABELS`.
    """
    discs = (label_map >= FIRST_DISC) & (label_map < FIRST_DISC + MAX_LEVELS)
    return dilated(discs, margin_px).astype(np.float32)


def perfect_maps(masks: np.ndarray, cells: tuple[int, int], frames: Frames | None = None) -> np.ndarray:
    """Return (N, H, W) float32 in [0, 1]: the best that h x w cells can say of masks (N, H, W).

    Each cell holds the share of it that the mask covers, and the cells are enlarged as those of a heat map are. They
    cover what the network saw, `frames`; by default whole pictures, a square grid also the black bars beside them.
    """
    if frames is None:
        side = max(masks.shape[1:])
        frames = frame(masks.astype(np.uint8), (side, side) if cells[0] == cells[1] else masks.shape[1:])
    heat = frames.back(frames.cells_of(masks, cells))
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), np.finfo(np.float32).tiny)
