"""Reads a DICOM series, a folder of slices or one multi-frame file, as a stack sorted through the body."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom

from ..dataset import PAPER4, LumbarDataset, LumbarError
from .dicom import display, is_dicom, open_dicom
from .dicom_header import count_frames, frame_value, numbers, quiet, square_spacing, technical_tags
from .pictures import MAX_BYTES, MAX_PIXELS, MIN_SIDE, fit_to_square

# A series of discs tilts its slices by some 30 degrees from L1 to S1; a localiser's stand at right angles.
_WIDEST_ANGLE_DEG = 60


@dataclass(frozen=True)
class _Slice:
    """One frame of one file; `patient` and `series` serve to tell files apart here and go no further."""

    file: Path
    frame: int
    patient: str
    series: str
    shape: tuple[int, int]
    origin: tuple[float, ...] | None  # mm
    normal: np.ndarray | None
    instance: float | None


def read_dicom_series(
    path: str | Path,
    *,
    series: int | None = None,
    label: str | None = None,
    patient_id: str | None = None,
    size: int = 224,
    licence: str = "unknown",
    citation: str = "",
) -> LumbarDataset:
    """Read one series into a `LumbarDataset`, a slice a row, from one side of the body to the other.

    Slices are sorted by ImagePositionPatient along the slice normal (PS3.3 C.7.6.2.1.1). Where a slice lacks its
    position, InstanceNumber and then the file name give the order, and a warning says so. Of each header `meta`
    keeps position_mm, spacing_mm (of the picture as returned), slice_thickness_mm, repetition_time_ms,
    echo_time_ms, field_strength_t and modality, beside source_file (relative to the folder) and frame.

    Parameters
    ----------
    path : a folder, searched with its subfolders for DICOM files by their content, or one file.
    series : which series to take when the folder holds several, counted from 0 in the order of the files.
    label : the class of all slices; one of `PAPER4` brings all four class names. Without one it is "unlabelled".
    patient_id : what to call the patient. Without one it is "dicom-1" for the first patient of the folder, and
        so on: give your own before you join several folders.
    size : side in pixels of the square that each slice is fitted into (black bars keep its proportions).

    Raises
    ------
    LumbarError : no DICOM image, several series and none chosen, slices of several sizes or directions as
        localisers have, or an unreadable file.
    """
    path = Path(path)
    files = _files(path)
    root = path if path.is_dir() else path.parent
    with quiet():
        slices = [piece for file in files for piece in _slices(file, file.relative_to(root).as_posix())]
    if not slices:
        raise LumbarError(f"{path.name} holds no DICOM image; give the folder with the slices of one series.")
    chosen = _choose(slices, series, path.name)
    _check_alike(chosen, path.name)
    order, positions = _sorted(chosen, path.name)

    if patient_id is None:
        patients = list(dict.fromkeys(piece.patient for piece in slices))
        patient_id = f"dicom-{patients.index(chosen[0].patient) + 1}"
    class_names = PAPER4 if label in PAPER4 else (label or "unlabelled",)
    images, rows = _pixels(order, root, size)
    return LumbarDataset(
        images=images,
        labels=np.full(len(images), class_names.index(label) if label in PAPER4 else 0),
        class_names=class_names,
        patient_ids=np.full(len(images), patient_id),
        meta=pd.DataFrame([{**row, "position_mm": mm} for row, mm in zip(rows, positions, strict=True)]),
        name="DICOM series",
        licence=licence,
        citation=citation,
    )


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise LumbarError(f"There is no file or folder {path}; give a DICOM file or the folder of a series.")
    found = (f for f in path.rglob("*") if f.is_file() and not f.name.startswith("."))
    return sorted(f for f in found if f.name.upper() != "DICOMDIR" and _begins_as_dicom(f))


def _begins_as_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return is_dicom(stream.read(4096))
    except OSError as error:
        raise LumbarError(
            f"{file.name} cannot be opened ({error.strerror}); check the path and its rights."
        ) from error


def _open(file: Path, name: str) -> pydicom.Dataset:
    try:
        n_bytes = file.stat().st_size
        content = file.read_bytes() if n_bytes <= MAX_BYTES else b""
    except OSError as error:
        raise LumbarError(
            f"{name} cannot be opened ({error.strerror}); check the path and its rights."
        ) from error
    if n_bytes > MAX_BYTES:
        raise LumbarError(
            f"{name} has {n_bytes / 1e6:.0f} MB, at most {MAX_BYTES // 1_000_000} MB are read; export the series as "
            "single slices."
        )
    if not is_dicom(content):
        raise LumbarError(
            f"{name} is no DICOM image; wanted a slice or a multi-frame file: export the series as DICOM."
        )
    return open_dicom(content, name=name, max_pixels=MAX_PIXELS)


def _slices(file: Path, name: str) -> list[_Slice]:
    header = _open(file, name)
    return [
        _Slice(
            file=file,
            frame=frame,
            patient=str(frame_value(header, "PatientID")),
            series=str(frame_value(header, "SeriesInstanceUID")),
            shape=(int(header.Rows), int(header.Columns)),
            origin=numbers(frame_value(header, "ImagePositionPatient", frame), 3),
            normal=_normal(numbers(frame_value(header, "ImageOrientationPatient", frame), 6)),
            instance=(numbers(frame_value(header, "InstanceNumber"), 1) or (None,))[0],
        )
        for frame in range(count_frames(header))
    ]


def _normal(orientation: tuple[float, ...] | None) -> np.ndarray | None:
    """Return the unit normal of a slice whose rows and columns run along the two halves of `orientation`."""
    if orientation is None:
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    return normal / length if length > 0.5 else None


def _choose(slices: list[_Slice], series: int | None, name: str) -> list[_Slice]:
    found: dict[tuple[str, str], list[_Slice]] = {}
    for piece in slices:
        found.setdefault((piece.patient, piece.series), []).append(piece)
    if series is None and len(found) > 1:
        counts = ", ".join(str(len(pieces)) for pieces in found.values())
        raise LumbarError(
            f"{name} holds {len(found)} series (of {counts} slices), wanted one; choose with series=0 to "
            f"{len(found) - 1}, counted in the order of the files."
        )
    if series is not None and not 0 <= series < len(found):
        raise LumbarError(
            f"{name} holds {len(found)} series and series={series} was asked for; choose 0 to {len(found) - 1}."
        )
    return list(found.values())[series or 0]


def _check_alike(slices: list[_Slice], name: str) -> None:
    shapes = sorted({piece.shape for piece in slices})
    if len(shapes) > 1:
        found = ", ".join(f"{columns} x {rows}" for rows, columns in shapes[:4])
        raise LumbarError(
            f"{name} has slices of {len(shapes)} sizes in one series ({found} pixels), wanted one; take the "
            "localisers or reports out of the folder."
        )
    normals = [piece.normal for piece in slices if piece.normal is not None]
    if any(abs(normal @ normals[0]) < np.cos(np.radians(_WIDEST_ANGLE_DEG)) for normal in normals):
        raise LumbarError(
            f"{name} has slices that cross at over {_WIDEST_ANGLE_DEG} degrees in one series, as localisers do; take "
            "the localisers out of the folder."
        )


def _sorted(slices: list[_Slice], name: str) -> tuple[list[_Slice], np.ndarray]:
    """Return the slices in order and their positions in mm along the first one's normal, NaN where unknown."""
    if all(piece.origin is not None and piece.normal is not None for piece in slices):
        positions = np.array([np.dot(piece.origin, slices[0].normal) for piece in slices])
        order = np.argsort(np.round(positions, 3), kind="stable")
        return [slices[i] for i in order], positions[order]
    if len(slices) > 1:
        numbered = all(piece.instance is not None for piece in slices)
        warnings.warn(
            f"{name}: some slices have no position in the body, so the order is that of "
            f"{'InstanceNumber' if numbered else 'the file names'}.",
            stacklevel=3,
        )
        if numbered:
            slices = sorted(slices, key=lambda piece: (piece.instance, piece.frame))
    return slices, np.full(len(slices), np.nan)


