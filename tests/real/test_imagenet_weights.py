"""VGG16's published ImageNet weights in our networks, on real slices."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from lumbar_utils import build_model, prepare
from lumbar_utils.models import mode_of
from lumbar_utils.sources import read_picture


@pytest.fixture(scope="module")
def file(real_data):
    folder = Path(os.environ.get("LUMBAR_WEIGHTS") or real_data.parent / "weights")
    path = folder / "vgg16_imagenet_notop.weights.h5"
    if not path.is_file():
        pytest.skip(f"{path} is not there; LUMBAR_WEIGHTS names the folder")
    return path


@pytest.fixture(scope="module")
def slices(real_data):
    files = sorted((real_data / "spider_slices" / "images").glob("*.png"))[:3]
    return np.concatenate(
        [prepare(read_picture(each)[None], size=128, mode="unit")[..., 0] for each in files]
    )


def maps_of(file, slices, channels, layer):
    model = build_model("vgg16", "paper", input_shape=(128, 128, channels), num_classes=4, weights=file)
    x = prepare(slices, size=128, mode=mode_of(model), channels=channels)
    probe = keras.Model(model.inputs[0], model.get_layer(layer).output)
    return keras.ops.convert_to_numpy(probe(x, training=False))


def test_colour_maps_equal_those_of_keras_applications(file, slices):
    reference = keras.applications.VGG16(include_top=False, weights=None, input_shape=(128, 128, 3))
    reference.load_weights(file)
    x = keras.applications.vgg16.preprocess_input(np.repeat(slices[..., None] * 255.0, 3, axis=-1))
    expected = keras.ops.convert_to_numpy(reference(x, training=False))
    found = maps_of(file, slices, 3, "block5_pool")
    assert expected.max() > 1
    assert np.abs(found - expected).max() < 1e-4 * expected.max()


def test_a_grey_network_answers_as_the_colour_network(file, slices):
    grey, colour = (maps_of(file, slices, channels, "block1_conv1") for channels in (1, 3))
    inside = (slice(None), slice(1, -1), slice(1, -1))
    assert np.abs(grey[inside] - colour[inside]).max() < 1e-4 * colour.max()
    grey, colour = (maps_of(file, slices, channels, "block5_conv3") for channels in (1, 3))
    for ours, theirs in zip(grey, colour, strict=True):  # the padding differs a little, and that spreads
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.995
