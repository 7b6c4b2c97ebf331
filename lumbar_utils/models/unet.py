"""The U-Net that finds bodies, discs, sacrum, dural sac and lesions; it labels pixels, so it has its own builder."""

from __future__ import annotations

import keras
from keras import layers

from .cnn import conv_block

WIDTHS = (12, 24, 44, 64, 80)  # maps at each resolution, finest first
CITATION = (
    "Ronneberger, Fischer and Brox 2015, U-Net; narrower, with padded convolutions and batch normalisation."
)


def build_unet(
    input_shape: tuple[int, int, int] = (192, 192, 1),
    num_classes: int = 8,
    *,
    widths: tuple[int, ...] = WIDTHS,
) -> keras.Model:
    """Return a U-Net (Ronneberger et al. 2015): pictures (N, H, W, C) in [0, 1] to logits (N, H, W, num_classes).

    The picture is halved `len(widths) - 1` times and doubled as often; at each size the maps from the way down
    are laid beside those from the way up, so that the answer knows the whole and stays as sharp as the picture.
    What differs from the paper: a fifth of the maps or fewer; convolutions are padded, so that output and input
    have one size; each is followed by batch normalisation; and the full resolution, which takes most of the time,
    has one convolution each way instead of two.

    H and W must be divisible by 2 ** (len(widths) - 1).
    """
    pictures = keras.Input(input_shape, name="pictures")
    x, skips = pictures, []
    for depth, filters in enumerate(widths):
        if depth:
            skips.append(x)
            x = layers.MaxPooling2D(name=f"pool{depth}")(x)
        x = stage(x, filters, depth, name=f"down{depth}")  # (N, H / 2**depth, W / 2**depth, filters)
    for depth in reversed(range(len(skips))):
        filters = widths[depth]
        x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"enlarge{depth}")(x)
        x = layers.Concatenate(name=f"skip{depth}")([skips[depth], x])  # (…, 2 filters)
        x = stage(x, filters, depth, name=f"up{depth}")
    logits = layers.Conv2D(num_classes, 1, name="logits")(x)  # (N, H, W, K)
    return keras.Model(pictures, logits, name="localiser")


def stage(x, filters: int, depth: int, *, name: str):
    """Convolve once at full resolution and twice below it: (N, H, W, C) to (N, H, W, filters)."""
    for letter in "a" if depth == 0 else "ab":
        x = conv_block(x, filters, pool=False, name=f"{name}{letter}")
    return x
