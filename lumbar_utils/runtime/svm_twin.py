"""A support vector machine as plain arrays: its calibrated probabilities without scikit-learn, which takes 90 MB."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path

import numpy as np

from ..paths import write_whole

TWIN = "svm.npz"


@dataclass(frozen=True)
class SVMTwin:
    """What scikit-learn's StandardScaler, SVC (RBF kernel, K classes, K > 2) and sigmoid calibration learned.

    S support vectors in F features; those of class 0 come first, then those of class 1, and so on.

    Attributes
    ----------
    mean, scale : (F,) of the features. vectors : (S, F), standardised. coefficients : (K - 1, S), libsvm's dual
        coefficients. intercepts : (K (K - 1) / 2,), a pair of classes each. counts : (K,) support vectors a class.
    gamma : () of the kernel. slopes, offsets : (K,) of the sigmoids.
    """

    mean: np.ndarray
    scale: np.ndarray
    vectors: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray
    counts: np.ndarray
    gamma: np.ndarray
    slopes: np.ndarray
    offsets: np.ndarray

    @classmethod
    def load(cls, file: Path) -> SVMTwin:
        with np.load(file, allow_pickle=False) as content:
            return cls(**{field.name: content[field.name] for field in fields(cls)})

    def save(self, file: Path) -> None:
        content = io.BytesIO()
        np.savez_compressed(content, **{field.name: getattr(self, field.name) for field in fields(self)})
        write_whole(file, content.getbuffer())

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return (N, K) probabilities for features (N, F): each class's sigmoid, scaled to sum 1 (Platt 1999)."""
        shares = 1 / (1 + np.exp(self.slopes * self.decision_function(features) + self.offsets))
        total = shares.sum(axis=1, keepdims=True)
        return np.divide(shares, total, out=np.full_like(shares, 1 / len(self.counts)), where=total > 0)

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        """Return (N, K): the duels that a class wins, and to break ties the squashed sum of its margins."""
        x = (features - self.mean) / self.scale
        squared = (x**2).sum(axis=1)[:, None] + (self.vectors**2).sum(axis=1) - 2 * x @ self.vectors.T
        kernel = np.exp(-self.gamma * squared)  # (N, S)
        n_classes, ends = len(self.counts), np.cumsum(self.counts)
        rows = [slice(end - count, end) for end, count in zip(ends, self.counts, strict=True)]
        votes, margins = np.zeros((len(x), n_classes)), np.zeros((len(x), n_classes))
        for (i, j), intercept in zip(combinations(range(n_classes), 2), self.intercepts, strict=True):
            margin = (
                kernel[:, rows[i]] @ self.coefficients[j - 1, rows[i]]
                + kernel[:, rows[j]] @ self.coefficients[i, rows[j]]
                + intercept
            )  # positive for class i
            votes[:, i] += margin >= 0
            votes[:, j] += margin < 0
            margins[:, i] += margin
            margins[:, j] -= margin
        return votes + margins / (3 * (np.abs(margins) + 1))
