"""Exercises of lesson 02, data, splits and leaks."""

from __future__ import annotations

from math import sqrt

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


def judge_majority(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 8 / 19):
        return right(
            "8 of 19, or 0.42: every accuracy on this test set starts there, not at 0.25. "
            "DenseNet's 0.68 in the paper is 13 of 19, five pictures more than a program that looks at none."
        )
    if near(value, 0.25):
        return wrong(
            "0.25 is what guessing among four classes gives. This program does not guess: it always gives the "
            "answer that the largest class wants."
        )
    if near(value, 8):
        return wrong("8 is how many it gets right; an accuracy is that number over all 19 pictures.")
    if near(value, 800 / 19, 0.5):
        return wrong("That is a percentage; give the fraction between 0 and 1, as scikit-learn does.")
    return wrong(
        f"{value:.3g} does not fit: count the pictures of the class it always names, then divide by all."
    )


def judge_lonely(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 0.2**5, 2e-5):
        return right(
            "0.2⁵ = 0.00032: of 100 such pictures you expect none whose patient is new. A split by picture "
            "hardly ever asks about a stranger."
        )
    if near(value, 0.2**6, 2e-5):
        return wrong(
            "0.2⁶ also draws the test picture itself. It is in the test part already; five others are left."
        )
    if near(value, 0.8**5):
        return wrong(
            "0.8⁵ is the chance that all five others are in the training part. You want the chance that none is."
        )
    if near(value, 1 - 0.2**5, 2e-5):
        return wrong(
            "That is the opposite event, that the training part holds at least one picture of this patient."
        )
    if near(value, 0.2):
        return wrong(
            "0.2 is the chance for one of the other pictures; there are five, and none may be in training."
        )
    return wrong(
        f"{value:.3g} does not fit: five pictures are left, and each lands outside training with chance 0.2."
    )


def judge_shared(answer: object) -> Verdict:
    try:
        found = set(result_of(answer, ["P1", "P1", "P2", "P3"], ["P3", "P4", "P3", "P1"]))
        nothing = set(result_of(answer, ["P1", "P2"], ["P3"]))
    except TypeError as problem:
        if "unhashable" in str(problem) or "iterable" in str(problem):
            raise WrongKind("The function returns the shared patients, as a set or a list.") from None
        raise
    if found == {"P1", "P3"} and nothing == set():
        return right("One line of code, and the first thing to run on any split that somebody hands you.")
    if found == {"P1", "P2", "P3", "P4"}:
        return wrong(
            "You returned everybody (a union). A leak is a patient who is on both sides (an intersection)."
        )
    if found in ({"P2"}, {"P2", "P4"}, {"P4"}):
        return wrong("You returned those who are on one side only. Those are the harmless ones.")
    if nothing:
        return wrong(
            "With P1 and P2 in training and P3 in the test nobody is shared, and yet you found somebody."
        )
    return wrong(
        f"For training P1, P1, P2, P3 and test P3, P4, P3, P1 you found {sorted(found)}; wanted P1 and P3."
    )


