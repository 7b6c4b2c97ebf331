"""Runs the localiser's network with LiteRT: which tissue each pixel shows, before anything is numbered."""

from __future__ import annotations

import threading

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ..checkpoints import Checkpoint
from ..dataset import FIRST_BODY, FIRST_DISC, MASK_LABELS, MAX_LEVELS, LumbarError
from ..quiet import native_stderr_silenced
from ..sources.pictures import MIN_SIDE, fit_to_square, placement

# What the network tells apart, and which numbers of `MASK_LABELS` each class takes in. Bulges count as herniation:
# both are disc material behind the line of the bodies' posterior corners, and only their size tells them apart.
CLASSES = {
    "background": (MASK_LABELS["background"],),
    "body": (*range(FIRST_BODY, FIRST_BODY + MAX_LEVELS), MASK_LABELS["modic"]),
    "disc": tuple(range(FIRST_DISC, FIRST_DISC + MAX_LEVELS)),
    "sacrum": (MASK_LABELS["sacrum"],),
    "sac": (MASK_LABELS["sac"], MASK_LABELS["cord"]),
    "herniation": (MASK_LABELS["herniation"], MASK_LABELS["bulge"]),
    "flavum": (MASK_LABELS["flavum"],),
    "osteophyte": (MASK_LABELS["osteophyte"],),
}
BODY, DISC, SACRUM, SAC = (list(CLASSES).index(name) for name in ("body", "disc", "sacrum", "sac"))

_CLASS_OF = np.zeros(256, np.uint8)
for _number, _labels in enumerate(CLASSES.values()):
    _CLASS_OF[list(_labels)] = _number


def class_map(mask: np.ndarray) -> np.ndarray:
    """Return the class number a pixel, uint8, for a label map with the numbers of `MASK_LABELS`."""
    return _CLASS_OF[mask]


def normalise(picture: np.ndarray) -> np.ndarray:
    """Return a picture as float32 in [0, 1], its 1st and 99th percentile stretched to 0 and 1; a flat one is 0."""
    low, high = np.percentile(picture[::2, ::2], (1, 99))
    if not high > low:
        return np.zeros(picture.shape, np.float32)
    return np.clip((picture.astype(np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)


def check_picture(picture: np.ndarray) -> np.ndarray:
    """Return the picture as an array, or raise `LumbarError` if it is no (H, W) uint8 or float32 picture."""
    picture = np.asarray(picture)
    if picture.ndim != 2 or picture.dtype not in (np.uint8, np.float32) or min(picture.shape) < MIN_SIDE:
        raise LumbarError(
            f"The picture is {picture.dtype} of shape {picture.shape}, wanted (height, width) of uint8 or float32, "
            f"at least {MIN_SIDE} pixels each way; give one grey slice."
        )
    if picture.dtype == np.float32 and not np.isfinite(picture).all():
        raise LumbarError(
            "The picture holds values that are not finite, wanted numbers only; replace missing pixels by 0."
        )
    return picture


class Localiser:
    """The network of a checkpoint: class probabilities for one (H, W) picture of any shape.

    Attributes
    ----------
    size : side in pixels of the square that the network sees; a picture is scaled into it, its proportions kept.
    """

    def __init__(self, checkpoint: Checkpoint):
        self.card = checkpoint.card
        self.size: int = self.card["input_shape"][0]
        with native_stderr_silenced():  # a notice about its delegate
            self._interpreter = Interpreter(model_path=str(checkpoint.file("model.tflite")), num_threads=2)
            self._interpreter.allocate_tensors()
        self._run = self._interpreter.get_signature_runner()
        self._lock = threading.Lock()  # an interpreter holds one set of tensors

    def scale(self, picture: np.ndarray) -> np.ndarray:
        """Return what the network sees, (size, size) float32 in [0, 1]."""
        return fit_to_square(normalise(picture), self.size)

    def logits(self, scaled: np.ndarray) -> np.ndarray:
        """Return the logits (size, size, 8) of a scaled picture."""
        with self._lock:
            return self._run(pictures=scaled[None, ..., None])["logits"][0]

    def probabilities(self, picture: np.ndarray) -> np.ndarray:
        """Return the probability of each class, (size, size, 8) float32, on the network's own grid."""
        logits = self.logits(self.scale(picture))
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return odds / odds.sum(axis=-1, keepdims=True)

    def classify(self, picture: np.ndarray) -> np.ndarray:
        """Return the likeliest class a pixel, (H, W) uint8, in the picture's own pixels."""
        return stretch_classes(self.probabilities(picture), picture.shape)


def stretch_classes(probabilities: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the likeliest class a pixel, `shape` uint8, from probabilities on the network's square."""
    top, left, height, width = placement(shape, probabilities.shape[:2])
    inside = probabilities[top : top + height, left : left + width]
    best, classes = np.zeros(shape, np.float32), np.zeros(shape, np.uint8)
    for number in range(
        probabilities.shape[-1]
    ):  # one class at a time: a large picture need not fit eight times
        layer = cv2.resize(
            np.ascontiguousarray(inside[..., number]), shape[::-1], interpolation=cv2.INTER_LINEAR
        )
        classes[layer > best] = number
        best = np.maximum(best, layer)
    return classes
