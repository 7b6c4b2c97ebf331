"""Writes a trained network as a checkpoint: float16 weights for Keras, a LiteRT twin, a model card."""

from __future__ import annotations

import json
import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf

from ..checkpoints import CARD, WEIGHTS, Checkpoint, read_checkpoint, write_card
from ..dataset import LumbarError
from ..explain import default_layer
from ..hybrid import CNNSVMClassifier
from ..models import crop_of
from ..runtime import Predictor
from ..runtime.svm_twin import TWIN, SVMTwin
from ..training import features_of, predict

TOLERANCE = 1e-4  # of probabilities, between Keras and LiteRT


def round_weights(model: keras.Model) -> None:
    """Round the weights to float16 in place, so that what is measured is what ships."""
    model.set_weights([weight.astype(np.float16).astype(np.float32) for weight in model.get_weights()])


def write_checkpoint(model: keras.Model, card: dict, pictures: np.ndarray, *, root: Path) -> Checkpoint:
    """Write `root`/NAME with weights.weights.h5, model.tflite, head.npy and card.json; return it verified.

    Parameters
    ----------
    model : ends in global average pooling and one dense layer, its weights rounded by `round_weights`.
    card : needs class_names and display_name; the rest is shown to whoever asks.
    pictures : (N, H, W) on which Keras and LiteRT have to agree.

    Raises
    ------
    LumbarError : LiteRT and Keras differ by more than `TOLERANCE` in a probability.
    """
    aside = root / f".{model.name}.{os.getpid()}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        write_weights(model, aside / WEIGHTS)
        _write_litert(model, aside / "model.tflite")
        np.save(aside / "head.npy", model.layers[-1].get_weights()[0].astype(np.float32), allow_pickle=False)
        write_card(aside, {**what_it_sees(model), **card})
        twin = Predictor(read_checkpoint(aside.name, root=root))
        difference = float(np.abs(twin.predict(pictures) - predict(model, pictures)).max())
        if not difference <= TOLERANCE:
            raise LumbarError(
                f"LiteRT and Keras differ by {difference:.2g} in a probability of {model.name}, wanted at most "
                f"{TOLERANCE:g}; look for a layer that LiteRT rounds."
            )
        shutil.rmtree(root / model.name, ignore_errors=True)
        aside.rename(root / model.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return read_checkpoint(model.name, root=root)


def write_svm_twin(hybrid: CNNSVMClassifier, folder: Path, pictures: np.ndarray) -> None:
    """Add svm.npz, which needs no scikit-learn, to the folder of a stored hybrid.

    Parameters
    ----------
    hybrid : without PCA and handcrafted features, for three classes or more.
    pictures : on which both have to agree.

    Raises
    ------
    LumbarError : another kind of hybrid; or both differ by more than `TOLERANCE` in a probability.
    """
    if len(hybrid.svm_) != 2 or hybrid.handcrafted_ is not None or len(hybrid.classes_) < 3:
        raise LumbarError(
            f"The hybrid has {len(hybrid.classes_)} classes and pca_components={hybrid.pca_components}, wanted three "
            "classes or more without PCA and handcrafted features; fit it so."
        )
    scaler, svc = hybrid.svm_[0], hybrid.svm_[-1]
    (calibrated,) = hybrid.calibrated_.calibrated_classifiers_
    twin = SVMTwin(
        mean=scaler.mean_,
        scale=scaler.scale_,
        vectors=svc.support_vectors_.astype(np.float32),
        coefficients=svc.dual_coef_.astype(np.float32),
        intercepts=svc.intercept_,
        counts=svc.n_support_,
        gamma=np.array(svc._gamma),  # the number that "scale" stood for
        slopes=np.array([each.a_ for each in calibrated.calibrators]),
        offsets=np.array([each.b_ for each in calibrated.calibrators]),
    )
    features = features_of(hybrid.network_, pictures)
    difference = float(np.abs(twin.predict_proba(features) - hybrid.predict_proba(pictures)).max())
    if not difference <= TOLERANCE:
        raise LumbarError(
            f"The twin of the support vector machine differs by {difference:.2g} in a probability, wanted at most "
            f"{TOLERANCE:g}; look for features that are far from 0 with a small spread."
        )
    twin.save(folder / TWIN)
    write_card(folder, json.loads((folder / CARD).read_text(encoding="utf-8")))


def what_it_sees(model: keras.Model) -> dict:
    """Return what a card says of a network's name and input."""
    return {"name": model.name, "input_shape": list(model.input_shape[1:]), "crop": crop_of(model)}


def made_with() -> dict[str, str]:
    """Return the versions that a checkpoint's provenance names."""
    packages = {package: version(package) for package in ("keras", "numpy", "scikit-learn")}
    return {"python": platform.python_version(), **packages, "tensorflow": tf.__version__}


def write_weights(model: keras.Model, file: Path) -> None:
    """Write what `model.load_weights` reads, in float16: half the size, and cast back when loaded."""
    # a fresh Model over the same layers carries no optimizer, whose moments would be written too
    keras.Model(model.inputs[0], model.outputs[0]).save_weights(file)
    with h5py.File(file, "r+") as content:
        arrays = []
        content.visititems(lambda name, item: arrays.append(name) if isinstance(item, h5py.Dataset) else None)
        halves = {
            name: content[name][()].astype(np.float16) for name in arrays if content[name].dtype == np.float32
        }
        whole = file.with_suffix(".whole")
        with h5py.File(whole, "w") as smaller:  # HDF5 does not give back the room of what is deleted
            content.visititems(lambda name, item: _copy(name, item, smaller, halves))
            smaller.attrs.update(content.attrs)
    os.replace(whole, file)


def _copy(name: str, item, target: h5py.File, halves: dict[str, np.ndarray]) -> None:
    if isinstance(item, h5py.Group):
        copy = target.require_group(name)
    else:
        copy = target.create_dataset(name, data=halves.get(name, item[()]))
    copy.attrs.update(item.attrs)


def _write_litert(model: keras.Model, file: Path) -> None:
    """Export pictures -> {probabilities (N, K), maps (N, h, w, C)} for any batch size.

    In float32: the converter folds the normalisation into the kernels, and rounding those to float16 moved
    probabilities by up to 0.0012.
    """
    probabilities = keras.layers.Softmax(name="probabilities")(model.outputs[0])
    maps = model.get_layer(default_layer(model)).output
    twin = keras.Model(model.inputs[0], {"probabilities": probabilities, "maps": maps})
    twin.export(str(file), format="litert", verbose=False)
