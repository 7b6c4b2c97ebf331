"""Exercises of lesson 18, first half: pictures without labels."""

from __future__ import annotations

from math import isnan, log

import numpy as np

from lumbar_utils.teaching.exercises import (
    Exercise,
    NotAnswered,
    Verdict,
    WrongKind,
    function,
    letters,
    near,
    number,
    right,
    wrong,
)

WEAK, STRONG = (0.97, 0.60, 0.99, 0.80), (0.50, 0.90, 0.25, 0.80)


def judge_loss(answer: object) -> Verdict:
    value = number(answer)
    losses = [-log(p) for p in STRONG]
    accepted = losses[0] + losses[2]
    if near(value, accepted / 4):
        return right(
            "0.520. Two of four count, and the sum is still divided by four: a network that is sure of little listens "
            "little to itself."
        )
    if near(value, accepted / 2):
        return wrong(
            "You divided by the two accepted pictures. FixMatch takes the mean over all four, so few accepted ones "
            "weigh little."
        )
    if near(value, accepted):
        return wrong("That is the sum over the accepted pictures; FixMatch takes the mean over all four.")
    if near(value, sum(losses) / 4):
        return wrong(
            "You let all four count. At 0.60 and 0.80 the network is not sure enough: these two count 0."
        )
    if near(value, -sum(log(p) for p in WEAK if p >= 0.95) / 4):
        return wrong(
            "These are the probabilities of the weak copies. They choose the pseudo-label; what is taught is the "
            "strong copy."
        )
    if near(value, accepted / 4 / log(10)):
        return wrong("You took the logarithm to base 10; the loss uses the natural one.")
    if near(value, -accepted / 4):
        return wrong("The sign: cross-entropy is minus the logarithm, so a loss is never below 0.")
    return wrong(
        f"{value:.3g} does not fit: which of the four reach 0.95 on the weak copy? Add -log of their strong "
        "probabilities, and divide by 4."
    )


def judge_uncertainty(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 4 / 12):
        return right(
            "1/3: four classes over 12. Below 0.40, so this picture would be accepted if softmax agrees."
        )
    if near(value, 4 / 8):
        return wrong(
            "0.5 is 4 over the sum of the evidence. Alpha is evidence + 1, in each of the four classes."
        )
    if near(value, 1 - 7 / 12) or near(value, 1 - 6 / 8):
        return wrong(
            "That is 1 minus the best class's share: confidence again. Uncertainty looks at the sum only."
        )
    if near(value, 8 / 12):
        return wrong(
            "8/12 is what the evidence holds; the uncertainty is the rest of it, K over the sum of alpha."
        )
    if near(value, 3):
        return wrong("12/4 is the mean of alpha. Turn it round: K over the sum.")
    if near(value, 100 / 3, 0.5):
        return wrong("Give a fraction between 0 and 1, not a percentage.")
    return wrong(f"{value:.3g} does not fit: alpha is 7, 2, 1.5 and 1.5, and there are K = 4 classes.")


def _pair(answer: object, *arguments) -> tuple:
    """Return the two things that the student's function gives."""
    result = function(answer)(*arguments)
    if result is None or result is ...:
        raise NotAnswered
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise WrongKind(f"Your function returns two things; yours gives {type(result).__name__}.")
    return tuple(result)


def judge_quality(answer: object) -> Verdict:
    p = np.array([[0.97, 0.03], [0.90, 0.10], [0.02, 0.98], [0.05, 0.95], [0.40, 0.60]])
    truth = np.array([0, 1, 0, 1, 1])
    share, accuracy = (number(each) for each in _pair(answer, p, truth, 0.95))
    if near(share, 2 / 5):
        return wrong("A probability of exactly 0.95 is accepted too: at least the threshold, >= and not >.")
    if near(share, 3) or near(share, 60):
        return wrong(f"The first number is a share between 0 and 1; you return {share:g}.")
    if near(share, 2 / 3) and near(accuracy, 3 / 5):
        return wrong(
            "The two numbers are in the wrong order: first the share accepted, then the share right."
        )
    if not near(share, 3 / 5):
        return wrong(
            f"You return a share of {share:.2f}, and three of five pictures have a largest probability of 0.95 or more."
        )
    if near(accuracy, 3 / 5):
        return wrong(
            "You count right answers among all pictures. Those not accepted teach nothing: leave them out."
        )
    if near(accuracy, 2 / 5):
        return wrong("Two accepted ones are right, yes, but of three accepted, not of five pictures.")
    if not near(accuracy, 2 / 3):
        return wrong(f"Of the three accepted two are right, 0.67; you return {accuracy:.2f}.")
    nothing = tuple(number(each) for each in _pair(answer, p, truth, 0.999))
    if not near(nothing[0], 0) or not isnan(nothing[1]):
        return wrong(
            f"At 0.999 none is accepted: the share is 0, and of nothing no share is right (nan); you return "
            f"{nothing[0]:g} and {nothing[1]:g}."
        )
    return right(
        "Now ask it about your own network at 0.5, 0.95 and 0.99. A higher threshold takes fewer; whether it takes "
        "better ones is not promised."
    )


