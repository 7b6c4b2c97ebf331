"""Joins what a network sees in the picture with what the clinical table says: late, by probabilities, or in between.

Late fusion needs two finished models and no picture; intermediate fusion trains a head on the image network's features
and the table together. Both answer a patient without a table.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import pandas as pd
from keras import layers, ops
from scipy.optimize import minimize

from ..dataset import PAPER4, LumbarError
from ..evaluation.calibration import SMALLEST
from ..evaluation.ensembles import Ensemble
from ..training import fit
from .clinical_table import marked_features

Fold = tuple[np.ndarray, pd.DataFrame, np.ndarray]  # features (N, F), table (N, C), labels (N,)


def product_of_experts(
    probabilities: np.ndarray,
    prior: np.ndarray,
    *,
    priors: Sequence[np.ndarray | None] | None = None,
    exponents: Sequence[float] | None = None,
) -> np.ndarray:
    """Return (N, K) shares of P(k) · prod_m (P_m(k) / prior_m(k)) ** exponent_m.

    Parameters
    ----------
    probabilities : (M, N, K) of M models. prior : (K,) shares of the classes in the clinic.
    priors : (K,) shares that a model's probabilities take for granted, or None for those of the clinic.
    exponents : (M,), by default 1.
    """
    evidence = _evidence(probabilities, prior, priors)
    return _softmax(
        np.log(prior) + np.tensordot(np.ones(len(evidence)) if exponents is None else exponents, evidence, 1)
    )


class ProductOfExperts(Ensemble):
    """Late fusion: the product of the members' probabilities, with the prior counted once.

    If picture x and table t are independent given the class k, Bayes' rule says P(k | x, t) ~ P(k) · P(k | x) / P(k) ·
    P(k | t) / P(k) (the product rule of Kittler et al. 1998, IEEE TPAMI 20:226). Unlike a mean of probabilities it lets
    two weak hints in one direction become a strong one, and a member that only repeats the prior changes nothing: where
    the table is empty, the picture decides. Two things spoil it: what both know (age wears the discs that the picture
    shows) is counted twice, and a bold member shouts the other down. So each member's evidence P(k | .) / P(k) gets an
    exponent from 0 up, and these are fitted by the labels of patients on whom no member was trained. The log-likelihood
    is concave in them. 1 is Bayes' rule.

    Parameters
    ----------
    priors : in the members' order, the (K,) shares of the classes that a member's probabilities take for granted, or
        None for those of the patients of `fit`; a network trained with balanced class weights takes equal ones.
    fitted : False leaves the exponents at 1.

    Attributes
    ----------
    exponents_ : (M,). prior_ : (K,) shares of the classes among the patients of `fit`.
    """

    kind = "Product of experts"

    def __init__(self, *, priors: Sequence[np.ndarray | None] | None = None, fitted: bool = True):
        self.priors, self.fitted = priors, fitted

    def _learn(self, probabilities, about):
        counts = np.bincount(about.labels, minlength=len(about.class_names))
        if not counts.all():
            raise LumbarError(
                f"No patient of {about.dataset} is labelled {about.class_names[int(np.argmin(counts))]}, so its share "
                "is not known; fit the product on patients of every class."
            )
        self.prior_ = counts / counts.sum()
        self.exponents_ = np.ones(len(probabilities))
        if not self.fitted:
            return
        evidence, rows = _evidence(probabilities, self.prior_, self.priors), np.arange(len(about))
        own = evidence[:, rows, about.labels]  # (M, N)

        def loss(exponents):
            shares = _softmax(np.log(self.prior_) + np.tensordot(exponents, evidence, 1))
            slope = ((shares * evidence).sum(axis=2) - own).mean(axis=1)
            return -np.log(np.maximum(shares[rows, about.labels], 1e-300)).mean(), slope

        bounds = [(0, 20)] * len(evidence)
        self.exponents_ = minimize(loss, self.exponents_, jac=True, method="L-BFGS-B", bounds=bounds).x

    def _join(self, probabilities):
        return product_of_experts(probabilities, self.prior_, priors=self.priors, exponents=self.exponents_)

    def _learnt(self):
        return {"exponents": self.exponents_.tolist(), "prior": self.prior_.tolist()}


def for_prevalence(probabilities: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return (N, K) probabilities of a model fitted at class shares `old`, for a clinic with the shares `new`.

    P(k | .) · new_k / old_k, scaled to sum 1 (Saerens, Latinne and Decaestecker 2002, equation 4). It holds where only
    the shares differ, and each class looks in the new clinic as it did in the old one.
    """
    old, new = np.asarray(old, dtype=float), np.asarray(new, dtype=float)
    wanted = probabilities.shape[1]
    for shares in (old, new):
        if shares.shape != (wanted,) or np.any(shares < 0) or abs(shares.sum() - 1) > 1e-6:
            raise LumbarError(
                f"The shares of the classes are {shares.tolist()}, wanted {wanted} numbers from 0 that sum to 1."
            )
    if not old.all():
        raise LumbarError(
            f"The model was fitted without class {int(np.argmin(old))}, so no share of it can be corrected for; fit it "
            "on patients of every class."
        )
    weighted = np.maximum(probabilities, SMALLEST) * new / old
    return weighted / weighted.sum(axis=1, keepdims=True)


