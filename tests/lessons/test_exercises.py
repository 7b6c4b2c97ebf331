"""Each check accepts the right answer, refuses the typical wrong ones, and says what they would mean."""

from math import comb, exp, sqrt

import numpy as np
import pytest
from helpers import ROOT

from lumbar_utils.teaching.checks import cnn, involution, spine, splits, sure
from lumbar_utils.teaching.exercises import judge


def wilson(k, n, z=1.96):
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * sqrt(k * (n - k) / n + z**2 / 4)
    return centre - half, centre + half


def wald(k, n):
    half = 1.96 * sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


def around_the_share(k, n):
    low, high = wilson(k, n)
    return k / n - (high - low) / 2, k / n + (high - low) / 2


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
    ("splits.majority", 8 / 19),
    ("splits.lonely", 0.2**5),
    ("splits.shared", lambda train, test: set(train) & set(test)),
    ("splits.shared", lambda train, test: sorted({one for one in train if one in test})),
    ("splits.wilson", wilson),
    ("splits.needed", 35),
    ("splits.needed", 36),
    ("splits.selection", (0.74, 0.51)),
    ("splits.quiz", {"1": "b", "2": "C", "3": "a"}),
    ("cnn.receptive", 11),
    ("cnn.colour", 246_644),
    ("cnn.weight", 19 / 12),
    ("cnn.pointing", (0.06, 0.002)),
    ("cnn.quiz", {"1": "a", "2": "b", "3": "c"}),
    ("spine.level", "L2-L3"),
    ("spine.level", "l2/3"),
    ("spine.signal", lambda t1, t2, density, tr, te: density * (1 - exp(-tr / t1)) * exp(-te / t2)),
    ("spine.order", ["fat", "marrow", "nucleus", "CSF"]),
    ("spine.echo", 195),
    ("spine.slices", (0.17, 0.0)),
    ("spine.pain", 114 / 378),
    ("spine.quiz", {"1": "c", "2": "b", "3": "a", "4": "b"}),
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
    ("involution.parameters", 17_160),
    ("involution.cost", 15),
    ("involution.order", [0, 2, 4, 6, 1, 3, 5, 7]),
    ("involution.order", np.array([6, 4, 2, 0, 1, 3, 5, 7])),
    ("involution.port", lambda w1, bias, groups: (np.repeat(w1, groups, axis=1), np.repeat(bias, groups))),
    ("involution.quiz", {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"}),
]
WRONG = [
    ("splits.majority", 0.25, "guessing among four"),
    ("splits.majority", 8, "over all 19"),
    ("splits.majority", 42.1, "percentage"),
    ("splits.majority", "8/19", "one number"),
    ("splits.majority", 0.9, "count the pictures"),
    ("splits.lonely", 0.2**6, "five others"),
    ("splits.lonely", 0.8**5, "all five others"),
    ("splits.lonely", 1 - 0.2**5, "opposite"),
    ("splits.lonely", 0.2, "there are five"),
    ("splits.shared", lambda train, test: set(train) | set(test), "union"),
    ("splits.shared", lambda train, test: set(train) - set(test), "one side only"),
    ("splits.shared", lambda train, test: 3, "as a set or a list"),
    ("splits.shared", {"P1"}, "a function"),
    ("splits.shared", lambda train, test: train.nothing, "AttributeError"),
    ("splits.wilson", wald, "Wald"),
    ("splits.wilson", lambda k, n: wilson(k, n, 1.645), "90 %"),
    ("splits.wilson", around_the_share, "centred on k/n"),
    ("splits.wilson", lambda k, n: wilson(k, n)[::-1], "upper one comes first"),
    ("splits.wilson", lambda k, n: [100 * limit for limit in wilson(k, n)], "not percent"),
    ("splits.wilson", lambda k, n: k / n, "2 numbers"),
    ("splits.wilson", lambda k, n: 1 / 0, "ZeroDivisionError"),
    ("splits.needed", 34, "Round up"),
    ("splits.needed", 73, "0.95"),
    ("splits.needed", -3, "above 0"),
    ("splits.needed", 20, "0.839"),
    ("splits.selection", (0.5, 0.74), "order"),
    ("splits.selection", (0.74, 0.74), "saw the same data"),
    ("splits.selection", (0.98, 0.90), "still leaks"),
    ("splits.selection", (0.55, 0.5), "Fit SelectKBest on all"),
    ("splits.selection", (74, 50), "between 0 and 1"),
    ("splits.quiz", {"1": "a", "2": "c", "3": "a"}, "Question 1: copies"),
    ("splits.quiz", {"1": "b", "2": "x", "3": "a"}, "not one of a, b, c"),
    ("splits.quiz", "bca", "keys 1, 2, 3"),
    ("cnn.receptive", 15, "side by side"),
    ("cnn.receptive", 10, "in the middle"),
    ("cnn.receptive", 54, "with pooling"),
    ("cnn.receptive", 121, "area"),
    ("cnn.colour", 3 * 246_356, "three times everything"),
    ("cnn.colour", 246_356 + 432, "144"),
    ("cnn.colour", 432, "whole network"),
    ("cnn.colour", 246_356, "grey network"),
    ("cnn.weight", 19 / 3, "number of classes"),
    ("cnn.weight", 3 / 19, "larger weight"),
    ("cnn.weight", 19 / 32, "Spinal Stenosis"),
    ("cnn.weight", 12 / 19, "turned the fraction over"),
    ("cnn.pointing", (0.002, 0.06), "order"),
    ("cnn.pointing", (0.4, 0.1), "far smaller"),
    ("cnn.pointing", (0.002, 0.002), "Both are the same"),
    ("cnn.pointing", (0.1, 0.0), "without a single pixel"),
    ("cnn.pointing", (3, 0.1), "between 0 and 1"),
    ("cnn.quiz", {"1": "a", "2": "c", "3": "c"}, "Question 2: then nobody"),
    ("spine.level", "L3-L4", "one too low"),
    ("spine.level", "L1-L2", "S1-S2"),
    ("spine.level", "L3-L2", "upper vertebra comes first"),
    ("spine.level", "L4-L5", "from the top"),
    ("spine.level", 3, "in quotes"),
    ("spine.signal", lambda t1, t2, pd, tr, te: pd * (1 - exp(-te / t1)) * exp(-tr / t2), "changed places"),
    ("spine.signal", lambda t1, t2, pd, tr, te: (1 - exp(-tr / t1)) * exp(-te / t2), "proton density"),
    ("spine.signal", lambda t1, t2, pd, tr, te: pd * exp(-tr / t1) * exp(-te / t2), "1 minus that"),
    (
        "spine.signal",
        lambda t1, t2, pd, tr, te: pd * (1 - exp(-tr / t1)) * (1 - exp(-te / t2)),
        "grows with TE",
    ),
    ("spine.signal", lambda t1, t2, pd, tr, te: pd * (1 - exp(-tr / t1)), "recovery alone"),
    ("spine.signal", lambda t1, t2, pd, tr, te: pd * (1 - exp(tr / t1)) * exp(-te / t2), "signs"),
    ("spine.signal", lambda t1, t2, pd, tr, te: pd / 2, "36.985"),
    ("spine.order", ["CSF", "nucleus", "marrow", "fat"], "other way round"),
    ("spine.order", ["CSF", "nucleus", "fat", "marrow"], "order on T2"),
    ("spine.order", ["CSF", "fat", "marrow", "nucleus"], "4.3 s"),
    ("spine.order", ["fat", "CSF", "marrow", "nucleus"], "comes last"),
    ("spine.order", ["marrow", "fat", "nucleus", "CSF"], "Sort by T1"),
    ("spine.order", ["fat", "CSF"], "once"),
    ("spine.order", "fat", "a list"),
    ("spine.echo", 38, "position in the array"),
    ("spine.echo", 400, "difference"),
    ("spine.echo", 250, "TR 550"),
    ("spine.echo", 325, "against the nucleus"),
    ("spine.echo", 5, "almost equally bright"),
    ("spine.echo", 100, "most clinics"),
    ("spine.echo", 60, "np.argmax"),
    ("spine.slices", (0.0, 0.17), "cannot hide more"),
    ("spine.slices", (0.83, 0.8), "shown well"),
    ("spine.slices", (0, 0), "area of 0"),
    ("spine.slices", (0.17, 0.17), "Both are the same"),
    ("spine.slices", (17, 0), "between 0 and 1"),
    ("spine.pain", 0.57, "turns it round"),
    ("spine.pain", 0.114, "all 1000"),
    ("spine.pain", 0.2, "before anybody"),
    ("spine.pain", 264 / 378, "the other part"),
    ("spine.pain", 0.57 / 0.9, "200 against 800"),
    ("spine.pain", 30, "between 0 and 1"),
    ("spine.pain", 0.9, "does not fit"),
    ("spine.quiz", {"1": "a", "2": "b", "3": "a", "4": "b"}, "Question 1: four in five"),
    ("spine.quiz", {"1": "c", "2": "a", "3": "c", "4": "b"}, "Question 3: a herniation"),
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
    ("involution.parameters", 17_096, "two running numbers"),
    ("involution.parameters", 17_032, "lacks batch normalisation"),
    ("involution.parameters", 16_768, "biases of the span"),
    ("involution.parameters", 5_841, "8 groups"),
    ("involution.parameters", 17_544, "32 are left"),
    ("involution.parameters", 50_568, "narrows them to 32"),
    ("involution.parameters", 802_816, "a convolution"),
    ("involution.parameters", 211_200, "Sixteen maps share"),
    ("involution.parameters", 1, "does not fit"),
    ("involution.cost", 16, "K is odd"),
    ("involution.cost", 17, "just above"),
    ("involution.cost", 23, "made as well"),
    ("involution.cost", 13, "the largest"),
    ("involution.cost", 25, "far more"),
    ("involution.cost", 0, "does not fit"),
    ("involution.order", list(range(8)), "where they are"),
    ("involution.order", [0, 4, 1, 5, 2, 6, 3, 7], "the way back"),
    ("involution.order", [1, 3, 5, 7, 0, 2, 4, 6], "wrong order"),
    ("involution.order", [0, 1, 4, 5, 2, 3, 6, 7], "k mod 2"),
    ("involution.order", [0, 0, 2, 2, 4, 4, 6, 6], "appear once"),
    ("involution.order", [0, 2, 4, 6], "8 numbers"),
    (
        "involution.port",
        lambda w1, bias, groups: (np.tile(w1, groups), np.tile(bias, groups)),
        "one after the other",
    ),
    (
        "involution.port",
        lambda w1, bias, groups: (np.repeat(w1 / groups, groups, axis=1), np.repeat(bias / groups, groups)),
        "not the weights",
    ),
    ("involution.port", lambda w1, bias, groups: (np.repeat(w1, groups, axis=1), bias), "has not"),
    (
        "involution.port",
        lambda w1, bias, groups: (np.repeat(w1, groups, axis=1), np.tile(bias, groups)),
        "the bias has to be repeated",
    ),
    ("involution.port", lambda w1, bias, groups: (np.repeat(w1, groups, axis=0), bias), "wanted (3, 36)"),
    ("involution.port", lambda w1, bias, groups: (np.zeros((3, 36)), np.zeros(36)), "offset n of group g"),
    ("involution.port", lambda w1, bias, groups: w1, "two arrays"),
    ("involution.port", 4, "a function"),
    (
        "involution.quiz",
        {"1": "a", "2": "c", "3": "a", "4": "b", "5": "c"},
        "Question 1: no kernel is stored",
    ),
    ("involution.quiz", {"1": "b", "2": "b", "3": "a", "4": "b", "5": "a"}, "Question 5: before training"),
]
ALL = [
    f"{room.__name__.rpartition('.')[2]}.{name}"
    for room in (spine, splits, cnn, sure, involution)
    for name in room.EXERCISES
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_a_right_answer_is_right(exercise, answer):
    assert judge(exercise, answer).state == "right"


@pytest.mark.parametrize(("exercise", "answer", "reason"), WRONG)
def test_a_wrong_answer_is_told_why(exercise, answer, reason):
    verdict = judge(exercise, answer)
    assert verdict.state == "wrong"
    assert reason in verdict.message


@pytest.mark.parametrize("exercise", ALL)
def test_dots_are_not_answered_yet(exercise):
    assert judge(exercise, ...).state == "open"


def test_a_function_whose_body_is_dots_and_half_a_quiz_are_not_answered_yet():
    def untouched(*arguments): ...

    assert judge("splits.wilson", untouched).state == "open"
    assert judge("splits.shared", untouched).state == "open"
    assert judge("splits.quiz", {"1": "b", "2": ..., "3": ...}).state == "open"
    assert judge("splits.selection", (0.7, ...)).state == "open"


def test_every_exercise_has_a_right_and_a_wrong_answer_here_and_stands_in_a_lesson():
    assert {exercise for exercise, _ in RIGHT} == set(ALL)
    assert {exercise for exercise, _, _ in WRONG} == set(ALL)
    lessons = "".join(path.read_text("utf-8") for path in (ROOT / "lessons").glob("[0-9][0-9]_*.py"))
    assert [exercise for exercise in ALL if f'check("{exercise}"' not in lessons] == []
