"""Exercises of lesson 00, the start."""

from __future__ import annotations

from lumbar_utils.evaluation.intervals import wilson
from lumbar_utils.teaching.exercises import Exercise, Verdict, letters, near, number, numbers, right, wrong


def judge_one_picture(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 100 / 19, 0.05):
        return right(
            "5.3 points. So the paper's 95 % and 100 % are neighbours: no score lies between 18 and 19 of 19."
        )
    if near(value, 1 / 19, 0.0005):
        return wrong("0.053 is the share. In percentage points it is a hundred times that.")
    if near(value, 1):
        return wrong("One point would be one picture of a hundred. There were nineteen.")
    if near(value, 19):
        return wrong("19 is the number of pictures. Together they make 100 %.")
    if near(value, 25):
        return wrong(
            "25 points is one of the four herniations. The question asks for one of all the pictures."
        )
    return wrong(f"{value:g} does not fit: 19 pictures share 100 percentage points.")


def judge_perfect(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 0.9**19):
        return right(
            "13.5 %: one such program in seven gets a perfect score by luck. The paper tried eight models."
        )
    if near(value, 100 * 0.9**19, 0.1):
        return wrong("That is the percentage; the answer is a share between 0 and 1.")
    if near(value, 0.9):
        return wrong("0.9 is the chance of *one* right answer. All nineteen must be right.")
    if near(value, 1 - 0.9**19):
        return wrong("That is the chance of at least one mistake, the opposite.")
    if near(value, 0.1**19):
        return wrong("0.1 to the 19 is the chance of nineteen mistakes.")
    if near(value, 17.1):
        return wrong("17.1 is how many it gets right on average. How often are all 19 right?")
    return wrong(f"{value:.3g} does not fit: nineteen times the same chance, all of them together.")


def judge_mine(answer: object) -> Verdict:
    hits, played = numbers(answer, 2)
    if hits != int(hits) or played != int(played) or hits < 0 or played < 1:
        return wrong("Two counts: how many you named right, and how many you looked at.")
    if hits > played:
        return wrong(f"{hits:g} right of {played:g}: is the order (right, looked at)?")
    low, high = wilson(int(hits), int(played))
    interval = f"{hits:g} of {played:g} is {hits / played:.0%} with an interval from {low:.0%} to {high:.0%}"
    if played < 10:
        return wrong(f"{interval}: too wide to say anything. Look at ten patients at least.")
    if low > 0.25:
        return right(f"{interval}. Above guessing among four; and that is all that so few patients can say.")
    return right(
        f"{interval}. That still holds 25 %, guessing among four. Come back after lesson 01, which shows where to look."
    )


QUIZ = letters(
    {"1": "c", "2": "b", "3": "b"},
    {
        "1": {
            "a": "nothing about a phantom's score carries over to a clinic as a number.",
            "b": "it may be less or worthless; the phantom cannot tell how much.",
        },
        "2": {
            "a": "they differ by one picture of nineteen.",
            "c": "both may well be worse than they look; the interval of 19 of 19 begins at 83 %.",
        },
        "3": {
            "a": "Binder deletes the machine; nothing is kept anywhere.",
            "c": "the notebook's file goes with the machine.",
        },
    },
    "You know what a score needs, and how to keep your work. On to the spine.",
)

EXERCISES = {
    "one_picture": Exercise(
        judge_one_picture,
        ("All 19 pictures right is 100 %. And 18 of 19?", "100 % minus 94.7 %, or simply 100 / 19."),
    ),
    "perfect": Exercise(
        judge_perfect,
        (
            "Two right answers in a row: 0.9 times 0.9.",
            "Nineteen in a row: 0.9 to the power of 19; ** in Python.",
        ),
    ),
    "mine": Exercise(
        judge_mine,
        ("The line under the picture counts for you.", "With 13 right of 20 it would be mine = (13, 20)."),
    ),
    "quiz": Exercise(QUIZ, ("Sections 2, 4 and 5 hold the answers.",)),
}
