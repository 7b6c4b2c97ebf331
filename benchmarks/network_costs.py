"""Multiply-adds of a Keras network, layer by layer: with the measured matrix rate, the least that it can take."""

from __future__ import annotations

import math

import keras

from lumbar_utils.models import Involution2D

# a training step goes forward once, and back once for the pictures and once for the weights
PASSES_OF_A_STEP = 3


def multiply_adds(model: keras.Model) -> int:
    """Return the multiply-adds for one picture, of convolutions, dense layers and involutions."""
    return sum(map(_of_layer, model.layers))


def _of_layer(layer) -> int:
    kernel = getattr(layer, "kernel", None)
    if isinstance(layer, keras.layers.Dense):
        return math.prod(kernel.shape) * math.prod(layer.output.shape[1:-1])
    if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
        return math.prod(kernel.shape) * math.prod(layer.output.shape[1:3])
    if isinstance(layer, Involution2D):
        return involution_multiply_adds(
            layer.output.shape[1:], layer.kernel_size, layer.n_groups, layer.reduce.units
        )
    return 0


def involution_multiply_adds(shape: tuple[int, int, int], kernel_size: int, groups: int, reduced: int) -> int:
    """Return those of an involution to (H, W, C): `reduced` maps, from them a kernel a pixel, and its application."""
    height, width, channels = shape
    per_pixel = channels * reduced + reduced * kernel_size**2 * groups + kernel_size**2 * channels
    return height * width * per_pixel
