"""Scores of one heat map (H, W) against a mask (H, W), each a plain number.

A map of zeros says nothing about the place, and is scored as one that is equally hot everywhere: what is equally
hot counts in equal parts, so that such a map gets exactly what chance gives.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..dataset import FIRST_DISC, MAX_LEVELS

REACH = 0.75  # of the distance from level to level: as far as the ligamentum flavum behind the sac
LEAST_SHARE = 0.1  # of a lesion's pixels: a level that holds less is not one of its levels


def dilated(mask: np.ndarray, tolerance_px: int) -> np.ndarray:
    """Return the pixels no further than `tolerance_px` from the mask (Euclidean)."""
    if tolerance_px == 0 or not mask.any():
        return mask
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= tolerance_px


def pointing(heat: np.ndarray, mask: np.ndarray) -> float:
    """Return 1 if the hottest pixel lies in the mask, else 0 (pointing game, Zhang et al. 2018).

    Of several equally hot pixels the share in the mask counts. Hand in a `dilated` mask for a tolerance.
    """
    return float(mask[heat == heat.max()].mean())


def energy(heat: np.ndarray, mask: np.ndarray) -> float:
    """Return the share of all heat that lies in the mask (energy-based pointing game, Wang et al. 2020)."""
    total = heat.sum(dtype=np.float64)
    return float(heat[mask].sum(dtype=np.float64) / total) if total > 0 else float(mask.mean())


def iou(heat: np.ndarray, mask: np.ndarray, threshold: float) -> float:
    """Return intersection over union of the mask and the pixels of at least `threshold` times the map's maximum."""
    chosen = heat >= threshold * heat.max()
    return float((chosen & mask).sum() / (chosen | mask).sum())


def auprc(heat: np.ndarray, mask: np.ndarray) -> float:
    """Return the area under the precision-recall curve over pixels: average precision, ties at one point."""
    order = np.argsort(-heat, axis=None)
    values, hits = heat.ravel()[order], np.cumsum(mask.ravel()[order])
    ends = np.flatnonzero(np.r_[values[1:] != values[:-1], True])  # last pixel of each value
    found = hits[ends]
    return float((np.diff(found, prepend=0) * found / (ends + 1)).sum() / found[-1])


def level_zones(label_map: np.ndarray) -> np.ndarray:
    """Return (H, W) int: the number of the nearest disc in `MASK_LABELS`, or 0 where none is near.

    Near is within `REACH` of the median distance between the middles of neighbouring discs. A lesion lies beside its
    disc or behind it, so a disc's zone and not the disc alone stands for its level.
    """
    discs = np.where((label_map >= FIRST_DISC) & (label_map < FIRST_DISC + MAX_LEVELS), label_map, 0)
    numbers = np.unique(discs[discs > 0])
    if len(numbers) == 0:
        return np.zeros(label_map.shape, np.int32)
    middles = np.array([np.argwhere(discs == number).mean(axis=0) for number in numbers])
    steps = np.linalg.norm(np.diff(middles, axis=0), axis=1) / np.diff(numbers)
    reach = REACH * np.median(steps) if len(steps) else np.inf
    free = (discs == 0).astype(np.uint8)
    distance, owner = cv2.distanceTransformWithLabels(
        free, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number_of = np.zeros(owner.max() + 1, np.int32)
    number_of[owner[free == 0]] = discs[free == 0]
    return np.where(distance <= reach, number_of[owner], 0)


def lesion_levels(mask: np.ndarray, zones: np.ndarray) -> np.ndarray:
    """Return the numbers of the discs in whose zones the lesion lies, each with `LEAST_SHARE` of its pixels."""
    numbers, counts = np.unique(zones[mask & (zones > 0)], return_counts=True)
    return numbers[counts >= LEAST_SHARE * counts.sum()] if len(numbers) else numbers


def level_hit(heat: np.ndarray, mask: np.ndarray, zones: np.ndarray) -> float:
    """Return 1 if the disc level with the highest mean heat is one of the lesion's, else 0.

    Of several equally hot levels the share of the lesion's counts. NaN where the lesion lies near no disc.
    """
    wanted, numbers = lesion_levels(mask, zones), np.unique(zones[zones > 0])
    if len(wanted) == 0:
        return np.nan
    means = np.array([heat[zones == number].mean(dtype=np.float64) for number in numbers])
    hottest = numbers[np.isclose(means, means.max(), rtol=1e-9, atol=0)]
    return float(np.isin(hottest, wanted).mean())
