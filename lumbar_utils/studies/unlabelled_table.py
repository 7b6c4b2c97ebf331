"""What the studies of unlabelled pictures found: accuracies by method and number of labels, with intervals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ..dataset import LumbarError
from ..evaluation import Predictions
from ..evaluation.intervals import LEVEL, Estimate
from ..paths import results_folder
from .study_store import load_run

_MEANS = ("accepted", "pseudo_accuracy")


def stored_runs(study: str = "unlabelled", folder: str | Path | None = None) -> dict[str, Predictions]:
    """Return every finished run of "unlabelled" or "unlabelled_real" by name, verified.

    Raises
    ------
    LumbarError : none is there, or one is damaged.
    """
    folder = results_folder() / study if folder is None else Path(folder)
    names = sorted(card.stem for card in (folder / "runs").glob("*.json"))
    if not names:
        raise LumbarError(
            f"There is no finished run in {folder}; start `python -m lumbar_utils unlabelled --compute` first (with "
            "--real for published pictures)."
        )
    return {name: load_run(folder, name) for name in names}


def runs_table(study: str = "unlabelled", folder: str | Path | None = None) -> pd.DataFrame:
    """Return a row a run: method, labelled (patients), seed, fold, accuracy, accepted, pseudo_accuracy, seconds.

    accepted and pseudo_accuracy are of the last epoch.
    """
    root = results_folder() / study if folder is None else Path(folder)
    rows = []
    for name, run in stored_runs(study, folder).items():
        last = pd.read_csv(root / "runs" / f"{name}_history.csv").iloc[-1]
        about = run.provenance
        rows.append(
            {
                "method": about["method"],
                "labelled": about["patients"],
                "seed": about["seed"],
                "fold": about["fold"],
                "accuracy": float(np.mean(run.predicted == run.labels)),
                **{name: float(last[name]) for name in _MEANS},
                "seconds": about["seconds"],
            }
        )
    return pd.DataFrame(rows).astype({"fold": "Int64"})


def summarise_unlabelled(study: str = "unlabelled", folder: str | Path | None = None) -> pd.DataFrame:
    """Return a row a method and number of labelled patients, with 95 % intervals.

    Columns: method, labelled, runs, accuracy, low, high; gain, gain_low, gain_high over supervised training on the
    same labels, in pairs; accepted, pseudo_accuracy (means over the runs, last epoch). Only seeds that the method and
    supervised training have in common are compared.
    """
    right: dict[tuple[str, int], dict[int, np.ndarray]] = {}
    patients = {}
    for (method, labelled, seed), run in _by_seed(stored_runs(study, folder)).items():
        right.setdefault((method, labelled), {})[seed] = run.predicted == run.labels
        patients[labelled] = run.patient_ids
    means = runs_table(study, folder).groupby(["method", "labelled"])[list(_MEANS)].mean()
    rows = []
    for (method, labelled), of_seed in sorted(right.items(), key=lambda item: item[0][::-1]):
        own = over_draws(np.array(list(of_seed.values()), float), patients[labelled])
        row = {"method": method, "labelled": labelled, "runs": len(of_seed)}
        row |= {"accuracy": own.value, "low": max(0.0, own.low), "high": min(1.0, own.high)}
        base = right.get(("supervised", labelled), {})
        common = sorted(set(of_seed) & set(base))
        if method != "supervised" and common:
            gains = np.array([of_seed[seed].astype(float) - base[seed] for seed in common])
            gain = over_draws(gains, patients[labelled])
            row |= {"gain": gain.value, "gain_low": gain.low, "gain_high": gain.high}
        rows.append(row | means.loc[method, labelled].to_dict())
    columns = [
        "method",
        "labelled",
        "runs",
        "accuracy",
        "low",
        "high",
        "gain",
        "gain_low",
        "gain_high",
        *_MEANS,
    ]
    return pd.DataFrame(rows, columns=columns)


def over_draws(values: np.ndarray, patient_ids: np.ndarray, level: float = LEVEL) -> Estimate:
    """Return the mean of (S, N) values with an interval for other draws of labels *and* other test patients.

    `values` holds one row a draw and one column a test picture, such as 1 for right, or a paired difference. Its
    variance is that of the draws' means over S, plus that of the patients' means of all draws (a patient's pictures
    counted together); the interval is Student's with S - 1 degrees of freedom, for the few draws weigh most. With one
    draw there is none.
    """
    n_draws, n = values.shape
    mean = float(values.mean())
    if n_draws < 2:
        return Estimate(mean, np.nan, np.nan, "one draw of labels")
    of_patient = np.unique(patient_ids, return_inverse=True)[1]
    residuals = np.bincount(of_patient, weights=values.mean(axis=0) - mean)
    n_patients = len(residuals)
    of_patients = n_patients / max(1, n_patients - 1) * np.sum(residuals**2) / n**2
    of_draws = values.mean(axis=1).var(ddof=1) / n_draws
    half = student.ppf((1 + level) / 2, n_draws - 1) * np.sqrt(of_draws + of_patients)
    return Estimate(
        mean, mean - half, mean + half, f"Student's t over {n_draws} draws and {n_patients} patients"
    )


def _by_seed(runs: dict[str, Predictions]) -> dict[tuple[str, int, int], Predictions]:
    """Return runs by method, labelled patients and seed, the folds of a seed joined in their order."""
    groups: dict[tuple[str, int, int], list[Predictions]] = {}
    for run in runs.values():
        about = run.provenance
        groups.setdefault((about["method"], about["patients"], about["seed"]), []).append(run)
    joined = {}
    for key, parts in groups.items():
        parts.sort(key=lambda run: run.provenance["fold"] or 0)
        joined[key] = parts[0] if len(parts) == 1 else _joined(parts)
    return joined


def _joined(parts: list[Predictions]) -> Predictions:
    return replace(
        parts[0],
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("labels", "probabilities", "patient_ids")
        },
    )
