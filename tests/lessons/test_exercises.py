"""Each check accepts the right answer, refuses the typical wrong ones, and says what they would mean."""

from importlib import import_module

import pytest
from helpers import ROOT

from lumbar_utils.teaching.exercises import ROOMS, judge

ANSWERS = [import_module(f"answers.{room}") for room in ROOMS]
RIGHT = [case for room in ANSWERS for case in room.RIGHT]
WRONG = [case for room in ANSWERS for case in room.WRONG]
ALL = [
    f"{room}.{name}"
    for room in ROOMS
    for name in import_module(f"lumbar_utils.teaching.checks.{room}").EXERCISES
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
