"""How many strangers get a verdict in the dashboard, and how many pictures of the right kind get none.

`python -m benchmarks.refusal [--json]`; with `LUMBAR_REAL_DATA=FOLDER` also real slices (see `benchmarks.localiser`).
The bounds in `lumbar_utils.localise.acceptance` were laid into a gap seen on these strangers, on other phantoms and
on the real slices: a high share says that there is a gap, not what other photographs would do. The intervals
count every picture as drawn by itself, though crops come from one photograph and slices from one patient.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np

from benchmarks.strangers import strangers
from lumbar_utils import load_dataset
from lumbar_utils.evaluation import wilson
from lumbar_utils.localise import locate, refusal
from lumbar_utils.phantom import render, sample_patient
from lumbar_utils.sources import read_picture

SPIDER_T2 = ("10008_12", "10010_6", "10015_6", "10015_8")  # near the midline
N_PHANTOMS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured = measure(os.environ.get("LUMBAR_REAL_DATA"))
    if options.json:
        print(json.dumps(measured))
        return
    for part, kinds in measured.items():
        print(part)
        for kind, found in kinds.items():
            low, high = found["interval"]
            print(f"  {kind:42} {found['refused']:4} of {found['of']:4} refused  [{low:.3f}, {high:.3f}]")


def measure(real: str | None = None) -> dict[str, dict]:
    """Return how many of each kind are refused, with Wilson's interval, by what should become of them."""
    kinds = strangers()
    refuse = {kind: _refused(pictures) for kind, pictures in kinds.items()}
    refuse["all 200"] = _refused([picture for pictures in kinds.values() for picture in pictures])
    seeds = range(20_000, 20_000 + N_PHANTOMS)
    refuse["phantoms in T1"] = _refused(render(sample_patient(seed), contrast="T1").image for seed in seeds)
    refuse["phantoms as radiographs"] = _refused(
        render(sample_patient(seed), contrast="XR").image for seed in seeds
    )
    accept = {
        f"phantoms in T2, {variation} variation": _refused(
            load_dataset("phantom", n_patients=N_PHANTOMS, seed=106, variation=variation).images
        )
        for variation in ("narrow", "wide")
    }
    if real:
        slices = Path(real) / "spider_slices" / "images"
        accept["real: SPIDER, T2 near the midline"] = _refused(
            read_picture(slices / f"{name}.png") for name in SPIDER_T2
        )
        pictures = sorted((Path(real) / "roboflow_disc_herniation").rglob("*.jpg"))
        accept["real: Roboflow, all slices"] = _refused(map(read_picture, pictures))
    return {"to refuse": refuse, "to accept": accept}


def _refused(pictures) -> dict:
    refused = [refusal(locate(picture)) is not None for picture in pictures]
    low, high = wilson(sum(refused), len(refused))
    return {"refused": int(np.sum(refused)), "of": len(refused), "interval": [round(low, 3), round(high, 3)]}


if __name__ == "__main__":
    main()
