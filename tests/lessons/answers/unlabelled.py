"""Right and typical wrong answers of lesson 18, first half, and the words that a wrong one must meet."""

from math import log

import numpy as np


def quality(p, truth, threshold, *, strict=False, of="accepted", empty=(0.0, np.nan)):
    accepted = p.max(axis=1) > threshold if strict else p.max(axis=1) >= threshold
    hit = p.argmax(axis=1) == truth
    if not accepted.any():
        return empty
    return accepted.mean(), {
        "accepted": hit[accepted].mean(),
        "all": hit.mean(),
        "both": (hit & accepted).mean(),
    }[of]


def accept(logits, threshold, max_uncertainty, *, plus=1.0, how="and"):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    sure = p.max(axis=1) >= threshold
    known = logits.shape[1] / (np.log1p(np.exp(logits)) + plus).sum(axis=1) <= max_uncertainty
    taken = {"and": sure & known, "or": sure | known, "sure": sure, "known": known, "not": ~sure}[how]
    return logits.argmax(axis=1), taken


RIGHT = [
    ("unlabelled.loss", (log(2) + log(4)) / 4),
    ("unlabelled.uncertainty", 1 / 3),
    ("unlabelled.quality", quality),
    ("unlabelled.accept", accept),
    ("unlabelled.quiz", {"1": "b", "2": "c", "3": "b", "4": "b"}),
]
WRONG = [
    ("unlabelled.loss", (log(2) + log(4)) / 2, "divided by the two"),
    ("unlabelled.loss", log(2) + log(4), "sum over the accepted"),
    ("unlabelled.loss", -np.log([0.5, 0.9, 0.25, 0.8]).mean(), "all four count"),
    ("unlabelled.loss", -np.log([0.97, 0.99]).sum() / 4, "weak copies"),
    ("unlabelled.loss", -np.log10([0.5, 0.25]).sum() / 4, "base 10"),
    ("unlabelled.loss", np.log([0.5, 0.25]).sum() / 4, "The sign"),
    ("unlabelled.loss", 7, "7 does not fit"),
    ("unlabelled.uncertainty", 0.5, "sum of the evidence"),
    ("unlabelled.uncertainty", 5 / 12, "confidence again"),
    ("unlabelled.uncertainty", 8 / 12, "the rest of it"),
    ("unlabelled.uncertainty", 3, "Turn it round"),
    ("unlabelled.uncertainty", 33.3, "not a percentage"),
    ("unlabelled.uncertainty", 0.9, "7, 2, 1.5 and 1.5"),
    ("unlabelled.quality", lambda p, t, at: quality(p, t, at, strict=True), ">= and not >"),
    ("unlabelled.quality", lambda p, t, at: quality(p, t, at, of="all"), "among all pictures"),
    ("unlabelled.quality", lambda p, t, at: quality(p, t, at, of="both"), "of three accepted"),
    ("unlabelled.quality", lambda p, t, at: quality(p, t, at)[::-1], "wrong order"),
    ("unlabelled.quality", lambda p, t, at: quality(p, t, at, empty=(0.0, 0.0)), "none is accepted"),
    ("unlabelled.quality", lambda p, t, at: (3, 0.67), "share between 0 and 1"),
    ("unlabelled.quality", lambda p, t, at: (1.0, 0.6), "three of five"),
    ("unlabelled.quality", lambda p, t, at: (0.6, 0.9), "two are right"),
    ("unlabelled.quality", lambda p, t, at: 0.6, "two things"),
    ("unlabelled.quality", 0.6, "a function"),
    ("unlabelled.accept", lambda z, p, u: accept(z, p, u, how="sure"), "the stranger"),
    ("unlabelled.accept", lambda z, p, u: accept(z, p, u, how="known"), "two classes share it"),
    ("unlabelled.accept", lambda z, p, u: accept(z, p, u, how="or"), "& and not |"),
    ("unlabelled.accept", lambda z, p, u: accept(z, p, u, how="not"), "Only the first of four"),
    ("unlabelled.accept", lambda z, p, u: accept(z, p, u, plus=0.0), "evidence + 1"),
    ("unlabelled.accept", lambda z, p, u: (-z.argmax(axis=1) - 1, z[:, 0] > 5), "largest logit"),
    ("unlabelled.accept", lambda z, p, u: (0, True), "four entries"),
    ("unlabelled.quiz", {"1": "a", "2": "c", "3": "b", "4": "b"}, "Question 1: the pseudo-label"),
    ("unlabelled.quiz", {"1": "b", "2": "a", "3": "b", "4": "a"}, "Question 4: softmax forgets"),
]
