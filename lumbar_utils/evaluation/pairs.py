"""All pairs of several models on one test set, with the p values corrected for how many pairs there are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.comparison import check_same_test_set, mcnemar_exact, paired_difference
from lumbar_utils.evaluation.predictions import Predictions


def compare(predictions: dict[str, Predictions], *, n_resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return a row for each pair of models: McNemar's exact test, its p value after Holm, and the difference.

    Columns: first, second; only_first, only_second (pictures that one alone got right); p_value, p_holm;
    difference (accuracy of first minus second), low, high, method (paired bootstrap over patients); test. McNemar
    wants one picture a patient: where patients have several, p_value and p_holm are NaN, `test` says why, and the
    interval, which counts patients, is what remains.
    """
    if len(predictions) < 2:
        raise LumbarError(
            f"there are {len(predictions)} models to compare, wanted two or more; hand in a dict such as "
            "{'CNN': predictions, 'CNN-SVM': others}."
        )
    table = []
    for (first, a), (second, b) in combinations(predictions.items(), 2):
        check_same_test_set(a, b)
        difference = paired_difference(a, b, n_resamples=n_resamples, seed=seed)
        right_a, right_b = a.predicted == a.labels, b.predicted == b.labels
        n_patients = len(np.unique(a.patient_ids))
        alone = n_patients == len(a)
        table.append(
            {
                "first": first,
                "second": second,
                "only_first": int(np.sum(right_a & ~right_b)),
                "only_second": int(np.sum(right_b & ~right_a)),
                "p_value": mcnemar_exact(a, b).p_value if alone else np.nan,
                "difference": difference.value,
                "low": difference.low,
                "high": difference.high,
                "method": difference.method,
                "test": "exact McNemar"
                if alone
                else f"no McNemar: {len(a)} pictures of {n_patients} patients",
            }
        )
    frame = pd.DataFrame(table)
    frame.insert(5, "p_holm", holm(frame["p_value"]))
    return frame


def holm(p_values) -> np.ndarray:
    """Return p values that control the chance of any false finding among all of them (Holm 1979).

    p_values : (M,). The k-th smallest is multiplied by M - k + 1, none falls below a smaller one, none exceeds
    1. NaN stays NaN and does not count.
    """
    p_values = np.asarray(p_values, dtype=float)
    wrong = np.flatnonzero((p_values < 0) | (p_values > 1))
    if len(wrong):
        raise LumbarError(f"p value {wrong[0]} is {p_values[wrong[0]]}, wanted 0 to 1; hand in raw p values.")
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    raised = p_values[order] * np.arange(len(order), 0, -1)
    corrected = np.full(len(p_values), np.nan)
    corrected[order] = np.minimum(1, np.maximum.accumulate(raised))
    return corrected
