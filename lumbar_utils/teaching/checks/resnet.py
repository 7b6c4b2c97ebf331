"""Exercises of lesson 07, ResNet50."""

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

PLAIN, BOTTLENECK = 2 * 9 * 256 * 256, 2 * 256 * 64 + 9 * 64 * 64


def judge_bottleneck(answer: object) -> Verdict:
    plain, narrow, work = numbers(answer, 3)
    if plain == BOTTLENECK and narrow == PLAIN:
        return wrong("The first two are in the wrong order: the plain block first, then the bottleneck.")
    if plain == PLAIN // 2:
        return wrong("589,824 is one 3 x 3 convolution of 256 to 256 maps; the plain block has two.")
    if plain == PLAIN // 9:
        return wrong(
            "131,072 counts one weight for each pair of maps; a 3 x 3 window has nine for each pair."
        )
    if plain == PLAIN + 2 * 256:
        return wrong("1,180,160 counts the biases too; the question asks for weights alone.")
    if plain != PLAIN:
        return wrong(
            f"Plain block: {plain:,.0f} does not fit. A 3 x 3 convolution has 3 · 3 · maps in · maps out weights."
        )
    if narrow == 9 * BOTTLENECK or narrow == 9 * (256 * 64 + 64 * 64 + 64 * 256):
        return wrong("You gave all three convolutions nine weights a pair of maps; two of them are 1 x 1.")
    if narrow == 2 * 256 * 64 + 64 * 64:
        return wrong("36,864 treats the middle convolution as a 1 x 1; it has nine weights a pair of maps.")
    if narrow == 256 * 64 + 9 * 64 * 64:
        return wrong("53,248 lacks the last convolution, which widens from 64 maps to 256 again.")
    if narrow == 2 * 256 * 64 + 9 * 256 * 256:
        return wrong(
            "622,592 lets the 3 x 3 see 256 maps. The first 1 x 1 has left 64; that is the whole point."
        )
    if narrow == BOTTLENECK + 64 + 64 + 256:
        return wrong("70,016 counts the biases too; the question asks for weights alone.")
    if narrow != BOTTLENECK:
        return wrong(f"Bottleneck: {narrow:,.0f} does not fit. Add 256 · 64, 3 · 3 · 64 · 64 and 64 · 256.")
    if work == PLAIN * 56 * 56:
        return wrong("These are the multiply-adds of the plain block; the question asks for the bottleneck.")
    if work == BOTTLENECK * 56:
        return wrong("You multiplied by 56; the map has 56 · 56 cells.")
    if work == BOTTLENECK:
        return wrong("That is one cell. Each weight is used once at each of the 56 · 56 cells.")
    if near(work, BOTTLENECK * 56 * 56 / 1e6, 0.5):
        return wrong("That is in millions; give the number itself.")
    if work != BOTTLENECK * 56 * 56:
        return wrong(f"Multiply-adds: {work:,.0f} does not fit; weights times the cells of the map, 56 · 56.")
    return right(
        "69,632 weights against 1,179,648, and 218,365,952 multiply-adds against 3.7 billion: a seventeenth of "
        "both. Three layers for the price of an eighth of one."
    )


def judge_sister(answer: object) -> Verdict:
    value = number(answer)
    if value == 23:
        return right("3 · (3 + 4 + 23 + 3) + 2 = 101. Depth grows where the maps are 14 x 14, in one stage.")
    if value == 33:
        return wrong("33 is the number of all its blocks; ten of them stand in the other stages.")
    if value == 69:
        return wrong("69 is the number of layers in that stage; a block has three.")
    if value == 91:
        return wrong("You took a layer for a block: 101 - 10. Each block has three layers with weights.")
    if value == 89:
        return wrong("You took a layer for a block: 99 - 10. Each block has three layers with weights.")
    if value == 6:
        return wrong("6 is ResNet50's third stage, and gives 50 layers.")
    if near(value, 101 / 3 - 10, 0.5):
        return wrong("Take away the entry and the dense layer before you divide by three.")
    return wrong(f"{value:g} does not fit: 1 + 3 · (3 + 4 + ? + 3) + 1 = 101.")


def judge_paths(answer: object) -> Verdict:
    paths, left = numbers(answer, 2)
    if paths == 32:
        return wrong("32 = 2 · 16 adds up the choices. They multiply: each further block doubles the paths.")
    if paths == 256:
        return wrong("256 = 16². Two ways at each of 16 blocks make 2 · 2 · … · 2, sixteen times.")
    if paths == 16:
        return wrong("16 is the number of blocks, and of the paths of our course network with its 4.")
    if paths == 17:
        return wrong(
            "17 counts the possible lengths of a path, from no F to all 16; many paths share a length."
        )
    if paths == 2**50:
        return wrong("A path chooses once a block, not once a layer: the three layers of an F go together.")
    if paths != 2**16:
        return wrong(f"{paths:,.0f} paths do not fit: at each of the 16 blocks there are two ways.")
    if left == 2**16 - 3:
        return wrong(
            "You took away three paths. A block that is off closes every path that went through its F."
        )
    if left == 2**16 - 2**3:
        return wrong(
            "You took away 2³ paths; what is left is 2 to the number of blocks that still have a choice."
        )
    if near(left, 2**16 * 13 / 16, 1):
        return wrong(
            "You took away 3 sixteenths. Each block that is off halves the paths, for half of them went through its F."
        )
    if left == 2**15:
        return wrong("32,768 is left when one block is off; here three are.")
    if left == 2**3:
        return wrong("8 ways were lost at the three blocks; 13 blocks still have a choice.")
    if left != 2**13:
        return wrong(f"{left:,.0f} left does not fit: 13 blocks still have two ways each.")
    return right(
        "65,536 paths, 8,192 left: an eighth of them, whichever three blocks are off. In a plain network there is one "
        "path, and without one layer there is none."
    )


