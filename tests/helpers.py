"""What several test rooms build their cases from."""

from pathlib import Path

import numpy as np
import pandas as pd

from lumbar_utils import LumbarDataset, LumbarError

ROOT = Path(__file__).resolve().parents[1]


def small_dataset(patients_per_class=6, pictures_per_patient=2, n_classes=2, size=32, seed=0):
    """Random pictures of a few patients; a bright stripe tells the class."""
    rng = np.random.default_rng(seed)
    images, labels, patients = [], [], []
    for label in range(n_classes):
        for patient in range(patients_per_class):
            for _ in range(pictures_per_patient):
                image = rng.integers(0, 120, (size, size)).astype(np.uint8)
                image[:, 4 + 8 * label : 8 + 8 * label] += 100
                images.append(image)
                labels.append(label)
                patients.append(f"class{label}-patient{patient}")
    return LumbarDataset(
        images=np.stack(images),
        labels=np.array(labels),
        class_names=tuple(f"class {label}" for label in range(n_classes)),
        patient_ids=np.array(patients),
        meta=pd.DataFrame({"source_file": [f"{row}.png" for row in range(len(images))]}),
        name="stripes",
    )


def refuse(name, threads=None):
    """Stand for work that fails, in this process or in another."""
    raise LumbarError(f"{name} cannot be done with {threads} thread(s)")
