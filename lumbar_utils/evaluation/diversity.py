"""How differently models err: what an ensemble can gain from its members."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.comparison import check_same_test_set
from lumbar_utils.evaluation.intervals import percentile, proportion, resample_patients
from lumbar_utils.evaluation.predictions import Predictions

MEASURES = ("disagreement", "correlation", "double_fault", "yule_q")


def diversity(members: Sequence[Predictions], *, n_resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return a row for each pair of members, with four measures of how alike they err.

    Columns: first, second; then each measure with `_low` and `_high`; note, which says what has no value or no
    interval, and why. With a, b, c, d the pictures on which both are right, only the first, only the second, and
    neither (Kuncheva and Whitaker 2003, Machine Learning 51:181, table 2):

    disagreement : share of pictures for which the two name different classes, 0 to 1. Kuncheva and Whitaker count
        (b + c) / N, in which two different wrong answers agree.
    correlation : phi coefficient of right and wrong, (a d - b c) / sqrt((a + b)(c + d)(a + c)(b + d)), -1 to 1;
        0 for members that err independently.
    double_fault : d / N, the share of pictures on which both are wrong, whatever they answered.
    yule_q : (a d - b c) / (a d + b c), -1 to 1; of the same sign as the correlation and never nearer to 0.

    The two shares have Wilson's interval where each patient has one picture; all else is a bootstrap over patients.
    Correlation and Q are NaN where a member is never or always wrong.

    Raises
    ------
    LumbarError : fewer than two members, or members with different pictures, orders or classes.
    """
    members = tuple(members)
    if len(members) < 2:
        raise LumbarError(
            f"there are {len(members)} members, wanted two or more; hand in predictions of the same pictures."
        )
    return pd.DataFrame([_pair(*pair, n_resamples, seed) for pair in combinations(members, 2)])


def _pair(first: Predictions, second: Predictions, n_resamples: int, seed: int) -> dict:
    check_same_test_set(first, second)
    patients, patient = np.unique(first.patient_ids, return_inverse=True)
    right, also_right = first.predicted == first.labels, second.predicted == second.labels
    kinds = (
        right & also_right,
        right & ~also_right,
        ~right & also_right,
        ~right & ~also_right,
        first.predicted != second.predicted,
        np.ones(len(first), dtype=bool),
    )
    counts = np.stack([np.bincount(patient, weights=kind) for kind in kinds], axis=1)  # (P, 6)
    drawn = [weights @ counts for weights in resample_patients(len(patients), n_resamples, seed)]
    resampled = _measures(np.concatenate(drawn))
    values = _measures(counts.sum(axis=0))
    rows = counts[:, 5]
    estimates = {
        "disagreement": proportion(counts[:, 4], rows, resampled["disagreement"]),
        "correlation": percentile(float(values["correlation"]), resampled["correlation"], len(patients)),
        "double_fault": proportion(counts[:, 3], rows, resampled["double_fault"]),
        "yule_q": percentile(float(values["yule_q"]), resampled["yule_q"], len(patients)),
    }
    row = {"first": first.model, "second": second.model}
    for name in MEASURES:
        estimate = estimates[name]
        row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return row | {"note": _note(estimates, {first.model: right, second.model: also_right})}


def _measures(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the four measures of (..., 6) counts: a, b, c, d, other answers, pictures; NaN where not defined."""
    a, b, c, d, differ, n = np.moveaxis(counts, -1, 0)
    spread = np.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    return {
        "disagreement": differ / n,
        "correlation": _ratio(a * d - b * c, spread),
        "double_fault": d / n,
        "yule_q": _ratio(a * d - b * c, a * d + b * c),
    }


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full_like(below, np.nan), where=below > 0)


def _note(estimates: dict, right_of: dict[str, np.ndarray]) -> str:
    """Return in words which measures lack a value or an interval; an empty text where none does."""
    constant = [
        f"{name} is {'never' if right.all() else 'always'} wrong"
        for name, right in right_of.items()
        if right.all() or not right.any()
    ]
    if constant:
        return f"correlation and Q not defined: {' and '.join(constant)}"
    without = {name: e.method for name, e in estimates.items() if not np.isfinite(e.low)}
    return "; ".join(f"{name}: {method}" for name, method in without.items())
