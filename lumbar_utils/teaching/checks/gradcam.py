"""Exercises of lesson 15, heat maps and what would make one believe them."""

from __future__ import annotations

import numpy as np

from lumbar_utils.teaching.exercises import (
    Exercise,
    Verdict,
    letters,
    near,
    number,
    numbers,
    result_of,
    right,
    wrong,
)


def judge_sure(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 0.25 / 0.0099, 0.02):
        return right(
            "25 times. At 0.9999 it would be 2,500 times, and where the probability rounds to 1 the factor is 0: the "
            "surest answer would say least about its own class."
        )
    if near(value, 0.0396):
        return wrong("0.0396 is the ratio upside down; asked is how many times smaller, a number above 1.")
    if near(value, 0.0099):
        return wrong("0.0099 is p(1-p) at 0.99. Divide p(1-p) at 0.5 by it.")
    if near(value, 50):
        return wrong("50 compares 1-p alone, 0.5 with 0.01. The factor p belongs to it.")
    if near(value, 0.99 / 0.5) or near(value, 0.5 / 0.99):
        return wrong("That compares the two probabilities; compare the two products p(1-p).")
    if near(value, 99):
        return wrong("99 are the odds p/(1-p). The derivative of softmax is the product p(1-p).")
    return wrong(
        f"{value:.3g} does not fit: work out 0.5 · 0.5 and 0.99 · 0.01, and divide the first by the second."
    )


def judge_ceiling(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 48 / 1024, 5e-4):
        return right(
            "4.7 %, from a map that knows the truth. Its IoU is the same 4.7 %. Whoever calls such a score poor blames "
            "the network for its grid."
        )
    if near(value, 48 / 224**2, 1e-4):
        return wrong(
            "That is the lesion's share of a 224 x 224 picture, which is chance. All heat of the perfect map lies in "
            "one cell."
        )
    if near(value, 1.0, 1e-6):
        return wrong(
            "The cell holds the whole lesion, but the heat fills the whole cell, also where no lesion is."
        )
    if near(value, 1 / 49, 1e-3):
        return wrong("1/49 is the cell's share of a 7 x 7 grid. Asked is the lesion's share of the cell.")
    if near(value, 1024 / 48, 0.01):
        return wrong("You turned the fraction over; a share is at most 1.")
    if near(value, 4.6875, 0.02):
        return wrong("That is a percentage; give the fraction between 0 and 1.")
    if near(value, 48 / 32, 1e-6):
        return wrong("48/32 divides an area by a side; the cell has 32 · 32 pixels.")
    return wrong(f"{value:.3g} does not fit: the heat is spread evenly over the cell; count pixels of both.")


def judge_layercam(answer: object) -> Verdict:
    maps, gradients = _maps_and_gradients()
    found = np.asarray(result_of(answer, maps.copy(), gradients.copy()), dtype=float)
    if found.shape == maps.shape:
        return wrong(
            f"Your result has shape {found.shape}, one heat for each of the {maps.shape[-1]} maps; add them up, "
            ".sum(axis=-1)."
        )
    if found.shape != maps.shape[:3]:
        return wrong(f"Your result has shape {found.shape}, wanted {maps.shape[:3]}: a number for each cell.")
    if np.isnan(found).any():
        return wrong(
            "In one of the pictures nothing speaks for the class, and you divide 0 by 0 there: NaN. Divide by 1 where "
            "the maximum is 0."
        )
    wanted = {
        "layercam": np.maximum(gradients, 0) * maps,
        "hirescam": gradients * maps,
        "gradcam": gradients.mean(axis=(1, 2), keepdims=True) * maps,
        "absolute": np.abs(gradients) * maps,
        "no maps": np.maximum(gradients, 0),
    }
    sums = {name: products.sum(axis=-1) for name, products in wanted.items()}
    if np.allclose(found, _scaled(sums["layercam"]), atol=1e-6):
        return right(
            "Where the gradient is alike in every cell, as in section 2, this drops the maps that speak against the "
            "class and keeps the rest as Grad-CAM has them. At earlier layers it differs from cell to cell."
        )
    if np.allclose(found, sums["layercam"], atol=1e-6):
        return wrong(
            "The evidence is right. Divide each picture by its own maximum, so that its hottest cell is 1."
        )
    if np.allclose(found, sums["layercam"] / sums["layercam"].max(), atol=1e-6):
        return wrong(
            "You divided all pictures by the largest value of the whole batch; each has its own maximum: "
            ".max(axis=(1, 2), keepdims=True)."
        )
    if np.allclose(found, _scaled(sums["hirescam"]), atol=1e-6) or np.allclose(
        found, sums["hirescam"], atol=1e-6
    ):
        return wrong(
            "That is HiResCAM: negative gradients took something away before you cut. In LayerCAM the gradient is "
            "cut at 0 first, cell by cell."
        )
    if np.allclose(found, _scaled(sums["gradcam"]), atol=1e-6) or np.allclose(
        found, sums["gradcam"], atol=1e-6
    ):
        return wrong("That is Grad-CAM: you averaged the gradient over the cells. LayerCAM averages nothing.")
    if np.allclose(found, _scaled(sums["absolute"]), atol=1e-6):
        return wrong("You took the size of the gradient; what speaks against the class then counts for it.")
    if np.allclose(found, _scaled(sums["no maps"]), atol=1e-6):
        return wrong("The gradients alone: multiply each by its map's value in the same cell.")
    return wrong(
        "The heat differs from LayerCAM's: cut the gradients at 0, multiply by the maps, add up over the last axis, "
        "and divide each picture by its maximum."
    )


