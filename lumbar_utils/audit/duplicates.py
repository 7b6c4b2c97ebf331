"""Finds equal pictures, and pictures of which one is the other turned, brighter, darker or noisier."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

# Chosen on the 96 pairs of copies of the Roboflow patients numbered up to 23: at 0.90 every pair is found and no
# other is. On the other patients copies reach 0.93 to 1.00, neighbouring slices of one patient up to 0.92,
# pictures of two patients 0.43 at most; of 500 phantom patients the two most alike reach 0.83.
SAME_PICTURE = 0.90
_CANDIDATE = 0.90  # on the coarse grid copies reach 0.95 or more
_COARSE, _FINE = 32, 96  # sides of the grids in pixels
_ANGLES = np.arange(-30, 31, 3)  # degrees: two copies turned by up to 15 each


def exact_duplicates(images: np.ndarray) -> np.ndarray:
    """Return (P, 2) row numbers of (N, H, W) pictures with equal pixels, each with the first of its kind."""
    first: dict[bytes, int] = {}
    pairs = []
    for row, image in enumerate(images):
        seen = first.setdefault(hashlib.sha256(np.ascontiguousarray(image)).digest(), row)
        if seen != row:
            pairs.append((seen, row))
    return np.array(pairs, dtype=int).reshape(-1, 2)


def near_duplicates(images: np.ndarray, *, skip: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of pictures of which one is the other turned, brighter, darker or with noise.

    A median filter takes the noise away and a normalised correlation the brightness; what is compared is the disc
    inscribed in the picture, which a rotation keeps. Every pair is correlated on a coarse grid at 21 angles, the few
    alike ones again on a finer grid of edges (difference of Gaussians), where two patients no longer look alike.

    Parameters
    ----------
    images : (N, H, W) uint8.
    skip : (P, 2) pairs of equal pictures; the later of each is left out.

    Returns
    -------
    pairs : (P, 2) int, and their correlation : (P,) float
    """
    keep = np.setdiff1d(np.arange(len(images)), [] if skip is None else np.unique(skip[:, 1]))
    coarse = [_shrink(images[row], _COARSE) for row in keep]
    edges: dict[int, np.ndarray] = {}

    def edges_of(k: int) -> np.ndarray:
        if k not in edges:
            fine = _shrink(images[keep[k]], _FINE)
            edges[k] = cv2.GaussianBlur(fine, (0, 0), 1) - cv2.GaussianBlur(fine, (0, 0), 4)
        return edges[k]

    upright = np.stack([_turned(image, 0) for image in coarse])
    best: dict[tuple[int, int], tuple[float, float]] = {}
    for angle in _ANGLES:
        turned = np.stack([_turned(image, angle) for image in coarse])
        for start in range(0, len(keep), 512):
            alike = upright[start : start + 512] @ turned.T
            for i, j in np.argwhere(alike > _CANDIDATE):
                i_row, score = i + start, alike[i, j]
                if i_row < j and score > best.get((i_row, j), (0, 0))[0]:
                    best[i_row, j] = (score, angle)
    pairs, scores = [], []
    for (i, j), (_, angle) in sorted(best.items()):
        still = _turned(edges_of(i), 0)
        score = max(float(still @ _turned(edges_of(j), a)) for a in np.arange(angle - 3, angle + 3.1, 0.75))
        if score > SAME_PICTURE:
            pairs.append((keep[i], keep[j]))
            scores.append(score)
    return np.array(pairs, dtype=int).reshape(-1, 2), np.array(scores)


def _shrink(image: np.ndarray, side: int) -> np.ndarray:
    """Return the central square of a picture without its noise, (side, side) float32."""
    height, width = image.shape
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    clean = cv2.medianBlur(np.ascontiguousarray(image[top : top + square, left : left + square]), 3)
    how = cv2.INTER_AREA if square > side else cv2.INTER_LINEAR
    return cv2.resize(clean, (side, side), interpolation=how).astype(np.float32)


def _turned(image: np.ndarray, angle: float) -> np.ndarray:
    """Return the inscribed disc of a picture turned by `angle` degrees, of mean 0 and length 1."""
    side = len(image)
    middle = (side - 1) / 2
    if angle:
        turn = cv2.getRotationMatrix2D((middle, middle), float(angle), 1)
        image = cv2.warpAffine(image, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    offset = np.arange(side) - middle
    inside = image[np.hypot(offset[:, None], offset) <= 0.475 * side]
    inside = inside - inside.mean()
    return inside / max(float(np.linalg.norm(inside)), 1e-6)
