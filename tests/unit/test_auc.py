"""DeLong against the published ovarian cancer data and a naive loop; Hanley and McNeil against their formula."""

import numpy as np
import pytest
from drawn_predictions import draw, of_labels
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import Predictions, delong, hanley_mcneil_se, paired_delong
from lumbar_utils.evaluation.intervals import wilson

# DeLong, DeLong and Clarke-Pearson (1988): albumin, total protein, Krebs-Goplerud score, benefit of surgery; the
# complete rows as printed in the SAS/STAT manual, example "Comparing Receiver Operating Characteristic Curves"
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1  3.8 5.7 5 1
3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0
4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1
4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1
2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1  3.6 6.6 5 1
"""


def two_classes(scores, positive, **changes) -> Predictions:
    shares = np.asarray(scores, dtype=float)
    values = {"class_names": ("no", "yes"), "patient_ids": range(len(shares)), "model": "m", "dataset": "d"}
    return Predictions(
        np.asarray(positive, dtype=int),
        np.column_stack([1 - shares, shares]),
        **(values | changes),
        measured_on="real pictures",
    )


@pytest.fixture(scope="module")
def ovarian():
    albumin, protein, score, popind = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4).T
    unhelped = popind == 0
    return {
        name: two_classes(values, unhelped, model=name)
        for name, values in (
            ("albumin", 1 - albumin / 10),
            ("protein", 1 - protein / 10),
            ("K-G", score / 10),
        )
    }


@pytest.mark.parametrize(
    ("name", "area", "error"),
    [("albumin", 0.7366, 0.0927), ("protein", 0.6478, 0.1000), ("K-G", 0.7258, 0.1028)],
)
def test_delong_gives_the_published_areas_and_standard_errors(ovarian, name, area, error):
    found = delong(ovarian[name], "yes")
    assert found.value == pytest.approx(area, abs=5e-5)
    assert (found.high - found.low) / 2 / norm.ppf(0.975) == pytest.approx(error, abs=5e-5)
    assert found.method == "DeLong, 43 patients"


@pytest.mark.parametrize(
    ("name", "gap", "error", "p_value"),
    [("albumin", 0.0108, 0.0953, 0.9102), ("protein", -0.0780, 0.1046, 0.4561)],
)
def test_paired_delong_gives_the_published_test(ovarian, name, gap, error, p_value):
    found = paired_delong(ovarian[name], ovarian["K-G"], "yes")
    assert found.difference.value == pytest.approx(gap, abs=5e-5)
    half = (found.difference.high - found.difference.low) / 2
    assert half / norm.ppf(0.975) == pytest.approx(error, abs=5e-5)
    assert found.p_value == pytest.approx(p_value, abs=5e-5)


def test_delong_agrees_with_a_naive_loop_where_scores_tie():
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 6, 60) / 6, rng.random(60) < 0.4
    wins = np.array([[(x > y) + (x == y) / 2 for y in scores[~positive]] for x in scores[positive]])
    variance = wins.mean(axis=1).var(ddof=1) / len(wins) + wins.mean(axis=0).var(ddof=1) / wins.shape[1]
    found = delong(two_classes(scores, positive), "yes")
    assert found.value == pytest.approx(roc_auc_score(positive, scores))
    assert found.high - found.low == pytest.approx(2 * norm.ppf(0.975) * np.sqrt(variance))


def test_delong_covers_a_known_area():
    rng = np.random.default_rng(1)
    truth, held = norm.cdf(1 / np.sqrt(2)), 0
    for _ in range(400):
        positive = np.arange(120) < 50
        found = delong(two_classes(norm.cdf(rng.normal(size=120) + positive), positive), "yes")
        held += found.low <= truth <= found.high
    assert 0.91 < held / 400 < 0.98


def test_equal_models_and_perfect_models_get_intervals_that_are_not_points():
    labels = [0] * 4 + [1] * 4 + [2] * 8 + [3] * 3
    perfect = of_labels(labels, labels)
    assert (delong(perfect, "Healthy").low, delong(perfect, "Healthy").high) == wilson(4, 4)
    same = paired_delong(perfect, perfect, "Healthy")
    assert same.p_value == 1 and same.difference.high == -same.difference.low == wilson(0, 4)[1]


def test_a_class_of_one_patient_has_an_area_and_no_interval():
    found = delong(two_classes([0.5, 0.2, 0.4, 0.9], [1, 0, 0, 0]), "yes")
    assert found.value == pytest.approx(2 / 3) and np.isnan(found.low) and "one picture" in found.method
    pair = paired_delong(
        two_classes([0.5, 0.2, 0.4, 0.9], [1, 0, 0, 0]),
        two_classes([0.5, 0.2, 0.7, 0.9], [1, 0, 0, 0]),
        "yes",
    )
    assert pair.difference.value == pytest.approx(1 / 3) and np.isnan(pair.p_value)


def test_hanley_and_mcneil():
    assert hanley_mcneil_se(0.90, 4, 15) == pytest.approx(0.109, abs=5e-4)
    assert hanley_mcneil_se(1, 4, 15) == 0


@pytest.mark.parametrize("counts", [(4, 15), (15, 4), (51, 58)])
def test_hanley_and_mcneil_is_exact_for_exponential_scores(counts):
    rng = np.random.default_rng(0)
    with_class = rng.exponential(9, (6000, counts[0], 1))  # the true area is 9 / (9 + 1)
    areas = (with_class > rng.exponential(1, (6000, 1, counts[1]))).mean(axis=(1, 2))
    assert areas.std() == pytest.approx(hanley_mcneil_se(0.9, *counts), rel=0.04)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda: delong(draw(20, pictures_a_patient=2), "Healthy"), "use evaluate"),
        (lambda: delong(draw(20), "Scoliosis"), "no class Scoliosis"),
        (
            lambda: delong(of_labels([0, 1], [0, 1]), "Spondylosis"),
            "0 of 2 pictures are labelled Spondylosis",
        ),
        (lambda: delong(of_labels([0, 0], [0, 1]), "Healthy"), "2 of 2"),
        (lambda: paired_delong(draw(20), draw(21), "Healthy"), "same pictures"),
        (lambda: hanley_mcneil_se(0.9, 0, 15), "counts above 0"),
        (lambda: hanley_mcneil_se(1.9, 3, 15), "from 0 to 1"),
    ],
)
def test_what_has_no_area_is_refused_in_one_sentence(wrong, word):
    with pytest.raises(LumbarError, match=word) as refusal:
        wrong()
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)
