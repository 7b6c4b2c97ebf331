"""What a study has on disk: a run's predictions and history, whole or not at all, and the tables made from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from ..dataset import LumbarError
from ..evaluation import Predictions, evaluate
from ..evaluation.results import LEARNING_CURVES
from ..paths import results_folder, write_whole
from ..phantom import PHANTOM_VERSION
from .study_run import Configuration, Run

MISSING = "missing"


def study_folder(folder: str | Path | None = None) -> Path:
    """Return the folder of a study, by default results/study."""
    return results_folder() / "study" if folder is None else Path(folder)


def save_run(folder: Path, run: Run, predictions: Predictions, history: pd.DataFrame) -> None:
    """Write a run's history (csv), predictions (csv) and card (json), in this order, each aside and then renamed.

    The card comes last and vouches for the other two by their sha256: without it, the run does not exist.
    """
    content = history.round(5).to_csv(index=False, lineterminator="\n").encode()
    vouched = {**predictions.provenance, "history_sha256": hashlib.sha256(content).hexdigest()}
    write_whole(_file(folder, run.name, "_history.csv"), content)
    replace(predictions, provenance=vouched).save(_file(folder, run.name, ".csv"))


def load_run(folder: Path, name: str) -> Predictions:
    """Return a run's predictions after holding predictions and history against its card.

    Raises
    ------
    LumbarError : a file that is missing or does not have the sha256 that the card names.
    """
    predictions = Predictions.load(_file(folder, name, ".csv"))
    history = _file(folder, name, "_history.csv")
    found = hashlib.sha256(history.read_bytes()).hexdigest() if history.is_file() else None
    expected = predictions.provenance.get("history_sha256")
    if found is None or found != expected:
        state = "is missing" if found is None else f"has the sha256 {found[:12]}…, not {str(expected)[:12]}…"
        raise LumbarError(f"{history} {state}; start the study again, it makes this run anew.")
    return predictions


def state_of(folder: Path, run: Run, configuration: Configuration) -> str | None:
    """Return None for a run that is there and good, `MISSING`, or in words why it must be made anew."""
    if not _file(folder, run.name, ".json").is_file():
        return MISSING
    try:
        provenance = load_run(folder, run.name).provenance
    except LumbarError as error:
        return f"it is damaged ({error})"
    if provenance.get("phantom_version") != PHANTOM_VERSION:
        return f"it was made on phantom {provenance.get('phantom_version')}, this one is {PHANTOM_VERSION}"
    if provenance.get("configuration") != asdict(configuration):
        return "it was made with another configuration"
    return None


def seconds_of(folder: Path, run: Run) -> float:
    """Return how long a stored run took, from its card alone."""
    card = json.loads(_file(folder, run.name, ".json").read_text(encoding="utf-8"))
    return float(card["provenance"]["seconds"])


def read_study(folder: str | Path | None = None) -> pd.DataFrame:
    """Return one row a stored run: run, kind, network, patients, seed, fold, accuracy, macro_f1, seconds and more.

    Phantom scores without intervals, for plots of how runs scatter; `summarise_study` has the intervals.

    Raises
    ------
    LumbarError : no study, a damaged run, or runs of another phantom version.
    """
    rows = []
    for name, predictions in _stored(study_folder(folder)).items():
        about, labels = predictions.provenance, np.arange(len(predictions.class_names))
        rows.append(
            {
                "run": name,
                **{column: about[column] for column in ("kind", "network", "patients", "seed", "fold")},
                "accuracy": float(np.mean(predictions.predicted == predictions.labels)),
                "macro_f1": float(
                    f1_score(
                        predictions.labels,
                        predictions.predicted,
                        labels=labels,
                        average="macro",
                        zero_division=0,
                    )
                ),
                "test_pictures": len(predictions),
                **{column: about["training"][column] for column in ("best_epoch", "stopped", "peak_mb")},
                "seconds": about["seconds"],
            }
        )
    return pd.DataFrame(rows).astype({"fold": "Int64"}).sort_values(["kind", "network", "patients", "run"])


def summarise_study(folder: str | Path | None = None, kind: str = "curve") -> pd.DataFrame:
    """Return one row a network and number of patients, with 95 % intervals: the learning curve, or the comparison.

    Columns: network, model (its name for readers), patients, runs, accuracy, accuracy_low, accuracy_high, macro_f1,
    macro_f1_low, macro_f1_high.
    The predictions of all seeds (and folds) are pooled; the intervals resample test patients.
    """
    stored = _stored(study_folder(folder)).values()
    return _summary(_grouped(run for run in stored if run.provenance["kind"] == kind))


def _summary(groups: dict[tuple[str, int], list[Predictions]]) -> pd.DataFrame:
    rows = []
    for (network, patients), group in groups.items():
        report = evaluate(pool(group))
        row = {"network": network, "model": report.model, "patients": patients, "runs": len(group)}
        for score in ("accuracy", "macro_f1"):
            estimate = getattr(report, score)
            row |= {score: estimate.value, f"{score}_low": estimate.low, f"{score}_high": estimate.high}
        rows.append(row)
    return pd.DataFrame(rows)


def pool(runs: Iterable[Predictions]) -> Predictions:
    """Return the predictions of several runs of one network as one, row after row; a patient may recur."""
    runs = list(runs)
    about = runs[0].provenance
    shared = ("study", "phantom_version", "kind", "network", "patients", "configuration", "made_with", "data")
    return replace(
        runs[0],
        labels=np.concatenate([run.labels for run in runs]),
        probabilities=np.concatenate([run.probabilities for run in runs]),
        patient_ids=np.concatenate([run.patient_ids for run in runs]),
        provenance={key: about[key] for key in shared}
        | {"pooled": [[run.provenance["seed"], run.provenance["fold"]] for run in runs]},
    )


def save_comparison(folder: Path, runs: Iterable[Run], configuration: Configuration) -> list[str]:
    """Pool each network's folds and seeds into NETWORK.csv beside the runs, once all are there; return which."""
    of_network: dict[str, list[Run]] = {}
    for run in runs:
        if run.kind == "comparison":
            of_network.setdefault(run.network, []).append(run)
    complete = [
        network
        for network, wanted in of_network.items()
        if all(state_of(folder, run, configuration) is None for run in wanted)
    ]
    for network in complete:
        pool(load_run(folder, run.name) for run in of_network[network]).save(folder / f"{network}.csv")
    return complete


