"""Reads the CSV tables that come with public datasets, and says which cell of them is wrong."""

from __future__ import annotations

import csv
import io
import math
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from ..dataset import LumbarError

MAX_TABLE_BYTES = 20_000_000


def read_table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a CSV file as text, a row of the file a row; the index is the row number that a spreadsheet shows.

    Raises
    ------
    LumbarError : the file is missing, not UTF-8, empty or too large, lacks one of `columns`, or has a row of
        another length than its header (a file that was cut ends in one).
    """
    try:
        if file.stat().st_size > MAX_TABLE_BYTES:
            raise LumbarError(
                f"{file.name} has {file.stat().st_size / 1e6:.0f} MB, at most {MAX_TABLE_BYTES // 10**6} MB are read; "
                "use the published table."
            )
        content = file.read_bytes()
    except OSError as error:
        raise LumbarError(
            f"{file} cannot be opened ({error.strerror}); wanted the published table: check the path, or download it."
        ) from error
    try:
        lines = [
            (number, line)
            for number, line in enumerate(
                csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True), start=1
            )
            if line
        ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LumbarError(
            f"{file.name} is no CSV text in UTF-8; it is damaged or of another kind: download it again."
        ) from error
    if len(lines) < 2:
        raise LumbarError(
            f"{file.name} has {len(lines)} row(s), wanted a header and at least one row; download it again."
        )
    header = [name.strip() for name in lines[0][1]]
    for column in columns:
        if header.count(column) != 1:
            near = get_close_matches(column, header, n=1) or header[:1]
            raise LumbarError(
                f"{file.name} has {header.count(column)} columns named {column!r}, wanted one (nearest of "
                f"{len(header)}: {near[0][:60]!r}); download the table again."
            )
    for number, line in lines[1:]:
        if len(line) != len(header):
            raise LumbarError(
                f"{file.name}, row {number} has {len(line)} values, wanted {len(header)} as in the header; the file is "
                "cut or damaged: download it again."
            )
    return pd.DataFrame(
        [line for _, line in lines[1:]], columns=header, index=[number for number, _ in lines[1:]]
    )


def whole_number(text: str, where: str, low: int, high: int) -> int:
    """Return the whole number that `text` spells ("3" or "3.0"), or raise `LumbarError` that begins with `where`."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value.is_integer() and low <= value <= high):  # a NaN is no integer
        raise LumbarError(
            f"{where} is {text[:40]!r}, wanted a whole number from {low} to {high}; mend it, or download it again."
        )
    return int(value)


def check_choice(what: str, value, choices: tuple[str, ...]) -> None:
    """Raise `LumbarError` unless `value` is one of `choices`."""
    if value not in choices:
        raise LumbarError(f"{what} is {value!r}, wanted one of {', '.join(map(repr, choices))}; choose one.")
