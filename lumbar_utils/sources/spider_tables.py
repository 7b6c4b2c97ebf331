"""The two tables of SPIDER: its series and their scanner, and the grades of each disc."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import pandas as pd

from ..dataset import LUMBAR_DISCS, LumbarError
from .tables import read_table, whole_number

SERIES = {"T1": "t1", "T2": "t2", "T2 SPACE": "t2_SPACE"}
N_VERTEBRAE = 25
# Column of radiological_gradings.csv: (name in `meta`, lowest, highest value). "Pfirrman" is the publisher's spelling.
GRADES = {
    "Pfirrman grade": ("pfirrmann", 1, 5),
    "Modic": ("modic", 0, 3),
    "UP endplate": ("upper_endplate", 0, 1),
    "LOW endplate": ("lower_endplate", 0, 1),
    "Spondylolisthesis": ("spondylolisthesis", 0, 1),
    "Disc herniation": ("herniation", 0, 1),
    "Disc narrowing": ("narrowing", 0, 1),
    "Disc bulging": ("bulging", 0, 1),
}


def read_overview(file: Path) -> pd.DataFrame:
    """Return a row a series: series, patient, contrast, sex, age_years (NaN if not published) and subset.

    Raises `LumbarError` as `read_table` does, and for a series name, a subset or an age that SPIDER does not have.
    """
    table = read_table(file, ("new_file_name", "subset"))
    contrasts = {suffix: name for name, suffix in SERIES.items()}
    rows = []
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        series = row["new_file_name"].strip()
        patient, _, suffix = series.partition("_")
        if not (patient.isascii() and patient.isdigit()) or suffix not in contrasts:
            raise LumbarError(
                f"{file.name}, row {number}, new_file_name is {series[:40]!r}, wanted a patient's number and "
                "_t1, _t2 or _t2_SPACE; download the table again."
            )
        subset = row["subset"].strip()
        if subset not in ("training", "validation"):
            raise LumbarError(
                f"{file.name}, row {number}, subset is {subset[:40]!r}, wanted training or validation; "
                "download the table again."
            )
        age = row.get("birth_date", "").strip()  # the published column holds the age in years
        where = f"{file.name}, row {number}, birth_date"
        rows.append(
            {
                "series": series,
                "patient": int(patient),
                "contrast": contrasts[suffix],
                "sex": row.get("sex", "").strip(),
                "age_years": whole_number(age, where, 0, 120) if age else math.nan,
                "subset": subset,
            }
        )
    overview = pd.DataFrame(rows)
    twice = overview.loc[overview["series"].duplicated(), "series"]
    if len(twice):
        raise LumbarError(f"{file.name} lists {twice.iloc[0]} twice; wanted one row a series: take one away.")
    return overview


def read_gradings(file: Path) -> pd.DataFrame:
    """Return a row a patient (index: its number) and a column a grade and lumbar level, such as "pfirrmann_L4-L5".

    Rows whose IVD label is below 1 name no disc; they are left out, and a warning says how many. Raises
    `LumbarError` as `read_table` does, and for a value outside its range, or a disc graded twice.
    """
    table = read_table(file, ("Patient", "IVD label", *GRADES))
    patients, below = {}, 0
    done = set()
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        where = f"{file.name}, row {number}"
        patient = whole_number(row["Patient"], f"{where}, Patient", 1, 10**6)
        disc = whole_number(row["IVD label"], f"{where}, IVD label", -1, N_VERTEBRAE)
        grades = {
            name: whole_number(row[column], f"{where}, {column}", low, high)
            for column, (name, low, high) in GRADES.items()
        }
        if disc < 1:
            below += 1
            continue
        if (patient, disc) in done:
            raise LumbarError(
                f"{where} grades disc {disc} of patient {patient} a second time; wanted one row a disc: take one away."
            )
        done.add((patient, disc))
        known = patients.setdefault(patient, {})
        if disc <= len(LUMBAR_DISCS):
            known.update({f"{name}_{LUMBAR_DISCS[disc - 1]}": value for name, value in grades.items()})
    if below:
        warnings.warn(
            f"{file.name}: {below} row(s) grade an IVD label below 1, which is no disc of the masks; left out.",
            stacklevel=2,
        )
    without = [patient for patient, grades in patients.items() if not grades]
    if without or not patients:
        whom = f"patient {without[0]}" if without else "anyone"
        raise LumbarError(
            f"{file.name} grades no lumbar disc (IVD label 1 to 5) of {whom}; download the table again."
        )
    columns = [f"{name}_{level}" for name, _, _ in GRADES.values() for level in LUMBAR_DISCS]
    return pd.DataFrame.from_dict(patients, orient="index").reindex(columns=columns).astype(float)
