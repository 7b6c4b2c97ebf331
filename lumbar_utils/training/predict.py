"""Probabilities and features out of a trained network."""

from __future__ import annotations

import keras
import numpy as np
from scipy.special import softmax

from ..dataset import LumbarDataset, LumbarError
from ..evaluation import Predictions
from ..models import display_name_of
from .inputs import check_ends_in_logits, pictures_for


def predict(model: keras.Model, pictures: LumbarDataset | np.ndarray, batch_size: int = 32) -> np.ndarray:
    """Return the softmax of the logits, (N, K) float64 whose rows add up to 1.

    `pictures` is a dataset, (N, H, W) of any size, or (N, H, W, C) prepared for the network.
    """
    check_ends_in_logits(model)
    return softmax(_in_batches(model, pictures, batch_size).astype(np.float64), axis=1)


def features_of(model: keras.Model, pictures: LumbarDataset | np.ndarray, batch_size: int = 32) -> np.ndarray:
    """Return what the last dense layer sees, (N, F) float32: the features a support vector machine can learn from."""
    extractor = keras.Model(model.inputs[0], model.layers[-1].input, name=model.name)
    return _in_batches(extractor, pictures, batch_size)


def _in_batches(model: keras.Model, pictures: LumbarDataset | np.ndarray, batch_size: int) -> np.ndarray:
    # not model.predict: that compiles a graph for each new model, which takes longer than a lesson's few pictures
    x = pictures_for(model, pictures)
    parts = [model(x[start : start + batch_size], training=False) for start in range(0, len(x), batch_size)]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])


def predictions_of(
    model: keras.Model, dataset: LumbarDataset, *, measured_on: str, provenance: dict | None = None
) -> Predictions:
    """Return the network's `Predictions` of a dataset, ready to evaluate or to store.

    measured_on : "phantoms" or "real pictures". provenance : what to keep beside the dataset's fingerprint.

    Raises
    ------
    LumbarError : a dataset with another number of classes than the network has outputs.
    """
    if len(dataset.class_names) != model.output_shape[-1]:
        raise LumbarError(
            f"{dataset.name} has {len(dataset.class_names)} classes and {model.name} has {model.output_shape[-1]} "
            "outputs; predict with a network that was trained on these classes."
        )
    return Predictions.of_dataset(
        dataset,
        predict(model, dataset),
        model=display_name_of(model),
        measured_on=measured_on,
        provenance=provenance or {},
    )
