"""The RSNA 2024 lumbar spine dataset: slices marked at each level, graded Normal/Mild, Moderate or Severe."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom

from ..dataset import LumbarDataset, LumbarError
from .dicom import read_dicom
from .dicom_header import DECODING_ERRORS, quiet
from .pictures import MAX_PIXELS, fit_to_square, read_bytes
from .rsna_tables import CLASSES, CONDITIONS, DESCRIPTIONS, plain, read_descriptions, read_grades, read_points
from .tables import check_choice
from .yolo import cut_square

LICENCE = "non-commercial use only, under the rules of the RSNA 2024 challenge (Kaggle, RSNA MIRA)"
CITATION = (
    "Richards T., Talbott J., Ball R. et al., RSNA 2024 Lumbar Spine Degenerative Classification, Kaggle (2024), "
    "https://kaggle.com/competitions/rsna-2024-lumbar-spine-degenerative-classification"
)


def read_rsna(
    path: str | Path,
    *,
    condition: str = "spinal_canal_stenosis",
    description: str | None = None,
    crop_mm: float | None = 60.0,
    neighbours: int = 0,
    size: int = 224,
) -> LumbarDataset:
    """Read the training part of RSNA 2024 as Kaggle publishes it: three tables and `train_images/`.

    Each point of `train_label_coordinates.csv` that belongs to `condition` gives a picture, (size, size) uint8: a
    square of `crop_mm` around the point, or the whole slice with black bars. Its label is the grade of that level
    in `train.csv`. `meta` names study, series, instance, condition, level, the point in pixels of the file, the
    spacing of the returned picture in mm, and `slice`, the rank in the series from right to left (sagittal) or
    from caudal to cranial (axial), by ImagePositionPatient: instance numbers need not follow the anatomy. The
    patient is the study. "Normal/Mild" is one class: this dataset has no pure normal, no herniation, no spondylosis.

    Parameters
    ----------
    path : the folder that holds `train.csv`.
    condition : as a column of train.csv without its level ("spinal_canal_stenosis"), or as the coordinates spell it
        ("Spinal Canal Stenosis"). Without "left"/"right", both sides are read.
    description : "Sagittal T1", "Sagittal T2/STIR" or "Axial T2"; None takes the one in which the condition was graded.
    crop_mm : side of the square around the point in mm; None returns whole slices.
    neighbours : how many slices on either side of the marked one are returned too (fewer at the end of a series).
    size : side of a picture in pixels.

    Warns once, with their numbers, of points whose level has no grade (NaN), points in a series of another
    description, and grades without a point; none of these gives a picture.

    Raises
    ------
    LumbarError : a missing table, column, series or slice, a value out of range, a point outside its slice, or a
        damaged DICOM file.
    """
    path = Path(path)
    conditions = _conditions(condition)
    if description is None:
        description = CONDITIONS[conditions[0]]
    check_choice("description", description, DESCRIPTIONS)
    if not (crop_mm is None or 1 <= crop_mm <= 1000):
        raise LumbarError(
            f"crop_mm is {crop_mm!r}, wanted 1 to 1000 mm, or None for whole slices; choose one."
        )
    if not 0 <= neighbours <= 100:
        raise LumbarError(
            f"neighbours is {neighbours!r}, wanted 0 to 100 slices on either side; choose fewer."
        )
    grades = read_grades(path / "train.csv")
    descriptions = read_descriptions(path / "train_series_descriptions.csv")
    points = read_points(path / "train_label_coordinates.csv")
    points = points[points["condition"].isin(conditions)]
    points = _with_labels(points, grades, descriptions, conditions, description)

    images, rows = [], []
    for (study, series), of_series in points.groupby(["study", "series"], sort=True):
        order = _slices_by_position(path / "train_images" / str(study) / str(series))
        instances = list(order)
        for point in of_series.to_dict("records"):
            if point["instance"] not in order:
                raise LumbarError(
                    f"train_images/{study}/{series} has no {point['instance']}.dcm, but train_label_coordinates.csv, "
                    f"row {point['row']} marks it; download the series again."
                )
            middle = instances.index(point["instance"])
            for rank in range(max(0, middle - neighbours), min(len(instances), middle + neighbours + 1)):
                image, spacing_mm = _cut(order[instances[rank]], point, crop_mm, size)
                images.append(image)
                rows.append(
                    {
                        **point,
                        "instance": instances[rank],
                        "view": description.split()[0].lower(),
                        "contrast": description.split()[1],
                        "slice": rank,
                        "from_marked": rank - middle,
                        "spacing_mm": spacing_mm,
                        "source_file": f"train_images/{study}/{series}/{instances[rank]}.dcm",
                    }
                )
    meta = pd.DataFrame(rows).drop(columns="row")
    return LumbarDataset(
        images=np.stack(images),
        labels=meta.pop("label").to_numpy(),
        class_names=CLASSES,
        patient_ids=meta["study"].astype(str).to_numpy(),
        meta=meta,
        name=f"RSNA 2024 ({condition})",
        licence=LICENCE,
        citation=CITATION,
    )


def _conditions(condition: str) -> tuple[str, ...]:
    wanted = plain(str(condition))
    found = tuple(name for name in CONDITIONS if wanted in (name, name.partition("_")[2]))
    if not found or wanted == "canal_stenosis":
        raise LumbarError(
            f"condition is {condition!r}, wanted one of {', '.join(CONDITIONS)}, with or without its side; choose one."
        )
    return found


def _with_labels(points, grades, descriptions, conditions, description) -> pd.DataFrame:
    """Return the points that have a grade and lie in a series of the wanted description, with their labels."""
    labels, ungraded, elsewhere = [], 0, 0
    for point in points.to_dict("records"):
        row = f"train_label_coordinates.csv, row {point['row']}"
        key = point["study"], point["condition"], point["level"]
        if key not in grades:
            raise LumbarError(
                f"{row} names study {point['study']}, which train.csv does not hold; download both tables again."
            )
        if (point["study"], point["series"]) not in descriptions:
            raise LumbarError(
                f"{row} names series {point['series']} of study {point['study']}, which train_series_descriptions.csv "
                "does not hold; download both tables again."
            )
        right_series = descriptions[point["study"], point["series"]] == description
        ungraded += grades[key] is None
        elsewhere += grades[key] is not None and not right_series
        labels.append(grades[key] if right_series else None)
    kept = points.assign(label=pd.Series(labels, index=points.index, dtype="Int64")).dropna(subset="label")
    marked = set(zip(points["study"], points["condition"], points["level"], strict=True))
    unmarked = sum(
        value is not None and key[1] in conditions and key not in marked for key, value in grades.items()
    )
    if ungraded or elsewhere or unmarked:
        warnings.warn(
            f"RSNA: left out {ungraded} point(s) without a grade (NaN), {elsewhere} point(s) outside {description} "
            f"series and {unmarked} grade(s) without a point.",
            stacklevel=3,
        )
    if kept.empty:
        raise LumbarError(
            f"train_label_coordinates.csv holds no graded point for {' or '.join(conditions)} in {description} series; "
            "choose another condition or description."
        )
    return kept


def _slices_by_position(folder: Path) -> dict[int, Path]:
    """Return the files of a series by instance number, in the order of their positions."""
    name = f"{folder.parent.name}/{folder.name}"
    files = [file for file in folder.glob("*.dcm") if file.stem.isascii() and file.stem.isdigit()]
    if not files:
        raise LumbarError(
            f"There is no slice in train_images/{name}, though train_label_coordinates.csv marks one; "
            "download the series."
        )
    at = {file: slice_position(file, f"train_images/{name}/{file.name}") for file in files}
    return {int(file.stem): file for file in sorted(files, key=lambda file: (at[file], int(file.stem)))}


def slice_position(file: Path, name: str) -> float:
    """Return where a DICOM slice lies in its stack, in mm, growing to the left, the back or the head.

    It is the slice's centre along the patient axis nearest its normal: axial series are often blocks of different
    tilt, one a disc, and distances along each slice's own normal would mix them up. Raises `LumbarError` if the
    file cannot be read or does not say where it lies.
    """
    tags = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns")
    with quiet():
        try:
            header = pydicom.dcmread(
                io.BytesIO(read_bytes(file, name)), stop_before_pixels=True, specific_tags=tags
            )
            corner = np.array(header.ImagePositionPatient, dtype=float)
            along_row, along_column = np.array(header.ImageOrientationPatient, dtype=float).reshape(2, 3)
            row_mm, column_mm = np.array(header.PixelSpacing, dtype=float)
            centre = corner + along_row * column_mm * (int(header.Columns) - 1) / 2
            centre = centre + along_column * row_mm * (int(header.Rows) - 1) / 2
            normal = np.cross(along_row, along_column)
            along = float(centre[np.argmax(np.abs(normal))])
        except LumbarError:
            raise
        except DECODING_ERRORS:
            along = math.nan  # the cause may quote the header
    if not math.isfinite(along):
        raise LumbarError(
            f"{name} does not say where it lies (ImagePositionPatient, ImageOrientationPatient, PixelSpacing), or is "
            "damaged; download it again."
        )
    return along


def pixel_spacing_mm(tags: dict) -> float:
    """Return the side of a pixel in mm from the tags of `read_dicom`; NaN if it is not told or not square."""
    try:
        row_mm, column_mm = (float(value) for value in tags["PixelSpacing"])
    except (KeyError, TypeError, ValueError):
        return math.nan
    square = 0.01 < row_mm < 20 and abs(row_mm - column_mm) < 0.02 * row_mm
    return row_mm if square else math.nan


def read_slice(file: Path, name: str) -> tuple[np.ndarray, float]:
    """Return a DICOM slice as (H, W) uint8 and the side of its pixels in mm (NaN if unknown)."""
    pixels, tags = read_dicom(read_bytes(file, name), name=name, max_pixels=MAX_PIXELS)
    return pixels, pixel_spacing_mm(tags)


def _cut(file: Path, point: dict, crop_mm: float | None, size: int) -> tuple[np.ndarray, float]:
    name = f"train_images/{point['study']}/{point['series']}/{file.name}"
    pixels, spacing_mm = read_slice(file, name)
    height, width = pixels.shape
    x, y = point["x_px"], point["y_px"]
    if not (x <= width and y <= height):
        raise LumbarError(
            f"train_label_coordinates.csv, row {point['row']} marks ({x:g}, {y:g}), outside {name} of "
            f"{width} x {height} pixels; download both again."
        )
    if crop_mm is None:
        return fit_to_square(pixels, size), spacing_mm * max(height, width) / size
    if math.isnan(spacing_mm):
        raise LumbarError(
            f"{name} tells no square PixelSpacing, which a crop in mm needs; take whole slices with crop_mm=None."
        )
    side_px = crop_mm / spacing_mm
    return cut_square(pixels, np.array([x, y, side_px, side_px]), size=size, context=1.0), crop_mm / size
