"""Exercises of lesson 14, the ensembles."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations

import numpy as np

from lumbar_utils.evaluation import Predictions, load_results
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


def judge_variance(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 0.6 + 0.4 / 7):
        return right("0.657. A hundred members would reach 0.604: what they share does not average out.")
    if near(value, 1 / 7):
        return wrong("1/7 would be seven strangers. These share 0.6 of what they get wrong.")
    if near(value, 0.6):
        return wrong("0.6 is the part that stays with any number of members; seven still add to it.")
    if near(value, 0.4 / 7):
        return wrong("0.057 is the part that falls with the number of members; the shared part is missing.")
    if near(value, (0.6 + 0.4) / 7) or near(value, 0.6 / 7):
        return wrong("You divided the shared part by 7 as well; it is the part that stays.")
    if near(value, 65.7, 0.1):
        return wrong("That is a percentage; the answer is a share between 0 and 1.")
    return wrong(f"{value:.3g} does not fit: rho + (1 - rho) / M.")


def judge_votes(answer: object) -> Verdict:
    if not isinstance(answer, Mapping) or set(answer) != {"hard", "soft", "probability"}:
        raise WrongKind("The answer is a dict with the keys hard, soft and probability.")
    if any(value is ... for value in answer.values()):
        raise NotAnswered
    hard, soft = (str(answer[key]).strip().lower() for key in ("hard", "soft"))
    probability = number(answer["probability"])
    known = ("healthy", "herniated disk")
    for key, value in (("hard", hard), ("soft", soft)):
        if value not in known:
            return wrong(
                f"The {key} vote names a class, Healthy or Herniated Disk; yours is {answer[key]!r}."
            )
    if hard != "healthy":
        return wrong("The hard vote counts heads: two of three hold Healthy for likelier.")
    if near(probability, 1.93 / 3, 0.005) and soft == "herniated disk":
        return right(
            "0.643. The two shrug, the third is sure, and the soft vote listens to the one who is sure. Good if "
            "certainty is earned; lesson 16 measures that."
        )
    if near(probability, 1 / 3, 0.005):
        return wrong("1/3 is the share of heads. The soft vote takes the mean of the probabilities.")
    if near(probability, 0.95):
        return wrong("0.95 is the third member alone; the other two count as well.")
    if near(probability, 1.07 / 3, 0.005):
        return wrong("0.357 is the probability of Healthy; the question asks for the herniation.")
    if soft != "herniated disk":
        return wrong("The soft vote: the mean of 0.49, 0.49 and 0.95 is above one half.")
    return wrong(f"{probability:.3g} does not fit: the mean of 0.49, 0.49 and 0.95.")


def judge_stacking(answer: object) -> Verdict:
    value = number(answer)
    if value == 87:
        return right(
            "87 numbers from 600 patients, against 6. That is why it is fitted with a strong penalty."
        )
    if value == 116:
        return wrong("116 = 4 · 29 counts all four classes. One is the reference: only differences matter.")
    if value == 84:
        return wrong("84 = 3 · 28 leaves out the intercepts, one for each class but the reference.")
    if value in (28, 29):
        return wrong("That is what one class needs. How many classes need it?")
    if value == 24:
        return wrong("24 = 3 · (7 + 1): each member hands over four log-probabilities, not one.")
    if value == 7:
        return wrong("Seven weights are a weighted vote. Stacking looks at every member's every class.")
    return wrong(f"{value:g} does not fit: (classes - 1) times (members · classes + 1).")


def judge_committee(answer: object) -> Verdict:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise WrongKind("The answer is two things: the members' names and their accuracy.")
    names, claimed = answer
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise WrongKind("The committee is a list of names such as ['cnn', 'vgg16'].")
    names, claimed = tuple(dict.fromkeys(map(str, names))), number(claimed)
    validation, test = _stored()
    strangers = [name for name in names if name not in validation]
    if strangers:
        return wrong(f"{', '.join(strangers)} is none of the members, {', '.join(validation)}.")
    if len(names) < 2:
        return wrong("One member is no committee. Name two or more, each once.")
    reached = _accuracy(names, test)
    if near(claimed, 100 * reached, 0.1):
        return wrong("That is a percentage; the accuracy is a share between 0 and 1.")
    if near(claimed, _accuracy(names, validation), 5e-4) and not near(claimed, reached, 5e-4):
        return wrong(
            f"{claimed:.3f} is its accuracy on the validation patients, who chose it. On the test it reaches "
            f"{reached:.3f}."
        )
    if not near(claimed, reached, 5e-4):
        return wrong(
            f"The soft vote of {', '.join(names)} reaches {reached:.3f} on the test, not {claimed:.3f}."
        )
    everybody = {
        few: _accuracy(few, test)
        for size in range(2, len(validation) + 1)
        for few in combinations(validation, size)
    }
    rank = 1 + sum(other > reached + 1e-9 for other in everybody.values())
    if rank == 1:
        return right(
            f"{reached:.3f}, the best of all {len(everybody)} committees on the test. If you chose it without looking "
            "there, you were lucky; if you tried them all on the test, the number is too high."
        )
    return right(
        f"{reached:.3f}, number {rank} of the {len(everybody)} committees on the test. All {len(validation)} together "
        f"reach {_accuracy(tuple(validation), test):.3f}; 600 patients cannot tell such numbers apart."
    )


@cache
def _stored() -> tuple[dict[str, Predictions], dict[str, Predictions]]:
    validation = load_results("zoo/validation")
    test = load_results("zoo")
    return validation, {name: test[name] for name in validation}


def _accuracy(names: tuple[str, ...], answers: dict[str, Predictions]) -> float:
    mean = np.mean([answers[name].probabilities for name in names], axis=0)
    return float((mean.argmax(axis=1) == answers[names[0]].labels).mean())


QUIZ = letters(
    {"1": "b", "2": "b", "3": "a"},
    {
        "1": {
            "a": "copies agree on every patient, so the vote is the answer of one.",
            "c": "copies agree on every patient; nothing adds up.",
        },
        "2": {
            "a": "seven numbers are few, but they were chosen to please these very patients.",
            "c": "what is fitted on the test looks too good there, not too bad.",
        },
        "3": {
            "b": "if the second best errs on the same patients, it repeats the first.",
            "c": "different is not enough: a weak member drags the mean along.",
        },
    },
    "Good, unlike, and fitted on patients who are not tested: that is an ensemble.",
)

EXERCISES = {
    "variance": Exercise(
        judge_variance,
        ("Put rho = 0.6 and M = 7 into the formula above.", "0.6 stays; add 0.4 / 7."),
    ),
    "votes": Exercise(
        judge_votes,
        (
            "Hard: which class does each of the three hold for likelier? Count.",
            "Soft: the mean of the three probabilities of a herniation, (0.49 + 0.49 + 0.95) / 3.",
        ),
    ),
    "stacking": Exercise(
        judge_stacking,
        (
            "One class: 7 members with 4 log-probabilities each, and an intercept.",
            "Three classes need 29 each.",
        ),
    ),
    "committee": Exercise(
        judge_committee,
        (
            "`sorted(members, key=lambda name: evaluate(validation[name]).nll.value)` ranks by the validation loss.",
            "committee = that list's first three; its_accuracy = accuracy_of(committee, on_test).",
        ),
    ),
    "quiz": Exercise(QUIZ, ("Sections 2, 5 and 6 hold the answers.",)),
}
