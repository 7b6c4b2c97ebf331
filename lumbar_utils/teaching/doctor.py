"""The set-up check: what this machine has, what the course wants, and how to mend what is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from lumbar_utils.checkpoints import CARD, CHECKPOINTS, read_checkpoint
from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import load_results
from lumbar_utils.paths import cache_folder

LESSON_BYTES = 1.6e9  # the most that a lesson's kernel holds; Binder gives 2 GB in all
CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `state` is "good", "mind" (the course runs, with a limit) or "mend"."""

    subject: str
    state: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        mark = "MEND" if self.state == "mend" else self.state
        line = f"{mark}  {self.subject:10s}{self.found}"
        return f"{line}\n{'':16s}{self.remedy}" if self.remedy else line


class Findings(tuple[Finding, ...]):
    """What was found, in the order in which to mend it."""

    @property
    def in_order(self) -> bool:
        return all(finding.state != "mend" for finding in self)

    def __repr__(self) -> str:
        ending = "Everything that the course needs is here."
        if not self.in_order:
            bad = [finding.subject for finding in self if finding.state == "mend"]
            ending = f"To mend before you start: {', '.join(bad)}."
        return "\n".join([*map(str, self), "", ending])


def doctor() -> Findings:
    """Look at Python, packages, memory, disk, the shipped networks and the stored results; import no TensorFlow."""
    looks: tuple[Callable[[], Finding], ...] = (
        look_at_python,
        look_at_packages,
        look_at_memory,
        look_at_disk,
        look_at_networks,
        look_at_results,
    )
    return Findings(look() for look in looks)


def look_at_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    found = f"{version[0]}.{version[1]} at {sys.executable}"
    if (3, 11) <= version <= (3, 13):
        return Finding("Python", "good", found)
    return Finding(
        "Python", "mend", found, "Wanted is 3.11, 3.12 or 3.13: make .venv again with one of them."
    )


def look_at_packages(requirements: list[str] | None = None) -> Finding:
    """Compare what is installed with what the package declares."""
    if requirements is None:
        requirements = metadata.requires("lumbar-utils") or []
    wrong, right = [], 0
    for requirement in map(Requirement, requirements):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = _version_of(requirement.name)
        if version is not None and requirement.specifier.contains(version, prereleases=True):
            right += 1
            continue
        has = "is missing" if version is None else f"is {version}"
        wrong.append(
            f"{requirement.name} {has}" + (f", wanted {requirement.specifier}" * bool(requirement.specifier))
        )
    if not wrong:
        return Finding("packages", "good", f"all {right} are installed")
    # Colab's own versions are older on purpose; the lessons run with them
    state = "mind" if "google.colab" in sys.modules else "mend"
    remedy = (
        "In the course's folder run `pip install -r requirements.lock` with this Python; restart the kernel."
    )
    return Finding("packages", state, "; ".join(wrong), remedy)


def _version_of(name: str) -> str | None:
    builds = ("tensorflow", "tensorflow-cpu") if name.startswith("tensorflow") else (name,)
    for build in builds:
        try:
            return metadata.version(build)
        except metadata.PackageNotFoundError:
            continue
    return None


def look_at_memory(limit: float | None = None) -> Finding:
    """limit : bytes that this machine, container or hub grants; by default asked of the system."""
    limit = memory_limit() if limit is None else limit
    found = f"{limit / 1e9:.1f} GB"
    if limit < LESSON_BYTES:
        remedy = (
            f"A lesson with training holds up to {LESSON_BYTES / 1e9:.1f} GB: use a larger machine, or Colab."
        )
        return Finding("memory", "mend", found, remedy)
    if limit < 2 * LESSON_BYTES:
        return Finding(
            "memory", "mind", found, "Enough for one lesson: shut its kernel down before you open the next."
        )
    return Finding("memory", "good", found)


def memory_limit() -> float:
    """Return the bytes granted: the least of the machine's memory and the limits of its container and its hub."""
    limits = [float(psutil.virtual_memory().total)]
    for file in CGROUP_LIMITS:
        if file.is_file() and (text := file.read_text().strip()).isdigit():
            limits.append(float(text))
    if (hub := os.environ.get("MEM_LIMIT", "")).isdigit():
        limits.append(float(hub))
    return min(limit for limit in limits if limit > 0)


def look_at_disk() -> Finding:
    """See whether the cache can be written and how much room it has."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        remedy = "Name a folder that you may write to in the variable LUMBAR_CACHE."
        return Finding("disk", "mend", f"{folder} cannot be used ({error.strerror})", remedy)
    if not os.access(folder, os.W_OK):
        return Finding(
            "disk", "mend", f"{folder} is read-only", "Name another folder in the variable LUMBAR_CACHE."
        )
    found = f"{free / 1e9:.1f} GB free for drawn patients in {folder}"
    if free < 0.5e9:
        return Finding(
            "disk", "mend", found, "Half a gigabyte is wanted: delete something, or set LUMBAR_CACHE."
        )
    return Finding("disk", "good", found)


def look_at_networks(root: Path = CHECKPOINTS) -> Finding:
    """Compare every shipped file with its checksum."""
    names = sorted(card.parent.name for card in root.glob(f"*/{CARD}"))
    try:
        for name in names:
            read_checkpoint(name, root=root)
    except LumbarError as error:
        return Finding(
            "networks",
            "mend",
            str(error),
            "`git checkout lumbar_utils/checkpoints` brings back what shipped.",
        )
    if not names:
        return Finding(
            "networks", "mend", f"none in {root}", "`git checkout lumbar_utils/checkpoints` brings them back."
        )
    return Finding("networks", "good", f"{len(names)} trained ones, their files unharmed")


def look_at_results() -> Finding:
    """Read the stored predictions that lessons show beside yours."""
    try:
        stored = load_results("zoo")
    except LumbarError as error:
        return Finding("results", "mend", str(error), "`git checkout results` brings back what shipped.")
    return Finding("results", "good", f"{len(stored)} models with every prediction")
