"""AUCs of discs within patients: DeLong where each has one, a bootstrap over patients where they have several."""

import numpy as np
import pytest
from drawn_predictions import draw
from sklearn.metrics import roc_auc_score

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import delong, paired_delong
from lumbar_utils.evaluation.clustered_auc import clustered_auc, paired_clustered_auc


def drawn_discs(n_patients=120, seed=0):
    """Five discs a patient whose scores share the patient's own shift."""
    rng = np.random.default_rng(seed)
    positive = rng.random((n_patients, 5)) < 0.3
    shift = rng.normal(size=(n_patients, 1))
    good = positive * 1.2 + shift + rng.normal(size=positive.shape)
    poor = positive * 0.6 + shift + rng.normal(size=positive.shape)
    return positive.ravel(), good.ravel(), poor.ravel(), np.repeat(np.arange(n_patients), 5)


def test_one_row_a_patient_is_delong():
    first, second = draw(200, n_classes=2), draw(200, n_classes=2, seed=1, strength=1.0)
    positive = first.labels == 1
    args = positive, first.probabilities[:, 1], second.probabilities[:, 1], first.patient_ids
    ours, theirs = clustered_auc(*args[:2], args[3]), delong(first, first.class_names[1])
    assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high))
    ours, theirs = paired_clustered_auc(*args), paired_delong(first, second, first.class_names[1])
    assert ours.p_value == pytest.approx(theirs.p_value)
    assert ours.difference.low == pytest.approx(theirs.difference.low)


def test_the_interval_is_that_of_a_bootstrap_over_patients():
    positive, good, poor, patient = drawn_discs()
    rng, drawn = np.random.default_rng(1), []
    rows_of = [np.flatnonzero(patient == p) for p in range(120)]
    for _ in range(1500):
        rows = np.concatenate([rows_of[p] for p in rng.integers(120, size=120)])
        drawn.append([roc_auc_score(positive[rows], s[rows]) for s in (good, poor)])
    drawn = np.array(drawn)
    found = clustered_auc(positive, good, patient)
    assert found.value == pytest.approx(roc_auc_score(positive, good))
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(drawn[:, 0].std(), rel=0.08)
    gap = paired_clustered_auc(positive, good, poor, patient)
    assert (gap.difference.high - gap.difference.low) / (2 * 1.96) == pytest.approx(
        (drawn[:, 0] - drawn[:, 1]).std(), rel=0.08
    )
    assert gap.p_value < 0.005


def test_rows_of_a_patient_that_rise_together_tell_less():
    positive, good, _, patient = drawn_discs()
    as_if_alone = clustered_auc(np.tile(positive, 4), np.tile(good, 4), np.arange(4 * len(good)))
    together = clustered_auc(np.tile(positive, 4), np.tile(good, 4), np.tile(patient, 4))
    alone = clustered_auc(positive, good, patient)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.01)
    assert as_if_alone.high - as_if_alone.low < 0.6 * (together.high - together.low)


def test_equal_scores_and_perfect_ones():
    positive, good, _, patient = drawn_discs()
    same = paired_clustered_auc(positive, good, 2 * good + 1, patient)
    assert same.difference.value == 0 and same.p_value == 1 and np.isnan(same.difference.low)
    perfect = clustered_auc(positive, positive * 1.0, patient)
    assert perfect.value == 1 and perfect.low < 1


@pytest.mark.parametrize(
    ("positive", "scores", "clusters", "says"),
    [
        ([True, False], [0.1], [1, 2], "wanted one"),
        ([True, True], [0.1, 0.2], [1, 2], "some that are"),
        ([True, True, False], [0.1, 0.2, 0.3], [1, 1, 2], "one patient"),
    ],
)
def test_what_has_no_auc_is_refused(positive, scores, clusters, says):
    with pytest.raises(LumbarError, match=says):
        clustered_auc(positive, scores, clusters)
