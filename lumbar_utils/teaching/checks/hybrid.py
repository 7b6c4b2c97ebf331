"""Exercises of lesson 13, the CNN-SVM hybrid."""

from __future__ import annotations

from collections.abc import Mapping

from lumbar_utils.teaching.exercises import (
    Exercise,
    NotAnswered,
    Verdict,
    WrongKind,
    letters,
    near,
    number,
    right,
    wrong,
)

LEAST_CANDIDATES = 4
LEAKS = {"b", "c", "e"}
WHY_A_LEAK = {
    "b": "the scaler's means and spreads in b were computed with the test patients. It is a small leak, and it is one",
    "c": "the dense layer is gone in c, but the 245,840 parameters under it have seen the labels of every test fold",
    "e": "in e the test folds chose C, so they tested nothing any more. Choose in an inner fold",
}
WHY_NO_LEAK = {
    "a": "in a each picture is treated by itself, so none learns anything from another",
    "d": "d fits PCA on the training patients of the fold, which is how it should be",
    "f": "the patients of f come out of the fold's training part; that they were held out makes the sigmoids honest",
    "g": "the body of g learned from other people. Whether they share patients has to be asked, and here they do not",
}


def judge_street(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 0.4):
        return right(
            "‖w‖ is 5, and 2 / 5 = 0.4; b only shifts the street. Who makes w shorter makes the street wider."
        )
    if near(value, 0.2):
        return wrong("0.2 is the way from the boundary to one kerb; the street has two halves.")
    if near(value, 2 / 25):
        return wrong("You divided by ‖w‖² = 25. The length of w is the root of that.")
    if near(value, 2 / 7, 2e-3):
        return wrong("3 + 4 = 7 is not the length of w; that is √(3² + 4²).")
    if near(value, 5):
        return wrong("5 is the length of w. The street is 2 divided by it.")
    if near(value, 10):
        return wrong(
            "You multiplied by ‖w‖. A longer w makes decision values grow faster, so the kerbs come nearer."
        )
    if near(value, 2 / 29**0.5):
        return wrong("b = -2 went into the length. It shifts the street and does not widen it.")
    return wrong(f"{value:.3g} does not fit: the street is 2 / ‖w‖ wide, and ‖w‖ = √(3² + 4²).")


def judge_hinge(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 2.9):
        return right(
            "0 + 0.4 + 2.5. The first is content; the second is on the right side and pays for standing in the street; "
            "the third is wrong, and pays the most."
        )
    if near(value, 2.5):
        return wrong(
            "The second patient is on the right side, m = 0.6, but inside the street: 1 - 0.6 is due."
        )
    if near(value, 1.5):
        return wrong(
            "You counted what lies on the wrong side only, max(0, -m). The hinge begins at the kerb: 1 - m."
        )
    if near(value, 1.9):
        return wrong(
            "The first patient gave you 1 - 2 = -1. A loss is never below 0, so that patient pays nothing."
        )
    if near(value, 2.9 / 3, 2e-3):
        return wrong("That is the mean; the question asks for the sum.")
    if near(value, 1.6):
        return wrong(
            "You took the decision values as they are. Multiply each by its true side first: 2.0, 0.6, -1.5."
        )
    if near(value, 1.0) or near(value, 2.0):
        return wrong(f"{value:g} is a count of patients. The hinge loss says how far each is from its kerb.")
    if near(value, 2.266, 5e-3):
        return wrong("That is the sum of the cross-entropies log(1 + exp(-m)), what the neuron would pay.")
    return wrong(f"{value:.3g} does not fit: m is 2.0, 0.6 and -1.5; each pays max(0, 1 - m).")


def judge_count(answer: object) -> Verdict:
    value = number(answer)
    if value == 300 * 128 + 300 * 3 + 6:
        return right(
            "39,306 numbers against 516, and 38,400 of them are features of 300 patients. With twice the patients it "
            "would be about twice as many; the dense layer would stay as it is."
        )
    if value == 300 * 128:
        return wrong(
            "These are the support vectors alone. Each has weights too, and each pair of classes an offset."
        )
    if value == 300 * 128 + 300 * 4 + 6 or value == 300 * 128 + 300 * 4 + 4:
        return wrong(
            "A support vector of one class needs a weight against each *other* class: three, not four."
        )
    if value == 300 * 128 + 300 * 3:
        return wrong("The offsets are missing, one for each pair of classes.")
    if value == 300 * 128 + 300 * 3 + 4:
        return wrong("Four classes make six pairs, and each pair has its offset.")
    if value == 300 * 128 + 300 * 6 + 6:
        return wrong(
            "A support vector belongs to one class, and this class takes part in three of the six pairs."
        )
    if value == 300 * 128 + 300 + 6 or value == 300 * 128 + 300 + 1:
        return wrong(
            "One weight would do for two classes. With four, each support vector has one against each other."
        )
    if value == 516:
        return wrong(
            "516 is the dense layer. An RBF machine has no w to keep, it has to keep its support vectors."
        )
    if value == 6 * 129:
        return wrong(
            "774 would be six *linear* machines, each a w and a b. With the RBF kernel there is no such w: the support "
            "vectors themselves are kept."
        )
    return wrong(
        f"{value:,.0f} does not fit: 300 vectors of 128, three weights for each, and an offset a pair."
    )


