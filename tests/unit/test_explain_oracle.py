"""Heat maps beside other people's: a hand-written gradient tape, and eli5 where it is installed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lumbar_utils import build_model, explain
from lumbar_utils.cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM
from lumbar_utils.explain import maps_and_gradients


def deep_headed_network():
    """A head of more than one layer, so that gradients differ from cell to cell."""
    keras.utils.set_random_seed(3)
    pictures = keras.Input((32, 32, 1))
    maps = keras.layers.Conv2D(6, 5, strides=2, activation="relu", name="maps")(pictures)
    deeper = keras.layers.Conv2D(8, 3, activation="relu", name="deeper")(
        keras.layers.BatchNormalization()(maps)
    )
    hidden = keras.layers.Dense(10, activation="relu")(keras.layers.Flatten()(deeper))
    return keras.Model(pictures, keras.layers.Dense(3, name="logits")(hidden))


NETWORKS = {
    "deep head": (deep_headed_network, ("maps", "deeper")),
    "course": (
        lambda: build_model("cnn", input_shape=(32, 32, 1), num_classes=3),
        ("block3_relu", "block5_relu"),
    ),
}
CASES = [(name, layer) for name, (_, layers) in NETWORKS.items() for layer in layers]
X = np.random.default_rng(0).random((5, 32, 32, 1)).astype(np.float32)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request):
    name, layer = request.param
    keras.utils.set_random_seed(3)
    return NETWORKS[name][0](), layer


def tape_heat(model, picture, layer, class_index, weigh):
    """Return the heat (h, w) of one picture (1, H, W, C), written out as a tutorial does it."""
    both = keras.Model(model.inputs[0], [model.get_layer(layer).output, model.output])
    with tf.GradientTape() as tape:
        maps, logits = both(picture, training=False)
        score = logits[:, class_index]
    heat = tf.maximum(tf.reduce_sum(weigh(maps, tape.gradient(score, maps)) * maps, axis=-1), 0)[0]
    return (heat / tf.maximum(tf.reduce_max(heat), 1e-20)).numpy()


def plus_plus(maps, gradients):
    alpha = gradients**2 / (
        2 * gradients**2 + tf.reduce_sum(maps, axis=(1, 2), keepdims=True) * gradients**3 + 1e-30
    )
    return tf.reduce_sum(alpha * tf.nn.relu(gradients), axis=(1, 2), keepdims=True)


@pytest.mark.parametrize(
    ("method", "weigh"),
    [
        (GradCAM, lambda maps, g: tf.reduce_mean(g, axis=(1, 2), keepdims=True)),
        (GradCAMPlusPlus, plus_plus),
        (HiResCAM, lambda maps, g: g),
        (LayerCAM, lambda maps, g: tf.nn.relu(g)),
    ],
)
def test_a_hand_written_tape_gives_the_same_heat(case, method, weigh):
    model, layer = case
    maps, gradients = maps_and_gradients(model, X, layer=layer, class_index=np.array([0, 1, 2, 0, 1]))
    heat = method().heat(maps, gradients)
    for row, class_index in enumerate([0, 1, 2, 0, 1]):
        expected = tape_heat(model, X[row : row + 1], layer, class_index, weigh)
        assert np.abs(heat[row] - expected).max() < 1e-4


def test_eli5_gives_the_same_grad_cam(case):
    eli5 = pytest.importorskip("eli5.keras.explain_prediction", reason="eli5 is not installed")
    from PIL import Image

    model, layer = case
    classes = [0, 1, 2, 0, 1]
    maps, gradients = maps_and_gradients(model, X, layer=layer, class_index=np.array(classes))
    heat, compared = GradCAM().heat(maps, gradients), 0
    for row, class_index in enumerate(classes):
        found = eli5.explain_prediction_keras(
            model, X[row : row + 1], image=Image.new("L", (32, 32)), layer=layer, targets=[class_index]
        )
        expected = found.targets[0].heatmap
        # eli5 adds 1e-7 to the maximum, which a map of small gradients feels
        expected = expected / expected.max() if expected.max() > 0 else expected
        assert np.abs(heat[row] - expected).max() < 1e-4
        compared += expected.max() > 0
    assert compared
    assert explain(model, X, layer=layer).shape == (5, 32, 32)
