"""The classification paper that the course rebuilds: the numbers it reports, as it prints them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lumbar_utils.dataset import PAPER4

SUPPORT = dict(zip(PAPER4, (4, 4, 8, 3), strict=True))  # its table of results, column "Support"
N_TEST = sum(SUPPORT.values())
TEST_SHARE = 0.10  # "in an 80:10:10 ratio", section "Data collection"
PAPER_PATIENTS = round(
    N_TEST / TEST_SHARE
)  # so all in all 190; of how many patients the pictures are, it does not say
ALGORITHMS_ANNOUNCED = 6  # "six alternative algorithms", section "Algorithms used"
_HEALTHY, _HERNIATED, _STENOSIS, _SPONDYLOSIS = PAPER4


@dataclass(frozen=True)
class ReportedModel:
    """What the paper prints about one model; nothing here was measured by the course.

    Attributes
    ----------
    accuracy : as printed, in hundredths; None where the paper gives no number.
    measured_on : "test", "validation" or "not given".
    scores : (class, "precision" | "recall" | "f1") -> the printed value.
    mistakes : (true class, taken for) -> pictures, where the text counts them.
    """

    name: str
    accuracy: float | None
    measured_on: str
    scores: dict[tuple[str, str], float] = field(default_factory=dict)
    mistakes: dict[tuple[str, str], int] = field(default_factory=dict)


REPORTED = (
    ReportedModel(
        "CNN",
        0.95,
        "test",
        {(_HEALTHY, "f1"): 1.0, (_STENOSIS, "f1"): 1.0, (_HERNIATED, "recall"): 0.75},
        {(_HERNIATED, _STENOSIS): 1},
    ),
    ReportedModel(
        "MobileNet",
        0.89,
        "test",
        {
            (_HERNIATED, "precision"): 0.67,
            (_HERNIATED, "recall"): 0.67,
            (_STENOSIS, "precision"): 1.0,
            (_STENOSIS, "recall"): 1.0,
        },
    ),
    ReportedModel(
        "DenseNet",
        0.68,
        "test",
        {(_HERNIATED, "precision"): 0.0, (_HERNIATED, "recall"): 0.0},
        {(_HERNIATED, _STENOSIS): SUPPORT[_HERNIATED]},  # "completely misclassified as spinal stenosis"
    ),
    ReportedModel("VGG16", 0.84, "test", {(_STENOSIS, "f1"): 1.0, (_HERNIATED, "recall"): 0.5}),
    ReportedModel("VGG16-Involution", 0.90, "validation"),
    ReportedModel("ResNet50", 1.0, "test"),
    ReportedModel("AlexNet", None, "not given"),
    ReportedModel(
        "CNN-SVM",
        1.0,
        "test",
        {(name, score): 1.0 for name in PAPER4 for score in ("precision", "recall", "f1")},
    ),
)