def judge_by_size(answer: object) -> Verdict:
    pixels, found_a, found_b = _herniations()
    small, large = numbers(result_of(answer, pixels.copy(), found_a.copy(), found_b.copy()), 2)
    is_small = pixels <= np.median(pixels)
    gain = found_a.astype(float) - found_b
    wanted = gain[is_small].mean(), gain[~is_small].mean()
    strict = pixels < np.median(pixels)
    around_mean = pixels <= pixels.mean()
    known = (
        (wanted[::-1], "You return large before small; small comes first."),
        (
            (-wanted[0], -wanted[1]),
            "The signs are turned round: the question asks for A minus B, so a lead of B is negative.",
        ),
        (
            (gain[is_small].sum() / len(gain), gain[~is_small].sum() / len(gain)),
            "You divided by all herniations. A recall of the small ones is found small over all small ones.",
        ),
        (
            (gain[is_small].sum(), gain[~is_small].sum()),
            "These are numbers of herniations; a recall is a share. Take the mean instead of the sum.",
        ),
        (
            (100 * wanted[0], 100 * wanted[1]),
            "These are percentage points; return shares between -1 and 1.",
        ),
        (
            (gain[strict].mean(), gain[~strict].mean()),
            "Herniations that have just the median of pixels belong to the small ones: <=, not <.",
        ),
        (
            (gain[around_mean].mean(), gain[~around_mean].mean()),
            "You split at the mean. A few very large herniations pull it up; split at the median.",
        ),
        (
            (found_a[is_small].mean(), found_a[~is_small].mean()),
            "These are the recalls of A alone; take away those of B.",
        ),
    )
    same = lambda pair: near(small, pair[0], 1e-6) and near(large, pair[1], 1e-6)
    if same(wanted):
        return right(
            "Both networks are asked about the same herniations, so that hard ones count against both. Now look at the "
            "real ones."
        )
    for pair, reason in known:
        if same(pair):
            return wrong(reason)
    return wrong(
        f"On {len(pixels)} made-up herniations you return {small:.3f} and {large:.3f}, wanted {wanted[0]:.3f} and "
        f"{wanted[1]:.3f}: the mean of found_a minus the mean of found_b, among the small and among the large ones."
    )


def _herniations() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pixels of 41 made-up herniations, some as large as the median, and who found them."""
    rng = np.random.default_rng(3)
    pixels = np.concatenate(
        [rng.integers(4, 18, 17), [20] * 5, rng.integers(22, 40, 14), [90, 110, 120, 140, 150]]
    )
    chance = np.clip(pixels / 40, 0.2, 0.95)
    order = rng.permutation(len(pixels))
    draws = rng.random((2, len(pixels)))
    found_a, found_b = draws[0] < 0.7 * chance, draws[1] < chance
    return pixels[order], found_a[order], found_b[order]


QUIZ = letters(
    {"1": "b", "2": "a", "3": "c", "4": "b", "5": "b"},
    {
        "1": {
            "a": "an overfitted network has a low training loss; here the training loss itself is high.",
            "c": "the layers could do it, and section 1 shows that training does not get there.",
        },
        "2": {
            "b": "adding two arrays has no weights; F has the block's weights already.",
            "c": "a weight for each map would be another design; here x is added as it is.",
        },
        "3": {
            "a": "it has 16 blocks.",
            "b": "with the four projections there would be 54.",
        },
        "4": {
            "a": "overfitting is a gap between the two, and there is none.",
            "c": "one network of each kind, one recipe, one training time: that is too little for such a sentence.",
        },
        "5": {
            "a": "155,236 parameters a training picture are no argument, and 19 pictures no proof.",
            "c": "what was shown is that they help training, on 1.2 million pictures.",
        },
    },
    "Degradation is a matter of training, shortcuts cost nothing, and neither makes patients.",
)

EXERCISES = {
    "bottleneck": Exercise(
        judge_bottleneck,
        (
            "A k x k convolution has k · k · maps in · maps out weights.",
            "Plain: 2 · 9 · 256 · 256. Bottleneck: 256 · 64, then 9 · 64 · 64, then 64 · 256.",
            "Multiply-adds are weights times cells, and the map has 56 · 56 cells.",
        ),
    ),
    "sister": Exercise(
        judge_sister,
        (
            "Two of the 101 layers are the entry and the dense layer. The others come in threes.",
            "(101 - 2) / 3 = 33 blocks; three stages hold 3 + 4 + 3 of them.",
        ),
    ),
    "paths": Exercise(
        judge_paths,
        (
            "One block: two ways. Two blocks: through F or not, twice, so four ways.",
            "A block that is off has one way left. How many blocks still have two?",
        ),
    ),
    "by_size": Exercise(
        judge_by_size,
        (
            "small = pixels <= np.median(pixels) is an array of True and False; ~small is its opposite.",
            "found_a[small].mean() is A's recall of the small ones.",
            "return found_a[small].mean() - found_b[small].mean(), and the same with ~small",
        ),
    ),
    "quiz": Exercise(QUIZ, ("Sections 1, 3, 4, 7 and 9, in this order, hold the answers.",)),
}
