"""How long a model takes for one picture, on this machine."""

from __future__ import annotations

import time

import numpy as np

from ..framing import Frames
from .hybrid import HybridPredictor
from .predictor import Predictor


def milliseconds_a_picture(model: Predictor | HybridPredictor, frames: Frames, repeats: int = 25) -> float:
    """Return the median time of the first of the frames, framed already; the first call, which warms up, counts too."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        model.predict(frames[:1])
        taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))
