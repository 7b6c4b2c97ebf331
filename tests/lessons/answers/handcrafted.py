"""Right and typical wrong answers of lesson 12, and the words that a wrong one must meet."""

import numpy as np


def dark_share(column):
    strip = column[:, 34:62]
    return np.mean(strip < 0.6 * np.median(strip))


RIGHT = [
    ("handcrafted.contrast", 1),
    ("handcrafted.lbp", 167),
    ("handcrafted.hog", 540),
    ("handcrafted.own", dark_share),
    ("handcrafted.quiz", {"1": "c", "2": "b", "3": "c", "4": "b", "5": "b"}),
]
WRONG = [
    ("handcrafted.contrast", 14 / 24, "sideways"),
    ("handcrafted.contrast", 12, "Divide by the number of pairs"),
    ("handcrafted.contrast", 2 / 3, "without the square"),
    ("handcrafted.contrast", 0.5, "count alike"),
    ("handcrafted.contrast", 0.75, "number of pixels"),
    ("handcrafted.contrast", 3, "four are 1"),
    ("handcrafted.lbp", 39, "as bright as the middle"),
    ("handcrafted.lbp", 203, "clockwise"),
    ("handcrafted.lbp", 229, "other way round"),
    ("handcrafted.lbp", 94, "upper left"),
    ("handcrafted.lbp", 244, "upper left"),
    ("handcrafted.lbp", 88, "darker"),
    ("handcrafted.lbp", 5, "number of ones"),
    ("handcrafted.lbp", 9, "mixed patterns"),
    ("handcrafted.lbp", 11100101, "Add 1 for the first"),
    ("handcrafted.lbp", 200, "47, 50, 45"),
    ("handcrafted.hog", 216, "overlap"),
    ("handcrafted.hog", 864, "does not fit"),
    ("handcrafted.hog", 135, "four cells"),
    ("handcrafted.hog", 15, "4 cells"),
    ("handcrafted.hog", 36, "How many blocks"),
    ("handcrafted.hog", 24, "number of cells"),
    ("handcrafted.hog", 1980, "smaller"),
    ("handcrafted.hog", 1000, "5 × 3 places"),
    ("handcrafted.own", lambda column: 1, "for every patient"),
    ("handcrafted.own", lambda column: np.nan, "not a finite number"),
    ("handcrafted.own", lambda column: -dark_share(column), "wrong way round"),
    ("handcrafted.own", lambda column: column[0, 0], "told from a coin"),
    ("handcrafted.own", lambda column: np.mean(column[:, 34:62] < 60), "measures the scanner too"),
    ("handcrafted.own", lambda column: column, "one number"),
    ("handcrafted.own", 0.9, "a function"),
    ("handcrafted.quiz", {"1": "a", "2": "b", "3": "c", "4": "b", "5": "b"}, "Question 1: it saw no labels"),
    ("handcrafted.quiz", {"1": "c", "2": "a", "3": "c", "4": "b", "5": "a"}, "Question 5: the anatomy"),
]
