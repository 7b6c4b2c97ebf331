"""Scores with intervals, computed from stored predictions; the unit of every interval is the patient."""

from lumbar_utils.evaluation.comparison import McNemar, mcnemar_exact, paired_difference
from lumbar_utils.evaluation.intervals import Estimate
from lumbar_utils.evaluation.predictions import Predictions, average_copies
from lumbar_utils.evaluation.report import Report, evaluate
from lumbar_utils.evaluation.results import load_results

__all__ = [
    "Estimate",
    "McNemar",
    "Predictions",
    "Report",
    "average_copies",
    "evaluate",
    "load_results",
    "mcnemar_exact",
    "paired_difference",
]
