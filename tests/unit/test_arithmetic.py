import hashlib
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from helpers import ROOT, small_dataset

from lumbar_utils import LumbarError, build_model, fit, predict

SCRIPT = """
import hashlib, sys
sys.path[:0] = ["tests", "tests/unit"]
from test_arithmetic import trained
model, history = trained(deterministic=True)
print("digest", hashlib.sha256(history.to_csv().encode()).hexdigest())
"""


def stripes(seed, n=20):
    return small_dataset(patients_per_class=n, pictures_per_patient=2, seed=seed)


def trained(epochs=2, **options):
    keras.utils.set_random_seed(3)
    model = build_model("cnn", input_shape=(32, 32, 1), num_classes=2)
    history = fit(model, stripes(0), stripes(1), epochs=epochs, seed=3, live=False, **options)
    return model, history


def test_deterministic_gives_the_same_bits_in_this_process_and_in_others():
    (first, history), (second, again) = trained(deterministic=True), trained(deterministic=True)
    pd.testing.assert_frame_equal(history, again, check_exact=True)
    for ours, theirs in zip(first.get_weights(), second.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    outputs = [
        subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, check=True, capture_output=True, text=True)
        for _ in range(2)
    ]
    digests = {line for output in outputs for line in output.stdout.splitlines() if line.startswith("digest")}
    assert digests == {f"digest {hashlib.sha256(history.to_csv().encode()).hexdigest()}"}


def test_deterministic_is_over_when_the_fit_is():
    trained(epochs=1, deterministic=True)
    assert tf.random.uniform(()) < 1  # without a seed: refused while TensorFlow is deterministic


def test_bfloat16_learns_and_leaves_a_float32_network():
    model, history = trained(epochs=12, precision="bfloat16")
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}
    unseen = stripes(2)
    assert (predict(model, unseen).argmax(axis=1) == unseen.labels).mean() > 0.9

    untouched = build_model("cnn", input_shape=(32, 32, 1), num_classes=2)
    untouched.set_weights(model.get_weights())
    assert np.array_equal(predict(model, unseen), predict(untouched, unseen))
    assert np.array_equal(
        model.predict(unseen.images[:4, ..., None] / 255.0, verbose=0),
        untouched.predict(unseen.images[:4, ..., None] / 255.0, verbose=0),
    )


def test_bfloat16_computes_otherwise_than_float32():
    (_, half), (_, whole) = trained(epochs=1, precision="bfloat16"), trained(epochs=1)
    assert 1e-5 < abs(half["loss"][0] / whole["loss"][0] - 1) < 0.2


@keras.saving.register_keras_serializable("tests")
class InverseNorm(keras.layers.Layer):
    """TensorFlow inverts no matrix in bfloat16."""

    def call(self, x):
        return x * tf.linalg.inv(tf.eye(2, dtype=x.dtype))[0, 0]


def test_what_cannot_be_computed_in_bfloat16_is_told():
    pictures = keras.Input((8, 8, 1))
    x = InverseNorm()(keras.layers.Flatten()(pictures))
    model = keras.Model(pictures, keras.layers.Dense(2)(x), name="inverse")
    x, y = np.zeros((8, 8, 8, 1), np.float32), np.arange(8) % 2
    with pytest.raises(LumbarError, match="inverse cannot be trained in bfloat16 on this machine"):
        fit(model, (x, y), (x, y), epochs=1, precision="bfloat16", live=False)
    assert len(fit(model, (x, y), (x, y), epochs=1, live=False)) == 1
    with pytest.raises(LumbarError, match="precision is 'float16'; give 'float32' or 'bfloat16'"):
        fit(model, (x, y), (x, y), precision="float16", live=False)
