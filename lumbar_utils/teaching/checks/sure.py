"""Exercises of lesson 16, intervals, paired tests, calibration and thresholds."""

from __future__ import annotations

from math import comb

import numpy as np

from lumbar_utils.teaching.exercises import (
    Exercise,
    Verdict,
    WrongKind,
    letters,
    near,
    number,
    numbers,
    result_of,
    right,
    wrong,
)


def judge_eight(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 0.95**8):
        return right(
            "0.95⁸ = 0.66: in one paper of three, at least one of eight honest intervals misses. A promise about one "
            "interval is no promise about eight."
        )
    if near(value, 0.95):
        return wrong("0.95 is the promise of one interval; here eight have to hold at once.")
    if near(value, 1 - 0.95**8):
        return wrong("That is the opposite event, that at least one of the eight misses.")
    if near(value, 0.6):
        return wrong(
            "1 - 8 · 0.05 adds up the misses and counts those cases twice in which two intervals miss. Multiply what "
            "holds instead."
        )
    if near(value, 0.05**8):
        return wrong("0.05⁸ is the chance that all eight miss.")
    if near(value, 95**8 / 1e14, 0.5):
        return wrong("That is a percentage; give the fraction between 0 and 1.")
    return wrong(f"{value:.3g} does not fit: each holds with chance 0.95, and the test sets are independent.")


def judge_bootstrap(answer: object) -> Verdict:
    is_right, owners = _slices()
    low, high = numbers(result_of(answer, is_right, owners), 2)
    if low > high:
        return wrong("The upper limit comes first; return (low, high).")
    if high > 1 or low < 0:
        return wrong("The limits are shares between 0 and 1.")
    if high - low < 1e-9:
        return wrong(
            f"Both limits are {low:.3f}: every resample is the same. Draw with replacement: rng.integers gives some "
            "patients twice and others not at all."
        )
    known = _bootstraps(is_right, owners)
    name = min(known, key=lambda one: abs(known[one][0] - low) + abs(known[one][1] - high))
    off = max(abs(known[name][0] - low), abs(known[name][1] - high))
    wanted = "[{:.2f}, {:.2f}]".format(*known["patients"])
    if off > 0.03:
        return wrong(
            f"On a test set of {len(set(owners))} patients your limits are [{low:.2f}, {high:.2f}], wanted near "
            f"{wanted}: draw as many patients as there are, sum their right answers and their pictures, divide, and "
            "take the 2.5 % and 97.5 % quantiles."
        )
    if name == "patients":
        return right(
            f"{wanted} for {len(is_right)} pictures of {len(set(owners))} patients; drawing pictures would have "
            "promised [{:.2f}, {:.2f}].".format(*known["pictures"])
        )
    return wrong(
        {
            "pictures": "Too narrow: you drew single pictures. Draw patients, and take all pictures of each.",
            "90 %": "These are the 5 % and 95 % quantiles, a 90 % interval. For 95 %, cut off 2.5 % at each end.",
            "mean of patients": (
                "You took the mean of the patients' own accuracies, so a patient with three pictures counts as "
                "much as one with ten. A fair question, but the accuracy asked for is right pictures over all pictures."
            ),
        }[name]
    )


def _slices() -> tuple[np.ndarray, np.ndarray]:
    """Return right answers and owners of 236 pictures: patients with many pictures do worse."""
    rng = np.random.default_rng(5)
    n_slices = np.array([3] * 32 + [10] * 14)
    chance = np.where(rng.random(46) < np.where(n_slices == 3, 0.9, 0.5), 0.97, 0.05)
    owners = np.repeat([f"P{i:02d}" for i in range(46)], n_slices)
    return rng.random(len(owners)) < np.repeat(chance, n_slices), owners


