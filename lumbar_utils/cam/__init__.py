"""Heat maps that show where a network looked: one method a class, as arithmetic on maps and gradients."""

from ..dataset import LumbarError
from .base import CAM, resized
from .eigen_cam import EigenCAM
from .grad_cam import GradCAM
from .grad_cam_plus_plus import GradCAMPlusPlus
from .hires_cam import HiResCAM
from .layer_cam import LayerCAM
from .score_cam import ScoreCAM

__all__ = [
    "CAM",
    "METHODS",
    "EigenCAM",
    "GradCAM",
    "GradCAMPlusPlus",
    "HiResCAM",
    "LayerCAM",
    "ScoreCAM",
    "method_named",
    "resized",
]

METHODS = {
    method.name: method for method in (GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, EigenCAM)
}


def method_named(name: str) -> CAM:
    """Return an instance of the method, or raise `LumbarError` naming those there are."""
    if name not in METHODS:
        raise LumbarError(f"There is no heat map method {name!r}; choose one of {', '.join(METHODS)}.")
    return METHODS[name]()
