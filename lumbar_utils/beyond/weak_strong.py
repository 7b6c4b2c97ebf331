"""Two strengths of change for unlabelled pictures: weak ones keep everything, strong ones keep only the diagnosis."""

from __future__ import annotations

import cv2
import numpy as np

from ..training import SmallChanges

WEAK = {"rotation_degrees": 4.0, "shift": 0.03, "zoom": 0.06, "contrast": 0.1, "brightness": 0.05}
STRONG = {"rotation_degrees": 10.0, "shift": 0.08, "zoom": 0.15, "contrast": 0.0, "brightness": 0.0}
GREY = 0.5  # what a hole is filled with


def weak_changes(seed: int = 0) -> SmallChanges:
    """Return the change under which a picture is labelled: turned by 4 degrees at most, moved and scaled a little."""
    return SmallChanges(seed=seed, **WEAK)


class StrongChanges:
    """Each picture turned, moved and scaled twice as far, changed as another scanner would change it, and holed.

    Two of six changes of the grey values are drawn for each picture, as RandAugment does (Cubuk et al., CVPR Workshops
    2020): contrast, brightness, gamma, the shading of a receive coil, blur, noise. Then a rectangle is filled with grey
    (Cutout, DeVries and Taylor 2017). Photographs' changes that no scanner makes are left out: mirroring, which puts
    the sac where the abdomen is, inversion, shearing, colours.

    Parameters
    ----------
    hole : side of the rectangle, as a part of the picture's sides at most; a disc with its herniation is about a
        seventh of a column's height.
    seed : of the changes.
    """

    def __init__(self, *, hole: float = 0.3, seed: int = 0):
        self._rng = np.random.default_rng(seed)
        self._move = SmallChanges(seed=seed + 1, **STRONG)
        self._hole = hole
        self._greys = (_contrast, _brightness, _gamma, _coil, _blur, _noise)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Return changed copies of (B, H, W, C) pictures in [0, 1]."""
        changed = self._move(pictures)
        for picture in changed:
            for kind in self._rng.choice(len(self._greys), 2, replace=False):
                picture[:] = self._greys[kind](picture, self._rng)
            np.clip(picture, 0, 1, out=picture)
            _cut_out(picture, self._hole, self._rng)
        return changed


def _contrast(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (picture - 0.5) * rng.uniform(0.5, 1.5) + 0.5


def _brightness(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return picture + rng.uniform(-0.25, 0.25)


def _gamma(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.power(np.clip(picture, 0, 1), np.exp(rng.uniform(-0.6, 0.6)))


def _coil(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shade smoothly by 0.6 to 1.4, as a surface coil does."""
    height, width = picture.shape[:2]
    coarse = rng.uniform(0.6, 1.4, (3, 2)).astype(np.float32)
    return picture * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]


def _blur(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0)).reshape(picture.shape)


def _noise(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the magnitude of the picture with complex Gaussian noise, as MR pictures have (Rician)."""
    sigma = rng.uniform(0.02, 0.10)
    real, imaginary = rng.normal(0, sigma, (2, *picture.shape))
    return np.hypot(picture + real, imaginary)


def _cut_out(picture: np.ndarray, largest: float, rng: np.random.Generator) -> None:
    """Fill a rectangle, which may hang over the edge, with grey in place."""
    for_side = lambda side: max(1, round(side * rng.uniform(largest / 3, largest)))
    height, width = (for_side(side) for side in picture.shape[:2])
    top, left = rng.integers(picture.shape[0]) - height // 2, rng.integers(picture.shape[1]) - width // 2
    picture[max(top, 0) : top + height, max(left, 0) : left + width] = GREY
