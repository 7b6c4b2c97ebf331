"""Splits in which a patient stands on one side only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from .dataset import LumbarDataset, LumbarError


class Split(NamedTuple):
    """Three datasets that share no patient."""

    train: LumbarDataset
    validation: LumbarDataset
    test: LumbarDataset


def label_of_patients(dataset: LumbarDataset) -> dict[str, int]:
    """Return each patient's commonest label (the lowest one where two are equally common)."""
    return {
        str(patient): int(np.bincount(dataset.labels[dataset.patient_ids == patient]).argmax())
        for patient in np.unique(dataset.patient_ids)
    }


def split_by_patient(
    dataset: LumbarDataset, *, fractions: tuple[float, float, float] = (0.8, 0.1, 0.1), seed: int = 0
) -> Split:
    """Split into training, validation and test sets, patient by patient.

    Each class's patients are shared out by `fractions`, rounded so that no part goes without: a class of three
    patients gives one to each.

    Parameters
    ----------
    fractions : shares of training, validation and test; they add up to 1.
    seed : decides who goes where; the same seed gives the same split.

    Raises
    ------
    LumbarError : fractions that do not add up, or a class with fewer than three patients.
    """
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise LumbarError(
            f"The fractions {fractions} do not make a split; wanted three positive numbers that add up to 1, such as "
            "(0.8, 0.1, 0.1)."
        )
    rng = np.random.default_rng(seed)
    label_of = label_of_patients(dataset)
    part_of: dict[str, int] = {}
    for label in np.unique(list(label_of.values())):
        patients = np.array(sorted(p for p, patient_label in label_of.items() if patient_label == label))
        if len(patients) < 3:
            raise LumbarError(
                f"{dataset.name}: class {dataset.class_names[label]!r} has {len(patients)} patient(s) "
                f"({', '.join(patients)}), wanted at least 3, one for each of training, validation and test; add "
                "patients or leave the class out."
            )
        shares = share_out(len(patients), fractions)
        for patient, part in zip(rng.permutation(patients), np.repeat([0, 1, 2], shares), strict=True):
            part_of[str(patient)] = int(part)
    parts = np.array([part_of[patient] for patient in dataset.patient_ids.tolist()])
    return Split(*(dataset.subset(parts == part) for part in range(3)))


def split_by_picture(
    dataset: LumbarDataset, *, fractions: tuple[float, float, float] = (0.8, 0.1, 0.1), seed: int = 0
) -> Split:
    """Split picture by picture, whoever they show: the leak that `audit` finds, and that lesson 02 measures."""
    order = np.random.default_rng(seed).permutation(len(dataset))
    ends = np.cumsum(share_out(len(dataset), fractions))
    return Split(*(dataset.subset(np.sort(rows)) for rows in np.split(order, ends[:2])))


def share_out(n: int, fractions: tuple[float, ...]) -> np.ndarray:
    """Return whole shares of `n` by largest remainder, each at least 1."""
    exact = np.maximum(np.asarray(fractions) * n, 1.0)
    exact *= n / exact.sum()
    shares = np.maximum(np.floor(exact).astype(int), 1)
    while shares.sum() > n:
        shares[np.argmax(shares)] -= 1
    for part in np.argsort(shares - exact)[: n - shares.sum()]:
        shares[part] += 1
    return shares


def grouped_folds(
    dataset: LumbarDataset, *, n_splits: int = 5, n_repeats: int = 1, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (train, test) rows of folds grouped by patient, classes balanced as far as that allows.

    With `n_repeats` the whole is dealt again with the next seed: `n_splits` times `n_repeats` folds in all.

    Raises
    ------
    LumbarError : a class with fewer than `n_splits` patients.
    """
    for label, name in enumerate(dataset.class_names):
        n_patients = len(np.unique(dataset.patient_ids[dataset.labels == label]))
        if n_patients < n_splits:
            raise LumbarError(
                f"{dataset.name}: class {name!r} has {n_patients} patient(s), wanted at least {n_splits} for "
                f"{n_splits} folds; ask for fewer folds, or add patients."
            )
    folds = []
    for repeat in range(n_repeats):
        dealt = StratifiedGroupKFold(n_splits=n_splits, shuffle=True, random_state=seed + repeat)
        folds += dealt.split(dataset.images, dataset.labels, dataset.patient_ids)
    return folds
