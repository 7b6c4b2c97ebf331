"""Network architectures, one a file, and the registry that builds them by name."""

from .registry import (
    ARCHITECTURES,
    Architecture,
    architecture_named,
    architecture_of,
    build_model,
    count_parameters,
    display_name_of,
    list_models,
)

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "architecture_named",
    "architecture_of",
    "build_model",
    "count_parameters",
    "display_name_of",
    "list_models",
]
