"""How fast the phantom draws on one core, with label maps, beside scikit-image and SciPy and beside the scanner alone.

`python -m benchmarks.phantom [--json]`. The plain way fills the same polygons with scikit-image and blurs with SciPy
where the phantom calls OpenCV; all else of it stays. The floor is the scanner alone, which puts noise, blur and
display on a ready signal, and of radiographs the detector alone.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from unittest.mock import patch

import cv2
import numpy as np
from scipy import ndimage
from skimage import draw

from lumbar_utils.phantom import render, sample_patient
from lumbar_utils.phantom.exposure import FILMS, Exposure, expose
from lumbar_utils.phantom.scanner import SAGITTAL, Scan, acquire
from lumbar_utils.phantom.settings import sample_settings

from .measuring import row, show

KINDS = {
    "slices": ("Sagittal phantom slice with label map", {}, "scanner_alone"),
    "axial_slices": ("Axial phantom slice with label map", {"view": "axial"}, "scanner_alone"),
    "radiographs": ("Phantom radiograph with label map", {"contrast": "XR"}, "detector_alone"),
}
SLICES_A_SECOND = 60  # aimed at, of sagittal ones


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7, help="the median of so many rounds is reported")
    parser.add_argument("--slices", type=int, default=40, help="slices a round")
    options = parser.parse_args()
    show(measure(options.rounds, options.slices), options.json)


def measure(rounds: int, slices: int) -> dict:
    """Return slices of 224 pixels a second of wall clock, one thread, interleaved round by round."""
    cv2.setNumThreads(1)
    scan, exposure = (
        kind(**sample_settings(np.random.default_rng(0), ranges, variation="narrow", fov_mm=None, noise=None))
        for kind, ranges in ((Scan, SAGITTAL), (Exposure, FILMS))
    )
    signal, distance = np.full((448, 448), 0.5, np.float32), np.full((224, 224), 70.0, np.float32)
    shutters = np.ones((224, 224), np.float32)
    forms: dict[str, Callable[[int], object]] = {
        "patients": sample_patient,
        "scanner_alone": lambda k: acquire(signal, scan, distance, np.random.default_rng(k)),
        "detector_alone": lambda k: expose(signal, exposure, shutters, np.random.default_rng(k)),
    }
    for kind, (_, options, _) in KINDS.items():
        forms[kind] = lambda k, options=options: render(sample_patient(k), **options)
    seconds = {name: [] for name in (*forms, *(f"plain_{kind}" for kind in KINDS))}
    for turn in range(-1, rounds):  # one to warm up
        seeds = range(1) if turn < 0 else range(turn * slices, (turn + 1) * slices)
        for name in seconds:
            form = forms[name.removeprefix("plain_")]
            with plain_drawing() if name.startswith("plain_") else contextlib.nullcontext():
                start = time.perf_counter()
                for seed in seeds:
                    form(seed)
                taken = (time.perf_counter() - start) / len(seeds)
            if turn >= 0:
                seconds[name].append(taken)
    return {f"{name}_per_second": round(1 / statistics.median(seconds[name]), 1) for name in forms} | {
        "rows": [
            row(
                f"{what}, 224 px, one thread",
                seconds[kind],
                seconds[f"plain_{kind}"],
                plain_way="its polygons filled by scikit-image, blurred by SciPy",
                floor=statistics.median(seconds[floor]),
                floor_of=f"the {floor.replace('_', ' ')}",
                at_most=1 / SLICES_A_SECOND if kind == "slices" else None,
                aim=f"{SLICES_A_SECOND} a second",
            )
            for kind, (what, _, floor) in KINDS.items()
        ]
    }


@contextlib.contextmanager
def plain_drawing() -> Iterator[None]:
    """Let scikit-image and SciPy do meanwhile what the phantom asks OpenCV for."""
    with patch.object(cv2, "fillPoly", fill_polygon), patch.object(cv2, "GaussianBlur", blur):
        yield


def fill_polygon(picture: np.ndarray, polygons: list, value: float, line_type: int = 8, shift: int = 0):
    """Fill polygons (points, 2) of x, y in units of 1 / 2**shift pixel, as `cv2.fillPoly` does but for the border."""
    for corners in polygons:
        x, y = corners.reshape(-1, 2).T / (1 << shift)
        picture[draw.polygon(y, x, picture.shape)] = value
    return picture


def blur(picture: np.ndarray, _size, spread: float, dst: np.ndarray | None = None) -> np.ndarray:
    """Blur with a Gaussian of `spread` pixels, in place where `dst` is the picture."""
    return ndimage.gaussian_filter(picture, spread, output=dst if dst is not None else picture.dtype)


if __name__ == "__main__":
    main()
