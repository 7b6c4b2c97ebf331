"""Score-CAM: Wang et al., Score-CAM: score-weighted visual explanations for CNNs, CVPR Workshops 2020."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..dataset import LumbarError
from .base import CAM, check_maps, resized, scaled, weighted_sum


class ScoreCAM(CAM):
    """Weighs each map by the class's score for the picture seen through that map; no gradient is needed.

    Each map is scaled to [0, 1], enlarged and multiplied with the picture; the softmax over the C scores gives
    the weights (algorithm 1). The article takes the score of a black picture away from each, which a softmax does
    not feel. It costs C runs of the network a picture. A map that is the same everywhere shows no place and
    counts nothing.
    """

    name = "scorecam"
    title = "Score-CAM"
    needs = "scores"

    def weights(self, maps: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Return (N, C) weights from maps (N, h, w, C) and scores (N, C) of the pictures seen through each."""
        varied = np.ptp(maps, axis=(1, 2)) > 0  # (N, C)
        highest = np.max(scores, axis=1, keepdims=True, where=varied, initial=np.finfo(np.float64).min)
        shares = np.where(varied, np.exp(np.minimum(scores - highest, 0.0)), 0.0)
        return shares / np.maximum(shares.sum(axis=1, keepdims=True), 1.0)  # the sum is 1 or more, or 0

    def heat(
        self,
        maps: np.ndarray,
        pictures: np.ndarray,
        score: Callable[[np.ndarray, np.ndarray], np.ndarray],
        *,
        batch_size: int = 64,
    ) -> np.ndarray:
        """Return (N, h, w) float32 in [0, 1].

        Parameters
        ----------
        maps : (N, h, w, C).
        pictures : (N, H, W, channels) float32 as the network takes them; where a map is low they are drawn to 0.
        score : called as score(masked (B, H, W, channels), rows (B,)); returns (B,), the logit of the class of
            picture `rows[b]` for the masked picture b.
        """
        check_maps(self.name, maps)
        if len(pictures) != len(maps) or np.ndim(pictures) != 4:
            raise LumbarError(
                f"{self.name} was given maps of {len(maps)} pictures and pictures {np.shape(pictures)}, wanted as "
                "many, (N, H, W, channels); hand in those that the maps were made from."
            )
        varied = np.ptp(maps, axis=(1, 2)) > 0  # (N, C)
        scores = np.zeros(varied.shape)
        rows, channels = np.nonzero(varied)
        for start in range(0, len(rows), batch_size):
            row, channel = rows[start : start + batch_size], channels[start : start + batch_size]
            masks = _masks(maps[row, :, :, channel], *pictures.shape[1:3])  # (B, H, W)
            scores[row, channel] = score(pictures[row] * masks[..., None], row)
        return scaled(weighted_sum(self.weights(maps, scores), maps))


def _masks(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return (B, h, w) maps enlarged and each scaled from its lowest to its highest value, float32."""
    large = resized(maps.astype(np.float32), height, width)
    low, high = large.min(axis=(1, 2), keepdims=True), large.max(axis=(1, 2), keepdims=True)
    return np.divide(large - low, high - low, out=np.zeros_like(large), where=high > low)
