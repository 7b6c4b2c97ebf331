"""Pictures of another kind get no verdict: strangers, and T1; phantoms in T2 do."""

import numpy as np
import pytest

from benchmarks.strangers import strangers
from lumbar_utils import load_dataset
from lumbar_utils.localise import locate, refusal
from lumbar_utils.phantom import render, sample_patient


@pytest.fixture(scope="module")
def refused():
    return {
        kind: [refusal(locate(picture)) for picture in pictures] for kind, pictures in strangers().items()
    }


def test_nineteen_of_twenty_strangers_are_refused(refused):
    assert sum(map(len, refused.values())) == 200
    for kind, reasons in refused.items():
        assert sum(reason is not None for reason in reasons) >= 0.95 * len(reasons), kind


def test_a_column_that_the_localiser_is_unsure_of_is_called_so(refused):
    reasons = [reason for each in refused.values() for reason in each]
    assert any("no lumbar column was found" in reason for reason in reasons)
    assert any("with a mean probability of" in reason for reason in reasons)


@pytest.mark.parametrize("variation", ["narrow", "wide"])
def test_at_most_one_phantom_in_twenty_is_refused(variation):
    images = load_dataset("phantom", n_patients=60, seed=107, variation=variation).images
    assert sum(refusal(locate(image)) is not None for image in images) <= 3


def test_t1_is_refused_for_its_dark_sac_and_t2_of_the_same_patient_is_not():
    for seed in range(5):
        patient = sample_patient(seed)
        assert "sac is darker" in refusal(locate(render(patient, contrast="T1").image))
        location = locate(render(patient).image)
        assert refusal(location) is None
        assert location.confidence > 0.9 and location.sac_contrast > 0.1


def test_nothing_found_has_no_confidence_and_no_contrast():
    location = locate(np.zeros((100, 100), np.uint8))
    assert location.confidence == 0 and np.isnan(location.sac_contrast)
    assert location.to_dict()["sac_contrast"] is None
