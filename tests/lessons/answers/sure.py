"""Right and typical wrong answers of lesson 16, and the words that a wrong one must meet."""

from math import comb

import numpy as np


def resampled(right, owners, *, by="patients", quantiles=(0.025, 0.975)):
    patients, number = np.unique(owners if by != "pictures" else np.arange(len(right)), return_inverse=True)
    hits, pictures = np.bincount(number, weights=right), np.bincount(number)
    if by == "mean of patients":
        hits, pictures = hits / pictures, np.ones(len(patients))
    drawn = np.random.default_rng(1).integers(len(patients), size=(2000, len(patients)))
    return np.quantile(hits[drawn].sum(axis=1) / pictures[drawn].sum(axis=1), quantiles)


def mcnemar(only_a, only_b, sides=2):
    apart = only_a + only_b
    few = sum(comb(apart, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, sides * few / 2**apart)


def mcnemar_up_to_b(only_a, only_b):
    return min(1.0, 2 * sum(comb(only_a + only_b, k) for k in range(only_b + 1)) / 2 ** (only_a + only_b))


def mcnemar_above_one(only_a, only_b):
    few = sum(comb(only_a + only_b, k) for k in range(min(only_a, only_b) + 1))
    return 2 * few / 2 ** (only_a + only_b)


def mcnemar_one_term(only_a, only_b):
    return min(1.0, 2 * comb(only_a + only_b, only_b) / 2 ** (only_a + only_b))


RIGHT = [
    ("sure.eight", 0.95**8),
    ("sure.bootstrap", resampled),
    ("sure.mcnemar", mcnemar),
    ("sure.holm", [0.016, 0.060, 0.060, 0.200]),
    ("sure.holm", np.array([0.016, 0.06, 0.06, 0.2])),
    ("sure.ece", 0.1),
    ("sure.threshold", 0.1),
    ("sure.recall", [3, 6, 9, 12]),
    ("sure.recall", {12, 9, 6, 3}),
    ("sure.quiz", {"1": "b", "2": "c", "3": "b", "4": "c", "5": "b"}),
]
WRONG = [
    ("sure.eight", 0.95, "promise of one"),
    ("sure.eight", 1 - 0.95**8, "opposite"),
    ("sure.eight", 0.6, "twice in which two"),
    ("sure.eight", 0.05**8, "all eight miss"),
    ("sure.eight", 66.3, "percentage"),
    ("sure.eight", 0.8, "0.8 does not fit"),
    ("sure.bootstrap", lambda right, owners: resampled(right, owners, by="pictures"), "single pictures"),
    (
        "sure.bootstrap",
        lambda right, owners: resampled(right, owners, quantiles=(0.05, 0.95)),
        "90 % interval",
    ),
    ("sure.bootstrap", lambda right, owners: resampled(right, owners, by="mean of patients"), "counts as"),
    ("sure.bootstrap", lambda right, owners: resampled(right, owners)[::-1], "upper limit comes first"),
    ("sure.bootstrap", lambda right, owners: (right.mean(), right.mean()), "with replacement"),
    ("sure.bootstrap", lambda right, owners: 100 * resampled(right, owners), "between 0 and 1"),
    ("sure.bootstrap", lambda right, owners: (0.2, 0.9), "wanted near"),
    ("sure.bootstrap", lambda right, owners: right.mean(), "2 numbers"),
    ("sure.mcnemar", lambda a, b: mcnemar(a, b, sides=1), "one side"),
    ("sure.mcnemar", mcnemar_up_to_b, "smaller of the two"),
    ("sure.mcnemar", mcnemar_above_one, "no probability is above 1"),
    ("sure.mcnemar", mcnemar_one_term, "exactly 4 heads"),
    ("sure.mcnemar", lambda a, b: 0.0139, "chi-square"),
    ("sure.mcnemar", lambda a, b: 0.5, "on whom the models part"),
    ("sure.mcnemar", 0.012, "a function"),
    ("sure.holm", [0.016, 0.104, 0.080, 0.800], "Bonferroni"),
    ("sure.holm", [0.016, 0.052, 0.060, 0.200], "must not fall below"),
    ("sure.holm", [0.016, 0.078, 0.040, 0.200], "Sort first"),
    ("sure.holm", [0.016, 0.03467, 0.03467, 0.200], "Benjamini"),
    ("sure.holm", [0.004, 0.026, 0.020, 0.200], "raw p values"),
    ("sure.holm", [1, 1, 1, 1], "order of the question"),
    ("sure.holm", 0.016, "4 numbers"),
    ("sure.ece", 0.25 / 3, "plain mean"),
    ("sure.ece", 0.07, "without its sign"),
    ("sure.ece", 0.25, "sum of the gaps"),
    ("sure.ece", 10, "a fraction"),
    ("sure.ece", 0.5, "weights 100, 60 and 40"),
    ("sure.threshold", 1 / 9, "odds"),
    ("sure.threshold", 0.9, "fears the miss"),
    ("sure.threshold", 0.5, "equally bad"),
    ("sure.threshold", 10, "not a percentage"),
    ("sure.threshold", 9, "ratio"),
    ("sure.threshold", 0.3, "(1 - t) / t = 9"),
    ("sure.recall", [3, 4, 6, 9, 12], "Four patients allow"),
    ("sure.recall", [], "two decimals"),
    ("sure.recall", [3], "6 is missing"),
    ("sure.recall", [3, 6, 9, 10, 12], "7/10 = 0.7000"),
    ("sure.recall", [3, 6, 9, 12, 15], "15 is not a whole number"),
    ("sure.recall", 3, "a list"),
    ("sure.quiz", {"1": "a", "2": "c", "3": "b", "4": "c", "5": "b"}, "Question 1: the truth stands still"),
    ("sure.quiz", {"1": "b", "2": "a", "3": "b", "4": "c", "5": "c"}, "Question 5: looking again"),
]
