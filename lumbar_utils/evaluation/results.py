"""The stored predictions of the shipped studies, by name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.predictions import Predictions
from lumbar_utils.paths import results_folder

CEILING = "ceiling"  # the file of what can be reached at most, beside the models of its study
LEARNING_CURVES = "learning_curves.csv"


def load_results(study: str | None = None) -> dict[str, Predictions]:
    """Return every stored prediction of one study by file name ("cnn"), or of all studies ("zoo/cnn").

    Sorted by name. Histories and other tables in the same folders are left out: predictions are the csv files
    whose columns begin with patient_id, label. "zoo/validation" holds what the same networks say of the patients
    who chose their best epoch. A study that is not there is a `LumbarError`; without a study, an empty results folder
    gives an empty dict.
    """
    folder = results_folder()
    studies = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if study is None:
        return {f"{name}/{key}": value for name in studies for key, value in load_results(name).items()}
    if study.partition("/")[0] not in studies or not (folder / study).is_dir():
        raise LumbarError(
            f"there is no study {study!r} in {folder}, only {', '.join(studies) or 'none at all'}; give one of "
            "these names, or run the study."
        )
    return {
        path.stem: Predictions.load(path) for path in sorted((folder / study).glob("*.csv")) if _holds(path)
    }


def load_learning_curves(study: str) -> pd.DataFrame | None:
    """Return accuracy and macro-F1 against the number of patients, with intervals, or None where a study has no curves.

    One row a network and number of patients: network, model, patients, runs, accuracy, accuracy_low, accuracy_high,
    macro_f1, macro_f1_low, macro_f1_high.
    """
    file = results_folder() / study / LEARNING_CURVES
    if not file.is_file():
        return None
    try:
        table = pd.read_csv(file)
        return table.astype({"patients": int, "runs": int, "accuracy": float})
    except (ValueError, KeyError) as error:
        raise LumbarError(
            f"{file} is damaged ({error}); fetch it again, or start `python -m lumbar_utils study`, which writes it "
            "anew."
        ) from error


def study_names() -> tuple[str, ...]:
    """Return the studies with stored predictions: the zoo first, for it is what ships, and the others by name."""
    folder = results_folder()
    if not folder.is_dir():
        return ()
    names = [each.name for each in folder.iterdir() if each.is_dir() and any(map(_holds, each.glob("*.csv")))]
    return tuple(sorted(names, key=lambda name: (name != "zoo", name)))


def _holds(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().startswith(b"patient_id,label,")
