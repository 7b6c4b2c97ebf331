import keras
import numpy as np
import pytest
from helpers import small_dataset

from lumbar_utils import LumbarError, build_model, explain
from lumbar_utils.cam import GradCAM
from lumbar_utils.explain import default_layer, maps_and_gradients


def bright_spot_network(size=64):
    """Class 1 gathers what is brighter than 0.8, class 0 what is darker than 0.2: nothing else counts."""
    pictures = keras.Input((size, size, 1))
    maps = keras.layers.Conv2D(2, 1, activation="relu", name="maps")(pictures)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.AveragePooling2D(4, name="coarse")(maps))
    model = keras.Model(pictures, keras.layers.Dense(2, use_bias=False)(pooled))
    model.get_layer("maps").set_weights([np.array([[[[1.0, -1.0]]]]), np.array([-0.8, 0.2])])
    model.layers[-1].set_weights([np.array([[0.0, 5.0], [5.0, 0.0]])])
    return model


@pytest.fixture
def pictures():
    """Grey, with a bright patch in the upper right and a dark one in the lower left quarter."""
    images = np.full((3, 64, 64), 128, np.uint8)
    images[:, 8:16, 44:52] = 250
    images[:, 40:52, 8:16] = 5
    return images


def share_inside(heat, rows, columns):
    return heat[rows, columns].sum() / heat.sum()


@pytest.mark.parametrize("layer", ["maps", "coarse"])
def test_the_patch_that_makes_the_class_lights_up(pictures, layer):
    bright = explain(bright_spot_network(), pictures, class_index=1, layer=layer)
    dark = explain(bright_spot_network(), pictures, class_index=0, layer=layer)
    assert (
        bright.shape == pictures.shape
        and bright.dtype == np.float32
        and bright.max() == pytest.approx(1, abs=0.01)
    )
    for heat in bright:
        assert share_inside(heat, slice(6, 18), slice(42, 54)) > 0.95
    for heat in dark:
        assert share_inside(heat, slice(38, 54), slice(6, 18)) > 0.95


def test_the_predicted_class_is_the_default_and_classes_can_differ(pictures):
    model = bright_spot_network()
    pictures[0, 20:40, 20:40] = 255  # now picture 0 is class 1, the others stay class 0
    chosen = explain(model, pictures)
    assert np.array_equal(chosen, explain(model, pictures, class_index=np.array([1, 0, 0])))
    assert not np.array_equal(chosen[0], explain(model, pictures, class_index=0)[0])


def test_batches_give_the_same_heat(pictures):
    model = bright_spot_network()
    assert np.allclose(explain(model, pictures, batch_size=2), explain(model, pictures), atol=1e-6)


def test_a_picture_that_is_not_square_keeps_its_place():
    picture = np.full((1, 64, 96), 128, np.uint8)
    picture[0, 8:16, 72:84] = 250
    heat = explain(bright_spot_network(), picture, class_index=1)[0]
    assert heat.shape == (64, 96)
    assert share_inside(heat, slice(5, 19), slice(69, 87)) > 0.9


def test_gradients_of_a_pooled_head_are_its_kernel_over_the_cells():
    keras.utils.set_random_seed(0)
    model = build_model("cnn", input_shape=(32, 32, 1), num_classes=3)
    x = np.random.default_rng(0).random((4, 32, 32, 1)).astype(np.float32)
    maps, gradients = maps_and_gradients(model, x, layer="block5_relu", class_index=np.array([0, 1, 2, 2]))
    kernel = model.layers[-1].get_weights()[0]
    expected = np.broadcast_to(kernel.T[[0, 1, 2, 2]][:, None, None] / 16, maps.shape)
    assert maps.shape == (4, 4, 4, 128) and np.allclose(gradients, expected, atol=1e-6)
    assert np.allclose(GradCAM().weights(maps, gradients), expected[:, 0, 0], atol=1e-6)


def test_frozen_layers_can_be_explained(pictures):
    model = bright_spot_network()
    expected = explain(model, pictures, class_index=1)
    model.trainable = False
    assert np.array_equal(explain(model, pictures, class_index=1), expected)


def test_a_dataset_can_be_explained():
    data = small_dataset(patients_per_class=2)
    assert explain(build_model("cnn", num_classes=2), data).shape == data.images.shape


def test_the_last_maps_are_the_default():
    assert default_layer(build_model("cnn")) == "block5_relu"
    assert default_layer(bright_spot_network()) == "coarse"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "nowhere"}, "no layer 'nowhere' with maps; choose one of maps, coarse"),
        ({"class_index": 2}, "class_index is 2, wanted one number from 0 to 1"),
        ({"method": "lime"}, "no heat map method 'lime'"),
    ],
)
def test_what_does_not_exist_is_named(pictures, options, message):
    with pytest.raises(LumbarError, match=message):
        explain(bright_spot_network(), pictures, **options)
