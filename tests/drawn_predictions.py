"""Predictions drawn from a known world, for tests of scores, intervals and figures."""

import numpy as np

from lumbar_utils.dataset import PAPER4
from lumbar_utils.evaluation import Predictions


def draw(n=300, *, strength=1.6, pictures_a_patient=1, seed=0, n_classes=4, **changes) -> Predictions:
    """Predictions of a model whose right logit is higher by `strength`; the labels do not depend on `seed`."""
    labels = np.random.default_rng(99).choice(n_classes, n)
    logits = np.random.default_rng(seed).normal(size=(n, n_classes))
    logits[np.arange(n), labels] += strength
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    values = {
        "labels": labels,
        "probabilities": shares,
        "class_names": PAPER4[:n_classes],
        "patient_ids": [f"{i // pictures_a_patient:05d}" for i in range(n)],
        "model": "CNN, course size",
        "dataset": "phantom test",
        "measured_on": "phantoms",
        "provenance": {"seed": seed},
    }
    return Predictions(**(values | changes))


def of_labels(labels, predicted, **changes) -> Predictions:
    return draw(len(labels), labels=labels, probabilities=np.eye(4)[predicted], **changes)