def judge_leaks(answer: object) -> Verdict:
    if isinstance(answer, str):
        answer = [letter for letter in answer if letter.isalpha()]
    if not isinstance(answer, list | tuple | set | frozenset) or not all(isinstance(a, str) for a in answer):
        raise WrongKind(f'The answer is letters, such as "af"; yours is {answer!r}.')
    given = {letter.strip().lower() for letter in answer}
    if strange := given - LEAKS - set(WHY_NO_LEAK):
        return wrong(f"There is no step {min(strange)!r}; the letters go from a to g.")
    remarks = [f"{WHY_NO_LEAK[letter]}." for letter in sorted(given - LEAKS)]
    if not remarks:
        remarks = [
            f"one is missing: {WHY_A_LEAK[letter]}." for letter in ("c", "b", "e") if letter not in given
        ][:1]
    if not remarks:
        return right(
            "b, c and e. They differ in size by a lot: b is often too small to measure, e may be a few points, and c "
            "took coin tosses to nearly 100 %."
        )
    return wrong(" ".join(remark[0].upper() + remark[1:] for remark in remarks))


def judge_choice(answer: object) -> Verdict:
    keys = ("validation", "chosen", "test")
    if not isinstance(answer, Mapping) or set(answer) != set(keys):
        raise WrongKind(f"The answer is a dict with the keys {', '.join(keys)}; yours is {answer!r}.")
    if any(answer[key] is ... for key in keys):
        raise NotAnswered
    candidates, chosen = answer["validation"], answer["chosen"]
    if not isinstance(candidates, Mapping):
        raise WrongKind('"validation" is a dict: the name of each candidate and its accuracy.')
    if isinstance(answer["test"], Mapping | list | tuple):
        return wrong(
            "You asked the test patients about several candidates. Whoever looks at all of them has chosen among them: "
            "ask once, about the chosen one."
        )
    accuracies, tested = {name: number(value) for name, value in candidates.items()}, number(answer["test"])
    if len(accuracies) < LEAST_CANDIDATES:
        return wrong(
            f"There are {len(accuracies)} candidates, wanted {LEAST_CANDIDATES}; else there is no choice."
        )
    if not all(0 <= value <= 1 for value in (*accuracies.values(), tested)):
        return wrong("Accuracies are shares between 0 and 1; yours hold percentages or something else.")
    if chosen not in accuracies:
        return wrong(f"The chosen one, {chosen!r}, is not among your candidates.")
    best = max(accuracies, key=accuracies.get)
    if accuracies[chosen] < accuracies[best]:
        return wrong(
            f"You chose {chosen!r} with {accuracies[chosen]:.3f}, and {best!r} has {accuracies[best]:.3f} on the "
            "validation patients. If the test patients made you prefer it, they are test patients no more."
        )
    spread = accuracies[best] - min(accuracies.values())
    return right(
        f"{best!r}: {accuracies[best]:.3f} on the patients who chose it, {tested:.3f} on the test patients. Your "
        f"{len(accuracies)} candidates lie {100 * spread:.1f} points apart, and part of that is luck: the score that "
        "won was chosen for being high, so believe the other one."
    )


QUIZ = letters(
    {"1": "a", "2": "b", "3": "c", "4": "b", "5": "c"},
    {
        "1": {
            "b": "from the kerb on the hinge loss is 0, so the far patient has no say (section 4).",
            "c": "clear cases are what the machine ignores; those in the street decide.",
        },
        "2": {
            "a": "a decision value is a distance in units of half a street; nothing has to be cut.",
            "c": "features were standardised, decision values were not.",
        },
        "3": {
            "a": "the machine did not, the body did; coin tosses reached nearly 100 % that way (section 8).",
            "b": "what was thrown away are 516 numbers; the 245,840 that remain have seen the labels.",
        },
        "4": {
            "a": "on 19 patients one answer is 5.3 points, so a difference of 1 point cannot even occur.",
            "c": "perhaps, but nothing here says so.",
        },
        "5": {
            "a": "a coin is easy to beat; what matters is what could be had for nothing.",
            "b": "other patients, other scanner, and an interval from 0.83 to 1.00.",
        },
    },
    "Margins, sigmoids, leaks and honest rivals: you can read any paper on hybrids now.",
)

EXERCISES = {
    "street": Exercise(
        judge_street,
        (
            "The street is 2 / ‖w‖ wide, and b plays no part.",
            "‖w‖ = √(3 · 3 + 4 · 4) = 5.",
        ),
    ),
    "hinge": Exercise(
        judge_hinge,
        (
            "First m for each: decision value times true side. That makes 2.0, 0.6 and -1.5.",
            "max(0, 1 - 2.0), max(0, 1 - 0.6), max(0, 1 + 1.5).",
        ),
    ),
    "count": Exercise(
        judge_count,
        (
            "Three arrays were printed above: support vectors, their weights, offsets. What are their sizes here?",
            "The weights have one row for each other class: 3 x 300. The offsets: one for each pair of 4 classes.",
        ),
    ),
    "leaks": Exercise(
        judge_leaks,
        (
            "Ask of each step: would it have come out differently if a test patient had stayed at home?",
            "There are three. One is the body's, one is the scaler's, one is made by the person who reports.",
        ),
    ),
    "choice": Exercise(
        judge_choice,
        (
            'svm = make_pipeline(StandardScaler(), SVC(C=10)).fit(shipped[rows["train"]], labels["train"])',
            'svm.score(shipped[rows["validation"]], labels["validation"]) is one entry of "validation".',
            '"chosen" is the name with the highest entry; "test" is one number, that candidate\'s score.',
        ),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 4, 7, 8, 1 and 10 hold the answers.",)
    ),
}