def wilson(k: float, n: float, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson score interval of k right answers out of n (Wilson 1927)."""
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * sqrt(k * (n - k) / n + z * z / 4)
    return centre - half, centre + half


def judge_wilson(answer: object) -> Verdict:
    full = numbers(result_of(answer, 19, 19), 2)
    some = numbers(result_of(answer, 13, 19), 2)
    if _pair_near(full, wilson(19, 19), 2e-3) and _pair_near(some, wilson(13, 19), 2e-3):
        return right(
            "19 of 19 says: the true accuracy is probably above 0.83. And 13 of 19 spans 0.46 to 0.85, "
            "nearly half of the scale."
        )
    if near(full[1] - full[0], 0):
        return wrong(
            "Your interval has no width at 19 of 19, as if nothing could go wrong in the 20th picture. That is the "
            "Wald interval, p ± z·sqrt(p(1-p)/n); it breaks exactly where a small study needs it."
        )
    if some[1] > 2:
        return wrong("Your limits are above 1: give fractions, not percent, and divide by n + z².")
    if _pair_near(some, wilson(13, 19, 1.644854), 2e-3):
        return wrong("That is a 90 % interval: z = 1.645 leaves 5 % on each side. For 95 % take z = 1.96.")
    if _pair_near(some, (13 / 19 - _half(13, 19), 13 / 19 + _half(13, 19)), 2e-3):
        return wrong(
            "Your interval is centred on k/n. Wilson's centre is (k + z²/2) / (n + z²), nearer to 1/2."
        )
    if near(some[0], wilson(13, 19)[1], 2e-3):
        return wrong("The two limits are there but the upper one comes first; return (low, high).")
    return wrong(
        f"For 13 of 19 you give {some[0]:.3f} to {some[1]:.3f}, wanted 0.460 to 0.846. "
        "Look at what stands under the root, and at the z² in both denominators."
    )


def _half(k: float, n: float) -> float:
    low, high = wilson(k, n)
    return (high - low) / 2


def _pair_near(pair, wanted, tolerance: float) -> bool:
    return all(near(a, b, tolerance) for a, b in zip(pair, wanted, strict=True))


def judge_needed(answer: object) -> Verdict:
    value = number(answer)
    if value == 35:
        return right(
            "n = 35. A perfect score on fewer patients cannot even promise nine right answers in ten."
        )
    if value == 36:
        return right(
            "36 is the answer of the Clopper–Pearson interval; Wilson's, used here, gives 35. Both will do."
        )
    if value == 34:
        return wrong("At n = 34 the lower limit is 34 / 37.84 = 0.898, just below 0.90. Round up, not down.")
    if value == 9:
        return wrong("9 is the nine in 0.90. Solve n / (n + 3.84) ≥ 0.90 for n.")
    if value == 73:
        return wrong("73 is what a lower limit of 0.95 needs.")
    if value <= 0:
        return wrong("n counts patients, so it is a whole number above 0.")
    lower = value / (value + 3.8415)
    return wrong(f"Put n = {value:g} into n / (n + 3.84): it gives {lower:.3f}, wanted just above 0.90.")


def judge_selection(answer: object) -> Verdict:
    leaky, honest = numbers(answer, 2)
    if not (0 <= leaky <= 1 and 0 <= honest <= 1):
        return wrong("Give two accuracies between 0 and 1: first the leaky one, then the honest one.")
    if honest > leaky:
        return wrong(
            "The honest one comes out above the leaky one; are the two in the order (leaky, honest)?"
        )
    if near(leaky, honest, 0.02):
        return wrong(
            "Both are the same, so both saw the same data. In the honest one the selection must stand inside the "
            "pipeline, where cross_val_predict fits it on the training patients alone."
        )
    if honest > 0.65:
        return wrong(
            f"The honest one reaches {honest:.2f} on labels that were drawn by a coin. Something still leaks: "
            "do the folds keep patients together (groups=owners, GroupKFold)?"
        )
    if leaky < 0.6:
        return wrong(
            f"The leaky one reaches only {leaky:.2f}. Fit SelectKBest on all the pictures and all the labels first, "
            "then cross-validate on the columns that it kept."
        )
    return right(
        f"{leaky:.2f} against {honest:.2f} on coin tosses, and every fold kept its patients together. A split "
        "protects only what stands inside it: scaling, selection, PCA and tuning belong there too."
    )


QUIZ = letters(
    {"1": "b", "2": "c", "3": "a"},
    {
        "1": {
            "a": "copies of a picture share its anatomy, so copies on both sides leak however they were turned.",
            "c": "a validation set steers the training, so a patient in it must not come back in the test set.",
        },
        "2": {
            "a": "a perfect score is the highest point estimate; it says nothing about how wide the doubt is.",
            "b": "an interval from 0.83 up cannot prove 0.95.",
        },
        "3": {
            "b": "slices of one patient agree with each other, so 600 slices carry far less than 600 patients would.",
            "c": "the number of classes has no part in the width; the number of independent patients has.",
        },
    },
    "You would make a good reviewer: who is in the test set, how many of them, and what was fitted on whom.",
)

EXERCISES = {
    "majority": Exercise(
        judge_majority,
        (
            "Which of the four classes is the largest in the test set, and how many pictures has it?",
            "The program is right on exactly those pictures: divide them by 4 + 4 + 8 + 3.",
        ),
    ),
    "lonely": Exercise(
        judge_lonely,
        (
            "Fix one test picture. Its patient has five other pictures. Where may they be?",
            "All five must be outside the training part; each is, with chance 0.2. Multiply.",
        ),
    ),
    "shared": Exercise(
        judge_shared,
        (
            "Python's set(...) turns a list with repeats into a set without.",
            "Two sets have an intersection: first & second.",
        ),
    ),
    "wilson": Exercise(
        judge_wilson,
        (
            "The centre is (k + z²/2) / (n + z²). Write it down first and test it: for 19 of 19 it is 0.916.",
            "The half width is z / (n + z²) · sqrt(k·(n - k)/n + z²/4).",
            "Return (centre - half, centre + half).",
        ),
    ),
    "needed": Exercise(
        judge_needed,
        (
            "With every picture right, k = n and Wilson's lower limit becomes n / (n + z²), where z² = 3.84.",
            "n / (n + 3.84) ≥ 0.90 means 0.10·n ≥ 0.90·3.84.",
        ),
    ),
    "selection": Exercise(
        judge_selection,
        (
            "Leaky: X_few = SelectKBest(k=100).fit_transform(X, y), then cross_val_predict on X_few.",
            "Honest: make_pipeline(SelectKBest(k=100), LogisticRegression()) on X; both with GroupKFold(5) and groups.",
        ),
    ),
    "quiz": Exercise(QUIZ, ("Each question has one right letter; the text above holds each answer.",)),
}
