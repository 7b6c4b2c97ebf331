"""Whether probabilities mean what they say: Brier score, log-likelihood, calibration error, reliability by bins."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.intervals import LEVEL, proportion, resample_patients
from lumbar_utils.evaluation.predictions import Predictions

N_BINS = 10
SMALLEST = 5e-6  # half the last stored decimal: a probability stored as 0 may have been this


def brier_by_row(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return sum_k (p_k - [label = k])^2 of each row, (N,) from 0 to 2 (Brier 1950); their mean is the score."""
    return ((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1)


def nll_by_row(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return minus the natural log of the probability of the true class, (N,), probabilities under 5e-6 as that."""
    return -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], SMALLEST))


def bin_counts(predictions: Predictions, units=None, n_units: int = 1, n_bins: int = N_BINS) -> np.ndarray:
    """Return (n_units, 3, n_bins): rows, summed confidence and right answers in each bin of each unit.

    The confidence is the highest probability of a row; bin b holds those in (b / n_bins, (b + 1) / n_bins].
    """
    if n_bins < 1:
        raise LumbarError(f"{predictions.model}: {n_bins} bins cannot hold probabilities; ask for 1 or more.")
    units = np.zeros(len(predictions), dtype=np.int64) if units is None else units
    confidence = predictions.probabilities.max(axis=1)
    right = predictions.predicted == predictions.labels
    cell = units * n_bins + _bins(confidence, n_bins)
    sums = [
        np.bincount(cell, weights=weights, minlength=n_units * n_bins).reshape(n_units, n_bins)
        for weights in (None, confidence, right)
    ]
    return np.stack(sums, axis=1).astype(float)


def calibration_error(counts: np.ndarray) -> np.ndarray:
    """Return the expected calibration error of (..., 3, n_bins) counts: sum_b n_b / N |accuracy_b - confidence_b|.

    Guo et al. (2017), equation 3. It depends on the bins, and chance alone makes it larger than 0.
    """
    rows, confidence, right = np.moveaxis(counts, -2, 0)
    return np.abs(right - confidence).sum(axis=-1) / rows.sum(axis=-1)


def reliability(
    predictions: Predictions, *, n_bins: int = N_BINS, n_resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Return a row for each bin that holds pictures: what the model claimed and how often it was right.

    Columns: from, to, pictures, patients, confidence (mean), accuracy, accuracy_low, accuracy_high, method. The
    interval is Wilson's where no patient counts twice in the bin, else a bootstrap over patients.
    """
    patients, patient = np.unique(predictions.patient_ids, return_inverse=True)
    by_patient = bin_counts(predictions, patient, len(patients), n_bins)  # (P, 3, bins)
    flat = by_patient.reshape(len(patients), -1)
    resampled = np.concatenate([w @ flat for w in resample_patients(len(patients), n_resamples, seed)])
    drawn_rows, _, drawn_right = np.moveaxis(resampled.reshape(-1, 3, n_bins), 1, 0)
    shares = np.divide(drawn_right, drawn_rows, out=np.full_like(drawn_rows, np.nan), where=drawn_rows > 0)
    table = []
    for b in np.flatnonzero(by_patient[:, 0].sum(axis=0)):
        rows, confidence, right = by_patient[:, :, b].T
        accuracy = proportion(right, rows, shares[:, b])
        table.append(
            {
                "from": b / n_bins,
                "to": (b + 1) / n_bins,
                "pictures": int(rows.sum()),
                "patients": int((rows > 0).sum()),
                "confidence": confidence.sum() / rows.sum(),
                "accuracy": accuracy.value,
                "accuracy_low": accuracy.low,
                "accuracy_high": accuracy.high,
                "method": accuracy.method,
            }
        )
    return pd.DataFrame(table)


def error_if_calibrated(
    predictions: Predictions, *, n_bins: int = N_BINS, n_draws: int = 500, seed: int = 0
) -> float:
    """Return the calibration error that a perfectly calibrated model stays under in 95 of 100 such test sets.

    Right and wrong are drawn as often as the confidences say, one draw a patient (consistency resampling,
    Bröcker and Smith 2007). An error below this one is no sign of miscalibration.
    """
    patients, patient = np.unique(predictions.patient_ids, return_inverse=True)
    confidence = predictions.probabilities.max(axis=1)
    in_bin = np.eye(n_bins)[_bins(confidence, n_bins)]  # (N, bins)
    drawn = np.random.default_rng(seed).random((n_draws, len(patients)))[:, patient] < confidence
    gaps = np.abs((drawn - confidence) @ in_bin).sum(axis=1) / len(predictions)
    return float(np.quantile(gaps, LEVEL))


def _bins(confidence: np.ndarray, n_bins: int) -> np.ndarray:
    return np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)
