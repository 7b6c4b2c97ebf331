"""The discs that the disc network learns from: wide phantoms, their slices disturbed as those that people bring."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np
import pandas as pd

from ..beyond.disc_crops import DISC_CLASSES, cut_discs, discs_of_phantom
from ..dataset import LumbarDataset
from ..localise import class_map
from ..phantom import PHANTOM_VERSION, render, sample_patient
from .localiser_slices import bias_field, degrade, marrow_grain, surroundings_field, tissue_gains

DRAWING = {"variation": "wide", "offset_mm_sd": 2.5, "farthest_offset_mm": 7.0, "drawn_at": 224}


def phantom_discs(n_patients: int, *, seed: int, looks: int = 1, workers: int = 2) -> LumbarDataset:
    """Return upright crops of the lumbar discs of wide T2 phantoms near the midline.

    Every other patient is drawn from those with a herniated disc. Discs with a trace of herniation, class -1 of
    `discs_of_phantom`, are left out. looks : how often each slice is disturbed anew, as the pictures are that people
    bring. The crops do not depend on the number of `workers`.
    """
    seeds = np.random.SeedSequence(seed).generate_state(n_patients).tolist()
    parts = [(seeds[start : start + 50], start, looks) for start in range(0, n_patients, 50)]
    if workers < 2:
        drawn = [_draw(part) for part in parts]
    else:
        with ProcessPoolExecutor(min(workers, len(parts)), mp_context=get_context("spawn")) as pool:
            drawn = list(pool.map(_draw, parts))
    images, labels, patients = (np.concatenate(column) for column in zip(*drawn, strict=True))
    return LumbarDataset(
        images=images,
        labels=labels,
        class_names=DISC_CLASSES,
        patient_ids=np.char.mod("P%06d", patients),
        meta=pd.DataFrame({"view": "sagittal", "contrast": "T2"}, index=range(len(labels))),
        name=f"discs of phantom {PHANTOM_VERSION} (seed {seed})",
        licence="BSD-3-Clause",
        citation=f"Lumbar spine phantom {PHANTOM_VERSION}; drawn pictures, no patient stands behind them.",
    )


def _draw(part: tuple[list[int], int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    seeds, first, looks = part
    crops, labels, patients = [], [], []
    cv2.setNumThreads(1)
    for number, seed in enumerate(seeds, start=first):
        generator = np.random.default_rng([seed, 11])
        patient = sample_patient(seed, disease="Herniated Disk" if number % 2 else None)
        farthest = DRAWING["farthest_offset_mm"]
        offset = float(np.clip(generator.normal(0, DRAWING["offset_mm_sd"]), -farthest, farthest))
        slice_ = render(patient, variation=DRAWING["variation"], offset_mm=offset, size=DRAWING["drawn_at"])
        centres, classes = discs_of_phantom(slice_)
        tissues = class_map(slice_.mask)
        for _ in range(looks):
            crops.append(cut_discs(disturbed(slice_.image, tissues, generator), centres)[classes >= 0])
            labels.append(classes[classes >= 0])
            patients.append(np.full(len(labels[-1]), number))
    return np.concatenate(crops), np.concatenate(labels), np.concatenate(patients)


def disturbed(picture: np.ndarray, tissues: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a slice with other tissues, grain, clouds, coil and exposure, but its shape as it was."""
    grey = picture.astype(np.float32)
    if generator.random() < 0.6:
        grey *= tissue_gains(tissues, generator)
    if generator.random() < 0.4:
        grey *= marrow_grain(tissues, generator)
    if generator.random() < 0.5:
        grey *= surroundings_field(tissues, generator)
    if generator.random() < 0.5:
        grey *= bias_field(generator, picture.shape[0])
    return degrade(grey, generator)
