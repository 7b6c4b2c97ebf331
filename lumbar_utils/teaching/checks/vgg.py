"""Exercises of lesson 06, VGG16 and transfer learning."""

from __future__ import annotations

import numpy as np

from lumbar_utils.preparation import CAFFE_MEAN
from lumbar_utils.teaching.exercises import (
    Exercise,
    Verdict,
    WrongKind,
    letters,
    near,
    number,
    numbers,
    result_of,
    right,
    wrong,
)

FIRST_DENSE = 102_764_544


def judge_windows(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 22 / 49):
        return right(
            "0.449: three small windows keep 27 of 49 weights for the same sight, and put three ReLUs where there was "
            "one."
        )
    if near(value, 27 / 49):
        return wrong("0.551 is the share that remains. The question asks for what is saved.")
    if near(value, 7 / 25):
        return wrong("0.28 is the 5 x 5 of the text. A 7 x 7 window has 49 weights.")
    if near(value, 22 / 27):
        return wrong(
            "0.815 is how much more a 7 x 7 window has, with the three small ones as 100 %. Here 49 is the whole."
        )
    if near(value, 40 / 49):
        return wrong("40 / 49 replaces the 7 x 7 by a single 3 x 3. That one sees 3 pixels; it takes three.")
    if near(value, 31 / 49):
        return wrong(
            "31 / 49 counts two small windows. Two of them see 5 pixels; the third adds the last two."
        )
    if near(value, 44.9, 0.2):
        return wrong("That is a percentage; give the share between 0 and 1.")
    return wrong(
        f"{value:.3g} does not fit: a 7 x 7 window has 49 weights for each pair of maps, three 3 x 3 have 3 · 9."
    )


def judge_first_dense(answer: object) -> Verdict:
    value = number(answer)
    if value == FIRST_DENSE:
        return right("102,764,544. All thirteen convolutions together have 14,714,688, a seventh of that.")
    if value == FIRST_DENSE - 4096:
        return wrong("Nearly: each of the 4,096 neurons has a bias too.")
    if value == FIRST_DENSE - 4095:
        return wrong("One bias is too few: there is one for each of the 4,096 neurons.")
    if value in (14 * 14 * 512 * 4096 + 4096, 14 * 14 * 512 * 4096):
        return wrong("You took the 14 x 14 cells before the last pooling; 7 x 7 are left after it.")
    if value in (512 * 4096 + 4096, 512 * 4096):
        return wrong(
            "That is one number a map, as global average pooling gives it. Flatten keeps all 7 x 7 cells of each."
        )
    if value in (3 * 3 * 512 * 4096 + 4096, 3 * 3 * 512 * 4096):
        return wrong(
            "A dense layer has no 3 x 3 window; it connects every one of its numbers in with every neuron."
        )
    if value == 7 * 7 * 512:
        return wrong(
            "25,088 is how many numbers go in. Each of them is connected with each of 4,096 neurons."
        )
    return wrong(
        f"{value:,.0f} does not fit: count the numbers that go in, times 4,096, and then the biases."
    )


def judge_grey(answer: object) -> Verdict:
    kernel, bias, patch = _a_layer()
    result = result_of(answer, kernel.copy(), bias.copy())
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise WrongKind("Return two arrays, the grey kernel and the grey bias.")
    grey_kernel, grey_bias = (np.asarray(each, dtype=float) for each in result)
    if grey_kernel.shape == (3, 3, 2):
        return wrong(
            "Your kernel has shape (3, 3, 2); a layer wants (3, 3, 1, 2), so sum with keepdims=True."
        )
    if grey_kernel.shape != (3, 3, 1, 2) or grey_bias.shape != (2,):
        return wrong(
            f"For a kernel (3, 3, 3, 2) and a bias (2,) you return {grey_kernel.shape} and {grey_bias.shape}, wanted "
            "(3, 3, 1, 2) and (2,)."
        )
    means = np.array(CAFFE_MEAN)
    wanted = np.einsum("yx,yxcm->m", patch, 255 * kernel) - np.einsum("c,yxcm->m", means, kernel) + bias
    answered = np.einsum("yx,yxm->m", patch, grey_kernel[:, :, 0]) + grey_bias
    if np.allclose(answered, wanted, atol=1e-2):
        return right(
            "One channel, a third of the weights, the same maps. Only at the picture's border the two part: there the "
            "padding is black for the one and the mean colour for the other."
        )
    summed, shift = kernel.sum(axis=2, keepdims=True), (kernel * means[:, None]).sum(axis=(0, 1, 2))
    if np.allclose(grey_kernel, 255 * summed / 3):
        return wrong(
            "You took the mean over the channels: the maps are three times too weak. The three channels add up."
        )
    if np.allclose(grey_kernel, summed):
        return wrong(
            "The kernel is summed, but the network wants 0 to 255 and gets t from 0 to 1: where is the 255?"
        )
    if np.allclose(grey_kernel, 255 * summed):
        if np.allclose(grey_bias, bias):
            return wrong(
                "The kernel is right. The three means are missing: subtracted from every pixel, they add a constant "
                "to each map, and constants go into the bias."
            )
        if np.allclose(grey_bias, bias + shift):
            return wrong(
                "The kernel is right. The means are subtracted from the picture, so their part of the bias is negative."
            )
        if np.allclose(grey_bias, bias - 255 * shift):
            return wrong(
                "The kernel is right. The means are in grey levels already; they need no factor of 255."
            )
        return wrong(
            "The kernel is right, the bias is not: subtract, for each map, its weights times the channel's mean."
        )
    return wrong(
        "The layer computes the sum over channels of kernel_c · (255 t - mean_c), plus bias. What in it is multiplied "
        "by t? That is the grey kernel. The rest is the grey bias."
    )


