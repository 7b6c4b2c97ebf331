"""Whether two models differ on the same pictures."""

from __future__ import annotations

from math import comb
from typing import NamedTuple

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.intervals import Estimate, percentile, resample_patients, wilson
from lumbar_utils.evaluation.predictions import Predictions


class McNemar(NamedTuple):
    """Pictures that only the first, only the second model got right, and the exact two-sided p value."""

    only_first: int
    only_second: int
    p_value: float


def paired_difference(
    predictions_a: Predictions, predictions_b: Predictions, *, n_resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Return the accuracy of a minus that of b with a paired bootstrap over patients.

    Both must hold the same pictures in the same order. Where the two are right and wrong together for every
    picture, the bootstrap shrinks to 0; then Wilson's limit for the share of patients on whom they differ is
    taken on both sides.
    """
    right_a, right_b = _both_right(predictions_a, predictions_b)
    patients, patient = np.unique(predictions_a.patient_ids, return_inverse=True)
    gain = right_a.astype(int) - right_b.astype(int)  # (N,) 1, 0 or -1
    value = float(gain.mean())
    if not gain.any():
        limit = wilson(0, len(patients))[1]
        return Estimate(value, -limit, limit, f"never apart; Wilson, 0 of {len(patients)} patients apart")
    gains = np.bincount(patient, weights=gain)  # (P,)
    rows = np.bincount(patient)
    blocks = [(w @ gains) / (w @ rows) for w in resample_patients(len(patients), n_resamples, seed)]
    return percentile(value, np.concatenate(blocks), len(patients))


def mcnemar_exact(predictions_a: Predictions, predictions_b: Predictions) -> McNemar:
    """Return McNemar's exact test: do the pictures on which one model alone is right favour one of them?

    Under no difference each such picture falls to either side like a fair coin, so the p value is twice the
    binomial tail. Rows must be independent: one row a patient, else `LumbarError`.
    """
    right_a, right_b = _both_right(predictions_a, predictions_b)
    check_one_picture_a_patient(predictions_a, "McNemar's test", "paired_difference")
    only_a, only_b = int(np.sum(right_a & ~right_b)), int(np.sum(right_b & ~right_a))
    return McNemar(only_a, only_b, mcnemar_p_value(only_a, only_b))


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p value of the counts on which one model alone is right."""
    apart = only_first + only_second
    tail = sum(comb(apart, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**apart)


def check_one_picture_a_patient(predictions: Predictions, what: str, instead: str) -> None:
    """Raise `LumbarError` where a patient has several pictures, which are not independent."""
    n_patients = len(np.unique(predictions.patient_ids))
    if n_patients < len(predictions):
        raise LumbarError(
            f"{what} wants one picture a patient, and there are {len(predictions)} pictures of {n_patients} "
            f"patients; use {instead}, or average copies first with average_copies."
        )


def check_same_test_set(a: Predictions, b: Predictions) -> None:
    """Raise `LumbarError` where two models were not tested on the same pictures in the same order."""
    same = (
        a.class_names == b.class_names
        and np.array_equal(a.patient_ids, b.patient_ids)
        and np.array_equal(a.labels, b.labels)
    )
    if not same:
        raise LumbarError(
            f"{a.model} ({len(a)} rows) and {b.model} ({len(b)} rows) were not tested on the same pictures in the "
            "same order; compare only models with the same test set."
        )


def _both_right(a: Predictions, b: Predictions) -> tuple[np.ndarray, np.ndarray]:
    check_same_test_set(a, b)
    return a.predicted == a.labels, b.predicted == b.labels
