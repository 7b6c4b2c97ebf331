"""The lumbar MRI dataset of Sudirman et al.: clinical slices, and a radiologist's report turned into weak labels.

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

import numpy as np
import pandas as pd

from ..dataset import LUMBAR_DISCS, LumbarDataset, LumbarError
from .pictures import fit_to_square
from .rsna import read_slice, slice_position
from .tables import MAX_TABLE_BYTES, check_choice

LICENCE = "CC BY 4.0"
CITATION = (
    "Sudirman S. et al., Lumbar Spine MRI Dataset, Mendeley Data, V2 (2019), doi:10.17632/k57fr854j2.2; reports: "
    "Radiologists Notes for Lumbar Spine MRI Dataset, Mendeley Data, doi:10.17632/s6bgczr8s2.2"
)
REPORT = "Radiologists Report.xlsx"
CLASSES = ("no finding stated", "finding stated")
SERIES = {
    ("sagittal", "T1"): r"^T1_.*SAG",
    ("sagittal", "T2"): r"^T2_.*SAG",
    ("axial", "T1"): r"^T1_.*TRA",
    ("axial", "T2"): r"^T2_.*TRA",
}
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


def read_sudirman(
    path: str | Path,
    *,
    level: str | None = None,
    view: str = "sagittal",
    contrast: str = "T2",
    size: int = 224,
) -> LumbarDataset:
    """Read `PATIENT/STUDY/SERIES/*.ima` (PATIENT such as 0001) and `Radiologists Report.xlsx`.

    A patient gives one picture, (size, size) uint8 with black bars: the middle slice, by position, of the first
    series of the wanted view and contrast ("T2_TSE_SAG_384_0002" is sagittal T2) outside neck studies ("C-SPINE…").
    `meta` holds 0 or 1 for each level (`finding_L4-L5`, …), the spacing in mm and the file.

    **These labels are weak.** The dataset has no grades, only a report in words. The classes say no more than what
    they are called: "finding stated" if the report states one at `level`, "no finding stated" if it does not, which
    is not the same as a healthy disc. The rule (`findings_of`) looks for fixed words and simple negations, was not
    validated against a reader, and knows nothing of severity. If the workbook has a column named after a level
    ("L4-L5", "L5-S1") with 0 or 1, as some who use the data add it, that column is taken for its level instead.

    Beware of 200 of these slices that are redistributed as "with_pain" and "without_pain" (henryagyare/Spine_LBP):
    its authors say that those labels were assigned *at random*. Any accuracy above chance on them is a leak.

    Parameters
    ----------
    path : the folder of patients, or the one above it ("01_MRI_Data" inside); the workbook lies in either.
    level : "L5-S1" to "L1-L2", or None for a finding at any of them.
    view : "sagittal" or "axial". The middle axial slice belongs to no known level.
    contrast : "T1" or "T2".
    size : side in pixels.

    Warns once, with their numbers, of patients left out: no row in the workbook, an empty report, or no such series.

    Raises
    ------
    LumbarError : a missing folder, workbook, column or series in every patient, a wrong value, a damaged file, or
        openpyxl is not installed.
    """
    path = Path(path)
    if level is not None:
        check_choice("level", level, LUMBAR_DISCS)
    check_choice("view", view, ("sagittal", "axial"))
    check_choice("contrast", contrast, ("T1", "T2"))
    if not path.is_dir():
        raise LumbarError(f"There is no folder {path}; give the folder of patients 0001, 0002 and so on.")
    findings = read_report(_find_report(path))
    root = path / "01_MRI_Data" if (path / "01_MRI_Data").is_dir() else path
    folders = sorted(f for f in root.iterdir() if f.is_dir() and f.name.isascii() and f.name.isdigit())
    if not folders:
        raise LumbarError(
            f"{root} has no folder of a patient; wanted 0001, 0002 and so on: give the folder that holds them."
        )
    images, rows = [], []
    without_row = without_report = without_series = 0
    for folder in folders:
        patient = int(folder.name)
        stated = findings.get(patient)
        written = [
            value for name, value in (stated or {}).items() if level in (None, name) and not math.isnan(value)
        ]
        if not written:
            without_row += stated is None
            without_report += stated is not None
            continue
        series = _find_series(folder, SERIES[view, contrast])
        if series is None:
            without_series += 1
            continue
        image, spacing_mm, name = _middle_slice(series, f"{folder.name}/{series.name}", size)
        images.append(image)
        rows.append(
            {
                "patient": folder.name,
                "label": int(max(written)),
                "view": view,
                "contrast": contrast,
                "spacing_mm": spacing_mm,
                "source_file": name,  # without the study's folder, whose name holds the date of the scan
                **{f"finding_{name}": value for name, value in stated.items()},
            }
        )
    left_out = (
        f"{without_row} patient(s) without a row in the workbook, {without_report} with an empty report and "
        f"{without_series} without {view} {contrast} series"
    )
    if not images:
        raise LumbarError(
            f"{root} gives no picture: it holds {left_out}; check that workbook and folders belong together."
        )
    if without_row or without_report or without_series:
        warnings.warn(f"Sudirman: left out {left_out}.", stacklevel=2)
    meta = pd.DataFrame(rows)
    return LumbarDataset(
        images=np.stack(images),
        labels=meta.pop("label").to_numpy(),
        class_names=CLASSES,
        patient_ids=meta.pop("patient").to_numpy(),
        meta=meta,
        name=f"Sudirman ({level or 'any level'})",
        licence=LICENCE,
        citation=CITATION,
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


def _find_report(path: Path) -> Path:
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


def _find_series(patient: Path, pattern: str) -> Path | None:
    series = (
        folder
        for study in sorted(f for f in patient.iterdir() if f.is_dir() and not f.name.startswith("C-SPINE"))
        for folder in sorted(f for f in study.iterdir() if f.is_dir())
        if re.search(pattern, folder.name, re.IGNORECASE)
    )
    return next(series, None)


def _middle_slice(folder: Path, name: str, size: int) -> tuple[np.ndarray, float, str]:
    files = [f for f in folder.iterdir() if f.suffix.lower() in (".ima", ".dcm")]
    if not files:
        raise LumbarError(f"{name} holds no .ima file; wanted the slices of the series: download it again.")
    files.sort(key=lambda file: (slice_position(file, f"{name}/{file.name}"), file.name))
    file = files[len(files) // 2]
    pixels, spacing_mm = read_slice(file, f"{name}/{file.name}")
    return fit_to_square(pixels, size), spacing_mm * max(pixels.shape) / size, f"{name}/{file.name}"
