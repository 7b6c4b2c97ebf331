import keras
import numpy as np
import pandas as pd
import pytest
from helpers import small_dataset

from lumbar_utils import explain, score_explanations
from lumbar_utils.cam.scores import summarise_scores
from lumbar_utils.explain.sanity import (
    cascading_randomisation,
    random_label_similarity,
    randomised_network,
    randomised_networks,
)


def patch_pictures(n=12, seed=0):
    """Black and white noise with upright stripes in one patch, no brighter than the rest; its mask."""
    rng = np.random.default_rng(seed)
    pictures = np.where(rng.random((n, 64, 64)) < 0.5, 60, 190).astype(np.uint8)
    masks = np.zeros((n, 64, 64), bool)
    for picture, mask, (top, left) in zip(pictures, masks, rng.integers(0, 52, (n, 2)), strict=True):
        picture[top : top + 12, left : left + 12] = np.where(np.arange(12) % 2, 60, 190)
        mask[top : top + 12, left : left + 12] = True
    return pictures, masks


def patch_network():
    """Class 1 gathers 5 x 5 pixels of upright stripes, class 0 of lying ones; two more maps show noise."""
    pictures = keras.Input((64, 64, 1))
    maps = keras.layers.Conv2D(6, 5, padding="same", activation="relu", name="maps")(pictures)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.AveragePooling2D(4, name="coarse")(maps))
    model = keras.Model(pictures, keras.layers.Dense(2, name="logits")(pooled))
    upright = np.tile(np.where(np.arange(5) % 2, -1.0, 1.0), (5, 1))
    point = np.zeros((5, 5))
    point[2, 2] = 4.0
    kernel = np.stack([upright, -upright, upright.T, -upright.T, point, -point], axis=-1)[:, :, None]
    full = (190 - 60) / 255 * 12  # what five by five of the right stripes give, about
    grey = kernel.sum(axis=(0, 1, 2)) * 125 / 255
    model.get_layer("maps").set_weights([kernel, -grey - np.array([0.8 * full] * 4 + [0.0] * 2)])
    head = np.zeros((6, 2))
    head[:2, 1] = head[2:4, 0] = 5.0
    model.layers[-1].set_weights([head, np.zeros(2)])
    return model


def test_the_cascade_starts_at_1_and_forgets_from_the_top():
    model, (pictures, _) = patch_network(), patch_pictures()
    before = model.get_weights()
    table = cascading_randomisation(model, pictures, "gradcam++", class_index=1, seed=0)
    assert table["stage"].tolist() == [0, 1, 2] and table["layer"].tolist() == ["none", "logits", "maps"]
    assert table.loc[0, ["spearman", "ssim"]].tolist() == pytest.approx([1, 1])
    assert table["spearman"].is_monotonic_decreasing and not table["empty"].any()
    assert abs(table.loc[2, "spearman"]) < 0.3 and table.loc[2, "ssim"] < 0.3
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert table.equals(cascading_randomisation(model, pictures, "gradcam++", class_index=1, seed=0))


def test_maps_that_vanish_are_counted_and_correlate_with_nothing():
    table = cascading_randomisation(patch_network(), patch_pictures(4)[0], class_index=1, seed=0)
    assert table["empty"].tolist() == [0, 1, 1] and table["spearman"].tolist() == pytest.approx([1, 0, 0])


def test_a_map_that_knows_no_class_does_not_notice_that_the_head_forgot():
    table = cascading_randomisation(patch_network(), patch_pictures(4)[0], "eigencam", class_index=1)
    assert table.loc[1, ["spearman", "ssim"]].tolist() == pytest.approx([1, 1])


def test_layers_inside_a_model_are_forgotten_one_by_one():
    flat = patch_network()
    inner = keras.Model(flat.inputs[0], flat.get_layer("coarse").output, name="inner")
    outer = keras.Input((64, 64, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(inner(outer))
    model = keras.Model(outer, flat.layers[-1](pooled))
    stages = []
    for layer, network in randomised_networks(model):
        kept = [np.array_equal(a, b) for a, b in zip(network.get_weights(), model.get_weights(), strict=True)]
        stages.append((layer, kept[0], kept[2]))  # the kernels of maps and of the logits
    assert stages == [("logits", True, False), ("inner/maps", False, False)]


def test_the_randomised_network_falls_to_chance():
    pictures, masks = patch_pictures(24)
    model = patch_network()
    known = score_explanations(explain(model, pictures, class_index=1), masks, tolerance_px=2)
    assert known["pointing"].mean() == 1 and known["energy"].mean() > 0.6
    assert summarise_scores(known).loc["energy", "above_rival_low"] > 0.4
    forgotten = pd.concat(
        score_explanations(
            explain(randomised_network(model, seed=seed), pictures, class_index=1), masks, tolerance_px=2,
            patient_ids=[f"network {seed}"] * 24,
        )
        for seed in range(8)
    )  # fmt: skip
    summary = summarise_scores(forgotten)
    assert summary.loc["energy", "value"] == pytest.approx(summary.loc["energy", "chance"], rel=0.2)
    assert summary.loc["pointing", "value"] < 2.5 * summary.loc["pointing", "chance"]


def test_maps_change_when_labels_are_shuffled():
    keras.utils.set_random_seed(0)
    data = small_dataset(patients_per_class=8, pictures_per_patient=1)
    model = keras.Sequential(
        [keras.Input((32, 32, 1)), keras.layers.Conv2D(4, 3, strides=2, activation="relu"),
         keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    )  # fmt: skip
    before = model.get_weights()
    table = random_label_similarity(model, data, data, epochs=2, seed=1)
    assert len(table) == 1 and -1 <= table.loc[0, "spearman"] < 0.9
    assert 0 <= table.loc[0, "training_accuracy"] <= 1
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert np.bincount(data.labels).tolist() == [8, 8] and data.labels.tolist() == [0] * 8 + [1] * 8
