"""How a network computes while it trains: in which precision, and whether to the same last bit each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism, is_op_determinism_enabled

from ..dataset import LumbarError

PRECISIONS = ("float32", "bfloat16")


@contextmanager
def training_precision(model: keras.Model, precision: str) -> Iterator[None]:
    """Let every layer but the last compute in `precision` meanwhile; weights, logits and loss stay float32.

    Raises
    ------
    LumbarError : TensorFlow cannot compute some layer in bfloat16 on this machine.
    """
    if precision == "float32":
        yield
        return
    layers = [layer for layer in model._flatten_layers(include_self=False) if layer is not model.layers[-1]]
    policies = [layer.dtype_policy for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = "mixed_bfloat16"
        yield
    except (tf.errors.OpError, TypeError) as error:
        raise LumbarError(
            f"{model.name} cannot be trained in bfloat16 on this machine ({str(error).splitlines()[0][:200]}); "
            'leave precision at "float32".'
        ) from error
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer.dtype_policy = policy
        # what Keras compiled meanwhile computes in bfloat16
        model.train_function = model.test_function = model.predict_function = None


@contextmanager
def reproducible(wanted: bool) -> Iterator[None]:
    """Let TensorFlow use only operations that give the same bits each time, where `wanted`, and then as before.

    TensorFlow exports the way in and not the way out, which is taken from its own modules.
    """
    if not wanted or is_op_determinism_enabled():
        yield
        return
    tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        disable_op_determinism()