def _a_layer() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a colour kernel (3, 3, 3, 2), its bias (2,) and a grey patch (3, 3) in [0, 1]."""
    rng = np.random.default_rng(6)
    return rng.normal(size=(3, 3, 3, 2)), rng.normal(size=2), rng.random((3, 3))


def judge_few(answer: object) -> Verdict:
    accuracies = numbers(answer, 4)
    if not all(0 <= one <= 1 for one in accuracies):
        return wrong("Accuracies are shares between 0 and 1.")
    if min(accuracies) > 0.97:
        return wrong(
            "Nearly everything right, whatever the number of patients? It looks as if you had asked about the patients "
            "whom the head has learned; score test features against test labels."
        )
    if max(accuracies) - min(accuracies) < 1e-9:
        return wrong(
            "Four times the same accuracy: the head must be fitted anew, on features_train[:n], for each n."
        )
    first, last = accuracies[0], accuracies[-1]
    course = f"From {first:.0%} with 10 patients to {last:.0%} with 80."
    if last > first:
        return right(
            f"{course} A head of 388 numbers needs few patients; whether more would help shows in the last step of the "
            "row. One draw of patients stands behind each number."
        )
    return right(
        f"{course} It did not rise: a head can only weigh what the frozen eyes see, and more patients do not change "
        "the eyes. (If you scored from many to few, turn the list round.)"
    )


QUIZ = letters(
    {"1": "b", "2": "a", "3": "c", "4": "b", "5": "c"},
    {
        "1": {
            "a": "two 3 x 3 windows see 5 pixels, exactly as far as one 5 x 5.",
            "c": "without the ReLU between them they could do less than a 5 x 5, not more.",
        },
        "2": {
            "b": "the thirteen convolutions hold a tenth of the weights; they do the work.",
            "c": "one layer alone holds three quarters of them.",
        },
        "3": {
            "a": "nobody knows the colours of a T2 picture, and the network would not miss them.",
            "b": "the network then sees nearly the same dark grey everywhere; it was trained on 0 to 255 minus means.",
        },
        "4": {
            "a": "a random head sends large wrong gradients down, and what was learned goes first.",
            "c": "perhaps it wins, but that is known only when the cheap way was measured beside it.",
        },
        "5": {
            "a": "the interval holds 0; with other patients the order may turn round.",
            "b": "no difference found is not the same as no difference: it may be 8 points.",
        },
    },
    "You would be hired to adapt a network, and trusted to say when it did not help.",
)

EXERCISES = {
    "windows": Exercise(
        judge_windows,
        (
            "Between two maps a 7 x 7 window has 49 weights. How many have three windows of 3 x 3?",
            "27. Saved are 49 - 27; divide by what there was.",
        ),
    ),
    "first_dense": Exercise(
        judge_first_dense,
        (
            "How many numbers leave the last pooling? Its shape stands in the last line above.",
            "7 · 7 · 512 numbers go to each of 4,096 neurons.",
            "And each neuron has one bias.",
        ),
    ),
    "grey": Exercise(
        judge_grey,
        (
            "Write the layer out for one pixel: the sum over c of kernel_c · (255 t - mean_c), plus bias.",
            "t is the same in all channels: t · 255 · (sum of kernel_c) - sum of kernel_c · mean_c + bias.",
            "np.array(CAFFE_MEAN)[:, None] stands beside the kernel's axes (channel, map); sum over axes (0, 1, 2).",
        ),
    ),
    "few": Exercise(
        judge_few,
        (
            "Fit on features_train[:n] and y_train[:n], score on features_test and y_test.",
            "A list: [head(n) for n in (10, 20, 40, 80)], where head(n) fits and scores.",
            "make_pipeline(StandardScaler(), LogisticRegression(C=0.1)).fit(…).score(features_test, y_test)",
        ),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 1, 2, 8, 7 and 6 hold the answers.",)
    ),
}
