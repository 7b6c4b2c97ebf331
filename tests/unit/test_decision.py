"""Decision curves against counts by scikit-learn and what Vickers and Elkin proved."""

import numpy as np
import pytest
from drawn_predictions import draw, of_labels
from sklearn.metrics import confusion_matrix

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import decision_curve


def test_net_benefit_agrees_with_counts_by_scikit_learn():
    predictions = draw(150)
    table = decision_curve(predictions, "Spinal Stenosis", thresholds=[0.1, 0.25, 0.6])
    positive, score = predictions.labels == 2, predictions.probabilities[:, 2]
    for row in table.itertuples():
        _, false, _, true = confusion_matrix(positive, score >= row.threshold).ravel()
        odds = row.threshold / (1 - row.threshold)
        assert row.model == pytest.approx(true / 150 - false / 150 * odds)
        assert row.all == pytest.approx(positive.mean() - (1 - positive.mean()) * odds)
        assert row.gain == pytest.approx(row.model - max(row.all, 0))
        assert row.gain_low <= row.gain <= row.gain_high


def test_acting_on_all_is_worth_nothing_at_a_threshold_of_the_prevalence():
    predictions = of_labels([0] * 15 + [1] * 5, [0] * 20)
    table = decision_curve(predictions, "Herniated Disk", thresholds=[0.25])
    assert table["all"][0] == pytest.approx(0) and table["model"][0] == 0


def test_a_perfect_model_is_worth_the_prevalence_at_every_threshold():
    labels = [0] * 12 + [1] * 4 + [2] * 4
    table = decision_curve(of_labels(labels, labels), ("Herniated Disk", "Spinal Stenosis"))
    assert table["model"].to_numpy() == pytest.approx(np.full(99, 0.4))


def test_a_model_that_knows_nothing_is_not_shown_to_help():
    rng = np.random.default_rng(0)
    noise = draw(400, probabilities=rng.dirichlet(np.ones(4), 400))
    assert (decision_curve(noise, "Healthy")["gain_low"] > 0).sum() == 0
    assert (decision_curve(draw(400, strength=3), "Healthy")["gain_low"] > 0).sum() > 60


def test_the_interval_counts_patients_and_one_patient_has_none():
    width = lambda p: np.ptp(
        decision_curve(p, "Healthy", thresholds=[0.3])[["gain_low", "gain_high"]].to_numpy()
    )
    forty = draw(40)
    names = ("labels", "probabilities", "patient_ids")
    copies = {name: np.repeat(getattr(forty, name), 6, axis=0) for name in names}
    assert width(draw(240, **copies)) == pytest.approx(width(forty), rel=0.15)
    alone = decision_curve(draw(30, pictures_a_patient=30), "Healthy")
    assert alone["gain_low"].isna().all() and alone["model"].notna().all()


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda: decision_curve(draw(20), "Scoliosis"), "no class Scoliosis"),
        (lambda: decision_curve(draw(20), ()), "name one or several"),
        (lambda: decision_curve(of_labels([0, 1], [0, 1]), "Spondylosis"), "0 of 2 pictures"),
        (lambda: decision_curve(draw(20), "Healthy", thresholds=[0.5, 1]), "threshold"),
    ],
)
def test_what_has_no_decision_curve_is_refused_in_one_sentence(wrong, word):
    with pytest.raises(LumbarError, match=word) as refusal:
        wrong()
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)
