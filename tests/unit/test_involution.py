"""The involution layer against a naive loop, the textbook form, finite differences, and itself elsewhere."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import ROOT

from lumbar_utils import Involution2D, LumbarError
from lumbar_utils.models.involution import involve
from lumbar_utils.models.involution_xla import involve_compiled as involve_spanned

# height, width, channels, kernel_size, stride, groups, dilation
CASES = [
    (7, 9, 8, 3, 1, 2, 1),
    (7, 9, 8, 3, 2, 2, 1),
    (8, 6, 6, 5, 2, 3, 1),
    (6, 5, 4, 3, 1, 4, 2),
    (8, 7, 4, 3, 2, 1, 2),
    (7, 8, 6, 1, 3, 2, 1),
    (6, 6, 16, 5, 1, 1, 1),
]


def naive(x, kernels, kernel_size, stride, groups, dilation):
    """Equation 4 of the paper, number by number; neighbouring maps share a group."""
    _, height, width, channels = x.shape
    reach = dilation * (kernel_size // 2)
    y = np.zeros((*kernels.shape[:3], channels))
    for b, i, j, k in np.ndindex(y.shape):
        for u in range(kernel_size):
            for v in range(kernel_size):
                row, column = stride * i + dilation * u - reach, stride * j + dilation * v - reach
                if 0 <= row < height and 0 <= column < width:
                    group = k // (channels // groups)
                    y[b, i, j, k] += kernels[b, i, j, u, v, group] * x[b, row, column, k]
    return y


def case(height, width, channels, kernel_size, stride, groups, dilation):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, height, width, channels)).astype(np.float32)
    size = (2, -(-height // stride), -(-width // stride), kernel_size, kernel_size, groups)
    return x, rng.normal(size=size).astype(np.float32), (kernel_size, stride, groups, dilation)


def involve_compiled(x, kernels, *how):
    """The compiled form on kernels as they are: spanned by the identity, with a bias of 0."""
    n = kernels.shape[-1]
    return involve_spanned(x, kernels, tf.eye(n), tf.zeros(n), *how)


def flat(kernels):
    return kernels.reshape(*kernels.shape[:3], -1)


@pytest.mark.parametrize("numbers", CASES)
def test_both_forms_equal_the_naive_loop(numbers):
    x, kernels, how = case(*numbers)
    expected = naive(x, kernels, *how)
    for form in (involve, involve_compiled):
        found = form(tf.constant(x), tf.constant(flat(kernels)), *how).numpy()
        assert found.shape == expected.shape and np.abs(found - expected).max() < 1e-5


def test_the_textbook_form_is_the_same_up_to_the_order_of_groups():
    """Extract patches, multiply, sum: the contiguous groups of the authors, and so not Keras's interleaved ones."""
    x, kernels, how = case(8, 8, 8, 3, 1, 2, 1)
    patches = tf.image.extract_patches(x, (1, 3, 3, 1), (1, 1, 1, 1), (1, 1, 1, 1), "SAME")
    patches = tf.reshape(patches, (2, 8, 8, 9, 2, 4))
    summed = tf.reduce_sum(patches * kernels.reshape(2, 8, 8, 9, 2, 1), axis=3)
    expected = tf.reshape(summed, (2, 8, 8, 8)).numpy()
    found = involve_compiled(tf.constant(x), tf.constant(flat(kernels)), *how).numpy()
    assert np.abs(found - expected).max() < 1e-5
    interleaved = tf.reduce_sum(
        tf.reshape(patches, (2, 8, 8, 9, 4, 2)) * kernels.reshape(2, 8, 8, 9, 1, 2), axis=3
    )
    assert np.abs(found - tf.reshape(interleaved, (2, 8, 8, 8)).numpy()).max() > 0.1


@pytest.mark.parametrize("numbers", CASES)
def test_the_handwritten_gradient_equals_tensorflows_and_finite_differences(numbers):
    x, kernels, how = case(*numbers)
    upstream = np.random.default_rng(1).normal(size=naive(x, kernels, *how).shape).astype(np.float32)
    gradients = {}
    for form in (involve, involve_compiled):
        inputs = [tf.constant(x), tf.constant(flat(kernels))]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = form(*inputs, *how)
        gradients[form] = [g.numpy() for g in tape.gradient(y, inputs, output_gradients=upstream)]
    for ours, theirs in zip(gradients[involve_compiled], gradients[involve], strict=True):
        assert np.abs(ours - theirs).max() < 1e-4

    # the function is linear in each argument, so that a difference of one is exact but for rounding
    def scored(x, kernels):
        return float((naive(x, kernels, *how) * upstream).sum())

    rng = np.random.default_rng(2)
    base = scored(x, kernels)
    for argument, gradient in zip((x, kernels), gradients[involve_compiled], strict=True):
        for place in rng.integers(0, argument.size, 3):
            moved = argument.astype(np.float64)
            moved.flat[place] += 1
            after = scored(moved, kernels) if argument is x else scored(x, moved)
            assert after - base == pytest.approx(gradient.flat[place], abs=1e-3)


