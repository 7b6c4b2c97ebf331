"""Cross-validation of the CNN and the CNN-SVM on any dataset, in folds that keep a patient together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from ..dataset import LumbarDataset
from ..evaluation import Predictions, average_copies, evaluate
from ..hybrid import CNNSVMClassifier
from ..models import build_model
from ..splits import grouped_folds
from ..training import SmallChanges, fit, predict

MODELS = ("CNN", "CNN-SVM")


def cross_validate_networks(
    dataset: LumbarDataset,
    *,
    n_splits: int = 5,
    epochs: int = 30,
    seed: int = 0,
    out: str | Path | None = None,
    log: Callable[[str], None] = print,
) -> dict[str, Predictions]:
    """Return each model's out-of-fold predictions, one row a thing.

    In each fold the CNN (course size, from scratch) is trained on part of the other patients and stopped early on
    the rest of them; the CNN-SVM takes its features. The test fold is met once. Where a picture comes in several
    augmented copies (`meta` has `source_picture`), the predictions for its copies are averaged first, so that one
    disc counts once; intervals resample patients.

    Parameters
    ----------
    epochs : at most so many epochs a fold.
    out : a folder for the predictions; nothing is stored without one.
    log : takes the report, line by line.

    Raises
    ------
    LumbarError : a class with fewer patients than folds.
    """
    folds = grouped_folds(dataset, n_splits=n_splits, seed=seed)
    log(f"{dataset!r}\n\nFolds, grouped by patient:\n{describe_folds(dataset, folds).to_string()}\n")
    probabilities = {name: np.full((len(dataset), len(dataset.class_names)), np.nan) for name in MODELS}
    for number, (train_rows, test_rows) in enumerate(folds, start=1):
        of_fold = _fit_and_predict(
            dataset.subset(train_rows), dataset.subset(test_rows), epochs=epochs, seed=seed
        )
        for name in MODELS:
            probabilities[name][test_rows] = of_fold[name]
        log(f"fold {number} of {len(folds)} done")

    results = {}
    for name in MODELS:
        by_row = Predictions.of_dataset(
            dataset,
            probabilities[name],
            model=name,
            measured_on="real pictures",
            provenance={
                "protocol": f"{n_splits} folds grouped by patient, out-of-fold predictions, copies averaged",
                "epochs_at_most": epochs,
                "seed": seed,
            },
        )
        results[name] = average_copies(by_row, things(dataset))
        log(f"\n{evaluate(results[name], seed=seed)}")
        if out is not None:
            results[name].save(Path(out) / f"{name.lower().replace('-', '_')}.csv")
    return results


def things(dataset: LumbarDataset) -> np.ndarray:
    """Return (N,) names of what each row shows: equal for the augmented copies of one disc of one picture."""
    if "source_picture" not in dataset.meta:
        return np.arange(len(dataset)).astype(str)
    parts = dataset.meta[[column for column in ("source_picture", "disc") if column in dataset.meta]]
    return parts.astype(str).agg("/".join, axis=1).to_numpy(dtype=str)


def describe_folds(dataset: LumbarDataset, folds: list[tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Return a row a fold: patients and pictures in training and test, and the test pictures of each class."""
    rows = []
    for number, (train, test) in enumerate(folds, start=1):
        row = {
            "fold": number,
            "training patients": len(np.unique(dataset.patient_ids[train])),
            "training pictures": len(train),
            "test patients": len(np.unique(dataset.patient_ids[test])),
            "test pictures": len(test),
        }
        counts = np.bincount(dataset.labels[test], minlength=len(dataset.class_names))
        rows.append(
            row | {f"test {name}": count for name, count in zip(dataset.class_names, counts, strict=True)}
        )
    return pd.DataFrame(rows).set_index("fold")


def _fit_and_predict(
    development: LumbarDataset, test: LumbarDataset, *, epochs: int, seed: int
) -> dict[str, np.ndarray]:
    """Train on the development patients and return probabilities for the test rows."""
    inner_train, inner_validation = grouped_folds(development, n_splits=4, seed=seed)[0]
    side = development.images.shape[1]
    keras.utils.set_random_seed(seed)
    network = build_model("cnn", input_shape=(side, side, 1), num_classes=len(development.class_names))
    train, validation = development.subset(inner_train), development.subset(inner_validation)
    fit(network, train, validation, epochs=epochs, augment=SmallChanges(seed=seed), seed=seed, live=False)
    hybrid = CNNSVMClassifier(extractor=network, seed=seed)
    hybrid.fit(train.images, train.labels, validation=(validation.images, validation.labels))
    return {"CNN": predict(network, test), "CNN-SVM": hybrid.predict_proba(test.images)}
