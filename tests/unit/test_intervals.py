"""Intervals against published values, scipy, and the coverage they promise."""

import numpy as np
import pytest
from scipy.stats import binomtest

from lumbar_utils.evaluation.intervals import (
    binomial_tail,
    clopper_pearson,
    mean_of,
    percentile,
    proportion,
    resample_patients,
    reversed_percentile,
    separated_auc,
    wilson,
)

# Wilson 95 % limits of small test sets, to the printed three decimals
PUBLISHED = {
    (19, 19): (0.832, 1),
    (18, 19): (0.754, 0.991),
    (17, 19): (0.686, 0.971),
    (16, 19): (0.624, 0.945),
    (13, 19): (0.460, 0.846),
    (4, 4): (0.510, 1),
    (3, 4): (0.301, 0.954),
    (0, 4): (0, 0.490),
}


@pytest.mark.parametrize(("counts", "limits"), PUBLISHED.items())
def test_wilson_gives_the_published_limits(counts, limits):
    assert wilson(*counts) == pytest.approx(limits, abs=0.0006)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_wilson_agrees_with_scipy(level):
    for n in (1, 7, 19, 600):
        for k in {0, 1, n // 3, n - 1, n}:
            expected = binomtest(k, n).proportion_ci(confidence_level=level, method="wilson")
            assert wilson(k, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


# Clopper-Pearson 95 % limits of the same counts
EXACT = {
    (19, 19): (0.824, 1),
    (18, 19): (0.740, 0.999),
    (17, 19): (0.669, 0.987),
    (16, 19): (0.604, 0.966),
    (13, 19): (0.4345, 0.874),
    (4, 4): (0.398, 1),
    (3, 4): (0.194, 0.994),
    (0, 4): (0, 0.602),
}


@pytest.mark.parametrize(("counts", "limits"), EXACT.items())
def test_clopper_pearson_gives_the_published_limits(counts, limits):
    assert clopper_pearson(*counts) == pytest.approx(limits, abs=0.0006)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_clopper_pearson_agrees_with_scipy(level):
    for n in (1, 7, 19, 600):
        for k in {0, 1, n // 3, n - 1, n}:
            expected = binomtest(k, n).proportion_ci(confidence_level=level, method="exact")
            assert clopper_pearson(k, n, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_clopper_pearson_covers_every_truth_at_least_as_often_as_it_says():
    limits = np.array([clopper_pearson(k, 19) for k in range(20)])
    for truth in np.linspace(0.02, 0.98, 49):
        chances = -np.diff([binomial_tail(k, 19, truth) for k in range(21)])
        covered = (limits[:, 0] <= truth) & (truth <= limits[:, 1])
        assert chances[covered].sum() >= 0.95


@pytest.mark.parametrize(("n", "share"), [(36, 0.90), (72, 0.95), (368, 0.99)])
def test_the_smallest_perfect_test_set_that_proves_a_share(n, share):
    assert clopper_pearson(n - 1, n - 1)[0] < share <= clopper_pearson(n, n)[0]


def test_a_perfect_score_proves_ninety_percent_only_from_35_patients():
    assert wilson(34, 34)[0] < 0.90 <= wilson(35, 35)[0]


def test_wilson_covers_the_truth_about_as_often_as_it_says():
    right = np.random.default_rng(0).binomial(40, 0.85, size=4000)
    limits = np.array([wilson(k, 40) for k in range(41)])[right]
    assert 0.93 < np.mean((limits[:, 0] <= 0.85) & (limits[:, 1] >= 0.85)) < 0.97


def test_every_resample_draws_as_many_patients_as_there_are():
    weights = np.concatenate(list(resample_patients(700, 500, seed=1)))
    assert weights.shape == (500, 700)
    assert (weights.sum(axis=1) == 700).all()
    assert weights.var() == pytest.approx(1, abs=0.02)  # Poisson-like multiplicities
    again = np.concatenate(list(resample_patients(700, 500, seed=1)))
    other = np.concatenate(list(resample_patients(700, 500, seed=2)))
    assert np.array_equal(weights, again) and not np.array_equal(weights, other)


def test_one_trial_a_patient_takes_wilson_and_several_take_the_bootstrap():
    resampled = np.linspace(0.2, 0.8, 1001)
    single = proportion(np.array([1, 0, 1, 0]), np.array([1, 1, 1, 1]), resampled)
    several = proportion(np.array([2, 0, 1, 1]), np.array([2, 2, 2, 2]), resampled)
    assert single.method.startswith("Wilson") and (single.low, single.high) == wilson(2, 4)
    assert several.method.startswith("bootstrap over 4 patients")
    assert (several.low, several.high) == pytest.approx((0.215, 0.785))


def test_a_perfect_score_of_several_pictures_a_patient_counts_patients_not_pictures():
    perfect = proportion(np.full(6, 10), np.full(6, 10), np.ones(100))
    assert (perfect.value, perfect.low, perfect.high) == (1, *wilson(6, 6))


def test_resamples_without_a_class_are_left_out_and_counted():
    resampled = np.r_[np.linspace(0, 1, 901), np.full(99, np.nan)]
    estimate = percentile(0.5, resampled, 30)
    assert "99 of them without some class" in estimate.method
    assert (estimate.low, estimate.high) == pytest.approx((0.025, 0.975))


def test_no_interval_is_claimed_when_most_resamples_lack_a_class_or_there_is_one_patient():
    mostly_lacking = percentile(0.5, np.r_[0.5, np.full(9, np.nan)], 30)
    one_patient = percentile(0.5, np.full(10, 0.5), 1)
    for estimate in (mostly_lacking, one_patient):
        assert estimate.value == 0.5 and np.isnan(estimate.low)
        assert estimate.method.startswith("no interval") and str(estimate) == "0.500 (no interval)"
        assert estimate.to_dict()["low"] is None


def test_a_bootstrap_that_shrinks_to_a_point_is_no_interval():
    estimate = percentile(0.8, np.full(100, 0.8), 30)
    assert estimate.value == 0.8 and np.isnan(estimate.low) and "shrinks to a point" in estimate.method


def test_a_perfect_auc_has_the_limit_of_its_disjoint_pairs():
    estimate = separated_auc(1.0, 4, 15, 19)
    assert (estimate.low, estimate.high) == wilson(4, 4)
    assert "complete separation" in estimate.method
    assert separated_auc(0.0, 4, 15, 19).high == pytest.approx(1 - estimate.low)
    # five patients with pictures on both sides give two pairs in which no patient stands twice
    assert separated_auc(1.0, 5, 5, 5).low == wilson(2, 2)[0]


def test_the_limit_of_a_perfect_auc_is_seldom_above_the_truth():
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(2000):  # the true AUC is P(z > -1.8 / sqrt 2) = 0.898
        if rng.normal(1.8, 1, 6).min() > rng.normal(0, 1, 12).max():
            wrong += separated_auc(1.0, 6, 12, 18).low > 0.898
    assert wrong == 0


def test_the_reversed_interval_mirrors_the_percentiles_about_the_value():
    resampled = np.linspace(0.04, 0.10, 1001)
    plain, mirrored = percentile(0.05, resampled, 80), reversed_percentile(0.05, resampled, 80)
    assert (mirrored.low, mirrored.high) == pytest.approx((max(0, 0.1 - plain.high), 0.1 - plain.low))
    alike = reversed_percentile(0.1, np.full(100, 0.1), 80)
    assert np.isnan(alike.low) and "shrinks to a point" in alike.method
    assert "one patient" in reversed_percentile(0.1, np.full(100, 0.1), 1).method


def test_the_mean_of_estimates_is_the_mean_of_value_and_limits():
    first, second = separated_auc(1.0, 9, 9, 18), separated_auc(1.0, 4, 9, 13)
    assert mean_of([first, second], "m").low == pytest.approx((wilson(9, 9)[0] + wilson(4, 4)[0]) / 2)
