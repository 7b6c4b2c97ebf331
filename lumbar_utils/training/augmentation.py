"""Training pictures slightly turned, moved, scaled and brightened: changes that leave the diagnosis as it was."""

from __future__ import annotations

import cv2
import numpy as np


class SmallChanges:
    """Each picture turned, moved and scaled in one resampling, then changed in contrast and brightness.

    There is no flip: it would swap front and back, and put the sac where the abdomen is. One affine map blurs
    once, where a chain of Keras's RandomRotation, RandomTranslation and RandomZoom blurs three times.

    Parameters
    ----------
    rotation_degrees, shift, zoom : largest change either way; `shift` and `zoom` as parts of the picture's side.
    contrast, brightness : largest change of the factor around mid-grey and of the offset, pixels in [0, 1].
    seed : of the changes.
    """

    def __init__(
        self,
        *,
        rotation_degrees: float = 8.0,
        shift: float = 0.05,
        zoom: float = 0.1,
        contrast: float = 0.2,
        brightness: float = 0.1,
        seed: int = 0,
    ):
        self._largest = (rotation_degrees, shift, shift, zoom, contrast, brightness)
        self._rng = np.random.default_rng(seed)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Return changed copies of (B, H, W, C) pictures in [0, 1]; what moves in from outside is black."""
        n, height, width, channels = pictures.shape
        changes = self._rng.uniform(-1, 1, (n, 6)) * self._largest
        changed = np.empty_like(pictures)
        for k, (angle, dx, dy, zoom, contrast, brightness) in enumerate(changes):
            matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1 + zoom)
            matrix[:, 2] += dx * width, dy * height
            moved = cv2.warpAffine(pictures[k], matrix, (width, height)).reshape(height, width, channels)
            changed[k] = np.clip((moved - 0.5) * (1 + contrast) + 0.5 + brightness, 0, 1)
        return changed
