"""Exercises of lesson 10, the involution layer."""

from __future__ import annotations

import numpy as np

from lumbar_utils.teaching.exercises import (
    Exercise,
    NotAnswered,
    Verdict,
    WrongKind,
    letters,
    number,
    numbers,
    result_of,
    right,
    wrong,
)

PARAMETERS = 17_160  # 128 maps, K = 7, G = 8, a quarter: 4,096 + 128 + 12,936


def judge_parameters(answer: object) -> Verdict:
    value = number(answer)
    if value == PARAMETERS:
        return right(
            "17,160: 4,096 to narrow, 128 to normalise, 12,936 to span. A 7 x 7 convolution of 128 maps has 802,816, "
            "47 times as many."
        )
    if value == PARAMETERS - 64:
        return wrong(
            "17,096 are those that learn. Batch normalisation also keeps two running numbers of each of its 32 maps."
        )
    if value == PARAMETERS - 128:
        return wrong("17,032 lacks batch normalisation: four numbers for each of the 32 narrowed maps.")
    if value == PARAMETERS - 392:
        return wrong(
            "16,768 lacks the biases of the span: one for each of the 392 numbers of a pixel's kernels."
        )
    if value == 4096 + 128 + 33 * 49:
        return wrong(
            "5,841 spans one kernel a pixel. 128 maps make 8 groups of 16, and each has its own kernel."
        )
    if value == 4096 + 512 + 12_936:
        return wrong("You normalised 128 maps; the normalisation stands after W0, where 32 are left.")
    if value == 128 * 392 + 392:
        return wrong(
            "You spanned from all 128 maps. W0 narrows them to 32 first, and has weights of its own."
        )
    if value in (802_816, 802_944, 147_456, 147_584):
        return wrong("That is a convolution. An involution learns how to make kernels: W0, BN, W1.")
    if value == 4096 + 128 + 33 * 49 * 128:
        return wrong("You gave each map a kernel of its own. Sixteen maps share one, which makes 8 groups.")
    return wrong(
        f"{value:,.0f} does not fit: 128 · 32 to narrow, 4 · 32 to normalise, (32 + 1) · 49 · 8 to span."
    )


def judge_cost(answer: object) -> Verdict:
    value = number(answer)
    if value == 15:
        return right(
            "1,024 + 128 · 225 = 29,824 against 36,864. So a window of 15 costs no more than a convolution's 3. "
            "In multiply-adds; the next section asks the clock."
        )
    if value == 16:
        return wrong("16 would do, but a kernel has a middle: K is odd.")
    if value == 17:
        return wrong("1,024 + 128 · 289 = 38,016 is just above 36,864.")
    if value == 23:
        return wrong(
            "With 23 only the applying fits, 64 · K². The kernels have to be made as well: 16 · K² · 4 more."
        )
    if value in (13, 11, 9, 7, 5, 3):
        return wrong(f"{value:.0f} is cheaper, yes, but the question asks for the largest odd K that is.")
    if value > 23:
        return wrong(f"1,024 + 128 · {value:.0f}² is far more than 36,864.")
    return wrong(f"{value:g} does not fit: 1,024 + 128 · K² must stay below 36,864, and K is odd.")


def judge_order(answer: object) -> Verdict:
    order = [int(one) for one in numbers(answer, 8)]
    if sorted(order) != list(range(8)):
        return wrong("Each of the maps 0 to 7 has to appear once.")
    first, second = set(order[:4]), set(order[4:])
    if (first, second) == ({0, 2, 4, 6}, {1, 3, 5, 7}):
        return right(
            "The maps of a group now stand side by side. The rows of W0 have to go into the same order, for the "
            "kernels are made from these maps too; and what comes out stands in this order as well. W1 stays as it is."
        )
    if order == list(range(8)):
        return wrong("That leaves the maps where they are: ours would give 0, 1, 2 and 3 the first kernel.")
    if order == [0, 4, 1, 5, 2, 6, 3, 7]:
        return wrong(
            "That is the way back, np.argsort of what is wanted. order[0] is the map that comes first, not the "
            "place to which map 0 goes."
        )
    if (first, second) == ({1, 3, 5, 7}, {0, 2, 4, 6}):
        return wrong(
            "The groups are together, but in the wrong order: group 0 has the even maps, and its kernel comes first."
        )
    return wrong(f"Your first group holds {sorted(first)}. In the colleague's layer these have k mod 2 = 0.")


