"""Takes maps and gradients out of a Keras network and hands them to `cam`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from ..cam import method_named, resized
from ..dataset import LumbarDataset, LumbarError
from ..hybrid import CNNSVMClassifier
from ..training import features_of
from ..training.inputs import check_ends_in_logits, frames_for, pictures_for, scaled_for
from .probe import default_layer, probe_of, watched_by
from .svm import decision_values


@dataclass(frozen=True)
class _Explained:
    """What is explained: `probe` gives maps and an output, `values` turns the output into one value a class (N, K)."""

    probe: keras.Model
    values: Callable[[tf.Tensor], tf.Tensor]

    def maps_and_values(self, x: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
        maps, output = self.probe(x, training=False)
        return maps, self.values(output)

    def gradients(self, x: np.ndarray, classes: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return maps and the gradient of the class's value, by default the highest's, to them, both (N, h, w, C)."""
        with tf.GradientTape(watch_accessed_variables=False) as tape, watched_by(tape):
            maps, values = self.maps_and_values(x)
            classes = tf.argmax(values, axis=1) if classes is None else classes
            value = tf.gather(values, classes, axis=1, batch_dims=1)  # (N,)
        gradients = tape.gradient(value, maps, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return maps.numpy(), gradients.numpy()

    def of_class(self, x: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return (N,) the value of each picture's class."""
        return tf.gather(self._graph(x), classes, axis=1, batch_dims=1).numpy()

    @cached_property
    def _graph(self) -> Callable[[np.ndarray], tf.Tensor]:
        """Return the values as one graph, for who asks hundreds of times: twice as fast as layer by layer."""
        pictures = tf.TensorSpec(self.probe.inputs[0].shape, tf.float32)
        return tf.function(lambda x: self.maps_and_values(x)[1], input_signature=[pictures])


def maps_and_gradients(
    model: keras.Model, x: np.ndarray, *, layer: str, class_index: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer's maps and the gradient of a logit with respect to them, both (N, h, w, C) float32.

    x : (N, H, W, C) prepared pictures. class_index : (N,) the class of each; by default the predicted one.
    """
    return _Explained(probe_of(model, layer), lambda logits: logits).gradients(x, class_index)


def explain(
    model: keras.Model | CNNSVMClassifier,
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
    model : ends in logits, so that the gradient is the logit's and not the probability's. Of a fitted
        CNN-SVM hybrid the SVM's decision value is explained, through the features of its network.
    images : a dataset or (N, H, W) pictures of any size; or (N, H, W, C) prepared for the network.
    method : a name of `cam.METHODS`.
    class_index : one class for all pictures or one a picture; by default each picture's predicted class.
    layer : the layer whose maps are explained, by default the last that gives maps; "backbone/conv5" is a layer
        of a model inside the network.

    Raises
    ------
    LumbarError : unknown method, layer or class; a layer without spatial extent; a network that ends in softmax; a
        hybrid whose SVM cannot be followed back.
    """
    cam = method_named(method)
    if len(images) == 0:
        raise LumbarError("There is no picture to explain (0 rows); check the rows that were picked.")
    network, explained = _explained(model, layer)
    frames = (
        frames_for(network, images) if isinstance(images, LumbarDataset) or np.ndim(images) == 3 else None
    )
    x = pictures_for(network, images) if frames is None else scaled_for(network, frames)
    classes = None  # that is, the highest logit
    if class_index is not None:
        num_classes = len(model.classes_) if isinstance(model, CNNSVMClassifier) else model.output_shape[-1]
        classes = _checked_classes(class_index, len(x), num_classes)
    elif isinstance(model, CNNSVMClassifier):
        classes = model.calibrated_.predict_proba(features_of(network, x)).argmax(axis=1)
    batches = [slice(start, start + batch_size) for start in range(0, len(x), batch_size)]
    heat = np.concatenate(
        [_heat(cam, explained, x[rows], None if classes is None else classes[rows]) for rows in batches]
    )
    return resized(heat, *x.shape[1:3]) if frames is None else frames.back(heat)


def _explained(model: keras.Model | CNNSVMClassifier, layer: str | None) -> tuple[keras.Model, _Explained]:
    """Return the network that sees the pictures, and what is explained."""
    if isinstance(model, CNNSVMClassifier):
        if not hasattr(model, "svm_"):
            raise LumbarError(
                "The CNN-SVM hybrid has not learned yet; call its fit(X, y) before explaining it."
            )
        network = model.network_
        probe = probe_of(network, layer or default_layer(network), before_head=True)
        return network, _Explained(probe, decision_values(model.svm_, probe.output_shape[1][-1]))
    if isinstance(model.layers[-1], keras.layers.Softmax):
        raise LumbarError(
            f"{model.name} ends in a Softmax layer, wanted logits; explain the network without that layer."
        )
    check_ends_in_logits(model)
    return model, _Explained(probe_of(model, layer or default_layer(model)), lambda logits: logits)


def _heat(cam, explained: _Explained, x: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
    """Return (N, h, w) heat of prepared pictures (N, H, W, C)."""
    if cam.needs == "gradients":
        return cam.heat(*explained.gradients(x, classes))
    maps, values = (each.numpy() for each in explained.maps_and_values(x))
    if cam.needs == "maps":
        return cam.heat(maps)
    classes = values.argmax(axis=1) if classes is None else classes
    return cam.heat(maps, x, lambda masked, rows: explained.of_class(masked, classes[rows]))


def _checked_classes(class_index, n: int, num_classes: int) -> np.ndarray:
    classes = np.asarray(class_index)
    classes = np.full(n, classes) if classes.ndim == 0 else classes
    if len(classes) != n or classes.min() < 0 or classes.max() >= num_classes:
        raise LumbarError(
            f"class_index is {class_index}, wanted one number from 0 to {num_classes - 1}, or one for each of the {n} "
            "pictures."
        )
    return classes.astype(np.int64)
