"""Features of a picture by hand, one idea a file, and the scikit-learn transformer that joins them."""

from .transformer import FAMILIES, HandcraftedFeatures

__all__ = ["FAMILIES", "HandcraftedFeatures"]