def judge_port(answer: object) -> Verdict:
    kernel, bias = _one_group()
    found = result_of(answer, kernel.copy(), bias.copy(), 4)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise WrongKind("Return two arrays, the new W1 and the new bias.")
    if any(one is ... for one in found):
        raise NotAnswered
    new_kernel, new_bias = (np.asarray(one, dtype=float) for one in found)
    if new_kernel.shape == (3, 36) and new_bias.shape == (9,):
        return wrong("W1 has grown and the bias has not: it adds one number to each of the 9 · 4 of a pixel.")
    if new_kernel.shape != (3, 36) or new_bias.shape != (36,):
        return wrong(
            f"For W1 (3, 9), bias (9,) and 4 groups you return {new_kernel.shape} and {new_bias.shape}, wanted (3, 36) "
            "and (36,): K · K · G numbers a pixel."
        )
    wanted = np.repeat(kernel, 4, axis=1), np.repeat(bias, 4)
    if np.allclose(new_kernel, wanted[0]) and np.allclose(new_bias, wanted[1]):
        return right(
            "The layer has more parameters and does the very same thing. So every involution with one group is also "
            "one with many; the reverse holds only where the groups happen to agree."
        )
    if np.allclose(new_kernel, np.tile(kernel, 4)):
        return wrong(
            "np.tile writes whole kernels one after the other. Here the four groups of one offset stand together, then "
            "those of the next: repeat each column, not the row of columns."
        )
    if np.allclose(new_kernel * 4, wanted[0]):
        return wrong(
            "You divided by 4. The groups share out the maps, not the weights: no map meets two kernels."
        )
    if np.allclose(new_kernel, wanted[0]):
        return wrong("W1 is right; the bias has to be repeated in the same way.")
    return wrong(
        "The shapes are right, the numbers are not: column K · K · G number n · G + g is offset n of group g."
    )


def _one_group() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(10)
    return rng.normal(size=(3, 9)), rng.normal(size=9)


QUIZ = letters(
    {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"},
    {
        "1": {
            "a": "no kernel is stored. One small network makes them all, which is why the picture may have any size.",
            "c": "the mean over the picture plays no part; each pixel's own maps decide.",
        },
        "2": {
            "a": "neighbours are averaged with weights in both, true; what decides over these weights differs.",
            "b": "no softmax stands in it: weights may be negative and add up to anything.",
        },
        "3": {
            "b": "section 3 shifted the picture, and the answer shifted along.",
            "c": "the kernel knows what lies at its pixel, never where the pixel lies.",
        },
        "4": {
            "a": "multiply-adds are not seconds: section 5 held both forms with the same ones against the clock.",
            "c": "the forms give the same numbers up to rounding.",
        },
        "5": {
            "a": "before training they follow it as well: they are made from the picture.",
            "b": "a filter says what is done to a pixel, not why the network decides as it does.",
        },
    },
    "Made, not stored; no keys; it moves along; memory before multiplications; and always look at the untrained one.",
)

EXERCISES = {
    "parameters": Exercise(
        judge_parameters,
        (
            "128 maps have 128 / 16 = 8 groups, and W0 narrows to 128 / 4 = 32.",
            "W0: 128 · 32. Normalisation: 4 · 32. W1: 32 · (49 · 8), and 49 · 8 biases.",
        ),
    ),
    "cost": Exercise(
        judge_cost,
        (
            "Only two of the three lines depend on K: 16 · K² · 4 to span and 64 · K² to apply.",
            "1,024 + 128 · K² < 36,864, so K² < 280.",
        ),
    ),
    "order": Exercise(
        judge_order,
        (
            "Which maps k have k mod 2 = 0? They share the colleague's first kernel.",
            "Ours gives the first kernel to the first four. So the even maps come first.",
        ),
    ),
    "port": Exercise(
        judge_port,
        (
            "All four groups shall get the same kernel. In which column stands offset 0 of group 0, of group 1, …?",
            "Columns 0, 1, 2 and 3 are offset 0 of the four groups: column 0 of the old W1, four times.",
            "np.repeat(w1, groups, axis=1), and the same for the bias.",
        ),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 2, 7, 3, 5 and 9 hold the answers.",)
    ),
}
