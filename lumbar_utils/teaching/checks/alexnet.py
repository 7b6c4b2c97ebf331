"""Exercises of lesson 05, AlexNet."""

from __future__ import annotations

from lumbar_utils.teaching.exercises import Exercise, Verdict, letters, near, number, numbers, right, wrong

FC6 = 6 * 6 * 256 * 4096 + 4096
CONV2 = 5 * 5 * 96 * 256 + 256


def judge_first_layer(answer: object) -> Verdict:
    value = number(answer)
    if value == 34_944:
        return right(
            "34,944, and it makes 55 · 55 · 96 = 290,400 numbers of a picture. Filters are cheap to own and busy."
        )
    if value == 34_848:
        return wrong("34,848 has no biases: one a filter, not one a weight, makes 96 more.")
    if value == 96 * (11 * 11 + 1):
        return wrong(
            "11,712 is for grey pictures. AlexNet's have 3 channels, each with its own 11 x 11 weights."
        )
    if value == 96 * 11 * 11:
        return wrong("11,616 are the weights for one channel. There are 3 channels, and one bias a filter.")
    if value == 11 * 11 * 3 + 1:
        return wrong("364 is one filter. There are 96 of them.")
    if value == 96 * (11 * 11 + 1) * 3:
        return wrong(
            "35,136 gives each channel a bias of its own; a filter adds its channels up and has one bias."
        )
    if value == 96 * 11 * 3 + 96:
        return wrong("You took 11 weights a channel; the window is 11 wide and 11 high.")
    if value > 1e6:
        return wrong(
            f"{value:,.0f} counts the places where a filter stops. It uses the same weights at all of them."
        )
    return wrong(f"{value:,.0f} does not fit: 96 filters, each with 11 · 11 · 3 weights and one bias.")


def judge_small_picture(answer: object) -> Verdict:
    value = number(answer)
    if value == 3 * 3 * 256 * 4096 + 4096:
        return right(
            "9,441,280, a quarter: 3 x 3 cells instead of 6 x 6. Flattening ties a network to one size of picture; a "
            "mean of each map does not."
        )
    if value == FC6:
        return wrong("37,752,832 belongs to 224 pixels. Follow the map: 131 becomes 31, then 15, and so on.")
    if value == 3 * 3 * 256 * 4096:
        return wrong("Nearly: add one bias for each of the 4,096 neurons.")
    if value == 4 * 4 * 256 * 4096 + 4096:
        return wrong(
            "You halved the map: 31, 16, 8, 4. A window 3 wide that moves by 2 fits (31 - 3) // 2 + 1 = 15 times."
        )
    if value == 2 * 2 * 256 * 4096 + 4096:
        return wrong("Did you pool once too often, or begin without the border? 131 leaves 31, 15, 7 and 3.")
    if value == 3 * 256 * 4096 + 4096:
        return wrong("A map of 3 x 3 has 9 cells, not 3.")
    if value == 3 * 3 * 4096 + 4096:
        return wrong("That is for one map of 3 x 3 cells; there are 256 maps.")
    if value in (3, 9, 2304):
        return wrong(
            f"{value:g} is on the way: the layer connects every cell of every map with 4,096 neurons."
        )
    if near(value, FC6 * (128 / 224) ** 2, 0.5):
        return wrong("You scaled by the area, but poolings round down. Follow the side of the map: 31, 15, …")
    return wrong(
        f"{value:,.0f} does not fit: the side of the last map, squared, times 256 maps, times 4,096, plus biases."
    )


