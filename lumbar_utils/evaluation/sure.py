"""What a test of n patients can show, by the binomial distribution: how scores scatter, and who comes out ahead."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.intervals import LEVEL


class Duel(NamedTuple):
    """Chances that the better of two models comes out ahead of the worse, level with it, or behind it."""

    ahead: float
    level: float
    behind: float


def score_chances(n: int, accuracy: float) -> np.ndarray:
    """Return (n + 1,) chances of 0, 1, ..., n right answers on n patients for a true accuracy in [0, 1]."""
    if n < 1 or not 0 <= accuracy <= 1:
        raise LumbarError(
            f"there are {n} patients and an accuracy of {accuracy}, wanted 1 or more and 0 to 1; give a share, not %."
        )
    right = np.arange(n + 1)
    if accuracy in (0.0, 1.0):
        return (right == n * accuracy).astype(float)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(right[1:]))])  # (n + 1,)
    ways = log_factorial[n] - log_factorial - log_factorial[::-1]
    chances = np.exp(ways + right * np.log(accuracy) + (n - right) * np.log1p(-accuracy))
    return chances / chances.sum()


def usual_range(n: int, accuracy: float, level: float = LEVEL) -> tuple[int, int]:
    """Return the right answers between which at least `level` of all tests fall, as much left out below as above."""
    below = np.cumsum(score_chances(n, accuracy))
    low, high = np.searchsorted(below, [(1 - level) / 2, (1 + level) / 2])
    return int(low), min(n, int(high))


def duel(n: int, better: float, worse: float) -> Duel:
    """Return who comes out ahead when two models are tested on n patients each, every one on patients of its own."""
    of_better, of_worse = score_chances(n, better), score_chances(n, worse)
    level = float(of_better @ of_worse)
    behind = float(of_better[:-1] @ (1 - np.cumsum(of_worse)[:-1]))
    return Duel(max(0.0, 1 - level - behind), level, max(0.0, behind))


def patients_needed(better: float, worse: float, at_most: float = 0.05, largest: int = 100_000) -> float:
    """Return about how many patients each model needs until the better one is behind in `at_most` of the tests.

    Found by bisection: as whole patients come in steps, a size just below may already do. Infinite beyond `largest`.
    """
    enough = 1
    while duel(enough, better, worse).behind > at_most:
        enough *= 2
        if enough > largest:
            return inf
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        too_few, enough = (
            (too_few, middle) if duel(middle, better, worse).behind <= at_most else (middle, enough)
        )
    return enough
