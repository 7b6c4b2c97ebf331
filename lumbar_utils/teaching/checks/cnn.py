"""Exercises of lesson 04, the convolutional network."""

from __future__ import annotations

from lumbar_utils.teaching.exercises import Exercise, Verdict, letters, near, number, numbers, right, wrong

PARAMETERS = 246_356


def judge_receptive(answer: object) -> Verdict:
    value = number(answer)
    if value == 11:
        return right(
            "11 pixels are 24 mm, two thirds of a level. Pooling takes the same five layers to 54 pixels."
        )
    if value == 15:
        return wrong(
            "15 = 5 · 3 puts the windows side by side. Each further one overlaps the last; it adds 2, not 3."
        )
    if value == 10:
        return wrong("Five layers add 2 each; you forgot the pixel in the middle from which you start.")
    if value == 3:
        return wrong(
            "3 is what a cell of the first layer sees. Each further layer looks at its neighbours too."
        )
    if value == 54:
        return wrong("54 is the network with pooling. Without it the step stays at 1 all the way.")
    if value in (121, 225):
        return wrong("That is an area; the question asks how many pixels wide.")
    return wrong(f"{value:g} does not fit: start at 1 and add 2 for each convolution; the step stays 1.")


def judge_colour(answer: object) -> Verdict:
    value = number(answer)
    if value == PARAMETERS + 288:
        return right("246,644: only 288 more. Colour costs the first layer alone; all later ones see maps.")
    if value == 3 * PARAMETERS:
        return wrong(
            f"{value:,.0f} is three times everything. The second block sees 16 maps, whatever the input was."
        )
    if value == PARAMETERS + 432:
        return wrong(
            "You added 3·3·3·16 = 432 weights, but 144 of them were there already for the grey channel."
        )
    if value == 288:
        return wrong("288 is what is added. The question asks for the whole network.")
    if value == 432:
        return wrong("432 is the first convolution alone. The question asks for the whole network.")
    if value == PARAMETERS:
        return wrong(
            "That is the grey network. The first filters must have weights for the two new channels."
        )
    if value == PARAMETERS + 2:
        return wrong(
            "Two more channels need more than two weights: 3 · 3 for each of them, in each of the 16 filters."
        )
    return wrong(f"{value:,.0f} does not fit: the first convolution grows from 3·3·1·16 to 3·3·3·16.")


def judge_weight(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 19 / 12):
        return right(
            "1.58, and a Spinal Stenosis picture weighs 0.59: three of the one and eight of the other now have the "
            "same say in sum, 4.75 each."
        )
    if near(value, 19 / 3):
        return wrong(
            "19 / 3 is N / n. Divided by the number of classes too, the mean weight over all pictures is 1."
        )
    if near(value, 3 / 19):
        return wrong(
            "3 / 19 is the share of the class. A rare class needs a larger weight, not a smaller one."
        )
    if near(value, 19 / 32):
        return wrong("0.59 is the weight of Spinal Stenosis, the largest class.")
    if near(value, 12 / 19):
        return wrong("You turned the fraction over: 19 stands on top.")
    if near(value, 0.25):
        return wrong("0.25 is each class's share of the sum, not the weight of one picture.")
    return wrong(f"{value:.3g} does not fit: N is 19, K is 4, and n is the number of Spondylosis pictures.")


def judge_pointing(answer: object) -> Verdict:
    inside, area = numbers(answer, 2)
    if not (0 <= inside <= 1 and 0 <= area <= 1):
        return wrong(
            "Both are shares between 0 and 1: heat inside over all heat, and lesion pixels over all pixels."
        )
    if area > 0.05:
        if inside < 0.05:
            return wrong("Are the two in the order (share of the heat, share of the picture)?")
        return wrong(
            f"The lesions cover {area:.1%} of the picture in your count; a herniation is far smaller. Did you "
            "outline the disc, or take the mean over something else than all pixels?"
        )
    if area == 0:
        return wrong("A lesion without a single pixel has no chance level; use the rows in `visible`.")
    if near(inside, area, 1e-6):
        return wrong(
            "Both are the same. The first weighs each pixel by its heat: (heat * lesion).sum() / heat.sum()."
        )
    return right(
        f"{inside:.1%} of the heat on {area:.2%} of the picture, {inside / area:.1f} times chance. That is more "
        "than nothing and far from an outline: most of the heat lies beside the lesion."
        if inside > area
        else f"{inside:.1%} of the heat on {area:.2%} of the picture: no better than a map that is warm everywhere. "
        "The arithmetic is right; the heat map is what disappoints."
    )


QUIZ = letters(
    {"1": "a", "2": "b", "3": "c"},
    {
        "1": {
            "b": "pooling has no weights and removes none; it shrinks the maps.",
            "c": "ReLU cuts values of the maps, not weights.",
        },
        "2": {
            "a": "more epochs learn the training patients by heart even better.",
            "c": "then nobody is left to notice the overfitting.",
        },
        "3": {
            "a": "a wrong diagnosis can have a heat map that lies on the lesion too.",
            "b": "a heat map says where evidence was counted, not why.",
        },
    },
    "Shared weights, the best epoch, and a map compared with chance: that is this lesson in three lines.",
)

EXERCISES = {
    "receptive": Exercise(
        judge_receptive,
        (
            "Use the loop of section 3 without its last two lines.",
            "A cell of layer 1 sees 3 pixels, of layer 2 it sees 5.",
        ),
    ),
    "colour": Exercise(
        judge_colour,
        (
            "Which is the only layer that ever sees the channels of the picture?",
            "Its weights are 3·3·channels·16. For one channel these are 144; for three?",
        ),
    ),
    "weight": Exercise(
        judge_weight,
        (
            "N = 4 + 4 + 8 + 3, and K is the number of classes.",
            "19 / (4 · 3), because 3 pictures show Spondylosis.",
        ),
    ),
    "pointing": Exercise(
        judge_pointing,
        (
            "Stack the lesions: np.stack([lesion_mask(test.masks[row], 'Herniated Disk') for row in visible]).",
            "For each row: (heats * lesions).sum(axis=(1, 2)) / heats.sum(axis=(1, 2)).",
            "A heat map may be empty (its sum is 0); leave those rows out of both means.",
        ),
    ),
    "quiz": Exercise(QUIZ, ("Each question has one right letter; sections 1, 7 and 10 hold the answers.",)),
}
