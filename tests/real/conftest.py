"""The real pictures that more than one file looks at."""

import pytest

from lumbar_utils import load_dataset


@pytest.fixture(scope="session")
def discs(real_data):
    """The published disc crops."""
    return load_dataset(
        "yolo",
        path=real_data / "roboflow_disc_herniation" / "labelled",
        classes=("disc", "herniated"),
        patient_pattern="^[^_]+",
    )
