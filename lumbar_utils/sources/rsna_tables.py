"""The three tables of RSNA 2024: grades a study, descriptions a series, and marked points, in either spelling."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from ..dataset import LUMBAR_DISCS, LumbarError
from .tables import read_table, whole_number

CLASSES = ("Normal/Mild", "Moderate", "Severe")
DESCRIPTIONS = ("Sagittal T1", "Sagittal T2/STIR", "Axial T2")
# Condition of train.csv, and the series in which it was graded.
CONDITIONS = {
    "spinal_canal_stenosis": "Sagittal T2/STIR",
    "left_neural_foraminal_narrowing": "Sagittal T1",
    "right_neural_foraminal_narrowing": "Sagittal T1",
    "left_subarticular_stenosis": "Axial T2",
    "right_subarticular_stenosis": "Axial T2",
}
MAX_ID = 10**13


def read_grades(file: Path) -> dict[tuple[int, str, str], int | None]:
    """Return the class of each (study, condition, level) in train.csv; None where it is blank or NaN."""
    columns = {
        (name, level): f"{name}_{level.lower().replace('-', '_')}"
        for name in CONDITIONS
        for level in LUMBAR_DISCS
    }
    table = read_table(file, ("study_id", *columns.values()))
    grades, studies = {}, set()
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        study = whole_number(row["study_id"], f"{file.name}, row {number}, study_id", 0, MAX_ID)
        if study in studies:
            raise LumbarError(
                f"{file.name}, row {number} repeats study {study}; wanted one row a study: take one away."
            )
        studies.add(study)
        for (name, level), column in columns.items():
            value = row[column].strip()
            if value.lower() in ("", "nan"):
                grades[study, name, level] = None
            elif value in CLASSES:
                grades[study, name, level] = CLASSES.index(value)
            else:
                raise LumbarError(
                    f"{file.name}, row {number}, {column} is {value[:40]!r}, wanted {', '.join(CLASSES)} or nothing; "
                    "download the table again."
                )
    return grades


def read_descriptions(file: Path) -> dict[tuple[int, int], str]:
    """Return the description of each (study, series)."""
    table = read_table(file, ("study_id", "series_id", "series_description"))
    descriptions = {}
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        where = f"{file.name}, row {number}"
        study = whole_number(row["study_id"], f"{where}, study_id", 0, MAX_ID)
        series = whole_number(row["series_id"], f"{where}, series_id", 0, MAX_ID)
        text = row["series_description"].strip()
        if text not in DESCRIPTIONS:
            raise LumbarError(
                f"{where}, series_description is {text[:40]!r}, wanted {', '.join(DESCRIPTIONS)}; download it again."
            )
        descriptions[study, series] = text
    return descriptions


def read_points(file: Path) -> pd.DataFrame:
    """Return a row a point: row (of the file), study, series, instance, condition, level, x_px, y_px.

    Condition and level are understood in either spelling ("Spinal Canal Stenosis" or spinal_canal_stenosis,
    "L1/L2" or l1_l2), and returned as "spinal_canal_stenosis" and "L1-L2".
    """
    table = read_table(file, ("study_id", "series_id", "instance_number", "condition", "level", "x", "y"))
    levels = {plain(level): level for level in LUMBAR_DISCS}
    rows = []
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        where = f"{file.name}, row {number}"
        condition, level = plain(row["condition"]), plain(row["level"])
        if condition not in CONDITIONS:
            raise LumbarError(
                f"{where}, condition is {row['condition'][:40]!r}, wanted one of {', '.join(CONDITIONS)}; "
                "download the table again."
            )
        if level not in levels:
            raise LumbarError(
                f"{where}, level is {row['level'][:40]!r}, wanted L1/L2 to L5/S1; download the table again."
            )
        rows.append(
            {
                "row": number,
                "study": whole_number(row["study_id"], f"{where}, study_id", 0, MAX_ID),
                "series": whole_number(row["series_id"], f"{where}, series_id", 0, MAX_ID),
                "instance": whole_number(row["instance_number"], f"{where}, instance_number", 0, 100_000),
                "condition": condition,
                "level": levels[level],
                "x_px": _coordinate(row["x"], f"{where}, x"),
                "y_px": _coordinate(row["y"], f"{where}, y"),
            }
        )
    return pd.DataFrame(rows)


def plain(name: str) -> str:
    """Return "Spinal Canal Stenosis" or "L1/L2" as train.csv spells it: spinal_canal_stenosis, l1_l2."""
    return "_".join(name.lower().replace("/", " ").replace("_", " ").replace("-", " ").split())


def _coordinate(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 20_000:
        raise LumbarError(f"{where} is {text[:40]!r}, wanted a position in pixels; download the table again.")
    return value
