"""Exercises of lesson 19: a real dataset from end to end."""

from __future__ import annotations

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

# two patients; patient 7 with two slices, one of them in three copies
FILES = ("7_1_jpg.rf.a.jpg", "7_1_jpg.rf.b.jpg", "7_1_jpg.rf.c.jpg", "7_2_jpg.rf.a.jpg", "12_1_jpg.rf.a.jpg")


def judge_units(answer: object) -> Verdict:
    patients, slices = numbers(result_of(answer, list(FILES)), 2)
    if near(patients, 2) and near(slices, 3):
        return right(
            "Five files, three slices, two people. Only the last number counts the draws from the population."
        )
    if near(patients, 3) and near(slices, 2):
        return wrong("Both numbers are there, in the wrong order: patients first.")
    if near(slices, 5):
        return wrong("You count files as slices. What stands behind .rf. tells copies of one slice apart.")
    if near(slices, 2):
        return wrong(
            "Two slices? 7_1 and 12_1 are slices of two people: keep the patient in the slice's name."
        )
    if near(patients, 5) or near(patients, 3):
        return wrong("The patient is what stands before the first _, and each counts once: a set does that.")
    return wrong(
        f"Of these five files you find {patients:g} patients and {slices:g} slices; there are 2 and 3."
    )


def judge_auc(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 7 / 9):
        return right(
            "0.778: seven of nine pairs. That is all an AUC is, a count of pairs in the right order."
        )
    if near(value, 7):
        return wrong("Seven pairs are in order; an AUC is their share of all pairs.")
    if near(value, 2 / 9):
        return wrong(
            "You counted the pairs in the wrong order. An AUC counts those in which the herniated one leads."
        )
    if near(value, 77.8, 0.06):
        return wrong("Give a fraction between 0 and 1, not a percentage.")
    if near(value, 2 / 3) or near(value, 4 / 6) or near(value, 5 / 6):
        return wrong("That is the accuracy at some threshold. An AUC has none: compare each pair.")
    return wrong(
        f"{value:.3g} does not fit: three herniated times three sound discs are nine pairs; in how many has the "
        "herniated one the higher score?"
    )


def judge_rows(answer: object) -> Verdict:
    patients = np.array(["a", "b", "a", "c", "b", "a"])
    given = np.asarray(result_of(answer, patients, ["b", "a", "b"]))
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer):
        raise WrongKind(
            "Your function returns row numbers, one after the other, as whole numbers; yours gives "
            f"{given.dtype} of shape {given.shape}."
        )
    rows = sorted(given.tolist())
    if rows == [0, 1, 1, 2, 4, 4, 5]:
        return right(
            "Patient b was drawn twice and stands there twice, with every disc. Nobody is torn apart."
        )
    if rows == [0, 1, 2, 4, 5]:
        return wrong("Patient b was drawn twice, and you take him once. Go through the draws one by one.")
    if len(rows) == 3:
        return wrong("You take one row a draw. A drawn patient brings all of his discs.")
    if len(rows) == len(patients):
        return wrong("You return as many rows as there were: that is a draw of rows, not of patients.")
    return wrong(
        f"Drawn were b, a and b: rows 1 and 4, then 0, 2 and 5, then 1 and 4 again; you return {rows}."
    )


QUIZ = letters(
    {"1": "b", "2": "c", "3": "b", "4": "a"},
    {
        "1": {
            "a": "the pixels of a disc are not its box; the box alone is the rival (section 3).",
            "c": "0.5 is what a coin reaches; a rival without pixels reaches more (section 3).",
        },
        "2": {
            "a": "the same patients come back in each repetition: nobody new was asked.",
            "b": "they differ by how the patients were dealt, which is a small part of the doubt.",
        },
        "3": {
            "a": "the network is the same. What changed is who it was asked about.",
            "c": "the AUC takes no threshold.",
        },
        "4": {
            "b": "an interval that holds 0 does not say that two are alike; it says that one cannot tell.",
            "c": "fifteen patients of one publisher; nobody knows their ages or their scanner.",
        },
    },
    "You would notice what most abstracts leave out.",
)

EXERCISES = {
    "units": Exercise(
        judge_units,
        (
            'The patient: name.split("_")[0]. The slice: name.split(".rf.")[0].',
            "len({... for name in names}) counts different ones; return patients, slices.",
        ),
    ),
    "auc": Exercise(
        judge_auc,
        (
            "Take each herniated disc in turn: how many of the three sound ones have a lower score?",
            "0.9 beats three, 0.6 beats two, 0.4 beats two.",
        ),
    ),
    "rows": Exercise(
        judge_rows,
        (
            "np.flatnonzero(patients == one) are the rows of one patient.",
            "np.concatenate([... for one in drawn]) keeps who was drawn twice, twice.",
        ),
    ),
    "quiz": Exercise(QUIZ, ("Each question has one right letter; sections 3, 5, 6 and 7 hold the answers.",)),
}
