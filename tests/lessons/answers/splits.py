"""Right and typical wrong answers of lesson 02, and the words that a wrong one must meet."""

from math import sqrt


def wilson(k, n, z=1.96):
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * sqrt(k * (n - k) / n + z**2 / 4)
    return centre - half, centre + half


def wald(k, n):
    half = 1.96 * sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


def around_the_share(k, n):
    low, high = wilson(k, n)
    return k / n - (high - low) / 2, k / n + (high - low) / 2


RIGHT = [
    ("splits.majority", 8 / 19),
    ("splits.lonely", 0.2**5),
    ("splits.shared", lambda train, test: set(train) & set(test)),
    ("splits.shared", lambda train, test: sorted({one for one in train if one in test})),
    ("splits.wilson", wilson),
    ("splits.needed", 35),
    ("splits.needed", 36),
    ("splits.selection", (0.74, 0.51)),
    ("splits.quiz", {"1": "b", "2": "C", "3": "a"}),
]
WRONG = [
    ("splits.majority", 0.25, "guessing among four"),
    ("splits.majority", 8, "over all 19"),
    ("splits.majority", 42.1, "percentage"),
    ("splits.majority", "8/19", "one number"),
    ("splits.majority", 0.9, "count the pictures"),
    ("splits.lonely", 0.2**6, "five others"),
    ("splits.lonely", 0.8**5, "all five others"),
    ("splits.lonely", 1 - 0.2**5, "opposite"),
    ("splits.lonely", 0.2, "there are five"),
    ("splits.shared", lambda train, test: set(train) | set(test), "union"),
    ("splits.shared", lambda train, test: set(train) - set(test), "one side only"),
    ("splits.shared", lambda train, test: 3, "as a set or a list"),
    ("splits.shared", {"P1"}, "a function"),
    ("splits.shared", lambda train, test: train.nothing, "AttributeError"),
    ("splits.wilson", wald, "Wald"),
    ("splits.wilson", lambda k, n: wilson(k, n, 1.645), "90 %"),
    ("splits.wilson", around_the_share, "centred on k/n"),
    ("splits.wilson", lambda k, n: wilson(k, n)[::-1], "upper one comes first"),
    ("splits.wilson", lambda k, n: [100 * limit for limit in wilson(k, n)], "not percent"),
    ("splits.wilson", lambda k, n: k / n, "2 numbers"),
    ("splits.wilson", lambda k, n: 1 / 0, "ZeroDivisionError"),
    ("splits.needed", 34, "Round up"),
    ("splits.needed", 73, "0.95"),
    ("splits.needed", -3, "above 0"),
    ("splits.needed", 20, "0.839"),
    ("splits.selection", (0.5, 0.74), "order"),
    ("splits.selection", (0.74, 0.74), "saw the same data"),
    ("splits.selection", (0.98, 0.90), "still leaks"),
    ("splits.selection", (0.55, 0.5), "Fit SelectKBest on all"),
    ("splits.selection", (74, 50), "between 0 and 1"),
    ("splits.quiz", {"1": "a", "2": "c", "3": "a"}, "Question 1: copies"),
    ("splits.quiz", {"1": "b", "2": "x", "3": "a"}, "not one of a, b, c"),
    ("splits.quiz", "bca", "keys 1, 2, 3"),
]
