"""AUCs of rows that belong together, such as the discs of a patient, and their paired difference without resampling.

Obuchowski (1997), "Nonparametric analysis of clustered ROC curve data", Biometrics 53, 567-578.
"""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.auc import AUCDifference, structural_components
from lumbar_utils.evaluation.intervals import Estimate, normal_quantile, separated_auc


def clustered_auc(positive, scores, clusters) -> Estimate:
    """Return the AUC of (N,) scores with an interval that counts clusters, not rows.

    positive : (N,) bool. clusters : (N,) to whom a row belongs. With one row a cluster this is DeLong's interval.
    Under complete separation the variance is 0; then the interval is that of `separated_auc`.
    """
    positive, (scores,), cluster = _checked(positive, [scores], clusters)
    n = int(cluster.max()) + 1
    value = float(structural_components(scores, positive)[0].mean())
    if value in (0, 1):
        with_class = len(np.unique(cluster[positive]))
        return separated_auc(value, with_class, len(np.unique(cluster[~positive])), n)
    half = normal_quantile() * sqrt(_covariance([scores], positive, cluster)[0, 0])
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), f"Obuchowski, {n} patients")


def paired_clustered_auc(positive, scores_a, scores_b, clusters) -> AUCDifference:
    """Return AUC of a minus AUC of b on the same rows, its interval and the two-sided p value, by clusters."""
    positive, scores, cluster = _checked(positive, [scores_a, scores_b], clusters)
    first, second = (float(structural_components(each, positive)[0].mean()) for each in scores)
    covariance = _covariance(scores, positive, cluster)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    n = int(cluster.max()) + 1
    value = first - second
    if variance < 1e-15:
        return AUCDifference(Estimate(value, np.nan, np.nan, "no interval: every pair ranked alike"), 1.0)
    half = normal_quantile() * sqrt(variance)
    estimate = Estimate(
        value, max(-1.0, value - half), min(1.0, value + half), f"paired, Obuchowski, {n} patients"
    )
    return AUCDifference(estimate, erfc(abs(value) / sqrt(variance) / sqrt(2)))


def _checked(positive, scores, clusters):
    positive, clusters = np.asarray(positive, bool), np.asarray(clusters)
    scores = [np.asarray(each, float) for each in scores]
    shapes = {each.shape for each in (positive, clusters, *scores)}
    if len(shapes) > 1 or positive.ndim != 1:
        raise LumbarError(
            f"labels, scores and clusters have shapes {', '.join(map(str, sorted(shapes)))}, wanted one (N,) for all; "
            "give each row one of each."
        )
    if positive.all() or not positive.any():
        raise LumbarError(
            f"{positive.sum()} of {len(positive)} rows are positive, and an AUC wants some that are and some that are "
            "not; choose another part of the test set."
        )
    for kind, rows in (("with", positive), ("without", ~positive)):
        if len(np.unique(clusters[rows])) < 2:
            raise LumbarError(
                f"the rows {kind} the finding come from one patient, wanted two or more; test on more patients."
            )
    return positive, scores, np.unique(clusters, return_inverse=True)[1]


def _covariance(scores, positive, cluster) -> np.ndarray:
    """Return the (M, M) covariance of the AUCs of M scores: within positives, within negatives, and between them."""
    n_with, n_without, n = positive.sum(), (~positive).sum(), int(cluster.max()) + 1
    with_class, without = [], []
    for each in scores:
        v10, v01 = structural_components(each, positive)
        value = v10.mean()
        with_class.append(np.bincount(cluster[positive], weights=v10 - value, minlength=n))
        without.append(np.bincount(cluster[~positive], weights=v01 - value, minlength=n))
    w, o = np.array(with_class), np.array(without)  # (M, clusters): sums of V - AUC
    n10, n01 = len(np.unique(cluster[positive])), len(np.unique(cluster[~positive]))
    s10 = n10 / ((n10 - 1) * n_with) * w @ w.T
    s01 = n01 / ((n01 - 1) * n_without) * o @ o.T
    s11 = n / (n - 1) * (w @ o.T)
    return s10 / n_with + s01 / n_without + (s11 + s11.T) / (n_with * n_without)
