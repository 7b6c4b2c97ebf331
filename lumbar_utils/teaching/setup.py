"""The first cell of every lesson, and the one place where `LUMBAR_FAST` matters."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import lumbar_utils
from lumbar_utils.dataset import LumbarError
from lumbar_utils.quiet import native_stderr_silenced

FAST_EPOCHS, FAST_PATIENTS = 1, 60


class CourseSize(NamedTuple):
    """How long a lesson trains and on how many patients; a field that was not asked for is None."""

    epochs: int | None
    patients: int | None


def is_fast() -> bool:
    """Return whether `LUMBAR_FAST=1` asks for a quick run of the lessons, whose scores mean nothing."""
    return os.environ.get("LUMBAR_FAST") == "1"


def course_size(*, epochs: int | None = None, patients: int | None = None) -> CourseSize:
    """Return the numbers given, or tiny ones under `LUMBAR_FAST=1`: at most 1 epoch and 60 patients."""
    for name, number in (("epochs", epochs), ("patients", patients)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            raise LumbarError(f"course_size: {name} is {number!r}, wanted a whole number from 1 up.")
    if not is_fast():
        return CourseSize(epochs, patients)
    return CourseSize(
        None if epochs is None else min(epochs, FAST_EPOCHS),
        None if patients is None else min(patients, FAST_PATIENTS),
    )


def set_up(*, keras: bool = False) -> None:
    """Prepare a notebook: backend, quiet TensorFlow, figure style; on Colab install what is missing.

    Prints one line. Imports TensorFlow and Keras only where the lesson asks for `keras`, and then without the
    notices that TensorFlow writes before it reads its own settings.
    """
    on_colab = "google.colab" in sys.modules
    if on_colab:
        install_missing()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not on_colab:
        # the default in Lab also writes 5 MB of plotly.js into the notebook
        os.environ.setdefault("PLOTLY_RENDERER", "plotly_mimetype")
    import plotly.io

    from lumbar_utils.figures.style import TEMPLATE

    plotly.io.templates["lumbar"] = TEMPLATE
    plotly.io.templates.default = "lumbar"
    if keras:
        with native_stderr_silenced():
            importlib.import_module("keras")
    size = "LUMBAR_FAST=1: a quick run, its scores mean nothing" if is_fast() else "course size"
    print(f"lumbar_utils {lumbar_utils.__version__} is ready, {size}.")


def missing_requirements(requirements: list[str], installed: set[str]) -> list[str]:
    """Return the requirements of this machine that no installed package satisfies by name.

    TensorFlow and Keras never count as missing: Colab ships its own build, and a second one breaks it.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    have = {canonicalize_name(name) for name in installed}
    missing = []
    for text in requirements:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if name in have or name in {"tensorflow", "tensorflow-cpu", "keras", "jupyterlab", "voila"}:
            continue
        missing.append(f"{requirement.name}{requirement.specifier}")
    return missing


def install_missing() -> None:
    """Install what the package needs and this kernel lacks, and change nothing that is installed.

    A running kernel breaks when numpy or ipywidgets change under it, so every installed version goes
    into a constraints file.
    """
    installed = {
        one.metadata["Name"]: one.version for one in metadata.distributions() if one.metadata["Name"]
    }
    missing = missing_requirements(metadata.requires("lumbar-utils") or [], set(installed))
    if not missing:
        return
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        lines = [f"{name}=={version}" for name, version in installed.items() if name != "lumbar-utils"]
        constraints.write_text("\n".join(lines), "utf-8")
        command = [sys.executable, "-m", "pip", "install", "-q", "-c", str(constraints), *missing]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise LumbarError(
            f"pip could not install {', '.join(missing)} ({last}); restart the runtime and try again."
        )
    importlib.invalidate_caches()
