"""Right and typical wrong answers of lesson 14, and the words that a wrong one must meet."""

from itertools import combinations

import numpy as np

from lumbar_utils.evaluation import load_results

VALIDATION, TEST = load_results("zoo/validation"), load_results("zoo")


def reached(names, answers=TEST):
    mean = np.mean([answers[name].probabilities for name in names], axis=0)
    return (mean.argmax(axis=1) == answers[names[0]].labels).mean()


COMMITTEES = [few for size in (2, 3) for few in combinations(VALIDATION, size)]
BEST = max(COMMITTEES, key=reached)
APART = next(few for few in COMMITTEES if abs(reached(few) - reached(few, VALIDATION)) > 0.002)
VOTES = {"hard": "Healthy", "soft": "Herniated Disk", "probability": 1.93 / 3}

RIGHT = [
    ("ensembles.variance", 0.6 + 0.4 / 7),
    ("ensembles.variance", 0.657),
    ("ensembles.votes", VOTES),
    ("ensembles.votes", VOTES | {"hard": "healthy", "probability": 0.64}),
    ("ensembles.stacking", 87),
    ("ensembles.committee", (["cnn", "vgg16"], reached(["cnn", "vgg16"]))),
    ("ensembles.committee", (BEST, round(reached(BEST), 3))),
    ("ensembles.quiz", {"1": "b", "2": "b", "3": "a"}),
]
WRONG = [
    ("ensembles.variance", 1 / 7, "strangers"),
    ("ensembles.variance", 0.6, "seven still add"),
    ("ensembles.variance", 0.4 / 7, "shared part is missing"),
    ("ensembles.variance", 0.6 / 7, "shared part by 7"),
    ("ensembles.variance", 65.7, "percentage"),
    ("ensembles.variance", 0.9, "rho + (1 - rho) / M"),
    ("ensembles.votes", VOTES | {"hard": "Herniated Disk"}, "counts heads"),
    ("ensembles.votes", VOTES | {"soft": "Healthy", "probability": 0.5}, "above one half"),
    ("ensembles.votes", VOTES | {"probability": 1 / 3}, "share of heads"),
    ("ensembles.votes", VOTES | {"probability": 0.95}, "third member alone"),
    ("ensembles.votes", VOTES | {"soft": "Healthy", "probability": 1.07 / 3}, "probability of Healthy"),
    ("ensembles.votes", VOTES | {"soft": "hernia"}, "names a class"),
    ("ensembles.votes", VOTES | {"probability": 0.7}, "mean of 0.49"),
    ("ensembles.votes", "Healthy", "a dict"),
    ("ensembles.stacking", 116, "reference"),
    ("ensembles.stacking", 84, "intercepts"),
    ("ensembles.stacking", 29, "one class needs"),
    ("ensembles.stacking", 24, "four log-probabilities"),
    ("ensembles.stacking", 7, "weighted vote"),
    ("ensembles.stacking", 50, "members · classes + 1"),
    ("ensembles.committee", (["cnn", "vgg16"], 100 * reached(["cnn", "vgg16"])), "percentage"),
    ("ensembles.committee", (APART, reached(APART, VALIDATION)), "who chose it"),
    ("ensembles.committee", (["cnn", "vgg16"], 0.5), "not 0.500"),
    ("ensembles.committee", (["cnn", "resnet"], 0.8), "none of the members"),
    ("ensembles.committee", (["cnn"], 0.8), "no committee"),
    ("ensembles.committee", ("cnn", 0.8), "a list of names"),
    ("ensembles.committee", 0.8, "two things"),
    ("ensembles.quiz", {"1": "a", "2": "b", "3": "a"}, "Question 1: copies agree"),
    ("ensembles.quiz", {"1": "b", "2": "a", "3": "c"}, "Question 3: different is not enough"),
]
