import gc
import weakref

import keras
import numpy as np
import pytest
from helpers import small_dataset

from lumbar_utils import LumbarError, build_model, explain
from lumbar_utils.cam import METHODS, GradCAM, HiResCAM
from lumbar_utils.explain import default_layer, layers_with_maps, maps_and_gradients


def bright_spot_network(size=64):
    """Class 1 gathers what is brighter than 0.8, class 0 what is darker than 0.2: nothing else counts."""
    pictures = keras.Input((size, size, 1))
    maps = keras.layers.Conv2D(2, 1, activation="relu", name="maps")(pictures)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(
        keras.layers.AveragePooling2D(4, name="coarse")(maps)
    )
    model = keras.Model(pictures, keras.layers.Dense(2, use_bias=False, name="dense_layer")(pooled))
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


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("layer", ["maps", "coarse"])
def test_every_method_peaks_on_the_one_patch_that_makes_the_class(method, layer):
    rng = np.random.default_rng(0)
    pictures = rng.integers(60, 190, (6, 64, 64)).astype(np.uint8)  # neither bright nor dark
    corners = rng.integers(2, 54, (6, 2))
    for picture, (top, left) in zip(pictures, corners, strict=True):
        picture[top : top + 8, left : left + 8] = 250
    for heat, (top, left) in zip(
        explain(bright_spot_network(), pictures, method, class_index=1, layer=layer), corners, strict=True
    ):
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        assert top - 2 <= row < top + 10 and left - 2 <= column < left + 10
        assert heat[max(top - 4, 0) : top + 12, max(left - 4, 0) : left + 12].sum() > 0.95 * heat.sum()


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.needs != "maps"])
def test_a_class_without_evidence_has_no_heat(method):
    grey = np.full((2, 64, 64), 128, np.uint8)
    assert not explain(bright_spot_network(), grey, method, class_index=1).any()


def test_hires_cam_adds_up_to_the_logit_where_the_head_is_linear():
    keras.utils.set_random_seed(0)
    pictures = keras.Input((16, 16, 1))
    maps = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="maps")(pictures)
    model = keras.Model(pictures, keras.layers.Dense(2, use_bias=False)(keras.layers.Flatten()(maps)))
    x = np.random.default_rng(0).random((4, 16, 16, 1)).astype(np.float32)
    found, gradients = maps_and_gradients(model, x, layer="maps", class_index=np.array([0, 1, 1, 0]))
    total = (HiResCAM().weights(found, gradients) * found).sum(axis=(1, 2, 3))
    logits = keras.ops.convert_to_numpy(model(x))
    assert np.allclose(total, logits[np.arange(4), [0, 1, 1, 0]], atol=1e-5)
    averaged = (GradCAM().weights(found, gradients)[:, None, None] * found).sum(axis=(1, 2, 3))
    assert not np.allclose(averaged, total, atol=0.05)


def nested_network(kind, size=64):
    """The bright spot network with its maps in a model inside a model."""
    flat = bright_spot_network(size)
    if kind == "sequential":
        inner = keras.Sequential(
            [keras.Input((size, size, 1)), flat.get_layer("maps"), flat.get_layer("coarse")], name="inner"
        )
    else:
        inner = keras.Model(flat.inputs[0], flat.get_layer("coarse").output, name="inner")
    pictures = keras.Input((size, size, 1))
    backbone = keras.Model(
        pictures,
        keras.layers.GlobalAveragePooling2D()(inner(keras.layers.Rescaling(1.0)(pictures))),
        name="backbone",
    )
    outer = keras.Input((size, size, 1))
    model = keras.Model(outer, flat.layers[-1](backbone(outer)))
    return flat, model


@pytest.mark.parametrize("kind", ["functional", "sequential"])
@pytest.mark.parametrize("method", ["gradcam", "scorecam"])
def test_layers_of_a_model_inside_a_model_are_reached(pictures, kind, method):
    flat, model = nested_network(kind)
    inside = layers_with_maps(model)
    assert {"backbone/inner/maps", "backbone/inner/coarse", "backbone/inner"} <= set(inside)
    assert default_layer(model) == "backbone/inner"
    for path, layer in (("backbone/inner/maps", "maps"), ("maps", "maps"), ("backbone/inner", "coarse")):
        expected = explain(flat, pictures, method, class_index=1, layer=layer)
        assert np.allclose(explain(model, pictures, method, class_index=1, layer=path), expected, atol=1e-6)
    assert np.allclose(explain(model, pictures), explain(flat, pictures), atol=1e-6)


