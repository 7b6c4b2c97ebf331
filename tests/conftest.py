"""What several test rooms share: a small dataset and the real pictures."""

import os
import signal
from pathlib import Path

import pytest
from helpers import small_dataset

# A shell starts background jobs deaf to Ctrl-C and children inherit it; tests of the stop button need it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def dataset():
    return small_dataset()


@pytest.fixture(scope="session")
def real_data():
    """The folder with real pictures; tests that ask for it are collected only where LUMBAR_REAL_DATA names one."""
    return Path(os.environ["LUMBAR_REAL_DATA"])


def pytest_ignore_collect(collection_path):
    if collection_path.name == "real" and not os.environ.get("LUMBAR_REAL_DATA"):
        return True
    return None
