"""Features of a frozen backbone, computed once and kept on disk, so that a head or an SVM trains in seconds."""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ..dataset import LumbarDataset, LumbarError
from ..models import build_model
from ..paths import cache_folder, write_whole
from .fit import fit
from .inputs import LabelledPictures, pictures_for


def backbone_features(
    model: keras.Model | str,
    pictures: LumbarDataset | np.ndarray,
    *,
    layer: str | None = None,
    batch_size: int = 16,
    cache: bool = True,
) -> np.ndarray:
    """Return what a layer of a frozen network answers to each picture, (N, F) or (N, H, W, C) float32.

    They are kept in the cache folder under a fingerprint of the prepared pixels, the network's layers and the
    weights, so that the second call reads them. Dropout is off, batch normalisation uses its moving averages.

    Parameters
    ----------
    model : a network, or the name of one that ships with the course, trained on phantoms.
    pictures : a dataset, (N, H, W) of any size, or (N, H, W, C) prepared for the network.
    layer : its name; by default what the last dense layer sees, as `features_of` gives it.
    cache : False computes them and keeps nothing.

    Raises
    ------
    LumbarError : no layer of that name, pictures that do not fit the network.
    """
    if isinstance(model, str):
        model = build_model(model, weights="phantom")
    backbone = keras.Model(model.inputs[0], _output_of(model, layer), name="backbone")
    x = pictures_for(model, pictures)
    if not cache:
        return _compute(backbone, x, batch_size)
    file = cache_folder() / "features" / f"{_fingerprint(backbone, x)}.npz"
    if file.is_file():
        try:
            return _read(file)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            warnings.warn(
                f"The cached features in {file.name} are damaged ({error}); they are computed again.",
                stacklevel=2,
            )
    features = _compute(backbone, x, batch_size)
    _keep(file, features)
    return features


def fit_head(
    model: keras.Model,
    train: LabelledPictures,
    validation: LabelledPictures,
    *,
    cache: bool = True,
    **options,
) -> pd.DataFrame:
    """Train only the last dense layer, on kept features of the frozen rest, and return the history.

    The first half of transfer learning, as in the paper; `fit(model, …, learning_rate=1e-4)` afterwards is the
    second, which moves the backbone too:

        model = build_model("vgg16", weights="imagenet")
        fit_head(model, train, validation)
        fit(model, train, validation, learning_rate=1e-4)

    Parameters
    ----------
    model : ends in a dense layer of logits; all its other weights stay as they are.
    train, validation : as in `fit`, which takes `options`; `augment` is refused, for features are computed once.
    """
    if options.get("augment") is not None:
        raise LumbarError(
            "fit_head computes each picture's features once, so it cannot augment pictures; leave augment out, or "
            "set layer.trainable = False and use fit."
        )
    last = model.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        raise LumbarError(
            f"{model.name} ends in {type(last).__name__} {last.name!r}, wanted a Dense layer of logits; give a network "
            "that ends in one."
        )
    parts = []
    for part in (train, validation):
        pictures, labels = (part, part.labels) if isinstance(part, LumbarDataset) else part
        parts.append((backbone_features(model, pictures, cache=cache), labels))
    features = keras.Input(last.input.shape[1:], name="features")
    head = keras.Model(features, last.__class__.from_config(last.get_config())(features), name="head")
    head.layers[-1].set_weights(last.get_weights())
    history = fit(head, *parts, **options)
    last.set_weights(head.layers[-1].get_weights())
    return history


def _output_of(model: keras.Model, layer: str | None):
    if layer is None:
        return model.layers[-1].input
    names = [each.name for each in model.layers]
    if layer not in names:
        raise LumbarError(f"{model.name} has no layer {layer!r}; it has {', '.join(names)}.")
    return model.get_layer(layer).output


def _compute(backbone: keras.Model, x: np.ndarray, batch_size: int) -> np.ndarray:
    parts = [
        backbone(x[start : start + batch_size], training=False) for start in range(0, len(x), batch_size)
    ]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts]).astype(np.float32)


def _fingerprint(backbone: keras.Model, x: np.ndarray) -> str:
    """Return the sha256 of prepared pixels, architecture and weights."""
    digest = hashlib.sha256(backbone.to_json().encode())
    for part in (x, *backbone.get_weights()):
        digest.update(f"{part.dtype.str}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _keep(file: Path, features: np.ndarray) -> None:
    """Write the features with their sha256; a full disk is no reason to stop."""
    content = io.BytesIO()
    np.savez(content, features=features, sha256=hashlib.sha256(features.tobytes()).hexdigest())
    try:
        write_whole(file, content.getvalue())
    except OSError as error:
        warnings.warn(
            f"The features cannot be kept in {file.parent} ({error.strerror}); they are computed each time.",
            stacklevel=3,
        )


def _read(file: Path) -> np.ndarray:
    with np.load(file, allow_pickle=False) as content:
        features, expected = content["features"], str(content["sha256"])
    if hashlib.sha256(features.tobytes()).hexdigest() != expected:
        raise ValueError("its checksum does not match")
    return features