def _bootstraps(is_right: np.ndarray, owners: np.ndarray) -> dict[str, np.ndarray]:
    """Return the limits that the right recipe and three usual mistakes give."""
    rng = np.random.default_rng(0)
    patient = np.unique(owners, return_inverse=True)[1]
    hits, pictures = np.bincount(patient, weights=is_right), np.bincount(patient)
    drawn = rng.integers(len(hits), size=(4000, len(hits)))
    by_patient = hits[drawn].sum(axis=1) / pictures[drawn].sum(axis=1)
    by_picture = is_right[rng.integers(len(is_right), size=(4000, len(is_right)))].mean(axis=1)
    return {
        "patients": np.quantile(by_patient, [0.025, 0.975]),
        "90 %": np.quantile(by_patient, [0.05, 0.95]),
        "pictures": np.quantile(by_picture, [0.025, 0.975]),
        "mean of patients": np.quantile((hits / pictures)[drawn].mean(axis=1), [0.025, 0.975]),
    }


def judge_mcnemar(answer: object) -> Verdict:
    six, sixteen, turned = (number(result_of(answer, *counts)) for counts in ((6, 0), (16, 4), (4, 16)))
    tie, none = number(result_of(answer, 3, 3)), number(result_of(answer, 0, 0))
    tail = sum(comb(20, k) for k in range(5)) / 2**20
    if near(sixteen, tail, 1e-5):
        return wrong(
            "For 16 : 4 you return 0.006, one side of the coin only. 4 : 16 would have surprised us as much: double it."
        )
    if near(sixteen, 2 * comb(20, 4) / 2**20, 1e-5):
        return wrong(
            "For 16 : 4 you count exactly 4 heads. 3, 2, 1 and 0 heads are more surprising still: add them."
        )
    if near(sixteen, 0.00729, 1e-4) or near(sixteen, 0.01390, 1e-4):
        return wrong(
            f"{sixteen:.4f} is the chi-square approximation of McNemar's test. With few patients count coins instead."
        )
    if near(sixteen, 2 * tail, 1e-5) and not near(turned, sixteen, 1e-9):
        return wrong(
            f"16 : 4 gives {sixteen:.3f} and 4 : 16 gives {turned:.3f}. Count up to the smaller of the two numbers."
        )
    if not near(sixteen, 2 * tail, 1e-5) or not near(six, 2 / 64, 1e-6):
        return wrong(
            f"For 16 : 4 you return {sixteen:.4g}, wanted {2 * tail:.4f}; for 6 : 0 {six:.4g}, wanted {2 / 64:.4f}. "
            "The coins number only_a + only_b, the patients on whom the models part."
        )
    if tie > 1 or none > 1:
        return wrong(
            f"At {'3 : 3' if tie > 1 else '0 : 0'} you return {max(tie, none):.2f}, and no probability is above 1: "
            "both tails together hold everything, and the middle twice. min(1, …) helps."
        )
    return right(
        "And 6 : 0 gives 0.031, 5 : 0 gives 0.063: it takes six patients, all on one side, before this test says "
        "anything. Remember the six when we come to the paper."
    )


def judge_holm(answer: object) -> Verdict:
    values = numbers(answer, 4)
    same = lambda wanted: all(near(a, b, 5e-4) for a, b in zip(values, wanted, strict=True))
    if same((0.016, 0.060, 0.060, 0.200)):
        return right(
            "Three of the four were below 0.05 before, one is left. The third would be 0.052 by itself; it may not "
            "overtake the one before it."
        )
    if same((0.016, 0.104, 0.080, 0.800)):
        return wrong(
            "You multiplied all by 4, which is Bonferroni's correction: valid too, but stricter than need be."
        )
    if same((0.016, 0.052, 0.060, 0.200)):
        return wrong(
            "Nearly: 0.026 comes after 0.020 in the sorted row, so its corrected value must not fall below that one's "
            "0.060."
        )
    if same((0.016, 0.078, 0.040, 0.200)):
        return wrong(
            "You multiplied by 4, 3, 2, 1 in the order given. Sort first; the factor belongs to the rank."
        )
    if same((0.016, 0.026 * 4 / 3, 0.026 * 4 / 3, 0.200)):
        return wrong(
            "That is the correction of Benjamini and Hochberg. It limits the share of false findings, Holm the chance "
            "of any."
        )
    if same((0.004, 0.026, 0.020, 0.200)):
        return wrong("These are the raw p values. The smallest is multiplied by 4 to begin with.")
    return wrong(
        "Sort: 0.004, 0.020, 0.026, 0.200. Multiply by 4, 3, 2 and 1, let none fall below the one before it, and put "
        "them back into the order of the question."
    )


