"""Measures of diversity against counts by hand, and their intervals against independence that is known."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from drawn_predictions import draw, of_labels
from scipy.stats import pearsonr

from lumbar_utils import diversity
from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.intervals import wilson


@pytest.fixture(autouse=True)
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def pair(a, b, c, d, **changes):
    """Two members of which both, the first, the second and neither are right so often; the errors are alike."""
    truth = np.zeros(a + b + c + d, dtype=int)
    first = np.repeat([0, 0, 1, 1], [a, b, c, d])
    second = np.repeat([0, 1, 0, 1], [a, b, c, d])
    return [of_labels(truth, said, model=name, **changes) for said, name in ((first, "one"), (second, "two"))]


def test_the_measures_by_hand():
    row = diversity(pair(60, 20, 10, 10)).iloc[0]
    assert row["disagreement"] == pytest.approx(0.3)
    assert row["correlation"] == pytest.approx((60 * 10 - 20 * 10) / np.sqrt(80 * 20 * 70 * 30))
    assert row["double_fault"] == pytest.approx(0.1)
    assert row["yule_q"] == pytest.approx((600 - 200) / (600 + 200))
    assert (row["first"], row["second"], row["note"]) == ("one", "two", "")


def test_the_correlation_is_pearsons_of_wrong_and_right():
    a, b = draw(400, seed=1), draw(400, strength=1, seed=2)
    expected = pearsonr(a.predicted == a.labels, b.predicted == b.labels)[0]
    assert diversity([a, b]).loc[0, "correlation"] == pytest.approx(expected)


def test_different_wrong_answers_disagree_and_are_a_double_fault():
    truth = [0] * 10
    row = diversity([of_labels(truth, [0] * 8 + [1, 1]), of_labels(truth, [0] * 8 + [1, 2])]).iloc[0]
    assert row["disagreement"] == pytest.approx(0.1) and row["double_fault"] == pytest.approx(0.2)
    assert row["correlation"] == pytest.approx(1)


def test_two_identical_members_never_disagree_and_err_together():
    one = draw(200)
    row = diversity([one, replace(one, model="its copy")]).iloc[0]
    assert row["disagreement"] == 0 and row["disagreement_high"] == pytest.approx(wilson(0, 200)[1])
    assert row["double_fault"] == pytest.approx(np.mean(one.predicted != one.labels))
    assert row["correlation"] == pytest.approx(1) and row["yule_q"] == 1
    assert np.isnan(row["correlation_low"]) and "correlation: no interval" in row["note"]


def test_members_that_err_independently_have_correlation_zero_within_its_interval():
    tables = [diversity([draw(300, seed=s), draw(300, seed=1000 + s)], n_resamples=400) for s in range(60)]
    for name in ("correlation", "yule_q"):
        covered = [t.loc[0, f"{name}_low"] < 0 < t.loc[0, f"{name}_high"] for t in tables]
        assert 51 <= sum(covered) <= 60  # 95 % of 60 is 57
        assert abs(np.mean([t.loc[0, name] for t in tables])) < 0.06


def test_members_that_share_half_their_evidence_err_together_beyond_chance():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=500)
    shared = rng.normal(size=(500, 4))
    some = []
    for _ in "ab":
        logits = shared + rng.normal(size=(500, 4)) + 2 * np.eye(4)[labels]
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        some.append(draw(500, labels=labels, probabilities=shares))
    row = diversity(some).iloc[0]
    assert row["correlation_low"] > 0.1 and row["yule_q_low"] > row["correlation_low"]


def test_the_interval_counts_patients_not_pictures():
    few = diversity(pair(60, 20, 10, 10, patient_ids=[f"p{i % 10}" for i in range(100)])).iloc[0]
    copied = pair(600, 200, 100, 100, patient_ids=[f"p{i // 10}" for i in range(1000)])
    alone = diversity(pair(60, 20, 10, 10)).iloc[0]
    tenfold = diversity(copied).iloc[0]
    assert (
        few["disagreement"] == alone["disagreement"] and few["disagreement_low"] != alone["disagreement_low"]
    )
    width = lambda row: row["correlation_high"] - row["correlation_low"]
    assert width(tenfold) == pytest.approx(
        width(alone), rel=0.1
    )  # ten copies of each picture tell nothing new
    for share, low, high in (("disagreement", *wilson(30, 100)), ("double_fault", *wilson(10, 100))):
        assert (alone[f"{share}_low"], alone[f"{share}_high"]) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("counts", "note"),
    [
        ((8, 2, 0, 0), "one is never wrong"),
        ((0, 0, 6, 4), "one is always wrong"),
        ((8, 0, 2, 0), "two is never wrong"),
        ((10, 0, 0, 0), "one is never wrong and two is never wrong"),
    ],
)
def test_a_member_without_error_has_no_correlation_and_the_note_says_so(counts, note):
    row = diversity(pair(*counts)).iloc[0]
    assert row[["correlation", "correlation_low", "yule_q", "yule_q_high"]].isna().all()
    assert row["note"] == f"correlation and Q not defined: {note}"
    assert np.isfinite(row["disagreement_high"]) and np.isfinite(row["double_fault_high"])


def test_one_patient_gives_values_and_no_interval_beyond_the_shares():
    row = diversity(pair(5, 2, 2, 1, patient_ids=["p"] * 10)).iloc[0]
    assert (
        np.isfinite(row["correlation"])
        and np.isnan(row["correlation_low"])
        and "one patient only" in row["note"]
    )


def test_every_pair_has_its_row():
    table = diversity([draw(60, seed=s, model=name) for s, name in enumerate("abc")], n_resamples=200)
    assert list(zip(table["first"], table["second"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    measures = ("disagreement", "correlation", "double_fault", "yule_q")
    for name in measures:
        assert (table[f"{name}_low"] <= table[name]).all() and (table[name] <= table[f"{name}_high"]).all()


def test_what_cannot_be_paired_is_refused_in_one_sentence():
    with pytest.raises(LumbarError, match="there are 1 members"):
        diversity([draw(20)])
    with pytest.raises(LumbarError, match="same pictures"):
        diversity([draw(20), draw(21)])
