"""Exercises of lesson 17: what lies beside the midline, shared weights, a patient out of five discs."""

from __future__ import annotations

from functools import cache

import numpy as np

from lumbar_utils.teaching.exercises import Exercise, Verdict, letters, near, number, result_of, right, wrong


def judge_share(answer: object) -> Verdict:
    value = number(answer)
    known = _shares()
    if near(value, known["right"], 2e-3):
        return right(
            f"{value:.0%} of the herniations lie 3 mm or more beside the midline. Whoever looks at one midline slice "
            "has lost them before the first network is built."
        )
    if near(value, 1 - known["right"], 2e-3):
        return wrong("That is the share of the central ones; you want those beside the midline.")
    if near(value, known["of all discs"], 2e-3):
        return wrong(
            "You divided by all discs. Of how many herniated ones: keep the rows whose label is 1 first."
        )
    if near(value, known["right only"], 2e-3):
        return wrong(
            "You took the right side only: a herniation at -6 mm lies as far out as one at 6 mm. abs() helps."
        )
    if near(value, 100 * known["right"], 0.3):
        return wrong("That is a percentage; give the share between 0 and 1.")
    return wrong(f"{value:.3f} is not the share of herniated discs whose |offset_mm| is 3 or more.")


@cache
def _shares() -> dict[str, float]:
    from lumbar_utils.beyond.view_pairs import PARACENTRAL_MM
    from lumbar_utils.studies.two_views import stored_findings

    found = stored_findings()
    ill, aside = found["label"] == 1, found["offset_mm"].abs() >= PARACENTRAL_MM
    return {
        "right": float(aside[ill].mean()),
        "of all discs": float((ill & aside).mean()),
        "right only": float((found["offset_mm"] >= PARACENTRAL_MM)[ill].mean()),
    }


BRANCH = {
    "convolutions": 16 * 9 + 32 * 16 * 9 + 48 * 32 * 9,
    "normalisations": 4 * (16 + 32 + 48),
    "dense": 97 * 48,
}


def judge_shared(answer: object) -> Verdict:
    value = number(answer)
    branch = sum(BRANCH.values())
    if value == branch:
        return right(
            f"{branch:,}, once for all five levels. With a branch a level it would be {5 * branch:,}, and each would "
            "have seen a fifth of the herniations."
        )
    if value == 5 * branch:
        return wrong("That is five branches. All levels share one: its weights count once.")
    if value == 2 * branch:
        return wrong("That is both views. The question is about one branch.")
    if value == branch - BRANCH["normalisations"]:
        return wrong(
            "The normalisations are missing: four numbers a map (two learned, two counted along the way)."
        )
    if value == branch - BRANCH["normalisations"] // 2:
        return wrong(
            "Of each normalised map you count two numbers; its running mean and variance are stored too."
        )
    if value == branch + 16 + 32 + 48:
        return wrong(
            "These convolutions have no bias (use_bias=False): the normalisation behind them brings one."
        )
    if value == branch - 48 * 48:
        return wrong(
            "The dense layer gets 96 numbers, mean and maximum of each of 48 maps, and adds 48 biases."
        )
    if value == branch - 48:
        return wrong("The dense layer's 48 biases are missing.")
    return wrong(
        f"{value:,.0f} does not fit. Convolutions: 3 · 3 · in · out without bias; normalisation: 4 a map; dense layer: "
        "96 · 48 + 48."
    )


def judge_any(answer: object) -> Verdict:
    discs = np.array([[0.1, 0.2, 0.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.3, 0.2, 0.1, 0.1]])
    given = np.asarray(result_of(answer, discs.copy()), dtype=float)
    if given.shape != (3,):
        return wrong(
            f"For three patients with five discs each you return the shape {given.shape}, wanted (3,)."
        )
    same = lambda wanted: np.allclose(given, wanted, atol=1e-4)
    if same(1 - np.prod(1 - discs, axis=1)):
        return right(
            "0.64 from 0.1, 0.2 and 0.5, more than the worst disc alone says: several small doubts add up. That holds "
            "if the discs' errors are independent. Are they, in one patient, in one scanner?"
        )
    if same(discs.max(axis=1)):
        return wrong(
            "That is the maximum over the levels: what the network does. Asked is 1 less the chance of none."
        )
    if same(np.prod(1 - discs, axis=1)):
        return wrong("That is the chance that *no* disc is herniated; you want the other one.")
    if same(np.prod(discs, axis=1)):
        return wrong("That is the chance that *all five* are herniated. Begin with the chance that none is.")
    if same(discs.sum(axis=1)) or same(np.minimum(1, discs.sum(axis=1))):
        return wrong(
            "A sum counts patients with two herniations twice, and may pass 1. Multiply the chances of none."
        )
    if same(discs.mean(axis=1)):
        return wrong("A mean lets four sound discs talk the fifth one healthy.")
    return wrong("For discs of 0.1, 0.2, 0, 0.5 and 0 the chance of none is 0.9 · 0.8 · 1 · 0.5 · 1 = 0.36.")


EXERCISES = {
    "share": Exercise(
        judge_share,
        (
            "A herniated disc has label 1. Which of these rows lie 3 mm or more beside the midline?",
            'ill = findings[findings["label"] == 1] leaves the herniated ones; offset_mm is negative on the left.',
            '(ill["offset_mm"].abs() >= 3).mean()',
        ),
    ),
    "shared": Exercise(
        judge_shared,
        (
            "Three convolutions of 3 × 3 without bias, each followed by a normalisation with four numbers a map.",
            "1 → 16, 16 → 32, 32 → 48 maps: 9 · (1·16 + 16·32 + 32·48). And 4 · (16 + 32 + 48).",
            "The dense layer gets the mean and the maximum of 48 maps: 96 · 48 + 48.",
        ),
    ),
    "any": Exercise(
        judge_any,
        (
            "What is the chance that not a single disc is herniated, if each decides for itself?",
            "The chance of none is the product of (1 - p) over the five discs.",
            "return 1 - np.prod(1 - of_disc, axis=1)",
        ),
    ),
    "quiz": Exercise(
        letters(
            {"1": "b", "2": "c", "3": "a", "4": "b"},
            {
                "1": {
                    "a": "more patients do not move the slice: what it does not cross, it does not show.",
                    "c": "a deeper network sees the same pixels.",
                },
                "2": {
                    "a": "it may still be a good network; the comparison only says where the gain came from.",
                    "b": "the interval holds 0, so nothing of the kind was shown.",
                },
                "3": {
                    "b": "sharing does not make levels alike; it lets them use the same detectors.",
                    "c": "the picture stays as large as it was.",
                },
                "4": {
                    "a": "five discs of a patient have one scanner, one age and one pair of eyes in common.",
                    "c": "it is a question of how wide the interval is, not where its middle lies.",
                },
            },
            "Four of four. First ask what a picture can show at all, then what a network makes of it.",
        ),
        (
            "1: what does the slice cross? 2: compare with the better of the two single views.",
            "3: how many herniations does each set of weights get to see? 4: what do a patient's discs share?",
        ),
    ),
}
