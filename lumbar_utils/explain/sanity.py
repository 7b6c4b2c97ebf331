"""Sanity checks of heat maps (Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018).

A map that stays the same when the network forgets what it learned shows the picture and not the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import keras
import numpy as np
import pandas as pd

from ..cam.similarity import spearman, ssim
from ..dataset import LumbarDataset
from ..training import fit, predict
from .gradients import explain


def cascading_randomisation(
    model: keras.Model,
    images: LumbarDataset | np.ndarray,
    method: str = "gradcam",
    *,
    seed: int = 0,
    **options,
) -> pd.DataFrame:
    """Return how alike the maps stay while the layers forget, from the logits down to the first.

    At each stage one more layer with weights is drawn anew from its initialiser, and all above it stay so. The class
    explained is the one that the trained network predicts, or `class_index`. `model` itself is not changed.

    Parameters
    ----------
    options : class_index, layer and batch_size of `explain`.

    Returns
    -------
    DataFrame, one row a stage, the trained network first: stage (0, 1, …), layer (the one forgotten last),
    spearman and ssim (means over the pictures), spearman_sd and ssim_sd (over the pictures), empty (the share
    of maps without any heat; such a map has a rank correlation of 0, but looks alike to SSIM where the trained map is
    mostly zero as well).
    """
    options.setdefault("class_index", predict(model, images).argmax(axis=1))
    trained = explain(model, images, method, **options)
    rows = [{"stage": 0, "layer": "none", **_similarity(trained, trained)}]
    for stage, (layer, network) in enumerate(randomised_networks(model, seed=seed), start=1):
        rows.append(
            {
                "stage": stage,
                "layer": layer,
                **_similarity(trained, explain(network, images, method, **options)),
            }
        )
    return pd.DataFrame(rows)


def randomised_networks(model: keras.Model, *, seed: int = 0) -> Iterator[tuple[str, keras.Model]]:
    """Yield the name of each layer with weights, last to first, and the network that has forgotten it and all after it.

    It is one copy of `model` that forgets more and more: use it before asking for the next. Layers of a model
    inside the network are forgotten one by one.
    """
    keras.utils.set_random_seed(seed)
    copy, fresh = _clone(model), _clone(model)
    copy.set_weights(model.get_weights())
    pairs = list(zip(_leaves(copy), _leaves(fresh), strict=True))
    for (path, layer), (_, new) in reversed(pairs):
        layer.set_weights(new.get_weights())
        yield path, copy


def randomised_network(model: keras.Model, *, seed: int = 0) -> keras.Model:
    """Return a copy of `model` in which every layer is drawn anew: it has learned nothing."""
    keras.utils.set_random_seed(seed)
    return _clone(model)


def random_label_similarity(
    model: keras.Model,
    images: LumbarDataset | np.ndarray,
    train: LumbarDataset,
    method: str = "gradcam",
    *,
    epochs: int = 30,
    seed: int = 0,
    **options,
) -> pd.DataFrame:
    """Return how alike the maps of `model` are to those of the same network, trained on shuffled labels.

    The data randomisation test of Adebayo et al.: with the labels of `train` shuffled over the pictures, a
    network can only learn pictures by heart, and a map that depends on what was learned changes. Of all epochs the
    one that fits the shuffled labels best is taken.

    Parameters
    ----------
    model : trained on the true labels; it is not changed. images : what is explained, for the class `model` predicts.
    options : class_index, layer and batch_size of `explain`.

    Returns
    -------
    DataFrame of one row: spearman, ssim, their standard deviations over the pictures, empty, and
    training_accuracy, how much of the shuffled labels was learned (chance is the share of the largest class).
    """
    network = randomised_network(model, seed=seed)
    shuffled = replace(train, labels=np.random.default_rng(seed).permutation(train.labels))
    fit(network, shuffled, shuffled, epochs=epochs, patience=epochs, seed=seed, live=False)
    learned = (predict(network, shuffled).argmax(axis=1) == shuffled.labels).mean()
    options.setdefault("class_index", predict(model, images).argmax(axis=1))
    maps = [explain(each, images, method, **options) for each in (model, network)]
    return pd.DataFrame([{**_similarity(*maps), "training_accuracy": float(learned)}])


def _similarity(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Return mean and standard deviation, over the pictures, of both similarities of maps (N, H, W).

    And the share of `second` that is all zeros, which SSIM finds like any map that is mostly zero.
    """
    found = {}
    for measure in (spearman, ssim):
        values = [measure(a, b) for a, b in zip(first, second, strict=True)]
        found |= {measure.__name__: np.mean(values), f"{measure.__name__}_sd": np.std(values)}
    return found | {"empty": float((~second.any(axis=(1, 2))).mean())}


def _clone(model: keras.Model) -> keras.Model:
    """Return the same network with weights drawn anew."""
    copy = keras.models.clone_model(model)
    copy.name = model.name
    return copy


def _leaves(model: keras.Model, prefix: str = "") -> list[tuple[str, keras.Layer]]:
    """Return (path, layer) of every layer with weights, first to last, models opened."""
    leaves = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            leaves += _leaves(layer, f"{prefix}{layer.name}/")
        elif layer.weights:
            leaves.append((prefix + layer.name, layer))
    return leaves
