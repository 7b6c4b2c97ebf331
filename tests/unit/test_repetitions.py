"""AUC over repeated folds: repeating adds no patients."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lumbar_utils import LumbarError
from lumbar_utils.evaluation import Predictions
from lumbar_utils.evaluation.repetitions import repeated_auc, repeated_auc_difference


def drawn(seed: int, *, signal: float = 1.0, n_patients: int = 20, each: int = 6) -> Predictions:
    """Predictions of 20 patients with six discs each; labels and patients are the same for every seed."""
    fixed, generator = np.random.default_rng(0), np.random.default_rng(seed)
    labels = fixed.integers(0, 2, n_patients * each)
    score = 1 / (1 + np.exp(-signal * (labels - 0.5) - generator.normal(size=len(labels))))
    return Predictions(
        labels=labels,
        probabilities=np.column_stack([1 - score, score]),
        class_names=("disc", "herniated"),
        patient_ids=np.repeat(np.arange(n_patients), each).astype(str),
        model="drawn",
        dataset="drawn",
        measured_on="phantoms",
    )


def test_the_value_is_the_mean_of_scikit_learns_aucs():
    runs = [drawn(seed) for seed in (1, 2, 3)]
    wanted = np.mean([roc_auc_score(run.labels, run.probabilities[:, 1]) for run in runs])
    assert repeated_auc(runs, "herniated").value == pytest.approx(wanted)


def test_the_same_repetition_five_times_is_no_surer_than_once():
    once, often = (repeated_auc([drawn(1)] * n, "herniated") for n in (1, 5))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert "20 patients" in often.method


def test_a_paired_difference_of_a_model_from_itself_is_nothing():
    runs = [drawn(1), drawn(2)]
    assert repeated_auc_difference(runs, runs, "herniated").value == 0
    better = repeated_auc_difference([drawn(1, signal=4)], [drawn(2, signal=0.5)], "herniated")
    assert better.low > 0


def test_perfect_scores_have_an_interval_that_is_no_point():
    perfect = drawn(1, signal=100)
    estimate = repeated_auc([perfect], "herniated")
    assert estimate.value == 1 and estimate.low < 1


def test_other_rows_and_unknown_classes_are_refused():
    with pytest.raises(LumbarError, match="same test set"):
        repeated_auc([drawn(1), drawn(1, n_patients=19)], "herniated")
    with pytest.raises(LumbarError, match="no class spleen"):
        repeated_auc([drawn(1)], "spleen")
    with pytest.raises(LumbarError, match="no repetition"):
        repeated_auc([], "herniated")
