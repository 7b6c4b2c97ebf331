"""The CNN-SVM hybrid: a network turns pictures into features, a support vector machine draws the boundaries."""

from __future__ import annotations

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted

from ..dataset import LumbarError
from ..handcrafted import HandcraftedFeatures
from ..models import architecture_named, build_model
from ..training import features_of, fit


class CNNSVMClassifier(ClassifierMixin, BaseEstimator):
    """Features of a network's last pooling, standardised, perhaps projected, and an RBF support vector machine.

    Handcrafted features can stand beside the network's, as in the paper's hybrid.

    Everything (network, scaler, projection, SVM, calibration) is fitted on the rows given to `fit`, so the
    classifier can stand in `cross_validate`. A quarter of those rows is held out: it stops the network early
    and calibrates the SVM's decision values into probabilities (Platt's sigmoid), because on the rows that the
    network learned by heart its features look better separated than they are.

    Parameters
    ----------
    network, preset : name of the architecture (`list_models`); its weights are drawn from `seed`.
    input_size : side in pixels to which pictures are scaled, by default the preset's.
    epochs, patience : of the network.
    C, gamma : of `sklearn.svm.SVC`.
    pca_components : number of principal components kept, or None.
    handcrafted : an unfitted `HandcraftedFeatures` whose columns follow the network's, or None. It brings the pictures
        to its own size and crop.
    extractor : a trained Keras network to take features from, which saves the training. It must not have seen
        pictures that will be predicted; clones share it and leave it as it is.
    seed : decides weights, order of the pictures, and the rows held out.

    Attributes
    ----------
    classes_, network_ (Keras model), handcrafted_ (or None), svm_ (pipeline), calibrated_, history_ (None with an
    extractor).
    """

    def __init__(
        self,
        network: str = "cnn",
        *,
        preset: str = "course",
        input_size: int | None = None,
        epochs: int = 30,
        patience: int = 8,
        C: float = 1.0,
        gamma: str | float = "scale",
        pca_components: int | None = None,
        handcrafted: HandcraftedFeatures | None = None,
        extractor: keras.Model | None = None,
        seed: int = 0,
    ):
        self.network = network
        self.preset = preset
        self.input_size = input_size
        self.epochs = epochs
        self.patience = patience
        self.C = C
        self.gamma = gamma
        self.pca_components = pca_components
        self.handcrafted = handcrafted
        self.extractor = extractor
        self.seed = seed

    def __sklearn_clone__(self):
        # scikit-learn would copy a Keras network by saving and loading it; it is only read here
        parameters = self.get_params(deep=False)
        handcrafted = self.handcrafted and clone(
            self.handcrafted
        )  # a grid search sets parameters of its own copy
        return type(self)(**parameters | {"handcrafted": handcrafted})

    def fit(self, X: np.ndarray, y: np.ndarray, *, groups=None, validation=None) -> CNNSVMClassifier:
        """Learn from pictures X (N, H, W), uint8 or float32 in [0, 1], and labels y (N,) of any kind.

        (N, H, W, C) is taken as prepared for the network; handcrafted features want it grey (C = 1) and in [0, 1].

        Parameters
        ----------
        groups : (N,) the patient of each picture; patients are kept on one side of the inner split.
        validation : (X, y) to use instead of an inner split; all rows of X then teach network and SVM.

        Raises
        ------
        LumbarError : one class only, labels in `validation` that do not occur in y, or a class with fewer than
            four pictures or patients where an inner split is needed; handcrafted features of prepared pictures that
            are not grey.
        """
        X, y = np.asarray(X), np.asarray(y)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        if len(self.classes_) < 2:
            raise LumbarError(
                f"All {len(y)} labels are {self.classes_[0]}, wanted two classes or more to tell apart."
            )
        self.handcrafted_ = None
        if self.handcrafted is not None:  # before the network trains, so that a mistake is told at once
            self.handcrafted_ = clone(self.handcrafted).fit(_grey(X))
        train, held_out = self._inner_split(X, encoder.transform(y), groups, validation, encoder)
        self.network_, self.history_ = self.extractor, None
        if self.extractor is None:
            self.network_ = self._new_network()
            self.history_ = fit(
                self.network_, train, held_out,
                epochs=self.epochs, patience=self.patience, seed=self.seed, live=False,
            )  # fmt: skip
        steps = [StandardScaler()]
        if self.pca_components is not None:
            steps.append(PCA(self.pca_components, random_state=self.seed))
        self.svm_ = make_pipeline(*steps, SVC(C=self.C, gamma=self.gamma, class_weight="balanced"))
        self.svm_.fit(self._features(train[0]), train[1])
        rows = np.arange(
            len(held_out[1])
        )  # one "fold": the frozen SVM learns nothing, the sigmoids learn from all
        self.calibrated_ = CalibratedClassifierCV(
            FrozenEstimator(self.svm_), method="sigmoid", cv=[(rows, rows)], ensemble=True
        )
        self.calibrated_.fit(self._features(held_out[0]), held_out[1])
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities, (N, K) float64, in the order of `classes_`."""
        check_is_fitted(self, "calibrated_")
        return self.calibrated_.predict_proba(self._features(np.asarray(X)))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label with the highest probability, (N,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _features(self, X: np.ndarray) -> np.ndarray:
        """Return (N, F): the network's features of pictures, then the handcrafted ones."""
        learned = features_of(self.network_, X)
        if self.handcrafted_ is None:
            return learned
        return np.hstack([learned, self.handcrafted_.transform(_grey(X))])

    def _new_network(self) -> keras.Model:
        height, width, channels = architecture_named(self.network, self.preset).input_shape[self.preset]
        if self.input_size is not None:
            height = width = self.input_size
        keras.utils.set_random_seed(self.seed)
        return build_model(
            self.network,
            self.preset,
            input_shape=(height, width, channels),
            num_classes=len(self.classes_),
        )

    def _inner_split(self, X, y, groups, validation, encoder):
        """Return (pictures, labels) to learn from and to hold out, labels as numbers."""
        if validation is not None:
            X_held, y_held = np.asarray(validation[0]), np.asarray(validation[1])
            if set(np.unique(y_held)) != set(self.classes_):
                raise LumbarError(
                    f"The validation labels are {sorted(set(y_held.tolist()))}, wanted every class of the training "
                    f"labels {self.classes_.tolist()}; hold out pictures of each."
                )
            return (X, y), (X_held, encoder.transform(y_held))
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        for label, name in enumerate(self.classes_):
            if (count := len(np.unique(groups[y == label]))) < 4:
                raise LumbarError(
                    f"Class {name} has {count} picture(s) or patient(s) in the training rows, wanted at least 4 so "
                    "that one can be held out; add patients or hand in validation=(X, y)."
                )
        folds = StratifiedGroupKFold(n_splits=4, shuffle=True, random_state=self.seed)
        rows, held = next(folds.split(X, y, groups))
        return (X[rows], y[rows]), (X[held], y[held])


def _grey(X: np.ndarray) -> np.ndarray:
    """Return (N, H, W) pictures out of (N, H, W) or (N, H, W, 1)."""
    if X.ndim == 4 and X.shape[-1] != 1:
        raise LumbarError(
            f"The pictures have shape {X.shape}, and handcrafted features want (N, H, W) or one channel; hand in the "
            "pictures as they were before prepare, or leave handcrafted out."
        )
    return X[..., 0] if X.ndim == 4 else X
