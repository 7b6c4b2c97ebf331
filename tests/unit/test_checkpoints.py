import json
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
from helpers import ROOT, small_dataset

from lumbar_utils import LumbarError, build_model, fit, predict
from lumbar_utils.cam import METHODS
from lumbar_utils.checkpoints import CHECKPOINTS, read_checkpoint
from lumbar_utils.explain import explain
from lumbar_utils.runtime import Predictor, load_predictor
from lumbar_utils.studies.export import round_weights, write_checkpoint


def pictures(seed=0, height=40, width=32):
    return np.random.default_rng(seed).integers(0, 256, (5, height, width)).astype(np.uint8)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A small trained network and its checkpoint."""
    keras.utils.set_random_seed(0)
    model = build_model("cnn", input_shape=(32, 32, 1), num_classes=3)
    train, validation = (small_dataset(patients_per_class=20, n_classes=3, seed=seed) for seed in (0, 1))
    fit(model, train, validation, epochs=8, live=False)
    round_weights(model)
    card = {"display_name": "a test network", "class_names": ["left", "middle", "right"]}
    checkpoint = write_checkpoint(model, card, pictures(), root=tmp_path_factory.mktemp("checkpoints"))
    return model, checkpoint


@pytest.fixture
def copy(shipped, tmp_path):
    """A copy of the checkpoint that a test may damage."""
    folder = tmp_path / shipped[1].folder.name
    folder.mkdir()
    for file in shipped[1].folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_litert_answers_as_keras_does(shipped):
    model, checkpoint = shipped
    predictor = Predictor(checkpoint)
    assert predictor.class_names == ("left", "middle", "right") and predictor.input_size == (32, 32)
    for images in (pictures(), pictures(1, 32, 32), (pictures(2, 64, 90) / 255).astype(np.float32)):
        probabilities = predictor.predict(images)
        assert probabilities.shape == (5, 3) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        assert np.abs(probabilities - predict(model, images)).max() < 1e-4
    assert np.ptp(predictor.predict(small_dataset(n_classes=3).images), axis=0).min() > 0.1


@pytest.mark.parametrize("method", METHODS)
def test_heat_without_a_gradient_is_the_heat_with_one(shipped, method):
    model, checkpoint = shipped
    images = small_dataset(patients_per_class=2, n_classes=3).images[:, :, :26]
    images = images[::6] if method == "scorecam" else images
    for class_index in (None, 0, 2):
        without = Predictor(checkpoint).explain(images, class_index, method)
        assert without.shape == images.shape and without.max() > 0.9
        assert np.abs(without - explain(model, images, method, class_index=class_index)).max() < 1e-3


def test_a_batch_is_answered_like_single_pictures(shipped):
    predictor = Predictor(shipped[1])
    images = np.concatenate([pictures(seed) for seed in range(9)])  # 45: more than one batch
    one_by_one = np.concatenate([predictor.predict(image[None]) for image in images])
    assert np.allclose(predictor.predict(images), one_by_one, atol=1e-5)


def test_threads_do_not_mix_their_pictures(shipped):
    predictor, wrong = Predictor(shipped[1]), []
    expected = [predictor.predict(pictures(seed)) for seed in range(4)]

    def ask(seed):
        for _ in range(20):
            if not np.allclose(predictor.predict(pictures(seed)), expected[seed], atol=1e-5):
                wrong.append(seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_keras_reads_the_half_size_weights(shipped):
    model, checkpoint = shipped
    file = checkpoint.file("weights.weights.h5")
    again = build_model("cnn", input_shape=(32, 32, 1), num_classes=3, weights=file)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(ours, theirs) and theirs.dtype == np.float32
    assert file.stat().st_size < 2.5 * model.count_params() + 60_000


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (pictures()[0], r"uint8 of shape \(40, 32\), wanted \(N, height, width\)"),
        (pictures()[..., None], r"shape \(5, 40, 32, 1\)"),
        (pictures()[:0], r"shape \(0, 40, 32\)"),
        (pictures().astype(float), "float64"),
    ],
)
def test_what_is_no_picture_is_refused(shipped, images, message):
    with pytest.raises(LumbarError, match=message):
        Predictor(shipped[1]).predict(images)


def test_a_class_that_does_not_exist_is_named(shipped):
    with pytest.raises(LumbarError, match="class_index is 3, wanted 0 to 2, one of left, middle, right"):
        Predictor(shipped[1]).explain(pictures(), 3)


@pytest.mark.parametrize("file", ["model.tflite", "weights.weights.h5", "head.npy"])
def test_a_changed_file_is_refused(copy, file):
    content = bytearray((copy / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / file).write_bytes(content)
    with pytest.raises(LumbarError, match=rf"{file} of the checkpoint cnn_course has the sha256"):
        read_checkpoint("cnn", root=copy.parent)


def test_a_missing_file_is_named(copy):
    (copy / "head.npy").unlink()
    with pytest.raises(LumbarError, match=r"head\.npy of the checkpoint cnn_course is missing"):
        read_checkpoint("cnn_course", root=copy.parent)


def test_a_checkpoint_of_another_phantom_is_refused(copy):
    card = json.loads((copy / "card.json").read_text())
    card["phantom_version"] = "0.0.1"
    (copy / "card.json").write_text(json.dumps(card))
    with pytest.raises(LumbarError, match=r"trained on phantom 0\.0\.1 and this package draws phantom"):
        read_checkpoint("cnn", root=copy.parent)


def test_a_card_that_is_none_is_refused(copy):
    (copy / "card.json").write_text("{}")
    with pytest.raises(LumbarError, match="is not a model card"):
        read_checkpoint("cnn", root=copy.parent)


def test_an_unknown_checkpoint_names_those_there_are(copy):
    with pytest.raises(LumbarError, match="no checkpoint 'unet'; shipped are: cnn_course"):
        read_checkpoint("unet", root=copy.parent)


def test_litert_alone_is_loaded_in_a_fresh_process():
    code = (
        "import sys, numpy as np; from lumbar_utils.runtime import load_predictor; "
        "predictor = load_predictor('cnn'); images = np.zeros((2, 50, 40), np.uint8); "
        "assert predictor.predict(images).shape == (2, 4) and predictor.explain(images).shape == (2, 50, 40); "
        "assert not {'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_the_shipped_checkpoint_is_small_and_keeps_its_word():
    checkpoint = read_checkpoint("cnn")
    assert checkpoint.folder.parent == CHECKPOINTS
    assert sum(file.stat().st_size for file in checkpoint.folder.iterdir()) < 3_000_000
    for promise in ("intended_use", "limits", "provenance", "test", "class_names", "parameters"):
        assert checkpoint.card[promise]
    model = build_model("cnn", weights="phantom")
    images = pictures(7, 224, 224)
    assert np.abs(load_predictor("cnn").predict(images) - predict(model, images)).max() < 1e-4
    with pytest.raises(LumbarError, match="trained with input"):
        build_model("cnn", weights="phantom", num_classes=2)
