"""Writes a trained network as a checkpoint: float16 weights for Keras, a LiteRT twin, a model card."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf

from ..checkpoints import Checkpoint, read_checkpoint, write_card
from ..dataset import LumbarError
from ..explain import default_layer
from ..models import crop_of
from ..runtime import Predictor
from ..training import predict

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
        write_weights(model, aside / "weights.weights.h5")
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
