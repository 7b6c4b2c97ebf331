"""Intervals whose unit is the patient: of shares Wilson or Clopper-Pearson, else a bootstrap over patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import exp, fsum, isfinite, lgamma, log, log1p, nan, sqrt
from statistics import NormalDist

import numpy as np

LEVEL = 0.95
NOT_DEFINED = "not defined"


@dataclass(frozen=True)
class Estimate:
    """A number with its interval. `method` says how the limits were found, or why there are none (NaN)."""

    value: float
    low: float
    high: float
    method: str
    level: float = LEVEL

    def __str__(self) -> str:
        if not isfinite(self.value):
            return NOT_DEFINED
        if not isfinite(self.low):
            return f"{self.value:.3f} (no interval)"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_dict(self) -> dict:
        """Return plain values for JSON; what is not defined is None."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


def wilson(successes: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the limits of a binomial proportion (Wilson 1927, without continuity correction).

    Written out because `scipy.stats.binomtest(...).proportion_ci(method="wilson")`, which it is tested
    against, costs the dashboard 65 MB of memory.
    """
    if n == 0:
        return nan, nan
    z = normal_quantile(level)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def clopper_pearson(successes: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact limits of a binomial proportion (Clopper and Pearson 1934).

    They hold at least the level for every true share, so they are wider than Wilson's, which hold it on
    average. The lower limit is the share at which `successes` or more have the probability (1 - level) / 2.
    """
    if n == 0:
        return nan, nan
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else _share_where(lambda p: binomial_tail(successes, n, p) - tail)
    high = 1.0 if successes == n else _share_where(lambda p: binomial_tail(successes + 1, n, p) - (1 - tail))
    return low, high


def binomial_tail(k: int, n: int, share: float) -> float:
    """Return the probability of k or more successes in n independent trials."""
    if not 0 < share < 1:
        return float(k <= 0 or share == 1)
    chances = (
        exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * log(share) + (n - i) * log1p(-share))
        for i in range(k, n + 1)
    )
    return fsum(chances)


def resample_patients(n_patients: int, n_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield blocks (b, n_patients) of how often each patient is drawn in each of `n_resamples` resamples."""
    rng = np.random.default_rng(seed)
    block = max(1, min(n_resamples, 150_000 // n_patients))  # keeps each block near one megabyte
    for start in range(0, n_resamples, block):
        size = min(block, n_resamples - start)
        drawn = rng.integers(n_patients, size=(size, n_patients)) + n_patients * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n_patients).reshape(size, n_patients).astype(float)


def percentile(value: float, resampled: np.ndarray, n_patients: int) -> Estimate:
    """Return `value` with the percentile interval of (B,) resampled values (Efron 1979).

    A resample that lacks a class is NaN and is left out; where more than half of them do, there is no
    interval, and none where all of them are alike, for a point is no interval. Near 0 or 1 and with few
    patients this interval is somewhat too narrow.
    """
    if not isfinite(value):
        return Estimate(nan, nan, nan, NOT_DEFINED)
    if n_patients < 2:
        return Estimate(value, nan, nan, "no interval: one patient only")
    kept = resampled[np.isfinite(resampled)]
    left_out = len(resampled) - len(kept)
    if len(kept) * 2 < len(resampled):
        return Estimate(
            value, nan, nan, f"no interval: {left_out} of {len(resampled)} resamples lack a class"
        )
    if is_point(kept):
        return Estimate(
            value, nan, nan, "no interval: all resamples alike, so a bootstrap shrinks to a point"
        )
    low, high = np.quantile(kept, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    method = f"bootstrap over {n_patients} patients, {len(resampled)} resamples"
    if left_out:
        method += f", {left_out} of them without some class and left out"
    return Estimate(value, float(low), float(high), method)


def is_point(resampled: np.ndarray) -> bool:
    """Return whether all (B,) resampled values that are defined are the same, so that they span no interval."""
    kept = resampled[np.isfinite(resampled)]
    return len(kept) > 0 and np.ptp(kept) < 1e-12


def reversed_percentile(value: float, resampled: np.ndarray, n_patients: int) -> Estimate:
    """Return a non-negative `value` that chance alone enlarges with the reversed percentile interval.

    Resamples are as much too large once more as the value itself is, and taking 2 value - quantile subtracts it
    (basic bootstrap, Davison and Hinkley 1997). The value may lie at or above the upper limit: it is too large.
    """
    plain = percentile(value, resampled, n_patients)
    if not isfinite(plain.low):
        return plain
    low, high = max(0.0, 2 * value - plain.high), max(0.0, 2 * value - plain.low)
    return Estimate(value, low, high, f"reversed {plain.method}")


def proportion(successes, trials, resampled) -> Estimate:
    """Return the share of successes, with Wilson's limits where no patient has more than one trial.

    successes, trials : (P,) counts of each patient. resampled : (B,) the share in each resample, used where
    patients have several trials. If all trials end alike, a bootstrap gives a point, so Wilson's limits are
    taken with one trial a patient.
    """
    tried = trials > 0
    n_patients, n, k = int(tried.sum()), int(trials.sum()), int(successes.sum())
    if n == 0:
        return Estimate(nan, nan, nan, NOT_DEFINED)
    if trials.max() <= 1:
        return Estimate(k / n, *wilson(k, n), f"Wilson, {n} patients")
    if 0 < k < n:
        return percentile(k / n, resampled, n_patients)
    limits = wilson(n_patients * k / n, n_patients)
    return Estimate(k / n, *limits, f"Wilson, {n_patients} patients as one trial each, all alike")


def separated_auc(value: float, n_with: int, n_without: int, n_patients: int) -> Estimate:
    """Return the interval of an AUC of 1 (or 0), where bootstrap, DeLong and Hanley-McNeil shrink to a point.

    Pair patients who have the class with patients who have not, each patient once: as many independent
    comparisons as pairs, each right with probability AUC, and all came out alike. Wilson's limits for them
    assume no shape of the two distributions. For continuous scores they are wide: under binormal ones
    Obuchowski and Lieber (2002, Academic Radiology 9:526) find higher lower bounds. In the worst case, where a
    patient is either far on the right or far on the wrong side, the pairs are a plain share, and only
    `clopper_pearson(pairs, pairs)` is guaranteed to hold the level.
    """
    pairs = min(n_with, n_without, n_patients // 2)
    if pairs == 0:
        return Estimate(value, nan, nan, "no interval: one patient only")
    method = f"complete separation, where a bootstrap shrinks to a point; Wilson, {pairs} disjoint pairs of patients"
    return Estimate(value, *wilson(value * pairs, pairs), method)


def mean_of(estimates, method: str, weights=None) -> Estimate:
    """Return the mean of estimates with the mean of their limits, which is wider than an interval of the mean."""
    value, low, high = np.average([[e.value, e.low, e.high] for e in estimates], axis=0, weights=weights)
    return Estimate(float(value), float(low), float(high), method)


def _share_where(rising) -> float:
    """Return where a rising function of a share crosses zero, by bisection to the last bit."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def normal_quantile(level: float = LEVEL) -> float:
    """Return how many standard errors a two-sided interval of this level reaches to each side."""
    return NormalDist().inv_cdf((1 + level) / 2)
