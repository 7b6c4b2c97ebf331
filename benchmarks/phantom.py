"""How fast the phantom draws on one core, with label maps, beside what merely has to be written.

`python -m benchmarks.phantom [--json]`. The floor is the scanner alone: noise, blur and display of a ready signal.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np

from lumbar_utils.phantom import render, sample_patient
from lumbar_utils.phantom.scanner import SAGITTAL, Scan, acquire
from lumbar_utils.phantom.settings import sample_settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7, help="the median of so many rounds is reported")
    parser.add_argument("--slices", type=int, default=40, help="slices a round")
    options = parser.parse_args()
    found = measure(options.rounds, options.slices)
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(rounds: int, slices: int) -> dict:
    """Return slices of 224 pixels a second of wall clock, one thread, interleaved round by round."""
    cv2.setNumThreads(1)
    settings = sample_settings(
        np.random.default_rng(0), SAGITTAL, variation="narrow", fov_mm=None, noise=None
    )
    scan = Scan(**settings)
    signal, distance = np.full((448, 448), 0.5, np.float32), np.full((224, 224), 70.0, np.float32)
    forms: dict[str, Callable[[int], object]] = {
        "slices_per_second": lambda k: render(sample_patient(k)),
        "axial_slices_per_second": lambda k: render(sample_patient(k), view="axial"),
        "radiographs_per_second": lambda k: render(sample_patient(k), contrast="XR"),
        "patients_per_second": sample_patient,
        "scanner_alone_per_second": lambda k: acquire(signal, scan, distance, np.random.default_rng(k)),
    }
    speeds = {name: [] for name in forms}
    for form in forms.values():
        form(0)
    for turn in range(rounds):
        for name, form in forms.items():
            start = time.perf_counter()
            for k in range(turn * slices, (turn + 1) * slices):
                form(k)
            speeds[name].append(slices / (time.perf_counter() - start))
    return {name: round(statistics.median(values), 1) for name, values in speeds.items()}


if __name__ == "__main__":
    main()
