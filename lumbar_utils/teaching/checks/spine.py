"""Exercises of lesson 01, the lumbar spine and what MRI shows of it."""

from __future__ import annotations

import re
from math import exp

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


def judge_level(answer: object) -> Verdict:
    level = re.fullmatch(r"\s*([LS])?(\d)\s*[-/ ]\s*([LS])?(\d)\s*", str(answer).upper())
    if not isinstance(answer, str) or level is None:
        raise WrongKind('The answer is the name of one disc in quotes, such as "L1-L2".')
    upper, lower = int(level[2]), int(level[4])
    if (upper, lower) == (2, 3) and level[1] != "S":
        return right(
            "L2-L3: three discs up from L5-S1. A surgeon counts twice, because the wrong level is a real mistake."
        )
    if (upper, lower) == (3, 4):
        return wrong(
            "You are one too low. The lowest disc between a vertebra and the sacrum is L5-S1, not L4-L5: start there."
        )
    if (upper, lower) == (1, 2) and level[3] != "S":
        return wrong(
            "You are one too high. The thin dark line inside the sacrum, S1-S2, is the rest of a disc and does not "
            "count; L5-S1 is the thick wedge above it."
        )
    if (upper, lower) == (3, 2):
        return wrong("The right place, but the upper vertebra comes first in a disc's name.")
    return wrong(
        "Counting from the top goes wrong, because the picture shows some thoracic vertebrae too. Begin at the "
        "sacrum: L5-S1, L4-L5, and on upwards."
    )


def spin_echo(t1: float, t2: float, density: float, tr: float, te: float) -> float:
    """Return the signal of a spin echo; times in one unit."""
    return density * (1 - exp(-tr / t1)) * exp(-te / t2)


def judge_signal(answer: object) -> Verdict:
    t1, t2, density, tr, te = case = (800.0, 80.0, 90.0, 600.0, 20.0)
    value = number(result_of(answer, *case))
    if near(value, spin_echo(*case), 0.01):
        return right(
            "One line, and it holds all of this lesson's contrast: TR decides what T1 may say, TE what T2 may say."
        )
    if near(value, spin_echo(t1, t2, density, te, tr), 0.01):
        return wrong("TR and TE changed places: TR goes with T1 (the recovery), TE with T2 (the decay).")
    if near(value, spin_echo(t1, t2, 1, tr, te), 0.01):
        return wrong("The proton density is missing: without protons there is no signal, so it multiplies.")
    if near(value, density * exp(-tr / t1) * exp(-te / t2), 0.01):
        return wrong(
            "exp(-TR/T1) is what is still missing after TR. What has recovered is 1 minus that; a long TR gives 1."
        )
    if near(value, density * (1 - exp(-tr / t1)) * (1 - exp(-te / t2)), 0.01):
        return wrong(
            "Your second factor grows with TE. The echo fades while you wait, so it is exp(-TE/T2) alone."
        )
    if near(value, density * (1 - exp(-tr / t1)), 0.01):
        return wrong("That is the recovery alone; multiply by the decay exp(-TE/T2).")
    if value <= 0 or value > density:
        return wrong(
            f"For T1 800, T2 80, PD 90, TR 600 and TE 20 ms you give {value:.3g}. A signal lies between 0 and the "
            "proton density; look at the signs in the two exponents."
        )
    return wrong(f"For T1 800, T2 80, PD 90, TR 600 and TE 20 ms you give {value:.3f}, wanted 36.985.")


T1_ORDER, T2_ORDER = ["fat", "marrow", "nucleus", "csf"], ["csf", "nucleus", "fat", "marrow"]


