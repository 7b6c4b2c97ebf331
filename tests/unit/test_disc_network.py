"""The disc network: what it learned from is drawn the same everywhere, and what ships is what was measured."""

import numpy as np
import pytest

from lumbar_utils.beyond.disc_crops import DISC_CLASSES, SIDE_PX
from lumbar_utils.checkpoints import read_checkpoint
from lumbar_utils.evaluation import Predictions, evaluate
from lumbar_utils.studies.disc_network import SEEDS, shipped_disc_network, train_discs
from lumbar_utils.studies.disc_phantoms import phantom_discs
from lumbar_utils.training import predict


@pytest.fixture(scope="module")
def discs():
    return phantom_discs(40, seed=91, workers=1)


def test_discs_are_the_same_in_one_process_and_in_two(discs):
    again = phantom_discs(40, seed=91, workers=2)
    assert again.fingerprint() == discs.fingerprint()
    assert discs.class_names == DISC_CLASSES and discs.images.shape[1:] == (SIDE_PX, SIDE_PX)
    assert 0.05 < discs.labels.mean() < 0.5


def test_two_looks_at_a_slice_give_other_pictures_with_the_same_labels(discs):
    twice = phantom_discs(4, seed=91, looks=2, workers=1)
    of_first = np.flatnonzero(twice.patient_ids == "P000000")
    half = len(of_first) // 2
    assert np.array_equal(twice.labels[of_first[:half]], twice.labels[of_first[half:]])
    assert not np.array_equal(twice.images[of_first[:half]], twice.images[of_first[half:]])


def test_the_shipped_network_tells_phantom_discs_apart_as_its_card_says(discs):
    card = read_checkpoint("discs").card
    found = evaluate(
        Predictions.of_dataset(
            discs, predict(shipped_disc_network(), discs), model="discs", measured_on="phantoms", provenance={}
        )
    ).auc  # fmt: skip
    stated = card["test"]["auc"]
    assert stated["low"] > 0.8
    assert found.low < stated["high"] and found.high > stated["low"]
    assert card["provenance"]["data"]["seeds"] == SEEDS
    assert "teaching" in card["intended_use"].lower()


def test_a_small_training_writes_a_checkpoint_that_reads_back(tmp_path):
    card = train_discs(
        n_patients=20, n_test=20, epochs=1, checkpoints=tmp_path, workers=1, log=lambda line: None
    )
    assert read_checkpoint("discs", root=tmp_path).card == card
    assert [file.name for file in tmp_path.iterdir()] == ["discs"]  # nothing left aside
