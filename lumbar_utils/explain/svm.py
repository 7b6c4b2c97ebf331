"""The decision values of a CNN-SVM hybrid as a function of the network's features that TensorFlow can follow back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..dataset import LumbarError


def decision_values(pipeline, n_features: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function from features (N, F) to the value of each class (N, K) in float64.

    With two classes the values are minus and plus the SVM's decision value. With more, scikit-learn's SVC holds one
    machine for each pair of classes, and the value of a class is the sum of its K - 1 decision values: smooth,
    while the votes in `SVC.decision_function` jump.

    pipeline : StandardScaler, perhaps PCA, then an SVC with a linear kernel (exact, the gradient is the same
    everywhere) or an RBF kernel (the gradient at each picture). n_features : F.

    Raises
    ------
    LumbarError : another step or kernel, or features that do not all come from the network.
    """
    *steps, svm = [step for _, step in pipeline.steps]
    _check(steps, svm, pipeline.n_features_in_, n_features)
    pairs, coefficients, intercepts = _pairwise_machines(svm)

    def values(features: tf.Tensor) -> tf.Tensor:
        x = tf.cast(features, tf.float64)
        for step in steps:
            x = (x - step.mean_) / step.scale_ if isinstance(step, StandardScaler) else _project(x, step)
        kernel = _kernel(x, svm)  # (N, support vectors)
        by_pair = tf.matmul(kernel, coefficients.T) + intercepts  # (N, pairs); above 0 means the pair's first
        return tf.matmul(by_pair, pairs)  # (N, K)

    return values


def _check(steps, svm, n_learned: int, n_features: int) -> None:
    foreign = [type(step).__name__ for step in steps if not isinstance(step, StandardScaler | PCA)]
    whitened = any(isinstance(step, PCA) and step.whiten for step in steps)
    if foreign or whitened or not isinstance(svm, SVC):
        found = ", ".join(foreign) or ("a whitening PCA" if whitened else type(svm).__name__)
        raise LumbarError(
            f"The hybrid's pipeline holds {found}, wanted StandardScaler, perhaps PCA, and an SVC; explain its network "
            "alone with explain(classifier.network_, …)."
        )
    if svm.kernel not in ("linear", "rbf"):
        raise LumbarError(
            f"The hybrid's SVM has a {svm.kernel!r} kernel, wanted 'linear' or 'rbf', whose decision value can be "
            "followed back; explain its network alone with explain(classifier.network_, …)."
        )
    if n_learned != n_features:
        raise LumbarError(
            f"The hybrid's SVM learned from {n_learned} features and its network gives {n_features}; a heat map "
            "follows the network's alone, so explain a hybrid without handcrafted features, or classifier.network_."
        )


def _pairwise_machines(svm: SVC) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs (P, K) of +1, -1 and 0, the coefficients (P, support vectors) and intercepts (P,) of each pair.

    libsvm keeps for a support vector of class i the coefficient against class j in row j, or j - 1 if j > i.
    """
    n_classes = len(svm.classes_)
    if n_classes == 2:  # scikit-learn turns the sign of a single machine: above 0 means the second class
        return np.array([[-1.0, 1.0]]), np.asarray(svm.dual_coef_), svm.intercept_
    owner = np.repeat(np.arange(n_classes), svm.n_support_)
    couples = list(combinations(range(n_classes), 2))
    pairs, coefficients = np.zeros((len(couples), n_classes)), np.zeros((len(couples), len(owner)))
    for row, (first, second) in enumerate(couples):
        pairs[row, first], pairs[row, second] = 1.0, -1.0
        coefficients[row, owner == first] = svm.dual_coef_[second - 1, owner == first]
        coefficients[row, owner == second] = svm.dual_coef_[first, owner == second]
    return pairs, coefficients, svm.intercept_


def _project(x: tf.Tensor, pca: PCA) -> tf.Tensor:
    return tf.matmul(x - pca.mean_.astype(np.float64), pca.components_.T.astype(np.float64))


def _kernel(x: tf.Tensor, svm: SVC) -> tf.Tensor:
    """Return the kernel between (N, F) features and the support vectors, (N, support vectors)."""
    vectors = svm.support_vectors_.astype(np.float64)
    products = tf.matmul(x, vectors.T)
    if svm.kernel == "linear":
        return products
    # SVC keeps what gamma="scale" came to in `_gamma` alone
    squared = tf.reduce_sum(x**2, axis=1, keepdims=True) + (vectors**2).sum(axis=1) - 2.0 * products
    return tf.exp(-svm._gamma * squared)
