"""One midline slice tells much, and not everything."""

import numpy as np
import pytest

from lumbar_utils.dataset import LUMBAR_DISCS, LumbarError
from lumbar_utils.phantom import make_dataset, render, sample_patient
from lumbar_utils.studies.ceiling import measure_slice, measurements, predict_ceiling


def test_what_is_reachable_from_one_midline_slice_lies_between_75_and_95_percent():
    train, test = make_dataset(700, seed=11), make_dataset(400, seed=12)
    predictions = predict_ceiling(train, test)
    accuracy = np.mean(predictions.predicted == test.labels)
    assert 0.75 < accuracy < 0.95


def test_a_ruler_finds_what_was_sampled():
    quiet = {
        name: {"herniation_mm": 0.0, "bulge_mm": 0.0, "flavum_mm": 3.5, "slip_mm": 0.0}
        for name in LUMBAR_DISCS
    }
    wide, narrow = (
        render(sample_patient(3, overrides=quiet | {"L3-L4": quiet["L3-L4"] | {"sac_mm": sac}}))
        for sac in (15.0, 9.0)
    )
    found = [measure_slice(p.image, p.mask, p.spacing_mm) for p in (wide, narrow)]
    assert found[0]["narrowest sac L3-L4"] - found[1]["narrowest sac L3-L4"] == pytest.approx(6.0, abs=1.5)
    assert found[0]["herniation"] == 0


def test_a_dataset_without_masks_is_refused():
    dataset = make_dataset(2, size=64)
    object.__setattr__(dataset, "masks", None)
    with pytest.raises(LumbarError, match="no masks"):
        measurements(dataset)
