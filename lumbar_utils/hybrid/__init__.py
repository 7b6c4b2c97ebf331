"""Networks joined with classical learners, as scikit-learn estimators."""

from .cnn_svm import CNNSVMClassifier

__all__ = ["CNNSVMClassifier"]