def _pixels(slices: list[_Slice], root: Path, size: int) -> tuple[np.ndarray, list[dict]]:
    """Return the slices as (N, size, size) uint8 and their rows of `meta`; each file is opened once in a row."""
    images, rows, opened, header = np.zeros((len(slices), size, size), np.uint8), [], None, None
    with quiet():
        for row, piece in enumerate(slices):
            name = piece.file.relative_to(root).as_posix()
            if piece.file != opened:
                header, opened = _open(piece.file, name), piece.file
            picture = display(header, piece.frame, name=name, max_pixels=MAX_PIXELS)
            if min(picture.shape) < MIN_SIDE:
                raise LumbarError(
                    f"{name} is {picture.shape[1]} x {picture.shape[0]} pixels, wanted at least {MIN_SIDE} each way; "
                    "use the full picture, not a thumbnail."
                )
            images[row] = fit_to_square(picture, size)
            tags = technical_tags(header, piece.frame)
            spacing = square_spacing(header, piece.frame)
            rows.append(
                {
                    "source_file": name,
                    "frame": piece.frame,
                    "modality": tags.get("Modality", ""),
                    "spacing_mm": np.nan if spacing is None else spacing * max(picture.shape) / size,
                    "slice_thickness_mm": tags.get("SliceThickness", np.nan),
                    "repetition_time_ms": tags.get("RepetitionTime", np.nan),
                    "echo_time_ms": tags.get("EchoTime", np.nan),
                    "field_strength_t": tags.get("MagneticFieldStrength", np.nan),
                }
            )
    return images, rows