def judge_ece(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 0.10):
        return right(
            "0.10, and three quarters of it come from the surest answers: 0.95 claimed, 0.80 kept. That is the usual "
            "face of a network trained for long."
        )
    if near(value, 0.25 / 3):
        return wrong(
            "0.083 is the plain mean of three gaps. A bin with 100 patients weighs more than one with 40."
        )
    if near(value, 0.07):
        return wrong(
            "0.07 lets the modest bin (0.70 claimed, 0.75 right) pay for the bold ones. Take each gap without its sign."
        )
    if near(value, 0.25):
        return wrong("0.25 is the sum of the gaps; weigh each by its share of the patients.")
    if near(value, 10, 0.1) or near(value, 20, 0.1):
        return wrong(
            "Give a fraction: the gap of each bin times its patients, summed, over all 200 patients."
        )
    return wrong(
        f"{value:.3g} does not fit: the gaps are 0.15, 0.05 and 0.05, their weights 100, 60 and 40 of 200."
    )


def judge_threshold(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 0.1):
        return right(
            "From 10 % on. The threshold says nothing about the model; it says what she fears. Somebody who "
            "fears needless referrals more has another one."
        )
    if near(value, 1 / 9):
        return wrong(
            "1/9 are the odds. Odds of 1 to 9 are a probability of 1 in 10: solve (1 - t) / t = 9 for t."
        )
    if near(value, 0.9) or near(value, 8 / 9):
        return wrong(
            "She would act only when nearly certain. That is for someone who fears the needless referral nine times as "
            "much; she fears the miss."
        )
    if near(value, 0.5):
        return wrong("0.5 is for someone to whom a miss and a needless referral are equally bad.")
    if near(value, 10, 1e-6):
        return wrong("Give a probability between 0 and 1, not a percentage.")
    if near(value, 9, 1e-6):
        return wrong("9 is the ratio of the two costs; solve (1 - t) / t = 9 for t.")
    return wrong(f"{value:.3g} does not fit: at the threshold, (1 - t) / t = 9.")


def judge_recall(answer: object) -> Verdict:
    if isinstance(answer, str) or not hasattr(answer, "__iter__"):
        raise WrongKind(f"The answer is a list of whole numbers; yours is {answer!r}.")
    given = {number(one) for one in answer}
    prints = lambda n: any(f"{k / n:.2f}" == "0.67" for k in range(n + 1))
    wanted = {n for n in range(1, 13) if prints(n)}
    if given == wanted:
        return right(
            "3, 6, 9 and 12, and the paper's 4 is not among them. Either MobileNet was tested on other pictures than "
            "the hybrid, whose table gives the 4, or 0.67 is a misprint. The only reported support that fits is that "
            "of Spondylosis, 3. No picture was needed to see this."
        )
    if not given:
        return wrong(
            "No fraction k/n equals 0.67 exactly, true. But 0.67 was printed with two decimals: 2/3 = 0.6667 does."
        )
    if 4 in given:
        return wrong("Four patients allow 0.00, 0.25, 0.50, 0.75 and 1.00; none of these prints as 0.67.")
    if outside := sorted(n for n in given if n != int(n) or not 1 <= n <= 12):
        return wrong(f"{outside[0]:g} is not a whole number from 1 to 12.")
    if extra := sorted(given - wanted):
        n = int(extra[0])
        nearest = min(range(n + 1), key=lambda k: abs(k / n - 0.67))
        return wrong(
            f"With {n} patients the nearest recall is {nearest}/{n} = {nearest / n:.4f}, which prints as "
            f"{nearest / n:.2f}."
        )
    missing = min(wanted - given)
    return wrong(
        f"All of these fit, and {missing} is missing: {2 * missing // 3}/{missing} = {2 / 3:.4f}. Try every n from 1 "
        "to 12 with every k."
    )


