"""Networks joined with classical learners, as scikit-learn estimators."""

from .cnn_svm import CNNSVMClassifier
from .storage import load_hybrid, save_hybrid

__all__ = ["CNNSVMClassifier", "load_hybrid", "save_hybrid"]