def _maps_and_gradients() -> tuple[np.ndarray, np.ndarray]:
    """Return maps and gradients of three pictures, both (3, 4, 5, 6); in the last nothing speaks for the class."""
    rng = np.random.default_rng(15)
    maps, gradients = rng.random((3, 4, 5, 6)), rng.normal(0.2, 1.0, (3, 4, 5, 6))
    gradients[2] = -np.abs(gradients[2])
    return maps, gradients


def _scaled(evidence: np.ndarray) -> np.ndarray:
    positive = np.maximum(evidence, 0)
    peak = positive.max(axis=(1, 2), keepdims=True)
    return positive / np.where(peak > 0, peak, 1)


def judge_intervene(answer: object) -> Verdict:
    before, after = numbers(answer, 2)
    if not (0 <= before <= 1 and 0 <= after <= 1):
        return wrong("Both are shares of the patients, between 0 and 1.")
    if before == after:
        return wrong(
            f"Both are {before:.0%}. Did the letter get onto the pictures? with_letter returns a marked copy; the "
            "picture that you hand in stays as it is."
        )
    if before > after:
        return wrong(
            f"{before:.0%} as they are and {after:.0%} with the letter: are the two in the order asked, and are these "
            "the patients without stenosis? A letter that speaks for stenosis should not take the answer away."
        )
    return right(
        f"{before:.0%} as they are, {after:.0%} with a letter in the corner and nothing else changed. The map pointed "
        "at the letter; this shows what the letter does."
    )


def judge_choose(answer: object) -> Verdict:
    chosen, others = numbers(answer, 2)
    if not (0 <= chosen <= 1 and 0 <= others <= 1):
        return wrong("Both are shares of the heat, between 0 and 1.")
    if chosen == others:
        return wrong("Both are the same number. The second is measured on the other half, lesions[half:].")
    if max(chosen, others) > 0.5:
        return wrong(
            f"{max(chosen, others):.0%} of the heat in the lesion is more than the ceiling of these grids. Give the "
            "mean of energy(one_heat, one_lesion), not of a pointing game or of the disc."
        )
    if chosen < 0.02:
        return wrong(
            f"{chosen:.1%} is about chance. Choose the largest mean energy, and explain each patient's own class, "
            "class_index=labels."
        )
    told = (
        "less, as the best of twelve usually does"
        if others < chosen
        else "no less this time; the halves differ by luck as well"
    )
    return right(
        f"{chosen:.1%} where it was chosen, {others:.1%} on patients who had no say: {told}. Report the second, with "
        "an interval over patients."
    )


QUIZ = letters(
    {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"},
    {
        "1": {
            "a": "each map is divided by its own maximum, so size does not matter.",
            "c": "it has one, p(1-p) and its kin; it only fades where the network is sure.",
        },
        "2": {
            "a": "even a perfect map on 24 x 12 cells has most of its heat beside the lesion (section 4).",
            "b": "above chance is a start; edges and a blob in the middle are above chance as well.",
        },
        "3": {
            "b": "a map that does not notice that the network forgot everything does not show the network.",
            "c": "the map did not even depend on the training.",
        },
        "4": {
            "a": "the brightness of section 11 was a shortcut with an innocent map.",
            "c": "where evidence is counted does not say why.",
        },
        "5": {
            "a": "deletion never looked at the lesion; only masks can tell.",
            "b": "it says what this network used, and nothing about radiologists.",
        },
    },
    "Next time someone shows you a heat map, you will ask for its neighbours.",
)

EXERCISES = {
    "sure": Exercise(
        judge_sure,
        (
            "At 0.5 the product p(1-p) is 0.25. What is it at 0.99?",
            "0.25 divided by 0.99 · 0.01.",
        ),
    ),
    "ceiling": Exercise(
        judge_ceiling,
        (
            "All heat lies in one cell, evenly. How many pixels has the cell, and how many of them are lesion?",
            "6 · 8 over 32 · 32.",
        ),
    ),
    "layercam": Exercise(
        judge_layercam,
        (
            "np.maximum(gradients, 0) cuts the gradients; multiply by maps and .sum(axis=-1).",
            "The maximum of each picture: evidence.max(axis=(1, 2), keepdims=True).",
            "Where that maximum is 0, divide by 1: np.where(peak > 0, peak, 1).",
        ),
    ),
    "intervene": Exercise(
        judge_intervene,
        (
            "The first: np.mean(predict(trapped['letter'], others).argmax(axis=1) == STENOSIS).",
            "Mark every picture: np.stack([with_letter(image) for image in others]), then ask again.",
        ),
    ),
    "choose": Exercise(
        judge_choose,
        (
            "Two loops, over methods and layers; keep an array of energies, one a patient, for each pair.",
            "max(tried, key=lambda pair: tried[pair][:half].mean()) names the best pair of the first half.",
            "Then tried[best][:half].mean() and tried[best][half:].mean().",
        ),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 3, 6, 8, 11 and 9 hold the answers.",)
    ),
}