def judge_accept(answer: object) -> Verdict:
    # sure and known; sure of a stranger; torn between two it knows; neither
    logits = np.array([[10.0, 0, -1, 0], [-6, -12, -12, -12], [0, 9, 9, 0], [1, 1, 1.5, 1]])
    labels, taken = _pair(answer, logits, 0.95, 0.40)
    labels, taken = np.asarray(labels), np.asarray(taken)
    if labels.shape != (4,) or taken.shape != (4,):
        return wrong(
            f"For four pictures both answers have four entries; yours have the shapes {labels.shape} and {taken.shape}."
        )
    taken = taken.astype(bool)
    if labels[[0, 1, 3]].tolist() != [0, 0, 2]:
        return wrong(f"The pseudo-label is the class of the largest logit; you return {labels.tolist()}.")
    if taken.tolist() == [True, True, False, False]:
        return wrong("You accept the stranger, too: softmax 0.99, but no evidence at all. Ask for both.")
    if taken.tolist() == [True, False, True, False]:
        return wrong(
            "You accept who has much evidence, even where two classes share it. The softmax must reach 0.95, too."
        )
    if taken.tolist() == [True, True, True, False]:
        return wrong("You accept where one of the two holds. Both must: & and not |.")
    if taken.tolist() != [True, False, False, False]:
        return wrong(
            f"Only the first of four has both, softmax 1.00 and uncertainty 0.25; you accept {taken.tolist()}."
        )
    _, near_edge = _pair(
        answer, np.array([[5.5, 0.0, 0.0, 0.0]]), 0.95, 0.40
    )  # u = 0.344; 0.53 without the + 1
    if not np.asarray(near_edge)[0]:
        return wrong("Logits 5.5, 0, 0, 0 have uncertainty 0.34, and you refuse them. Is alpha evidence + 1?")
    return right(
        "Both doors, one behind the other. What the second one refuses, FixMatch would have learned from."
    )


QUIZ = letters(
    {"1": "b", "2": "c", "3": "b", "4": "b"},
    {
        "1": {
            "a": "the pseudo-label is the network's opinion; section 2's third network had many, and wrong ones.",
            "c": "the middle cloud picture of section 2 has learned its border from dots without labels.",
        },
        "2": {
            "a": "it uses them, right or wrong.",
            "b": "few accepted pictures may be wrong as well; the share says nothing of their quality.",
        },
        "3": {
            "a": "the card decides how long it takes, not who wins.",
            "c": "a threshold is a detail; first see whether the race was fair.",
        },
        "4": {
            "a": "softmax forgets what all logits have in common, and evidence does not (section 5).",
            "c": "labels play no part in either number.",
        },
    },
    "You will not be sold a label-saver untested.",
)

EXERCISES = {
    "loss": Exercise(
        judge_loss,
        (
            "Which of 0.97, 0.60, 0.99 and 0.80 reach 0.95? Only these pictures count.",
            "Add -log(0.50) and -log(0.25); the mean is over all four pictures.",
        ),
    ),
    "quality": Exercise(
        judge_quality,
        (
            "accepted = probabilities.max(axis=1) >= threshold is True where the network is sure.",
            "Its mean is the share accepted. probabilities.argmax(axis=1)[accepted] are the pseudo-labels taken.",
            "Compare these with truth[accepted], and return np.nan where accepted.any() is False.",
        ),
    ),
    "uncertainty": Exercise(
        judge_uncertainty,
        ("Alpha is evidence + 1: 7, 2, 1.5 and 1.5.", "Four classes over the sum of alpha."),
    ),
    "accept": Exercise(
        judge_accept,
        (
            "Softmax: np.exp(logits - largest) over its sum in each row. Evidence: np.log1p(np.exp(logits)).",
            "uncertainty = K / (evidence + 1).sum(axis=1), with K = logits.shape[1].",
            "(p.max(axis=1) >= threshold) & (uncertainty <= max_uncertainty), with brackets around both.",
        ),
    ),
    "quiz": Exercise(QUIZ, ("Each question has one right letter; sections 2, 4, 4 and 5 hold the answers.",)),
}
