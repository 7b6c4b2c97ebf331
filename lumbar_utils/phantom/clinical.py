"""Age, sex and complaints of a phantom patient, drawn from published cohorts where they exist."""

import numpy as np

# Means and spreads by class: age (years), share of women, share with leg pain above back pain, neurogenic
# claudication, positive straight-leg raise, Oswestry index, pain scores. Ages: SPORT and Japanese cohorts.
COHORTS = {
    "Healthy": dict(
        age=(38, 13), women=0.50, leg=0.08, claudication=0.01, slr=0.06, odi=(8, 7), vas=(0.8, 1.5)
    ),
    "Herniated Disk": dict(
        age=(42, 11), women=0.42, leg=0.75, claudication=0.08, slr=0.70, odi=(46, 18), vas=(6.8, 5.5)
    ),
    "Spinal Stenosis": dict(
        age=(66, 9), women=0.45, leg=0.65, claudication=0.70, slr=0.15, odi=(42, 16), vas=(6.0, 5.5)
    ),
    "Spondylosis": dict(
        age=(56, 11), women=0.52, leg=0.25, claudication=0.10, slr=0.12, odi=(30, 15), vas=(2.5, 5.5)
    ),
    "Spondylolisthesis": dict(
        age=(62, 10), women=0.65, leg=0.40, claudication=0.35, slr=0.12, odi=(35, 15), vas=(4.0, 5.5)
    ),
    "Disc Degeneration": dict(
        age=(47, 11), women=0.50, leg=0.15, claudication=0.03, slr=0.10, odi=(28, 14), vas=(1.8, 5.5)
    ),
}
MISSING = 0.08  # share of complaints that nobody wrote down


def sample_age(generator: np.random.Generator, phenotype: str) -> float:
    """Return an age in years, between 18 and 90."""
    mean, spread = COHORTS[phenotype]["age"]
    return float(np.clip(generator.normal(mean, spread), 18, 90))


def sample_sex(generator: np.random.Generator, phenotype: str) -> str:
    """Return "F" or "M"."""
    return "F" if generator.random() < COHORTS[phenotype]["women"] else "M"


def sample_complaints(generator: np.random.Generator, phenotype: str) -> dict:
    """Return the complaints; a value that was not recorded is NaN.

    Scores: `odi` 0 to 100, `vas_leg` and `vas_back` 0 to 10; the rest is 0 or 1.
    """
    cohort = COHORTS[phenotype]
    odi_mean, odi_spread = cohort["odi"]
    leg, back = cohort["vas"]
    complaints = {
        "leg_pain_dominant": float(generator.random() < cohort["leg"]),
        "claudication": float(generator.random() < cohort["claudication"]),
        "slr_positive": float(generator.random() < cohort["slr"]),
        "odi": float(np.clip(generator.normal(odi_mean, odi_spread), 0, 100).round()),
        "vas_leg": float(np.clip(generator.normal(leg, 1.8), 0, 10).round(1)),
        "vas_back": float(np.clip(generator.normal(back, 1.8), 0, 10).round(1)),
    }
    lost = generator.random(len(complaints)) < MISSING
    return {
        name: float("nan") if gone else value
        for (name, value), gone in zip(complaints.items(), lost, strict=True)
    }
