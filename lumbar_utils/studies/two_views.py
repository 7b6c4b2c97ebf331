"""One view of each disc against two, on phantoms whose herniations may lie beside what a midline slice shows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ..beyond.two_views import build_two_views, fit_two_views, herniation_probabilities
from ..beyond.view_pairs import GAP_MM, HERNIATED_MM, PARACENTRAL_MM, ViewPairs, draw_view_pairs
from ..checkpoints import read_checkpoint
from ..dataset import LUMBAR_DISCS
from ..evaluation import Predictions
from ..paths import results_folder, write_whole
from ..phantom import PHANTOM_VERSION
from .export import made_with

SEEDS = {"training": 301, "validation": 302, "test": 303}
STARTS = (0, 1, 2)  # each network is trained from so many first weights; what they say is averaged
MODELS = {  # views, and how levels are joined
    "sagittal": (("sagittal",), "maximum"),
    "axial": (("axial",), "maximum"),
    "both": (("sagittal", "axial"), "maximum"),
    "both_attention": (("sagittal", "axial"), "attention"),
}
NAMES = {
    "sagittal": "sagittal view only",
    "axial": "axial view only",
    "both": "both views, maximum over levels",
    "both_attention": "both views, attention over levels",
}
CLASSES = ("disc", "herniated")


def run_two_views(
    *,
    n_patients: int = 1200,
    n_validation: int = 300,
    n_test: int = 600,
    epochs: int = 12,
    results: Path | None = None,
    log: Callable[[str], None] = print,
) -> None:
    """Train every model of `MODELS` from each start, and store what it says of the locked discs and patients.

    The test patients' discs are found by the localiser, the others are cut where they truly are. Written are, in
    `results` (by default results/two_views), runs/MODEL_START.csv and runs/patients/MODEL_START.csv as soon as a
    network is trained, and findings.csv with a row a disc: patient_id, level, label, offset_mm, zone, located. A run
    that is there, of the same patients and recipe, is skipped.
    """
    results = results_folder() / "two_views" if results is None else Path(results)
    about = {
        "study": "two_views",
        "phantom_version": PHANTOM_VERSION,
        "data": {
            part: {"n_patients": n, "seed": SEEDS[part]}
            for part, n in (("training", n_patients), ("validation", n_validation), ("test", n_test))
        },
        "herniated_mm": HERNIATED_MM,
        "paracentral_mm": PARACENTRAL_MM,
        "gap_mm": GAP_MM,
        "epochs": epochs,
        "localiser": read_checkpoint("localiser").card["files"]["model.tflite"],
    }
    runs = [(name, start) for name in MODELS for start in STARTS]
    todo = [run for run in runs if not _is_there(_file(results, *run), about)]
    log(f"{len(runs) - len(todo)} of {len(runs)} runs are there.")
    if not todo:
        return
    parts = {
        part: draw_view_pairs(drawn["n_patients"], seed=drawn["seed"], localiser=part == "test")
        for part, drawn in about["data"].items()
    }
    log("\n".join(f"{part}: {each!r}" for part, each in parts.items()))
    _write_findings(parts["test"], results / "findings.csv")
    about["fingerprint"] = fingerprint(parts["test"])
    for name, start in todo:
        keras.backend.clear_session()
        keras.utils.set_random_seed(start)
        model = build_two_views(*MODELS[name])
        fit_two_views(model, parts["training"], parts["validation"], epochs=epochs, seed=start)
        told = about | {
            "model": name,
            "start": start,
            "parameters": model.count_params(),
            "made_with": made_with(),
        }
        _store(model, parts["test"], NAMES[name], told, _file(results, name, start))
        log(f"{name}, start {start}: stored")


def stored_findings(results: Path | None = None) -> pd.DataFrame:
    """Return a row a disc of the locked patients, in the order of the predictions of discs."""
    results = results_folder() / "two_views" if results is None else Path(results)
    return pd.read_csv(results / "findings.csv", keep_default_na=False)


def stored_runs(name: str, results: Path | None = None, *, patients: bool = False) -> list[Predictions]:
    """Return what one model said from each start, of discs (those too shallow to be called left out) or of patients."""
    results = results_folder() / "two_views" if results is None else Path(results)
    return [Predictions.load(_file(results, name, start, patients)) for start in STARTS]


def fingerprint(pairs: ViewPairs) -> str:
    """Return the sha256 of all crops and labels."""
    return hashlib.sha256(
        b"".join(np.ascontiguousarray(each).tobytes() for each in (pairs.sagittal, pairs.axial, pairs.labels))
    ).hexdigest()


def _file(results: Path, name: str, start: int, patients: bool = False) -> Path:
    return results / "runs" / ("patients" if patients else "") / f"{name}_{start}.csv"


def _is_there(file: Path, about: dict) -> bool:
    if not file.is_file():
        return False
    told = Predictions.load(file).provenance
    return all(told.get(key) == value for key, value in about.items())


def _store(model, pairs: ViewPairs, shown: str, told: dict, file: Path) -> None:
    """Write both files of a run, that of the discs last: it is the one that says the run is there."""
    of_disc, of_patient = herniation_probabilities(model, pairs)
    for labels, p, ids, to in (
        (pairs.patient_labels, of_patient, pairs.patient_ids, file.parent / "patients" / file.name),
        (pairs.labels.ravel(), of_disc.ravel(), np.repeat(pairs.patient_ids, len(LUMBAR_DISCS)), file),
    ):
        known = labels >= 0
        Predictions(
            labels=labels[known],
            probabilities=np.column_stack([1 - p, p])[known].astype(float),
            class_names=CLASSES,
            patient_ids=ids[known],
            model=shown,
            dataset=f"discs of phantom {PHANTOM_VERSION} (seed {SEEDS['test']})",
            measured_on="phantoms",
            provenance=told,
        ).save(to)


def _write_findings(pairs: ViewPairs, file: Path) -> None:
    known = pairs.labels.ravel() >= 0
    frame = pd.DataFrame(
        {
            "patient_id": np.repeat(pairs.patient_ids, len(LUMBAR_DISCS)),
            "level": np.tile(LUMBAR_DISCS, len(pairs)),
            "label": pairs.labels.ravel(),
            "offset_mm": pairs.offset_mm.ravel(),
            "zone": pairs.zones.ravel(),
            "located": pairs.located.ravel().astype(int),
        }
    )[known]
    write_whole(file, frame.to_csv(index=False).encode())
