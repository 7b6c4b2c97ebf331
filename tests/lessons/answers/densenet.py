"""Right and typical wrong answers of lesson 08, and the words that a wrong one must meet."""

import numpy as np


def best(loss, accuracy, cost, budget):
    return accuracy[np.argmin(loss[: int(budget // cost)])]


def best_of_all(loss, accuracy, cost, budget):
    return accuracy[np.argmin(loss)]


def last(loss, accuracy, cost, budget):
    return accuracy[: int(budget // cost)][-1]


def highest(loss, accuracy, cost, budget):
    return accuracy[: int(budget // cost)].max()


def lowest_loss(loss, accuracy, cost, budget):
    return loss[: int(budget // cost)].min()


def started(loss, accuracy, cost, budget):
    return accuracy[np.argmin(loss[: int(np.ceil(budget / cost))])]


def one_more(loss, accuracy, cost, budget):
    return accuracy[np.argmin(loss[: int(budget // cost) + 1])]


def without_cost(loss, accuracy, cost, budget):
    return accuracy[np.argmin(loss[: int(budget)])]


def in_percent(loss, accuracy, cost, budget):
    return 100 * best(loss, accuracy, cost, budget)


def position(loss, accuracy, cost, budget):
    return np.argmin(loss[: int(budget // cost)])


def first(loss, accuracy, cost, budget):
    return accuracy[0]


def unrounded(loss, accuracy, cost, budget):
    return accuracy[np.argmin(loss[: budget / cost])]  # numpy refuses a fraction


RIGHT = [
    ("densenet.table", [[1, 1], [1, 0], [1, -1]]),
    ("densenet.table", np.array([[1, 1], [1, 0], [1, -1]])),
    ("densenet.layer", 17_088),
    ("densenet.maps", 1664),
    ("densenet.budget", best),
    ("densenet.quiz", {"1": "b", "2": "b", "3": "a", "4": "c", "5": "b"}),
]
WRONG = [
    ("densenet.table", [[1, 1, 1], [1, 0, -1]], "a row for each reader"),
    ("densenet.table", [1, 1, 1], "wanted (3, 2)"),
    ("densenet.table", "a + b + c", "table of numbers"),
    ("densenet.table", [[1, 1], [0, 1], [-1, 1]], "other order"),
    ("densenet.table", [[1, -1], [1, 0], [1, 1]], "c - a"),
    ("densenet.table", [[1, 1], [1, -1], [1, 0]], "a - b"),
    ("densenet.table", [[1, 1], [1, 1], [1, 1]], "The first column is right"),
    ("densenet.table", [[1, 1], [0, 0], [0, -1]], "sums all three"),
    ("densenet.table", [[0, 0], [0, 0], [0, 0]], "fills the first column"),
    ("densenet.layer", 16_384, "two convolutions"),
    ("densenet.layer", 16_832, "64 maps between"),
    ("densenet.layer", 16_640, "which are read"),
    ("densenet.layer", 16_736, "running means"),
    ("densenet.layer", 18_176, "four, not five"),
    ("densenet.layer", 12_736, "as the first layer"),
    ("densenet.layer", 10_560, "its predecessor"),
    ("densenet.layer", 13_824, "still there"),
    ("densenet.layer", 16_576, "on all it reads"),
    ("densenet.layer", 4_608, "not 16"),
    ("densenet.layer", 8_896, "nine weights"),
    ("densenet.layer", 74_432, "one weight"),
    ("densenet.layer", 44_736, "makes 16 maps"),
    ("densenet.layer", 17_168, "no biases"),
    ("densenet.layer", 1, "does not fit"),
    ("densenet.maps", 2688, "forgets the transitions"),
    ("densenet.maps", 832, "once too often"),
    ("densenet.maps", 1024, "DenseNet121"),
    ("densenet.maps", 1280, "third block"),
    ("densenet.maps", 640, "enter the last block"),
    ("densenet.maps", 336, "three times at the end"),
    ("densenet.maps", 1920, "does not fit"),
    ("densenet.budget", best_of_all, "all epochs"),
    ("densenet.budget", last, "last epoch"),
    ("densenet.budget", highest, "highest accuracy"),
    ("densenet.budget", lowest_loss, "lowest loss itself"),
    ("densenet.budget", started, "round up"),
    ("densenet.budget", one_more, "One epoch too many"),
    ("densenet.budget", without_cost, "divide by the cost"),
    ("densenet.budget", in_percent, "percentage points"),
    ("densenet.budget", position, "position of the epoch"),
    ("densenet.budget", first, "epochs are finished"),
    ("densenet.budget", unrounded, "stopped with TypeError"),
    ("densenet.quiz", {"1": "a", "2": "b", "3": "a", "4": "c", "5": "b"}, "Question 1: that is a ResNet"),
    ("densenet.quiz", {"1": "b", "2": "b", "3": "c", "4": "c", "5": "b"}, "nothing about the clock"),
]
