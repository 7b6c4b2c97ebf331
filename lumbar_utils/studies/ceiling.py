"""What one midline slice can tell at most: a random forest on measurements of the phantom's true label maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from ..dataset import LUMBAR_DISCS, MASK_LABELS, LumbarDataset, LumbarError
from ..evaluation import Predictions

LESIONS = ("herniation", "bulge", "flavum", "osteophyte", "modic")
NEAR_MM = (45.0, 14.0)  # along and across a disc: what counts to its level
STRIPS_MM = np.arange(-8.0, 8.5, 1.25)  # across a disc: where the sac's width is taken


def measure_slice(image: np.ndarray, mask: np.ndarray, spacing_mm: float) -> dict[str, float]:
    """Return what a reader with a ruler could measure on one sagittal slice, from its true label map.

    A level gives its disc's height, length (standard deviations of its pixels, mm) and signal (over that of CSF), the
    narrowest and median width of the sac beside it (mm), the area of each kind of lesion (mm2), and how far a
    herniation reaches. A disc that is outside the picture gives zeros.
    """
    pixel = spacing_mm**2
    counts = np.bincount(mask.ravel(), minlength=256) * pixel
    found = {name: float(counts[MASK_LABELS[name]]) for name in LESIONS}
    sac = np.isin(mask, (MASK_LABELS["sac"], MASK_LABELS["cord"]))
    csf = float(np.median(image[sac])) if sac.any() else 255.0
    for name in LUMBAR_DISCS:
        level = _measure_level(image / csf, mask, sac, MASK_LABELS[name], spacing_mm)
        found |= {f"{quantity} {name}": value for quantity, value in level.items()}
    narrowest = [found[f"narrowest sac {name}"] for name in LUMBAR_DISCS]
    found["narrowest sac"] = min(narrowest)
    found["farthest reach"] = max(found[f"reach {name}"] for name in LUMBAR_DISCS)
    found["mean signal"] = float(np.mean([found[f"signal {name}"] for name in LUMBAR_DISCS]))
    return found


def _measure_level(signal, mask, sac, number, spacing_mm) -> dict[str, float]:
    y, x = np.nonzero(mask == number)
    if len(y) < 5:
        quantities = (
            "height",
            "length",
            "core signal",
            "signal",
            "narrowest sac",
            "median sac",
            "reach",
            *LESIONS,
        )
        return dict.fromkeys(quantities, 0.0)
    spread, axes = np.linalg.eigh(np.cov(np.stack([x, y])))
    axis = axes[:, 1] * np.sign(axes[0, 1])  # towards the back
    top, left = max(int(y.mean() - 50 / spacing_mm), 0), max(int(x.mean() - 50 / spacing_mm), 0)
    window = np.s_[top : int(y.mean() + 50 / spacing_mm), left : int(x.mean() + 50 / spacing_mm)]
    signal, mask, sac = signal[window], mask[window], sac[window]
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    rows, columns = rows + top - y.mean(), columns + left - x.mean()
    along = (columns * axis[0] + rows * axis[1]) * spacing_mm
    across = (rows * axis[0] - columns * axis[1]) * spacing_mm
    near = (np.abs(along) < NEAR_MM[0]) & (np.abs(across) < NEAR_MM[1])
    core = (np.abs(along) < 9) & (np.abs(across) < 2.2)
    strip = np.digitize(across[near & sac], STRIPS_MM)
    widths = np.bincount(strip, minlength=len(STRIPS_MM) + 1)[1:-1] * spacing_mm**2 / np.diff(STRIPS_MM)
    herniation = along[near & (mask == MASK_LABELS["herniation"])]
    areas = np.bincount(mask[near], minlength=256) * spacing_mm**2
    return {
        "height": float(np.sqrt(max(spread[0], 0)) * spacing_mm),
        "length": float(np.sqrt(spread[1]) * spacing_mm),
        "core signal": float(signal[core].mean()),
        "signal": float(signal[mask == number].mean()),
        "narrowest sac": float(widths.min()),
        "median sac": float(np.median(widths)),
        "reach": float(np.ptp(herniation)) if len(herniation) else 0.0,
        **{name: float(areas[MASK_LABELS[name]]) for name in LESIONS},
    }


def measurements(dataset: LumbarDataset) -> pd.DataFrame:
    """Return one row of `measure_slice` a picture."""
    if dataset.masks is None:
        raise LumbarError(
            f"{dataset.name} has no masks, wanted phantoms with their label maps; make them anew."
        )
    return pd.DataFrame(
        [
            measure_slice(image, mask, spacing)
            for image, mask, spacing in zip(
                dataset.images, dataset.masks, dataset.meta["spacing_mm"], strict=True
            )
        ]
    )


def predict_ceiling(train: LumbarDataset, test: LumbarDataset, *, seed: int = 0) -> Predictions:
    """Return what a random forest on the true measurements of `train` says of `test`: what networks can hope for."""
    forest = RandomForestClassifier(500, min_samples_leaf=2, random_state=seed, n_jobs=2)
    forest.fit(measurements(train), train.labels)
    return Predictions.of_dataset(
        test,
        forest.predict_proba(measurements(test)),
        model="Random forest on true measurements",
        measured_on="phantoms",
        provenance={"training_fingerprint": train.fingerprint()},
    )
