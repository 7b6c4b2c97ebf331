"""Right and typical wrong answers of lesson 10, and the words that a wrong one must meet."""

import numpy as np

RIGHT = [
    ("involution.parameters", 17_160),
    ("involution.cost", 15),
    ("involution.order", [0, 2, 4, 6, 1, 3, 5, 7]),
    ("involution.order", np.array([6, 4, 2, 0, 1, 3, 5, 7])),
    ("involution.port", lambda w1, bias, groups: (np.repeat(w1, groups, axis=1), np.repeat(bias, groups))),
    ("involution.quiz", {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"}),
]
WRONG = [
    ("involution.parameters", 17_096, "two running numbers"),
    ("involution.parameters", 17_032, "lacks batch normalisation"),
    ("involution.parameters", 16_768, "biases of the span"),
    ("involution.parameters", 5_841, "8 groups"),
    ("involution.parameters", 17_544, "32 are left"),
    ("involution.parameters", 50_568, "narrows them to 32"),
    ("involution.parameters", 802_816, "a convolution"),
    ("involution.parameters", 211_200, "Sixteen maps share"),
    ("involution.parameters", 1, "does not fit"),
    ("involution.cost", 16, "K is odd"),
    ("involution.cost", 17, "just above"),
    ("involution.cost", 23, "made as well"),
    ("involution.cost", 13, "the largest"),
    ("involution.cost", 25, "far more"),
    ("involution.cost", 0, "does not fit"),
    ("involution.order", list(range(8)), "where they are"),
    ("involution.order", [0, 4, 1, 5, 2, 6, 3, 7], "the way back"),
    ("involution.order", [1, 3, 5, 7, 0, 2, 4, 6], "wrong order"),
    ("involution.order", [0, 1, 4, 5, 2, 3, 6, 7], "k mod 2"),
    ("involution.order", [0, 0, 2, 2, 4, 4, 6, 6], "appear once"),
    ("involution.order", [0, 2, 4, 6], "8 numbers"),
    (
        "involution.port",
        lambda w1, bias, groups: (np.tile(w1, groups), np.tile(bias, groups)),
        "one after the other",
    ),
    (
        "involution.port",
        lambda w1, bias, groups: (np.repeat(w1 / groups, groups, axis=1), np.repeat(bias / groups, groups)),
        "not the weights",
    ),
    ("involution.port", lambda w1, bias, groups: (np.repeat(w1, groups, axis=1), bias), "has not"),
    (
        "involution.port",
        lambda w1, bias, groups: (np.repeat(w1, groups, axis=1), np.tile(bias, groups)),
        "the bias has to be repeated",
    ),
    ("involution.port", lambda w1, bias, groups: (np.repeat(w1, groups, axis=0), bias), "wanted (3, 36)"),
    ("involution.port", lambda w1, bias, groups: (np.zeros((3, 36)), np.zeros(36)), "offset n of group g"),
    ("involution.port", lambda w1, bias, groups: w1, "two arrays"),
    ("involution.port", 4, "a function"),
    (
        "involution.quiz",
        {"1": "a", "2": "c", "3": "a", "4": "b", "5": "c"},
        "Question 1: no kernel is stored",
    ),
    ("involution.quiz", {"1": "b", "2": "b", "3": "a", "4": "b", "5": "a"}, "Question 5: before training"),
]
