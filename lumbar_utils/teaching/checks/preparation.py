"""Exercises of lesson 03, preparation and augmentation."""

from __future__ import annotations

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
    numbers,
    right,
    wrong,
)

BOUND = -5.0  # percentage points that turning may cost


def judge_millimetres(answer: object) -> Verdict:
    value = number(answer)
    if near(value, 320 / 224, 6e-3):
        return right(
            "1.43 mm. A herniation of 5 mm is three and a half pixels deep, and was eight at the scanner."
        )
    if near(value, 320 / 512):
        return wrong("0.625 mm is a pixel of the scanner. After resizing fewer pixels share the same 320 mm.")
    if near(value, 224 / 320, 6e-3):
        return wrong("You turned the fraction over: 0.7 is how many pixels a millimetre gets.")
    if near(value, 320 / 512 * 224 / 512, 6e-3):
        return wrong(
            "Pixels become larger when there are fewer of them: 0.625 mm times 512/224, not 224/512."
        )
    if near(value, 512 / 224, 6e-3):
        return wrong("2.29 is by how much the pixels grew. Each was 0.625 mm wide before.")
    if near(value, 280 / 224, 6e-3):
        return wrong("1.25 mm belongs to the phantom's field of view of 280 mm; this scanner shows 320 mm.")
    return wrong(
        f"{value:.3g} does not fit: 224 pixels cover what the scanner shows, and resizing does not change that."
    )


def judge_pad(answer: object) -> Verdict:
    rng = np.random.default_rng(0)
    pad = function(answer)
    for shape in ((6, 4), (4, 6), (7, 4), (5, 5), (3, 8)):
        picture = rng.integers(1, 255, shape, dtype=np.uint8)
        before = picture.copy()
        result = pad(picture)
        if result is None or result is ...:
            raise NotAnswered
        verdict = _look_at_square(np.asarray(result), before)
        if verdict is not None:
            return verdict
        if not np.array_equal(picture, before):
            return wrong("Your function changes the picture it was given; write into a new array.")
    if np.asarray(pad(rng.random((4, 6)).astype(np.float32))).dtype != np.float32:
        return wrong("A float32 picture came back as another type: give the new array picture.dtype.")
    return right(
        "Both ways, odd sides and all. A millimetre is now equally long in both directions, whatever resizing follows."
    )


def _look_at_square(square: np.ndarray, picture: np.ndarray) -> Verdict | None:
    """Return what is wrong with a padded picture, or None."""
    (height, width), side = picture.shape, max(picture.shape)
    shown = f"{height} × {width}"
    if square.shape == (min(picture.shape),) * 2 and height != width:
        return wrong(
            f"Of {shown} you keep {square.shape[0]} × {square.shape[1]}: that is a crop. Pad to the longer "
            "side."
        )
    if square.shape != (side, side):
        return wrong(
            f"{shown} became {' × '.join(map(str, square.shape))}, wanted {side} × {side}. With an odd difference "
            "the two bars differ by one pixel."
        )
    if square.dtype != picture.dtype:
        return wrong(
            f"A {picture.dtype} picture came back as {square.dtype}: np.zeros makes float64 unless it gets "
            "picture.dtype."
        )
    top, left = (side - height) // 2, (side - width) // 2
    wanted = np.zeros_like(square)
    wanted[top : top + height, left : left + width] = picture
    if np.array_equal(square, wanted):
        return None
    if np.array_equal(square[:height, :width], picture):
        return wrong(
            f"{shown}: the picture lies in the corner. Put half of the black before it and half behind."
        )
    if np.array_equal(square[top : top + height, left : left + width], picture):
        return wrong(f"{shown}: the picture lies well, but the bars are not black. Fill them with 0.")
    late_top, late_left = side - height - top, side - width - left
    if np.array_equal(square[late_top : late_top + height, late_left : late_left + width], picture):
        return wrong(
            f"{shown}: nearly; where an odd pixel is left over, it goes to the end, not to the beginning."
        )
    return wrong(
        f"{shown}: the pixels themselves have changed. If you resized the picture into the square, you squeezed it; "
        "copy it instead."
    )


