"""Training a network, and getting probabilities and features out of it."""

from .augmentation import SmallChanges
from .features import backbone_features, fit_head
from .fit import fit
from .inputs import scaled_for
from .predict import features_of, predict, predictions_of

__all__ = [
    "SmallChanges",
    "backbone_features",
    "features_of",
    "fit",
    "fit_head",
    "predict",
    "predictions_of",
    "scaled_for",
]
