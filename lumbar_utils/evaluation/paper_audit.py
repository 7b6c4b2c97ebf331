"""The paper's numbers held against arithmetic: which can be true together, and what 19 pictures can prove."""

from __future__ import annotations

from itertools import combinations, product
from typing import NamedTuple

import numpy as np

from lumbar_utils.dataset import PAPER4
from lumbar_utils.evaluation import metrics
from lumbar_utils.evaluation.auc import hanley_mcneil_se
from lumbar_utils.evaluation.comparison import mcnemar_p_value
from lumbar_utils.evaluation.intervals import binomial_tail, clopper_pearson, wilson
from lumbar_utils.evaluation.pairs import holm
from lumbar_utils.evaluation.paper import (
    ALGORITHMS_ANNOUNCED,
    N_TEST,
    REPORTED,
    SUPPORT,
    TEST_SHARE,
    ReportedModel,
)

_ROUNDING = 0.005 + 1e-9  # a value printed with two decimals


class Finding(NamedTuple):
    """What the paper reports, what follows from it, and how: computed from its numbers, or read in its text."""

    reported: str
    finding: str
    how: str = "computed"


def counts_printed_as(printed: float, n: int) -> list[int]:
    """Return every k for which k / n, rounded to two decimals, is what was printed."""
    return [k for k in range(n + 1) if abs(k / n - printed) <= _ROUNDING]


def possible_confusions(model: ReportedModel) -> np.ndarray:
    """Return every confusion matrix (M, 4, 4) that agrees with all that the paper prints about a tested model.

    All ways to spread each class's pictures over the four answers are tried, so M = 0 means that the printed
    numbers contradict each other or the support of the table.
    """
    rows = []
    for name, n in SUPPORT.items():
        spread = np.array(
            [r for r in product(range(n + 1), repeat=len(PAPER4)) if sum(r) == n], dtype=np.int8
        )
        own = PAPER4.index(name)
        kept = np.ones(len(spread), dtype=bool)
        if (name, "recall") in model.scores:
            kept &= np.abs(spread[:, own] / n - model.scores[name, "recall"]) <= _ROUNDING
        for (true, taken), pictures in model.mistakes.items():
            if true == name:
                kept &= spread[:, PAPER4.index(taken)] == pictures
        rows.append(spread[kept])
    right = sum(np.ix_(*(row[:, k].astype(int) for k, row in enumerate(rows))))
    chosen = np.nonzero(np.isin(right, counts_printed_as(model.accuracy, N_TEST)))
    confusions = np.stack([row[index] for row, index in zip(rows, chosen, strict=True)], axis=1)
    found = dict(
        zip(("precision", "recall", "f1"), metrics.precision_recall_f1(confusions.astype(int)), strict=True)
    )
    agrees = np.ones(len(confusions), dtype=bool)
    for (name, score), printed in model.scores.items():
        value = np.nan_to_num(found[score][:, PAPER4.index(name)])  # 0 / 0 is printed as 0.00
        agrees &= np.abs(value - printed) <= _ROUNDING
    return confusions[agrees].astype(int)


def pictures_right() -> dict[str, int]:
    """Return the models with an accuracy on the test set and how many of its pictures they got right."""
    return {
        model.name: counts_printed_as(model.accuracy, N_TEST)[0]
        for model in REPORTED
        if model.measured_on == "test"
    }


def retested() -> list[dict]:
    """Return for each pair of tested models what McNemar's exact test could give at best, and that after Holm.

    Against a model without mistakes the counts are known; between two others only their difference is, and the
    p value is smallest where all the better one's mistakes are also made by the other.
    """
    table = []
    for (first, a), (second, b) in combinations(
        sorted(pictures_right().items(), key=lambda item: -item[1]), 2
    ):
        table.append(
            {
                "first": first,
                "second": second,
                "difference": (a - b) / N_TEST,
                "apart": a - b,
                "p_value": mcnemar_p_value(a - b, 0),
                "known": "exact" if a == N_TEST else "at best",
            }
        )
    for row, corrected in zip(table, holm([row["p_value"] for row in table]), strict=True):
        row["p_holm"] = float(corrected)
    return table


