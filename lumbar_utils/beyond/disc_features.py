"""What VGG16, trained on ImageNet's photographs, answers to crops of discs."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import cv2
import keras
import numpy as np

from ..dataset import LumbarError
from ..models.imagenet import published_network
from ..training import backbone_features

WEIGHTS = "vgg16_imagenet_notop.weights.h5"  # under LUMBAR_WEIGHTS, for machines that cannot download
SIDE_PX = 96  # a crop of 64 is enlarged: the network knows edges a few pixels wide


def vgg16_features(crops: np.ndarray, *, layer: str = "block5_pool", side: int = SIDE_PX) -> np.ndarray:
    """Return the mean over each map of a layer of VGG16 with its ImageNet weights, (N, C) float32.

    crops : (N, S, S) uint8, enlarged to `side` and shown as three equal colours. Features are kept in the cache
    folder, so that a second call reads them.

    Raises
    ------
    LumbarError : no such layer; weights that are neither under LUMBAR_WEIGHTS nor to be downloaded.
    """
    colours = np.stack([cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR) for crop in crops])
    colours = np.repeat(colours[..., None], 3, axis=-1).astype(np.float32)
    prepared = keras.applications.vgg16.preprocess_input(colours)  # (N, side, side, 3), blue first, means off
    return backbone_features(_network(side, layer), prepared, layer="mean")


@cache
def _network(side: int, layer: str) -> keras.Model:
    """Return VGG16 up to a layer, its maps averaged."""
    published = published_network("vgg16", _file())
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(side, side, 3))
    network.set_weights(published.get_weights())
    names = [each.name for each in network.layers]
    if layer not in names:
        raise LumbarError(f"VGG16 has no layer {layer!r}; it has {', '.join(names)}.")
    mean = keras.layers.GlobalAveragePooling2D(name="mean")(network.get_layer(layer).output)
    return keras.Model(network.inputs[0], mean, name=f"vgg16_{layer}")


def _file() -> Path | None:
    """Return the weights file under LUMBAR_WEIGHTS, or None, for Keras's own cache or a download."""
    folder = os.environ.get("LUMBAR_WEIGHTS")
    if not folder:
        return None
    file = Path(folder) / WEIGHTS
    if not file.is_file():
        raise LumbarError(
            f"LUMBAR_WEIGHTS is {folder!r}, wanted a folder that holds {WEIGHTS}; unset it to download."
        )
    return file
