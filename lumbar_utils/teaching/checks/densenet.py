"""Exercises of lesson 08, DenseNet."""

from __future__ import annotations

import numpy as np

from lumbar_utils.teaching.exercises import (
    Exercise,
    Verdict,
    WrongKind,
    letters,
    near,
    number,
    result_of,
    right,
    wrong,
)

TABLE = np.array([[1, 1], [1, 0], [1, -1]])
C, K = 48 + 4 * 16, 16  # what layer 5 reads, and the growth rate
READ, LOOK, NORMALISE_C, NORMALISE_4K = C * 4 * K, 9 * 4 * K * K, 4 * C, 16 * K
LAYER = READ + LOOK + NORMALISE_C + NORMALISE_4K


def judge_table(answer: object) -> Verdict:
    try:
        table = np.array(answer, dtype=float)
    except (TypeError, ValueError):
        raise WrongKind("The answer is a table of numbers, three rows of two.") from None
    if table.shape == (2, 3):
        turned = " Yours is right but for that." if np.array_equal(table.T, TABLE) else ""
        return wrong(
            "Yours has a row for each reader; a table has a row for each map and a column for each reader."
            + turned
        )
    if table.shape != (3, 2):
        return wrong(
            f"Its shape is {table.shape}, wanted (3, 2): a row for each kept map, a column for each reader."
        )
    if np.array_equal(table, TABLE):
        return right(
            "Two readers, two columns, and neither disturbs the other: the maps stay as they are, so one may sum them "
            "up and the other compare them."
        )
    if np.array_equal(table, TABLE[:, ::-1]):
        return wrong("The readers stand in the other order: first a + b + c, then a - c.")
    if np.array_equal(table[:, 0], [1, 1, 1]) and np.array_equal(table[:, 1], [-1, 0, 1]):
        return wrong("The second reader gets c - a. The minus belongs to c.")
    if np.array_equal(table[:, 0], [1, 1, 1]) and np.array_equal(table[:, 1], [1, -1, 0]):
        return wrong("The second reader gets a - b. Its row of weights for b must be 0, and -1 stands at c.")
    if np.array_equal(table[:, 0], [1, 1, 1]):
        given = ", ".join(f"{weight:g}" for weight in table[:, 1])
        return wrong(
            f"The first column is right. The second gives a, b, c the weights {given}; wanted is 1 · a + 0 · b - 1 · c."
        )
    if np.array_equal(table[:, 1], [1, 0, -1]):
        return wrong("The second column is right. The first reader sums all three maps, each with weight 1.")
    return wrong(
        "Write each reader as weights of a, b, c: a + b + c is 1, 1, 1, and it fills the first column."
    )


def judge_layer(answer: object) -> Verdict:
    value = number(answer)
    if value == LAYER:
        return right(
            f"{LAYER:,}: {READ:,} read, {LOOK:,} look, and the rest normalises. The bottleneck does not pay yet: "
            f"without it, 9 · {C} · {K} = {9 * C * K:,} weights would do."
        )
    known = {
        READ + LOOK: "That is the two convolutions. Each has a normalisation before it, four numbers a map.",
        READ
        + LOOK
        + NORMALISE_C: "One normalisation is missing: the 4 · 16 = 64 maps between the two steps have one too.",
        READ + LOOK + NORMALISE_4K: f"One normalisation is missing: that of the {C} maps which are read.",
        READ + LOOK + (NORMALISE_C + NORMALISE_4K) // 2: (
            "Two of a normalisation's four numbers a map are running means and spreads; they count here too."
        ),
        _bill(C + K): f"You let it read {C + K} maps. Before the fifth layer there are four, not five.",
        _bill(
            48
        ): "You let it read 48 maps, as the first layer does. The four layers before it have each added 16.",
        _bill(K): "You let it read 16 maps, those of its predecessor. It reads all that came before.",
        _bill(
            4 * K
        ): "You let it read 64 maps: those of the four layers. The 48 that came into the block are still there.",
        9 * C * K + NORMALISE_C: (
            "That is a 3 x 3 convolution on all it reads. Here a 1 x 1 convolution first makes 4 · 16 maps of them."
        ),
        C * K + 9 * K * K + NORMALISE_C + 4 * K: "The 1 x 1 convolution makes 4 · 16 = 64 maps, not 16.",
        READ
        + 4 * K * K
        + NORMALISE_C
        + NORMALISE_4K: "The second convolution is 3 x 3: nine weights for each pair of maps.",
        9 * READ
        + LOOK
        + NORMALISE_C
        + NORMALISE_4K: "The first convolution is 1 x 1: one weight for each pair of maps.",
        READ + 9 * 16 * K * K + NORMALISE_C + NORMALISE_4K: "The 3 x 3 convolution makes 16 maps, not 64.",
    }
    if value in known:
        return wrong(known[value])
    if value == LAYER + 4 * K + K:
        return wrong("There are no biases: the normalisations shift the maps anyway.")
    return wrong(
        f"{value:,.0f} does not fit. How many maps does layer 5 read? Then add the four rows of section 3's table."
    )


