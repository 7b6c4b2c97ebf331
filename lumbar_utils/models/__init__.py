"""Network architectures, one a file, and the registry that builds them by name."""

from .architectures import ARCHITECTURES, Architecture, architecture_named
from .involution import Involution2D
from .registry import (
    architecture_of,
    build_model,
    cam_layer_of,
    count_parameters,
    crop_of,
    display_name_of,
    list_models,
    mode_of,
)

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "Involution2D",
    "architecture_named",
    "architecture_of",
    "build_model",
    "cam_layer_of",
    "count_parameters",
    "crop_of",
    "display_name_of",
    "list_models",
    "mode_of",
]
