"""Class activation maps as arithmetic on a network's maps and gradients, whatever framework they came from."""

from __future__ import annotations

import cv2
import numpy as np

from ..dataset import LumbarError


class CAM:
    """A weighted sum of the maps, its positive part, scaled to [0, 1]; a method overrides `weights`.

    Attributes
    ----------
    name, title : how `method_named` finds it, and what readers call it.
    needs : "gradients" of the class's logit, "maps" alone, or "scores" of masked pictures.
    """

    name, title = "cam", "CAM"
    needs = "gradients"

    def weights(self, maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """Return the weight of each map, (N, C) for a whole map or (N, h, w, C) for each of its cells.

        maps, gradients : (N, h, w, C), the maps and the gradient of the class's logit with respect to them.
        """
        raise NotImplementedError(f"{type(self).__name__} has to define weights(maps, gradients)")

    def heat(self, maps: np.ndarray, gradients: np.ndarray | None = None) -> np.ndarray:
        """Return (N, h, w) float32 in [0, 1]; a picture in which nothing speaks for the class is all zeros.

        `maps` and `gradients` are (N, h, w, C); each picture is divided by its own maximum. A method that needs
        maps alone takes no notice of the gradients.

        Raises
        ------
        LumbarError : two shapes, gradients missing where the method needs them, NaN or infinite values.
        """
        check_maps(self.name, maps)
        if self.needs == "gradients":
            if gradients is None or maps.shape != gradients.shape:
                found = "none" if gradients is None else str(gradients.shape)
                raise LumbarError(
                    f"{self.name} was given maps {maps.shape} and gradients {found}, wanted two arrays "
                    "(N, h, w, C) of one shape; take both from the same layer."
                )
            check_maps(self.name, gradients)
        return scaled(weighted_sum(self.weights(maps, gradients), maps))


def check_maps(name: str, maps: np.ndarray) -> None:
    """Raise `LumbarError` for maps that are not (N, h, w, C) or hold NaN or infinite values."""
    if maps.ndim != 4:
        raise LumbarError(
            f"{name} was given maps {maps.shape}, wanted (N, h, w, C); take a layer with spatial extent."
        )
    broken = np.flatnonzero(~np.isfinite(maps).all(axis=(1, 2, 3)))
    if len(broken):
        raise LumbarError(
            f"{name} was given NaN or infinite values for {len(broken)} of {len(maps)} pictures (first in row "
            f"{broken[0]}), wanted numbers; look for missing pixels or a network whose training diverged."
        )


def weighted_sum(weights: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return the sum over the maps, (N, h, w), for weights (N, C) or (N, h, w, C) and maps (N, h, w, C)."""
    if weights.ndim == 2:
        weights = weights[:, None, None, :]
    return (weights * maps).sum(axis=-1)


def scaled(evidence: np.ndarray) -> np.ndarray:
    """Return the positive part of (N, h, w) evidence over each picture's maximum, float32; zeros stay zeros."""
    evidence = np.maximum(evidence, 0.0)
    peak = evidence.max(axis=(1, 2), keepdims=True)
    return np.divide(evidence, peak, out=np.zeros_like(evidence), where=peak > 0).astype(np.float32)


def resized(cells: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return (N, height, width) from (N, h, w) by bilinear interpolation between the middles of the cells."""
    return np.stack([cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR) for each in cells])
