import keras
import numpy as np
import pytest
from scipy.special import digamma, log_softmax, softmax
from scipy.stats import dirichlet as scipy_dirichlet

from lumbar_utils import LumbarError, build_model
from lumbar_utils.beyond.semi_losses import (
    TARGET_EVIDENCE,
    consistency_loss,
    dirichlet,
    dirichlet_divergence,
    dirichlet_uncertainty,
    evidence_loss,
    pseudo_labels,
    semantic_contrast,
)
from lumbar_utils.beyond.semi_step import Learner
from lumbar_utils.beyond.semi_supervised import _rows, fit_semi_supervised
from lumbar_utils.beyond.weak_strong import GREY, StrongChanges, weak_changes
from lumbar_utils.training import predict

SURE, TORN = np.log([0.96, 0.02, 0.02]), np.log([0.50, 0.30, 0.20])


def f32(values):
    return np.asarray(values, np.float32)


# --- losses ---


def test_only_what_the_network_is_sure_of_becomes_a_pseudo_label():
    labels, accepted = pseudo_labels(f32([SURE, TORN, SURE[::-1]]), 0.95)
    assert labels.numpy().tolist() == [0, 0, 2]
    assert accepted.numpy().tolist() == [1, 0, 1]
    assert pseudo_labels(f32([SURE]), 0.97)[1].numpy().tolist() == [0]


def test_a_rejected_picture_counts_nothing_and_still_stands_in_the_mean():
    strong = f32([TORN, TORN, SURE])
    loss = consistency_loss(strong, np.array([1, 0, 0]), f32([1, 0, 1]))
    assert float(loss) == pytest.approx((-np.log(0.30) - np.log(0.96)) / 3, abs=1e-5)
    assert float(consistency_loss(strong, np.array([1, 0, 0]), f32([0, 0, 0]))) == 0


def test_evidence_and_not_softmax_makes_uncertainty_small():
    logits = f32([[0, 0, 0, 0], [20, -20, -20, -20], [-20, -40, -40, -40]])
    alpha = dirichlet(logits).numpy()
    assert alpha[0] == pytest.approx([1 + np.log(2)] * 4, abs=1e-5)
    uncertainty = dirichlet_uncertainty(logits).numpy()
    assert uncertainty == pytest.approx([1 / (1 + np.log(2)), 4 / 24, 1], abs=1e-4)
    # the last two are equally sure by softmax
    assert softmax(logits[1:], axis=1).max(axis=1) == pytest.approx([1, 1], abs=1e-6)


def test_the_divergence_is_that_of_a_million_draws():
    alpha, target = np.array([2.0, 3.0, 1.5]), np.array([1.0, 6.0, 1.0])
    draws = np.random.default_rng(0).dirichlet(alpha, 1_000_000).T
    drawn = np.mean(scipy_dirichlet.logpdf(draws, alpha) - scipy_dirichlet.logpdf(draws, target))
    assert float(dirichlet_divergence(f32([alpha]), f32([target]))[0]) == pytest.approx(drawn, abs=0.01)
    assert dirichlet_divergence(f32([alpha]), f32([alpha])).numpy() == pytest.approx([0], abs=1e-5)
    # against the uniform distribution: log 2 + (2 - 1) (digamma(2) - digamma(3)) for Dir(2, 1)
    by_hand = np.log(2) + digamma(2) - digamma(3)
    assert float(dirichlet_divergence(f32([[2, 1]]), f32([[1, 1]]))[0]) == pytest.approx(by_hand, abs=1e-5)


def test_the_evidence_loss_is_lowest_where_the_right_class_alone_has_the_evidence_asked_for():
    evidence_of_10 = np.log(np.expm1(TARGET_EVIDENCE))
    best, torn, wrong = ([evidence_of_10, -20, -20], [3, 3, 3], [-20, evidence_of_10, -20])
    losses = [float(evidence_loss(f32([logits]), np.array([0]))) for logits in (best, torn, wrong)]
    assert losses[0] == pytest.approx(0, abs=1e-3) and losses[0] < losses[1] < losses[2]
    assert dirichlet_uncertainty(f32([best])).numpy() == pytest.approx([3 / 13], abs=1e-4)


def test_contrast_by_hand():
    labelled, labels = f32([[2, 0], [0, 3], [1, 0]]), np.array([0, 1, 0])
    unlabelled, guesses = f32([[5, 0], [0, 1], [1, 1]]), np.array([0, 1, 0])
    share = lambda cosines: log_softmax(np.array(cosines) / 0.5)
    first = -share([1, 0, 1])[[0, 2]].mean()
    second = -share([0, 1, 0])[1]
    given = semantic_contrast(labelled, labels, unlabelled, guesses, f32([1, 1, 0]), temperature=0.5)
    assert float(given) == pytest.approx((first + second) / 3, abs=1e-5)


