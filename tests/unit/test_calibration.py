"""Brier, log-likelihood, calibration error and temperature against scikit-learn, SciPy and known worlds."""

import numpy as np
import pytest
from drawn_predictions import draw, of_labels
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from lumbar_utils.dataset import PAPER4, LumbarError
from lumbar_utils.evaluation import Predictions, evaluate, fit_temperature, reliability, with_temperature
from lumbar_utils.evaluation.calibration import bin_counts, calibration_error, error_if_calibrated
from lumbar_utils.evaluation.intervals import wilson


def world(n, *, sharpness=1.0, seed=0, pictures_a_patient=1) -> Predictions:
    """Labels that fall as often as the probabilities say, which are then made sharper or flatter."""
    rng = np.random.default_rng(seed)
    logits = np.repeat(
        rng.normal(scale=1.8, size=(-(-n // pictures_a_patient), 4)), pictures_a_patient, axis=0
    )[:n]
    true, told = np.exp(log_softmax(logits, axis=1)), np.exp(log_softmax(logits * sharpness, axis=1))
    labels = (true.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return Predictions(labels, told, PAPER4, np.arange(n) // pictures_a_patient, "model", "world", "phantoms")


def error_of(predictions, n_bins=10) -> float:
    return float(calibration_error(bin_counts(predictions, n_bins=n_bins)[0]))


def test_brier_and_log_likelihood_agree_with_scikit_learn():
    predictions = draw(150)
    report = evaluate(predictions, n_resamples=100)
    one_hot = np.eye(4)[predictions.labels]
    assert report.nll.value == pytest.approx(
        reference.log_loss(predictions.labels, predictions.probabilities)
    )
    by_class = [reference.brier_score_loss(one_hot[:, k], predictions.probabilities[:, k]) for k in range(4)]
    assert report.brier.value == pytest.approx(sum(by_class))
    assert report.brier.low < report.brier.value < report.brier.high


def test_guo_calibration_error_by_hand():
    # bin (0.7, 0.8]: claims 0.75, right 1 of 2; bin (0.9, 1]: claims 0.95, right 2 of 2
    shares = np.array([[0.75, 0.25], [0.75, 0.25], [0.05, 0.95], [0.95, 0.05]])
    predictions = Predictions([0, 1, 1, 0], shares, ("a", "b"), range(4), "m", "d", "phantoms")
    assert error_of(predictions) == pytest.approx(0.5 * 0.25 + 0.5 * 0.05)
    assert error_of(predictions, n_bins=1) == pytest.approx(abs(0.75 - 0.85))
    edge = Predictions([0], [[0.7, 0.3]], ("a", "b"), ["p"], "m", "d", "phantoms")
    assert bin_counts(edge)[0, 0].argmax() == 6  # (0.6, 0.7], closed above


def test_the_bins_agree_with_scikit_learn_and_carry_wilson():
    predictions = draw(400, strength=2)
    table = reliability(predictions)
    right = predictions.predicted == predictions.labels
    accuracy, confidence = calibration_curve(right, predictions.probabilities.max(axis=1), n_bins=10)
    assert table["accuracy"].to_list() == pytest.approx(accuracy)
    assert table["confidence"].to_list() == pytest.approx(confidence)
    row = table.iloc[-1]
    assert (row["accuracy_low"], row["accuracy_high"]) == wilson(
        round(row["accuracy"] * row["pictures"]), row["pictures"]
    )
    clustered = reliability(draw(400, strength=2, pictures_a_patient=8))
    assert clustered["method"].str.contains("bootstrap over").any()


def test_a_calibrated_model_stays_under_the_bound_about_95_times_in_100():
    under = [
        error_of(p) <= error_if_calibrated(p, n_draws=200) for p in (world(200, seed=s) for s in range(120))
    ]
    assert 0.89 <= np.mean(under) <= 1
    assert error_of(world(600, sharpness=2.5)) > error_if_calibrated(world(600, sharpness=2.5))


@pytest.mark.parametrize("sharpness", [1.0, 2.0])
def test_the_interval_of_the_calibration_error_holds_the_truth(sharpness):
    truth = error_of(world(200_000, sharpness=sharpness, seed=99))
    held = 0
    for seed in range(40):
        estimate = evaluate(world(300, sharpness=sharpness, seed=seed), n_resamples=200).calibration_error
        held += estimate.low <= truth <= estimate.high
    assert held >= 34
    assert "a calibrated model stays under" in estimate.method


def test_one_patient_draws_alike_for_all_pictures_so_the_bound_is_wider():
    assert error_if_calibrated(draw(400, pictures_a_patient=20)) > 1.5 * error_if_calibrated(draw(400))


# --- temperature ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sharpness", [0.6, 1.0, 3.0])
def test_the_temperature_is_the_one_that_was_put_in_and_the_best_that_scipy_finds(sharpness):
    validation = world(4000, sharpness=sharpness, seed=3)
    found = fit_temperature(validation)
    assert found == pytest.approx(sharpness, rel=0.06)

    def loss(log_t):
        told = log_softmax(np.log(validation.probabilities) / np.exp(log_t), axis=1)
        return -told[np.arange(len(validation)), validation.labels].mean()

    assert found == pytest.approx(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x), rel=1e-3)


def test_scaling_keeps_every_ranking_within_a_picture_and_mends_the_calibration():
    validation, test = world(2000, sharpness=2.5, seed=1), world(2000, sharpness=2.5, seed=2)
    mended = with_temperature(test, fit_temperature(validation))
    assert np.array_equal(
        np.argsort(mended.probabilities, axis=1, kind="stable"),
        np.argsort(test.probabilities, axis=1, kind="stable"),
    )
    assert error_of(mended) < error_of(test) / 3
    assert mended.provenance["temperature"] == pytest.approx(2.5, rel=0.1)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (
            lambda: fit_temperature(of_labels([0, 1, 2, 3], [0, 1, 2, 3])),
            "all 4 validation pictures are right",
        ),
        (lambda: fit_temperature(of_labels([0, 1, 2, 3], [1, 2, 3, 0])), "no better than chance"),
        (lambda: with_temperature(draw(5), 0), "above 0"),
        (lambda: with_temperature(draw(5), np.nan), "above 0"),
        (lambda: reliability(draw(5), n_bins=0), "0 bins"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_in_one_sentence(wrong, word):
    with pytest.raises(LumbarError, match=word) as refusal:
        wrong()
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)
