import keras
import numpy as np
import pytest

from lumbar_utils import LumbarError, build_model, count_parameters, list_models
from lumbar_utils.models import ARCHITECTURES, cam_layer_of, display_name_of


def parameters_by_hand(widths, channels, num_classes):
    """3 x 3 kernels without bias, four numbers a map for batch normalisation, one dense layer with bias."""
    maps = [channels, *widths]
    convolutions = sum(9 * before * after + 4 * after for before, after in zip(maps, widths, strict=False))
    return convolutions + (widths[-1] + 1) * num_classes


def test_the_course_cnn_has_the_parameters_that_its_layers_add_up_to():
    expected = parameters_by_hand((16, 32, 64, 128, 128), 1, 4)
    assert count_parameters("cnn") == build_model("cnn").count_params() == expected == 246_356


def test_parameters_of_the_paper_preset():
    assert count_parameters("cnn", "paper") == parameters_by_hand((32, 64, 128, 256, 256), 3, 4)


def test_the_cnn_ends_in_pooling_and_dense_logits():
    model = build_model("cnn", input_shape=(64, 64, 1), num_classes=2)
    assert model.name == "cnn_course" and model.output_shape == (None, 2)
    pooling, dense = model.get_layer("features"), model.layers[-1]
    assert isinstance(pooling, keras.layers.GlobalAveragePooling2D) and isinstance(dense, keras.layers.Dense)
    assert dense.activation is keras.activations.linear
    assert model.get_layer(cam_layer_of(model)).output.shape[1:] == (8, 8, 128)


def test_the_list_names_every_network_with_its_size():
    table = list_models().set_index(["name", "preset"])
    assert list(table.index) == [(name, preset) for name in ARCHITECTURES for preset in ("course", "paper")]
    assert table["display_name"].is_unique
    assert table.loc[("cnn", "course"), "parameters"] == 246_356
    assert table.loc[("cnn", "course"), "input_shape"] == (128, 128, 1)
    assert display_name_of(build_model("cnn")) == table.loc[("cnn", "course"), "display_name"]


def test_the_seed_of_keras_decides_the_weights():
    def first_kernel(seed):
        keras.utils.set_random_seed(seed)
        return build_model("cnn").get_weights()[0]

    assert np.array_equal(first_kernel(1), first_kernel(1))
    assert not np.array_equal(first_kernel(1), first_kernel(2))


def test_weights_come_back_from_a_file(tmp_path):
    keras.utils.set_random_seed(3)
    model = build_model("cnn", input_shape=(32, 32, 1))
    model.save_weights(tmp_path / "some.weights.h5")
    again = build_model("cnn", input_shape=(32, 32, 1), weights=tmp_path / "some.weights.h5")
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "vgg99"}, "no architecture 'vgg99'; choose one of cnn"),
        ({"name": "cnn", "preset": "huge"}, "no preset 'huge'; choose one of course, paper"),
        ({"name": "cnn", "variant": "wide"}, "no variant 'wide'"),
        ({"name": "cnn", "weights": "nowhere.weights.h5"}, "no weights file nowhere.weights.h5"),
    ],
)
def test_what_does_not_exist_is_named(arguments, message):
    with pytest.raises(LumbarError, match=message):
        build_model(**arguments)
