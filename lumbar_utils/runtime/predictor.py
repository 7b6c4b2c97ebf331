"""A shipped network run by LiteRT: probabilities, features and heat maps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ..cam import CAM, method_named
from ..checkpoints import Checkpoint, read_checkpoint
from ..dataset import LumbarError
from ..framing import Frames, frame
from ..preparation import scale_values
from ..quiet import native_stderr_silenced


class Predictor:
    """A shipped network: probabilities and heat maps for pictures of any size.

    Attributes
    ----------
    class_names : K names, in the order of the probabilities.
    input_size : (height, width) in pixels of what the network sees.
    crop : "column" where that is the column of the spine, None where it is the whole picture.
    card : the model card, with what it was trained on and what it is for.
    """

    def __init__(self, checkpoint: Checkpoint):
        self.card = checkpoint.card
        self.class_names: tuple[str, ...] = tuple(self.card["class_names"])
        self.input_size: tuple[int, int] = tuple(self.card["input_shape"][:2])
        self.crop: str | None = self.card["crop"]
        self._kernel = np.load(checkpoint.file("head.npy"), allow_pickle=False)  # (C, K)
        with native_stderr_silenced():  # a notice about its delegate
            self._interpreter = self._interpreter_of(checkpoint.file("model.tflite"))
            self._interpreter.allocate_tensors()
        self._run = self._interpreter.get_signature_runner()
        self._lock = threading.Lock()  # an interpreter holds one set of tensors

    def _interpreter_of(self, file: Path) -> Interpreter:
        return Interpreter(model_path=str(file))

    def __repr__(self) -> str:
        height, width = self.input_size
        seen = "of the column" if self.crop else "of the whole picture"
        name = self.card["display_name"]
        return f"Predictor({name!r}, {height} x {width} px {seen}, {len(self.class_names)} classes)"

    def frame(self, images: np.ndarray) -> Frames:
        """Return (N, H, W) pictures as the network sees them; hand these in where several questions are asked.

        Pictures are uint8, or float32 in [0, 1], of any size.
        """
        if images.ndim != 3 or len(images) == 0 or images.dtype not in (np.uint8, np.float32):
            raise LumbarError(
                f"The pictures are {images.dtype} of shape {images.shape}, wanted (N, height, width) of uint8, or of "
                "float32 between 0 and 1; give one grey channel, and picture[None] for a single picture."
            )
        return frame(images, self.input_size, self.crop)

    def predict(self, images: np.ndarray | Frames) -> np.ndarray:
        """Return the probability of each class, (N, K) float64, for pictures or what `frame` made of them."""
        return np.concatenate([self._answer(x)[0] for x in _batches(self._framed(images))])

    def features(self, images: np.ndarray | Frames) -> np.ndarray:
        """Return the mean of each of the C last maps, (N, C) float32: what the dense layer sees."""
        return np.concatenate([self._answer(x)[1].mean(axis=(1, 2)) for x in _batches(self._framed(images))])

    def explain(
        self, images: np.ndarray | Frames, class_index: int | None = None, method: str = "gradcam"
    ) -> np.ndarray:
        """Return where the network found evidence for a class, (N, H, W) float32 in [0, 1].

        class_index : by default each picture's predicted class. method : a name of `cam.METHODS`; "scorecam" runs
        the network once for each of its maps, which takes a good hundred times as long.

        The network ends in global average pooling and one dense layer, so the gradient of a logit with respect
        to the last maps is the class's column of the dense kernel over the number of cells: no gradient is run,
        and Grad-CAM and HiResCAM are the same.
        """
        if class_index is not None and not 0 <= class_index < len(self.class_names):
            raise LumbarError(
                f"class_index is {class_index}, wanted 0 to {len(self.class_names) - 1}, one of "
                f"{', '.join(self.class_names)}."
            )
        cam, frames = method_named(method), self._framed(images)
        heat = []
        for x in _batches(frames):
            probabilities, maps = self._answer(x)
            classes = probabilities.argmax(axis=1) if class_index is None else np.full(len(maps), class_index)
            heat.append(self._heat(cam, x, maps, classes))
        return frames.back(np.concatenate(heat))

    def _framed(self, images: np.ndarray | Frames) -> Frames:
        frames = images if isinstance(images, Frames) else self.frame(images)
        if frames.pictures.shape[1:] != self.input_size:
            raise LumbarError(
                f"The frames are {frames.pictures.shape[1:]} pixels, {self.card['display_name']} sees "
                f"{self.input_size}; make them with its own frame(pictures)."
            )
        return frames

    def _heat(self, cam: CAM, x: np.ndarray, maps: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return (B, h, w) heat of prepared pictures (B, h, w, 1) with maps (B, h, w, C) and classes (B,)."""
        kernel = self._kernel.T[classes]  # (B, C)
        if cam.needs == "scores":
            # one at a time: LiteRT is no faster in batches, and for each of another size it takes new memory
            return cam.heat(maps, x, lambda masked, rows: self._logit(masked, kernel[rows]), batch_size=1)
        gradients = kernel[:, None, None, :] / (maps.shape[1] * maps.shape[2])
        return cam.heat(maps, np.broadcast_to(gradients, maps.shape))

    def _logit(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """Return (B,) logits less the bias: the mean of each map times the class's kernel (B, C)."""
        return (self._answer(x)[1].mean(axis=(1, 2)) * kernel).sum(axis=1)

    def _answer(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities (B, K) and the last maps (B, h, w, C) of prepared pictures (B, h, w, 1)."""
        with self._lock:
            answer = self._run(pictures=x)
        return answer["probabilities"].astype(np.float64), answer["maps"]


def _batches(frames: Frames, batch_size: int = 32) -> Iterator[np.ndarray]:
    """Yield prepared pictures (B, h, w, 1) float32, a few at a time."""
    for start in range(0, len(frames.pictures), batch_size):
        yield scale_values(frames.pictures[start : start + batch_size])


def load_predictor(name: str = "cnn") -> Predictor:
    """Return the shipped network `name`, its files verified; TensorFlow is not imported.

    Raises
    ------
    LumbarError : no such checkpoint, a damaged one, or one of another phantom version.
    """
    return Predictor(read_checkpoint(name))
