import numpy as np
import pytest
from helpers import small_dataset

from lumbar_utils import LumbarError, split_by_patient
from lumbar_utils.splits import grouped_folds, share_out, split_by_picture


def test_no_patient_stands_in_two_parts():
    split = split_by_patient(small_dataset(patients_per_class=30, n_classes=3))
    patients = [set(part.patient_ids) for part in split]
    assert not patients[0] & patients[1] and not patients[0] & patients[2] and not patients[1] & patients[2]
    assert len(set.union(*patients)) == 90


def test_the_parts_are_80_10_10_in_each_class():
    split = split_by_patient(small_dataset(patients_per_class=30, n_classes=3))
    assert [part.summary()["patients"].tolist() for part in split] == [
        [24] * 3 + [72],
        [3] * 3 + [9],
        [3] * 3 + [9],
    ]


def test_a_class_of_three_patients_is_in_every_part():
    split = split_by_patient(small_dataset(patients_per_class=3))
    assert [len(set(part.patient_ids)) for part in split] == [2, 2, 2]
    assert all(set(part.labels) == {0, 1} for part in split)


def test_the_seed_decides():
    dataset = small_dataset(patients_per_class=20)
    again = [split_by_patient(dataset, seed=seed).test.patient_ids.tolist() for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]


def test_a_class_with_one_patient_is_named():
    dataset = small_dataset(patients_per_class=3)
    lonely = dataset.subset((dataset.labels == 0) | (dataset.patient_ids == "class1-patient0"))
    with pytest.raises(
        LumbarError, match=r"'class 1' has 1 patient\(s\) \(class1-patient0\), wanted at least 3"
    ):
        split_by_patient(lonely)
    with pytest.raises(LumbarError, match="'class 1' has 1 patient"):
        grouped_folds(lonely, n_splits=2)


def test_fractions_must_add_up(dataset):
    with pytest.raises(LumbarError, match="add up to 1"):
        split_by_patient(dataset, fractions=(0.8, 0.1, 0.2))


@pytest.mark.parametrize("n", range(3, 60))
def test_shares_are_whole_and_leave_nobody_out(n):
    shares = share_out(n, (0.8, 0.1, 0.1))
    assert shares.sum() == n and shares.min() >= 1
    assert np.all(np.abs(shares - n * np.array([0.8, 0.1, 0.1])) < 2)


def test_folds_keep_a_patient_together_and_test_everybody_once():
    dataset = small_dataset(patients_per_class=10)
    folds = grouped_folds(dataset, n_splits=5)
    assert np.array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(len(dataset)))
    for train, test in folds:
        assert not set(dataset.patient_ids[train]) & set(dataset.patient_ids[test])


def test_repeats_deal_the_patients_anew():
    dataset = small_dataset(patients_per_class=10)
    folds = grouped_folds(dataset, n_splits=5, n_repeats=3)
    assert len(folds) == 15
    tested = [frozenset(dataset.patient_ids[test]) for _, test in folds]
    assert len(set(tested)) > 5
    for repeat in range(3):
        rows = np.concatenate([test for _, test in folds[5 * repeat : 5 * repeat + 5]])
        assert np.array_equal(np.sort(rows), np.arange(len(dataset)))


def test_a_split_by_picture_uses_each_once_and_shares_patients():
    split = split_by_picture(small_dataset(patients_per_class=20, pictures_per_patient=4))
    files = np.concatenate([part.meta["source_file"] for part in split])
    assert [len(part) for part in split] == [128, 16, 16] and len(set(files)) == 160
    assert set(split.train.patient_ids) & set(split.test.patient_ids)