def judge_order(answer: object) -> Verdict:
    if isinstance(answer, str) or not hasattr(answer, "__len__"):
        raise WrongKind("The answer is a list of the four names, brightest first.")
    names = [str(name).strip().lower() for name in answer]
    if sorted(names) != sorted(T1_ORDER):
        raise WrongKind('Name each of "CSF", "fat", "marrow" and "nucleus" once.')
    if names == T1_ORDER:
        return right(
            "Fat has the shortest T1 and has recovered before the next pulse; CSF, with the longest, has got back an "
            "eighth. Marrow lies near fat because a good part of it is fat."
        )
    if names == T1_ORDER[::-1]:
        return wrong("Those are the right neighbours the other way round: put the brightest first.")
    if names == T2_ORDER:
        return wrong(
            "That is the order on T2 (long TR, long TE). Here TR is 550 ms, and CSF needs seconds to recover."
        )
    if names[0] == "csf":
        return wrong(
            "CSF first? Its T1 is 4.3 s, so after 550 ms it has recovered to 12 %. Bright water belongs to T2."
        )
    if names[-1] != "csf":
        return wrong(
            "The tissue with the longest T1 has recovered least after 550 ms: it comes last. Which one is it?"
        )
    return wrong("TE is short, so T2 hardly speaks. Sort by T1 alone: the shortest T1 is the brightest.")


def judge_echo(answer: object) -> Verdict:
    value = number(answer)
    if 190 <= value <= 202:
        return right(
            f"{value:g} ms. At the usual 100 ms nine tenths of this difference are there already, and discs and "
            "marrow still have a signal. At 200 ms only the fluid is left: that picture is called an MR myelogram."
        )
    if value in (38, 39):
        return wrong(f"{value:g} is the position in the array. Which echo time stands there?")
    if value >= 395:
        return wrong(
            "The longest echo time makes the ratio of the two signals largest, 100 to 0.1 as well as 1 to 0.001. The "
            "eye and the noise see the difference, and that falls again when the fluid fades too."
        )
    if 240 <= value <= 255:
        return wrong(
            "That is the answer for TR 550 ms. With a long TR, 3500 ms, CSF has had time to recover."
        )
    if 315 <= value <= 330:
        return wrong("That is CSF against the nucleus. What lies against the sac is the annulus.")
    if value <= 10:
        return wrong(
            "At the shortest echo time the two are almost equally bright. Subtract the annulus from the CSF, and take "
            "the largest difference."
        )
    if value == 100:
        return wrong(
            "100 ms is what most clinics use, for more reasons than this one. Which TE makes CSF minus annulus largest?"
        )
    return wrong(f"{value:g} ms does not fit: np.argmax(csf - annulus) gives the position in echo_times.")


def judge_slices(answer: object) -> Verdict:
    midline, three = numbers(answer, 2)
    if not (0 <= midline <= 1 and 0 <= three <= 1):
        return wrong(
            "Give two shares between 0 and 1: herniations that are half hidden, over all 60 patients."
        )
    if three > midline:
        return wrong(
            "Three slices cannot hide more than one of them does. Are the two in the order (midline, three), and did "
            "you take the *largest* area of the three?"
        )
    if midline > 0.5:
        return wrong(
            "That is the share that is shown well. The question asks for those below half of their largest area."
        )
    if midline == 0:
        return wrong(
            "No herniation hidden on the midline? You may have asked for an area of 0. Compare with half of "
            "areas.max(axis=1), the herniation's own best slice."
        )
    if near(midline, three, 1e-9):
        return wrong(
            "Both are the same. The second is for areas[:, 2:5].max(axis=1), the best of three slices."
        )
    return right(
        f"{midline:.0%} of the herniations are half hidden on the midline, {three:.0%} with a slice on either side. "
        "A network that is given one slice cannot win these back, whatever its architecture."
    )


PAIN, WITH_PAIN, WITHOUT_PAIN = 200, 0.57, 0.33  # of 1000 people of 40 years


