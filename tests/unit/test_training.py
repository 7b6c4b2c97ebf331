import _thread

import keras
import numpy as np
import pandas as pd
import pytest
from helpers import small_dataset

from lumbar_utils import LumbarError, build_model, fit, predict
from lumbar_utils.training import SmallChanges, features_of, predictions_of
from lumbar_utils.training.fit import balanced_weights
from lumbar_utils.training.inputs import Batches


def network(seed=0, size=32, num_classes=2):
    keras.utils.set_random_seed(seed)
    return build_model("cnn", input_shape=(size, size, 1), num_classes=num_classes)


def stripes(seed, n=20):
    return small_dataset(patients_per_class=n, pictures_per_patient=2, seed=seed)


def dense_network(size=8, num_classes=2):
    pictures = keras.Input((size, size, 1))
    return keras.Model(pictures, keras.layers.Dense(num_classes)(keras.layers.Flatten()(pictures)))


@pytest.fixture(scope="module")
def trained():
    model = network()
    history = fit(model, stripes(0), stripes(1), epochs=12, seed=0, live=False)
    return model, history


def test_a_rule_that_is_there_is_learnt(trained):
    model, history = trained
    unseen = stripes(2)
    assert (predict(model, unseen).argmax(axis=1) == unseen.labels).mean() > 0.95
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_the_history_says_what_happened(trained):
    _, history = trained
    assert list(history.columns) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    assert history.attrs["stopped"] == "all epochs" and history.attrs["seconds"] > 0
    assert history.attrs["peak_mb"] > 100
    assert history["val_loss"].idxmin() + 1 == history.attrs["best_epoch"]


def test_the_best_weights_are_kept(trained):
    model, history = trained
    validation = stripes(1)
    of_truth = predict(model, validation)[np.arange(len(validation)), validation.labels]
    assert -np.log(of_truth).mean() == pytest.approx(history["val_loss"].min(), abs=1e-4)


def test_the_same_seed_gives_the_same_history():
    histories = [fit(network(), stripes(0), stripes(1), epochs=2, seed=5, live=False) for _ in range(2)]
    pd.testing.assert_frame_equal(histories[0], histories[1], rtol=1e-4)


def test_each_epoch_and_each_seed_has_its_own_order_and_nobody_is_left_out():
    x, y = np.zeros((10, 2, 2, 1), np.float32), np.arange(10)
    batches, other = Batches(x, y, batch_size=4, seed=0), Batches(x, y, batch_size=4, seed=1)
    orders = [np.concatenate([each[number][1] for number in range(len(each))]) for each in (batches, other)]
    batches.on_epoch_end()
    orders.append(np.concatenate([batches[number][1] for number in range(3)]))
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


def test_it_stops_early_when_validation_gets_no_better():
    upside_down = stripes(1)
    wrong = (upside_down.images, 1 - upside_down.labels)
    history = fit(network(), stripes(0), wrong, epochs=30, patience=2, live=False)
    assert history.attrs["stopped"] == "early" and len(history) == history.attrs["best_epoch"] + 2 < 30


def test_the_stop_button_keeps_what_was_learnt():
    calls = []

    def press_stop(pictures):
        calls.append(len(pictures))
        if len(calls) == 13:  # in the third epoch of five batches
            _thread.interrupt_main()
        return pictures

    x = np.random.default_rng(0).random((80, 8, 8, 1)).astype(np.float32)
    y = (x[:, 0, 0, 0] > 0.5).astype(int)
    history = fit(dense_network(), (x, y), (x, y), epochs=500, augment=press_stop, live=False)
    assert history.attrs["stopped"] == "interrupted" and 1 <= len(history) < 500


def test_a_run_that_diverges_is_told():
    x = np.full((32, 8, 8, 1), 1e19, np.float32)
    x[::2] *= -1
    y = np.arange(32) // 2 % 2  # no weights get all of them right, so there is always a step
    with pytest.raises(LumbarError, match="stopped being a number in epoch 1; lower learning_rate"):
        fit(dense_network(), (x, y), (x, y), learning_rate=1e19, live=False)


