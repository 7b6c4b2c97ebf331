"""Heat maps that show where a network looked: one method a class, as arithmetic on maps and gradients."""

from ..dataset import LumbarError
from .base import CAM, stretch_over_picture
from .grad_cam import GradCAM

__all__ = ["CAM", "METHODS", "GradCAM", "method_named", "stretch_over_picture"]

METHODS = {method.name: method for method in (GradCAM,)}


def method_named(name: str) -> CAM:
    """Return an instance of the method, or raise `LumbarError` naming those there are."""
    if name not in METHODS:
        raise LumbarError(f"There is no heat map method {name!r}; choose one of {', '.join(METHODS)}.")
    return METHODS[name]()
