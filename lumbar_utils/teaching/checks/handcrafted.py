"""Exercises of lesson 12, handcrafted features."""

from __future__ import annotations

from functools import cache

import numpy as np

from lumbar_utils.evaluation import Estimate, Predictions, delong
from lumbar_utils.framing import COLUMN_SIZE, frame
from lumbar_utils.phantom import render, sample_patient
from lumbar_utils.teaching.exercises import Exercise, Verdict, letters, near, number, result_of, right, wrong

CLASSES = ("Healthy", "Spondylosis")
N_STRANGERS, FIRST_SEED = 40, 120_000  # patients of each class, drawn from seeds that no lesson uses


def judge_contrast(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 1.0):
        return right(
            "1.000 down, 0.583 sideways: the same picture, and nearly twice the contrast. A direction is part of the "
            "feature, so never compare two contrasts without it."
        )
    if near(value, 14 / 24):
        return wrong("0.583 is the contrast sideways. Pair each pixel with the one below it.")
    if near(value, 12) or near(value, 24):
        return wrong(
            f"{value:g} is a sum of squared steps. Divide by the number of pairs, so that a larger picture does not "
            "count for more."
        )
    if near(value, 16 / 24):
        return wrong(
            "0.667 is the mean step without the square, Haralick's dissimilarity. Contrast squares (i - j)."
        )
    if near(value, 0.5) or near(value, 2.0):
        return wrong(
            f"{value:g} counts each pair from both ends in one place only. 24 entries, or 12 pairs: the sum and its "
            "divisor must count alike."
        )
    if near(value, 12 / 16) or near(value, 24 / 16):
        return wrong("16 is the number of pixels. Only 12 of them have a pixel below.")
    if near(value, 22 / 24):
        return wrong(
            "Nearly: one step of 1 is missing. Go through the last two rows again, column by column."
        )
    return wrong(
        f"{value:.3g} does not fit: of the 12 steps down, six are 0, four are 1 and two are 2. Square, and take the "
        "mean."
    )


def judge_lbp(answer: object) -> Verdict:
    value = number(answer)
    if value == 167:
        return right(
            "1 + 2 + 4 + 32 + 128 = 167, with five ones in two arcs and four jumps: a mixed pattern. Were the lower "
            "left pixel 42 instead of 44, it would be a plain edge: that is why noise moves this feature so far."
        )
    if value == 39:
        return wrong(
            "39 leaves out the lower right 43, which is as bright as the middle. At least as bright counts as 1."
        )
    if value == 203:
        return wrong("203 walks clockwise. After the right neighbour comes the upper right one.")
    if value == 229:
        return wrong(
            "You have the bits; the first of them is worth 1, the last 128. 229 weighs them the other way round."
        )
    if value == 94 or value == 244:
        return wrong(f"{value:g} begins in the upper left corner. Begin on the right.")
    if value == 88:
        return wrong("88 counts the darker neighbours. A neighbour at least as bright as the middle gives 1.")
    if value == 5:
        return wrong("Five is the number of ones. The code adds 1, 2, 4, ... 128 for them.")
    if value == 9:
        return wrong(
            "9 is the bin of mixed patterns, where this pixel ends up. The question asks for the code."
        )
    if value == 11100101:
        return wrong(
            "These are the bits in the order of the walk. Add 1 for the first, 2 for the second, 4 for the third, ..."
        )
    return wrong(
        f"{value:g} does not fit: anticlockwise from the right the neighbours are 47, 50, 45, 41, 39, 44, 40, 43, and "
        "the middle is 43."
    )


def judge_hog(answer: object) -> Verdict:
    value = number(answer)
    if value == 540:
        return right(
            "5 · 3 blocks of 36 numbers: 2.5 times the 216 of the cells alone, because an inner cell stands in four "
            "blocks, each time divided by another neighbourhood."
        )
    if value == 216:
        return wrong(
            "216 = 24 cells · 9, or six blocks that do not overlap · 36. Blocks start one cell apart, so they overlap."
        )
    if value == 864:
        return wrong(
            "864 starts a block in each of the 24 cells. In the last row and column a block of 2 × 2 does not fit."
        )
    if value == 135:
        return wrong("135 = 15 blocks · 9 directions. Each block holds the compasses of four cells.")
    if value == 15:
        return wrong("15 blocks, right. Each holds 4 cells with 9 directions.")
    if value == 36:
        return wrong("36 are the numbers of one block. How many blocks are there?")
    if value == 24:
        return wrong(
            "24 is the number of cells. Put them together in blocks, and give each cell 9 directions."
        )
    if value == 1980:
        return wrong("1,980 belong to a column of 192 × 96. This picture is smaller.")
    return wrong(
        f"{value:g} does not fit: 6 × 4 cells, so 5 × 3 places for a block, and 2 · 2 · 9 numbers in each."
    )


@cache
def strangers() -> tuple[np.ndarray, np.ndarray]:
    """Return columns (80, 192, 96) uint8 of drawn patients, and their labels: 0 Healthy, 1 Spondylosis."""
    pictures = [
        render(sample_patient(FIRST_SEED + seed, disease=disease)).image
        for disease in CLASSES
        for seed in range(N_STRANGERS)
    ]
    return frame(np.stack(pictures), COLUMN_SIZE, "column").pictures, np.repeat([0, 1], N_STRANGERS)


