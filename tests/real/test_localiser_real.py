"""The localiser, trained on phantoms alone, on published real slices; floors that a broken one falls through."""

import json

import pytest
from helpers import ROOT

from benchmarks.localiser import measure


@pytest.fixture(scope="module")
def found(real_data):
    return measure(real_data)


def test_bodies_near_the_midline_are_found_and_numbered(found):
    assert found["bodies"] == 33
    assert found["bodies_found"]["value"] > 0.9 and found["levels_right"]["value"] > 0.6
    assert found["body_dice"]["value"] > 0.85 and found["false_bodies"] <= 2


def test_beside_the_midline_most_bodies_are_found(found):
    assert found["parasagittal"]["bodies_found"]["value"] > 0.5


def test_published_disc_centres_lie_on_discs_and_the_middle_of_a_body_does_not(found):
    assert found["boxes"] + found["tuning"]["boxes"] == 730
    for part in (found, found["tuning"]):
        assert part["box_centres_on_a_disc"]["value"] > 0.9 and part["boxes_with_a_disc"]["value"] > 0.9
        assert part["half_a_level_away_on_a_disc"]["value"] < 0.1
        assert part["box_centres_on_a_disc"]["low"] < part["box_centres_on_a_disc"]["value"]


def test_the_stored_figures_are_those_of_the_shipped_localiser(found):
    stored = json.loads((ROOT / "results" / "localiser" / "real_slices.json").read_text())
    assert stored["checkpoint"] == found["checkpoint"]
    for ours, theirs in zip(
        found["slices"] + found["pictures"], stored["slices"] + stored["pictures"], strict=True
    ):
        assert {key: value for key, value in ours.items() if key != "dice"} == {
            key: value for key, value in theirs.items() if key != "dice"
        }
    assert found["body_dice"]["value"] == pytest.approx(stored["body_dice"]["value"], abs=0.002)
