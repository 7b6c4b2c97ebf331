"""Exercises of lesson 11, VGG16 with involution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lumbar_utils.teaching.exercises import (
    Exercise,
    NotAnswered,
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

NETWORKS = 5 * 2 * 2 * 2 * 2 * 3
SAVED = 3 * (2_359_808 - 103_200)


def judge_choices(answer: object) -> Verdict:
    value = number(answer)
    if value == NETWORKS:
        return right(
            "5 · 2 · 2 · 2 · 2 · 3 = 240 networks, all called VGG16 with involution. Two groups who each pick one at "
            "random build the same one in 1 of 240 attempts."
        )
    if value == 16:
        return wrong("You added. Each answer of one line goes with each answer of all the others: multiply.")
    if value == NETWORKS / 3:
        return wrong("80 leaves out the last line: where the other weights come from, three answers.")
    if value == NETWORKS / 5:
        return wrong("48 leaves out the first line: five places.")
    if value == NETWORKS / 2:
        return wrong("120 leaves out one of the four lines that have two answers.")
    if value == 2**6:
        return wrong("2 · 2 · 2 · 2 · 2 · 2: but the first line has five answers and the last has three.")
    if value == 6:
        return wrong("Six is the number of choices; the question is how many networks they make together.")
    return wrong(f"{value:,.0f} does not fit: count the answers of each of the six lines, and multiply.")


def judge_saved(answer: object) -> Verdict:
    value = number(answer)
    if value == SAVED:
        return right(
            "3 · (2,359,808 - 103,200) = 6,769,824. Each layer shrinks to a twenty-third, and the whole network by "
            "one part in twenty, for block 5 never was where VGG16 is heavy."
        )
    if value == -SAVED:
        return wrong("The number is right, the sign is not: saved is what the convolutions had more.")
    if value == SAVED / 3:
        return wrong("That is one layer; block 5 has three.")
    if value == 3 * 103_200:
        return wrong("That is what the three involutions have; subtract it from what the convolutions had.")
    if value == 3 * 2_359_808:
        return wrong("That is what the three convolutions had; the involutions have parameters as well.")
    if value == SAVED - 3 * 512:
        return wrong("6,768,288 forgets the convolutions' biases, 512 each.")
    if value == SAVED + 3 * 512:
        return wrong(
            "6,771,360 forgets the normalisation inside the involution: four numbers for each of the 128 narrowed maps."
        )
    if value == SAVED + 3 * 2 * 128:
        return wrong(
            "6,770,592 counts what is trained. The normalisation also keeps two running numbers of its 128 maps."
        )
    if value == SAVED + 3 * 288:
        return wrong("6,770,688 forgets the biases of W1: one for each of the 3 · 3 · 32 numbers of a pixel.")
    if value == 3 * (2_359_808 - (512 * 128 + 512 + 129 * 9)):
        return wrong(
            "You spanned one kernel a pixel. 512 maps make 32 groups, and each has its own: 129 · 9 · 32."
        )
    return wrong(
        f"{value:,.0f} does not fit. A convolution: 3 · 3 · 512 · 512 + 512. An involution: 512 · 128 + 4 · 128 + "
        "(128 + 1) · 9 · 32."
    )


_CONTROLS = {"entry": "ab", "view": "bc", "place": "cd", "package": "ad"}
_WHY_NOT = {
    "entry": "one convolution more, and nothing wide yet: that is the first step of the ladder.",
    "view": "7 x 7 comes in with c, while the kernel is still the same everywhere.",
    "place": "the two must be alike in everything, the wide view included, but for who makes the kernel.",
    "package": "plain VGG on one side, the finished variant A on the other.",
}
_TOO_MUCH = {
    ("view", "bd"): "from b to d two things come in, the wide view and the kernel made at the pixel.",
    ("place", "ad"): (
        "that is what papers compare, and three things differ: the convolution at the entry, the wide view, the kernel."
    ),
    ("place", "bd"): "from b to d the view widens as well; c has the wide view without the pixel's kernel.",
    ("entry", "ac"): "from a to c the wide view comes in too.",
}


def judge_control(answer: object) -> Verdict:
    if not isinstance(answer, Mapping) or set(answer) != set(_CONTROLS):
        raise WrongKind(f"The answers are a dict with the keys {', '.join(_CONTROLS)}.")
    if any(pair is ... for pair in answer.values()):
        raise NotAnswered
    remarks = []
    for question, pair in answer.items():
        given = "".join(sorted(str(pair).strip().lower()))
        if len(given) != 2 or not set(given) <= set("abcd"):
            remarks.append(f"{question}: {pair!r} is not two of the letters a, b, c, d.")
        elif given != _CONTROLS[question]:
            remarks.append(f"{question}: {_TOO_MUCH.get((question, given), _WHY_NOT[question])}")
    if remarks:
        return wrong(" ".join(remarks))
    return right(
        "Neighbouring rungs differ in one thing. The paper's comparison, a with d, is the sum of three steps, and no "
        "sum tells its parts: one may even have harmed."
    )


def judge_dial(answer: object) -> Verdict:
    w1, bias, reduced = _layer()
    mean = reduced.mean(axis=(0, 1, 2))
    new_w1, new_bias = _turned(answer, w1, bias, reduced, 0.25)
    if new_w1.shape != w1.shape or new_bias.shape != bias.shape:
        return wrong(
            f"For W1 {w1.shape} and bias {bias.shape} you return {new_w1.shape} and {new_bias.shape}; the layer wants "
            "the same shapes back."
        )
    if np.allclose(new_w1, 0.75 * w1):
        return wrong(
            "You turn the wrong way: at alpha = 1 all is as trained, at 0 the pixel has no say. W1 is what the pixel's "
            "numbers are multiplied by."
        )
    if not np.allclose(new_w1, 0.25 * w1):
        return wrong(
            "W1 does not fit: what depends on the pixel is r · W1, and the dial multiplies just that."
        )
    if np.allclose(new_bias, bias):
        return wrong(
            "W1 is right. But with the old bias the mean kernel shrinks towards b as well: r comes from a ReLU, so the "
            "mean of r · W1 is not 0. Give the bias what W1 has lost on average."
        )
    if np.allclose(new_bias, 0.25 * bias):
        return wrong("You turned the bias down too. It is the same at all pixels, so it has to stay.")
    if np.allclose(new_bias, bias + mean @ w1):
        return wrong(
            "You add the whole mean of r · W1, but alpha of it is still there: at alpha = 1 your layer would no longer "
            "be the trained one."
        )
    if np.allclose(new_bias, 0.25 * bias + 0.75 * (bias + mean @ w1)):
        return right(
            "At alpha = 0, W1 is 0 and the bias is the mean kernel: the involution has become a depthwise convolution, "
            "in its own code. So rung c lies inside rung d, and training was free to go there."
        )
    return wrong(
        "W1 is right, the bias is not: b + (1 - alpha) · (mean of r over pictures, rows and columns) · W1."
    )


def _turned(answer: object, w1, bias, reduced, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    found = result_of(answer, w1.copy(), bias.copy(), reduced.copy(), alpha)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise WrongKind("Return two arrays, the new W1 and the new bias.")
    if any(one is ... for one in found):
        raise NotAnswered
    return np.asarray(found[0], dtype=float), np.asarray(found[1], dtype=float)


def _layer() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    return rng.normal(size=(4, 9)), rng.normal(size=9), np.maximum(rng.normal(size=(2, 6, 5, 4)), 0)


_WITH, _WITHOUT = np.array([0.80, 0.83, 0.79, 0.84]), np.array([0.78, 0.80, 0.79, 0.81])
_T3 = 3.1824463052842624  # the 97.5 % quantile of Student's distribution with three degrees of freedom


def judge_starts(answer: object) -> Verdict:
    mean, low, high = numbers(result_of(answer, _WITH.copy(), _WITHOUT.copy()), 3)
    gains = _WITH - _WITHOUT
    error = gains.std(ddof=1) / 2
    unpaired = np.sqrt((_WITH.var(ddof=1) + _WITHOUT.var(ddof=1)) / 4)
    if near(mean, -gains.mean(), 1e-6):
        return wrong("The sign is turned: the difference is with_layer minus without.")
    if not near(mean, gains.mean(), 1e-6):
        return wrong(
            f"On four starts each your mean difference is {mean:.4f}, wanted {gains.mean():.4f}; return (mean, low, "
            "high)."
        )
    if low > high:
        return wrong("The upper limit comes first; return (mean, low, high).")
    half = (high - low) / 2
    if near(half, _T3 * error, 1e-5):
        return right(
            f"{mean:.3f} [{low:.3f}, {high:.3f}] from four starts each. None of the four gains is below 0, and the "
            "interval holds 0 all the same: so much t costs with few starts."
        )
    for wrong_half, why in (
        (1.96 * error, "You took 1.96. With four starts s itself is uncertain, and t is 3.18."),
        (_T3 * 2 * error, "You forgot to divide by the root of n: s is the spread of one start, not of their mean."),
        (_T3 * error / 2, "You divided by n. The mean of n starts spreads by s over the root of n."),
        (_T3 * gains.std() / 2, "np.std divides by n; the formula wants ddof=1."),
        (2.7764451051977987 * error, "Your t has n degrees of freedom; one is spent on the mean: n - 1."),
        (2.3533634348018264 * error, "ppf(0.95, …) leaves 5 % at each end, a 90 % interval; take 0.975."),
        (_T3 * unpaired, "You took the spread of each list by itself. The starts come in pairs: take differences."),
    ):  # fmt: skip
        if near(half, wrong_half, 1e-5):
            return wrong(why)
    return wrong(
        f"The mean is right; the interval reaches {half:.4f} to each side, wanted {_T3 * error:.4f}: t · s / root of n."
    )


QUIZ = letters(
    {"1": "b", "2": "b", "3": "c", "4": "a", "5": "b"},
    {
        "1": {
            "a": "digits of one run tell nothing about how to build it, and 19 pictures have none to give.",
            "c": "what an involution is stands in its own paper; where it stands in VGG16 stands nowhere.",
        },
        "2": {
            "a": "they are trained for other maps: section 3 showed what became of one.",
            "c": "shapes are all that Keras checks, and they fit.",
        },
        "3": {
            "a": "against plain VGG16 the convolution at the entry and the wide view differ as well.",
            "b": "more parameters would be a second thing that differs.",
        },
        "4": {
            "b": "that is about networks trained otherwise, and none was trained here.",
            "c": "no convolution was asked.",
        },
        "5": {
            "a": "the interval draws patients. One start each says nothing about what another start would give.",
            "c": "the interval leaves 0 out: for these two networks and patients like these, it is.",
        },
    },
    "Say what you built, borrow only what stays in place, train the control, and start more than once.",
)

EXERCISES = {
    "choices": Exercise(
        judge_choices,
        (
            "Count the answers of each line: five places, then …",
            "Free choices multiply: 5 · 2 · 2 · 2 · 2 · 3.",
        ),
    ),
    "saved": Exercise(
        judge_saved,
        (
            "One convolution: 3 · 3 · 512 · 512 weights and 512 biases.",
            "One involution (lesson 10, section 4): 512 · 128 to narrow, 4 · 128 to normalise, and W1 with its bias.",
            "W1 and bias: (128 + 1) · 3 · 3 · 32. The difference, three times.",
        ),
    ),
    "control": Exercise(
        judge_control,
        (
            "Look for the two rungs that differ in what is asked, and in nothing else.",
            "Three of the four questions ask about neighbours; the last about the two ends.",
        ),
    ),
    "dial": Exercise(
        judge_dial,
        (
            "A kernel is b + r · W1, the mean kernel b + (mean of r) · W1. Put both into mean + alpha · (own - mean).",
            "b + (1 - alpha) · (mean of r) · W1 + alpha · r · W1: which part depends on the pixel?",
            "W1 becomes alpha · W1; the bias b + (1 - alpha) · reduced.mean(axis=(0, 1, 2)) @ w1.",
        ),
    ),
    "starts": Exercise(
        judge_starts,
        (
            "First the n differences, np.asarray(with_layer) - np.asarray(without); all else works on them.",
            "gains.std(ddof=1) / np.sqrt(n) is the standard error, and t.ppf(0.975, n - 1) what it is multiplied by.",
        ),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 1, 3, 4, 6 and 7 hold the answers.",)
    ),
}
