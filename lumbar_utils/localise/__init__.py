"""Finds the lumbar column in a picture: numbered bodies and discs, and the crop along the column."""

from .acceptance import refusal
from .location import Location, locate, name_of, shipped_localiser
from .network import CLASSES, Localiser, class_map, normalise

__all__ = [
    "CLASSES",
    "Localiser",
    "Location",
    "class_map",
    "locate",
    "name_of",
    "normalise",
    "refusal",
    "shipped_localiser",
]
