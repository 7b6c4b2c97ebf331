"""Phantoms written to disk as a published set of discs would lie there, for who has no real pictures at hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..dataset import FIRST_DISC, LUMBAR_DISCS, MASK_LABELS
from ..phantom import render, sample_patient
from .disc_crops import discs_of_phantom

SIDE = 224


def write_stand_in(
    folder: str | Path, *, n_patients: int = 15, slices: int = 2, copies: int = 3, seed: int = 31
) -> Path:
    """Write `folder`/images and `folder`/labels in the YOLO layout and return the folder.

    Every patient has `slices` pictures, each in `copies` augmented copies as Roboflow makes them: turned by up to 15
    degrees, brightened or darkened, with 1.8 % salt and pepper, named PATIENT_SLICE_jpg.rf.COPY.jpg. Box class 0 is a
    disc, 1 a herniated one by the phantom's rule; a box holds the disc and its herniation.
    """
    folder = Path(folder)
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number, patient_seed in enumerate(np.random.SeedSequence(seed).generate_state(n_patients), start=1):
        patient = sample_patient(int(patient_seed), disease="Herniated Disk" if number % 4 else None)
        generator = np.random.default_rng([int(patient_seed), 13])
        for slice_number in range(slices):
            offset = float(generator.uniform(-4, 4))
            slice_ = render(patient, variation="wide", offset_mm=offset, size=SIDE)
            pieces, classes = _pieces(slice_)
            for copy in range(copies):
                name = f"{number}_{slice_number}_jpg.rf.{copy}"
                picture, moved = _copy(slice_.image, pieces, generator)
                cv2.imwrite(str(folder / "images" / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
                lines = "\n".join(_lines(moved, classes))
                (folder / "labels" / f"{name}.txt").write_text(lines, encoding="utf-8")
    return folder


def _pieces(slice_) -> tuple[np.ndarray, np.ndarray]:
    """Return a map (S, S) in which disc k and its herniation have the number k + 1, and the discs' classes (5,)."""
    centres, classes = discs_of_phantom(slice_)
    pieces = np.zeros(slice_.mask.shape, np.uint8)
    for k in range(len(LUMBAR_DISCS)):
        pieces[slice_.mask == FIRST_DISC + k] = k + 1
    rows, columns = np.nonzero(slice_.mask == MASK_LABELS["herniation"])
    if len(rows):
        away = np.hypot(columns[:, None] - centres[:, 0], rows[:, None] - centres[:, 1])
        pieces[rows, columns] = away.argmin(axis=1) + 1
    return pieces, np.maximum(classes, 0)


def _copy(picture: np.ndarray, pieces: np.ndarray, generator: np.random.Generator):
    """Return a turned, brightened and speckled copy of a picture, and its map turned alike."""
    middle = (SIDE - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), generator.uniform(-15, 15), 1.0)
    moved = cv2.warpAffine(pieces, turn, (SIDE, SIDE), flags=cv2.INTER_NEAREST)
    turned = cv2.equalizeHist(cv2.warpAffine(picture, turn, (SIDE, SIDE))).astype(float)
    copy = np.clip(turned * generator.uniform(0.8, 1.2), 0, 255).astype(np.uint8)
    chance = generator.random(copy.shape)
    copy[chance < 0.009] = 0
    copy[chance > 0.991] = 255
    return copy, moved


def _lines(pieces: np.ndarray, classes: np.ndarray) -> list[str]:
    """Return a YOLO line a disc that is wholly in the picture."""
    lines = []
    for k, label in enumerate(classes):
        rows, columns = np.nonzero(pieces == k + 1)
        if (
            len(rows) < 20
            or min(rows.min(), columns.min()) == 0
            or max(rows.max(), columns.max()) == SIDE - 1
        ):
            continue
        low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1
        x, y, width, height = *((low + high) / 2 / SIDE), *((high - low) / SIDE)
        lines.append(f"{label} {x:.5f} {y:.5f} {width:.5f} {height:.5f}")
    return lines