def save_curves(folder: Path, runs: Iterable[Run], configuration: Configuration) -> None:
    """Write the learning curves as far as they go, so that who shows them need not resample patients."""
    there = (run for run in runs if run.kind == "curve" and state_of(folder, run, configuration) is None)
    if stored := [load_run(folder, run.name) for run in there]:
        content = _summary(_grouped(stored)).to_csv(index=False, float_format="%.5f", lineterminator="\n")
        write_whole(folder / LEARNING_CURVES, content.encode())


def _grouped(stored: Iterable[Predictions]) -> dict[tuple[str, int], list[Predictions]]:
    groups: dict[tuple[str, int], list[Predictions]] = {}
    for predictions in stored:
        about = predictions.provenance
        groups.setdefault((about["network"], about["patients"]), []).append(predictions)
    return dict(sorted(groups.items()))


def _stored(folder: Path) -> dict[str, Predictions]:
    """Return every run that has a card, by name, verified."""
    names = sorted(card.stem for card in (folder / "runs").glob("*.json"))
    if not names:
        raise LumbarError(
            f"There is no finished run in {folder}; start `python -m lumbar_utils study` first."
        )
    stored = {name: load_run(folder, name) for name in names}
    for name, predictions in stored.items():
        made_on = predictions.provenance.get("phantom_version")
        if made_on != PHANTOM_VERSION:
            raise LumbarError(
                f"{name} in {folder} was made on phantom {made_on} and this package draws phantom {PHANTOM_VERSION}; "
                "run the study again."
            )
    return stored


def _file(folder: Path, name: str, ending: str) -> Path:
    return folder / "runs" / f"{name}{ending}"
