"""Scores how well a label is told by what is known of a picture without looking at the spine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold

from ..dataset import LumbarDataset
from ..evaluation.metrics import areas_by_class

_BOX = ("x_px", "y_px", "width_px", "height_px")
_HEADER = (
    "spacing_mm thickness_mm slice_thickness_mm rows columns width height source scanner manufacturer model "
    "field_strength_t magnetic_field_strength site view contrast file_type rows_filled columns_filled"
).split()


def nuisances(dataset: LumbarDataset) -> dict[str, pd.DataFrame]:
    """Return by group, one row a picture, what can be known of a picture without looking at the spine.

    Brightness (mean and standard deviation of the pixels), the place of the box where `meta` has one, and the columns
    of a header: spacing, scanner, view, type of the file, rows and columns that are not black. What never changes is
    left out.
    """
    images, meta = dataset.images, dataset.meta
    brightness = pd.DataFrame({"mean": images.mean(axis=(1, 2)), "std": images.std(axis=(1, 2))})
    extra = {
        "rows_filled": (images.max(axis=2) > 8).sum(axis=1),
        "columns_filled": (images.max(axis=1) > 8).sum(axis=1),
    }
    if "source_file" in meta:
        extra["file_type"] = [Path(str(file)).suffix.lower() for file in meta["source_file"]]
    known = meta.reset_index(drop=True).assign(**extra)
    box = [name for name in _BOX if name in known] if set(_BOX) <= set(known) else []
    header = [name for name in known if name.lower() in (*_HEADER, *_BOX) and name not in box]
    groups = {
        "Brightness": brightness,
        "Position and size of the box": known[box],
        "The header": known[header],
    }
    groups = {what: _numbers(table) for what, table in groups.items()}
    return {what: table for what, table in groups.items() if table.shape[1]}


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    columns = {}
    for name in table:
        column = table[name]
        if not pd.api.types.is_numeric_dtype(column):
            column = pd.Series(pd.factorize(column.astype(str), sort=True)[0])
        if column.nunique(dropna=False) > 1:
            columns[name] = column.astype(float)
    return pd.DataFrame(columns, index=table.index)


def nuisance_score(table: pd.DataFrame, labels: np.ndarray, patients: np.ndarray, *, seed: int = 0) -> dict:
    """Return how well a forest tells the labels of unseen patients from `table` alone.

    Three rounds of folds grouped by patient; AUC of the mean probability (one class against the rest, averaged), its
    95 % interval from 1,000 resamples of the patients, and the column whose shuffling costs most (Breiman 2001).

    Returns
    -------
    dict with auc, low, high, most (a column's name) and drop (of the AUC)
    """
    x = table.to_numpy(dtype=float)
    classes, y = np.unique(labels, return_inverse=True)
    names, unit = np.unique(patients, return_inverse=True)
    n_splits = min(5, min(len(np.unique(unit[y == k])) for k in range(len(classes))))
    rng = np.random.default_rng(seed)
    # [0]: as measured; [1 + c]: with column c shuffled
    chances = np.zeros((1 + x.shape[1], len(y), len(classes)))
    for repeat in range(3):
        folds = StratifiedGroupKFold(n_splits=n_splits, shuffle=True, random_state=seed + repeat)
        for train, test in folds.split(x, y, unit):
            forest = RandomForestClassifier(
                60, min_samples_leaf=5, class_weight="balanced", random_state=seed + repeat
            ).fit(x[train], y[train])
            shuffled = np.repeat(x[None, test], 1 + x.shape[1], axis=0)
            for c in range(x.shape[1]):
                shuffled[1 + c, :, c] = rng.permutation(x[test, c])
            told = forest.predict_proba(shuffled.reshape(-1, x.shape[1]))
            chances[:, test[:, None], forest.classes_] += told.reshape(len(shuffled), len(test), -1) / 3
    once = np.ones((1, len(names)))
    auc, *without = (float(_auc(p, y, once[:, unit])[0]) for p in chances)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=1000)
    low, high = np.nanquantile(_auc(chances[0], y, drawn[:, unit]), [0.025, 0.975])
    column = int(np.argmin(without))
    return {
        "auc": auc,
        "low": float(low),
        "high": float(high),
        "most": str(table.columns[column]),
        "drop": auc - without[column],
    }


def _auc(chances: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (R,): one class against the rest, averaged over classes, for each row of weights (R, N)."""
    return areas_by_class(chances, y, weights)[0].mean(axis=1)
