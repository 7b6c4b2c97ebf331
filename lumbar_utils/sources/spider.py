"""The SPIDER dataset: sagittal lumbar MR volumes with masks and gradings of each disc."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ..dataset import FIRST_BODY, FIRST_DISC, LUMBAR_DISCS, MASK_LABELS, LumbarDataset, LumbarError
from .spider_tables import N_VERTEBRAE, SERIES, read_gradings, read_overview
from .tables import check_choice

LICENCE = "CC BY 4.0"
CITATION = (
    "van der Graaf J. W. et al., Lumbar spine segmentation in MR images: a dataset and a public benchmark, "
    "Scientific Data 11, 264 (2024), doi:10.1038/s41597-024-03090-w; data: doi:10.5281/zenodo.10159290"
)
LABELS = ("herniation", "narrowing", "bulging", "spondylolisthesis", "modic", "pfirrmann")
CANAL, PARTIAL, DISC = 100, 100, 200  # the mask numbers of SPIDER
MAX_VOXELS = 100_000_000  # a T2 SPACE volume has about 40 million


def read_spider(
    path: str | Path,
    *,
    label: str = "herniation",
    contrast: str = "T2",
    slices: str = "midline",
    size: int = 224,
) -> LumbarDataset:
    """Read SPIDER as published on Zenodo: `images/`, `masks/`, `overview.csv` and `radiological_gradings.csv`.

    Images and masks come back as (N, size, size) uint8: sagittal slices, cranial up, anterior left, in square
    pixels of `meta["spacing_mm"]`. Masks carry the numbers of `MASK_LABELS`: vertebrae (whole ones and ones that
    the edge of the volume cuts; posterior elements included) count from 1, discs from 101, and SPIDER's spinal
    canal is "sac", though it holds the cord too. Levels are counted from the lowest lumbar vertebra, as SPIDER
    counts; it is usually L5, but L4 or L6 in some patients.

    SPIDER has none of the paper's four classes: no grade of stenosis, no diagnosis, and all patients had low back
    pain. The label is therefore *one graded finding*, and each slice carries that of its patient: for "herniation",
    "narrowing", "bulging", "spondylolisthesis" and "modic" whether any disc from L5-S1 to L1-L2 has it (Modic:
    any type), for "pfirrmann" the highest grade of these discs. A herniation need not show on the slice. All grades
    stand in `meta` per level (`pfirrmann_L4-L5`, `herniation_L4-L5`, …), NaN where a level was not graded; thoracic
    levels are left out.

    Parameters
    ----------
    path : the folder that holds the two tables and the two folders.
    label : "herniation", "narrowing", "bulging", "spondylolisthesis", "modic" or "pfirrmann".
    contrast : "T1", "T2" or "T2 SPACE".
    slices : "midline", the slice nearest the left-right centre of the vertebrae mask, or "all" of a series.
    size : side in pixels; black bars keep the proportions.

    Warns once each, with their number, of rows graded for an IVD label below 1 (left out), of discs that are graded
    but not segmented (kept), and of volumes that overview.csv does not list (left out).

    Raises
    ------
    LumbarError : a missing file, column, series or patient, a value out of range, a damaged volume, an unknown mask
        number, or SimpleITK is not installed.
    """
    path = Path(path)
    check_choice("label", label, LABELS)
    check_choice("contrast", contrast, tuple(SERIES))
    check_choice("slices", slices, ("midline", "all"))
    overview = read_overview(path / "overview.csv")
    gradings = read_gradings(path / "radiological_gradings.csv")
    _warn_of_unlisted(path / "images", set(overview["series"]))
    overview = overview[overview["contrast"] == contrast]
    if overview.empty:
        raise LumbarError(
            f"overview.csv lists no {contrast} series; choose another contrast of {', '.join(SERIES)}."
        )

    images, masks, rows, unsegmented = [], [], [], []
    for entry in overview.to_dict("records"):
        series, patient = entry.pop("series"), entry["patient"]
        if patient not in gradings.index:
            raise LumbarError(
                f"radiological_gradings.csv has no row for patient {patient}, but overview.csv lists {series}; "
                "download both tables again."
            )
        grades = gradings.loc[patient].to_dict()
        volume, spacing_mm = _read_volume(path / "images" / f"{series}.mha")
        mask, mask_spacing_mm = _read_volume(path / "masks" / f"{series}.mha")
        if mask.shape != volume.shape or not np.allclose(mask_spacing_mm, spacing_mm, rtol=1e-2):
            raise LumbarError(
                f"masks/{series}.mha has {mask.shape} voxels, images/{series}.mha {volume.shape}, or their spacings "
                "differ; wanted one grid: download both again."
            )
        mask = _to_mask_labels(mask, f"masks/{series}.mha")
        seen = set(np.unique(mask).tolist())
        for level, name in enumerate(LUMBAR_DISCS):
            if not math.isnan(grades[f"pfirrmann_{name}"]) and FIRST_DISC + level not in seen:
                unsegmented.append(f"{name} of {series}")
        for index in _slice_indices(mask, slices, series):
            image, in_plane_mm = _square(volume[:, :, index], spacing_mm, size, cv2.INTER_AREA)
            images.append(_stretch(image))
            masks.append(_square(mask[:, :, index], spacing_mm, size, cv2.INTER_NEAREST)[0])
            rows.append(
                {
                    **entry,
                    "view": "sagittal",
                    "spacing_mm": in_plane_mm,
                    "slice": index,
                    "source_file": f"images/{series}.mha",
                    **grades,
                }
            )
    if unsegmented:
        warnings.warn(
            f"SPIDER: {len(unsegmented)} disc(s) are graded but not segmented (first: {unsegmented[0]}); their grades "
            "are kept, and their masks are background.",
            stacklevel=2,
        )
    meta = pd.DataFrame(rows)
    labels, class_names = _labels(meta, label)
    return LumbarDataset(
        images=np.stack(images),
        labels=labels,
        class_names=class_names,
        patient_ids=meta.pop("patient").astype(str).to_numpy(),
        meta=meta,
        masks=np.stack(masks),
        name=f"SPIDER ({contrast})",
        licence=LICENCE,
        citation=CITATION,
    )


def _warn_of_unlisted(folder: Path, listed: set[str]) -> None:
    unlisted = sorted(file.stem for file in folder.glob("*.mha") if file.stem not in listed)
    if unlisted:
        warnings.warn(
            f"SPIDER: {len(unlisted)} volume(s) in images/ are not in overview.csv (first: {unlisted[0]}); left out.",
            stacklevel=3,
        )


def _read_volume(file: Path) -> tuple[np.ndarray, tuple[float, float]]:
    """Return (rows from cranial, columns from anterior, slices from the right) and (row, column) spacing in mm."""
    try:
        import SimpleITK as sitk
    except ImportError as error:
        raise LumbarError(
            "Reading .mha volumes needs SimpleITK, which is not installed; run pip install simpleitk."
        ) from error
    name = f"{file.parent.name}/{file.name}"
    if not file.is_file():
        raise LumbarError(
            f"There is no {name}, though overview.csv lists its series; download it, or take its row out of the table."
        )
    damaged = LumbarError(f"{name} is no volume that can be read; it is cut or damaged: download it again.")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    reader.SetImageIO("MetaImageIO")
    try:
        reader.ReadImageInformation()
        shape = reader.GetSize()
        if len(shape) != 3 or reader.GetNumberOfComponents() != 1 or math.prod(shape) > MAX_VOXELS:
            raise LumbarError(
                f"{name} has {' x '.join(map(str, shape))} voxels of {reader.GetNumberOfComponents()} value(s), wanted "
                f"three dimensions, one value and at most {MAX_VOXELS // 10**6} million; download it again."
            )
        volume = sitk.DICOMOrient(reader.Execute(), "LPS")
    except RuntimeError:
        raise damaged from None  # ITK's message runs over several lines
    _, column_mm, row_mm = volume.GetSpacing()
    if not all(0.05 <= value <= 20 for value in (column_mm, row_mm)):
        raise LumbarError(
            f"{name} has pixels of {row_mm:g} x {column_mm:g} mm, wanted 0.05 to 20 mm; download it again."
        )
    return sitk.GetArrayFromImage(volume)[::-1], (row_mm, column_mm)


def _to_mask_labels(mask: np.ndarray, name: str) -> np.ndarray:
    table = np.full(256, 255, np.uint8)
    table[0] = 0
    vertebra = np.arange(1, N_VERTEBRAE + 1)
    table[vertebra] = table[PARTIAL + vertebra] = FIRST_BODY - 1 + vertebra
    table[DISC + vertebra] = FIRST_DISC - 1 + vertebra
    table[CANAL] = MASK_LABELS["sac"]
    values = np.unique(mask)
    known = {value for value in range(256) if table[value] != 255}
    strange = [value for value in values.tolist() if value not in known]
    if strange:
        raise LumbarError(
            f"{name} holds the number {strange[0]:g}, wanted 0, 1 to 25, 100 to 125 or 201 to 225; download it again."
        )
    return table[mask.astype(np.uint8)]


def _slice_indices(mask: np.ndarray, slices: str, series: str) -> list[int]:
    if slices == "all":
        return list(range(mask.shape[2]))
    vertebrae = np.sum((mask >= FIRST_BODY) & (mask <= N_VERTEBRAE), axis=(0, 1))
    if not vertebrae.any():
        raise LumbarError(
            f"masks/{series}.mha holds no vertebra, so its midline is unknown; download it again, or take slices='all'."
        )
    return [round(float(np.average(np.arange(len(vertebrae)), weights=vertebrae)))]


def _square(
    picture: np.ndarray, spacing_mm: tuple[float, float], size: int, how: int
) -> tuple[np.ndarray, float]:
    """Return (size, size) in square pixels, and their side in mm; what lies outside is 0."""
    extent_mm = np.array(picture.shape) * spacing_mm
    side_mm = float(extent_mm.max()) / size
    height, width = np.maximum(1, np.round(extent_mm / side_mm).astype(int))
    if how == cv2.INTER_AREA and height * width > picture.size:
        how = cv2.INTER_LINEAR
    dtype = np.uint8 if how == cv2.INTER_NEAREST else np.float32
    inner = cv2.resize(
        np.ascontiguousarray(picture, dtype=dtype), (int(width), int(height)), interpolation=how
    )
    square = np.zeros((size, size), dtype)
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = inner
    return square, side_mm


def _stretch(picture: np.ndarray) -> np.ndarray:
    """Return uint8 from the darkest to the 99.9th percentile, as a viewer would open it."""
    picture = np.nan_to_num(picture, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(picture.min()), float(np.percentile(picture, 99.9))
    return np.clip(np.round((picture - low) * (255.0 / max(high - low, 1e-6))), 0, 255).astype(np.uint8)


def _labels(meta: pd.DataFrame, label: str) -> tuple[np.ndarray, tuple[str, ...]]:
    worst = meta[[f"{label}_{level}" for level in LUMBAR_DISCS]].max(axis=1).to_numpy()
    if label == "pfirrmann":
        return worst.astype(int) - 1, tuple(f"Pfirrmann {grade}" for grade in range(1, 6))
    return (worst > 0).astype(int), (f"no {label} graded", f"{label} graded")
