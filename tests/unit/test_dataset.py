from dataclasses import replace

import numpy as np
import pytest
from helpers import small_dataset

from lumbar_utils import LumbarError


def test_a_subset_keeps_rows_together(dataset):
    part = dataset.subset([5, 0])
    assert np.array_equal(part.images[0], dataset.images[5])
    assert part.patient_ids.tolist() == [dataset.patient_ids[5], dataset.patient_ids[0]]
    assert part.meta["source_file"].tolist() == ["5.png", "0.png"]


def test_a_boolean_mask_picks_rows(dataset):
    assert len(dataset.subset(dataset.labels == 1)) == 12


def test_the_summary_counts_pictures_and_patients(dataset):
    table = dataset.summary()
    assert table.loc["class 0"].tolist() == [12, 6]
    assert table.loc["all"].tolist() == [24, 12]


def test_the_fingerprint_sees_one_grey_level(dataset):
    images = dataset.images.copy()
    images[3, 2, 1] += 1
    assert replace(dataset, images=images).fingerprint() != dataset.fingerprint()
    assert small_dataset().fingerprint() == dataset.fingerprint()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"images": np.zeros((24, 32, 32, 3), np.uint8)}, "wanted .N, height, width."),
        ({"images": np.zeros((0, 32, 32), np.uint8)}, "no picture"),
        ({"images": np.zeros((24, 32, 32), np.float64)}, "float64, wanted uint8"),
        ({"images": np.full((24, 32, 32), np.nan, np.float32)}, r"row 0 \(0.png\) holds values from nan"),
        ({"images": np.full((24, 32, 32), 200, np.float32)}, "wanted 0 to 1"),
        ({"labels": np.full(24, 2)}, r"row 0 \(0.png\) has label 2, wanted 0 to 1"),
        ({"labels": np.zeros(23)}, "labels has 23 rows for 24 images"),
        ({"patient_ids": np.array(["p"] * 23 + [""])}, r"row 23 \(23.png\) has no patient"),
        ({"masks": np.zeros((24, 16, 16), np.uint8)}, "masks have shape"),
    ],
)
def test_a_mistake_is_named_where_it_enters(dataset, change, says):
    with pytest.raises(LumbarError, match=says):
        replace(dataset, **change)