QUIZ = letters(
    {"1": "b", "2": "c", "3": "b", "4": "c", "5": "b"},
    {
        "1": {
            "a": "the truth stands still and the intervals move; this one holds it or does not, and nobody tells you.",
            "c": "an interval of an accuracy says nothing about single patients.",
        },
        "2": {
            "a": "16 : 4 in section 6 had overlapping intervals and p = 0.012.",
            "b": "the same patients stand in both, so the question is how often the two part, and to whose side.",
        },
        "3": {
            "a": "softmax makes numbers that sum to 1; whether they are kept is a question to patients.",
            "c": "a network can be bold; the bold model of section 8 was sure and wrong.",
        },
        "4": {
            "a": "on 50 patients a perfectly calibrated model shows about as much (section 8).",
            "b": "small compared with what? Its floor depends on the number of patients.",
        },
        "5": {
            "a": "ten models make 45 pairs; among equals about two of them fall below 0.05 by luck.",
            "c": "looking again until it is clear is one more way to find what is not there.",
        },
    },
    "You would be a reviewer that authors fear and readers love.",
)

EXERCISES = {
    "eight": Exercise(
        judge_eight,
        (
            "One holds with chance 0.95. Two independent ones hold together with chance 0.95 · 0.95.",
            "Eight of them: 0.95 to the power of 8.",
        ),
    ),
    "bootstrap": Exercise(
        judge_bootstrap,
        (
            "First make two arrays with one entry a patient: right answers, and pictures.",
            "drawn = rng.integers(n_patients, size=(2000, n_patients)), as in the text.",
            "right_of[drawn].sum(axis=1) / pictures_of[drawn].sum(axis=1) are the 2000 accuracies; then np.quantile.",
        ),
    ),
    "mcnemar": Exercise(
        judge_mcnemar,
        (
            "Replace the 20 of the text by only_a + only_b, and the 4 by the smaller of the two.",
            "few = sum(comb(apart, k) for k in range(min(only_a, only_b) + 1)); double it, divide by 2**apart.",
            "At 3 : 3 this gives 1.31; return min(1.0, …).",
        ),
    ),
    "holm": Exercise(
        judge_holm,
        (
            "Sorted: 0.004, 0.020, 0.026, 0.200. The factors are 4, 3, 2, 1.",
            "That gives 0.016, 0.060, 0.052, 0.200. One of them is smaller than the one before it.",
        ),
    ),
    "ece": Exercise(
        judge_ece,
        (
            "What is the gap between claim and truth in each group? The first is 0.95 - 80/100.",
            "The gaps are 0.15, 0.05 and 0.05, without signs. Weigh them with 100, 60 and 40.",
        ),
    ),
    "threshold": Exercise(
        judge_threshold,
        (
            "At the threshold a miss and the needless referrals weigh the same: (1 - t) / t = 9.",
            "1 - t = 9 t, so 1 = 10 t.",
        ),
    ),
    "recall": Exercise(
        judge_recall,
        (
            "With three patients the recalls are 0/3, 1/3, 2/3 and 3/3. How are they printed?",
            'f"{k / n:.2f}" prints with two decimals; compare it with "0.67" for every k from 0 to n.',
        ),
    ),
    "quiz": Exercise(QUIZ, ("Each question has one right letter; sections 3, 6, 8 and 7 hold the answers.",)),
}