@pytest.mark.parametrize("numbers", CASES)
def test_the_gradient_reaches_what_the_kernels_are_made_of(numbers):
    x, kernels, how = case(*numbers)
    rng = np.random.default_rng(4)
    n = flat(kernels).shape[-1]
    parts = [rng.normal(size=size).astype(np.float32) for size in ((*kernels.shape[:3], 3), (3, n), (n,))]
    found = []
    for form in (involve_spanned, lambda x, r, w, b, *how: involve(x, tf.tensordot(r, w, 1) + b, *how)):
        inputs = [tf.constant(part) for part in (x, *parts)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = form(*inputs, *how)
        upstream = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
        found.append([y, *tape.gradient(y, inputs, output_gradients=upstream)])
    for ours, theirs in zip(*found, strict=True):
        assert ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def layer_with_statistics(**options):
    """A built layer whose normalisation does something."""
    keras.utils.set_random_seed(0)
    layer = Involution2D(3, **options)
    layer.build((None, None, None, 32))
    gamma, beta, mean, variance = layer.normalise.get_weights()
    layer.normalise.set_weights([gamma * 1.5, beta + 0.2, mean + 0.1, variance * 2])
    return layer


def pictures(height=9, width=7, channels=32):
    return np.random.default_rng(3).normal(size=(3, height, width, channels)).astype(np.float32)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_layer_is_its_own_kernels_applied(stride):
    layer = layer_with_statistics(stride=stride)
    x = pictures()
    kernels = keras.ops.convert_to_numpy(layer.kernels(x))
    assert layer.n_groups == 2 and kernels.shape == (3, -(-9 // stride), -(-7 // stride), 3, 3, 2)
    found = keras.ops.convert_to_numpy(layer(x, training=False))
    assert found.shape == layer.compute_output_shape(x.shape)
    assert np.abs(found - naive(x, kernels, 3, stride, 2, 1)).max() < 1e-5


def test_a_kernel_is_made_from_its_own_pixel_by_the_papers_equation():
    layer = layer_with_statistics()
    x = pictures()
    w0, (gamma, beta, mean, variance) = layer.reduce.get_weights()[0], layer.normalise.get_weights()
    w1, bias = layer.span.get_weights()
    reduced = np.maximum(gamma * (x @ w0 - mean) / np.sqrt(variance + 1e-5) + beta, 0)
    expected = (reduced @ w1 + bias).reshape(3, 9, 7, 3, 3, 2)
    assert np.abs(keras.ops.convert_to_numpy(layer.kernels(x)) - expected).max() < 1e-5


def test_parameters_are_those_of_the_authors_layer():
    layer = Involution2D(3)
    layer.build((None, 7, 7, 512))
    assert layer.n_groups == 32
    assert sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights) == 102_944


@pytest.mark.parametrize("stride", [1, 2])
def test_unknown_height_and_width_give_the_same(stride):
    layer = layer_with_statistics(stride=stride)
    inputs = keras.Input((None, None, 32))
    outputs = layer(inputs)
    assert outputs.shape == (None, None, None, 32)
    model = keras.Model(inputs, outputs)
    for x in (pictures(), pictures(6, 11)):
        assert np.abs(model.predict(x, verbose=0) - layer(x, training=False).numpy()).max() < 1e-5


def classifier(stride=2):
    inputs = keras.Input((9, 7, 32), name="pictures")
    x = layer_with_statistics(stride=stride, dilation=2)(inputs)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


def test_a_saved_network_answers_as_before(tmp_path):
    model = classifier()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    settings = again.layers[1].get_config()
    assert (settings["kernel_size"], settings["stride"], settings["dilation"]) == (3, 2, 2)
    assert np.array_equal(model.predict(pictures(), verbose=0), again.predict(pictures(), verbose=0))


def test_litert_answers_as_keras(tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    model = classifier()
    model.export(str(tmp_path / "model.tflite"), format="litert", verbose=False)
    interpreter = Interpreter(model_path=str(tmp_path / "model.tflite"))
    (answer,) = interpreter.get_signature_runner()(pictures=pictures()).values()
    assert np.abs(answer - model.predict(pictures(), verbose=0)).max() < 1e-5


def test_it_learns_in_fit_with_a_last_batch_of_another_size():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 4)), Involution2D(3), keras.layers.GlobalAveragePooling2D()])
    x = np.random.default_rng(0).normal(size=(20, 8, 8, 4)).astype(np.float32)
    y = x[:, 2:6, 2:6].mean(axis=(1, 2)) * 3
    model.compile(keras.optimizers.Adam(0.02), "mse")
    history = model.fit(x, y, batch_size=8, epochs=40, verbose=0).history["loss"]
    assert history[-1] < 0.6 * history[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": 4}, "kernel_size of the involution .* is 4, wanted an odd whole number"),
        ({"stride": 0}, "stride of the involution .* is 0"),
        ({"groups": 3}, "gets 32 maps and has 3 groups"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(LumbarError, match=message):
        Involution2D(**options).build((None, 8, 8, 32))


OTHER = next((name for name in ("jax", "torch") if importlib.util.find_spec(name)), None)


@pytest.mark.skipif(OTHER is None, reason="neither JAX nor PyTorch is installed")
def test_another_backend_gives_the_same(tmp_path):
    model, x = classifier(), pictures()
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    code = (
        "import keras, numpy as np, sys; from lumbar_utils.models.involution import Involution2D; "
        f"assert keras.backend.backend() == {OTHER!r}; model = keras.saving.load_model('model.keras'); "
        "x = np.load('x.npy'); np.save('y.npy', keras.ops.convert_to_numpy(model(x, training=False))); "
        "model.compile('sgd', 'mse'); model.fit(x, np.ones((3, 32)), epochs=1, verbose=0)"
    )
    environment = {
        **os.environ,
        "KERAS_BACKEND": OTHER,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment, timeout=300)
    assert np.abs(np.load(tmp_path / "y.npy") - model(x, training=False).numpy()).max() < 1e-5
