"""Right and typical wrong answers of lesson 19, and the words that a wrong one must meet."""

import numpy as np


def units(names):
    return len({name.split("_")[0] for name in names}), len({name.split(".rf.")[0] for name in names})


def rows(patients, drawn):
    return np.concatenate([np.flatnonzero(patients == one) for one in drawn])


RIGHT = [
    ("real.units", units),
    ("real.auc", 7 / 9),
    ("real.rows", rows),
    ("real.rows", lambda p, d: rows(p, d)[::-1]),
    ("real.quiz", {"1": "b", "2": "c", "3": "b", "4": "a"}),
]
WRONG = [
    ("real.units", lambda names: units(names)[::-1], "wrong order"),
    ("real.units", lambda names: (2, len(names)), "count files"),
    ("real.units", lambda names: (2, len({name.split("_")[1] for name in names})), "slices of two people"),
    ("real.units", lambda names: (5, 3), "before the first _"),
    ("real.units", lambda names: (4, 4), "there are 2 and 3"),
    ("real.units", 2, "is a function"),
    ("real.auc", 7, "share of all pairs"),
    ("real.auc", 2 / 9, "wrong order"),
    ("real.auc", 77.8, "not a percentage"),
    ("real.auc", 2 / 3, "at some threshold"),
    ("real.auc", 0.5, "nine pairs"),
    ("real.rows", lambda p, d: np.flatnonzero(np.isin(p, d)), "take him once"),
    ("real.rows", lambda p, d: np.array([1, 0, 4]), "all of his discs"),
    ("real.rows", lambda p, d: np.array([0, 1, 1, 3, 4, 5]), "draw of rows"),
    ("real.rows", lambda p, d: np.array([0, 1]), "then 1 and 4 again"),
    ("real.rows", lambda p, d: np.isin(p, d), "row numbers"),
    ("real.quiz", {"1": "c", "2": "c", "3": "b", "4": "a"}, "rival without pixels"),
    ("real.quiz", {"1": "b", "2": "a", "3": "b", "4": "a"}, "nobody new"),
    ("real.quiz", {"1": "b", "2": "c", "3": "b", "4": "b"}, "cannot tell"),
]
