"""Standard errors and tests of the area under the ROC curve without resampling: DeLong, and Hanley and McNeil."""

from __future__ import annotations

from math import erfc, sqrt
from typing import NamedTuple

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.comparison import check_one_picture_a_patient, check_same_test_set
from lumbar_utils.evaluation.intervals import Estimate, normal_quantile, separated_auc, wilson
from lumbar_utils.evaluation.predictions import Predictions


class AUCDifference(NamedTuple):
    """AUC of the first model minus that of the second, its interval, and the two-sided p value."""

    difference: Estimate
    p_value: float


def delong(predictions: Predictions, class_name: str) -> Estimate:
    """Return the AUC of one class against the others with DeLong's interval (DeLong et al. 1988).

    Rows must be independent: one picture a patient. Under complete separation the variance is 0; then the
    interval is that of `separated_auc`.
    """
    scores, positive = _one_against_rest(predictions, class_name)
    value = float(structural_components(scores, positive)[0].mean())
    if value in (0, 1):
        return separated_auc(value, int(positive.sum()), int((~positive).sum()), len(positive))
    if min(positive.sum(), (~positive).sum()) < 2:
        return Estimate(value, np.nan, np.nan, f"no interval: one picture with or without {class_name}")
    return _around(value, sqrt(_covariance([scores], positive)[0, 0]), 0, f"DeLong, {len(positive)} patients")


def paired_delong(predictions_a: Predictions, predictions_b: Predictions, class_name: str) -> AUCDifference:
    """Return DeLong's test of two AUCs of one class on the same patients.

    Where the two models rank every pair of patients alike, the variance of the difference is 0; then Wilson's
    limit for the share of disjoint pairs of patients that they may rank differently is taken on both sides.
    """
    check_same_test_set(predictions_a, predictions_b)
    scores_a, positive = _one_against_rest(predictions_a, class_name)
    scores_b, _ = _one_against_rest(predictions_b, class_name)
    first, second = (structural_components(s, positive)[0].mean() for s in (scores_a, scores_b))
    value, pairs = float(first - second), int(min(positive.sum(), (~positive).sum()))
    covariance = _covariance([scores_a, scores_b], positive) if pairs > 1 else np.full((2, 2), np.nan)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    if np.isnan(variance):
        method = f"no interval: one picture with or without {class_name}"
        return AUCDifference(Estimate(value, np.nan, np.nan, method), np.nan)
    if variance < 1e-15:
        limit = wilson(0, pairs)[1]
        method = f"every pair ranked alike; Wilson, 0 of {pairs} disjoint pairs of patients"
        return AUCDifference(Estimate(value, -limit, limit, method), 1.0)
    method = f"paired DeLong, {len(positive)} patients"
    return AUCDifference(
        _around(value, sqrt(variance), -1, method), erfc(abs(value) / sqrt(variance) / sqrt(2))
    )


def structural_components(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of negatives below each positive and of positives above each negative, ties half.

    Both have the AUC as their mean (DeLong et al. 1988, equations for V10 and V01).
    """
    with_class, without = np.sort(scores[positive]), np.sort(scores[~positive])
    below = np.searchsorted(without, scores[positive], "left") + np.searchsorted(
        without, scores[positive], "right"
    )
    above = np.searchsorted(with_class, scores[~positive], "left") + np.searchsorted(
        with_class, scores[~positive], "right"
    )
    return below / (2 * len(without)), 1 - above / (2 * len(with_class))


def hanley_mcneil_se(auc: float, n_with: int, n_without: int) -> float:
    """Return the standard error of an AUC that one can only read (Hanley and McNeil 1982, equation 2).

    It assumes exponential scores; it serves to plan a study or to judge a published AUC, and is 0 for an AUC of 1.
    """
    if not (0 <= auc <= 1 and n_with > 0 and n_without > 0):
        raise LumbarError(
            f"an AUC of {auc} with {n_with} pictures of the class and {n_without} others has no standard error; "
            "give an AUC from 0 to 1 and counts above 0."
        )
    two_with, two_without = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (n_with - 1) * (two_with - auc**2) + (n_without - 1) * (two_without - auc**2)
    return sqrt(spread / (n_with * n_without))


def _one_against_rest(predictions: Predictions, class_name: str) -> tuple[np.ndarray, np.ndarray]:
    check_one_picture_a_patient(predictions, "DeLong's interval", "evaluate")
    if class_name not in predictions.class_names:
        raise LumbarError(
            f"{predictions.model}: there is no class {class_name}, only {', '.join(predictions.class_names)}; "
            "name one of these."
        )
    k = predictions.class_names.index(class_name)
    positive = predictions.labels == k
    if positive.all() or not positive.any():
        raise LumbarError(
            f"{predictions.model}: {positive.sum()} of {len(positive)} pictures are labelled {class_name}, and an "
            "AUC wants some with and some without; choose another class or test set."
        )
    return predictions.probabilities[:, k], positive


def _covariance(scores, positive) -> np.ndarray:
    """Return the (M, M) covariance of the AUCs of M scores on the same rows."""
    components = [structural_components(s, positive) for s in scores]
    parts = (np.atleast_2d(np.cov(rows)) / len(rows[0]) for rows in zip(*components, strict=True))
    return sum(parts)


def _around(value: float, error: float, lowest: float, method: str) -> Estimate:
    half = normal_quantile() * error
    return Estimate(value, max(lowest, value - half), min(1.0, value + half), method)
