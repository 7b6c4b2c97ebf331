"""Single discs cut out of sagittal slices, upright and at one scale, whether the slice is drawn or real.

Place, direction and scale come from the column, never from a published box: a box's size alone can tell its class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ..dataset import LUMBAR_DISCS, MASK_LABELS, LumbarDataset, LumbarError
from ..localise import Location, locate
from ..phantom import Rendering
from ..sources import load_dataset, read_picture
from ..sources.pictures import resample

DISC_CLASSES = ("disc", "herniated")
SIDE_PX = 64
CONTEXT = (
    2.0  # side of a crop over the distance between two discs: half of both bodies and the canal are in it
)
HERNIATED_MM2 = 12.0  # of herniation in a phantom's slice from which its disc is called herniated
# (left, top, right, bottom) as shares of the crop's side; the disc lies in the middle, the patient faces left
ZONES = {
    "front of the disc": (0.18, 0.35, 0.40, 0.65),
    "middle of the disc": (0.42, 0.35, 0.64, 0.65),
    "rear of the disc and canal": (0.72, 0.35, 0.94, 0.65),
    "body above": (0.42, 0.02, 0.64, 0.32),
}


def discs_of(location: Location) -> tuple[np.ndarray, float]:
    """Return the middles of the discs (D, 2) in pixels, and the median distance between neighbours."""
    centres = np.array(list(location.discs.values())).reshape(-1, 2)
    if len(centres) < 2:
        return np.empty((0, 2)), np.nan
    return centres, pitch_of(centres)


def pitch_of(centres: np.ndarray) -> float:
    """Return the median distance between neighbours of (D, 2) middles, in pixels."""
    return float(np.median(np.linalg.norm(np.diff(centres, axis=0), axis=1)))


def upwards(centres: np.ndarray) -> np.ndarray:
    """Return (D, 2) unit vectors along the column at each of D >= 2 discs given from the lowest upwards."""
    along = np.gradient(centres, axis=0)
    return along / np.linalg.norm(along, axis=1, keepdims=True)


def crop_matrix(centre: np.ndarray, up: np.ndarray, pitch: float, size: int = SIDE_PX) -> np.ndarray:
    """Return the affine (2, 3) from a slice's pixels to the crop (size, size) in which `up` points upwards."""
    rotation = size / (CONTEXT * pitch) * np.array([[-up[1], up[0]], [-up[0], -up[1]]])
    return np.column_stack([rotation, (size - 1) / 2 - rotation @ centre])


def cut_discs(picture: np.ndarray, centres: np.ndarray, size: int = SIDE_PX) -> np.ndarray:
    """Return (D, size, size) uint8 crops of the discs with these middles (D, 2), from the lowest upwards.

    Each crop's grey range is stretched from its 1st to its 99th percentile: brightness is the scanner's, not the
    patient's.
    """
    if len(centres) < 2:
        return np.empty((0, size, size), np.uint8)
    pitch = pitch_of(centres)
    crops = [
        stretched(resample(picture, crop_matrix(centre, up, pitch, size), (size, size)))
        for centre, up in zip(centres, upwards(centres), strict=True)
    ]
    return np.stack(crops)