@keras.saving.register_keras_serializable("lumbar_utils")
class HideValues(layers.Layer):
    """Table dropout: in training, hides values of some patients; (N, 2 C) of `marked_features` to the same.

    A patient is picked with chance `rate`, and then loses a share of the C values that is any from none to all alike,
    as `hide_values` does: the value becomes 0 and its mark 1. So the head meets patients with no table at all.
    """

    def __init__(self, rate: float = 0.5, *, seed: int = 0, **options):
        super().__init__(**options)
        self.rate, self.seed = rate, seed
        self._generator = keras.random.SeedGenerator(seed)

    def call(self, table, training=False):
        if not training or not self.rate:
            return table
        n, columns = ops.shape(table)[0], table.shape[1] // 2
        draw = lambda shape: keras.random.uniform(shape, seed=self._generator)
        share = ops.where(draw((n, 1)) < self.rate, draw((n, 1)), 0.0)
        hidden = ops.cast(draw((n, columns)) < share, table.dtype)  # (N, C), 1 where hidden
        values, marks = table[:, :columns], table[:, columns:]
        return ops.concatenate([values * (1 - hidden), ops.maximum(marks, hidden)], axis=1)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def build_head(
    n_features: int, n_columns: int, num_classes: int, *, table_dropout: float = 0.5, seed: int = 0
) -> keras.Model:
    """Return a network from (N, n_features + 2 n_columns), features and marked table side by side, to logits (N, K).

    Features and table each get their own dense layer before they meet, so that 128 features do not drown 8 values.
    """
    both = keras.Input((n_features + 2 * n_columns,), name="features_and_table")
    seen = layers.Dense(32, activation="relu", name="picture")(both[:, :n_features])  # (N, 32)
    told = HideValues(table_dropout, seed=seed, name="hide_values")(both[:, n_features:])  # (N, 2 C)
    told = layers.Dense(32, activation="relu", name="table")(told)  # (N, 32)
    x = layers.Concatenate(name="joined")([seen, told])  # (N, 64)
    x = layers.Dropout(0.3, seed=seed, name="dropout")(x)
    x = layers.Dense(32, activation="relu", name="together")(x)  # (N, 32)
    return keras.Model(both, layers.Dense(num_classes, name="logits")(x), name="fusion_head")


