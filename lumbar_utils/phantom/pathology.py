"""Grades of each disc level, how they are sampled from age and phenotype, and the rule that turns them into a label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumbar_utils.dataset import LUMBAR_DISCS, PAPER4

EXTENDED6 = (*PAPER4, "Spondylolisthesis", "Disc Degeneration")
SCHEMES = {"paper4": PAPER4, "extended6": EXTENDED6}
SHARES = {"paper4": (0.22, 0.25, 0.29, 0.24), "extended6": (0.22, 0.20, 0.17, 0.17, 0.12, 0.12)}

NORMAL_HEIGHT_MM = (11.1, 12.0, 10.6, 9.3, 7.9)  # middle of the disc, L5-S1 first (Nepalese cohort)
NORMAL_FLAVUM_MM = 4.0  # up to here the ligament lies behind the dural sac and presses on nothing
EPIDURAL_GAP_MM = (2.6, 1.4, 1.0, 1.0, 1.0)  # from the disc's posterior margin to the dural sac
LEVEL_WEAR = np.array([0.45, 0.50, 0.10, -0.10, -0.20])  # the two lowest discs wear first


@dataclass(frozen=True)
class Level:
    """Grades of one disc and its neighbours.

    `herniation_mm`, `bulge_mm`: how far the disc stands behind the line that joins the posterior corners
    of its two bodies, the herniation at its own plane `herniation_offset_mm` beside the midline (right is
    positive). `schmorl_mm`: how deep the disc reaches into a body. `sac_mm`: AP diameter of the dural sac
    before anything presses on it. Modic 0 is none.
    """

    name: str
    pfirrmann: int
    disc_height_mm: float
    herniation_mm: float
    herniation_type: str
    herniation_offset_mm: float
    migration_mm: float
    bulge_mm: float
    flavum_mm: float
    osteophyte_mm: float
    modic: int
    schmorl_mm: float
    slip_mm: float
    sac_mm: float

    @property
    def gap_mm(self) -> float:
        """Space between the disc's posterior margin and the dural sac."""
        return EPIDURAL_GAP_MM[LUMBAR_DISCS.index(self.name)]

    @property
    def canal_mm(self) -> float:
        """AP diameter of the sac between bulge and ligamentum flavum; a herniation is not counted."""
        front = max(0.0, self.bulge_mm - self.gap_mm)
        back = max(0.0, self.flavum_mm - NORMAL_FLAVUM_MM)
        return max(1.0, self.sac_mm - front - back)


def severities(levels: tuple[Level, ...]) -> dict[str, float]:
    """Return how strong each finding is; 1 is where it would be called a disease in somebody with symptoms.

    Herniation: the deepest one over 4.5 mm. Stenosis: 1 at a sac of 10 mm at its narrowest level, 2 mm less
    adds 1 (bulge and ligament counted, a herniation not). Spondylosis: the osteophytes of all levels together
    over 10 mm. Spondylolisthesis: the largest slip over 5 mm. Disc degeneration: .45 times the number of levels
    of Pfirrmann IV or V.
    """
    worn = sum(level.pfirrmann >= 4 for level in levels)
    return {
        "Herniated Disk": max(level.herniation_mm for level in levels) / 4.5,
        "Spinal Stenosis": max(0.0, 1 + (10.0 - min(level.canal_mm for level in levels)) / 2.0),
        "Spondylosis": sum(level.osteophyte_mm for level in levels) / 10.0,
        "Spondylolisthesis": max(abs(level.slip_mm) for level in levels) / 5.0,
        "Disc Degeneration": 0.45 * worn,
    }


def derive_label(levels: tuple[Level, ...], symptomatic: bool, label_scheme: str = "paper4") -> str:
    """Return the class: the strongest finding of somebody with symptoms, where any reaches .8; else "Healthy".

    A finding without symptoms is incidental, whatever its size.
    """
    if not symptomatic:
        return "Healthy"
    strength = {name: value for name, value in severities(levels).items() if name in SCHEMES[label_scheme]}
    leading = max(strength, key=strength.get)
    return leading if strength[leading] >= 0.8 else "Healthy"


