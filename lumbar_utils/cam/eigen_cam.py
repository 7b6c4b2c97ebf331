"""Eigen-CAM: Muhammad and Yeasin, Eigen-CAM: class activation map using principal components, IJCNN 2020."""

import numpy as np

from .base import CAM


class EigenCAM(CAM):
    """Projects each cell's C values on the first right singular vector of the (cells x C) matrix.

    It knows no class and no gradient: it shows what the layer responds to most, whatever the answer. As in the
    article the matrix is not centred. A singular vector has no sign of its own; it is turned so that the
    projections add up to a positive number.
    """

    name = "eigencam"
    title = "Eigen-CAM"
    needs = "maps"

    def weights(self, maps: np.ndarray, gradients: np.ndarray | None = None) -> np.ndarray:
        cells = maps.reshape(len(maps), -1, maps.shape[-1]).astype(np.float64)  # (N, h w, C)
        # the singular vector by the smaller of the two Gram matrices' eigenvectors
        if cells.shape[1] < cells.shape[2]:
            left = np.linalg.eigh(cells @ cells.transpose(0, 2, 1))[1][..., -1]  # (N, h w)
            vector = np.einsum("np,npc->nc", left, cells)
            length = np.linalg.norm(vector, axis=1, keepdims=True)
            vector = np.divide(vector, length, out=np.zeros_like(vector), where=length > 0)
        else:
            vector = np.linalg.eigh(cells.transpose(0, 2, 1) @ cells)[1][..., -1]  # (N, C)
        total = np.einsum("npc,nc->n", cells, vector)
        return np.where(total < 0, -1.0, 1.0)[:, None] * vector
