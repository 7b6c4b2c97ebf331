"""Figures, one function a file; each title states its finding, and so does fig.layout.meta["description"]."""

from lumbar_utils.figures.class_counts import class_counts
from lumbar_utils.figures.compare_accuracy import compare_accuracy
from lumbar_utils.figures.confusion_matrix import confusion_matrix
from lumbar_utils.figures.heat_overlay import heat_overlay
from lumbar_utils.figures.picture_grid import picture_grid
from lumbar_utils.figures.probabilities_bar import probabilities_bar
from lumbar_utils.figures.roc_curves import roc_curves
from lumbar_utils.figures.training_curves import training_curves

__all__ = [
    "class_counts",
    "compare_accuracy",
    "confusion_matrix",
    "heat_overlay",
    "picture_grid",
    "probabilities_bar",
    "roc_curves",
    "training_curves",
]
