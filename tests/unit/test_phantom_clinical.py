"""The clinical table of the phantom against the cohorts that it is drawn from."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, norm, spearmanr

from lumbar_utils.dataset import PAPER4
from lumbar_utils.phantom import clinical
from lumbar_utils.phantom.anatomy import sample_anatomy
from lumbar_utils.phantom.pathology import sample_levels, severities

N = 1500
# Published or agreed means by class: age and its spread; shares of women, of leg pain above back pain, of
# neurogenic claudication, of a positive straight-leg raise; Oswestry index and its spread; leg and back pain.
TABLE = {
    "Healthy": ((38, 13), 0.50, 0.08, 0.01, 0.06, (8, 7), 0.8, 1.5),
    "Herniated Disk": ((42, 11), 0.42, 0.75, 0.08, 0.70, (46, 18), 6.8, 5.5),
    "Spinal Stenosis": ((66, 9), 0.45, 0.65, 0.70, 0.15, (41.7, 16), 6.0, 5.5),
    "Spondylosis": ((56, 11), 0.52, 0.25, 0.10, 0.12, (30, 15), 2.5, 5.5),
}
VAS_SPREAD = 1.8
# Shares of people without symptoms at 20, 30, 40 and 50 years with the finding on MRI (Brinjikji 2015), and
# how far the phantom may be from them.
INCIDENTAL = {
    "degeneration": ((0.37, 0.52, 0.68, 0.80), 0.08),
    "bulge": ((0.30, 0.40, 0.50, 0.60), 0.10),
    "protrusion": ((0.29, 0.31, 0.33, 0.36), 0.10),
}


@pytest.fixture(scope="module")
def cohorts():
    """Ages, sexes and complaints (column to (N,) array) of N people of each class."""
    tables = {}
    for row, name in enumerate(PAPER4):
        generator = np.random.default_rng([20, row])
        people = [
            {
                "age": clinical.sample_age(generator, name),
                "woman": clinical.sample_sex(generator, name) == "F",
            }
            | clinical.sample_complaints(generator, name)
            for _ in range(N)
        ]
        tables[name] = {key: np.array([person[key] for person in people], float) for key in people[0]}
    return tables


def clipped_mean(mean, spread, low, high):
    """Return the mean of a normal variable whose values beyond `low` and `high` are moved there."""
    quantiles = (np.arange(20000) + 0.5) / 20000
    return np.clip(norm.ppf(quantiles, mean, spread), low, high).mean()


def assert_mean(values, expected):
    """The mean of the recorded values lies within four standard errors of what was expected."""
    seen = values[~np.isnan(values)]
    assert abs(seen.mean() - expected) < 4 * seen.std() / len(seen) ** 0.5


def assert_share(values, expected):
    seen = values[~np.isnan(values)]
    assert abs(seen.mean() - expected) < 4 * (expected * (1 - expected) / len(seen)) ** 0.5


@pytest.mark.parametrize("name", PAPER4)
def test_the_table_has_the_means_and_shares_of_its_cohorts(cohorts, name):
    age, women, leg, claudication, slr, odi, vas_leg, vas_back = TABLE[name]
    people = cohorts[name]
    assert_mean(people["age"], clipped_mean(*age, 18, 90))
    assert_mean(people["odi"], clipped_mean(*odi, 0, 100))
    assert_mean(people["vas_leg"], clipped_mean(vas_leg, VAS_SPREAD, 0, 10))
    assert_mean(people["vas_back"], clipped_mean(vas_back, VAS_SPREAD, 0, 10))
    for column, share in (
        ("woman", women),
        ("leg_pain_dominant", leg),
        ("claudication", claudication),
        ("slr_positive", slr),
    ):
        assert_share(people[column], share)


@pytest.mark.parametrize("name", PAPER4)
def test_clipping_moves_the_means_of_the_table_by_little(name):
    age, *_, odi, vas_leg, vas_back = TABLE[name]
    assert clipped_mean(*age, 18, 90) == pytest.approx(age[0], abs=1.0)
    assert clipped_mean(*odi, 0, 100) == pytest.approx(odi[0], abs=1.0)
    for mean in (vas_leg, vas_back):
        assert clipped_mean(mean, VAS_SPREAD, 0, 10) == pytest.approx(mean, abs=0.4)


def test_every_complaint_is_missing_in_5_to_15_percent_whatever_the_class(cohorts):
    for column in ("leg_pain_dominant", "claudication", "slr_positive", "odi", "vas_leg", "vas_back"):
        lost = np.array([np.isnan(cohorts[name][column]).sum() for name in PAPER4])
        assert np.all((lost > 0.05 * N) & (lost < 0.15 * N))
        assert chi2_contingency([lost, N - lost]).pvalue > 0.001


@pytest.mark.parametrize("name", PAPER4[1:])
def test_the_strength_of_a_finding_says_little_about_the_disability(name):
    generator = np.random.default_rng([21, PAPER4.index(name)])
    strength, odi = [], []
    for _ in range(N):
        age, sex = clinical.sample_age(generator, name), clinical.sample_sex(generator, name)
        levels = sample_levels(generator, age_years=age, sex=sex, size_factor=1.0, phenotype=name)
        strength.append(severities(levels)[name])
        odi.append(clinical.sample_complaints(generator, name)["odi"])
    assert abs(spearmanr(strength, odi, nan_policy="omit").statistic) <= 0.2


def test_incidental_findings_grow_with_age_about_as_in_people_without_symptoms():
    generator = np.random.default_rng(22)
    for column, age in enumerate((20, 30, 40, 50)):
        found = {finding: 0 for finding in INCIDENTAL}
        for _ in range(N // 2):
            sex = clinical.sample_sex(generator, "Healthy")
            size = sample_anatomy(generator, age_years=age, sex=sex).size_factor
            levels = sample_levels(generator, age_years=age, sex=sex, size_factor=size, phenotype="Healthy")
            found["degeneration"] += any(level.pfirrmann >= 3 for level in levels)
            found["bulge"] += any(level.bulge_mm >= 1.2 for level in levels)
            found["protrusion"] += any(level.herniation_mm > 0 for level in levels)
        for finding, (shares, tolerance) in INCIDENTAL.items():
            assert found[finding] / (N // 2) == pytest.approx(shares[column], abs=tolerance)
