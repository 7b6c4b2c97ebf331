"""Comparisons of many models: Holm against the published procedure, and the corrected t-test against scikit-learn's."""

import numpy as np
import pytest
from drawn_predictions import draw
from scipy.stats import t as student
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import compare, corrected_resampled_t, holm, mcnemar_exact, paired_difference
from lumbar_utils.evaluation.repeated_folds import t_p_value, t_quantile


def test_holm_by_hand():
    # Holm (1979): smallest times 3, next times 2, last times 1, and never falling
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.6, 0.01]) == pytest.approx([1, 1, 0.03])
    assert holm([0.5]) == pytest.approx([0.5]) and len(holm([])) == 0
    untested = holm([np.nan, 0.02, 0.03])
    assert np.isnan(untested[0]) and untested[1:] == pytest.approx([0.04, 0.04])


def test_holm_keeps_the_chance_of_any_false_finding():
    rng = np.random.default_rng(0)
    p_values = rng.random((4000, 15))
    assert np.mean((p_values < 0.05).any(axis=1)) > 0.5
    assert np.mean([(holm(row) < 0.05).any() for row in p_values]) == pytest.approx(0.05, abs=0.012)


def test_six_one_sided_differences_do_not_survive_28_pairs():
    assert holm([0.03125] + [1.0] * 27)[0] == pytest.approx(0.875)


def test_all_pairs_carry_the_test_and_the_difference_of_each_pair():
    models = {
        name: draw(200, strength=s, seed=k)
        for k, (name, s) in enumerate({"a": 3, "b": 2.8, "c": 0.5}.items())
    }
    table = compare(models, n_resamples=300)
    assert list(zip(table["first"], table["second"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    for row in table.itertuples():
        test = mcnemar_exact(models[row.first], models[row.second])
        gap = paired_difference(models[row.first], models[row.second], n_resamples=300)
        assert (row.only_first, row.only_second, row.p_value) == test
        assert (row.difference, row.low, row.high) == (gap.value, gap.low, gap.high)
    assert table["p_holm"].to_list() == pytest.approx(holm(table["p_value"]))
    assert table["p_holm"][1] < 0.001 < table["p_holm"][0]


def test_several_pictures_a_patient_leave_the_interval_and_no_mcnemar():
    models = {name: draw(60, pictures_a_patient=3, seed=seed) for seed, name in enumerate("ab")}
    row = compare(models).iloc[0]
    assert np.isnan(row["p_value"]) and np.isnan(row["p_holm"]) and row["low"] < row["high"]
    assert row["test"] == "no McNemar: 60 pictures of 20 patients"


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 49, 99])
def test_student_t_agrees_with_scipy(degrees):
    for t in (0, 0.3, 1, 2.5, -4, 12):
        assert t_p_value(t, degrees) == pytest.approx(2 * student.sf(abs(t), degrees), abs=1e-12)
    assert t_quantile(degrees) == pytest.approx(student.ppf(0.975, degrees), rel=1e-9)


def test_the_corrected_t_test_gives_the_published_example():
    # scikit-learn's example "Statistical comparison of models using grid search" prints t 0.750 and one-sided p 0.227
    pictures, labels = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    scores = [
        cross_val_score(SVC(random_state=0, **kernel), pictures, labels, cv=folds, scoring="roc_auc")
        for kernel in ({"kernel": "rbf"}, {"kernel": "linear"})
    ]
    found = corrected_resampled_t(*scores, n_train=90, n_test=10)
    assert found.t == pytest.approx(0.750, abs=0.0005) and found.degrees == 99
    assert found.p_value / 2 == pytest.approx(0.227, abs=0.0005)
    assert found.difference.low < 0 < found.difference.high


def test_the_correction_widens_the_interval_by_the_share_tested_on():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.8, 0.03, 50), rng.normal(0.78, 0.03, 50)
    found = corrected_resampled_t(a, b, n_train=80, n_test=20)
    plain = student.ppf(0.975, 49) * np.std(a - b, ddof=1) / np.sqrt(50)
    assert found.difference.high - found.difference.value == pytest.approx(plain * np.sqrt(1 + 50 * 20 / 80))
    assert corrected_resampled_t(a, a, n_train=80, n_test=20).p_value == 1


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda: compare({"a": draw(20)}), "1 models to compare"),
        (lambda: compare({"a": draw(20), "b": draw(21)}), "same pictures"),
        (lambda: holm([0.1, 1.2]), "p value 1 is 1.2"),
        (lambda: corrected_resampled_t([1, 2], [1, 2, 3], n_train=8, n_test=2), "same length"),
        (lambda: corrected_resampled_t([1], [0], n_train=8, n_test=2), "two or more folds"),
        (lambda: corrected_resampled_t([1, np.nan], [1, 2], n_train=8, n_test=2), "fold 1"),
        (lambda: corrected_resampled_t([1, 2], [1, 3], n_train=0, n_test=2), "0 patients"),
        (lambda: corrected_resampled_t([1, 1], [0, 0], n_train=8, n_test=2), "no spread"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(wrong, word):
    with pytest.raises(LumbarError, match=word) as refusal:
        wrong()
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)