def findings() -> tuple[Finding, ...]:
    """Return what does not fit together in the paper: what its numbers show, then what its text shows."""
    models = {model.name: model for model in REPORTED}
    return (
        *_what_19_pictures_prove(),
        _impossible_recall(models["MobileNet"]),
        _stenosis_of_the_cnn(models["CNN"]),
        _unexplained_errors(models["DenseNet"]),
        _fits(models["VGG16"]),
        _validation(models["VGG16-Involution"]),
        _tie(),
        _comparisons(),
        _missing(),
        *_READ,
    )


def _what_19_pictures_prove() -> tuple[Finding, ...]:
    low, exact = wilson(N_TEST, N_TEST)[0], clopper_pearson(N_TEST, N_TEST)[0]
    needed = next(n for n in range(1, 1000) if clopper_pearson(n, n)[0] >= 0.9)
    by_luck = binomial_tail(N_TEST, N_TEST, 0.9)
    some = binomial_tail(1, len(REPORTED), by_luck)
    perfect = sum(model.accuracy == 1 for model in REPORTED)
    largest = max(SUPPORT, key=SUPPORT.get)
    return (
        Finding(
            f"{_printed(1)} accuracy on {N_TEST} test pictures.",
            f"The true accuracy may be as low as {low:.3f} (Wilson) or {exact:.3f} (Clopper-Pearson); it takes "
            f"{needed} pictures without a mistake to show one above 0.90. Always answering {largest} reaches "
            f"{SUPPORT[largest]} of {N_TEST} = {SUPPORT[largest] / N_TEST:.2f}.",
        ),
        Finding(
            f"{len(REPORTED)} models, {perfect} of them without a mistake.",
            f"A model whose true accuracy is 0.90 gets all {N_TEST} right with probability {by_luck:.3f}, and some one "
            f"of {len(REPORTED)} independent such models with {some:.2f}.",
        ),
    )


def _impossible_recall(model: ReportedModel) -> Finding:
    name = "Herniated Disk"
    printed, n = model.scores[name, "recall"], SUPPORT[name]
    if hits := counts_printed_as(printed, n):
        return Finding(f"{model.name}: recall {printed:.2f} of {name}.", f"Possible: {hits[0]} of {n}.")
    others = [other for other, k in SUPPORT.items() if counts_printed_as(printed, k)]
    possible = ", ".join(f"{k / n:.2f}" for k in range(n + 1))
    return Finding(
        f"{model.name}: recall {printed:.2f} of {name}, whose support is {n}.",
        f"Impossible: {n} pictures allow {possible}. Of the table's supports only that of {' and '.join(others)} "
        f"allows {printed:.2f}: the models were not tested on the same pictures, or a number is a misprint.",
    )


def _stenosis_of_the_cnn(model: ReportedModel) -> Finding:
    name, (true, taken) = "Spinal Stenosis", next(iter(model.mistakes))
    n = SUPPORT[name]
    precision, f1 = n / (n + 1), 2 * n / (2 * n + 1)
    return Finding(
        f"{model.name}: one {true} taken for {taken}, and F1 {model.scores[name, 'f1']:.2f} of {name}.",
        f"Contradiction: with that false alarm its precision is at most {n}/{n + 1} = {precision:.2f} and its F1 at "
        f"most {f1:.2f}; {_number(model)} all that is printed.",
    )


def _unexplained_errors(model: ReportedModel) -> Finding:
    errors = N_TEST - counts_printed_as(model.accuracy, N_TEST)[0]
    ((true, taken), pictures) = next(iter(model.mistakes.items()))
    return Finding(
        f"{model.name}: {_printed(model.accuracy)} accuracy, every {true} taken for {taken}.",
        f"{model.accuracy:.2f} means {errors} mistakes, of which these are {pictures}; {errors - pictures} are not "
        f"mentioned; {_number(model)} all that is printed.",
    )


def _fits(model: ReportedModel) -> Finding:
    errors = N_TEST - counts_printed_as(model.accuracy, N_TEST)[0]
    return Finding(
        f"{model.name}: {_printed(model.accuracy)} accuracy, recall {model.scores['Herniated Disk', 'recall']:.2f} of "
        "Herniated Disk.",
        f"Consistent: {errors} mistakes, and {_number(model)} all that is printed.",
    )


