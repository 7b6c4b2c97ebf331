"""How a picture lies in what a network sees, whole between black bars or cropped along the spine, and the way back."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cv2
import numpy as np

from .dataset import LumbarError
from .localise import locate
from .sources.pictures import fit_inside, fit_matrix, resample

COLUMN_SIZE = (192, 96)  # (H, W) of the crop that the shipped networks see


@dataclass(frozen=True)
class Frames:
    """N pictures of `shape` (H, W) as a network sees them, before scaling and channels.

    Attributes
    ----------
    pictures : (N, h, w), of the pictures' own type.
    matrices : (N, 2, 3) affines from a picture's pixels (x, y) to those of its frame.
    found : (N,) bool, False where a column was asked for and none was found: that picture is taken whole.
    """

    pictures: np.ndarray
    matrices: np.ndarray
    found: np.ndarray
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows) -> Frames:
        """Return some of the frames, by a slice, a mask or row numbers."""
        return Frames(self.pictures[rows], self.matrices[rows], self.found[rows], self.shape)

    def back(self, cells: np.ndarray) -> np.ndarray:
        """Return (N, H, W) from (N, h', w') cells that cover the frames, such as a heat map's; 0 outside the frame.

        Between the middles of the cells is interpolated.
        """
        height, width = self.pictures.shape[1:]
        whole = np.empty((len(cells), *self.shape), np.float32)
        y, x = np.mgrid[: self.shape[0], : self.shape[1]]
        for row, (cell, matrix) in enumerate(zip(cells, self.matrices, strict=True)):
            frame = cv2.resize(np.asarray(cell, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
            whole[row] = cv2.warpAffine(
                frame,
                matrix,
                self.shape[::-1],
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            across, down = (axis[0] * x + axis[1] * y + axis[2] for axis in matrix)
            outside = (np.abs(across - (width - 1) / 2) > width / 2) | (
                np.abs(down - (height - 1) / 2) > height / 2
            )
            whole[row][outside] = 0.0
        return whole

    def carry(self, label_maps: np.ndarray) -> np.ndarray:
        """Return label maps (N, H, W) moved as the pictures were, (N, h, w), each pixel the nearest one's number."""
        size = self.pictures.shape[2:0:-1]
        pairs = zip(label_maps, self.matrices, strict=True)
        return np.stack(
            [cv2.warpAffine(each, matrix, size, flags=cv2.INTER_NEAREST) for each, matrix in pairs]
        )

    def cells_of(self, maps: np.ndarray, cells: tuple[int, int]) -> np.ndarray:
        """Return (N, h', w') float32: the mean of (N, H, W) `maps` in each of `cells` that cover the frames."""
        size = self.pictures.shape[1:]
        framed = [
            resample(each.astype(np.float32), m, size) for each, m in zip(maps, self.matrices, strict=True)
        ]
        return np.stack([cv2.resize(each, cells[::-1], interpolation=cv2.INTER_AREA) for each in framed])


def frame(images: np.ndarray, size: tuple[int, int], crop: str | None = None) -> Frames:
    """Return (N, H, W) pictures in frames of `size` (h, w).

    crop : None fits the whole picture between black bars; "column" takes the upright column of the spine
        (`Location.crop_matrix`). Where none is found the picture is taken whole, and a warning says how many were.
    """
    if crop not in (None, "column"):
        raise LumbarError(f'crop is {crop!r}, wanted "column" or None; choose one of the two.')
    whole = fit_matrix(images.shape[1:], size)
    framed, matrices, found = [], [], []
    for image in images:
        location = locate(image) if crop else None
        if location is not None and location.found:
            matrix = location.crop_matrix(size)
            framed.append(resample(image, matrix, size))
        else:
            matrix = whole
            framed.append(fit_inside(image, size))
        matrices.append(matrix)
        found.append(location is None or location.found)
    if not all(found):
        warnings.warn(
            f"In {found.count(False)} of {len(images)} pictures no lumbar column was found; these are taken whole.",
            stacklevel=3,
        )
    return Frames(np.stack(framed), np.stack(matrices), np.array(found), tuple(images.shape[1:]))
