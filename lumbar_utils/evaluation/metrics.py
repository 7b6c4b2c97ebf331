"""Scores as plain arithmetic on counts and ranks, each for one sample or for many resamples at once."""

from __future__ import annotations

import numpy as np


def confusion_by_unit(labels, predicted, n_classes: int, units=None, n_units: int = 1) -> np.ndarray:
    """Count the rows by unit, true class and predicted class.

    labels, predicted : (N,) int. units : (N,) int from 0 to `n_units` - 1, or None for one unit.
    Returns (n_units, K, K) int; [u, i, j] rows of unit u have label i and were taken for j.
    """
    units = np.zeros(len(labels), dtype=np.int64) if units is None else units
    cell = (units * n_classes + labels) * n_classes + predicted
    return np.bincount(cell, minlength=n_units * n_classes**2).reshape(n_units, n_classes, n_classes)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Return the share of rows on the diagonal of (..., K, K) counts; (...)."""
    return _ratio(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def class_counts(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hits, labelled rows and predicted rows of each class from (..., K, K) counts; each (..., K)."""
    return np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1), confusion.sum(axis=-2)


def precision_recall_f1(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return precision, recall and F1 of each class from (..., K, K) counts; each (..., K), NaN for 0 / 0."""
    hits, labelled, predicted = class_counts(confusion)
    return _ratio(hits, predicted), _ratio(hits, labelled), _ratio(2 * hits, labelled + predicted)


def averages(by_class: np.ndarray, labelled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the plain (macro) and the support-weighted mean over classes of a score.

    by_class : (..., K), NaN for 0 / 0, which counts as 0 as in scikit-learn. labelled : (..., K) rows of each
    class; a class without rows is left out of both. Returns two (...).
    """
    score, present = np.nan_to_num(by_class), labelled > 0
    macro = _ratio((score * present).sum(axis=-1), present.sum(axis=-1))
    return macro, _ratio((score * labelled).sum(axis=-1), labelled.sum(axis=-1))


def weighted_areas(scores, positive, weights) -> tuple[np.ndarray, np.ndarray]:
    """Return the area under the ROC curve and the average precision of weighted rows.

    scores : (N,). positive : (N,) bool. weights : (B, N), how often each row stands in each of B samples.
    Returns two (B,), NaN where a sample lacks positives or (AUC) negatives. The AUC counts ties half
    (Mann-Whitney): sum_ij w_i w_j ([s_i > s_j] + [s_i = s_j] / 2) / (W+ W-) over positives i and negatives j.
    The average precision is the sum over distinct scores of the gain in recall times the precision there,
    without interpolation.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])  # first row of each distinct score
    ranked = np.ascontiguousarray(weights.T[order])  # (N, B)
    is_positive = positive[order, None]
    positives = np.add.reduceat(ranked * is_positive, starts, axis=0)  # (distinct scores, B)
    negatives = np.add.reduceat(ranked * ~is_positive, starts, axis=0)
    n_positive, n_negative = positives.sum(axis=0), negatives.sum(axis=0)
    below = np.cumsum(negatives, axis=0)
    auc = _ratio((positives * (below - negatives / 2)).sum(axis=0), n_positive * n_negative)
    hits = n_positive - np.cumsum(positives, axis=0) + positives  # positives at this score or above
    alarms = n_negative - below + negatives
    precision = np.nan_to_num(_ratio(hits, hits + alarms))  # no row of the sample is that high: no gain
    return auc, _ratio((positives * precision).sum(axis=0), n_positive)


def areas_by_class(probabilities, labels, weights=None) -> tuple[np.ndarray, np.ndarray]:
    """Return one-vs-rest AUC and average precision of each class: (B, K) for weights (B, N), else (K,)."""
    single = weights is None
    weights = np.ones((1, len(labels))) if single else weights
    pairs = [
        weighted_areas(column, labels == k, weights) for k, column in enumerate(np.transpose(probabilities))
    ]
    auc, precision = (np.stack(columns, axis=1) for columns in zip(*pairs, strict=True))
    return (auc[0], precision[0]) if single else (auc, precision)


def precision_recall_curve(scores, positive) -> tuple[np.ndarray, np.ndarray]:
    """Return recall and precision, (M,) each, from the highest score down, one point a distinct score."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(np.asarray(scores)[order]) < 0, True])
    hits = np.cumsum(positive[order])[ends]
    return hits / max(hits[-1], 1), hits / (ends + 1)


def roc_curve(scores, positive) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates, (M,) each, from (0, 0) to (1, 1), one point a distinct score."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(np.asarray(scores)[order]) < 0, True])  # last row of each score
    hits = np.cumsum(positive[order])[ends]
    alarms = ends + 1 - hits
    return np.r_[0, alarms / max(alarms[-1], 1)], np.r_[0, hits / max(hits[-1], 1)]


def _ratio(numerator, denominator) -> np.ndarray:
    numerator, denominator = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