def _validation(model: ReportedModel) -> Finding:
    matches = counts_printed_as(model.accuracy, N_TEST)
    nearest = ", ".join(f"{k}/{N_TEST} = {k / N_TEST:.4f}" for k in (N_TEST - 2, N_TEST - 1))
    rule = f"is {matches[0]} of {N_TEST}" if matches else f"is no multiple of 1/{N_TEST} ({nearest})"
    fitting = [
        f"{m.accuracy:.2f} = {counts_printed_as(m.accuracy, N_TEST)[0]}/{N_TEST}"
        for m in REPORTED
        if m.measured_on == "test" and m.accuracy < 1
    ]
    return Finding(
        f"{model.name}: {_printed(model.accuracy)} accuracy, on the validation set.",
        f"{model.accuracy:.2f} {rule}, so it was measured on other pictures, and those chose the model; it cannot be "
        f"ranked among the test accuracies, which all fit ({'; '.join(fitting)}).",
    )


def _tie() -> Finding:
    right = pictures_right()
    best = [name for name, k in right.items() if k == max(right.values())]
    return Finding(
        '"All other models were surpassed by the Hybrid CNN-SVM model."',
        f"{' and '.join(best)} tie at {max(right.values())} of {N_TEST}.",
    )


def _comparisons() -> Finding:
    pairs = retested()
    small = [row for row in pairs if row["p_value"] < 0.05]
    kept = [row for row in pairs if row["p_holm"] < 0.05]
    n_all = len(REPORTED) * (len(REPORTED) - 1) // 2
    needed = next(k for k in range(1, 30) if mcnemar_p_value(k, 0) < 0.05)
    found = "; ".join(f"{row['first']} against {row['second']} p = {row['p_value']:.3f}" for row in small)
    smallest = min(row["p_value"] for row in pairs)
    return Finding(
        "One model is better than another.",
        f"McNemar's exact test needs {needed} one-sided differences for p < 0.05. If all were tested on the same "
        f"{N_TEST} pictures, {len(small)} of {len(pairs)} pairs reach it at best ({found}), and {len(kept) or 'none'} "
        f"after Holm (smallest {min(row['p_holm'] for row in pairs):.2f}; over all {n_all} pairs of the "
        f"{len(REPORTED)} models {min(1.0, n_all * smallest):.2f}).",
    )


def _missing() -> Finding:
    without = [model.name for model in REPORTED if model.accuracy is None]
    error = hanley_mcneil_se(0.9, SUPPORT["Healthy"], N_TEST - SUPPORT["Healthy"])
    return Finding(
        f"{ALGORITHMS_ANNOUNCED} algorithms announced, a better AUC promised, {_printed(TEST_SHARE)} of a large "
        "dataset held out.",
        f"{len(REPORTED)} models have results, {' and '.join(without)} without a number. No AUC is given; one of 0.90 "
        f"for a class of {SUPPORT['Healthy']} among {N_TEST} would have a standard error of {error:.3f} "
        f"(Hanley-McNeil). As {_printed(TEST_SHARE)} of all pictures, {N_TEST} stand for about "
        f"{N_TEST / TEST_SHARE:.0f}.",
    )


def _number(model: ReportedModel) -> str:
    n = len(possible_confusions(model))
    return f"{n or 'no'} confusion {'matrix agrees' if n == 1 else 'matrices agree'} with"


def _printed(share: float) -> str:
    return f"{100 * share:.0f} %"


_READ = (
    Finding(
        "Pictures normalised to [0, 1] for every network.",
        "Published ImageNet weights expect other inputs: VGG16 and ResNet50 BGR less its means on 0 to 255, MobileNet "
        "[-1, 1], DenseNet [0, 1] less its means over its deviations. If such weights were used, this may explain part "
        "of the ranking, and it can be tested.",
        "read",
    ),
    Finding(
        "Horizontal flips as augmentation.",
        "On a sagittal slice a flip exchanges anterior and posterior, a view that does not occur.",
        "read",
    ),
    Finding(
        "Lumbar MRI and X-ray in the abstract, handcrafted features and PCA in the hybrid.",
        "The results name MRI only. Not given: which features, how many components, class counts, whether patients "
        "were kept apart, learning rate, batch size, where the involutions stand, scores of an ensemble. Validation by "
        "experts is named as future work.",
        "read",
    ),
    Finding(
        "[1] cited as Abuhayi et al., [4] as Rathi et al.",
        "The list has Hai et al. as [1] and Atalay et al. as [4]; Rathi is not in it, and entries on hydrocephalus and "
        "Alzheimer's disease are.",
        "read",
    ),
)
