"""Predicts and explains with LiteRT, which loads in milliseconds where TensorFlow takes seconds and 700 MB."""

from .hybrid import HybridPredictor, load_hybrid_predictor
from .predictor import Predictor, load_predictor
from .timing import milliseconds_a_picture

__all__ = [
    "HybridPredictor",
    "Predictor",
    "load_hybrid_predictor",
    "load_predictor",
    "milliseconds_a_picture",
]
