import json
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest
from helpers import small_dataset

from lumbar_utils import LumbarDataset, LumbarError, split_by_patient
from lumbar_utils.audit import audit
from lumbar_utils.audit.duplicates import exact_duplicates, near_duplicates
from lumbar_utils.audit.nuisances import nuisance_score, nuisances
from lumbar_utils.phantom import make_dataset


@pytest.fixture(scope="module")
def phantoms():
    return make_dataset(60, seed=5, size=128)


def copied(image, angle=0.0, brightness=1.0, noise=0.0, seed=0):
    """What an augmentation makes of a picture: turned with black corners, scaled, clipped, salted and peppered."""
    side = len(image)
    turn = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle, 1)
    image = np.clip(cv2.warpAffine(image, turn, (side, side)) * brightness, 0, 255).astype(np.uint8)
    rng = np.random.default_rng(seed)
    hit = rng.random(image.shape) < noise
    return np.where(hit, rng.choice([0, 255], image.shape), image).astype(np.uint8)


def with_images(dataset, images):
    return replace(dataset, images=np.stack(images), masks=None)


@pytest.mark.parametrize(
    "change",
    [{"angle": 15}, {"angle": -7.3}, {"brightness": 1.2}, {"brightness": 0.7}, {"noise": 0.02}],
    ids=str,
)
def test_a_changed_copy_is_found_among_other_patients(phantoms, change):
    images = [*phantoms.images, copied(phantoms.images[7], **change)]
    pairs, scores = near_duplicates(np.stack(images))
    assert pairs.tolist() == [[7, 60]] and 0.9 < scores[0] <= 1.0001


def test_two_copies_turned_apart_are_found(phantoms):
    left, right = (
        copied(phantoms.images[3], angle, light, 0.02, seed)
        for angle, light, seed in ((15, 1.15, 1), (-15, 0.8, 2))
    )
    pairs, _ = near_duplicates(np.stack([left, *phantoms.images[10:20], right]))
    assert pairs.tolist() == [[0, 11]]


def test_two_phantom_patients_are_no_duplicates_even_behind_the_same_black_bars(phantoms):
    assert len(near_duplicates(phantoms.images)[0]) == 0
    barred = phantoms.images.copy()
    barred[:, :, :28] = barred[:, :, 100:] = 0
    assert len(near_duplicates(barred)[0]) == 0


def test_equal_and_flat_pictures():
    images = np.zeros((4, 64, 64), np.uint8)
    images[2:] = np.random.default_rng(0).integers(0, 255, (2, 64, 64))
    images[3] = images[2]
    exact = exact_duplicates(images)
    assert exact.tolist() == [[0, 1], [2, 3]]
    assert len(near_duplicates(images, skip=exact)[0]) == 0


def test_a_split_by_row_is_caught_and_one_by_patient_is_not(phantoms):
    twice = phantoms.subset(np.repeat(np.arange(60), 2))
    twice = with_images(
        twice,
        [copied(im, 12 * (i % 2), 1 - 0.2 * (i % 2), 0.02 * (i % 2), i) for i, im in enumerate(twice.images)],
    )
    rows = np.arange(120)
    report = audit(twice, (rows[rows % 2 == 0], rows[rows % 2 == 1]))
    assert not report.ok
    (patients,) = report.of_kind("shared patients")
    assert patients.severity == "error" and patients.numbers == {"shared": 60, "of": 60}
    (copies,) = report.of_kind("near duplicates across")
    assert {(a, b) for a, b in copies.pairs} == {(k, k + 60) for k in range(60)}
    fair = audit(twice, split_by_patient(twice))
    assert not [f for f in fair.findings if f.severity == "error"]


def test_equal_pixels_across_a_split_under_two_names(phantoms):
    images = phantoms.images.copy()
    images[50] = images[4]
    report = audit(with_images(phantoms, images), (np.arange(40), np.arange(40, 60)))
    (found,) = report.of_kind("exact duplicates across")
    assert (
        found.pairs == ((4, 50),)
        and found.rows == (4, 50)
        and "1 of them under two patients" in found.sentence
    )
    assert not report.of_kind("near duplicates across")


def test_duplicates_with_two_labels_and_within_a_patient(dataset):
    images = dataset.images.copy()
    images[1], images[-1] = images[0], images[2]
    report = audit(with_images(dataset, images))
    by_tail = {f.sentence.rpartition(") ")[2].split(";")[0]: f for f in report.of_kind("exact duplicates")}
    assert (
        by_tail["carry two labels"].pairs == ((2, 23),) and by_tail["carry two labels"].severity == "warning"
    )
    assert by_tail["belong to one patient and label"].pairs == ((0, 1),)


