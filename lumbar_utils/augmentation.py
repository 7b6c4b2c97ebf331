"""The paper's augmentation as Keras layers: zoom, rotation, contrast, and a horizontal flip that is off."""

from __future__ import annotations

import keras
from keras import layers

from .dataset import LumbarError


def augmenter(
    *,
    zoom: float = 0.1,
    rotation_degrees: float = 10.0,
    contrast: float = 0.2,
    horizontal_flip: bool = False,
    seed: int = 0,
) -> keras.Sequential:
    """Return layers that change prepared training pictures (N, H, W, C) in [0, 1] and leave others as they are.

    The paper flips horizontally. On a sagittal slice that puts the sac where the abdomen is, a view that no
    scanner makes; on an axial slice it turns a left herniation into a right one under the same label. So the flip
    is off, and here to be tried.

    Parameters
    ----------
    zoom : largest change of scale either way, as a part of 1.
    rotation_degrees : largest turn either way.
    contrast : largest change of the contrast's factor either way.
    seed : of the changes.

    Raises
    ------
    LumbarError : a size of change that is no picture any more.
    """
    for name, value, limit in (
        ("zoom", zoom, 0.9), ("rotation_degrees", rotation_degrees, 180), ("contrast", contrast, 1)
    ):  # fmt: skip
        if not 0 <= value <= limit:
            raise LumbarError(
                f"{name} is {value:g}, wanted 0 to {limit:g}; a tenth of that is a usual choice."
            )
    changes = [layers.RandomFlip("horizontal", seed=seed)] if horizontal_flip else []
    changes += [
        layers.RandomZoom((-zoom, zoom), fill_mode="constant", seed=seed + 1),
        layers.RandomRotation(rotation_degrees / 360, fill_mode="constant", seed=seed + 2),
        layers.RandomContrast(contrast, value_range=(0, 1), seed=seed + 3),
    ]
    return keras.Sequential(changes, name="augmenter")
