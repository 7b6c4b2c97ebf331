"""The audit on published pictures whose copies and patients the file names tell."""

import numpy as np
import pandas as pd
import pytest

from lumbar_utils import LumbarDataset, load_dataset, split_by_patient
from lumbar_utils.audit import audit
from lumbar_utils.audit.duplicates import near_duplicates
from lumbar_utils.sources import read_picture

TUNED_UP_TO = 23  # the threshold was chosen on patients up to this number


def source_of(name):
    return name.partition(".rf.")[0]


@pytest.fixture(scope="module")
def pictures(real_data):
    """All 337 whole pictures; the label is not known for most, so halves of the patients stand in for classes."""
    files = sorted((real_data / "roboflow_disc_herniation").glob("*/images/*.jpg"))
    patients = np.array([file.name.partition("_")[0] for file in files])
    return LumbarDataset(
        images=np.stack([read_picture(file) for file in files]),
        labels=patients.astype(int) % 2,
        class_names=("even", "odd"),
        patient_ids=patients,
        meta=pd.DataFrame({"source_file": [file.name for file in files]}),
        name="disc herniation",
    )


def test_copies_are_found_and_no_two_patients_are_taken_for_one(pictures):
    sources = np.array([source_of(name) for name in pictures.meta["source_file"]])
    patients = pictures.patient_ids
    a, b = near_duplicates(pictures.images)[0].T
    held_out = patients.astype(int) > TUNED_UP_TO
    for rows, n_pairs in ((~held_out, 96), (held_out, 237)):
        true = np.triu((sources[:, None] == sources) & rows[:, None] & rows, 1).sum()
        assert true == n_pairs
        found = np.sum((sources[a] == sources[b]) & rows[a])
        assert found >= 0.97 * true  # measured: all of them
    assert np.sum(patients[a] != patients[b]) == 0  # of 54,687 pairs
    assert np.sum(sources[a] != sources[b]) <= 40  # measured: 24, neighbouring slices of one patient


def test_a_split_by_picture_is_caught_and_one_by_patient_is_not(pictures):
    labelled = pictures.subset(pictures.patient_ids.astype(int) > TUNED_UP_TO)
    order = np.random.default_rng(0).permutation(len(labelled))
    parts = np.split(order, [int(0.8 * len(order)), int(0.9 * len(order))])
    report = audit(labelled, parts)
    assert not report.ok
    sources = np.array([source_of(name) for name in labelled.meta["source_file"]])[np.concatenate(parts)]
    part = np.repeat([0, 1, 2], [len(p) for p in parts])
    across = np.triu((sources[:, None] == sources) & (part[:, None] != part), 1)
    found = {pair for f in report.of_kind("near duplicates across") for pair in f.pairs}
    true = set(zip(*(rows.tolist() for rows in np.nonzero(across)), strict=True))
    assert len(true) > 50 and len(found & true) >= 0.97 * len(true)
    assert len(report.of_kind("shared patients")) == 3

    fair = audit(labelled, split_by_patient(labelled))
    assert not [f for f in fair.findings if f.severity == "error"]


def test_the_box_alone_tells_herniation(real_data):
    discs = load_dataset(
        "yolo",
        path=real_data / "roboflow_disc_herniation" / "labelled",
        classes=("disc", "herniated"),
        patient_pattern="^[^_]+",
    )
    report = audit(discs)
    (box,) = [f for f in report.of_kind("nuisances") if f.numbers["group"] == "Position and size of the box"]
    assert box.severity == "warning" and 0.70 < box.numbers["auc"] < 0.85 and box.numbers["low"] > 0.6
    assert box.numbers["most"] == "y_px"
    assert not [f for f in report.findings if "two patients" in f.sentence]
