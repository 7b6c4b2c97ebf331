"""Exercises of lesson 09, MobileNet and the cost of a convolution."""

from __future__ import annotations

from lumbar_utils.teaching.exercises import (
    Exercise,
    Verdict,
    WrongKind,
    letters,
    near,
    number,
    numbers,
    right,
    wrong,
)

CELLS = 16 * 16
STANDARD, LOOKING, MIXING = 9 * 128 * 128, 9 * 128, 128 * 128
ALPHAS, SIDES = (0.25, 0.5, 0.75, 1.0), tuple(range(96, 257, 32))
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
BUDGET = 100_000_000


def judge_two_steps(answer: object) -> Verdict:
    value = number(answer)
    if value == (LOOKING + MIXING) * CELLS:
        return right(
            "4,489,216, which is 12 % of 37,748,736. Of these, 93 % mix and 7 % look: looking is cheap."
        )
    if value == LOOKING + MIXING:
        return wrong("17,536 are the weights. Each of them is used in all 16 · 16 cells.")
    if value == STANDARD * CELLS:
        return wrong("37,748,736 is the one step of section 1; the two steps never multiply 9 by 128 by 128.")
    if value == LOOKING * CELLS:
        return wrong("294,912 is the looking alone. After it, each cell mixes 128 maps into 128.")
    if value == MIXING * CELLS:
        return wrong(
            "4,194,304 is the mixing alone. Before it, nine products a cell look at each of the 128 maps."
        )
    if value == LOOKING * MIXING * CELLS:
        return wrong("The two steps come one after the other, so their bills are added, not multiplied.")
    if value == (2 * LOOKING + MIXING) * CELLS or value == (LOOKING + 9 * MIXING) * CELLS:
        return wrong(
            "One of the two is counted too often: looking has 9 · 128 weights, mixing 128 · 128 without a 9."
        )
    return wrong(f"{value:,.0f} does not fit: (weights that look + weights that mix) · cells of the output.")


def judge_eighth(answer: object) -> Verdict:
    value = number(answer)
    if value == 72:
        return right("1/72 + 1/9 = 9/72 = 1/8 to the dot. Most layers of MobileNet have more maps than that.")
    if value == 73:
        return wrong("Nearly: at 72 the cost is exactly an eighth, and the question says at most.")
    if value == 8:
        return wrong(
            "1/8 is the looking's term alone at 8 maps; the mixing adds 1/9, and together that is 24 %."
        )
    if value in (9, 17):
        return wrong("Fractions do not add that way: 1/N has to fit into what 1/8 leaves over 1/9.")
    if near(value, 1 / 72):
        return wrong("1/72 is what is left for 1/N. Turn it over.")
    if value == 64:
        return wrong("1/64 + 1/9 is 12.7 %, a little more than the 12.5 % of an eighth.")
    if value > 73:
        return wrong(f"{value:,.0f} maps are enough, but fewer do it too: look for the smallest number.")
    return wrong(f"At {value:g} maps the cost is not an eighth yet: solve 1/N + 1/9 = 1/8.")


def judge_pair(answer: object) -> Verdict:
    value = number(answer)
    looking, mixing, first, second = 9 * 512, 512 * 1024, 4 * 512, 4 * 1024
    if value == looking + mixing + first + second:
        return right(
            "535,040, of which 98 % mix. A standard 3 x 3 convolution from 512 to 1,024 maps would have 4.7 million."
        )
    if value == looking + mixing:
        return wrong("528,896 are the two steps without their normalisations, which keep four numbers a map.")
    if value == looking + mixing + 2 * second:
        return wrong("After the looking there are still 512 maps, so the first normalisation keeps 4 · 512.")
    if value == looking + mixing + second:
        return wrong("One normalisation is missing: there is one after the looking and one after the mixing.")
    if value == 9 * 1024 + mixing + first + second or value == 9 * 1024 + mixing + 2 * second:
        return wrong("Looking happens before the mixing, on the 512 maps that come in: 9 · 512.")
    if value == 9 * mixing + second:
        return wrong("That is a standard convolution; here nobody multiplies 9 by 512 by 1,024.")
    if value == looking + mixing + (first + second) // 2:
        return wrong(
            "Two of a normalisation's four numbers a map are running means and spreads; they count here too."
        )
    if value in (4 * (looking + mixing + first + second), (looking + mixing + first + second) / 4):
        return wrong("The stride changes the cells and so the multiply-adds. It changes no parameter.")
    return wrong(f"{value:,.0f} does not fit: 9 · 512, 4 · 512, 512 · 1,024 and 4 · 1,024, added.")


def multiply_adds(alpha: float, side: int) -> int:
    """Return the multiply-adds of MobileNet of width `alpha` for pictures of side x side x 3, 1000 classes."""
    channels, side = int(32 * alpha), side // 2
    total = 27 * channels * side**2
    for maps, stride in BLOCKS:
        maps, side = int(maps * alpha), side // stride
        total += (9 * channels + channels * maps) * side**2
        channels = maps
    return total + 1000 * channels


