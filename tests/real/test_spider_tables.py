"""The published tables of SPIDER, read as they were published."""

import pytest

from lumbar_utils.sources.spider_tables import read_gradings, read_overview


@pytest.fixture(scope="module")
def tables(real_data):
    return real_data / "spider_tables"


def test_the_overview_lists_every_series(tables):
    overview = read_overview(tables / "overview.csv")
    assert overview["contrast"].value_counts().to_dict() == {"T2": 210, "T1": 196, "T2 SPACE": 41}
    assert overview["patient"].nunique() == 218
    assert overview["subset"].value_counts().to_dict() == {"training": 360, "validation": 87}
    assert set(overview["sex"]) == {"F", "M"}
    assert overview["age_years"].notna().sum() == 119
    assert (overview["age_years"].min(), overview["age_years"].max()) == (14, 84)


def test_every_patient_is_graded_and_the_two_rows_without_a_disc_are_told(tables):
    with pytest.warns(UserWarning, match=r"2 row\(s\) grade an IVD label below 1"):
        gradings = read_gradings(tables / "radiological_gradings.csv")
    assert gradings.shape == (218, 8 * 5)
    assert gradings.notna().to_numpy().all()
    assert gradings.filter(like="pfirrmann").isin(range(1, 6)).to_numpy().all()
    assert gradings.filter(like="herniation").to_numpy().sum() == 70


def test_both_tables_name_the_same_patients(tables):
    overview = read_overview(tables / "overview.csv")
    with pytest.warns(UserWarning):
        gradings = read_gradings(tables / "radiological_gradings.csv")
    assert set(gradings.index) == set(overview["patient"])
