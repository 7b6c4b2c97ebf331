"""Class activation maps as arithmetic on a network's maps and gradients, whatever framework they came from."""

from __future__ import annotations

import cv2
import numpy as np

from ..dataset import LumbarError


class CAM:
    """A weighted sum of the maps, its positive part, scaled to [0, 1]; a method overrides `weights`."""

    name = "cam"

    def weights(self, maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """Return the weight of each map, (N, C) for a whole map or (N, h, w, C) for each of its cells.

        maps, gradients : (N, h, w, C), the maps and the gradient of the class's logit with respect to them.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define weights(maps, gradients)")

    def heat(self, maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """Return (N, h, w) float32 in [0, 1]; a picture in which nothing speaks for the class is all zeros.

        `maps` and `gradients` are (N, h, w, C); each picture is divided by its own maximum.
        """
        if maps.ndim != 4 or maps.shape != gradients.shape:
            raise LumbarError(
                f"{self.name} was given maps {maps.shape} and gradients {gradients.shape}, wanted two arrays "
                "(N, h, w, C) of one shape; take both from the same layer."
            )
        weights = self.weights(maps, gradients)
        if weights.ndim == 2:
            weights = weights[:, None, None, :]
        evidence = np.maximum((weights * maps).sum(axis=-1), 0.0)
        peak = evidence.max(axis=(1, 2), keepdims=True)
        return np.divide(evidence, peak, out=np.zeros_like(evidence), where=peak > 0).astype(np.float32)


def stretch_over_picture(heat: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return (N, height, width) heat from (N, h, w) cells that cover the picture and its black bars.

    `prepare` puts a picture that is not square between black bars; here they are cut off again.
    """
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    large = [cv2.resize(cells, (side, side), interpolation=cv2.INTER_LINEAR) for cells in heat]
    return np.stack(large)[:, top : top + height, left : left + width]