def judge_modes(answer: object) -> Verdict:
    tf, torch, caffe = numbers(answer, 3)
    if (
        near(tf, 128 / 255 * 2 - 1, 2e-3)
        and near(torch, (128 / 255 - 0.485) / 0.229, 4e-3)
        and near(caffe, 24.061, 0.05)
    ):
        return right(
            "0.004, 0.07 and 24: the same grey. A network that expects the first and gets the last sees six thousand "
            "times as much."
        )
    if near(tf, 128 / 255, 2e-3):
        return wrong("tf: 0.502 is mode unit. tf runs from -1 to 1, so mid-grey is close to 0.")
    if near(tf, 128 / 255 - 1, 2e-3):
        return wrong("tf: you subtracted 1 from g/255, which runs from -1 to 0. Divide by 127.5 first.")
    if near(tf, 2 * 128 - 1, 0.1):
        return wrong("tf: bring the grey value to 0..1 before you double it.")
    if not near(tf, 128 / 255 * 2 - 1, 2e-3):
        return wrong(f"tf: {tf:.3g} does not fit; 0 becomes -1 and 255 becomes 1, so where is 128?")
    if near(torch, (128 - 0.485) / 0.229, 1):
        return wrong("torch: mean and SD belong to pictures between 0 and 1; divide 128 by 255 first.")
    if near(torch, 128 / 255 - 0.485, 2e-3):
        return wrong("torch: you subtracted the mean; now divide by the standard deviation, 0.229.")
    if near(torch, (128 / 255 - 0.406) / 0.225, 4e-3) or near(torch, (128 / 255 - 0.456) / 0.224, 4e-3):
        return wrong("torch: that is another channel. Red comes first: mean 0.485, SD 0.229.")
    if not near(torch, (128 / 255 - 0.485) / 0.229, 4e-3):
        return wrong(f"torch: {torch:.3g} does not fit; (128/255 - 0.485) / 0.229.")
    if near(caffe, 128 - 123.68, 0.05):
        return wrong(
            "caffe: that is red. The order is blue, green, red, so the first mean, 103.939, is blue's."
        )
    if near(caffe, 128 / 255 - 103.939, 0.1):
        return wrong("caffe: this mode leaves the grey values between 0 and 255; do not divide.")
    return wrong(f"caffe: {caffe:.4g} does not fit; it is the grey value minus blue's mean.")


HONEST = {"a", "c", "e", "g"}
WHY_NOT = {
    "b": "b puts the sac in front of the vertebral bodies; no scanner makes that of any patient.",
    "d": "d makes a sac of 14 mm one of 10 mm: a stenosis labelled Healthy.",
    "f": "f is as fine as the lesion: it narrows or widens the sac by millimetres under an unchanged label.",
    "h": "h can swallow the herniation and leave its name on the picture.",
    "i": "i puts the sacrum on top.",
}
WHY = {
    "a": "a is missing: nobody lies quite straight.",
    "c": "c is missing: the technician centres by eye.",
    "e": "e is missing: the window differs by that much from picture to picture.",
    "g": "g is missing: the next scan of the same patient has other noise too.",
}


def judge_honest(answer: object) -> Verdict:
    if not isinstance(answer, (str, set, frozenset, list, tuple)):
        raise WrongKind(f"The answer is a set of letters; yours is of type {type(answer).__name__}.")
    given = {str(one).strip().lower() for one in answer} - {"", ","}
    known = HONEST | set(WHY_NOT)
    if strange := sorted(given - known):
        return wrong(f"{strange[0]!r} is not one of the letters {', '.join(sorted(known))}.")
    remarks = [WHY_NOT[one] for one in sorted(given - HONEST)] + [WHY[one] for one in sorted(HONEST - given)]
    if remarks:
        return wrong(" ".join(remarks))
    return right(
        "Four of nine, and each within limits: the turn of 5° would be a lie at 90°. What is left out fails one of the "
        "two questions: could a scanner have made it, and is the diagnosis the same?"
    )