def _bill(c: int) -> int:
    """Return the parameters of a dense layer with growth rate `K` that reads c maps."""
    return 4 * c + c * 4 * K + 16 * K + LOOK


def judge_maps(answer: object) -> Verdict:
    value = number(answer)
    if value == 1664:
        return right(
            "64 → 256 → 128 → 512 → 256 → 1,280 → 640 → 1,664. Nearly two thirds of them are new in the last block."
        )
    known = {
        2688: "64 + 32 · 82 = 2,688 forgets the transitions, which halve the maps three times.",
        832: "That is halved once too often: no transition follows the last block.",
        1024: "1,024 is DenseNet121, whose last block has 16 layers; here it has 32.",
        1280: "1,280 stand at the end of the third block. A transition and a block of 32 layers follow.",
        640: "640 maps enter the last block. Its 32 layers add 32 each.",
        1472: "1,472 would be a third block of 20 layers; it has 32.",
        336: "2,688 / 8 halves everything three times at the end. Maps of late blocks are halved less often.",
    }
    if value in known:
        return wrong(known[value])
    return wrong(
        f"{value:,.0f} does not fit: a block adds 32 maps a layer, a transition halves what there is; start from 64."
    )


def judge_budget(answer: object) -> Verdict:
    loss, accuracy = _curves()
    cases = ((3.0, 16.0), (1.0, 8.0), (2.0, 100.0), (4.0, 7.9))
    given, wanted = [], []
    for cost, budget in cases:
        given.append(number(result_of(answer, loss, accuracy, cost, budget)))
        wanted.append(_best_within(loss, accuracy, cost, budget))
    if all(near(g, w, 1e-9) for g, w in zip(given, wanted, strict=True)):
        return right(
            "Cost and budget have no fixed unit, so the same lines compare at equal epochs, equal work and equal time."
        )
    for name, reason in _REASONS.items():
        wrongly = [_WRONG[name](loss, accuracy, cost, budget) for cost, budget in cases]
        if all(near(g, w, 1e-9) for g, w in zip(given, wrongly, strict=True)):
            return wrong(reason)
    which = next(i for i, (g, w) in enumerate(zip(given, wanted, strict=True)) if not near(g, w, 1e-9))
    cost, budget = cases[which]
    return wrong(
        f"With {len(loss)} epochs of cost {cost:g} and a budget of {budget:g} you return {given[which]:.3f}, wanted "
        f"{wanted[which]:.3f}: {min(len(loss), int(budget // cost))} epochs are finished; take the accuracy of the one "
        "with the lowest loss."
    )


def _curves() -> tuple[np.ndarray, np.ndarray]:
    """Return loss and accuracy of ten made-up epochs; the lowest loss and the highest accuracy lie apart."""
    loss = np.array([1.30, 0.90, 0.95, 0.80, 0.85, 0.70, 0.75, 0.78, 0.60, 0.66])
    accuracy = np.array([0.40, 0.58, 0.60, 0.63, 0.66, 0.64, 0.71, 0.69, 0.74, 0.76])
    return loss, accuracy


