"""The stored scores of the shipped networks' heat maps, `results/explanations`: written, read and summarised."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pandas as pd

from ..dataset import LumbarError
from ..paths import results_folder, write_whole
from .scores import REFERENCES, SCORES, summarise_scores

FOLDER = "explanations"
RANDOMISED = "randomised"  # what a network is called whose weights were drawn anew


def store_scores(table: pd.DataFrame, file: Path, provenance: dict) -> None:
    """Write scores and references apart, since the latter are the same for all methods, and a .json beside them.

    table : one network's scores. file : a .csv. provenance : what was explained, such as the sha256 of the weights.
    """
    references = [column for column in table if column.split("_")[-1] in REFERENCES]
    once = table.drop_duplicates("patient_id")[["patient_id", *references]]
    files = {}
    for part, path in ((table.drop(columns=references), file), (once, _references(file))):
        content = part.to_csv(index=False, float_format="%.4f").encode()
        write_whole(path, content)
        files[path.name] = hashlib.sha256(content).hexdigest()
    about = {"measured_on": "phantoms", "provenance": provenance, "files": files}
    write_whole(file.with_suffix(".json"), (json.dumps(about, indent=2) + "\n").encode())


def _references(file: Path) -> Path:
    return file.with_name(f"{file.stem}_references.csv")


def stored_scores(names: Sequence[str] | None = None, *, results: Path | None = None) -> pd.DataFrame:
    """Return one row a network, weights ("trained" or "randomised"), method and picture, with its references.

    names : of networks, by default all. results : a folder, by default results/explanations.

    Raises
    ------
    LumbarError : scores that are not there, or were changed since they were stored.
    """
    results = results_folder() / FOLDER if results is None else Path(results)
    stored = {file.stem: file for file in sorted(results.glob("*.json"))}
    missing = set(names or ()) - set(stored)
    if missing or not stored:
        raise LumbarError(
            f"There are no stored scores of {', '.join(sorted(missing)) or 'any network'} in {results}; compute them "
            "with python -m lumbar_utils explanations --compute."
        )
    return pd.concat([_read(stored[name]) for name in names or stored], ignore_index=True)


def _read(card: Path) -> pd.DataFrame:
    """Return scores and references of one network after comparing both files with the sha256 in its card."""
    file = card.with_suffix(".csv")
    tables = []
    try:
        expected = dict(json.loads(card.read_text(encoding="utf-8"))["files"])
        for path in (file, _references(file)):
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != expected[path.name]:
                raise ValueError(f"{path.name} was changed")
            tables.append(pd.read_csv(BytesIO(content)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LumbarError(
            f"The stored scores of {card.stem} in {card.parent} are damaged ({type(error).__name__}: {error}); fetch "
            f"them again, or compute them with python -m lumbar_utils explanations --compute --networks {card.stem}."
        ) from error
    return tables[0].merge(tables[1], on="patient_id")


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
