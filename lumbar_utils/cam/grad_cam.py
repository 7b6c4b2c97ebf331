"""Grad-CAM: Selvaraju et al., Grad-CAM: visual explanations from deep networks, ICCV 2017."""

import numpy as np

from .base import CAM


class GradCAM(CAM):
    """Weighs each map by the mean of its gradient (equations 1 and 2 of the article).

    The mean throws away where the gradient was large: a map counts alike in all of its cells.
    """

    name = "gradcam"
    title = "Grad-CAM"

    def weights(self, maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        return gradients.mean(axis=(1, 2))  # (N, C)
