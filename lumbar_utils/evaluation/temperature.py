"""Temperature scaling: one number, fitted on validation pictures, that makes probabilities less or more certain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.calibration import SMALLEST
from lumbar_utils.evaluation.predictions import Predictions

_COLDEST, _HOTTEST = 1e-3, 1e3


def fit_temperature(validation: Predictions) -> float:
    """Return the T > 0 for which softmax(logits / T) has the lowest negative log-likelihood (Guo et al. 2017).

    The log of a probability is the logit less a constant of its row, and softmax does not see the constant,
    so stored probabilities serve as well as logits. The log-likelihood is concave in 1 / T, and its slope is
    followed to zero by bisection. Fit on validation pictures: on the test set it would flatter itself.
    """
    logits = _logits(validation.probabilities)
    rows = np.arange(len(validation))
    own = logits[rows, validation.labels]
    if np.all(own >= logits.max(axis=1)):
        raise LumbarError(
            f"{validation.model}: all {len(validation)} validation pictures are right, so no temperature is low "
            "enough to be the best; fit it on validation pictures of which some are wrong."
        )
    slope = lambda inverse: np.mean((_softmax(logits * inverse) * logits).sum(axis=1) - own)
    if slope(1 / _HOTTEST) >= 0:
        raise LumbarError(
            f"{validation.model}: its probabilities on {len(validation)} validation pictures do no better than "
            "chance, so no temperature is high enough; check that labels and class_names belong together."
        )
    low, high = np.log(1 / _HOTTEST), np.log(1 / _COLDEST)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(np.exp(middle)) < 0 else (low, middle)
    return float(np.exp(-(low + high) / 2))


def with_temperature(predictions: Predictions, temperature: float) -> Predictions:
    """Return the predictions with probabilities softmax(logits / temperature).

    The ranking of the classes within every picture, and so the accuracy, stays as it was. The ranking of
    pictures by one class's probability, and so its AUC, may move a little where there are three classes or more.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise LumbarError(
            f"{predictions.model}: the temperature is {temperature}, wanted a number above 0; take the one that "
            "fit_temperature returns."
        )
    return replace(
        predictions,
        probabilities=tempered(predictions.probabilities, temperature),
        provenance={**predictions.provenance, "temperature": float(temperature)},
    )


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return softmax(logits / temperature) of (N, K) probabilities; the order within a row stays."""
    return _softmax(_logits(probabilities) / temperature)


def _logits(shares: np.ndarray) -> np.ndarray:
    """Return log probabilities; a probability of 0 counts as less than every other, so that no order changes."""
    floor = min(SMALLEST, shares[shares > 0].min() / 2)
    return np.log(np.where(shares > 0, shares, floor))


def _softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)
