"""What the study of real discs found, computed from its stored predictions with intervals over patients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..beyond.disc_crops import ZONES
from ..dataset import LumbarError
from ..evaluation import Estimate, Predictions
from ..evaluation.intervals import percentile, resample_patients
from ..evaluation.repetitions import repeated_auc, repeated_auc_difference
from .real import EXPLAINED, SOURCES, real_results
from .study_store import load_run

ZONE_AREA = float(np.mean([(right - left) * (bottom - top) for left, top, right, bottom in ZONES.values()]))


def stored_real(folder: str | Path | None = None) -> dict[str, list[Predictions]]:
    """Return the stored repetitions of each source, verified, in the order of `SOURCES`.

    Raises
    ------
    LumbarError : nothing is stored, a damaged file, or files made from different pictures.
    """
    folder = real_results() if folder is None else Path(folder)
    names = sorted(card.stem for card in (folder / "runs").glob("*.json"))
    if not names:
        raise LumbarError(f"There is no finished run in {folder}; start `python -m lumbar_utils real` first.")
    runs = {name: load_run(folder, name) for name in names}
    prints = {name: run.provenance["configuration"]["data"] for name, run in runs.items()}
    if len(set(prints.values())) > 1:
        odd = next(name for name in names if prints[name] != prints[names[0]])
        raise LumbarError(
            f"{odd} and {names[0]} in {folder} were made from different pictures; run the study again, it makes anew "
            "what does not fit."
        )
    return {
        source: [run for run in runs.values() if run.provenance["source"] == source]
        for source in SOURCES
        if any(run.provenance["source"] == source for run in runs.values())
    }


def real_table(folder: str | Path | None = None) -> pd.DataFrame:
    """Return a row a source: source, shown, repetitions, auc, auc_low, auc_high, lowest and highest repetition.

    gain, gain_low, gain_high : AUC minus that of the box alone, paired by patient. untouched, untouched_low,
    untouched_high : the AUC over the patients on whose scores nothing was chosen; NaN where there are none.
    """
    stored, rows = stored_real(folder), []
    for source, runs in stored.items():
        target = runs[0].class_names[1]
        each = [repeated_auc([run], target, n_resamples=100).value for run in runs]
        row = {"source": source, "shown": SOURCES[source], "repetitions": len(runs)}
        row |= _columns("auc", repeated_auc(runs, target)) | {"lowest": min(each), "highest": max(each)}
        against = (
            repeated_auc_difference(runs, stored["box"], target)
            if "box" in stored and source != "box"
            else _no("the box itself")
        )
        rows.append(row | _columns("gain", against) | _columns("untouched", _of_untouched(runs, target)))
    return pd.DataFrame(rows)


def zone_table(folder: str | Path | None = None) -> pd.DataFrame:
    """Return a row a source and zone: what covering the zone does to the AUC, and how much of Grad-CAM's heat it has.

    loss, loss_low, loss_high : AUC minus that of the same discs with the zone filled in, paired by patient. heat,
    heat_low, heat_high : mean share of the heat, NaN for heads without Grad-CAM; chance : the zone's share of the crop.
    """
    folder = real_results() if folder is None else Path(folder)
    stored, rows = stored_real(folder), []
    for source in (name for name in EXPLAINED if name in stored):
        runs = stored[source]
        tables = [_explanations(folder, run) for run in runs]
        target = runs[0].class_names[1]
        for zone in ZONES:
            hidden = [_covered(run, table, zone) for run, table in zip(runs, tables, strict=True)]
            loss = repeated_auc_difference(runs, hidden, target)
            heat = np.mean([table.loc[table["zone"] == zone, "heat"] for table in tables], axis=0)
            rows.append(
                {"source": source, "shown": SOURCES[source], "zone": zone}
                | _columns("loss", loss)
                | _columns("heat", _mean_by_patient(heat, runs[0].patient_ids))
                | {"chance": ZONE_AREA}
            )
    return pd.DataFrame(rows)


def about_real(folder: str | Path | None = None) -> dict:
    """Return what the study stands on: counts of discs and patients, folds, and who was left untouched by choices."""
    one = next(iter(stored_real(folder).values()))[0]
    recipe = one.provenance["configuration"]
    untouched = _untouched_rows(one)
    return {
        "dataset": one.dataset,
        "discs": len(one),
        "herniated": int(one.labels.sum()),
        "patients": len(np.unique(one.patient_ids)),
        "tuned_up_to_patient": recipe["tuned_up_to_patient"],
        "untouched_patients": len(np.unique(one.patient_ids[untouched])),
        "untouched_discs": int(untouched.sum()),
        "folds": recipe["folds"],
        "copies": one.provenance["averaged_copies"]["from"],
        "licence": one.provenance["data"]["licence"],
        "citation": one.provenance["data"]["citation"],
    }


def _columns(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _no(why: str) -> Estimate:
    return Estimate(np.nan, np.nan, np.nan, f"no interval: {why}")


def _untouched_rows(run: Predictions) -> np.ndarray:
    last = run.provenance["configuration"]["tuned_up_to_patient"]
    if last is None:
        return np.ones(len(run), bool)
    return run.patient_ids.astype(int) > last


def _of_untouched(runs: list[Predictions], target: str) -> Estimate:
    rows = _untouched_rows(runs[0])
    if len(np.unique(runs[0].labels[rows])) < 2:
        return _no("no untouched patients of both classes")
    parts = [
        replace(
            run,
            labels=run.labels[rows],
            probabilities=run.probabilities[rows],
            patient_ids=run.patient_ids[rows],
        )
        for run in runs
    ]
    return repeated_auc(parts, target)


def _explanations(folder: Path, run: Predictions) -> pd.DataFrame:
    name = f"{run.provenance['source']}_repeat{run.provenance['repetition']}"
    return pd.read_csv(folder / "runs" / f"{name}_history.csv")


def _covered(run: Predictions, table: pd.DataFrame, zone: str) -> Predictions:
    of_zone = table[table["zone"] == zone].sort_values("disc")
    share = of_zone["covered"].to_numpy()
    return replace(run, probabilities=np.column_stack([1 - share, share]))


def _mean_by_patient(values: np.ndarray, patient_ids: np.ndarray) -> Estimate:
    known = np.isfinite(values)
    if not known.any():
        return _no("no heat map of this model")
    patients, patient = np.unique(patient_ids[known], return_inverse=True)
    sums, counts = np.bincount(patient, weights=values[known]), np.bincount(patient)
    drawn = [(w @ sums) / (w @ counts) for w in resample_patients(len(patients), 2000, seed=0)]
    return percentile(float(values[known].mean()), np.concatenate(drawn), len(patients))