def stretched(crop: np.ndarray) -> np.ndarray:
    """Return a crop as uint8 with its 1st and 99th percentile at 0 and 255; a flat one is 0."""
    low, high = np.percentile(crop, (1, 99))
    if not high > low:
        return np.zeros(crop.shape, np.uint8)
    return np.clip((crop.astype(np.float32) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)


def discs_of_phantom(rendering: Rendering) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles (5, 2) of a phantom's lumbar discs from L5-S1 upwards, and their classes (5,).

    1 is herniated: `HERNIATED_MM2` or more of the slice's herniation lie nearest to this disc. 0 is without any. -1 is
    between the two, too little to be seen; who learns leaves it out.
    """
    centres = np.array([rendering.landmarks[name] for name in LUMBAR_DISCS])
    rows, columns = np.nonzero(rendering.mask == MASK_LABELS["herniation"])
    away = np.hypot(columns[:, None] - centres[:, 0], rows[:, None] - centres[:, 1])  # (P, 5)
    counts = np.bincount(away.argmin(axis=1), minlength=len(centres)) if len(rows) else np.zeros(len(centres))
    area_mm2 = counts * rendering.spacing_mm**2
    return centres, np.where(area_mm2 >= HERNIATED_MM2, 1, np.where(area_mm2 == 0, 0, -1))


def read_discs(
    path: str | Path,
    *,
    classes: tuple[str, ...] = DISC_CLASSES,
    patient_pattern: str = "^[^_]+",
    size: int = SIDE_PX,
    licence: str = "unknown",
    citation: str = "",
) -> LumbarDataset:
    """Return an upright crop for each disc that the localiser finds and a published box holds, with the box's class.

    path : a folder in the YOLO layout, see `read_yolo`, whose columns `meta` keeps. Columns position_x, position_y,
    width and height say where a box lies on its picture and how large it is, as shares of the picture; `left_out` in
    `meta.attrs` counts the boxes that hold no disc that was found.

    Raises
    ------
    LumbarError : as `read_yolo`; or no box that holds a disc.
    """
    path = Path(path)
    boxes = load_dataset(
        "yolo",
        path=path,
        classes=classes,
        patient_pattern=patient_pattern,
        licence=licence,
        citation=citation,
    )
    crops, kept, shapes = [], [], []
    for file in dict.fromkeys(boxes.meta["source_file"]):
        picture = read_picture(path / "images" / file)
        of_file = np.flatnonzero(boxes.meta["source_file"] == file)
        centres, _ = discs_of(locate(picture))
        for crop, centre in zip(cut_discs(picture, centres, size), centres, strict=True):
            row = box_at(boxes.meta.iloc[of_file], centre)
            if row is not None and of_file[row] not in kept:
                crops.append(crop)
                kept.append(of_file[row])
                shapes.append(picture.shape)
    if not kept:
        raise LumbarError(
            f"The localiser found no disc in a box of {path}; check that its pictures are sagittal slices."
        )
    found = boxes.subset(kept)
    meta = found.meta.assign(**_shares(found.meta, np.array(shapes)))
    meta.attrs["left_out"] = len(boxes) - len(kept)
    return replace(found, images=np.stack(crops), meta=meta, name=f"discs of {path.name}")


def box_at(boxes: pd.DataFrame, centre: np.ndarray) -> int | None:
    """Return the position of the box that holds a point, the nearest by its middle if several do, or None."""
    away = np.abs(boxes[["x_px", "y_px"]].to_numpy() - centre)
    inside = np.flatnonzero((away <= boxes[["width_px", "height_px"]].to_numpy() / 2).all(axis=1))
    return None if len(inside) == 0 else int(inside[np.argmin(np.hypot(*away[inside].T))])


def box_features(discs: LumbarDataset) -> np.ndarray:
    """Return (N, 5) all that a box tells: where it lies, how large and how long it is; not one pixel."""
    position = discs.meta[["position_x", "position_y", "width", "height"]].to_numpy(dtype=float)
    return np.column_stack([position, np.log(position[:, 2] / position[:, 3])])


def covered(crops: np.ndarray, zone: str) -> np.ndarray:
    """Return the (N, S, S) uint8 crops with one of `ZONES` filled in from its border (Telea 2004).

    All zones have the same size, so that none weighs more by its area. A grey patch would be a sight of its own; what
    is filled in from the border looks like tissue and hides what was there.
    """
    rows, columns = zone_of(zone, crops.shape[1])
    hidden = np.zeros(crops.shape[1:], np.uint8)
    hidden[rows, columns] = 1
    return np.stack([cv2.inpaint(crop, hidden, 3, cv2.INPAINT_TELEA) for crop in crops])


def zone_of(zone: str, size: int) -> tuple[slice, slice]:
    """Return the rows and columns of one of `ZONES` in a crop of `size` pixels."""
    if zone not in ZONES:
        raise LumbarError(f"There is no zone {zone!r} of a crop; choose from {', '.join(ZONES)}.")
    left, top, right, bottom = (round(share * size) for share in ZONES[zone])
    return slice(top, bottom), slice(left, right)


def heat_in_zones(heat: np.ndarray, zones: Sequence[str] = tuple(ZONES)) -> np.ndarray:
    """Return (N, Z) the share of each heat map (N, S, S) that lies in each zone; NaN where there is no heat."""
    total = heat.sum(axis=(1, 2))
    shares = [heat[(slice(None), *zone_of(zone, heat.shape[1]))].sum(axis=(1, 2)) for zone in zones]
    return np.divide(
        np.stack(shares, axis=1), total[:, None], out=np.full((len(heat), len(zones)), np.nan), where=total[:, None] > 0
    )  # fmt: skip


def _shares(boxes: pd.DataFrame, shapes: np.ndarray) -> dict[str, np.ndarray]:
    height, width = shapes.T
    return {
        "position_x": boxes["x_px"].to_numpy() / width,
        "position_y": boxes["y_px"].to_numpy() / height,
        "width": boxes["width_px"].to_numpy() / width,
        "height": boxes["height_px"].to_numpy() / height,
    }
