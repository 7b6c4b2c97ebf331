"""A radiologist's report turned into weak labels.

No word of a report leaves this file, not even in an error.
"""

from __future__ import annotations

import math
import re
import warnings
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from itertools import zip_longest
from pathlib import Path

import pandas as pd

from ..dataset import LUMBAR_DISCS, LumbarError
from .tables import MAX_TABLE_BYTES

REPORT = "Radiologists Report.xlsx"
FINDINGS = re.compile(
    r"bulg|protru|herniat|extru|sequest|prolaps|stenos|narrow|compress|indent|imping|encroach|annular tear|listhesis"
    r"|osteophyt|degenerat|desiccat|dehydrat|spondylosis|hypertroph"
)
NEGATIONS = re.compile(r"\b(?:no|not|without|nor|negative for|free of|absence of|ruled? out)\b")
# "L4-5", "L4/L5" and "L4-L5"; also the L3-4 and so on of a list such as "L3-4, L4-5 and L5-S1".
_LEVEL = re.compile(r"\bl\s?([1-5])\s?(?:-|–|/|_)\s?(?:l|s)?\s?([1-5])\b")
_LIST = re.compile(r"[\s,;&+:]*(?:and|&|to)?[\s,;&+:]*")
# What openpyxl and zipfile raise on workbooks that are cut, damaged or foreign.
_WORKBOOK_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    ElementTree.ParseError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)


def findings_of(report: str) -> dict[str, int]:
    """Return 1 for each lumbar level at which a report in words states a finding, else 0.

    The rule: the text from one level's name ("L4-5", "L4-L5", or a list such as "L4-5 and L5-S1") to the next
    belongs to that level; text before the first name belongs to none. It is cut into clauses at full stops,
    semicolons, line ends and "but". A clause states a finding if it holds one of the word stems in `FINDINGS` with no
    word of `NEGATIONS` before it.
    """
    text = report.lower().replace("\r", "\n")
    stated = dict.fromkeys(LUMBAR_DISCS, 0)
    mentions = list(_LEVEL.finditer(text))
    group = []
    for mention, following in zip_longest(mentions, mentions[1:]):
        group.append(mention)
        section = text[mention.end() : following.start() if following else len(text)]
        if following and _LIST.fullmatch(section) and "\n" not in section:
            continue  # the list of levels goes on
        if _states_finding(section):
            for upper, lower in (name.groups() for name in group):
                disc = "L5-S1" if (upper, lower) == ("5", "1") else f"L{upper}-L{lower}"
                if disc in stated:
                    stated[disc] = 1
        group = []
    return stated


def _states_finding(section: str) -> bool:
    for clause in re.split(r"[.;\n]|\bbut\b", section):
        found = FINDINGS.search(clause)
        if found and not NEGATIONS.search(clause[: found.start()]):
            return True
    return False


def read_report(file: Path) -> dict[int, dict[str, float]]:
    """Return 0, 1 or NaN (nothing written) for each patient and lumbar level.

    Raises
    ------
    LumbarError : the workbook cannot be opened or read, lacks a column, or holds a wrong or repeated value; the
        value itself is never quoted.
    """
    table = _read_workbook(file)
    names = [str(name).strip() for name in table.columns]
    notes = [column for column, name in enumerate(names) if re.fullmatch(r"(?i)clinician.?s notes", name)]
    levels = {level: names.index(level) for level in LUMBAR_DISCS if level in names}
    if names.count("Patient ID") != 1 or not (notes or levels):
        missing = (
            "'Patient ID'"
            if names.count("Patient ID") != 1
            else "\"Clinician's Notes\", or 'L4-L5' and 'L5-S1'"
        )
        raise LumbarError(
            f"{file.name} has {len(names)} columns, and not one named {missing}; wanted the workbook as published: "
            "download it again."
        )
    patients = {}
    for number, row in enumerate(table.itertuples(index=False, name=None), start=2):
        if all(_blank(value) for value in row):
            continue
        patient = _number(row[names.index("Patient ID")], f"{file.name}, row {number}, Patient ID", 1, 99_999)
        if patient in patients:
            raise LumbarError(
                f"{file.name}, row {number} repeats patient {patient}; wanted one row a patient: take one away."
            )
        note = row[notes[0]] if notes else None
        stated = dict.fromkeys(LUMBAR_DISCS, math.nan) if _blank(note) else findings_of(str(note))
        for level, column in levels.items():
            where = f"{file.name}, row {number}, {level}"
            stated[level] = math.nan if _blank(row[column]) else _number(row[column], where, 0, 1)
        patients[int(patient)] = {level: float(value) for level, value in stated.items()}
    if not patients:
        raise LumbarError(
            f"{file.name} has a header and no patient; wanted a row a patient: download it again."
        )
    return patients


def find_report(path: Path) -> Path:
    for folder in (path, path.parent, *sorted(f for f in path.iterdir() if f.is_dir() and "Note" in f.name)):
        if (folder / REPORT).is_file():
            return folder / REPORT
    raise LumbarError(
        f"There is no {REPORT!r} in {path}; download it (doi:10.17632/s6bgczr8s2) and lay it beside the patients."
    )


def _read_workbook(file: Path) -> pd.DataFrame:
    try:
        import openpyxl  # noqa: F401  (pandas reads .xlsx with it)
    except ImportError as error:
        raise LumbarError(
            "Reading .xlsx needs openpyxl, which is not installed; run pip install openpyxl."
        ) from error
    try:
        with zipfile.ZipFile(file) as archive:
            n_bytes = sum(part.file_size for part in archive.infolist())
        if n_bytes <= MAX_TABLE_BYTES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return pd.read_excel(file, engine="openpyxl", dtype=object)
    except _WORKBOOK_ERRORS:
        raise LumbarError(
            f"{file.name} is no workbook (.xlsx) that can be read; it is cut or damaged: download it again."
        ) from None  # the cause may quote a report
    raise LumbarError(
        f"{file.name} unpacks to {n_bytes / 1e6:.0f} MB, at most {MAX_TABLE_BYTES // 10**6} MB are read; "
        "use the published workbook."
    )


def _blank(value) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip()


def _number(value, where: str, low: int, high: int) -> int:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not (number.is_integer() and low <= number <= high):
        raise LumbarError(
            f"{where} holds something else than the whole number wanted, {low} to {high}; mend it, "
            "or download it again."
        )
    return int(number)
