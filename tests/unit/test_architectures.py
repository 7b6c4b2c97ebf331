"""The networks are those of the literature: parameter counts, and outputs equal to the reference's with its weights."""

import keras
import numpy as np
import pytest

from lumbar_utils import LumbarError, build_model, count_parameters, explain, prepare
from lumbar_utils.models import ARCHITECTURES, cam_layer_of, mode_of
from lumbar_utils.models.imagenet import PUBLISHED, load_imagenet
from lumbar_utils.runtime import Predictor
from lumbar_utils.studies.export import round_weights, write_checkpoint

COURSE = [(name, variant) for name, each in ARCHITECTURES.items() for variant in each.variants or (None,)]
REFERENCES = {
    "vgg16": keras.applications.VGG16,
    "resnet50": keras.applications.ResNet50,
    "densenet121": keras.applications.DenseNet121,
    "mobilenet": keras.applications.MobileNet,
}


@pytest.mark.parametrize(
    ("name", "variant", "expected"),
    [
        ("alexnet", "one_tower", 62_378_344),
        ("alexnet", "two_groups", 60_965_224),
        ("vgg16", None, 138_357_544),
        ("resnet50", None, 25_636_712),
        ("densenet121", None, 8_062_504),
        ("mobilenet", None, 4_253_864),
    ],
)
def test_parameters_are_those_of_the_literature(name, variant, expected):
    assert count_parameters(name, "paper", variant, num_classes=1000) == expected


def involution_by_hand(channels, kernel_size, groups):
    reduced = channels // 4
    return channels * reduced + 4 * reduced + (reduced + 1) * kernel_size**2 * groups


def test_the_stem_adds_what_its_layers_add_up_to():
    stem = 27 * 16 + 4 * 16 + involution_by_hand(16, 7, 1) + 4 * 16
    first_convolution = 9 * (16 - 3) * 64  # it now sees 16 maps instead of 3 channels
    added = count_parameters("involution_vgg16", "paper") - count_parameters("vgg16", "paper")
    assert added == stem + first_convolution


def test_block_5_saves_what_its_convolutions_had_more():
    saved = count_parameters("vgg16", "paper") - count_parameters("involution_vgg16", "paper", "block5")
    assert saved == 3 * (2_359_808 - involution_by_hand(512, 3, 32))