def judge_pain(answer: object) -> Verdict:
    value = number(answer)
    both, neither = PAIN * WITH_PAIN, (1000 - PAIN) * WITHOUT_PAIN
    if near(value, both / (both + neither), 0.006):
        return right(
            "114 of 378, or 0.30. The protrusion moved the chance from 20 % to 30 %: a hint, and far from a cause. "
            "Seven in ten of those whose slice shows one have no pain."
        )
    if near(value, WITH_PAIN, 0.006):
        return wrong(
            "0.57 is the share with a protrusion among those in pain. The question turns it round: the share in pain "
            "among those with a protrusion."
        )
    if near(value, both / 1000, 0.006):
        return wrong(
            "That divides by all 1000 people. Look only at those who have a protrusion, with pain and without."
        )
    if near(value, 0.20, 0.006):
        return wrong("0.20 is the chance before anybody has looked at a picture.")
    if near(value, neither / (both + neither), 0.006):
        return wrong("That is the other part, people with a protrusion and no pain.")
    if near(value, WITH_PAIN / (WITH_PAIN + WITHOUT_PAIN), 0.006):
        return wrong(
            "0.57 / (0.57 + 0.33) would be right if pain were as common as no pain. Here it is 200 against 800."
        )
    if value > 1:
        return wrong("Give a share between 0 and 1: people with both, over people with a protrusion.")
    return wrong(
        f"{value:.3g} does not fit: count those with pain and a protrusion, then all who have a protrusion."
    )


QUIZ = letters(
    {"1": "c", "2": "b", "3": "a", "4": "b"},
    {
        "1": {
            "a": "four in five people of 50 without any pain have a worn disc; the picture alone names no cause.",
            "b": "wear follows age so loosely that some people of 20 have such a disc.",
        },
        "2": {
            "a": "on fast spin echo, which clinics use, fat is bright on T2 as well.",
            "c": "the cortex of bone has almost no signal; it is black on both.",
        },
        "3": {
            "b": "less noise cannot show what lies outside the slice.",
            "c": "a herniation 9 mm beside the midline hardly marks the midline slice.",
        },
        "4": {
            "a": "CSF has more protons than any other tissue of the slice.",
            "c": "its T2 is the longest of all; at a TE of 10 ms it has lost less than 1 %.",
        },
    },
    "You read a slice as a measurement: what was asked (TR, TE), where it was cut, and what it cannot know.",
)

EXERCISES = {
    "level": Exercise(
        judge_level,
        (
            "Find the sacrum first: the bones that bend backwards at the bottom and have no thick disc between them.",
            "The disc on top of the sacrum is L5-S1. The next ones up are L4-L5, L3-L4 and so on.",
        ),
    ),
    "signal": Exercise(
        judge_signal,
        (
            "Three factors: how many protons, how far they have recovered, how much of the echo is left.",
            "np.exp(-tr / t1) is what has not recovered yet, np.exp(-te / t2) is what is left of the echo.",
            "return density * (1 - np.exp(-tr / t1)) * np.exp(-te / t2)",
        ),
    ),
    "order": Exercise(
        judge_order,
        (
            "TE is only 10 ms, so hardly anything has decayed. What counts is who has recovered after 550 ms.",
            "A short T1 is a fast recovery. Look up the four T1 in the table and sort from short to long.",
        ),
    ),
    "echo": Exercise(
        judge_echo,
        (
            "spin_echo(*TISSUES['CSF'], 3500, echo_times) gives an array, one signal for each echo time.",
            "Subtract the same of 'annulus'. np.argmax gives the position of the largest difference.",
            "best_te = echo_times[np.argmax(csf - annulus)]",
        ),
    ),
    "slices": Exercise(
        judge_slices,
        (
            "areas.max(axis=1) is each patient's best slice; areas[:, 3] is the midline.",
            "np.mean(areas[:, 3] < 0.5 * areas.max(axis=1)) is the first share.",
            "For the second, put areas[:, 2:5].max(axis=1) in the place of areas[:, 3].",
        ),
    ),
    "pain": Exercise(
        judge_pain,
        (
            "Of 1000 people 200 have pain. How many of these have a protrusion? And how many of the other 800?",
            "114 with pain and 264 without have a protrusion. What share of these 378 has pain?",
        ),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 7, 3, 6 and 2 hold the answers, in this order.",)
    ),
}