def judge_turning(answer: object) -> Verdict:
    angle, value, low, high = numbers(answer, 4)
    if angle == 0 and value == low == high == 0:
        return wrong(
            "No angle passed. With few patients (a quick run) the interval is too wide even for 1°; at full size at "
            "least one passes."
        )
    if angle < 0:
        return wrong("Give the angle without a sign; half of the columns are turned each way.")
    if not low <= value <= high:
        return wrong("Are the last three in the order difference, lower limit, upper limit?")
    if high - low < 0.5:
        return wrong("Are these fractions? Give percentage points: 100 times .value, .low and .high.")
    if value > 0 and low > 0 and angle > 0 and value > 3:
        return wrong(
            "Turning makes it better by that much? Subtract as scanned from turned, not the other way round."
        )
    if value < BOUND:
        return wrong(
            f"At {angle:g}° the accuracy itself has fallen by {-value:.1f} points, more than 5. Take a smaller angle."
        )
    if low <= BOUND:
        return wrong(
            f"At {angle:g}° the measured difference is {value:+.1f}, but the interval reaches to {low:+.1f}: a loss of "
            "more than 5 points is not excluded. Proven is what the lower limit says."
        )
    return right(
        f"Up to {angle:g}°, with {value:+.1f} [{low:+.1f}, {high:+.1f}] points. The measured difference alone would "
        "let you claim more. What limits the claim is the number of patients: an interval that reaches "
        f"{value - low:.1f} points down cannot prove a loss of less. (This is a test of non-inferiority.)"
    )


QUIZ = letters(
    {"1": "b", "2": "c", "3": "a", "4": "b", "5": "c"},
    {
        "1": {
            "a": "they double the pictures, not the patients; in section 5 nobody gained.",
            "c": "on an axial slice with labels that name no side they are defensible.",
        },
        "2": {
            "a": "shapes and types fit, so nothing stops.",
            "b": "in section 3 it rose, to nearly 100 % in one mode.",
        },
        "3": {
            "b": "a grey level depends on gain and window, not on quality.",
            "c": "one patient had very different greys in six scanners (section 3).",
        },
        "4": {
            "a": "it cannot know which pictures were squeezed, and by how much.",
            "c": "that is where most herniations are.",
        },
        "5": {
            "a": "that would have to be checked on those very pictures; in section 7 it failed.",
            "b": "the slices beside the midline got a high confidence and were unlike all training pictures.",
        },
    },
    "You would make a good gatekeeper: most failures of deployed networks are answers to these five.",
)

EXERCISES = {
    "millimetres": Exercise(
        judge_millimetres,
        (
            "Resizing changes the number of pixels. Does it change how much of the patient is shown?",
            "The field of view stays 320 mm, now shared by 224 pixels.",
        ),
    ),
    "pad": Exercise(
        judge_pad,
        (
            "Make a black square first: np.zeros((side, side), picture.dtype) with side = max(picture.shape).",
            "The bars before the picture: top = (side - height) // 2 and left = (side - width) // 2.",
            "square[top : top + height, left : left + width] = picture",
        ),
    ),
    "modes": Exercise(
        judge_modes,
        (
            "The formulas stand in the table; the means and SDs under it.",
            "tf: 128 / 127.5 - 1. torch: (128 / 255 - mean) / SD, with red's 0.485 and 0.229.",
            "caffe: 128 minus blue's mean, 103.939.",
        ),
    ),
    "honest": Exercise(
        judge_honest,
        (
            "Ask each: could a scanner have made it? And would the diagnosis be the same?",
            "Which of them move the walls of the sac against one another, or hide them?",
            "Four are honest: what happens in every clinic when a patient is scanned twice.",
        ),
    ),
    "turning": Exercise(
        judge_turning,
        (
            "First the reference: upright = answers(network.predict(everybody), clinic).",
            "For each angle: gap = paired_difference(answers(network.predict(turned(angle)), clinic), upright).",
            "Go through the angles from small to large, and stop at the first whose gap.low is not above -0.05.",
        ),
    ),
    "quiz": Exercise(
        QUIZ, ("Each question has one right letter; sections 5, 3, 3, 2 and 7 hold the answers.",)
    ),
}
