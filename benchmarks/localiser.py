"""How well the localiser, trained on drawn phantoms alone, finds bodies and discs in published real slices.

`LUMBAR_REAL_DATA=FOLDER python -m benchmarks.localiser [--json]`. The folder holds `spider_slices` (images and masks)
and `roboflow_disc_herniation/labelled` (YOLO boxes of discs). Nothing was tuned on SPIDER, nor on Roboflow
patients above 23; patients up to 23 were looked at while the localiser was made.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import cv2
import numpy as np

from lumbar_utils.checkpoints import read_checkpoint
from lumbar_utils.dataset import FIRST_BODY, FIRST_DISC, MAX_LEVELS, LumbarError
from lumbar_utils.evaluation.intervals import Estimate, percentile, proportion, resample_patients
from lumbar_utils.localise import Location, locate
from lumbar_utils.sources import read_picture

NEAR_MIDLINE = ("10008_12", "10009_7", "10010_6", "10015_6", "10015_8")
BESIDE = (
    "10009_4",
    "10009_11",
    "10014_12",
    "10015_3",
    "10016_12",
)  # the other slices show pedicles, no bodies
PERSON = {"10010": "10009"}  # series 10009 and 10010 are T1 and T2 of one person
TUNED_UP_TO = 23  # Roboflow patients that were looked at
SMALLEST_BODY = 0.25  # of the slice's median body: less is a body that the picture's border cuts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also store the figures there, as JSON")
    options = parser.parse_args()
    folder = os.environ.get("LUMBAR_REAL_DATA")
    if not folder:
        raise SystemExit(
            "Set LUMBAR_REAL_DATA to the folder that holds spider_slices and roboflow_disc_herniation."
        )
    found = measure(Path(folder))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(folder: Path) -> dict:
    """Return all figures, each with the split it was measured on and an interval over patients."""
    card = read_checkpoint("localiser").card
    near, beside, seconds = [], [], []
    for file in sorted((folder / "spider_slices" / "images").glob("*.png")):
        if file.stem not in NEAR_MIDLINE + BESIDE:
            continue
        begin = time.perf_counter()
        location = locate(read_picture(file))
        seconds.append(time.perf_counter() - begin)
        series = file.stem.partition("_")[0]
        midline = file.stem in NEAR_MIDLINE
        mask = read_mask(folder / "spider_slices" / "masks" / file.name)
        counts = score_bodies(location, mask, near_midline=midline)
        (near if midline else beside).append(
            {"slice": file.stem, "patient": PERSON.get(series, series), **counts}
        )
    boxes = score_boxes(folder / "roboflow_disc_herniation" / "labelled")
    held_out = [row for row in boxes if int(row["patient"]) > TUNED_UP_TO]
    tuning = [row for row in boxes if int(row["patient"]) <= TUNED_UP_TO]
    return {
        **spider_figures(near, "SPIDER, near the midline, not used for tuning"),
        "parasagittal": spider_figures(
            beside, "SPIDER, beside the midline where bodies show, not used for tuning"
        ),
        **roboflow_figures(held_out, f"Roboflow patients above {TUNED_UP_TO}, not used for tuning"),
        "tuning": roboflow_figures(tuning, f"Roboflow patients up to {TUNED_UP_TO}, looked at while tuning"),
        "milliseconds_a_slice": round(1000 * float(np.median(seconds)), 1),
        "slices": near + beside,
        "pictures": boxes,
        "checkpoint": {
            "phantom_version": card["phantom_version"],
            "model.tflite": card["files"]["model.tflite"],
        },
    }


def read_mask(file: Path) -> np.ndarray:
    """Return SPIDER's vertebra numbers as they are: (H, W) uint8, 1 is the lowest lumbar vertebra."""
    mask = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if mask is None or mask.ndim != 2:
        raise LumbarError(f"{file} is no grey mask; fetch it again.")
    return mask


def true_bodies(mask: np.ndarray, *, near_midline: bool) -> dict[int, np.ndarray]:
    """Return number to body, (H, W) bool: each vertebra of the mask without its posterior elements.

    On the midline the canal parts the two, and the body is the piece in front (patients face left). Beside it a
    pedicle joins them: an opening by about half a body's height cuts it. A little widening inside the mask gives
    the corners back. Pieces under a quarter of the slice's median are left out.
    """
    bodies = {}
    for number in np.unique(mask[mask > 0]).tolist():
        whole = np.pad((mask == number).astype(np.uint8), 64, mode="edge")
        _, parts, stats, _ = cv2.connectedComponentsWithStats(whole, connectivity=4)
        side = np.sqrt(stats[1:, cv2.CC_STAT_AREA].max())
        core = cv2.morphologyEx(whole, cv2.MORPH_OPEN, _disk((0.15 if near_midline else 0.45) * side))
        count, parts, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=4)
        if count < 2:
            continue
        areas = stats[:, cv2.CC_STAT_AREA]
        large = [k for k in range(1, count) if areas[k] > 0.25 * areas[1:].max()]
        front = min(large, key=lambda k: stats[k, cv2.CC_STAT_LEFT])
        body = (
            cv2.dilate((parts == front).astype(np.uint8), _disk((0.15 if near_midline else 0.2) * side))
            & whole
        )
        bodies[number] = body[64:-64, 64:-64].astype(bool)
    usual = np.median([body.sum() for body in bodies.values()]) if bodies else 0
    return {number: body for number, body in bodies.items() if body.sum() > SMALLEST_BODY * usual}