def test_a_name_that_two_inner_layers_share_asks_for_the_path():
    def part(name):
        return keras.Sequential(
            [keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same", name="conv")], name=name
        )

    model = keras.Sequential(
        [keras.Input((8, 8, 1)), part("first"), part("second"), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    with pytest.raises(LumbarError, match="2 layers 'conv'; choose one of first/conv, second/conv"):
        explain(model, np.zeros((1, 8, 8), np.uint8), layer="conv")
    assert explain(model, np.zeros((1, 8, 8), np.uint8), layer="second/conv").shape == (1, 8, 8)


def test_an_early_layer_beside_a_shortcut_gets_the_gradient_of_its_own_path():
    keras.utils.set_random_seed(1)
    pictures = keras.Input((8, 8, 1))
    shortcut = keras.layers.Conv2D(2, 1, name="shortcut")(pictures)
    maps = keras.layers.Conv2D(2, 3, padding="same", name="maps")(shortcut)
    both = keras.layers.Add()([shortcut, maps])
    model = keras.Model(pictures, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(both)))
    x = np.random.default_rng(0).random((2, 8, 8, 1)).astype(np.float32)
    kernel = model.layers[-1].get_weights()[0]
    _, gradients = maps_and_gradients(model, x, layer="maps", class_index=np.array([0, 1]))
    assert np.allclose(gradients, kernel.T[:, None, None] / 64, atol=1e-6)


def test_explaining_leaves_the_network_as_it_was(tmp_path, pictures):
    _, model = nested_network("functional")
    before, names = model.count_params(), [layer.name for layer in model.layers]
    expected = keras.ops.convert_to_numpy(model(pictures[..., None] / 255.0))
    heat = explain(model, pictures, layer="maps")
    assert model.count_params() == before and [layer.name for layer in model.layers] == names
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.allclose(keras.ops.convert_to_numpy(again(pictures[..., None] / 255.0)), expected)
    assert np.allclose(explain(again, pictures, layer="maps"), heat, atol=1e-6)


def test_weights_that_change_change_the_heat(pictures):
    model = bright_spot_network()
    bright = explain(model, pictures, class_index=1)
    model.layers[-1].set_weights([model.layers[-1].get_weights()[0][:, ::-1]])
    assert np.allclose(explain(model, pictures, class_index=0), bright)


def test_prepared_pictures_need_not_be_square():
    keras.utils.set_random_seed(0)
    model = build_model("cnn", input_shape=(64, 32, 1), num_classes=2)
    x = np.random.default_rng(0).random((2, 64, 32, 1)).astype(np.float32)
    maps, gradients = maps_and_gradients(model, x, layer="block5_relu")
    heat = explain(model, x)
    assert heat.shape == (2, 64, 32) and maps.shape[1:3] == (8, 4)
    cells = GradCAM().heat(maps, gradients)
    hottest = [np.unravel_index(each.argmax(), each.shape) for each in cells]
    for each, (row, column) in zip(heat, hottest, strict=True):
        found = np.unravel_index(each.argmax(), each.shape)
        assert (found[0] // 8, found[1] // 8) == (row, column)


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
        ({"layer": "dense_layer"}, r"output \(None, 2\), without spatial extent.*choose one of maps, coarse"),
        ({"layer": "pooled"}, r"'pooled' of .* has output \(None, 2\), without spatial extent"),
    ],
)
def test_what_does_not_exist_is_named(pictures, options, message):
    with pytest.raises(LumbarError, match=message):
        explain(bright_spot_network(), pictures, **options)


def test_networks_that_cannot_be_explained_say_why():
    picture = np.zeros((1, 8, 8), np.uint8)
    flat = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(LumbarError, match="no layer with maps"):
        explain(flat, picture)
    one_cell = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(3, 8, name="one_cell"), keras.layers.Flatten(),
         keras.layers.Dense(2)]
    )  # fmt: skip
    with pytest.raises(LumbarError, match=r"\(None, 1, 1, 3\), without spatial extent"):
        explain(one_cell, picture, layer="one_cell")
    for end in (keras.layers.Dense(2, activation="softmax"), keras.layers.Softmax()):
        ends = keras.Sequential(
            [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D(), end]
        )
        with pytest.raises(LumbarError, match="wanted logits"):
            explain(ends, picture)
    with pytest.raises(LumbarError, match="no picture to explain"):
        explain(flat, picture[:0])
    x = np.full((1, 64, 64, 1), np.nan, np.float32)
    with pytest.raises(LumbarError, match="NaN or infinite values for 1 of 1 pictures"):
        explain(bright_spot_network(), x)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.maps, self.head = keras.layers.Conv2D(2, 3), keras.layers.Dense(2)

    def call(self, x):
        return self.head(keras.ops.mean(self.maps(x), axis=(1, 2)))


def test_a_network_without_a_graph_says_so():
    unbuilt = keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(2)])
    for model in (unbuilt, Subclassed()):
        with pytest.raises(LumbarError, match="has no graph of layers to look into"):
            explain(model, np.zeros((1, 8, 8), np.uint8))


def test_a_network_is_let_go_when_nobody_needs_it(pictures):
    for make in (bright_spot_network, lambda: nested_network("functional")[1]):
        model = make()
        explain(model, pictures, layer="maps")
        known = weakref.ref(model)
        del model
        gc.collect()
        assert known() is None