def test_contrast_without_a_partner_or_without_a_pseudo_label_is_zero_and_no_number_is_lost():
    labelled, labels, unlabelled = f32([[1, 0]]), np.array([0]), f32([[0, 1]])
    assert float(semantic_contrast(labelled, labels, unlabelled, np.array([1]), f32([1]))) == 0
    assert float(semantic_contrast(labelled, labels, unlabelled, np.array([0]), f32([0]))) == 0


# --- changes ---


def test_changes_keep_shape_and_range_and_strong_ones_change_more():
    pictures = np.random.default_rng(0).uniform(0.2, 0.8, (40, 16, 8, 1)).astype(np.float32)
    pictures = np.repeat(np.repeat(pictures, 4, axis=1), 4, axis=2)
    weak, strong = weak_changes(0)(pictures), StrongChanges(seed=0)(pictures)
    for changed in (weak, strong):
        assert changed.shape == pictures.shape and changed.dtype == np.float32
        assert changed.min() >= 0 and changed.max() <= 1
    assert np.abs(strong - pictures).mean() > 1.5 * np.abs(weak - pictures).mean()
    assert np.array_equal(strong, StrongChanges(seed=0)(pictures))
    assert (strong == GREY).mean(axis=(1, 2, 3)).max() <= 0.3**2 + 0.02
    assert ((strong == GREY).mean(axis=(1, 2, 3)) > 0.002).all()


def test_front_stays_in_front():
    pictures = np.zeros((60, 64, 32, 1), np.float32)
    pictures[:, :, 20:] = 0.8  # a bright canal behind
    strong = StrongChanges(hole=0.01, seed=1)(pictures)
    assert (strong[:, 16:48, 24:30].mean(axis=(1, 2, 3)) > strong[:, 16:48, 4:12].mean(axis=(1, 2, 3))).all()


# --- training ---


def test_every_row_comes_before_any_comes_again():
    batches = _rows(10, 4, seed=0)
    drawn = np.concatenate([next(batches) for _ in range(5)])
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))