def _best_within(loss, accuracy, cost, budget):
    return accuracy[np.argmin(loss[: int(budget // cost)])]


_WRONG = {
    "all": lambda loss, accuracy, cost, budget: accuracy[np.argmin(loss)],
    "last": lambda loss, accuracy, cost, budget: accuracy[min(len(loss), int(budget // cost)) - 1],
    "highest": lambda loss, accuracy, cost, budget: accuracy[: int(budget // cost)].max(),
    "loss": lambda loss, accuracy, cost, budget: loss[: int(budget // cost)].min(),
    "started": lambda loss, accuracy, cost, budget: accuracy[np.argmin(loss[: int(np.ceil(budget / cost))])],
    "one more": lambda loss, accuracy, cost, budget: accuracy[np.argmin(loss[: int(budget // cost) + 1])],
    "no cost": lambda loss, accuracy, cost, budget: accuracy[np.argmin(loss[: int(budget)])],
    "percent": lambda loss, accuracy, cost, budget: 100 * _best_within(loss, accuracy, cost, budget),
    "epoch": lambda loss, accuracy, cost, budget: float(np.argmin(loss[: int(budget // cost)])),
}
_REASONS = {
    "all": "You look at all epochs, whatever the budget. Only loss[:finished] has been paid for.",
    "last": "You return the last epoch that is finished. fit goes back to the one with the lowest validation loss.",
    "highest": "You take the highest accuracy. fit chooses by the lowest loss, and their epochs need not be the same.",
    "loss": "That is the lowest loss itself. Return the accuracy of the same epoch.",
    "started": "You round up: an epoch that was begun and not finished has no result yet.",
    "one more": "One epoch too many: with budget 8 and cost 1, loss[:8] holds the eight that are finished.",
    "no cost": "You did not divide by the cost: finished is budget // cost_an_epoch.",
    "percent": "These are percentage points; return the accuracy as it stands in val_accuracy.",
    "epoch": "That is the position of the epoch. Return val_accuracy at this position.",
}

QUIZ = letters(
    {"1": "b", "2": "b", "3": "a", "4": "c", "5": "b"},
    {
        "1": {
            "a": "that is a ResNet; a sum could not be taken apart again.",
            "c": "the gradient takes the same road backwards, but the maps themselves go forwards.",
        },
        "2": {
            "a": "looking always goes from 4k maps to k, in each layer alike.",
            "c": "only the reading grows; the table of section 3 has one constant column.",
        },
        "3": {
            "b": "memory in training holds what the layers hand on, and that is many copies of few maps.",
            "c": "section 5: parameters say nothing about the clock.",
        },
        "4": {
            "a": "between a weight and the diagnosis lie all other layers.",
            "b": "another source may hold the same; a weight cannot tell.",
        },
        "5": {
            "a": "an overfitting network has its best epoch early, not last.",
            "c": "A was still learning when its time was up.",
        },
    },
    "Kept and not added, reading and not looking, disk and not clock, cut and not guess, and equal in what.",
)

EXERCISES = {
    "table": Exercise(
        judge_table,
        (
            "A row for each kept map, a column for each reader.",
            "a + b + c has the weights 1, 1, 1; they fill the first column from top to bottom.",
            "a - c has the weights 1, 0, -1.",
        ),
    ),
    "layer": Exercise(
        judge_layer,
        (
            "Before the fifth layer there are the 48 maps and those of four layers, 16 each.",
            "layer_bill(c, k) gives the three parts; k is 16.",
            "sum(layer_bill(48 + 4 * 16, 16))",
        ),
    ),
    "maps": Exercise(
        judge_maps,
        (
            "After the first block 64 + 6 · 32 = 256, after the transition 128.",
            "Go on: + 12 · 32, halve, + 32 · 32, halve, + 32 · 32.",
        ),
    ),
    "budget": Exercise(
        judge_budget,
        (
            "finished = int(budget // cost_an_epoch) epochs are paid for.",
            "np.argmin(val_loss[:finished]) is the position of the best of them.",
            "return val_accuracy[np.argmin(val_loss[:finished])]",
        ),
    ),
    "quiz": Exercise(QUIZ, ("Sections 2, 3, 5, 9 and 7, in this order, hold the answers.",)),
}
