"""Training a network, and getting probabilities and features out of it."""

from .augmentation import SmallChanges
from .fit import fit
from .predict import features_of, predict, predictions_of

__all__ = ["SmallChanges", "features_of", "fit", "predict", "predictions_of"]
