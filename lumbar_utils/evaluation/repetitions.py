"""The area under the ROC curve over repeated folds: the mean over the repetitions, resampled by patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation.comparison import check_same_test_set
from lumbar_utils.evaluation.intervals import Estimate, percentile, resample_patients, separated_auc
from lumbar_utils.evaluation.metrics import weighted_areas
from lumbar_utils.evaluation.predictions import Predictions


def repeated_auc(
    repetitions: Sequence[Predictions], class_name: str, *, n_resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Return the mean AUC of a class over repetitions of the folds, with a bootstrap over patients.

    repetitions : out-of-fold predictions of the same rows in the same order, one for each deal of the folds. A
    resample draws patients and takes them in all repetitions, so repeating narrows the interval only by what chance
    the deal had in it, never as if there were more patients.

    Raises
    ------
    LumbarError : no repetition, other rows, a class that does not occur or is all there is.
    """
    value, resampled, rows = _areas(repetitions, class_name, n_resamples, seed)
    patients = np.unique(repetitions[0].patient_ids)
    if value in (0.0, 1.0):
        groups = [len(np.unique(repetitions[0].patient_ids[part])) for part in (rows, ~rows)]
        return separated_auc(value, *groups, len(patients))
    return percentile(value, resampled, len(patients))


def repeated_auc_difference(
    first: Sequence[Predictions],
    second: Sequence[Predictions],
    class_name: str,
    *,
    n_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Return the mean AUC of the first minus that of the second, paired: both in the same resamples of patients."""
    check_same_test_set(first[0], second[0])
    value_a, areas_a, _ = _areas(first, class_name, n_resamples, seed)
    value_b, areas_b, _ = _areas(second, class_name, n_resamples, seed)
    return percentile(value_a - value_b, areas_a - areas_b, len(np.unique(first[0].patient_ids)))


def _areas(repetitions, class_name, n_resamples, seed) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the mean AUC, its resamples (B,), and which rows have the class (N,)."""
    if not repetitions:
        raise LumbarError("There is no repetition to score; hand in the predictions of one or more.")
    one = repetitions[0]
    for other in repetitions[1:]:
        check_same_test_set(one, other)
    if class_name not in one.class_names:
        raise LumbarError(
            f"{one.model}: there is no class {class_name}, only {', '.join(one.class_names)}; name one of these."
        )
    k = one.class_names.index(class_name)
    positive = one.labels == k
    if positive.all() or not positive.any():
        raise LumbarError(
            f"{one.model}: {positive.sum()} of {len(positive)} rows are labelled {class_name}, and an AUC wants some "
            "with and some without; choose another class or test set."
        )
    patients, patient = np.unique(one.patient_ids, return_inverse=True)
    blocks = [np.ones((1, len(patients))), *resample_patients(len(patients), n_resamples, seed)]
    areas = [
        np.mean(
            [
                weighted_areas(each.probabilities[:, k], positive, weights[:, patient])[0]
                for each in repetitions
            ],
            axis=0,
        )
        for weights in blocks
    ]
    return float(areas[0][0]), np.concatenate(areas[1:]), positive
