"""Labels drawn at random on published disc crops: whatever is predicted beyond chance is a leak.

Half of the 15 patients are called heads, the others tails, and all crops of a patient carry the patient's label. A
support vector machine learns them from features of a course CNN whose weights are random too, so that neither
the network nor the label knows anything of discs. Each score is the accuracy over 20 such draws.
"""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from lumbar_utils import build_model
from lumbar_utils.evaluation.intervals import percentile, resample_patients
from lumbar_utils.splits import grouped_folds
from lumbar_utils.training import features_of

N_DRAWS, N_COMPONENTS = 20, 10
CHANCE = 0.5


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """The matrices are so small that threads only wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def features(discs):
    """(N, 128) of a network that was never trained, so that no fold can have met its test pictures through it."""
    keras.utils.set_random_seed(0)
    return features_of(build_model("cnn", input_shape=(64, 64, 1), num_classes=2), discs)


@pytest.fixture(scope="module")
def draws(discs):
    """The discs under 20 draws of a coin for each patient."""
    patients, patient = np.unique(discs.patient_ids, return_inverse=True)
    halves = np.arange(len(patients)) % 2
    coins = [np.random.default_rng(seed).permutation(halves)[patient] for seed in range(N_DRAWS)]
    return [replace(discs, labels=coin, class_names=("heads", "tails")) for coin in coins]


def support_vectors():
    return make_pipeline(StandardScaler(), SVC(class_weight="balanced"))


def reduction(*, select: bool):
    """Principal components: the first ten, or of the first 50 the ten that go best with the label."""
    if select:
        return make_pipeline(StandardScaler(), PCA(50, random_state=0), SelectKBest(k=N_COMPONENTS))
    return make_pipeline(StandardScaler(), PCA(N_COMPONENTS, random_state=0))


def right_answers(model, x_of_draw, draws, folds_of):
    """(D, N) of 1 and 0: which crops were told rightly in the fold that tests them."""
    return np.stack(
        [
            cross_val_predict(model, x, drawn.labels, cv=folds_of(drawn, seed)) == drawn.labels
            for seed, (x, drawn) in enumerate(zip(x_of_draw, draws, strict=True))
        ]
    ).astype(float)


def by_patient(drawn, seed):
    return grouped_folds(drawn, n_splits=5, seed=seed)


def accuracy(right, discs):
    """Mean of (D, N) with an interval that resamples patients and, crossed with them, draws (Owen 2007).

    Over patients alone it would be too narrow: a single draw of 15 coins lies 0.1 above or below chance by luck alone.
    """
    patients, patient = np.unique(discs.patient_ids, return_inverse=True)
    crops = np.bincount(patient)  # (P,)
    sums = np.stack([np.bincount(patient, weights=row) for row in right])  # (D, P)
    over_patients, over_draws = (
        np.concatenate(list(resample_patients(n, 2000, seed)))  # (2000, n)
        for seed, n in enumerate((len(patients), len(right)))
    )
    drawn = np.sum((over_draws @ sums) * over_patients, axis=1) / (over_patients @ crops) / len(right)
    return percentile(float(right.mean()), drawn, len(patients))


def with_reduction(features, draws, *, select, where):
    """Right answers in folds by patient, with the reduction fitted inside each fold or once on all crops."""
    if where == "inside":
        model = make_pipeline(reduction(select=select), support_vectors())
        return right_answers(model, [features] * len(draws), draws, by_patient)
    reduced = [reduction(select=select).fit_transform(features, drawn.labels) for drawn in draws]
    return right_answers(support_vectors(), reduced, draws, by_patient)


def test_in_folds_by_patient_the_labels_cannot_be_told(discs, features, draws):
    """Measured: 0.48 [0.41, 0.54]; over 150 draws 0.506 with a standard error of 0.009."""
    found = accuracy(right_answers(support_vectors(), [features] * N_DRAWS, draws, by_patient), discs)
    assert found.low < CHANCE < found.high
    assert found.high - found.low < 0.2  # an interval that holds everything would show nothing


def test_with_a_patient_on_both_sides_the_labels_are_told(discs, features, draws):
    """The patient is recognised, not the coin. Measured, split by crop: 0.85 [0.77, 0.91].

    A disc comes in up to three turned copies. With all crops of one source picture and its copies kept together, so
    that only the patient stands on both sides: 0.77 [0.66, 0.84].
    """
    by_crop = lambda drawn, seed: KFold(5, shuffle=True, random_state=seed).split(drawn.images)
    by_source_picture = lambda drawn, seed: GroupKFold(5, shuffle=True, random_state=seed).split(
        drawn.images, groups=drawn.meta["source_picture"]
    )
    crops, pictures = (
        accuracy(right_answers(support_vectors(), [features] * N_DRAWS, draws, folds_of), discs)
        for folds_of in (by_crop, by_source_picture)
    )
    assert crops.low > 0.7 and pictures.low > 0.6
    assert crops.value > pictures.value


def test_components_selected_on_all_patients_leak_into_folds_by_patient(discs, features, draws):
    """Every fold keeps its patients together, and the labels of the test patients still helped to choose.

    Measured: 0.62 [0.56, 0.67] selected outside the folds, 0.47 [0.40, 0.53] inside, 0.15 [0.07, 0.24] apart.
    """
    outside, inside = (
        with_reduction(features, draws, select=True, where=where) for where in ("outside", "inside")
    )
    assert accuracy(outside, discs).low > CHANCE
    assert accuracy(inside, discs).low < CHANCE < accuracy(inside, discs).high
    assert accuracy(outside - inside, discs).low > 0.05


def test_principal_components_of_all_patients_leak_nothing_that_could_be_measured(discs, features, draws):
    """Plain PCA sees no labels, and random labels have nothing to do with its axes: none of them is favoured.

    Measured: 0.47 on all crops and 0.47 inside the folds, 0.004 [-0.026, 0.037] apart. This clears it for random labels
    and so many rows only: with few rows and many features it can bias a score to either side (Moscovich and
    Rosset 2022), and inside the folds it costs nothing.
    """
    outside, inside = (
        with_reduction(features, draws, select=False, where=where) for where in ("outside", "inside")
    )
    gain = accuracy(outside - inside, discs)
    assert accuracy(outside, discs).low < CHANCE < accuracy(outside, discs).high
    assert -0.05 < gain.low <= gain.high < 0.05