def sample_levels(
    generator: np.random.Generator, *, age_years: float, sex: str, size_factor: float, phenotype: str
) -> tuple[Level, ...]:
    """Return the grades of the five lumbar discs, L5-S1 first.

    Wear follows age (prevalences in people without symptoms: Brinjikji 2015); the phenotype adds what brings
    somebody to the clinic. Every phenotype can carry the findings of every other.
    """
    extra_wear = {
        "Spondylosis": 0.95,
        "Disc Degeneration": 0.9,
        "Herniated Disk": 0.25,
        "Spinal Stenosis": 0.1,
    }
    wear = (
        1.47 + 0.023 * (age_years - 20) + LEVEL_WEAR + generator.normal(0, 0.5) + generator.normal(0, 0.5, 5)
    )
    wear += extra_wear.get(phenotype, 0.0) * generator.uniform(0.4, 1.3)

    sac = np.array([13.2, 13.4, 13.8, 14.4, 15.0]) * (1 + 0.5 * (size_factor - 1))
    sac += generator.normal(0, 0.9) + generator.normal(0, 0.5, 5)
    flavum = generator.normal(3.3 + 0.014 * (age_years - 40), 0.55, 5)
    herniation, offset = np.zeros(5), np.zeros(5)
    old = (age_years - 20) / 60

    bulging = generator.random(5) < 0.06 + 0.16 * old + 0.10 * (wear > 2.5)
    bulge = np.where(bulging, generator.uniform(1.2, 3.4, 5), generator.uniform(0, 0.6, 5))
    if generator.random() < 0.27 + 0.12 * old:  # incidental protrusion
        where = generator.choice(5, p=(0.38, 0.40, 0.15, 0.05, 0.02))
        herniation[where] = generator.uniform(2.2, 5.0)

    spur = np.clip(
        generator.normal(0.2 + 2.4 * old, 1.0) + generator.normal(0, 0.9, 5) + 0.5 * (wear - 2.5), 0, 8
    )
    slip = np.zeros(5)
    if generator.random() < np.clip(0.03 + 0.22 * old**1.5, 0.02, 0.35) * (1.25 if sex == "F" else 0.85):
        slip[generator.choice(5, p=(0.2, 0.6, 0.2, 0, 0))] = generator.uniform(1.5, 5.5)

    if phenotype == "Herniated Disk":
        count = 2 if generator.random() < 0.12 else 1
        for where in generator.choice(5, count, replace=False, p=(0.43, 0.45, 0.07, 0.03, 0.02)):
            herniation[where] = np.clip(generator.normal(6.5, 1.7), 3.6, 12)
            wear[where] += 0.6
    elif phenotype == "Spinal Stenosis":
        sac -= np.clip(generator.normal(1.5, 0.8), -0.5, 3.2)
        count = generator.choice((1, 2, 3), p=(0.25, 0.45, 0.3))
        for where in generator.choice(5, count, replace=False, p=(0.14, 0.40, 0.28, 0.13, 0.05)):
            flavum[where] += np.clip(generator.normal(1.8, 0.7), 0, 4.0)
            bulge[where] = max(bulge[where], EPIDURAL_GAP_MM[where] + generator.uniform(0, 2.4))
    elif phenotype == "Spondylosis":
        spur += np.clip(generator.normal(2.0, 0.9), 0, 4) * (generator.random(5) < 0.75)
    elif phenotype == "Spondylolisthesis":
        slip[generator.choice(5, p=(0.25, 0.6, 0.15, 0, 0))] = generator.uniform(3.5, 11)

    pfirrmann = np.clip(np.round(wear), 1, 5).astype(int)
    loss = np.array([0.0, 0.0, 0.03, 0.10, 0.26, 0.50])[pfirrmann] + generator.normal(0, 0.05, 5)
    height = np.array(NORMAL_HEIGHT_MM) * size_factor * (1 - np.clip(loss, -0.08, 0.72))
    spur = np.where((pfirrmann <= 2) | (spur < 1.2), np.where(spur > 3, 1.5, 0.0), np.minimum(spur, 8.0))
    modic_risk = np.where(
        pfirrmann >= 4, 0.10 + 0.22 * (phenotype in ("Spondylosis", "Disc Degeneration")), 0.01
    )
    modic = np.where(generator.random(5) < modic_risk, generator.choice((1, 2, 3), 5, p=(0.3, 0.6, 0.1)), 0)

    worn_out = phenotype in ("Spondylosis", "Disc Degeneration")
    schmorl_risk = 0.05 + 0.10 * worn_out + 0.04 * (pfirrmann >= 4)
    schmorl = np.where(generator.random(5) < schmorl_risk, generator.uniform(1.5, 4.5, 5), 0.0)

    central = generator.random(5) < 0.40
    side = generator.choice((-1.0, 1.0), 5)
    offset = np.where(central, generator.normal(0, 1.0, 5), side * generator.uniform(3.5, 9.0, 5))
    kind_draw, migration = (
        generator.random(5),
        generator.uniform(0.15, 1.0, 5) * generator.choice((-1, -1, 1), 5),
    )
    levels = []
    for k, name in enumerate(LUMBAR_DISCS):
        kind = herniation_type(herniation[k], kind_draw[k])
        levels.append(
            Level(
                name=name,
                pfirrmann=int(pfirrmann[k]),
                disc_height_mm=round(float(height[k]), 2),
                herniation_mm=round(float(herniation[k]), 2),
                herniation_type=kind,
                herniation_offset_mm=round(float(offset[k]), 2) if herniation[k] else 0.0,
                migration_mm=round(float(migration[k] * 9), 2)
                if kind in ("extrusion", "sequestration")
                else 0.0,
                bulge_mm=round(float(bulge[k]), 2),
                flavum_mm=round(float(np.clip(flavum[k], 2.0, 9.0)), 2),
                osteophyte_mm=round(float(spur[k]), 2),
                modic=int(modic[k]),
                schmorl_mm=round(float(schmorl[k]), 2),
                slip_mm=round(float(slip[k]), 2),
                sac_mm=round(float(np.clip(sac[k], 8.0, 19.0)), 2),
            )
        )
    return tuple(levels)


def herniation_type(herniation_mm: float, draw: float) -> str:
    """Return the type of a herniation of this depth; `draw`, uniform in [0, 1), decides between the shapes."""
    if herniation_mm <= 0:
        return "none"
    if herniation_mm < 4.5 or draw < 0.35:
        return "protrusion"
    return "sequestration" if herniation_mm > 6 and draw > 0.93 else "extrusion"
