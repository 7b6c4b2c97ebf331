"""Whether two models differ over repeated folds, whose scores are not independent: they share training data."""

from __future__ import annotations

from math import atan, cos, isfinite, pi, sin, sqrt
from typing import NamedTuple

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.intervals import LEVEL, Estimate


class CorrectedT(NamedTuple):
    """Mean difference of scores with its interval, t, its degrees of freedom and the two-sided p value."""

    difference: Estimate
    t: float
    degrees: int
    p_value: float


def corrected_resampled_t(scores_a, scores_b, *, n_train: int, n_test: int) -> CorrectedT:
    """Return the corrected resampled t-test of two models (Nadeau and Bengio 2003).

    scores_a, scores_b : (J,) scores of both on the same J folds, J = folds x repeats. n_train, n_test : patients
    that a fold trains on and is tested on. The plain t-test divides the variance by J as if the folds were
    independent, and finds differences where there are none; here its 1 / J becomes 1 / J + n_test / n_train.
    """
    a, b = np.asarray(scores_a, dtype=float), np.asarray(scores_b, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
        raise LumbarError(
            f"the scores have the shapes {a.shape} and {b.shape}, wanted one score of both models for each of two or "
            "more folds; hand in two lists of the same length."
        )
    if not np.isfinite(a - b).all():
        raise LumbarError(
            f"fold {np.flatnonzero(~np.isfinite(a - b))[0]} has a score that is not a number; leave that fold out of "
            "both lists, or make folds that hold every class."
        )
    if n_train < 1 or n_test < 1:
        raise LumbarError(
            f"a fold of {n_train} patients for training and {n_test} for testing is none; give counts of 1 or more."
        )
    gaps = a - b
    value, degrees = float(gaps.mean()), len(gaps) - 1
    error = sqrt(gaps.var(ddof=1) * (1 / len(gaps) + n_test / n_train))
    method = f"corrected resampled t, {len(gaps)} folds"
    if error == 0:
        if value:
            raise LumbarError(
                f"all {len(gaps)} folds differ by exactly {value:.3g}, which leaves no spread to test against; check "
                "that the scores are of different folds."
            )
        return CorrectedT(
            Estimate(0.0, np.nan, np.nan, f"no interval: equal in all {len(gaps)} folds"), 0.0, degrees, 1.0
        )
    t, reach = value / error, t_quantile(degrees) * error
    return CorrectedT(
        Estimate(value, value - reach, value + reach, method), t, degrees, t_p_value(t, degrees)
    )


def t_p_value(t: float, degrees: int) -> float:
    """Return the two-sided p value of Student's t with whole degrees of freedom.

    Finite sums of Abramowitz and Stegun (1964), 26.7.3 and 26.7.4; they cancel for p values under 1e-12.
    """
    angle = atan(abs(t) / sqrt(degrees))
    cosine = cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(1 if odd else 0, degrees - 1, 2):
        total += term
        term *= cosine**2 * (k + 1) / (k + 2)
    inside = 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
    return min(1.0, max(0.0, 1 - inside)) if isfinite(t) else 0.0


def t_quantile(degrees: int, level: float = LEVEL) -> float:
    """Return how many standard errors a two-sided interval of this level reaches to each side."""
    low, high = 0.0, 1e4
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if t_p_value(middle, degrees) > 1 - level else (low, middle)
    return (low + high) / 2