def judge_budget(answer: object) -> Verdict:
    alpha, side = numbers(answer, 2)
    if alpha in SIDES and side in ALPHAS:
        return wrong("Are the two in the order (alpha, side)?")
    if alpha not in ALPHAS or side not in SIDES:
        return wrong(
            f"({alpha:g}, {side:g}) is not on the knobs: widths are 0.25, 0.5, 0.75 and 1, sides 96, 128, … up to 256."
        )
    side, pixels = int(side), 5 * side / 280
    cost = multiply_adds(alpha, side)
    if cost > BUDGET:
        return wrong(f"That needs {cost / 1e6:.0f} million multiply-adds, over the budget of 100 million.")
    for what, one in (("width", (alpha + 0.25, side)), ("size", (alpha, side + 32))):
        if one[0] in ALPHAS and one[1] in SIDES and multiply_adds(*one) <= BUDGET:
            return wrong(
                f"{cost / 1e6:.0f} million, the budget holds. But the {what} can go up a step: ({one[0]:g}, {one[1]}) "
                f"needs {multiply_adds(*one) / 1e6:.0f} million."
            )
    remark = {
        0.25: "Few maps, but small lesions are seen best. Whether so narrow a network can use it, training tells.",
        0.5: "A compromise on both knobs.",
        0.75: "Many maps, of a patient in whom a herniation is hardly more than a pixel wide. Bold.",
    }[alpha]
    return right(
        f"{cost / 1e6:.0f} million. A herniation of 5 mm gets {pixels:.1f} pixels, where 224 give 4.0. {remark}"
    )


def judge_recalls(answer: object) -> Verdict:
    if isinstance(answer, (str, dict)) or not hasattr(answer, "__iter__"):
        raise WrongKind("The answer is a list of all recalls, each between 0 and 1.")
    given = sorted({round(number(one), 4) for one in answer})
    wanted = [0.0, 0.25, 0.5, 0.75, 1.0]
    if given == wanted:
        return right(
            "0.67 is not among them. So the printed recall belongs to another test set than the printed table, or it "
            "is a misprint; nobody can tell from outside."
        )
    if any(one > 1 for one in given):
        return wrong("A recall is a share: found patients divided by 4, never more than 1.")
    if any(near(one, 0.67, 0.005) for one in given):
        return wrong("0.67 is two thirds. Which number of patients out of 4 would that be?")
    if given == wanted[1:]:
        return wrong("A network may also find none of the four: 0.00 is missing.")
    if given == wanted[:-1]:
        return wrong("A network may also find all four: 1.00 is missing.")
    if len(given) == 1:
        return wrong("Give all recalls that are possible, from no patient found to all four.")
    if extra := [one for one in given if one not in wanted]:
        return wrong(f"{extra[0]:g} would be {4 * extra[0]:g} patients out of 4, and patients come whole.")
    missing = next(one for one in wanted if one not in given)
    return wrong(f"All of these fit, and {missing:g} is missing: {4 * missing:g} of 4 patients.")


QUIZ = letters(
    {"1": "a", "2": "b", "3": "c", "4": "c", "5": "a"},
    {
        "1": {
            "b": "that is a depthwise convolution, the other half.",
            "c": "one cell of one map can only be multiplied; mixing needs all maps of the cell.",
        },
        "2": {
            "a": "the windows and the mixing tables stay as they are; only the cells become fewer.",
            "c": "half the side is a quarter of the cells, and no parameter knows how many cells there are.",
        },
        "3": {
            "a": "section 9: a multiply-add of one layer can take many times as long as one of another.",
            "b": "it may even be slower: a network can move more numbers while it multiplies less.",
        },
        "4": {
            "a": "AlexNet has fifteen times MobileNet's parameters and was less accurate on ImageNet.",
            "b": "no law says so either; too small a network cannot even learn its training patients.",
        },
        "5": {
            "b": "section 3: each pair is one standard convolution, but not the other way round.",
            "c": "section 3 multiplied them into one ordinary kernel, with the same maps.",
        },
    },
    "You read a bill line by line, and you ask for milliseconds.",
)

EXERCISES = {
    "two_steps": Exercise(
        judge_two_steps,
        (
            "Looking has 9 · 128 weights, one window a map. How many has mixing?",
            "(9 · 128 + 128 · 128), each used in 16 · 16 cells.",
        ),
    ),
    "eighth": Exercise(
        judge_eighth,
        ("1/N + 1/9 may be at most 1/8.", "1/8 - 1/9 = 9/72 - 8/72. What is left for 1/N?"),
    ),
    "pair": Exercise(
        judge_pair,
        (
            "Looking: 9 weights for each of the 512 maps; then a normalisation of these 512 maps.",
            "Mixing: 512 · 1,024; then a normalisation of 1,024 maps, four numbers each.",
        ),
    ),
    "budget": Exercise(
        judge_budget,
        (
            "mobilenet_bill(alpha, side)[1] gives the multiply-adds; try every pair of the knobs' values.",
            "For each width take the largest side that fits, then see whether the next width fits at that side too.",
            "At α = 0.5 the largest side that fits is 160.",
        ),
    ),
    "recalls": Exercise(
        judge_recalls,
        ("The network finds 0, 1, 2, 3 or 4 of the four patients.", "Divide each of these by 4."),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 1, 5, 9, 7 and 3 hold the answers.",)
    ),
}
