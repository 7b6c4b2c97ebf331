"""Each lumbar disc of a phantom patient seen twice: upright on the sagittal midline slice, and from above."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..dataset import LUMBAR_DISCS, LumbarError
from ..localise import locate
from ..phantom import render, sample_patient
from .disc_crops import SIDE_PX, cut_discs, stretched

HERNIATED_MM = (
    3.0  # deep in its own plane, wherever that lies; less than half of it, and the disc counts as sound
)
PARACENTRAL_MM = 3.0  # beside the midline; nearer, and a herniation is central
VIEWS = ("sagittal", "axial")
GAP_MM = 4.4  # from one axial slice to the next (Sudirman et al. 2019)
_AXIAL_SIDE_MM = 50.0  # of the crop in the middle of an axial slice: rear of the disc, canal, facet joints
_RIGHT_WITHIN = 0.35  # of the distance between two discs


@dataclass(frozen=True)
class ViewPairs:
    """P patients with five lumbar discs each, from L5-S1 upwards.

    Attributes
    ----------
    sagittal, axial : (P, 5, 64, 64) uint8; a disc that was not located is black in the sagittal view.
    labels : (P, 5) int: 1 herniated, 0 not, -1 too shallow to be called either.
    offset_mm : (P, 5) of the herniation from the midline, right is positive; 0 without one.
    located : (P, 5) bool: whether the crop lies on the right disc.
    patient_ids : (P,) str.
    """

    sagittal: np.ndarray
    axial: np.ndarray
    labels: np.ndarray
    offset_mm: np.ndarray
    located: np.ndarray
    patient_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        n_herniated = int((self.labels == 1).sum())
        located = f"{self.located.mean():.1%} of discs located"
        return f"ViewPairs({len(self)} patients, {n_herniated} herniated discs, {located})"

    @property
    def zones(self) -> np.ndarray:
        """(P, 5) str: "central" or "paracentral" of a herniated disc, else ""."""
        side = np.where(np.abs(self.offset_mm) < PARACENTRAL_MM, "central", "paracentral")
        return np.where(self.labels == 1, side, "")

    @property
    def patient_labels(self) -> np.ndarray:
        """(P,) int: 1 with a herniated disc, else 0; one too shallow to be called makes nobody herniated."""
        return (self.labels == 1).any(axis=1).astype(int)

    def inputs(self, views: tuple[str, ...] = VIEWS) -> dict[str, np.ndarray]:
        """Return {view: (P, 5, 64, 64, 1) float32 in [0, 1]}, what a network gets."""
        return {view: getattr(self, view)[..., None].astype(np.float32) / 255 for view in views}


def draw_view_pairs(n_patients: int, *, seed: int, localiser: bool = False) -> ViewPairs:
    """Return new phantom patients, each disc cut out of both views.

    localiser : let the localiser find and number the discs, as with a picture from outside; else they are cut where
        they truly are, shaken by a millimetre or so. The axial slice is the one of a stack that lies nearest
        to the disc's middle, up to `GAP_MM` / 2 above or below it.
    """
    if n_patients < 1:
        raise LumbarError(f"n_patients is {n_patients}, wanted 1 or more; ask for some patients.")
    generator = np.random.default_rng(seed)
    seeds = np.random.SeedSequence(seed).generate_state(n_patients)
    parts = {name: [] for name in ("sagittal", "axial", "labels", "offset_mm", "located")}
    for patient_seed in seeds:
        patient = sample_patient(int(patient_seed))
        slice_ = render(patient)
        truth = np.array([slice_.landmarks[name] for name in LUMBAR_DISCS])  # (5, 2)
        crops, located = (
            _located(slice_.image, truth) if localiser else _shaken(slice_.image, truth, generator)
        )
        parts["sagittal"].append(crops)
        parts["located"].append(located)
        parts["axial"].append(
            np.stack(
                [
                    axial_crop(render(patient, view="axial", level=name, offset_mm=beside))
                    for name, beside in zip(
                        LUMBAR_DISCS, generator.uniform(-1, 1, 5) * GAP_MM / 2, strict=True
                    )
                ]
            )
        )
        depth = np.array([level.herniation_mm for level in patient.levels])
        parts["labels"].append(np.where(depth >= HERNIATED_MM, 1, np.where(depth < HERNIATED_MM / 2, 0, -1)))
        parts["offset_mm"].append([level.herniation_offset_mm for level in patient.levels])
    return ViewPairs(
        **{name: np.stack(each) for name, each in parts.items()},
        patient_ids=np.array([f"{seed}-{row:05d}" for row in range(n_patients)]),
    )


def axial_crop(rendering, size: int = SIDE_PX) -> np.ndarray:
    """Return the middle of an axial slice, (size, size) uint8, with its grey range stretched."""
    half = round(_AXIAL_SIDE_MM / rendering.spacing_mm / 2)
    middle = rendering.image.shape[0] // 2
    window = rendering.image[middle - half : middle + half, middle - half : middle + half]
    return stretched(cv2.resize(window, (size, size), interpolation=cv2.INTER_AREA))


def _shaken(image, truth, generator) -> tuple[np.ndarray, np.ndarray]:
    return cut_discs(image, truth + generator.normal(size=truth.shape)), np.ones(len(truth), bool)


def _located(image, truth) -> tuple[np.ndarray, np.ndarray]:
    """Return the crops of the discs that were found and numbered, and whether each lies on the right disc."""
    found = {name: place for name, place in locate(image).discs.items() if name in LUMBAR_DISCS}
    crops, located = np.zeros((len(truth), SIDE_PX, SIDE_PX), np.uint8), np.zeros(len(truth), bool)
    if len(found) < 2:
        return crops, located
    names = [name for name in LUMBAR_DISCS if name in found]
    centres = np.array([found[name] for name in names])
    reach = _RIGHT_WITHIN * np.median(np.linalg.norm(np.diff(truth, axis=0), axis=1))
    for name, centre, crop in zip(names, centres, cut_discs(image, centres), strict=True):
        k = LUMBAR_DISCS.index(name)
        crops[k], located[k] = crop, np.linalg.norm(centre - truth[k]) < reach
    return crops, located
