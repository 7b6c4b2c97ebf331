"""Turns a dataset or arrays into what a network takes, and refuses what it cannot learn from before the first step."""

from __future__ import annotations

import keras
import numpy as np

from ..dataset import LumbarDataset, LumbarError
from ..framing import Frames, frame
from ..models import crop_of, mode_of
from ..preparation import scale_values

LabelledPictures = LumbarDataset | tuple[np.ndarray, np.ndarray]


def frames_for(model: keras.Model, images: LumbarDataset | np.ndarray) -> Frames:
    """Return a dataset or (N, H, W) pictures in frames of the network's size: whole, or the column of the spine."""
    pictures = images.images if isinstance(images, LumbarDataset) else images
    return frame(pictures, model.input_shape[1:3], crop_of(model))


def scaled_for(model: keras.Model, frames: Frames) -> np.ndarray:
    """Return (N, H, W, C) float32 in the network's mode and channels."""
    return scale_values(frames.pictures, mode=mode_of(model), channels=model.input_shape[-1])


def pictures_for(model: keras.Model, images: LumbarDataset | np.ndarray) -> np.ndarray:
    """Return (N, H, W, C) float32 as `model` wants it.

    A dataset and (N, H, W) pictures are framed and scaled for the network; (N, H, W, C) is taken as prepared.
    """
    wanted = tuple(model.input_shape[1:])
    if isinstance(images, LumbarDataset) or np.ndim(images) == 3:
        return scaled_for(model, frames_for(model, images))
    x = np.asarray(images, dtype=np.float32)
    if x.shape[1:] != wanted:
        raise LumbarError(
            f"The pictures have shape {x.shape}, {model.name} wants (N, {', '.join(map(str, wanted))}); prepare them "
            f"with prepare(pictures, size={wanted[:2]}, channels={wanted[2]})."
        )
    return x


def labelled_pictures_for(
    model: keras.Model, data: LabelledPictures, what: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return x (N, H, W, C) float32 and y (N,) int64, checked.

    `what` ("training", "validation") is how errors call the data.

    Raises
    ------
    LumbarError : wrong size, missing pixels, no row, labels without a class in the network.
    """
    num_classes = model.output_shape[-1]
    if isinstance(data, LumbarDataset):
        if len(data.class_names) != num_classes:
            raise LumbarError(
                f"The {what} set {data.name} has {len(data.class_names)} classes and {model.name} has {num_classes} "
                f"outputs; build the network with num_classes={len(data.class_names)}."
            )
        images, y = data, data.labels
    else:
        images, y = data
        y = np.asarray(y)
    x = pictures_for(model, images)
    if len(x) == 0 or len(x) != len(y):
        raise LumbarError(
            f"The {what} set has {len(x)} pictures and {len(y)} labels; give one label a picture."
        )
    broken = np.flatnonzero(~np.isfinite(x).all(axis=tuple(range(1, x.ndim))))
    if len(broken):
        raise LumbarError(
            f"{len(broken)} of {len(x)} {what} pictures hold NaN or infinite values (first in row {broken[0]}); "
            "drop or repair them before fitting."
        )
    if not np.issubdtype(y.dtype, np.integer) or y.min() < 0 or y.max() >= num_classes:
        raise LumbarError(
            f"The {what} labels are {y.dtype} from {y.min()} to {y.max()}, {model.name} has {num_classes} outputs and "
            f"wants whole numbers from 0 to {num_classes - 1}; build it with num_classes={len(np.unique(y))} or "
            "renumber the labels."
        )
    return x, y.astype(np.int64)


def check_ends_in_logits(model: keras.Model) -> None:
    """Raise `LumbarError` when the last layer already applies softmax or sigmoid."""
    activation = getattr(model.layers[-1], "activation", None)
    if activation in (keras.activations.softmax, keras.activations.sigmoid):
        raise LumbarError(
            f"{model.name} ends in {activation.__name__}, wanted logits (the loss applies the softmax itself); leave "
            "the activation out of the last Dense layer."
        )


class Batches(keras.utils.PyDataset):
    """Batches in a new order each epoch, augmented on the way: ((B, H, W, C), (B,))."""

    def __init__(self, x: np.ndarray, y: np.ndarray, *, batch_size: int, augment=None, seed: int = 0):
        super().__init__()
        self._x, self._y, self._batch_size, self._augment = x, y, batch_size, augment
        self._rng = np.random.default_rng(seed)
        self._order = self._rng.permutation(len(x))

    def __len__(self) -> int:
        return -(-len(self._x) // self._batch_size)

    def __getitem__(self, number: int):
        rows = self._order[number * self._batch_size : (number + 1) * self._batch_size]
        x = self._x[rows]
        if isinstance(self._augment, keras.Layer):
            x = keras.ops.convert_to_numpy(self._augment(x, training=True))
        elif self._augment is not None:
            x = self._augment(x)
        return x, self._y[rows]

    def on_epoch_end(self) -> None:
        self._order = self._rng.permutation(len(self._x))
