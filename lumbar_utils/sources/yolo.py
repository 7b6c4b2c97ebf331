"""Discs cut out of pictures that carry YOLO boxes, as Roboflow exports them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ..dataset import LumbarDataset, LumbarError
from .folder import patient_of
from .pictures import PICTURE_SUFFIXES, read_picture

COPY_MARK = ".rf."  # Roboflow writes each augmented copy of a picture as NAME.rf.HASH


def read_yolo(
    path: str | Path,
    *,
    classes: tuple[str, ...],
    patient_pattern: str | None = None,
    size: int = 64,
    context: float = 2.0,
    licence: str = "unknown",
    citation: str = "",
) -> LumbarDataset:
    """Read `path/images` and `path/labels` and return one square crop a box.

    `meta` says where each crop comes from: `source_file`, `source_picture` (the name that all augmented copies of
    one picture share), `disc` (the box's rank from the top of its picture) and the box itself in pixels.

    Parameters
    ----------
    classes : the names of YOLO's class numbers, in their order.
    patient_pattern : regular expression searched in each file name; see `read_folder`.
    size : side of a crop in pixels.
    context : side of the square that is cut, over the longer side of the box; at 2 it reaches into the canal, where
        a herniation lies.

    Raises
    ------
    LumbarError : a missing folder, no box at all, a line that is no box, a class number without a name.
    """
    path = Path(path)
    for needed in ("images", "labels"):
        if not (path / needed).is_dir():
            raise LumbarError(
                f"There is no folder {path / needed}; wanted the YOLO layout, images/NAME.jpg beside labels/NAME.txt."
            )
    files = sorted(f for f in (path / "images").iterdir() if f.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        raise LumbarError(f"{path / 'images'} holds no picture; wanted {', '.join(PICTURE_SUFFIXES)}.")
    crops, rows = [], []
    for file in files:
        label_file = path / "labels" / f"{file.stem}.txt"
        if not label_file.exists():
            continue  # in the YOLO layout a picture without a label file shows no object
        picture = read_picture(file)
        patient = patient_of(file.stem, patient_pattern, file.name)
        boxes = sorted(_read_boxes(label_file, len(classes)), key=lambda box: box[2])
        for rank, (label, *box) in enumerate(boxes):
            box_px = np.array(box) * np.tile(picture.shape[::-1], 2)
            crops.append(cut_square(picture, box_px, size=size, context=context))
            rows.append(
                {
                    "label": label,
                    "patient": patient,
                    "source_file": file.name,
                    "source_picture": file.stem.split(COPY_MARK)[0],
                    "disc": rank,
                    **dict(zip(("x_px", "y_px", "width_px", "height_px"), box_px, strict=True)),
                }
            )
    if not rows:
        raise LumbarError(
            f"{path / 'labels'} holds no box for the pictures in {path / 'images'}; check the file names."
        )
    meta = pd.DataFrame(rows)
    return LumbarDataset(
        images=np.stack(crops),
        labels=meta.pop("label").to_numpy(),
        class_names=tuple(classes),
        patient_ids=meta.pop("patient").to_numpy(),
        meta=meta,
        name=path.name,
        licence=licence,
        citation=citation,
    )


def _read_boxes(label_file: Path, n_classes: int) -> list[tuple]:
    """Return (class, x, y, width, height) a line; the last four are fractions of the picture."""
    boxes = []
    for number, line in enumerate(
        label_file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
    ):
        if not line.strip():
            continue
        where = f"{label_file.name}, line {number}"
        try:
            label, x, y, width, height = line.split()
            box = (int(label), float(x), float(y), float(width), float(height))
        except ValueError as error:
            raise LumbarError(
                f"{where} reads {line[:60]!r}, wanted five numbers: class, x, y, width and height of a box."
            ) from error
        if not 0 <= box[0] < n_classes:
            raise LumbarError(
                f"{where} has class {box[0]}, but {n_classes} class name(s) were given; name every class, in order."
            )
        if not (all(0 <= value <= 1 for value in box[1:]) and min(box[3:]) > 0):
            raise LumbarError(
                f"{where} has the box {' '.join(f'{value:g}' for value in box[1:])}, wanted fractions of the picture "
                "between 0 and 1; divide pixels by the picture's width and height."
            )
        boxes.append(box)
    return boxes


def cut_square(picture: np.ndarray, box_px: np.ndarray, *, size: int, context: float) -> np.ndarray:
    """Return the square around a box (centre x, centre y, width, height), resized to (size, size) uint8.

    What lies outside the picture repeats its border.
    """
    x, y, width, height = box_px
    side = context * max(width, height)
    scale = size / side
    to_crop = np.array([[scale, 0, size / 2 - scale * x], [0, scale, size / 2 - scale * y]])
    return cv2.warpAffine(
        picture, to_crop, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