class IntermediateFusion:
    """Intermediate fusion: a head on the features of an image network and the clinical table, trained together.

    The image network stays as it is (`training.backbone_features` gives its features): the head must be trained on
    patients on whom the network was not, whose features are as they will be for new patients. On its own training
    patients the picture looks more certain than it is, and the head would learn to ignore the table.

    Parameters
    ----------
    table_dropout : share of training patients who lose values in each step, see `HideValues`; 0 trains on tables as
        they come.
    seed : of weights, order and dropout.

    Attributes
    ----------
    head_ : the trained network of `build_head`. columns_ : `marked_features` fitted on the training table.
    history_ : what `training.fit` returns.
    """

    def __init__(self, num_classes: int = len(PAPER4), *, table_dropout: float = 0.5, seed: int = 0):
        self.num_classes, self.table_dropout, self.seed = num_classes, table_dropout, seed

    def fit(
        self, train: Fold, validation: Fold, *, epochs: int = 60, live: bool = False
    ) -> IntermediateFusion:
        """Train the head; the epoch with the lowest loss of the validation patients is kept.

        No class weights: the probabilities are to hold for the shares of the classes in `train`.

        Raises
        ------
        LumbarError : features and table of different lengths, or what `training.fit` refuses.
        """
        features, table, labels = train
        keras.utils.set_random_seed(self.seed)
        self.columns_ = marked_features().fit(table)
        self.head_ = build_head(
            features.shape[1],
            table.shape[1],
            self.num_classes,
            table_dropout=self.table_dropout,
            seed=self.seed,
        )
        # the features' scale is the image network's own: brought to mean 0 and spread 1 in the training fold
        self.mean_, self.spread_ = features.mean(axis=0), features.std(axis=0) + 1e-6
        self.history_ = fit(
            self.head_,
            (self._vectors(features, table), labels),
            (self._vectors(*validation[:2]), validation[2]),
            epochs=epochs,
            patience=15,
            batch_size=64,
            learning_rate=1e-3,
            class_weight=None,
            seed=self.seed,
            live=live,
        )
        return self

    def predict_proba(self, features: np.ndarray, table: pd.DataFrame) -> np.ndarray:
        """Return (N, K) probabilities for features (N, F) and a table with any values missing, or all of them."""
        logits = keras.ops.convert_to_numpy(self.head_(self._vectors(features, table), training=False))
        return _softmax(logits.astype(np.float64))

    def joined(self, image_network: keras.Model) -> keras.Model:
        """Return one network of two inputs, pictures (N, H, W, C) and marked table (N, 2 C), to logits (N, K).

        `image_network` is the one that made the features, ending in a dense layer.
        """
        pictures = image_network.inputs[0]
        columns = keras.Input((self.head_.input_shape[1] - len(self.mean_),), name="table")
        features = layers.Normalization(mean=self.mean_, variance=self.spread_**2, name="feature_scale")(
            image_network.layers[-1].input
        )
        logits = self.head_(layers.Concatenate(name="features_and_table")([features, columns]))
        return keras.Model([pictures, columns], logits, name="fusion")

    def _vectors(self, features: np.ndarray, table: pd.DataFrame) -> np.ndarray:
        """Return (N, F + 2 C) float32."""
        if len(features) != len(table):
            raise LumbarError(
                f"There are {len(features)} pictures and {len(table)} rows of the table; give each patient one of both."
            )
        scaled = (features - self.mean_) / self.spread_
        return np.concatenate([scaled, self.columns_.transform(table)], axis=1).astype(np.float32)


def _evidence(probabilities: np.ndarray, prior: np.ndarray, priors) -> np.ndarray:
    """Return (M, N, K) log(P_m(k) / prior_m(k)); probabilities under 5e-6 count as that."""
    priors = [None] * len(probabilities) if priors is None else priors
    if len(priors) != len(probabilities):
        raise LumbarError(
            f"There are {len(probabilities)} models and {len(priors)} priors; give one for each, or None for one that "
            "was trained on the clinic's shares."
        )
    taken = np.log([prior if own is None else own for own in priors])  # (M, K)
    return np.log(np.maximum(probabilities, SMALLEST)) - taken[:, None, :]


def _softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)
