"""Right and typical wrong answers of lesson 03, and the words that a wrong one must meet."""

import numpy as np


def padded(picture, *, late=False, corner=False, fill=0, dtype=None):
    height, width = picture.shape
    side = max(height, width)
    square = np.full((side, side), fill, dtype or picture.dtype)
    top, left = ((side - length + late) // 2 for length in (height, width))
    top, left = (0, 0) if corner else (top, left)
    square[top : top + height, left : left + width] = picture
    return square


def squeezed(picture):
    side = max(picture.shape)
    rows, columns = (np.arange(side) * length // side for length in picture.shape)
    return picture[rows[:, None], columns]


def padded_in_place(picture):
    square = padded(picture)
    picture[:] = 0
    return square


RIGHT = [
    ("preparation.millimetres", 320 / 224),
    ("preparation.millimetres", 1.43),
    ("preparation.pad", padded),
    ("preparation.modes", [0.0039, 0.0741, 24.06]),
    ("preparation.honest", {"a", "c", "e", "g"}),
    ("preparation.honest", ["G", "e", "c", "a"]),
    ("preparation.honest", "a, c, e, g"),
    ("preparation.turning", (6, -2.2, -4.5, 0.2)),
    ("preparation.quiz", {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"}),
]
WRONG = [
    ("preparation.millimetres", 0.625, "pixel of the scanner"),
    ("preparation.millimetres", 0.7, "turned the fraction over"),
    ("preparation.millimetres", 320 / 512 * 224 / 512, "larger when there are fewer"),
    ("preparation.millimetres", 512 / 224, "by how much the pixels grew"),
    ("preparation.millimetres", 1.25, "280 mm"),
    ("preparation.millimetres", 3, "does not fit"),
    ("preparation.pad", squeezed, "squeezed it"),
    ("preparation.pad", lambda picture: picture[: min(picture.shape), : min(picture.shape)], "a crop"),
    ("preparation.pad", lambda picture: np.pad(picture, 1), "wanted 6 × 6"),
    ("preparation.pad", lambda picture: padded(picture, corner=True), "in the corner"),
    ("preparation.pad", lambda picture: padded(picture, late=True), "goes to the end"),
    ("preparation.pad", lambda picture: padded(picture, fill=9), "not black"),
    ("preparation.pad", lambda picture: padded(picture, dtype=float), "float64"),
    ("preparation.pad", lambda picture: padded(picture, dtype=np.uint8), "float32 picture"),
    ("preparation.pad", padded_in_place, "changes the picture"),
    ("preparation.pad", "padded", "a function"),
    ("preparation.modes", [0.502, 0.0741, 24.06], "mode unit"),
    ("preparation.modes", [-0.498, 0.0741, 24.06], "Divide by 127.5"),
    ("preparation.modes", [255, 0.0741, 24.06], "before you double"),
    ("preparation.modes", [0.3, 0.0741, 24.06], "where is 128"),
    ("preparation.modes", [0.0039, 556.8, 24.06], "divide 128 by 255"),
    ("preparation.modes", [0.0039, 0.017, 24.06], "standard deviation"),
    ("preparation.modes", [0.0039, 0.4266, 24.06], "another channel"),
    ("preparation.modes", [0.0039, 2, 24.06], "(128/255 - 0.485) / 0.229"),
    ("preparation.modes", [0.0039, 0.0741, 4.32], "that is red"),
    ("preparation.modes", [0.0039, 0.0741, -103.437], "do not divide"),
    ("preparation.modes", [0.0039, 0.0741, 128], "minus blue's mean"),
    ("preparation.honest", {"a", "b", "c", "e", "g"}, "in front of the vertebral bodies"),
    ("preparation.honest", {"a", "c", "e", "f", "g", "h"}, "as fine as the lesion"),
    ("preparation.honest", {"a", "c", "e"}, "g is missing"),
    ("preparation.honest", {"a", "z"}, "not one of the letters"),
    ("preparation.honest", 4, "a set of letters"),
    ("preparation.turning", (0, 0.0, 0.0, 0.0), "quick run"),
    ("preparation.turning", (4, 0.0, 2.4, -2.4), "in the order"),
    ("preparation.turning", (4, 0.001, -0.024, 0.024), "percentage points"),
    ("preparation.turning", (15, 4.8, 1.5, 8.1), "other way round"),
    ("preparation.turning", (15, -7.3, -10.8, -3.8), "itself has fallen"),
    ("preparation.turning", (8, -3.5, -6.0, -1.0), "not excluded"),
    ("preparation.turning", (-4, 0.0, -2.4, 2.4), "without a sign"),
    ("preparation.quiz", {"1": "a", "2": "c", "3": "a", "4": "b", "5": "c"}, "Question 1: they double"),
    ("preparation.quiz", {"1": "b", "2": "b", "3": "a", "4": "a", "5": "a"}, "Question 5: that would"),
]
