"""A network opened with LiteRT alone: its layers and kernels are those of Keras, and drawn anew it knows nothing."""

import keras
import numpy as np
import pytest

from lumbar_utils import build_model
from lumbar_utils.checkpoints import CARD, CHECKPOINTS, read_checkpoint
from lumbar_utils.dashboard.opened_network import LAST_MAPS, OpenNetwork, RandomisedNetwork
from lumbar_utils.phantom import render, sample_patient
from lumbar_utils.preparation import scale_values
from lumbar_utils.runtime import Predictor

NAMES = sorted(card.parent.name.removesuffix("_course") for card in CHECKPOINTS.glob(f"*_course/{CARD}"))


@pytest.fixture(scope="module")
def frames():
    pictures = np.stack([render(sample_patient(seed, disease="Herniated Disk")).image for seed in (3, 5)])
    return Predictor(read_checkpoint("cnn")).frame(pictures)


@pytest.mark.parametrize("name", ["involution_vgg16", "resnet50"])
def test_layers_and_kernels_are_those_of_the_keras_network(name, frames):
    opened, model = OpenNetwork(read_checkpoint(name)), build_model(name, weights="phantom")
    x = scale_values(frames.pictures[:1])
    inner = [layer for layer in opened.layers if layer != LAST_MAPS]
    assert len(inner) > 8
    expected = keras.Model(model.inputs, [model.get_layer(layer).output for layer in inner])(
        x, training=False
    )
    for layer, maps in zip(inner, expected, strict=True):
        maps = keras.ops.convert_to_numpy(maps)[0]
        np.testing.assert_allclose(
            opened.maps(frames, layer), maps, atol=1e-3 * np.abs(maps).max(), err_msg=layer
        )
    assert opened.has_involution == (name == "involution_vgg16")
    if opened.has_involution:
        stem = keras.Model(model.inputs, model.get_layer("stem_relu1").output)(x, training=False)
        kernels = keras.ops.convert_to_numpy(model.get_layer("stem_involution").kernels(stem))[0, ..., 0]
        assert kernels.shape == (96, 48, 7, 7)
        np.testing.assert_allclose(opened.kernels(frames), kernels, atol=1e-3 * np.abs(kernels).max())


@pytest.mark.parametrize("name", NAMES)
def test_layers_stand_in_the_order_of_the_network_and_end_with_the_last_maps(name, frames):
    opened = OpenNetwork(read_checkpoint(name))
    cells = [opened.maps(frames, layer).shape[0] for layer in opened.layers]
    assert cells == sorted(cells, reverse=True)
    last = opened.maps(frames, LAST_MAPS)
    logits = last.mean(axis=(0, 1)) @ opened._kernel
    shares = opened.predict(frames[:1])[0]
    gap = np.log(shares) - logits  # softmax leaves a constant, and the bias of each class
    bias = (
        np.log(opened.predict(frames[1:])[0])
        - OpenNetwork(read_checkpoint(name)).maps(frames[1:], LAST_MAPS).mean(axis=(0, 1)) @ opened._kernel
    )
    np.testing.assert_allclose(gap - gap.mean(), bias - bias.mean(), atol=1e-3)


def test_another_picture_is_looked_at_anew(frames):
    opened = OpenNetwork(read_checkpoint("cnn"))
    first = opened.maps(frames[:1], LAST_MAPS)
    assert not np.allclose(opened.maps(frames[1:], LAST_MAPS), first)


@pytest.mark.parametrize("name", NAMES)
def test_drawn_anew_nothing_that_was_learned_is_left(name, frames):
    checkpoint = read_checkpoint(name)
    trained, anew = Predictor(checkpoint), RandomisedNetwork(checkpoint, seed=0)
    assert np.ptp(anew.predict(frames)) < 0.2 < np.ptp(trained.predict(frames))
    limit = np.sqrt(6 / sum(anew._kernel.shape))
    assert 0.9 * limit < np.abs(anew._kernel).max() <= limit
    heat = anew.heat_maps(frames, 1, ["eigencam"])["eigencam"]
    assert heat.max() > 0.8  # its maps did not die on the way


def test_the_seed_decides_what_is_drawn(frames):
    checkpoint = read_checkpoint("cnn")
    first, again, other = (RandomisedNetwork(checkpoint, seed=seed).predict(frames) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_heat_maps_of_several_methods_are_those_of_one_each(frames):
    opened = OpenNetwork(read_checkpoint("cnn"))
    together = opened.heat_maps(frames, 1, ["gradcam", "eigencam", "scorecam"])
    for method, heat in together.items():
        np.testing.assert_allclose(heat, opened.explain(frames[:1], 1, method)[0], atol=1e-6)
