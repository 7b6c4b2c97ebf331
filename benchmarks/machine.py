"""Which machine and which versions a benchmark ran on, and whether others used the processor too."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = (
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "ai-edge-litert",
    "numpy",
    "opencv-python-headless",
    "scikit-learn",
    "voila",
    "eli5",
)


def machine() -> dict:
    """Return the processor, its cores, memory in GB, the system, and the versions of what is measured."""
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()} | dict(filter(None, map(_version, PACKAGES))),
    }


def busy_with_others() -> float:
    """Return the share of all cores in use while this process waits a second."""
    return psutil.cpu_percent(interval=1.0) / 100


def _version(package: str) -> tuple[str, str] | None:
    try:
        return package, version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()
