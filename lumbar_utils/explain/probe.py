"""Reaches any layer of a Keras network, also one inside a model inside the network."""

from __future__ import annotations

import weakref
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod

import keras
import tensorflow as tf

from ..dataset import LumbarError
from ..models import cam_layer_of

_PROBES: weakref.WeakKeyDictionary[keras.Model, dict] = weakref.WeakKeyDictionary()
_TAPE: ContextVar[tf.GradientTape | None] = ContextVar("tape", default=None)


def layers_with_maps(model: keras.Model) -> list[str]:
    """Return the names of all layers whose output is (N, h, w, C) with more than one cell, first to last.

    A layer of a model inside the network is called as in a path, "backbone/conv5".
    """
    return [path for path, layer in _paths(model) if _has_maps(layer)]


def default_layer(model: keras.Model) -> str:
    """Return the registered layer of the architecture, else the last layer that has maps (N, h, w, C)."""
    candidates = layers_with_maps(model)
    registered = cam_layer_of(model)
    if any(path.rpartition("/")[2] == registered for path in candidates):
        return registered
    if not candidates:
        raise LumbarError(
            f"{model.name} has no layer with maps (N, h, w, C), which a heat map needs; it is no CNN."
        )
    return candidates[-1]


def layer_path(model: keras.Model, layer: str) -> str:
    """Return the path of `layer`, which may be named without the models it lies in if that is unambiguous.

    Raises
    ------
    LumbarError : no such layer, several of that name, or one without spatial extent.
    """
    named = {path: each for path, each in _paths(model) if layer in (path, path.rpartition("/")[2])}
    if layer in named:
        named = {layer: named[layer]}
    if len(named) > 1:
        raise LumbarError(
            f"{model.name} has {len(named)} layers {layer!r}; choose one of {', '.join(named)}."
        )
    if not named:
        raise LumbarError(
            f"{model.name} has no layer {layer!r} with maps; choose one of {', '.join(layers_with_maps(model))}."
        )
    path, found = next(iter(named.items()))
    if not _has_maps(found):
        raise LumbarError(
            f"Layer {path!r} of {model.name} has output {_shape(found)}, without spatial extent, wanted (N, h, w, C) "
            f"with more than one cell; choose one of {', '.join(layers_with_maps(model))}."
        )
    return path


def probe_of(model: keras.Model, layer: str, *, before_head: bool = False) -> keras.Model:
    """Return a network that shares `model`'s weights and answers [maps (N, h, w, C), output (N, K)].

    Inside `watched_by(tape)` the maps are what the tape can differentiate by. It is kept as long as `model` is.

    layer : as in `layer_path`. before_head : give what the last layer sees, (N, F), in place of the output.
    """
    known = _PROBES.setdefault(model, {})
    if (layer, before_head) not in known:
        output = model.layers[-1].input if before_head else model.outputs[0]
        whole = keras.Model(model.inputs[0], output, name=model.name)
        known[layer, before_head] = _probe(whole, layer_path(whole, layer))
    return known[layer, before_head]


@contextmanager
def watched_by(tape: tf.GradientTape):
    """Let `tape` watch the maps of every probe that runs inside."""
    token = _TAPE.set(tape)
    try:
        yield tape
    finally:
        _TAPE.reset(token)


class _Tap(keras.layers.Layer):
    """Passes maps on as where the gradient begins.

    A tape that watches the pictures would follow the gradient back to them, through the whole network, even when asked
    for the maps' alone: four times the work for the course network.
    """

    def call(self, maps):
        maps = tf.stop_gradient(maps)
        if (tape := _TAPE.get()) is not None:
            tape.watch(maps)
        return maps


def _probe(model: keras.Model, path: str) -> keras.Model:
    first, _, rest = path.partition("/")
    target = model.get_layer(first)
    inner = _probe(keras.Model(target.inputs, target.outputs, name=target.name), rest) if rest else None
    tap, caught = _Tap(), []

    def call(layer, *args, **kwargs):
        if layer is not target:
            return layer(*args, **kwargs)
        maps, output = inner(*args, **kwargs) if inner else [tap(layer(*args, **kwargs))] * 2
        caught.append(maps)
        return output

    # the same layers, called once more with the tap behind the one that is asked for
    copy = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(copy.inputs[0], [caught[-1], copy.outputs[0]])


def _paths(model: keras.Model, prefix: str = ""):
    """Yield (path, layer) of every layer but the inputs; a model comes after the layers in it."""
    if not getattr(model, "inputs", None):
        raise LumbarError(
            f"{model.name} has no graph of layers to look into, wanted a Sequential or functional Keras model; call "
            "it once on a picture if it is Sequential, or build it with keras.Model(inputs, outputs)."
        )
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, keras.Model) and getattr(layer, "inputs", None):
            yield from _paths(layer, f"{prefix}{layer.name}/")
        yield prefix + layer.name, layer


def _shape(layer: keras.Layer) -> tuple | None:
    """Return the shape of a layer's output, or None where it has several outputs."""
    return getattr(getattr(layer, "output", None), "shape", None)


def _has_maps(layer: keras.Layer) -> bool:
    shape = _shape(layer)
    return shape is not None and len(shape) == 4 and (None in shape[1:3] or prod(shape[1:3]) > 1)
