"""Exercises that check themselves: `check(id, answer)` says why an answer is wrong, `hint(id)` gives a step.

The exercises of a lesson live in `checks/`, one file a lesson; `"splits.majority"` is `majority` of `checks/splits.py`.
"""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real

from lumbar_utils.dataset import LumbarError

ROOMS = (
    "start",
    "spine",
    "splits",
    "preparation",
    "cnn",
    "alexnet",
    "vgg",
    "resnet",
    "densenet",
    "mobilenet",
    "involution",
    "involution_vgg",
    "handcrafted",
    "hybrid",
    "ensembles",
    "gradcam",
    "sure",
    "views",
    "unlabelled",
    "clinical",
    "real",
)


# How a printed verdict begins, by its state.
STARTS = {"open": "Not answered yet. ", "right": "Right. ", "wrong": "Not yet. "}


@dataclass(frozen=True)
class Verdict:
    """What became of an answer: `state` is "open", "right" or "wrong"; `message` says why."""

    state: str
    message: str

    def __str__(self) -> str:
        return STARTS[self.state] + self.message


def right(message: str) -> Verdict:
    return Verdict("right", message)


def wrong(message: str) -> Verdict:
    return Verdict("wrong", message)


@dataclass(frozen=True)
class Exercise:
    """A judge, answer -> Verdict, and hints from a nudge to nearly the answer."""

    judge: Callable[[object], Verdict]
    hints: tuple[str, ...]


class WrongKind(Exception):
    """An answer of another kind than the question asks for; `judge` turns it into a verdict."""


class NotAnswered(Exception):
    """A function whose body is still three dots; `judge` turns it into a verdict."""


def number(answer: object) -> float:
    """Return the answer as a float, or raise `WrongKind`."""
    if hasattr(answer, "shape") and answer.shape == ():
        answer = answer.item()
    if isinstance(answer, bool) or not isinstance(answer, Real):
        raise WrongKind(f"The answer is one number; yours is of type {type(answer).__name__}.")
    return float(answer)


def numbers(answer: object, length: int) -> list[float]:
    """Return the answer as a list of floats, or raise `WrongKind`."""
    if isinstance(answer, (str, Mapping)) or not hasattr(answer, "__len__") or len(answer) != length:
        raise WrongKind(f"The answer is {length} numbers in a row; yours is {answer!r}.")
    return [number(one) for one in answer]


def function(answer: object) -> Callable:
    """Return the answer if it can be called, or raise `WrongKind`."""
    if not callable(answer):
        raise WrongKind(
            f"The answer is a function, the name without brackets; yours is of type {type(answer).__name__}."
        )
    return answer


def result_of(answer: object, *arguments: object) -> object:
    """Return what the student's function gives for `arguments`; raise `NotAnswered` where it gives nothing."""
    result = function(answer)(*arguments)
    if result is None or result is ...:
        raise NotAnswered
    return result


def near(value: float, wanted: float, tolerance: float = 1e-3) -> bool:
    """Return whether two numbers differ by at most `tolerance`; NaN is near nothing."""
    return abs(value - wanted) <= tolerance


def letters(
    right_answers: dict[str, str], why: dict[str, dict[str, str]], done: str
) -> Callable[[object], Verdict]:
    """Return a judge for a quiz answered by a dict such as {"1": "b"}; `why` explains each wrong letter."""

    def judge(answer: object) -> Verdict:
        if not isinstance(answer, Mapping) or set(answer) != set(right_answers):
            raise WrongKind(f"The answers are a dict with the keys {', '.join(right_answers)}.")
        if any(letter is ... for letter in answer.values()):
            return Verdict("open", "Put a letter in quotes at each question.")
        remarks = []
        for question, letter in answer.items():
            given = str(letter).strip().lower()
            if given != right_answers[question]:
                offered = [*why[question], right_answers[question]]
                remark = why[question].get(given, f"{letter!r} is not one of {', '.join(sorted(offered))}.")
                remarks.append(f"Question {question}: {remark}")
        return wrong(" ".join(remarks)) if remarks else right(done)

    return judge


def find(exercise_id: str) -> Exercise:
    """Return the exercise called `exercise_id`, or raise `LumbarError` naming those there are."""
    room, _, name = exercise_id.partition(".")
    if room not in ROOMS:
        raise LumbarError(
            f"There is no exercise {exercise_id!r}; an id starts with one of {', '.join(ROOMS)}."
        )
    exercises = importlib.import_module(f"lumbar_utils.teaching.checks.{room}").EXERCISES
    if name not in exercises:
        known = ", ".join(f"{room}.{one}" for one in exercises)
        raise LumbarError(f"There is no exercise {exercise_id!r}; this lesson has {known}.")
    return exercises[name]


def judge(exercise_id: str, answer: object) -> Verdict:
    """Return the verdict on an answer; a student's function that raises gets a verdict, not a traceback."""
    exercise = find(exercise_id)
    unanswered = Verdict("open", f'Replace the dots in the cell above, or ask hint("{exercise_id}").')
    if answer is ... or (isinstance(answer, tuple | list) and any(one is ... for one in answer)):
        return unanswered
    try:
        return exercise.judge(answer)
    except NotAnswered:
        return unanswered
    except WrongKind as problem:
        return wrong(str(problem))
    except Exception as problem:  # the student's own function ran inside the judge
        if not callable(answer):
            raise
        return wrong(f"Your function stopped with {type(problem).__name__}: {problem}.")


def check(exercise_id: str, answer: object) -> None:
    """Print whether `answer` is right, and why it matters, or what a wrong one would mean."""
    print(textwrap.fill(str(judge(exercise_id, answer)), 96))


_given: dict[str, int] = {}


def hint(exercise_id: str) -> None:
    """Print one more hint each time it is called; after the last one, where the solution stands."""
    hints = find(exercise_id).hints
    step = _given.get(exercise_id, 0)
    _given[exercise_id] = step + 1
    if step < len(hints):
        print(f"Hint {step + 1} of {len(hints)}: {hints[step]}")
    else:
        print("That was the last hint; the copy of this notebook in notebooks/solutions/ holds the solution.")