def rescanned() -> np.ndarray:
    """Return the strangers' columns with a gain of 0.6 to 1 for each, drawn by lot."""
    columns, labels = strangers()
    gains = np.random.default_rng(12).uniform(0.6, 1.0, len(labels))
    return np.round(columns * gains[:, None, None]).astype(np.uint8)


def area(values: list[float]) -> Estimate:
    """Return the AUC for Spondylosis of one number a stranger, with DeLong's interval."""
    labels = strangers()[1]
    rank = np.unique(values, return_inverse=True)[1] / len(labels)  # only the order counts
    return delong(
        Predictions(
            labels=labels,
            probabilities=np.column_stack([1 - rank, rank]),
            class_names=CLASSES,
            patient_ids=np.arange(len(labels)).astype(str),
            model="your feature",
            dataset="held-out phantoms",
            measured_on="phantoms",
        ),
        "Spondylosis",
    )


def judge_own(answer: object) -> Verdict:
    columns = strangers()[0]
    values = [number(result_of(answer, column.copy())) for column in columns]
    if not np.all(np.isfinite(values)):
        return wrong(
            f"For {np.sum(~np.isfinite(values))} of {len(values)} patients your feature is not a finite number. "
            "Is there a division by zero, or a mean of nothing?"
        )
    if len(set(values)) == 1:
        return wrong(
            f"Your feature is {values[0]:g} for every patient. With uint8, sums and differences run over at 255: turn "
            "the column into float first."
        )
    found = area(values)
    said = f"AUC {found} on {len(values)} patients whom nobody had met (phantoms)"
    if found.high < 0.5:
        return wrong(
            f"{said}: it tells them apart the wrong way round. Larger shall mean Spondylosis; put a minus before it."
        )
    if found.low < 0.5:
        return wrong(
            f"{said}: the interval holds 0.5, so it cannot be told from a coin. Look where the discs are, and compare "
            "them with something in the same picture."
        )
    again = area([number(result_of(answer, column)) for column in rescanned()])
    if again.value < found.value - 0.05:
        return wrong(
            f"{said}, but {again.value:.3f} if every patient is scanned with a gain of its own, from 0.6 to 1. Your "
            "feature measures the scanner too: divide by something of the same picture, such as its median."
        )
    return right(
        f"{said}, and {again.value:.3f} with a gain of its own for every patient. One number, and you can say what it "
        "means: that is what no list of 2,109 features gives."
    )


QUIZ = letters(
    {"1": "c", "2": "b", "3": "c", "4": "b", "5": "b"},
    {
        "1": {
            "a": "it saw no labels, true, and section 11 measured next to nothing; but few patients with many features "
            "can bias a score all the same.",
            "b": "section 11 measured a leak too small to see. Worthless is what selection by labels made of a score.",
        },
        "2": {
            "a": "PCA never sees a label; in section 10 the first component was the bow of the back.",
            "c": "the bow of the back is no noise, it is real. It is not what was asked for.",
        },
        "3": {
            "a": "what a feature is invariant to, it cannot see.",
            "b": "for a cell under the microscope, which lies anyhow, it is just right.",
        },
        "4": {
            "a": "a family may know much that another knows as well; section 7 asked each alone.",
            "c": "nothing was wrong with the fit; features that repeat one another can replace one another.",
        },
        "5": {
            "a": "the anatomy is the same, the grey values are not; GLCM in section 9 saw the same patients.",
            "c": "a feature that divides by something of the same picture need not lose anything.",
        },
    },
    "You know what a picture holds, what a number keeps of it, and who must not see the labels.",
)

EXERCISES = {
    "contrast": Exercise(
        judge_contrast,
        (
            "Put the first row above the second: 0 over 0, 0 over 0, 1 over 1, 1 over 1. Four steps of 0.",
            "The steps down are 0 0 0 0, then 0 2 1 1, then 2 0 1 1. Square them.",
            "The squares add up to 12, and there are 12 pairs.",
        ),
    ),
    "lbp": Exercise(
        judge_lbp,
        (
            "The walk meets 47, 50, 45, 41, 39, 44, 40, 43. Which of them are 43 or more?",
            "The bits are 1 1 1 0 0 1 0 1, worth 1, 2, 4, 8, 16, 32, 64, 128.",
        ),
    ),
    "hog": Exercise(
        judge_hog,
        (
            "How many cells are there? 96 / 16 down and 64 / 16 across.",
            "Of 6 cells in a row, how many pairs of neighbours can you take? That many blocks fit.",
            "5 · 3 blocks, each with 2 · 2 cells of 9 directions.",
        ),
    ),
    "own": Exercise(
        judge_own,
        (
            "strip = column[:, 34:62].astype(float) holds bodies and discs. What is its median, in anatomy?",
            "Worn discs are dark. Count the pixels that are much darker than the median of the strip.",
            "np.mean(strip < 0.6 * np.median(strip)); the median divides the gain out.",
        ),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 11, 10, 6, 8 and 9 hold the answers.",)
    ),
}
