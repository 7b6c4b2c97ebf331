"""Phantom patients, and datasets of their pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from numbers import Real

import numpy as np
import pandas as pd

from lumbar_utils.dataset import LUMBAR_DISCS, LumbarDataset, LumbarError
from lumbar_utils.phantom import clinical
from lumbar_utils.phantom.anatomy import Anatomy, sample_anatomy
from lumbar_utils.phantom.pathology import (
    SCHEMES,
    SHARES,
    Level,
    derive_label,
    herniation_type,
    sample_levels,
)
from lumbar_utils.phantom.render import render
from lumbar_utils.phantom.version import PHANTOM_VERSION

GRADES = ("pfirrmann", "disc_height_mm", "herniation_mm", "herniation_type", "herniation_offset_mm", "bulge_mm",
          "flavum_mm", "canal_mm", "osteophyte_mm", "modic", "schmorl_mm", "slip_mm")  # fmt: skip
LIMITS = {
    "pfirrmann": (1, 5),
    "disc_height_mm": (2.0, 18.0),
    "herniation_mm": (0.0, 14.0),
    "herniation_offset_mm": (-12.0, 12.0),
    "migration_mm": (-15.0, 15.0),
    "bulge_mm": (0.0, 8.0),
    "flavum_mm": (0.0, 12.0),
    "osteophyte_mm": (0.0, 10.0),
    "modic": (0, 3),
    "schmorl_mm": (0.0, 8.0),
    "slip_mm": (-12.0, 30.0),
    "sac_mm": (5.0, 20.0),
}
MOST_DRAWS = 500


@dataclass(frozen=True)
class Patient:
    """One phantom patient: grades of the five lumbar discs (L5-S1 first), the label they give, complaints."""

    seed: int
    age_years: float
    sex: str
    anatomy: Anatomy
    levels: tuple[Level, ...]
    label: str
    clinical: dict


def sample_patient(
    seed: int,
    *,
    disease: str | None = None,
    age_years: float | None = None,
    sex: str | None = None,
    label_scheme: str = "paper4",
    overrides: dict[str, dict] | None = None,
) -> Patient:
    """Return the patient that this seed gives.

    `disease` asks for a patient whose label is that class; `overrides` sets grades after sampling, as in
    `{"L4-L5": {"herniation_mm": 6.0}}`; the label is then derived anew, as for somebody with symptoms.
    """
    check_patient(seed, disease, age_years, sex, label_scheme)
    generator = np.random.default_rng([int(seed), 0])
    names = SCHEMES[label_scheme]
    for _ in range(MOST_DRAWS):
        phenotype = disease or names[generator.choice(len(names), p=SHARES[label_scheme])]
        age = clinical.sample_age(generator, phenotype) if age_years is None else float(age_years)
        who = clinical.sample_sex(generator, phenotype) if sex is None else sex
        anatomy = sample_anatomy(generator, age_years=age, sex=who)
        levels = sample_levels(
            generator, age_years=age, sex=who, size_factor=anatomy.size_factor, phenotype=phenotype
        )
        symptomatic = phenotype != "Healthy"
        label = derive_label(levels, symptomatic, label_scheme)
        complaints = clinical.sample_complaints(generator, phenotype)
        if disease is None or label == disease:
            break
    else:
        age_asked = "any age" if age_years is None else f"{age_years:g} years"
        raise LumbarError(
            f"no patient of {age_asked} with {disease!r} came out of {MOST_DRAWS} draws, wanted one; "
            "set the grades with overrides, or leave the age open."
        )
    if overrides:
        levels = override(levels, overrides)
        label = derive_label(levels, True, label_scheme)
    return Patient(int(seed), round(age, 1), who, anatomy, levels, label, complaints)


def override(levels: tuple[Level, ...], overrides: dict[str, dict]) -> tuple[Level, ...]:
    """Return the levels with some grades set by hand, checked against `LIMITS`."""
    changed = list(levels)
    for name, grades in overrides.items():
        if name not in LUMBAR_DISCS:
            raise LumbarError(
                f"overrides name the level {name!r}, wanted one of {', '.join(LUMBAR_DISCS)}; check it."
            )
        for grade, value in grades.items():
            if grade not in LIMITS:
                raise LumbarError(
                    f"overrides set {grade!r} of {name}, wanted one of {', '.join(LIMITS)}; check it."
                )
            low, high = LIMITS[grade]
            if not (isinstance(value, Real) and low <= value <= high):
                raise LumbarError(
                    f"overrides set {grade} of {name} to {value!r}, wanted {low} to {high}; choose a value in between."
                )
        row = LUMBAR_DISCS.index(name)
        whole = {grade: round(value) for grade, value in grades.items() if grade in ("pfirrmann", "modic")}
        level = replace(changed[row], **(grades | whole))
        if "herniation_mm" in grades:
            kind = herniation_type(level.herniation_mm, 0.5)
            migration = level.migration_mm if kind != "protrusion" else 0.0
            level = replace(level, herniation_type=kind, migration_mm=migration)
            if (
                level.herniation_mm
                and "herniation_offset_mm" not in grades
                and not changed[row].herniation_mm
            ):
                level = replace(level, herniation_offset_mm=0.0)
        changed[row] = level
    return tuple(changed)


def check_patient(seed, disease, age_years, sex, label_scheme) -> None:
    """Raise `LumbarError` for a patient who cannot be sampled."""
    if label_scheme not in SCHEMES:
        raise LumbarError(
            f"label_scheme is {label_scheme!r}, wanted {' or '.join(SCHEMES)}; choose one of the two."
        )
    if disease is not None and disease not in SCHEMES[label_scheme]:
        raise LumbarError(
            f"disease is {disease!r}, wanted one of {', '.join(SCHEMES[label_scheme])}; check its spelling."
        )
    if int(seed) < 0:
        raise LumbarError(f"seed is {seed}, wanted 0 or a larger whole number; choose another.")
    if age_years is not None and not 18 <= age_years <= 95:
        raise LumbarError(f"age_years is {age_years:g}, wanted 18 to 95; the phantom knows adults only.")
    if sex not in (None, "F", "M"):
        raise LumbarError(f'sex is {sex!r}, wanted "F", "M" or None; choose one of them.')


def make_dataset(
    n_patients: int,
    *,
    seed: int = 0,
    size: int = 224,
    label_scheme: str = "paper4",
    variation: str = "narrow",
    view: str = "sagittal",
    contrast: str = "T2",
    offset_mm: float = 0.0,
) -> LumbarDataset:
    """Return pictures of `n_patients` patients with label maps: by default one sagittal T2 midline slice of each.

    The axial view gives five slices of each patient, one a disc, L5-S1 first; "level" in `meta` says which. The
    label is always the patient's. The same seed gives the same patients in every view and contrast, and the first
    ones stay the same when more are asked for. The other parameters are those of `sample_patient` and `render`.
    """
    if n_patients < 1:
        raise LumbarError(f"n_patients is {n_patients}, wanted 1 or more; ask for at least one.")
    check_patient(seed, None, None, None, label_scheme)
    places = [{"level": name} for name in LUMBAR_DISCS] if view == "axial" else [{}]
    images = np.empty((n_patients * len(places), size, size), np.uint8)
    masks = np.empty_like(images)
    names, labels, rows = SCHEMES[label_scheme], [], []
    for patient_seed in np.random.SeedSequence(seed).generate_state(n_patients):
        patient = sample_patient(int(patient_seed), label_scheme=label_scheme)
        for place in places:
            picture = render(
                patient,
                view=view,
                contrast=contrast,
                offset_mm=offset_mm,
                size=size,
                variation=variation,
                **place,
            )
            images[len(rows)], masks[len(rows)] = picture.image, picture.mask
            labels.append(names.index(patient.label))
            what = {"view": view, "contrast": contrast, "offset_mm": offset_mm, **place}
            rows.append(what | {"spacing_mm": picture.spacing_mm, "source_file": "phantom"} | row_of(patient))
    return LumbarDataset(
        images,
        np.array(labels),
        names,
        np.repeat([f"P{k:06d}" for k in range(n_patients)], len(places)),
        pd.DataFrame(rows),
        masks,
        name=f"phantom {PHANTOM_VERSION} (seed {seed})",
        licence="BSD-3-Clause",
        citation=f"Lumbar spine phantom {PHANTOM_VERSION}; drawn pictures, no patient stands behind them.",
    )


def row_of(patient: Patient) -> dict:
    """Return the columns of `LumbarDataset.meta` that belong to the patient."""
    row = {
        "patient_seed": patient.seed,
        "age_years": patient.age_years,
        "sex": patient.sex,
    } | patient.clinical
    for level in patient.levels:
        values = asdict(level) | {"canal_mm": level.canal_mm}
        row |= {f"{grade}_{level.name}": values[grade] for grade in GRADES}
    return row
