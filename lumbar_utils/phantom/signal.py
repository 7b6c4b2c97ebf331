"""Tissue constants and the spin-echo equation that turns them into grey levels."""

import numpy as np

# T1 ms, T2 ms, proton density %. Measured values (synthetic MRI, PMC7410772; discs by Pfirrmann grade
# from T2 mapping); fat has the longer apparent T2 of fast spin echo. Marrow is water and fat, mixed below.
TISSUES = {
    "csf": (4273.0, 1578.0, 107.5),
    "cord": (780.0, 102.0, 58.7),
    "fat": (382.0, 115.0, 100.0),
    "marrow_water": (800.0, 82.0, 80.0),
    "muscle_water": (898.0, 29.0, 80.0),
    "bowel": (900.0, 60.0, 80.0),
    "fluid": (3000.0, 600.0, 100.0),
    "flavum": (700.0, 38.0, 60.0),
    "cortex": (500.0, 8.0, 20.0),
    "blood_void": (1500.0, 20.0, 60.0),
    "edema": (1100.0, 105.0, 90.0),
    "extruded": (900.0, 62.0, 62.0),
}
NUCLEUS = {
    1: (1165.0, 210.0, 85.0),
    2: (1165.0, 129.0, 79.0),
    3: (900.0, 84.0, 70.0),
    4: (600.0, 51.0, 48.0),
    5: (554.0, 38.0, 47.6),
}
ANNULUS = {
    1: (800.0, 60.0, 60.0),
    2: (780.0, 58.0, 58.0),
    3: (720.0, 54.0, 56.0),
    4: (600.0, 46.0, 50.0),
    5: (554.0, 40.0, 47.6),
}
SEQUENCES = {"T2": (3500.0, 100.0), "T1": (550.0, 10.0)}  # repetition and echo time, ms


def spin_echo(tissue: tuple[float, float, float], contrast: str) -> float:
    """Return PD (1 - exp(-TR/T1)) exp(-TE/T2), in the units of the proton density."""
    t1, t2, density = tissue
    repetition, echo = SEQUENCES[contrast]
    return float(density * (1.0 - np.exp(-repetition / t1)) * np.exp(-echo / t2))


def signals(contrast: str, *, marrow_fat: float = 0.4, muscle_fat: float = 0.1) -> dict:
    """Return the signal of every tissue, CSF = 1 on T2 and fat = 1 on T1.

    `marrow_fat` and `muscle_fat` are fat fractions between 0 and 1. The keys are those of `TISSUES`,
    "marrow", "muscle", and ("nucleus", grade) and ("annulus", grade) for the Pfirrmann grades 1 to 5.
    """
    unit = spin_echo(TISSUES["csf" if contrast == "T2" else "fat"], contrast)
    table = {name: spin_echo(tissue, contrast) / unit for name, tissue in TISSUES.items()}
    for part, grades in (("nucleus", NUCLEUS), ("annulus", ANNULUS)):
        table |= {(part, grade): spin_echo(tissue, contrast) / unit for grade, tissue in grades.items()}
    table["marrow"] = (1 - marrow_fat) * table["marrow_water"] + marrow_fat * table["fat"]
    table["muscle"] = (1 - muscle_fat) * table["muscle_water"] + muscle_fat * table["fat"]
    return table
