"""The scikit-learn transformer that turns pictures into a table of handcrafted features."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from ..dataset import LumbarError
from ..framing import COLUMN_SIZE, frame
from . import binary_patterns, cooccurrence, gabor, intensity, moments, oriented_gradients

FAMILIES = {  # a family is a module: names(size) and measure(picture) of a (H, W) uint8 picture of that size
    "intensity": intensity,
    "glcm": cooccurrence,
    "lbp": binary_patterns,
    "hog": oriented_gradients,
    "gabor": gabor,
    "hu": moments,
}
WHOLE_SIZE = (128, 128)
LEAST_SIDE = oriented_gradients.BLOCK * oriented_gradients.CELL


class HandcraftedFeatures(TransformerMixin, BaseEstimator):
    """Features that somebody thought of, instead of a network that learned them: texture, edges and shape.

    Nothing is learned, so `transform` works without `fit`. With all families a picture gives 1893 features at
    128 x 128 pixels, in this order:

    - "intensity", 10: mean, standard deviation, skewness, kurtosis, five percentiles, entropy.
    - "glcm", 48: grey-level co-occurrence (Haralick 1973) at 16 levels; angular second moment, contrast,
      correlation and homogeneity at distances of 1, 2 and 4 pixels and four angles.
    - "lbp", 28: uniform local binary patterns (Ojala 2002) with 8 neighbours at 1 pixel and 16 at 2.
    - "hog", 1764: oriented gradients (Dalal and Triggs 2005), 9 orientations in cells of 16 pixels; 1980 at 192 x 96.
    - "gabor", 36: mean and standard deviation at three wavelengths and six orientations (Manjunath and Ma 1996).
    - "hu", 7: moment invariants (Hu 1962) on a logarithmic scale.

    Parameters
    ----------
    families : names out of `FAMILIES`, in the order of the columns.
    size : side in pixels or (height, width) to which pictures are brought first, their proportions kept by black
        bars, so that the table is equally wide for all; by default (128, 128), for the column (192, 96).
    crop : None takes the whole picture, "column" lets the localiser cut out the spine, as `prepare` does.

    In a grid search `Pipeline([("features", HandcraftedFeatures()), …], memory=folder)` computes them once a fold.
    """

    def __init__(
        self,
        families: tuple[str, ...] = tuple(FAMILIES),
        *,
        size: int | tuple[int, int] | None = None,
        crop: str | None = None,
    ):
        self.families = families
        self.size = size
        self.crop = crop

    def fit(self, X: np.ndarray, y=None) -> HandcraftedFeatures:
        """Check parameters and pictures; there is nothing to learn."""
        self._checked_families(), self._checked_size(), _checked_pictures(X)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return (N, F) float64 of pictures X (N, H, W), uint8 or float32 in [0, 1] (rounded to 256 grey values).

        Raises
        ------
        LumbarError : an unknown family, a bad size or crop; no picture, another shape or dtype, values outside.
        """
        families, size, pictures = self._checked_families(), self._checked_size(), _checked_pictures(X)
        if pictures.dtype != np.uint8:
            pictures = np.round(pictures * 255).astype(np.uint8)
        framed = frame(pictures, size, self.crop).pictures
        return np.stack([np.concatenate([family.measure(each) for family in families]) for each in framed])

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Return the names of the columns, (F,) of str; `input_features` is ignored, for pixels have no names."""
        size = self._checked_size()
        return np.array(
            [name for family in self._checked_families() for name in family.names(size)], dtype=object
        )

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        return tags

    def _checked_families(self) -> list:
        names = [self.families] if isinstance(self.families, str) else list(self.families)
        unknown = [name for name in names if name not in FAMILIES]
        if unknown or not names or len(set(names)) < len(names):
            raise LumbarError(
                f"families is {self.families!r}, wanted one or more of {', '.join(FAMILIES)}, each once; "
                'give ("glcm", "lbp"), for instance.'
            )
        return [FAMILIES[name] for name in names]

    def _checked_size(self) -> tuple[int, int]:
        size = self.size
        if size is None:
            size = COLUMN_SIZE if self.crop == "column" else WHOLE_SIZE
        sides = (size, size) if np.ndim(size) == 0 else tuple(size)
        whole = all(isinstance(side, int | np.integer) for side in sides)
        if len(sides) != 2 or not whole or min(sides) < LEAST_SIDE:
            raise LumbarError(
                f"size is {self.size!r}, wanted a side in pixels or (height, width) of at least {LEAST_SIDE}; give "
                f"128 or {COLUMN_SIZE}."
            )
        return int(sides[0]), int(sides[1])


def _checked_pictures(X) -> np.ndarray:
    pictures = np.asarray(X)
    if pictures.ndim != 3 or 0 in pictures.shape or pictures.dtype not in (np.uint8, np.float32):
        raise LumbarError(
            f"The pictures are {pictures.dtype} of shape {pictures.shape}, wanted (N, height, width) of uint8, or of "
            "float32 between 0 and 1, and at least one; give dataset.images, and picture[None] for a single picture."
        )
    if pictures.dtype == np.float32:
        low, high = pictures.min(axis=(1, 2)), pictures.max(axis=(1, 2))
        wrong = np.flatnonzero(~((low >= 0) & (high <= 1)))  # a NaN makes both comparisons false
        if len(wrong):
            raise LumbarError(
                f"{len(wrong)} of {len(pictures)} pictures hold values outside 0 to 1 or missing ones (row {wrong[0]}: "
                f"{low[wrong[0]]:g} to {high[wrong[0]]:g}); rescale or repair them first."
            )
    return pictures
