"""The published disc crops, read as they were published."""

import numpy as np

from lumbar_utils.sources import read_picture
from lumbar_utils.splits import grouped_folds
from lumbar_utils.studies.crossval import cross_validate_networks, things


def test_every_published_box_is_read(discs):
    assert discs.summary()["pictures"].tolist() == [390, 340, 730]
    assert len(np.unique(discs.patient_ids)) == 15
    assert discs.meta["source_picture"].nunique() == 39


def test_the_copies_of_one_disc_agree_on_patient_and_label(discs):
    names = things(discs)
    for name in np.unique(names):
        rows = names == name
        assert len(set(discs.labels[rows])) == 1 and len(set(discs.patient_ids[rows])) == 1
        assert 1 <= rows.sum() <= 3


def test_no_patient_stands_in_training_and_test(discs):
    for train, test in grouped_folds(discs):
        assert not set(discs.patient_ids[train]) & set(discs.patient_ids[test])


def test_every_real_slice_is_read(real_data):
    files = sorted((real_data / "spider_slices" / "images").glob("*.png"))
    assert files
    for file in files:
        assert read_picture(file).std() > 5


def test_cross_validation_predicts_each_disc_once_and_says_how_sure(discs, tmp_path):
    lines = []
    results = cross_validate_networks(discs, n_splits=3, epochs=1, out=tmp_path, log=lines.append)
    n_things = len(np.unique(things(discs)))
    for predictions in results.values():
        assert len(predictions.labels) == n_things
        assert np.allclose(predictions.probabilities.sum(axis=1), 1, atol=1e-4)
    report = "\n".join(lines)
    assert "95% intervals" in report and "test patients" in report and "AUC" in report
    assert {file.name for file in tmp_path.iterdir()} == {
        "cnn.csv",
        "cnn.json",
        "cnn_svm.csv",
        "cnn_svm.json",
    }
