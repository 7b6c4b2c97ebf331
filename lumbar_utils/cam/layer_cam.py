"""LayerCAM: Jiang et al., LayerCAM: exploring hierarchical class activation maps, IEEE Trans Image Process 2021."""

import numpy as np

from .base import CAM


class LayerCAM(CAM):
    """Multiplies each cell by the positive part of its own gradient (equations 5 and 6).

    Unlike HiResCAM, a map that speaks against the class takes nothing away. Made for early layers too, whose
    gradients change from cell to cell.
    """

    name = "layercam"
    title = "LayerCAM"

    def weights(self, maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        return np.maximum(gradients, 0.0)  # (N, h, w, C)
