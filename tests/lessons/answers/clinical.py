"""Right answers of the clinical half of lesson 18, and wrong ones with what the check says of them."""

import numpy as np
from sklearn.metrics import roc_auc_score

from lumbar_utils.beyond.clinical_table import draw_tables
from lumbar_utils.beyond.fusion import for_prevalence

ROWS, LABELS = draw_tables(600, seed=104)  # the zoo's locked patients
AGE = ROWS["age_years"].to_numpy()
TWO, BETWEEN = np.isin(LABELS, (1, 2)), (AGE >= 50) & (AGE <= 60)


def auc(chosen):
    return roc_auc_score(LABELS[chosen] == 2, AGE[chosen])


def weights(probabilities, old, new):
    return probabilities * new / old


ALL, SAME_AGE = auc(TWO), auc(TWO & BETWEEN)
RIGHT = [
    ("clinical.age", (ALL, SAME_AGE)),
    ("clinical.product", 10.5 / 11.5),
    ("clinical.product", 0.913),
    ("clinical.prevalence", for_prevalence),
    ("clinical.quiz", {"1": "b", "2": "a"}),
]
WRONG = [
    ("clinical.age", (1 - ALL, 1 - SAME_AGE), "asked for herniation"),
    ("clinical.age", (auc(LABELS >= 0), SAME_AGE), "all other classes"),
    ("clinical.age", (SAME_AGE, ALL), "swapped"),
    ("clinical.age", (ALL, auc(BETWEEN)), "keep only stenosis and herniation"),
    ("clinical.age", (ALL, 1 - SAME_AGE), "called True again"),
    ("clinical.age", (ALL, ALL), "50 <= age <= 60"),
    ("clinical.age", (76.0, 55.0), "between 0 and 1"),
    ("clinical.age", (0.99, 0.5), "is not the AUC"),
    ("clinical.age", ALL, "2 numbers"),
    ("clinical.product", 0.65, "is the mean"),
    ("clinical.product", 0.42 / 0.54, "counted twice"),
    ("clinical.product", 31.5 / 32.5, "leaves out the prior"),
    ("clinical.product", 0.42, "not brought to sum 1"),
    ("clinical.product", 1.68, "weight of herniation"),
    ("clinical.product", 10.5, "odds"),
    ("clinical.product", 91.3, "percentage"),
    ("clinical.product", 0.5, "does not fit"),
    ("clinical.prevalence", weights, "no longer sum to 1"),
    (
        "clinical.prevalence",
        lambda p, old, new: weights(p, old, new) / weights(p, old, new).sum(),
        "all patients",
    ),
    ("clinical.prevalence", lambda p, old, new: for_prevalence(p, new, old), "swapped"),
    (
        "clinical.prevalence",
        lambda p, old, new: (p * new) / (p * new).sum(axis=1, keepdims=True),
        "never divide by the old",
    ),
    ("clinical.prevalence", lambda p, old, new: p, "Nothing has changed"),
    ("clinical.prevalence", lambda p, old, new: p + new - old, "multiplied, not added"),
    ("clinical.prevalence", lambda p, old, new: p[0], "wanted (3, 3)"),
    (
        "clinical.prevalence",
        lambda p, old, new: p**2,
        "for a patient whose answer is the old shares".capitalize(),
    ),
    ("clinical.prevalence", 0.5, "a function"),
    ("clinical.quiz", {"1": "a", "2": "a"}, "Question 1: the weight would be 0"),
    ("clinical.quiz", {"1": "b", "2": "c"}, "Question 2: how it was joined"),
]
