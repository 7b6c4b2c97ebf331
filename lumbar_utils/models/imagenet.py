"""Weights learned on ImageNet, as `keras.applications` publishes them, moved into the networks of this package."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import keras
import numpy as np

from ..dataset import LumbarError
from ..preparation import CAFFE_MEAN, IMAGENET_MEAN, IMAGENET_STD

# name: (the published network, its file without the top, its first convolution, the normalisation behind that)
PUBLISHED = {
    "vgg16": ("VGG16", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "block1_conv1", None),
    "resnet50": ("ResNet50", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "conv1_conv", "conv1_bn"),
    "densenet121": (
        "DenseNet121", "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5", "conv1_conv", "conv1_bn"
    ),
    "mobilenet": ("MobileNet", "mobilenet_1_0_224_tf_no_top.h5", "conv1", "conv1_bn"),
}  # fmt: skip

# A grey network takes t in [-1, 1] ("tf"). What the published network would see in channel c is scale_c * t + shift_c.
GREY_SCALE_AND_SHIFT = {
    "caffe": (np.full(3, 127.5), 127.5 - np.array(CAFFE_MEAN)),
    "torch": (0.5 / np.array(IMAGENET_STD), (0.5 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)),
    "tf": (np.ones(3), np.zeros(3)),
}


def load_imagenet(model: keras.Model, name: str, mode: str, file: Path | None = None) -> None:
    """Set every layer of `model` but its top to the published weights; the top stays as it was drawn.

    Parameters
    ----------
    name : one of `PUBLISHED`. mode : how `prepare` scales colour pictures for the published network.
    file : the published weights without top, by default in Keras's cache, where they are downloaded to if need be.

    A grey network (one channel, prepared with mode "tf") gets the kernels of its first convolution summed over the
    three channels, each scaled as the published preparation scales its channel; what the channel means add is
    constant and goes into the bias, or into the mean of the normalisation behind it. So it answers as the published
    network does to three equal channels. Only at the picture's border, where convolutions pad with zeros, do the two
    differ a little: zero is mid grey for the one and the channel means for the other.

    Raises
    ------
    LumbarError : no such weights, no network to fetch them from, or a file of another architecture.
    """
    published = published_network(name, file)
    _, _, first, normalisation = PUBLISHED[name]
    for layer in published.layers:
        if layer.weights and not (layer.name == first and model.input_shape[-1] == 1):
            model.get_layer(layer.name).set_weights(layer.get_weights())
    if model.input_shape[-1] == 1:
        _set_grey(model.get_layer(first), published.get_layer(first), mode, normalisation, model)


def published_network(name: str, file: Path | None = None) -> keras.Model:
    """Return the network of `keras.applications` without top, 224 x 224 x 3, with its ImageNet weights."""
    build, file_name = getattr(keras.applications, PUBLISHED[name][0]), PUBLISHED[name][1]
    shape = (224, 224, 3)
    if file is not None:
        network = build(include_top=False, weights=None, input_shape=shape)
        load_file(network, file, f"the ImageNet weights of {name} without top ({file_name})")
        return network
    try:
        return build(include_top=False, weights="imagenet", input_shape=shape)
    except Exception as error:  # Keras raises Exception itself where a download fails
        folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
        raise LumbarError(
            f"The ImageNet weights of {name} are not on this machine and could not be fetched ({error}); download "
            f"{file_name} from https://storage.googleapis.com/tensorflow/keras-applications/ elsewhere and put it in "
            f"{folder}, or give its path as weights."
        ) from error


def is_published(file: Path) -> bool:
    """Return whether the file holds convolutions only, as the published ones do: no dense layer and so no top."""
    try:
        with h5py.File(file) as content:
            return "layer_names" in content.attrs or not any(
                name.startswith("dense") for name in content.get("layers", ())
            )
    except OSError:
        return False


def load_file(model: keras.Model, file: Path, wanted: str) -> None:
    """Load a weights file, or raise `LumbarError` where it is none, or none of this network.

    Keras alone would fill a network from a larger one's file without a word, so shapes are compared first.
    """
    try:
        with h5py.File(file) as content:
            found = sorted(_shapes(content))
        if found == sorted(tuple(weight.shape) for weight in model.weights):
            model.load_weights(file)
            return
    except (OSError, ValueError, KeyError) as error:
        raise LumbarError(
            f"{file} could not be read ({type(error).__name__}: {error}), wanted {wanted}; give the right file."
        ) from error
    raise LumbarError(
        f"{file} holds {len(found)} arrays with {sum(map(_size, found)):,} numbers, wanted {wanted} with "
        f"{len(model.weights)} and {model.count_params():,}; give the file of this architecture, preset, variant, "
        "number of classes and input size."
    )


def _shapes(content: h5py.File) -> list[tuple[int, ...]]:
    shapes = []

    def note(name, item):
        if isinstance(item, h5py.Dataset) and np.issubdtype(item.dtype, np.floating):
            shapes.append(item.shape)

    content.visititems(note)
    return shapes


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))


def _set_grey(layer, published, mode: str, normalisation: str | None, model: keras.Model) -> None:
    kernel, *bias = published.get_weights()  # (K, K, 3, C)
    scale, shift = (values[:, None].astype(np.float32) for values in GREY_SCALE_AND_SHIFT[mode])
    grey = (kernel * scale).sum(axis=2, keepdims=True)  # (K, K, 1, C)
    constant = (kernel * shift).sum(axis=(0, 1, 2))  # (C,)
    if bias:
        layer.set_weights([grey, bias[0] + constant])
        return
    layer.set_weights([grey])
    gamma, beta, mean, variance = model.get_layer(normalisation).get_weights()
    model.get_layer(normalisation).set_weights([gamma, beta, mean - constant, variance])