def judge_groups(answer: object) -> Verdict:
    value = number(answer)
    if value == 2 * (5 * 5 * 48 * 128 + 128):
        return right(
            "307,456: half the weights, all the biases. Each filter sees half of the maps; what the other card found "
            "stays unknown to it until conv3."
        )
    if value == CONV2:
        return wrong(
            "614,656 is the one tower, where each filter sees all 96 maps. With two groups it sees 48."
        )
    if value == CONV2 / 2:
        return wrong("You halved the biases too. Each of the 256 filters keeps its own.")
    if value == 5 * 5 * 48 * 128 * 2:
        return wrong("The weights are right; add one bias for each of the 256 filters.")
    if value == 5 * 5 * 48 * 128 + 128:
        return wrong("153,728 is one card. There are two.")
    if value == 2 * CONV2:
        return wrong("You doubled it. Two groups share the filters out, they do not repeat them.")
    if value == CONV2 / 4:
        return wrong("A quarter of the weights is one group; the layer has two.")
    return wrong(
        f"{value:,.0f} does not fit: two groups, each of 128 filters that see 5 · 5 places of 48 maps."
    )


def judge_dropout(answer: object) -> Verdict:
    lots, others = numbers(answer, 2)
    if not (0 <= lots <= 1 and 0 <= others <= 1):
        return wrong("Both are shares between 0 and 1.")
    if others > 0.5 and lots < 0.5:
        return wrong("Are the two in the order (lots learned, right on others)?")
    if others > 0.5:
        return wrong(
            f"{others:.0%} right on patients it never met, after learning lots? Compare with true_others on x_others."
        )
    if near(lots, others, 1e-9):
        return wrong("Both are the same number; the first is `accuracy`, the second `val_accuracy`.")
    if lots < 0.32:
        return wrong(
            f"{lots:.0%} is guessing. Train on by_lot and read the last epoch, history.iloc[-1]; in a quick run of "
            "one epoch nothing else can come out."
        )
    if others > 0.37:
        return wrong(
            f"{others:.0%} on others is more than lots can teach. Did you train on true_few, the true diagnoses?"
        )
    how = "Most of them, in spite of dropout" if lots > 0.5 else "Dropout made it slow"
    return right(
        f"{how}: {lots:.0%} of the lots, {others:.0%} on others. Hiding half of the head costs epochs. Zhang and "
        "others put it so: regularisation may help, and is neither necessary nor by itself sufficient."
    )


QUIZ = letters(
    {"1": "c", "2": "b", "3": "b", "4": "c"},
    {
        "1": {
            "a": "it would have 100 % on diagnoses drawn by lot too (section 7).",
            "b": "a network that is perfect on its own patients may still do better than a guess on others (section 7, "
            "with true diagnoses).",
        },
        "2": {
            "a": "its weights are many, and each is used once a picture: 3 % of the work.",
            "c": "section 3: the dense layers have 94 % of the parameters and 5 % of the work.",
        },
        "3": {
            "a": "a filter is 11 x 11 x 3, however large the picture is.",
            "c": "the filters are the same, but they stop at more places, and the last maps have more cells.",
        },
        "4": {
            "a": "AlexNet had 52 parameters a photograph, and made the field switch.",
            "b": "dropout slows learning by heart down; exercise 4 has shown how far.",
        },
    },
    "Ask for new patients, and ask what is meant by large.",
)

EXERCISES = {
    "first_layer": Exercise(
        judge_first_layer,
        (
            "How many weights has one filter? It is as deep as the picture has channels.",
            "11 · 11 · 3 weights and one bias, 96 times.",
        ),
    ),
    "small_picture": Exercise(
        judge_small_picture,
        (
            "A window of w that moves by s fits (side - w) // s + 1 times. First: (131 - 11) // 4 + 1 = 31.",
            "Three poolings: 31 becomes 15, 15 becomes 7, 7 becomes 3.",
            "3 · 3 · 256 numbers go in, 4,096 come out, each with a bias.",
        ),
    ),
    "groups": Exercise(
        judge_groups,
        (
            "On each card are half of the 256 filters, and half of the 96 maps.",
            "One card: 5 · 5 · 48 · 128 weights and 128 biases.",
        ),
    ),
    "dropout": Exercise(
        judge_dropout,
        (
            'network = small_alexnet("wide", dropout=0.5); which labels does learn(network, …) get?',
            'history = learn(network, by_lot); the last row is history.iloc[-1], with "accuracy" and "val_accuracy".',
        ),
    ),
    "quiz": Exercise(QUIZ, ("Each question has one right letter; sections 7, 3 and 6 hold the answers.",)),
}
