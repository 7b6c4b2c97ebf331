"""Takes maps and gradients out of a Keras network and hands them to `cam`."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from ..cam import method_named, stretch_over_picture
from ..dataset import LumbarDataset, LumbarError
from ..models import cam_layer_of
from ..training.inputs import pictures_for


def maps_and_gradients(
    model: keras.Model, x: np.ndarray, *, layer: str, class_index: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer's maps and the gradient of a logit with respect to them, both (N, h, w, C) float32.

    x : (N, H, W, C) prepared pictures. class_index : (N,) the class of each; by default the predicted one.
    """
    probe = keras.Model(model.inputs[0], [model.get_layer(layer).output, model.outputs[0]])
    pictures = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(pictures)  # else a network whose layers are all frozen would leave no trace on the tape
        maps, logits = probe(pictures, training=False)
        if class_index is None:
            class_index = tf.argmax(logits, axis=1)
        score = tf.gather(logits, class_index, axis=1, batch_dims=1)  # (N,)
    return maps.numpy(), tape.gradient(score, maps).numpy()


def explain(
    model: keras.Model,
    images: LumbarDataset | np.ndarray,
    method: str = "gradcam",
    *,
    class_index: int | np.ndarray | None = None,
    layer: str | None = None,
    batch_size: int = 32,
) -> np.ndarray:
    """Return where in each picture the network found evidence for a class, (N, H, W) float32 in [0, 1].

    Parameters
    ----------
    model : ends in logits, so that the gradient is the logit's and not the probability's.
    images : a dataset or (N, H, W) pictures of any size; or (N, H, W, C) prepared for the network.
    method : a name of `cam.METHODS`.
    class_index : one class for all pictures or one a picture; by default each picture's predicted class.
    layer : the layer whose maps are explained; by default the last that gives maps.

    Raises
    ------
    LumbarError : unknown method, layer or class.
    """
    cam = method_named(method)
    layer = layer or default_layer(model)
    _check_layer(model, layer)
    x = pictures_for(model, images)
    height, width = images.images.shape[1:] if isinstance(images, LumbarDataset) else np.shape(images)[1:3]
    if class_index is not None:
        class_index = _checked_classes(class_index, len(x), model.output_shape[-1])
    heat = []
    for start in range(0, len(x), batch_size):
        rows = slice(start, start + batch_size)
        classes = None if class_index is None else class_index[rows]
        maps, gradients = maps_and_gradients(model, x[rows], layer=layer, class_index=classes)
        heat.append(stretch_over_picture(cam.heat(maps, gradients), height, width))
    return np.concatenate(heat)


def default_layer(model: keras.Model) -> str:
    """Return the registered layer of the architecture, else the last layer whose output is (N, h, w, C)."""
    if layer := cam_layer_of(model):
        return layer
    for candidate in reversed(model.layers):
        if len(candidate.output.shape) == 4:
            return candidate.name
    raise LumbarError(
        f"{model.name} has no layer with maps (N, h, w, C), which a heat map needs; it is no CNN."
    )


def _check_layer(model: keras.Model, layer: str) -> None:
    with_maps = [each.name for each in model.layers if len(each.output.shape) == 4]
    if layer not in with_maps:
        raise LumbarError(
            f"{model.name} has no layer {layer!r} with maps; choose one of {', '.join(with_maps[1:])}."
        )


def _checked_classes(class_index, n: int, num_classes: int) -> np.ndarray:
    classes = np.asarray(class_index)
    classes = np.full(n, classes) if classes.ndim == 0 else classes
    if len(classes) != n or classes.min() < 0 or classes.max() >= num_classes:
        raise LumbarError(
            f"class_index is {class_index}, wanted one number from 0 to {num_classes - 1}, or one for each of the {n} "
            "pictures."
        )
    return classes.astype(np.int64)