def shaken(model, seed=0):
    """Give every weight a random value that is none of a fresh network's, variances included."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (rng.uniform(0.5, 1.5, each.shape) for each in weights)
            layer.set_weights([gamma, beta - 1, mean - 1, variance])
        elif weights:
            layer.set_weights([w + rng.normal(0, 0.01, w.shape) if w.ndim == 1 else w for w in weights])
    return model


@pytest.fixture(scope="module", params=REFERENCES)
def pair(request):
    """The reference without top, randomly filled, and our network with its weights; 75 x 64 pixels."""
    shape = (64, 64, 3) if request.param == "vgg16" else (75, 64, 3)
    keras.utils.set_random_seed(1)
    reference = shaken(REFERENCES[request.param](include_top=False, weights=None, input_shape=shape))
    ours = build_model(request.param, "paper", input_shape=shape, num_classes=3)
    for layer in reference.layers:
        if layer.weights:
            ours.get_layer(layer.name).set_weights(layer.get_weights())
    return reference, ours


def relative_difference(found, expected):
    found, expected = keras.ops.convert_to_numpy(found), keras.ops.convert_to_numpy(expected)
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / np.abs(expected).max()


def test_maps_equal_the_references(pair):
    reference, ours = pair
    x = np.random.default_rng(2).normal(size=(2, *reference.input_shape[1:])).astype(np.float32)
    last = "block5_pool" if ours.name == "vgg16_paper" else cam_layer_of(ours)
    maps = keras.Model(ours.inputs[0], ours.get_layer(last).output)(x, training=False)
    expected = reference(x, training=False)
    assert np.abs(expected).max() > 1e-3
    assert relative_difference(maps, expected) < 1e-5


def test_every_layer_of_ours_but_the_top_has_weights_of_the_reference(pair):
    reference, ours = pair
    theirs = {layer.name for layer in reference.layers if layer.weights}
    top = {layer.name for layer in ours.layers if layer.weights} - theirs
    assert top == ({"fc1", "fc2", "logits"} if ours.name == "vgg16_paper" else {"logits"})


def test_logits_equal_the_references_with_its_top():
    """VGG16 with three dense layers, and ResNet50 with one, on small pictures and with few classes."""
    for name, tops in (("vgg16", ("fc1", "fc2", "predictions")), ("resnet50", ("predictions",))):
        keras.utils.set_random_seed(3)
        reference = shaken(
            REFERENCES[name](
                weights=None, input_shape=(32, 32, 3), classes=5, classifier_activation=None, include_top=True
            )
        )
        ours = build_model(name, "paper", input_shape=(32, 32, 3), num_classes=5)
        for layer in reference.layers:
            if layer.weights:
                target = "logits" if layer.name == tops[-1] else layer.name
                ours.get_layer(target).set_weights(layer.get_weights())
        x = np.random.default_rng(4).normal(size=(2, 32, 32, 3)).astype(np.float32)
        assert relative_difference(ours(x, training=False), reference(x, training=False)) < 1e-5


@pytest.mark.parametrize(("name", "variant"), COURSE)
def test_a_course_network_learns_and_ends_in_pooled_maps_and_one_dense_layer(name, variant):
    keras.utils.set_random_seed(0)
    model = build_model(name, variant=variant, input_shape=(45, 38, 1), num_classes=3)  # odd sizes too
    maps = model.get_layer(cam_layer_of(model)).output
    pooling, dropout, dense = model.layers[-3:]
    assert isinstance(pooling, keras.layers.GlobalAveragePooling2D) and pooling.input is maps
    assert dropout.input is pooling.output and isinstance(dense, keras.layers.Dense)
    assert dense.activation is keras.activations.linear
    before = model.get_weights()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).random((4, 45, 38, 1)).astype(np.float32)
    assert np.isfinite(model.train_on_batch(x, np.array([0, 1, 2, 0])))
    unchanged = [
        weight.path
        for weight, old in zip(model.weights, before, strict=True)
        if weight.name == "kernel" and np.array_equal(keras.ops.convert_to_numpy(weight), old)
    ]
    assert unchanged == []


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_course_networks_are_small_enough_to_ship_and_are_not_called_by_the_big_ones_name(name):
    architecture = ARCHITECTURES[name]
    for variant in architecture.variants or (None,):
        assert 150_000 < count_parameters(name, variant=variant) < 500_000  # 6 bytes each, twice: under 3 MB
    assert "course size" in architecture.display_name["course"]
    assert architecture.display_name["course"] != architecture.display_name["paper"]
    assert architecture.input_shape["course"] == (128, 128, 1) and architecture.citation


@pytest.mark.parametrize(("name", "variant"), COURSE)
def test_a_course_network_ships_in_three_megabytes_and_explains_without_a_gradient(name, variant, tmp_path):
    keras.utils.set_random_seed(9)
    model = shaken(build_model(name, variant=variant, input_shape=(64, 64, 1), num_classes=3))
    round_weights(model)
    images = np.random.default_rng(9).integers(0, 256, (2, 64, 64)).astype(np.uint8)
    card = {"class_names": ["a", "b", "c"], "display_name": name}
    checkpoint = write_checkpoint(model, card, images, root=tmp_path)
    assert sum(file.stat().st_size for file in checkpoint.folder.iterdir()) < 3_000_000
    heat = Predictor(checkpoint).explain(images, class_index=1)
    assert np.abs(heat - explain(model, images, class_index=1)).max() < 1e-3


@pytest.mark.parametrize("preset", ["course", "paper"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_least_size_works_and_one_pixel_less_is_refused(name, preset):
    import tensorflow as tf

    least = ARCHITECTURES[name].least_size[preset]
    with tf.Graph().as_default():  # builds without allocating
        model = build_model(name, preset, input_shape=(least, least + 1, 3))
        assert min(model.get_layer(cam_layer_of(model)).output.shape[1:3]) >= 1
    with pytest.raises(LumbarError, match=f"at least {least} x {least} pixels"):
        build_model(name, preset, input_shape=(least, least - 1, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_classes": 1}, "num_classes is 1, wanted a whole number from 2"),
        ({"input_shape": (64, 64, 4)}, "1 .grey. or 3 channels"),
        ({"input_shape": (64, 64)}, "wanted .height, width, channels."),
        ({"input_shape": (None, None, 1)}, "in whole numbers"),
        ({"weights": "imagenet"}, 'they fit vgg16, resnet50, densenet121, mobilenet with preset="paper"'),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_sentence(options, message):
    with pytest.raises(LumbarError, match=message):
        build_model("vgg16", **options)


@pytest.mark.parametrize(
    ("name", "preset", "channels", "mode"),
    [
        ("resnet50", "course", 1, "unit"),
        ("resnet50", "paper", 3, "caffe"),
        ("densenet121", "paper", 3, "torch"),
        ("mobilenet", "paper", 3, "tf"),
        ("densenet121", "paper", 1, "tf"),
        ("cnn", "paper", 3, "unit"),
    ],
)
def test_pictures_are_prepared_as_the_weights_expect(name, preset, channels, mode):
    assert mode_of(build_model(name, preset, input_shape=(64, 64, channels))) == mode


@pytest.fixture(scope="module")
def published_file(tmp_path_factory):
    """A file as `keras.applications` publishes them, with random numbers in it."""

    def write(name):
        keras.utils.set_random_seed(5)
        reference = shaken(REFERENCES[name](include_top=False, weights=None, input_shape=(64, 64, 3)), 5)
        file = tmp_path_factory.mktemp("weights") / f"{name}_notop.h5"
        reference.save(file) if name == "mobilenet" else reference.save_weights(
            file.with_suffix(".weights.h5")
        )
        return reference, file if file.exists() else file.with_suffix(".weights.h5")

    return write


@pytest.mark.parametrize("name", ["densenet121", "mobilenet"])
def test_a_published_file_fills_all_but_the_top(name, published_file):
    reference, file = published_file(name)
    ours = build_model(name, "paper", input_shape=(64, 64, 3), num_classes=2, weights=file)
    x = np.random.default_rng(6).normal(size=(1, 64, 64, 3)).astype(np.float32)
    maps = keras.Model(ours.inputs[0], ours.get_layer(cam_layer_of(ours)).output)(x, training=False)
    assert relative_difference(maps, reference(x, training=False)) < 1e-5


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "mobilenet"])
def test_a_grey_network_answers_as_the_published_one_to_three_equal_channels(name, published_file):
    _, file = published_file(name)
    pictures = np.random.default_rng(7).integers(0, 256, (2, 64, 64)).astype(np.uint8)
    outputs = []
    for channels in (1, 3):
        model = build_model(name, "paper", input_shape=(64, 64, channels), weights=file)
        x = prepare(pictures, size=64, mode=mode_of(model), channels=channels)
        outputs.append(keras.Model(model.inputs[0], model.get_layer("conv1_relu").output)(x, training=False))
    grey, colour = (
        keras.ops.convert_to_numpy(each)[:, 2:-2, 2:-2] for each in outputs
    )  # away from the padding
    assert colour.std() > 0.01 and np.abs(grey - colour).max() < 1e-4 * np.abs(colour).max()


def test_a_file_of_another_architecture_is_refused_in_one_sentence(published_file, tmp_path):
    _, mobilenet = published_file("mobilenet")
    with pytest.raises(LumbarError, match="the ImageNet weights of densenet121 without top"):
        build_model("densenet121", "paper", input_shape=(64, 64, 3), weights=mobilenet)
    build_model("vgg16").save_weights(tmp_path / "vgg.weights.h5")
    with pytest.raises(LumbarError, match=r"holds \d+ arrays .* wanted weights of ResNet, course size"):
        build_model("resnet50", weights=tmp_path / "vgg.weights.h5")
    (tmp_path / "text.weights.h5").write_text("no weights")
    with pytest.raises(LumbarError, match=r"text.weights.h5 could not be read"):
        build_model("resnet50", weights=tmp_path / "text.weights.h5")


def test_own_weights_of_full_size_come_back(tmp_path):
    shape = {"input_shape": (32, 32, 3), "num_classes": 2}
    keras.utils.set_random_seed(8)
    model = build_model("mobilenet", "paper", **shape)
    model.save_weights(tmp_path / "mine.weights.h5")
    again = build_model("mobilenet", "paper", **shape, weights=tmp_path / "mine.weights.h5")
    assert all(map(np.array_equal, model.get_weights(), again.get_weights()))


def test_without_file_and_network_the_error_says_which_file_to_put_where(monkeypatch, tmp_path):
    import urllib.error
    import urllib.request

    def no_network(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    model = build_model("mobilenet", "paper", input_shape=(32, 32, 3))
    with pytest.raises(LumbarError, match=rf"{PUBLISHED['mobilenet'][1]} from .* put it in {tmp_path}"):
        load_imagenet(model, "mobilenet", "tf")
