"""Right and typical wrong answers of lesson 13, and the words that a wrong one must meet."""

import numpy as np

VALIDATION = {"C 0.1": 0.75, "C 1": 0.80, "C 10": 0.78, "PCA 8": 0.79}
CHOICE = {"validation": VALIDATION, "chosen": "C 1", "test": 0.77}
RIGHT_QUIZ = {"1": "a", "2": "b", "3": "c", "4": "b", "5": "c"}

RIGHT = [
    ("hybrid.street", 0.4),
    ("hybrid.street", np.float64(2 / 5)),
    ("hybrid.hinge", 2.9),
    ("hybrid.count", 39_306),
    ("hybrid.leaks", "bce"),
    ("hybrid.leaks", ["C", "b", "E"]),
    ("hybrid.leaks", "b, c, e"),
    ("hybrid.choice", CHOICE),
    ("hybrid.quiz", RIGHT_QUIZ),
]
WRONG = [
    ("hybrid.street", 0.2, "two halves"),
    ("hybrid.street", 2 / 25, "root"),
    ("hybrid.street", 2 / 7, "not the length"),
    ("hybrid.street", 5, "2 divided by it"),
    ("hybrid.street", 10, "kerbs come nearer"),
    ("hybrid.street", 2 / np.sqrt(29), "shifts the street"),
    ("hybrid.street", 0.7, "0.7 does not fit"),
    ("hybrid.street", "wide", "one number"),
    ("hybrid.hinge", 2.5, "inside the street"),
    ("hybrid.hinge", 1.5, "begins at the kerb"),
    ("hybrid.hinge", 1.9, "never below 0"),
    ("hybrid.hinge", 2.9 / 3, "the mean"),
    ("hybrid.hinge", np.maximum(0, 1 - np.array([2.0, -0.6, 1.5])).sum(), "true side first"),
    ("hybrid.hinge", 1, "a count"),
    ("hybrid.hinge", np.log1p(np.exp(-np.array([2.0, 0.6, -1.5]))).sum(), "cross-entropies"),
    ("hybrid.hinge", 7, "7 does not fit"),
    ("hybrid.count", 38_400, "support vectors alone"),
    ("hybrid.count", 38_400 + 1200 + 6, "three, not four"),
    ("hybrid.count", 38_400 + 900, "offsets are missing"),
    ("hybrid.count", 38_400 + 900 + 4, "six pairs"),
    ("hybrid.count", 38_400 + 1800 + 6, "three of the six"),
    ("hybrid.count", 38_400 + 300 + 1, "two classes"),
    ("hybrid.count", 516, "no w to keep"),
    ("hybrid.count", 774, "linear"),
    ("hybrid.count", 1000, "1,000 does not fit"),
    ("hybrid.leaks", "bc", "the test folds chose C"),
    ("hybrid.leaks", "be", "the labels of every test fold"),
    ("hybrid.leaks", "ce", "small leak"),
    ("hybrid.leaks", "abce", "treated by itself"),
    ("hybrid.leaks", "bcdefg", "learned from other people"),
    ("hybrid.leaks", "h", "from a to g"),
    ("hybrid.leaks", 3, "letters"),
    ("hybrid.choice", CHOICE | {"chosen": "PCA 8"}, "test patients no more"),
    ("hybrid.choice", CHOICE | {"test": list(VALIDATION.values())}, "ask once"),
    ("hybrid.choice", CHOICE | {"validation": {"C 1": 0.8}}, "no choice"),
    ("hybrid.choice", CHOICE | {"chosen": "C 2"}, "not among"),
    ("hybrid.choice", CHOICE | {"test": 77}, "percentages"),
    ("hybrid.choice", CHOICE | {"validation": 0.8}, "a dict"),
    ("hybrid.choice", 0.8, "the keys"),
    ("hybrid.quiz", RIGHT_QUIZ | {"3": "a"}, "Question 3: the machine did not"),
    ("hybrid.quiz", RIGHT_QUIZ | {"1": "c", "5": "b"}, "Question 5: other patients"),
]
