"""Patients of a study, with their pictures as the networks see them: whole, or the column of the spine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np

from ..dataset import LumbarDataset, LumbarError
from ..framing import COLUMN_SIZE, Frames, frame

VIEWS = {"column": COLUMN_SIZE, "whole": (128, 128)}  # (H, W) at course size
_CHUNK = 250


@dataclass(frozen=True)
class Part:
    """Patients and what the networks see of them, row by row."""

    dataset: LumbarDataset
    frames: Frames

    def subset(self, rows: Sequence[int] | np.ndarray) -> Part:
        return Part(self.dataset.subset(rows), self.frames[rows])


def framed(dataset: LumbarDataset, view: str, *, height: int | None = None, processes: int = 1) -> Part:
    """Return the dataset with its pictures in frames.

    Parameters
    ----------
    view : "column" or "whole". height : in pixels, by default that of `VIEWS`; proportions are kept.
    processes : the localiser takes 25 ms a picture; thousands are shared out.

    Raises
    ------
    LumbarError : another view.
    """
    if view not in VIEWS:
        raise LumbarError(f"There is no view {view!r}; choose one of {', '.join(VIEWS)}.")
    size = VIEWS[view]
    if height is not None:
        size = (height, height * size[1] // size[0])
    crop = "column" if view == "column" else None
    if processes == 1 or crop is None:
        return Part(dataset, frame(dataset.images, size, crop))
    chunks = [dataset.images[start : start + _CHUNK] for start in range(0, len(dataset), _CHUNK)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        parts = list(pool.map(frame, chunks, [size] * len(chunks), [crop] * len(chunks)))
    joined = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("pictures", "matrices", "found")
    )
    return Part(dataset, Frames(*joined, dataset.images.shape[1:]))


def _one_thread() -> None:
    cv2.setNumThreads(1)


def mean_grey(dataset: LumbarDataset) -> list[float]:
    """Return each picture's mean grey value: what shows, on any machine, whether the phantom draws as it did."""
    return dataset.images.mean(axis=(1, 2)).round(4).tolist()
