"""What a test of n patients can show: exact chances against enumeration and against scipy."""

from itertools import product
from math import isinf

import numpy as np
import pytest
from scipy import stats

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.sure import duel, patients_needed, score_chances, usual_range


@pytest.mark.parametrize(("n", "accuracy"), [(1, 0.5), (19, 0.9), (19, 1.0), (7, 0.0), (2000, 0.995)])
def test_chances_of_scores_are_binomial(n, accuracy):
    expected = stats.binom.pmf(np.arange(n + 1), n, accuracy)
    np.testing.assert_allclose(score_chances(n, accuracy), expected, rtol=1e-8, atol=1e-300)


def test_duel_agrees_with_playing_through_every_outcome():
    better, worse, n = 0.8, 0.6, 3
    counted = {1: 0.0, 0: 0.0, -1: 0.0}
    for outcome in product((True, False), repeat=2 * n):
        shares = [better] * n + [worse] * n
        chance = np.prod([p if right else 1 - p for right, p in zip(outcome, shares, strict=True)])
        counted[int(np.sign(sum(outcome[:n]) - sum(outcome[n:])))] += chance
    assert duel(n, better, worse) == pytest.approx((counted[1], counted[0], counted[-1]))


def test_equal_models_win_equally_often():
    fight = duel(19, 0.9, 0.9)
    assert fight.ahead == pytest.approx(fight.behind)
    assert sum(fight) == pytest.approx(1)


def test_usual_range_holds_its_share_and_no_narrower_one_does():
    low, high = usual_range(19, 0.9)
    chances = score_chances(19, 0.9)
    assert chances[low : high + 1].sum() >= 0.95
    assert chances[:low].sum() <= 0.025 < chances[: low + 1].sum()
    assert chances[high + 1 :].sum() <= 0.025


def test_patients_needed_are_just_enough():
    needed = patients_needed(0.90, 0.85)
    assert duel(needed, 0.90, 0.85).behind <= 0.05 < duel(needed - 10, 0.90, 0.85).behind
    assert isinf(patients_needed(0.9, 0.9, largest=1000))


def test_a_percentage_is_refused_as_an_accuracy():
    with pytest.raises(LumbarError, match="give a share"):
        score_chances(19, 90)
