import json

import keras
import numpy as np
import pytest

from lumbar_utils import LumbarError
from lumbar_utils.__main__ import main
from lumbar_utils.checkpoints import read_checkpoint
from lumbar_utils.localise import CLASSES, Localiser, normalise
from lumbar_utils.models.unet import WIDTHS, build_unet
from lumbar_utils.studies import localiser as study
from lumbar_utils.studies.localiser_slices import disturb, draw_slices


def test_the_network_answers_each_pixel_and_has_four_hundred_thousand_parameters():
    model = build_unet()
    assert model.output_shape == (None, 192, 192, len(CLASSES))
    assert 0.3e6 < model.count_params() < 0.5e6
    assert build_unet((64, 96, 1), 3, widths=(4, 8)).output_shape == (None, 64, 96, 3)


def test_every_pixel_sees_far():
    """The lowest maps are 12 x 12, so a change in one corner reaches more than half across the picture."""
    keras.utils.set_random_seed(0)
    model = build_unet()
    picture = np.random.default_rng(0).random((1, 192, 192, 1), np.float32)
    changed = picture.copy()
    changed[:, 80:112, 80:112] = 0
    moved = np.abs(model.predict(changed, verbose=0) - model.predict(picture, verbose=0))[0].max(axis=-1)
    assert (moved[40:150, 40:150] > 0).mean() > 0.95
    assert len(WIDTHS) == 5


def test_the_loss_is_small_for_the_truth_and_large_for_its_opposite():
    classes = np.random.default_rng(0).integers(0, 8, (2, 16, 16))
    right = 20 * np.eye(8, dtype=np.float32)[classes]
    assert float(study.cross_entropy_and_dice(classes, right)) < 1e-3
    assert float(study.cross_entropy_and_dice(classes, np.roll(right, 1, axis=-1))) > 15


def test_slices_do_not_depend_on_how_many_processes_draw():
    images, classes = draw_slices(130, 5, workers=2)
    again, _ = draw_slices(110, 5, workers=1)
    assert images.shape == classes.shape == (130, 224, 224) and images.dtype == np.uint8
    assert np.array_equal(images[:110], again)
    seen = np.bincount(classes.ravel(), minlength=len(CLASSES))
    assert (seen > 0).all() and len(seen) == len(CLASSES)


def test_disturbed_slices_keep_their_truth_and_some_lose_the_column():
    images, classes = draw_slices(20, 6, workers=1)
    generator = np.random.default_rng(0)
    empty = 0
    for k in range(200):
        picture, truth = disturb(images[k % 20], classes[k % 20], generator, 192)
        assert picture.shape == truth.shape == (192, 192) and picture.dtype == truth.dtype == np.uint8
        assert truth.max() < len(CLASSES)
        empty += not truth.any()
    assert 1 <= empty <= 25
    same = [disturb(images[0], classes[0], np.random.default_rng(7), 192)[0] for _ in range(2)]
    assert np.array_equal(*same)


def test_batches_are_a_function_of_seed_round_and_step():
    images, classes = draw_slices(20, 6, workers=1)
    first, second = (study.Batches(images, classes, steps=3, seed=1, size=64) for _ in range(2))
    assert np.array_equal(first[2][0], second[2][0]) and first[2][0].shape == (16, 64, 64, 1)
    second.on_epoch_end()
    assert not np.array_equal(first[2][0], second[2][0])


def test_normalised_pictures_do_not_know_their_window():
    picture = np.random.default_rng(0).integers(0, 120, (40, 50)).astype(np.uint8)
    assert np.allclose(normalise(picture), normalise(picture * np.float32(2.5) + 7), atol=1e-5)
    assert not normalise(np.full((20, 20), 9, np.uint8)).any()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("localiser")
    card = study.train_localiser(
        n_patients=24, n_test=12, steps=3, checkpoints=folder, workers=1, log=lambda line: None
    )
    return folder, card


def test_training_writes_a_checkpoint_with_its_recipe_and_phantom_scores(trained):
    folder, card = trained
    localiser = Localiser(read_checkpoint("localiser", root=folder))
    assert localiser.size == 192 and card == localiser.card
    assert card["test"]["measured_on"].startswith("wide phantoms") and card["limits"] and card["intended_use"]
    assert set(card["test"]["dice"]) == set(CLASSES) - {"background"}
    assert card["test"]["dice"]["body"]["method"].startswith("bootstrap over 12 patients")
    assert {"weights.weights.h5", "model.tflite"} == set(card["files"])
    assert json.loads((folder / "localiser" / "card.json").read_text()) == card


def test_keras_and_litert_see_the_same(trained):
    localiser = Localiser(read_checkpoint("localiser", root=trained[0]))
    model = build_unet()
    model.load_weights(trained[0] / "localiser" / "weights.weights.h5")
    picture = np.random.default_rng(3).integers(0, 256, (150, 220)).astype(np.uint8)
    scaled = localiser.scale(picture)
    ours = model.predict(scaled[None, ..., None], verbose=0)[0]
    assert np.abs(localiser.logits(scaled) - ours).max() < study.TOLERANCE
    assert localiser.classify(picture).shape == picture.shape
    probabilities = localiser.probabilities(picture)
    assert np.allclose(probabilities.sum(axis=-1), 1, atol=1e-5)


def test_a_twin_that_answers_otherwise_is_refused(trained, monkeypatch, tmp_path):
    monkeypatch.setattr(Localiser, "logits", lambda self, scaled: np.zeros((192, 192, 8)))
    with pytest.raises(LumbarError, match="LiteRT and Keras differ"):
        study.write_localiser(build_unet(), {}, np.eye(64, dtype=np.uint8)[None] * 200, root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_shipped_localiser_is_small_and_good_on_phantoms():
    checkpoint = read_checkpoint("localiser")
    assert checkpoint.file("model.tflite").stat().st_size < 2_000_000
    dice = checkpoint.card["test"]["dice"]
    assert dice["body"]["low"] > 0.93 and dice["disc"]["low"] > 0.88 and dice["sacrum"]["low"] > 0.9


def test_the_zoo_trains_the_localiser(monkeypatch):
    asked = {}
    monkeypatch.setattr(study, "train_localiser", lambda **options: asked.update(options))
    assert main(["zoo", "--train", "localiser", "--patients", "40"]) == 0
    assert asked == {"n_patients": 40}
