"""The lumbar MRI dataset of Sudirman et al.: clinical slices, and a radiologist's report turned into weak labels."""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from ..dataset import LUMBAR_DISCS, LumbarDataset, LumbarError
from .pictures import fit_to_square
from .rsna import read_slice, slice_position
from .sudirman_report import find_report, read_report
from .tables import check_choice

LICENCE = "CC BY 4.0"
CITATION = (
    "Sudirman S. et al., Lumbar Spine MRI Dataset, Mendeley Data, V2 (2019), doi:10.17632/k57fr854j2.2; reports: "
    "Radiologists Notes for Lumbar Spine MRI Dataset, Mendeley Data, doi:10.17632/s6bgczr8s2.2"
)
CLASSES = ("no finding stated", "finding stated")
SERIES = {
    ("sagittal", "T1"): r"^T1_.*SAG",
    ("sagittal", "T2"): r"^T2_.*SAG",
    ("axial", "T1"): r"^T1_.*TRA",
    ("axial", "T2"): r"^T2_.*TRA",
}


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
    findings = read_report(find_report(path))
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