def test_source_pictures_on_both_sides_are_found_by_name(dataset):
    meta = dataset.meta.assign(source_picture=[f"scan {row // 2}" for row in range(24)])
    named = replace(dataset, meta=meta)
    (found,) = audit(named, (np.arange(0, 24, 2), np.arange(1, 24, 2))).of_kind("shared source pictures")
    assert found.numbers == {"shared": 12, "of": 12}
    assert not audit(named, (np.arange(12), np.arange(12, 24))).of_kind("shared source pictures")


def test_a_class_of_one_patient_and_a_missing_class():
    dataset = small_dataset(patients_per_class=3, n_classes=3)
    rows = np.flatnonzero((dataset.labels != 2) | (dataset.patient_ids == "class2-patient0"))
    lonely = dataset.subset(rows)
    report = audit(lonely, (np.arange(10), np.arange(10, 14)))
    (single,) = report.of_kind("single patient")
    assert "'class 2' has one patient (class2-patient0, 2 pictures)" in single.sentence
    missing = {f.sentence.split(",")[0] for f in report.of_kind("missing class")}
    assert missing == {"Class 'class 0' is missing from test", "Class 'class 2' is missing from train"}
    assert report.of_kind("nuisances not tested")


def nuisance_dataset(told, n_patients=30, seed=0):
    """Noise pictures of one brightness; `spacing_mm` tells the label or does not, `x_px` never does."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_patients) % 2, 4)
    images = rng.integers(0, 255, (len(labels), 24, 24)).astype(np.uint8)
    spacing = rng.normal(0.6, 0.05, len(labels)) + (0.1 * labels if told else 0)
    meta = pd.DataFrame({"spacing_mm": spacing, "field_strength_t": rng.choice([1.5, 3.0], len(labels))})
    patients = np.repeat([f"P{p}" for p in range(n_patients)], 4)
    return LumbarDataset(images, labels, ("a", "b"), patients, meta, name="noise")


def test_a_header_that_tells_the_label_is_found_and_named():
    report = audit(nuisance_dataset(told=True))
    (found,) = report.of_kind("nuisances")
    assert not report.ok and found.numbers["group"] == "The header"
    assert (
        found.numbers["most"] == "spacing_mm" and found.numbers["auc"] > 0.85 and found.numbers["drop"] > 0.2
    )
    assert found.numbers["low"] < found.numbers["auc"] < found.numbers["high"]


def test_a_header_that_tells_nothing_is_seldom_called_a_leak():
    alarms = 0
    for seed in range(6):
        data = nuisance_dataset(told=False, seed=seed)
        table = nuisances(data)["The header"]
        alarms += nuisance_score(table, data.labels, data.patient_ids)["low"] > 0.5
    assert alarms <= 1


def test_brightness_of_a_class_is_found():
    data = nuisance_dataset(told=False)
    dark = np.where(data.labels[:, None, None] == 1, data.images * 0.8, data.images).astype(np.uint8)
    report = audit(with_images(data, dark))
    assert [f.numbers["group"] for f in report.of_kind("nuisances")] == ["Brightness"]


def test_the_report_as_text_table_and_json(dataset):
    clean = audit(small_dataset(patients_per_class=3))
    assert clean.ok and "Audit of stripes: 12 pictures of 6 patients" in str(clean)
    report = audit(replace(dataset, name="<b>"), (np.arange(0, 24, 2), np.arange(1, 24, 2)))
    assert "x error: 12 of the 12 patients in test stand in train too" in str(report)
    assert "&lt;b&gt;" in report._repr_html_() and "<b>: " not in report._repr_html_()
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["ok"] is False and plain["findings"][0]["severity"] == "error"
    assert plain["findings"][0]["files"][0] == "0.png"


def test_a_split_that_is_none_is_named(dataset):
    with pytest.raises(LumbarError, match=r"names row 24, wanted rows from 0 to 23"):
        audit(dataset, (np.arange(12), np.arange(12, 25)))
    with pytest.raises(LumbarError, match=r"1 part\(s\), wanted at least 2"):
        audit(dataset, (np.arange(12),))
    with pytest.raises(LumbarError, match="wanted one size"):
        audit(dataset, (dataset, small_dataset(size=40)))
