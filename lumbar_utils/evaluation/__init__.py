"""Scores with intervals, computed from stored predictions; the unit of every interval is the patient."""

from lumbar_utils.evaluation.auc import AUCDifference, delong, hanley_mcneil_se, paired_delong
from lumbar_utils.evaluation.calibration import reliability
from lumbar_utils.evaluation.comparison import McNemar, mcnemar_exact, paired_difference
from lumbar_utils.evaluation.decision import decision_curve
from lumbar_utils.evaluation.diversity import diversity
from lumbar_utils.evaluation.ensembles import SoftVotingEnsemble, StackingEnsemble, WeightedVotingEnsemble
from lumbar_utils.evaluation.intervals import Estimate, clopper_pearson, wilson
from lumbar_utils.evaluation.label_scheme import healthy_or_ill, join_classes
from lumbar_utils.evaluation.pairs import compare, holm
from lumbar_utils.evaluation.paper_report import PaperReport, paper_reported
from lumbar_utils.evaluation.predictions import Predictions, average_copies
from lumbar_utils.evaluation.repeated_folds import CorrectedT, corrected_resampled_t
from lumbar_utils.evaluation.report import Report
from lumbar_utils.evaluation.results import load_results
from lumbar_utils.evaluation.scoring import evaluate
from lumbar_utils.evaluation.temperature import fit_temperature, tempered, with_temperature

__all__ = [
    "AUCDifference",
    "CorrectedT",
    "Estimate",
    "McNemar",
    "PaperReport",
    "Predictions",
    "Report",
    "SoftVotingEnsemble",
    "StackingEnsemble",
    "WeightedVotingEnsemble",
    "average_copies",
    "clopper_pearson",
    "compare",
    "corrected_resampled_t",
    "decision_curve",
    "delong",
    "diversity",
    "evaluate",
    "fit_temperature",
    "hanley_mcneil_se",
    "healthy_or_ill",
    "holm",
    "join_classes",
    "load_results",
    "mcnemar_exact",
    "paired_delong",
    "paired_difference",
    "paper_reported",
    "reliability",
    "tempered",
    "wilson",
    "with_temperature",
]