def test_bad_data_is_refused_before_the_first_step():
    good, model = stripes(0, n=4), network()
    before = [weight.copy() for weight in model.get_weights()]
    x = np.zeros((6, 32, 32, 1), np.float32)
    y = np.array([0, 1, 0, 1, 0, 1])
    broken = x.copy()
    broken[4, 0, 0, 0] = np.nan
    for train, message in [
        ((broken, y), r"1 of 6 training pictures hold NaN or infinite values \(first in row 4\)"),
        ((x[:, :16], y), r"shape \(6, 16, 32, 1\), cnn_course wants \(N, 32, 32, 1\)"),
        ((x, y + 2), "training labels are int64 from 2 to 3, cnn_course has 2 outputs"),
        ((x, y[:5]), "6 pictures and 5 labels"),
        (
            small_dataset(n_classes=3),
            "3 classes and cnn_course has 2 outputs; build the network with num_classes=3",
        ),
    ]:
        with pytest.raises(LumbarError, match=message):
            fit(model, train, good, live=False)
    with pytest.raises(LumbarError, match="1 of 6 validation pictures"):
        fit(model, good, (broken, y), live=False)
    for ours, now in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(ours, now)


def test_a_network_that_ends_in_softmax_is_refused():
    pictures = keras.Input((8, 8, 1))
    softmax = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(pictures))
    with pytest.raises(LumbarError, match="ends in softmax, wanted logits"):
        fit(keras.Model(pictures, softmax), stripes(0, n=4), stripes(1, n=4), live=False)


def test_probabilities_and_features_fit_together(trained):
    model, _ = trained
    data = stripes(3)
    probabilities, features = predict(model, data), features_of(model, data)
    assert probabilities.shape == (len(data), 2) and np.allclose(probabilities.sum(axis=1), 1)
    kernel, bias = model.layers[-1].get_weights()
    logits = features @ kernel + bias
    assert np.allclose(
        np.exp(logits[:, 1] - logits[:, 0]), probabilities[:, 1] / probabilities[:, 0], rtol=1e-2
    )


def test_predictions_carry_truth_patients_and_what_they_were_measured_on(trained):
    data = stripes(3)
    stored = predictions_of(trained[0], data, measured_on="phantoms", provenance={"seed": 1})
    assert stored.labels.tolist() == data.labels.tolist() and stored.measured_on == "phantoms"
    assert stored.provenance == {"dataset_fingerprint": data.fingerprint(), "seed": 1}
    with pytest.raises(LumbarError, match="3 classes and cnn_course has 2 outputs"):
        predictions_of(trained[0], small_dataset(n_classes=3), measured_on="phantoms")


def test_balanced_weights_make_classes_weigh_the_same():
    y = np.array([0] * 30 + [1] * 10 + [3] * 20)
    weights = balanced_weights(y)
    assert {label: weights[label] * np.sum(y == label) for label in weights} == pytest.approx(
        {0: 20, 1: 20, 3: 20}
    )


def test_a_keras_layer_can_augment():
    layer = keras.layers.RandomBrightness(0.1, value_range=(0, 1), seed=0)
    history = fit(network(), stripes(0, n=4), stripes(1, n=4), epochs=1, augment=layer, live=False)
    assert len(history) == 1


def test_small_changes_move_a_little_and_never_flip():
    picture = np.zeros((1, 64, 64, 1), np.float32)
    picture[0, 28:36, 8:16] = 1.0  # a block at the left edge
    pictures = np.repeat(picture, 200, axis=0)
    changed = SmallChanges(seed=0)(pictures)
    assert changed.shape == pictures.shape and changed.dtype == np.float32
    assert changed.min() >= 0 and changed.max() <= 1
    columns = (changed[:, 20:44, :, 0] * (changed[:, 20:44, :, 0] > 0.5)).sum(axis=1)
    centre = (columns * np.arange(64)).sum(axis=1) / columns.sum(axis=1)
    assert centre.min() > 3 and centre.max() < 22 and centre.std() > 0.5
    assert np.array_equal(changed, SmallChanges(seed=0)(pictures))
    assert not np.array_equal(changed, SmallChanges(seed=1)(pictures))
    assert np.array_equal(pictures, np.repeat(picture, 200, axis=0))