def blobs(n, seed):
    """Return (n, 2, 1, 1) points of two long clusters; their length says nothing of their class, their side all."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    points = np.stack([rng.uniform(-3, 3, n), np.where(y, 0.5, -0.5) + rng.normal(0, 0.12, n)], axis=1)
    return points[:, :, None, None].astype(np.float32), y


def small_network(seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((2, 1, 1))
    x = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(inputs))
    x = keras.layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(2)(x), name="small")


def shaken(along, across, seed):
    """Return a change that moves a point along its cluster and across it, by standard deviations."""
    rng, spread = np.random.default_rng(seed), np.array([along, across])[:, None, None]
    return lambda x: x + (rng.normal(size=x.shape) * spread).astype(np.float32)


def fit_blobs(method, strong=(2, 0.15), **options):
    x, y = blobs(400, 1)
    # two labelled points a cluster: alone, they suggest a border across the clusters
    four = f32([[-2, -0.5], [-0.5, -0.5], [0.5, 0.5], [2, 0.5]])[:, :, None, None]
    model, recipe = small_network(), {"epochs": 2, "steps_per_epoch": 100, "batch_size": 4, "mu": 8}
    history = fit_semi_supervised(
        model, (four, np.array([0, 0, 1, 1])), x, method=method, truth=y, learning_rate=5e-3,
        weak=shaken(0.02, 0.02, 0), strong=shaken(*strong, 1), **(recipe | options),
    )  # fmt: skip
    return model, history


def accuracy_on_blobs(model):
    x, y = blobs(1000, 2)
    return np.mean(predict(model, x).argmax(axis=1) == y)


@pytest.mark.parametrize("method", ["fixmatch", "secofixmatch"])
def test_four_labels_and_the_clusters_beat_four_labels_alone(method):
    alone = accuracy_on_blobs(fit_blobs("supervised", strong=(0.02, 0.02))[0])  # else it is told what matters
    model, history = fit_blobs(method)
    assert accuracy_on_blobs(model) > 0.9 > 0.7 > alone
    assert history["accepted"].iloc[-1] > 0.5
    assert history["pseudo_accuracy"].iloc[-1] == pytest.approx(accuracy_on_blobs(model), abs=0.1)


def test_secofixmatch_accepts_fewer_where_it_must_be_surer():
    lax = fit_blobs("secofixmatch", epochs=1, max_uncertainty=1.0)[1]["accepted"].iloc[0]
    strict = fit_blobs("secofixmatch", epochs=1, max_uncertainty=0.25)[1]["accepted"].iloc[0]
    nobody = fit_blobs("secofixmatch", epochs=1, max_uncertainty=0.01)[1].iloc[0]
    assert lax > strict > nobody["accepted"] == 0
    assert np.isnan(nobody["pseudo_accuracy"]) and nobody["unlabelled_loss"] == 0


def test_the_mean_of_the_weights_is_the_exponential_one_and_holds_the_statistics_too():
    model = build_model("cnn", input_shape=(32, 16, 1), num_classes=2)
    x, y = np.random.default_rng(0).uniform(size=(4, 32, 16, 1)).astype(np.float32), np.array([0, 1, 0, 1])
    learner = Learner(
        model,
        [1.0, 1.0],
        steps=3,
        learning_rate=0.01,
        threshold=0.9,
        max_uncertainty=None,
        semantic=False,
        ema=0.15,
    )
    mean = model.get_weights()
    for step in range(3):
        learner.learn_labelled(x, y)
        decay = min(0.15, (1 + step) / (10 + step))
        mean = [decay * m + (1 - decay) * w for m, w in zip(mean, model.get_weights(), strict=True)]
    for ours, theirs in zip(mean, learner.mean_weights(), strict=True):
        assert theirs == pytest.approx(ours, abs=1e-5)
    assert len(learner.mean_weights()) == len(model.weights) > len(model.trainable_variables)


def test_the_history_has_a_row_an_epoch_and_the_validation_set_changes_nothing():
    x, y = blobs(40, 3)
    watched = fit_blobs("fixmatch", epochs=2, steps_per_epoch=5, validation=(x, y), live=False)
    alone = fit_blobs("fixmatch", epochs=2, steps_per_epoch=5)
    assert watched[1].columns.tolist() == [
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "unlabelled_loss", "accepted", "pseudo_accuracy"
    ]  # fmt: skip
    assert watched[1]["epoch"].tolist() == [1, 2] and alone[1]["val_loss"].isna().all()
    assert watched[1]["val_accuracy"].iloc[-1] == np.mean(predict(watched[0], x).argmax(axis=1) == y)
    assert watched[1]["loss"].tolist() == alone[1]["loss"].tolist()
    assert alone[1].attrs["steps"] == 10 and alone[1].attrs["stopped"] == "all epochs"
    supervised = fit_blobs("supervised", epochs=1, steps_per_epoch=5)[1]
    assert supervised[["unlabelled_loss", "accepted", "pseudo_accuracy"]].isna().all(axis=None)


def test_the_same_seed_gives_the_same_network():
    first, second = (
        fit_blobs("secofixmatch", epochs=1, steps_per_epoch=5, deterministic=True)[0] for _ in range(2)
    )
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_the_labels_of_an_unlabelled_dataset_are_not_looked_at(dataset):
    from dataclasses import replace

    fitted = []
    for labels in (dataset.labels, dataset.labels * 0):
        keras.utils.set_random_seed(0)
        model = build_model("cnn", input_shape=(64, 32, 1), num_classes=2)
        unlabelled = replace(dataset, labels=labels)
        fit_semi_supervised(
            model, dataset, unlabelled, epochs=1, steps_per_epoch=2, batch_size=4, mu=1, deterministic=True
        )
        fitted.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*fitted, strict=True))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"method": "mixmatch"},
            "There is no method 'mixmatch'; choose one of supervised, fixmatch, secofixmatch",
        ),
        ({"threshold": 95}, "threshold is 95, wanted a number from 0 to 1"),
        ({"mu": 0}, "mu are 15, 100, 16, 0; give 1 or more"),
        ({"truth": np.zeros(3, int)}, "There are 3 true labels for 40 unlabelled pictures"),
        ({"labelled": (blobs(4, 0)[0], np.zeros(4, int))}, "No labelled picture is of class 1"),
        ({"unlabelled": blobs(40, 0)[0][:0]}, "There is no unlabelled picture"),
        ({"unlabelled": blobs(40, 0)[0] * np.nan}, "40 of 40 unlabelled pictures hold NaN"),
        ({"learning_rate": np.nan}, "stopped being a number in epoch 1; lower learning_rate"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_in_one_sentence(options, sentence):
    options = {"labelled": blobs(4, 0), "unlabelled": blobs(40, 0)[0]} | options
    if "learning_rate" in options:
        options |= {"epochs": 1, "steps_per_epoch": 2, "weak": shaken(0, 0, 0), "strong": shaken(0, 0, 0)}
    with pytest.raises(LumbarError, match=sentence):
        fit_semi_supervised(small_network(), options.pop("labelled"), options.pop("unlabelled"), **options)