def _disk(diameter: float) -> np.ndarray:
    width = max(3, round(diameter) | 1)
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))


def score_bodies(location: Location, mask: np.ndarray, *, near_midline: bool) -> dict:
    """Return for one slice how many true bodies were found (IoU of 0.5 or more), Dice, levels right, false bodies."""
    labels, truth = location.labels, true_bodies(mask, near_midline=near_midline)
    numbers = [n for n in range(FIRST_BODY, FIRST_BODY + MAX_LEVELS) if (labels == n).any()]
    found, right, dice, used = 0, 0, [], set()
    for number, body in truth.items():
        overlaps = {n: (body & (labels == n)).sum() for n in numbers}
        best = max(overlaps, key=overlaps.get, default=None)
        both = overlaps.get(best, 0)
        either = body.sum() + (labels == best).sum() if best else body.sum()
        dice.append(float(2 * both / either))
        if best and both / (either - both) >= 0.5:
            found, right = found + 1, right + (best == number)
            used.add(best)
    # false is what meets no true body, unless it lies on a vertebra that was left out, or above or below all of them
    left_out = (mask > 0) & ~np.isin(mask, list(truth))
    annotated = np.flatnonzero((mask > 0).any(axis=1))
    false = 0
    for n in set(numbers) - used:
        row = np.argwhere(labels == n)[:, 0].mean()
        false += bool(annotated[0] < row < annotated[-1] and left_out[labels == n].mean() < 0.2)
    return {
        "bodies": len(truth), "found": found, "levels_right": right, "false_bodies": false, "dice": dice,
        "numbered_from": location.numbered_from,
    }  # fmt: skip


def spider_figures(slices: list[dict], split: str) -> dict:
    n = sum(row["bodies"] for row in slices)
    return {
        "bodies": n,
        "bodies_found": _share([row["found"] for row in slices], slices, "bodies", split),
        "body_dice": _share([sum(row["dice"]) for row in slices], slices, "bodies", split),
        "levels_right": _share([row["levels_right"] for row in slices], slices, "bodies", split),
        "false_bodies": sum(row["false_bodies"] for row in slices),
    }


def score_boxes(folder: Path) -> list[dict]:
    """Return a row a picture: patient, boxes, boxes that hold a disc's middle, box centres on a disc's mask.

    A disc's mask is the label of any numbered disc or of herniated disc material, widened by one pixel.
    """
    rows = []
    for file in sorted((folder / "images").glob("*.jpg")):
        picture = read_picture(file)
        location = locate(picture)
        labels = location.labels
        discs = ((labels >= FIRST_DISC) & (labels < FIRST_DISC + MAX_LEVELS)) | (labels == 200)
        discs = cv2.dilate(discs.astype(np.uint8), np.ones((3, 3), np.uint8))
        height, width = picture.shape
        lines = (folder / "labels" / f"{file.stem}.txt").read_text(encoding="utf-8").splitlines()
        boxes = [[float(value) for value in line.split()[1:]] for line in lines if line.strip()]
        middles = np.array(list(location.discs.values())).reshape(-1, 2)
        with_disc, on_disc = 0, 0
        for x, y, w, h in boxes:
            inside = np.abs(middles - [x * width, y * height]) <= [w * width / 2, h * height / 2]
            with_disc += bool(inside.all(axis=1).any())
            on_disc += bool(discs[min(height - 1, int(y * height)), min(width - 1, int(x * width))])
        centres = np.array(sorted(([x * width, y * height] for x, y, _, _ in boxes), key=lambda c: c[1]))
        between = ((centres[:-1] + centres[1:]) / 2).astype(int)
        shifted = int(discs[between[:, 1], between[:, 0]].sum())
        rows.append(
            {
                "patient": file.name.partition("_")[0],
                "picture": file.name,
                "boxes": len(boxes),
                "with_disc": with_disc,
                "on_disc": on_disc,
                "between": len(between),
                "shifted_on_disc": shifted,
            }
        )
    return rows


def roboflow_figures(rows: list[dict], split: str) -> dict:
    return {
        "boxes": sum(row["boxes"] for row in rows),
        "boxes_with_a_disc": _share([row["with_disc"] for row in rows], rows, "boxes", split),
        "box_centres_on_a_disc": _share([row["on_disc"] for row in rows], rows, "boxes", split),
        "half_a_level_away_on_a_disc": _share(
            [row["shifted_on_disc"] for row in rows], rows, "between", split
        ),
    }


def _share(counts: list[float], rows: list[dict], of: str, split: str) -> dict:
    """Return the pooled share or mean, its bootstrap interval over patients, and the split's name.

    Where all trials succeed a bootstrap shrinks to a point; `proportion` then gives Wilson's limits, a trial a patient.
    """
    patients = sorted({row["patient"] for row in rows})
    hits, trials = np.zeros((2, len(patients)))
    for count, row in zip(counts, rows, strict=True):
        hits[patients.index(row["patient"])] += count
        trials[patients.index(row["patient"])] += row[of]
    weights = np.concatenate(list(resample_patients(len(patients), 2000, seed=0)))
    resampled = (weights @ hits) / (weights @ trials)
    if all(float(count).is_integer() for count in counts):
        estimate: Estimate = proportion(hits, trials, resampled)
    else:
        estimate = percentile(float(hits.sum() / trials.sum()), resampled, len(patients))
    return {"split": split, "n": round(float(hits.sum()), 2), "of": int(trials.sum()), **estimate.to_dict()}


if __name__ == "__main__":
    main()
