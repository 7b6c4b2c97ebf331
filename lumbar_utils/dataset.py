"""The one thing that flows through the package: pictures, labels, patients, and where they came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

PAPER4 = ("Healthy", "Herniated Disk", "Spinal Stenosis", "Spondylosis")

# Label map of `LumbarDataset.masks`. Vertebral bodies and discs count upwards from the sacrum, as in
# the SPIDER dataset: L5 is 1 and the disc L5-S1 is 101, L4 is 2 and L4-L5 is 102, and so on.
FIRST_BODY, FIRST_DISC, MAX_LEVELS = 1, 101, 20
LUMBAR_BODIES = ("L5", "L4", "L3", "L2", "L1")
LUMBAR_DISCS = ("L5-S1", "L4-L5", "L3-L4", "L2-L3", "L1-L2")
MASK_LABELS = {
    "background": 0,
    **{name: FIRST_BODY + level for level, name in enumerate(LUMBAR_BODIES)},
    "sacrum": 30,
    "sac": 40,  # the dural sac without the cord
    "cord": 41,
    "roots": 42,  # the roots of the cauda equina; axial slices only
    "posterior_elements": 31,  # facet joints, laminae, spinous process; axial slices only
    "normal_flavum": 32,  # a ligamentum flavum that presses on nothing; axial slices only
    **{name: FIRST_DISC + level for level, name in enumerate(LUMBAR_DISCS)},
    "herniation": 200,
    "bulge": 201,
    "flavum": 202,  # a ligamentum flavum thick enough to press on the sac
    "osteophyte": 203,
    "modic": 204,
}


class LumbarError(ValueError):
    """A mistake in what was handed in, told in one sentence with the remedy; safe to show to a user."""


@dataclass(frozen=True)
class LumbarDataset:
    """Pictures with labels, patients and provenance.

    Attributes
    ----------
    images : (N, H, W) uint8, or float32 in [0, 1]; one grey channel.
    labels : (N,) int, index into `class_names`.
    class_names : names of the classes, in the order of the labels.
    patient_ids : (N,) str, the unit of every split and every interval.
    meta : one row an image: view, contrast, spacing_mm, age_years, sex, source_file, grades, …
    masks : (N, H, W) uint8 label map with the numbers of `MASK_LABELS`, or None.
    name, licence, citation : what it is called, what may be done with it, whom to cite.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    patient_ids: np.ndarray
    meta: pd.DataFrame = field(repr=False)
    masks: np.ndarray | None = field(default=None, repr=False)
    name: str = "unnamed"
    licence: str = "unknown"
    citation: str = ""

    def __post_init__(self):
        object.__setattr__(self, "labels", np.asarray(self.labels, dtype=np.int64))
        object.__setattr__(self, "patient_ids", np.asarray(self.patient_ids, dtype=np.str_))
        object.__setattr__(self, "class_names", tuple(self.class_names))
        self.check()

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        height, width = self.images.shape[1:3]
        return (
            f"LumbarDataset({self.name!r}: {len(self)} pictures of {height} x {width} "
            f"from {len(np.unique(self.patient_ids))} patients, {len(self.class_names)} classes)"
        )

    def check(self) -> LumbarDataset:
        """Return the dataset itself, or raise `LumbarError` naming the first thing that is wrong."""
        n = len(self.images)
        if self.images.ndim != 3:
            raise LumbarError(
                f"{self.name}: images have shape {self.images.shape}, wanted (N, height, width) with one grey "
                "channel; turn colour pictures grey first."
            )
        if n == 0:
            raise LumbarError(
                f"{self.name}: there is no picture in it; check the folder or the filter you gave."
            )
        for what, length in (
            ("labels", len(self.labels)),
            ("patient_ids", len(self.patient_ids)),
            ("meta", len(self.meta)),
            ("masks", n if self.masks is None else len(self.masks)),
        ):
            if length != n:
                raise LumbarError(
                    f"{self.name}: {what} has {length} rows for {n} images; give one row an image."
                )
        if self.masks is not None and self.masks.shape != self.images.shape:
            raise LumbarError(
                f"{self.name}: masks have shape {self.masks.shape} and images {self.images.shape}; "
                "draw both on the same grid."
            )
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.class_names)))
        if len(wrong):
            raise LumbarError(
                f"{self.name}: row {wrong[0]} ({self._source(wrong[0])}) has label {self.labels[wrong[0]]}, wanted "
                f"0 to {len(self.class_names) - 1}, one of {', '.join(self.class_names)}."
            )
        nameless = np.flatnonzero(self.patient_ids == "")
        if len(nameless):
            raise LumbarError(
                f"{self.name}: row {nameless[0]} ({self._source(nameless[0])}) has no patient; without one a split "
                "cannot keep a patient on one side. Give each picture a patient_id."
            )
        self._check_pixels()
        return self

    def _check_pixels(self) -> None:
        if self.images.dtype == np.uint8:
            return
        if self.images.dtype != np.float32:
            raise LumbarError(
                f"{self.name}: images are {self.images.dtype}, wanted uint8, or float32 between 0 and 1; "
                "rescale them with (x - x.min()) / (x.max() - x.min())."
            )
        low, high = self.images.min(axis=(1, 2)), self.images.max(axis=(1, 2))
        # a NaN makes both comparisons false, so it is caught with the rest
        wrong = np.flatnonzero(~((low >= 0) & (high <= 1)))
        if len(wrong):
            row = wrong[0]
            raise LumbarError(
                f"{self.name}: row {row} ({self._source(row)}) holds values from {low[row]:g} to {high[row]:g}, "
                "wanted 0 to 1; rescale it, and look for missing pixels."
            )

    def _source(self, row: int) -> str:
        return str(self.meta["source_file"].iloc[row]) if "source_file" in self.meta else "made in memory"

    def subset(self, index) -> LumbarDataset:
        """Return the rows that `index` (integers or a boolean mask) picks, in that order."""
        index = np.asarray(index)
        if index.dtype == bool:
            index = np.flatnonzero(index)
        return replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            patient_ids=self.patient_ids[index],
            meta=self.meta.iloc[index].reset_index(drop=True),
            masks=None if self.masks is None else self.masks[index],
        )

    def summary(self) -> pd.DataFrame:
        """Return pictures and patients by class, with a row of totals."""
        rows = [
            {
                "class": name,
                "pictures": int(np.sum(self.labels == label)),
                "patients": len(np.unique(self.patient_ids[self.labels == label])),
            }
            for label, name in enumerate(self.class_names)
        ]
        rows.append({"class": "all", "pictures": len(self), "patients": len(np.unique(self.patient_ids))})
        return pd.DataFrame(rows).set_index("class")

    def fingerprint(self) -> str:
        """Return the sha256 of pixels, labels and patient ids, in hexadecimal."""
        digest = hashlib.sha256()
        for part in (self.images, self.labels, self.patient_ids):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()
