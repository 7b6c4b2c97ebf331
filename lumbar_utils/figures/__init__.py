"""Figures, one function a file; each title states its finding, and so does fig.layout.meta["description"]."""

from lumbar_utils.figures.accuracy_by_labels import accuracy_by_labels
from lumbar_utils.figures.class_counts import class_counts
from lumbar_utils.figures.compare_accuracy import compare_accuracy
from lumbar_utils.figures.confusion_matrix import confusion_matrix
from lumbar_utils.figures.decision_curve import decision_curve
from lumbar_utils.figures.duel_by_size import duel_by_size
from lumbar_utils.figures.estimate_forest import estimate_forest
from lumbar_utils.figures.explanation_scores import explanation_scores
from lumbar_utils.figures.filters_on_picture import filters_on_picture
from lumbar_utils.figures.flow_map import flow_map
from lumbar_utils.figures.heat_overlay import heat_overlay
from lumbar_utils.figures.interval_by_size import interval_by_size
from lumbar_utils.figures.learning_curves import learning_curves
from lumbar_utils.figures.paired_forest import paired_forest
from lumbar_utils.figures.picture_grid import picture_grid
from lumbar_utils.figures.precision_recall_curves import precision_recall_curves
from lumbar_utils.figures.probabilities_bar import probabilities_bar
from lumbar_utils.figures.reliability_diagram import reliability_diagram
from lumbar_utils.figures.reported_accuracy import reported_accuracy
from lumbar_utils.figures.roc_curves import roc_curves
from lumbar_utils.figures.score_scatter import score_scatter
from lumbar_utils.figures.small_study import small_study
from lumbar_utils.figures.style import retitle
from lumbar_utils.figures.training_curves import training_curves

__all__ = [
    "accuracy_by_labels",
    "class_counts",
    "compare_accuracy",
    "confusion_matrix",
    "decision_curve",
    "duel_by_size",
    "estimate_forest",
    "explanation_scores",
    "filters_on_picture",
    "flow_map",
    "heat_overlay",
    "interval_by_size",
    "learning_curves",
    "paired_forest",
    "picture_grid",
    "precision_recall_curves",
    "probabilities_bar",
    "reliability_diagram",
    "reported_accuracy",
    "retitle",
    "roc_curves",
    "score_scatter",
    "small_study",
    "training_curves",
]
