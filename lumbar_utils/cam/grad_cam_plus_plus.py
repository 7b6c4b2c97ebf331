"""Grad-CAM++: Chattopadhay et al., Grad-CAM++: improved visual explanations for deep networks, WACV 2018."""

import numpy as np

from .base import CAM


class GradCAMPlusPlus(CAM):
    """Weighs each map by a weighted sum of its positive gradients, so that several small findings count as one large.

    With the class's score taken as exp(logit), the cell's share is g² / (2 g² + g³ ΣA) (equation 19), here
    divided by g²: no small constant is needed, which would drown gradients of 1e-4. The factor exp(logit) is the
    same for all maps of a picture and falls out when the heat is scaled. The article assumes maps after a ReLU;
    where negative maps make the denominator 0 or less, the cell counts nothing.
    """

    name = "gradcam++"
    title = "Grad-CAM++"

    def weights(self, maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        denominator = 2.0 + gradients * maps.sum(axis=(1, 2), keepdims=True)  # (N, h, w, C)
        share = np.divide(1.0, denominator, out=np.zeros_like(denominator), where=denominator > 0)
        return (share * np.maximum(gradients, 0.0)).sum(axis=(1, 2))  # (N, C)
