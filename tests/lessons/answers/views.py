"""Right answers of lesson 17, and wrong ones with what the check says of them."""

import numpy as np

from lumbar_utils.studies.two_views import stored_findings

FOUND = stored_findings()
ILL = FOUND[FOUND["label"] == 1]
SHARE = (ILL["offset_mm"].abs() >= 3).mean()
BRANCH = 9 * (1 * 16 + 16 * 32 + 32 * 48) + 4 * (16 + 32 + 48) + 96 * 48 + 48

RIGHT = [
    ("views.share", SHARE),
    ("views.shared", BRANCH),
    ("views.any", lambda p: 1 - np.prod(1 - p, axis=1)),
    ("views.quiz", {"1": "b", "2": "c", "3": "a", "4": "b"}),
]
WRONG = [
    ("views.share", 1 - SHARE, "central ones"),
    ("views.share", len(ILL[ILL["offset_mm"].abs() >= 3]) / len(FOUND), "divided by all discs"),
    ("views.share", (ILL["offset_mm"] >= 3).mean(), "right side only"),
    ("views.share", 100 * SHARE, "percentage"),
    ("views.share", 0.01, "is not the share"),
    ("views.shared", 5 * BRANCH, "five branches"),
    ("views.shared", 2 * BRANCH, "both views"),
    ("views.shared", BRANCH - 4 * 96, "normalisations are missing"),
    ("views.shared", BRANCH - 2 * 96, "running mean"),
    ("views.shared", BRANCH + 96, "no bias"),
    ("views.shared", BRANCH - 48 * 48, "gets 96 numbers"),
    ("views.shared", BRANCH - 48, "48 biases"),
    ("views.shared", 12, "does not fit"),
    ("views.any", lambda p: p.max(axis=1), "maximum"),
    ("views.any", lambda p: np.prod(1 - p, axis=1), "other one"),
    ("views.any", lambda p: np.prod(p, axis=1), "all five"),
    ("views.any", lambda p: p.sum(axis=1), "sum counts"),
    ("views.any", lambda p: p.mean(axis=1), "talk the fifth"),
    ("views.any", lambda p: 1 - np.prod(1 - p), "wanted (3,)"),
    ("views.any", lambda p: p[:, 0], "0.36"),
    ("views.quiz", {"1": "a", "2": "c", "3": "a", "4": "b"}, "do not move the slice"),
    ("views.quiz", {"1": "b", "2": "b", "3": "c", "4": "c"}, "Question 2: the interval holds 0"),
]
