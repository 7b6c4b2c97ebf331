"""HiResCAM: Draelos and Carin, Use HiResCAM instead of Grad-CAM for faithful explanations, arXiv 2011.08891."""

import numpy as np

from .base import CAM


class HiResCAM(CAM):
    """Multiplies each cell by its own gradient and averages nothing.

    Where the layers after the maps are linear, the cells add up to the logit (less the bias), which Grad-CAM
    promises only for a head of global average pooling; there the two are the same. The article keeps negative
    evidence; here, as with every method, the positive part is shown.
    """

    name = "hirescam"
    title = "HiResCAM"

    def weights(self, maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        return gradients  # (N, h, w, C)
