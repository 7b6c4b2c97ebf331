"""The same methods on published pictures: discs that the localiser cuts out, herniated or not, with and without those
that nobody labelled. `python -m lumbar_utils unlabelled --real --compute`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ..beyond.disc_crops import box_at, discs_of
from ..beyond.semi_supervised import METHODS, fit_semi_supervised
from ..dataset import LumbarDataset, LumbarError
from ..evaluation import Predictions, average_copies
from ..localise import locate
from ..models import build_model
from ..paths import results_folder
from ..sources import load_dataset, read_picture
from ..sources.folder import patient_of
from ..sources.pictures import PICTURE_SUFFIXES
from ..sources.yolo import cut_square
from ..splits import grouped_folds
from ..training import predict
from .crossval import things
from .study import run_study
from .study_run import limit_threads
from .unlabelled import SHOWN, Recipe, SemiRun, provenance_of

FOLDER, PATIENT = "roboflow_disc_herniation", "^[^_]+"
CLASSES = ("disc", "herniated")
CONTEXT = 2.0  # side of a crop over the distance between two discs: both neighbours and the canal are in it
FOLDS, SEEDS = 5, 3
RECIPE = Recipe(height=48, epochs=6)


def real_folder() -> Path:
    """Return the folder of the published pictures under `LUMBAR_REAL_DATA`.

    Raises
    ------
    LumbarError : the variable names no folder that holds them.
    """
    folder = Path(os.environ.get("LUMBAR_REAL_DATA", "")) / FOLDER
    if not os.environ.get("LUMBAR_REAL_DATA") or not folder.is_dir():
        raise LumbarError(
            f"LUMBAR_REAL_DATA is {os.environ.get('LUMBAR_REAL_DATA', 'not set')!r}, wanted a folder that holds "
            f"{FOLDER}/labelled and {FOLDER}/unlabelled; set it to one."
        )
    return folder


@lru_cache(maxsize=2)
def labelled_discs(folder: Path, size: int) -> LumbarDataset:
    """Return a crop for each disc that the localiser finds and a published box holds, with that box's class.

    The crop's place and scale come from the localiser, so a box's size, which tells its class, is not in it. `meta`
    has source_file, source_picture and disc (the box's rank), as `read_yolo`'s.
    """
    published = load_dataset("yolo", path=folder / "labelled", classes=CLASSES, patient_pattern=PATIENT)
    crops, rows = [], []
    for file in dict.fromkeys(published.meta["source_file"]):
        picture = read_picture(folder / "labelled" / "images" / file)
        of_file = np.flatnonzero(published.meta["source_file"] == file)
        centres, pitch = discs_of(locate(picture))
        for centre in centres:
            row = box_at(published.meta.iloc[of_file], centre)
            if row is not None and (of_file[row] not in rows):
                crops.append(_crop(picture, centre, pitch, size))
                rows.append(of_file[row])
    if not rows:
        raise LumbarError(
            f"The localiser found no disc in a box of {folder / 'labelled'}; check the pictures."
        )
    return replace(published.subset(rows), images=np.stack(crops), name="discs found by the localiser")


@lru_cache(maxsize=2)
def unlabelled_discs(folder: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (M, size, size) uint8 crops of the discs in pictures that nobody labelled, and their patients (M,).

    Patients who also stand among the labelled are left out: their other pictures would be in training while they are
    tested.
    """
    known = {patient_of(f.stem, PATIENT, f.name) for f in _pictures(folder / "labelled")}
    crops, patients = [], []
    for file in _pictures(folder / "unlabelled"):
        patient = patient_of(file.stem, PATIENT, file.name)
        if patient in known:
            continue
        picture = read_picture(file)
        centres, pitch = discs_of(locate(picture))
        crops += [_crop(picture, centre, pitch, size) for centre in centres]
        patients += [patient] * len(centres)
    if not crops:
        raise LumbarError(
            f"No disc was found in {folder / 'unlabelled'} that belongs to a patient who is not labelled; check the "
            "pictures."
        )
    return np.stack(crops), np.array(patients)


def plan_real(
    methods: tuple[str, ...] = METHODS, n_patients: int = 15, folds: int = FOLDS, seeds: int = SEEDS
) -> list[SemiRun]:
    """Return the runs, seed by seed and fold by fold; `n_patients` are labelled, those of the test fold included."""
    return [
        SemiRun(method, n_patients, seed, "unlabelled_real", fold)
        for seed in range(seeds)
        for fold in range(folds)
        for method in methods
    ]


def run_real(
    runs: list[SemiRun] | None = None,
    recipe: Recipe = RECIPE,
    *,
    folder: str | Path | None = None,
    jobs: int = 1,
    hours: float | None = None,
    log: Callable[[str], None] = print,
) -> int:
    """Compute and store the runs that are not there yet, by default in results/unlabelled_real; see `run_study`."""
    real_folder()
    folder = results_folder() / "unlabelled_real" if folder is None else folder
    runs = plan_real() if runs is None else runs
    return run_study(runs, recipe, folder=folder, jobs=jobs, hours=hours, log=log, work=perform_real)


def perform_real(run: SemiRun, configuration: Recipe, threads: int) -> tuple[Predictions, pd.DataFrame]:
    """Train on the labelled patients outside a fold, test on those in it; copies of one disc are averaged.

    The folds keep a patient together and are dealt by `run.seed`. The recipe is the phantoms', nothing is chosen on
    these pictures.
    """
    started = time.perf_counter()
    limit_threads(threads)
    keras.backend.clear_session()
    discs = labelled_discs(real_folder(), configuration.height)
    others, patients = unlabelled_discs(real_folder(), configuration.height)
    training, test = (
        discs.subset(rows) for rows in grouped_folds(discs, n_splits=FOLDS, seed=run.seed)[run.fold]
    )
    keras.utils.set_random_seed(run.seed)
    side = configuration.height
    model = build_model(configuration.network, input_shape=(side, side, 1), num_classes=len(CLASSES))
    history = fit_semi_supervised(
        model,
        training,
        others,
        method=run.method,
        seed=run.seed,
        deterministic=True,
        live=False,
        **configuration.options(),
    )
    if history.attrs["stopped"] == "interrupted":
        raise KeyboardInterrupt
    provenance = provenance_of(run, configuration, history, threads, started) | {
        "data": {
            "labelled": {"patients": len(np.unique(training.patient_ids)), "pictures": len(training)},
            "unlabelled": {"patients": len(np.unique(patients)), "pictures": len(others)},
        },
        "protocol": f"{FOLDS} folds grouped by patient, copies of one disc averaged",
    }
    by_row = Predictions.of_dataset(
        test,
        predict(model, test, batch_size=128),
        model=SHOWN[run.method],
        measured_on="real pictures",
        provenance=provenance,
    )
    return average_copies(by_row, things(test)), history


def _pictures(folder: Path) -> list[Path]:
    return sorted(f for f in (folder / "images").iterdir() if f.suffix.lower() in PICTURE_SUFFIXES)


def _crop(picture: np.ndarray, centre: np.ndarray, pitch: float, size: int) -> np.ndarray:
    return cut_square(picture, np.array([*centre, pitch, pitch]), size=size, context=CONTEXT)
