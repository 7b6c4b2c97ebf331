"""The stored scores of the shipped networks' heat maps, `results/explanations`: written, read and summarised."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..dataset import LumbarError
from ..paths import results_folder, write_whole
from .scores import REFERENCES, SCORES, summarise_scores

FOLDER = "explanations"
RANDOMISED = "randomised"  # what a network is called whose weights were drawn anew


def store_scores(table: pd.DataFrame, file: Path) -> None:
    """Write scores and references apart: the latter are the same for all methods."""
    references = [column for column in table if column.split("_")[-1] in REFERENCES]
    once = table.drop_duplicates("patient_id")[["patient_id", *references]]
    for part, path in ((table.drop(columns=references), file), (once, _references(file))):
        write_whole(path, part.to_csv(index=False, float_format="%.4f").encode())


def _references(file: Path) -> Path:
    return file.with_name(f"{file.stem}_references.csv")


def stored_scores(names: Sequence[str] | None = None, *, results: Path | None = None) -> pd.DataFrame:
    """Return one row a network, weights ("trained" or "randomised"), method and picture, with its references.

    names : of networks, by default all. results : a folder, by default results/explanations.

    Raises
    ------
    LumbarError : scores that are not there.
    """
    results = results_folder() / FOLDER if results is None else Path(results)
    files = {file.stem: file for file in sorted(results.glob("*.csv")) if _references(file).is_file()}
    missing = set(names or ()) - set(files)
    if missing or not files:
        raise LumbarError(
            f"There are no stored scores of {', '.join(sorted(missing)) or 'any network'} in {results}; compute them "
            "with python -m lumbar_utils explanations --compute."
        )
    files = [files[name] for name in names or files]
    return pd.concat(
        [pd.read_csv(file).merge(pd.read_csv(_references(file)), on="patient_id") for file in files],
        ignore_index=True,
    )


def summary_of(table: pd.DataFrame, score: str = "energy") -> pd.DataFrame:
    """Return one row a network, weights and method: mean of `score` over patients, interval, and the references.

    table : from `stored_scores`. score : one of `cam.scores.SCORES`.
    """
    if score not in SCORES:
        raise LumbarError(f"There is no score {score!r}; choose one of {', '.join(SCORES)}.")
    rows = []
    for (network, weights, method), group in table.groupby(["network", "weights", "method"], sort=False):
        summary = summarise_scores(group[[column for column in group if _belongs(column, score)]]).loc[score]
        rows.append(
            {
                "network": network,
                "weights": weights,
                "method": method,
                **summary,
                "empty": group["empty"].mean(),
            }
        )
    return pd.DataFrame(rows)


def _belongs(column: str, score: str) -> bool:
    return column == "patient_id" or column == score or column.startswith(f"{score}_")
