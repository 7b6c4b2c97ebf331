"""Binder's limit on memory, with what this machine offers: a control group, systemd, or a watcher of our own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

LIMIT = 2 * 2**30  # bytes; mybinder.org's for the server and all that it starts
INTERVAL = 0.2  # seconds between two looks


@dataclass(frozen=True)
class Limit:
    """Who kills above `LIMIT`: in words, what goes before the server's command, the control group if it is one."""

    name: str
    prefix: tuple[str, ...] = ()
    folder: Path | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the system does not kill, so that `Watch` must."""
        return not self.prefix

    def close(self) -> None:
        """Remove the control group; its processes have ended."""
        if self.folder:
            self.folder.rmdir()


def limit_here() -> Limit:
    """Return the strictest limit that this process may set on what it starts."""
    if folder := control_group():
        return Limit("a control group", ("sh", "-c", JOIN, str(folder)), folder)
    scope = (
        "systemd-run",
        "--user",
        "--scope",
        "--quiet",
        "-p",
        f"MemoryMax={LIMIT}",
        "-p",
        "MemorySwapMax=0",
    )
    if shutil.which("systemd-run") and not subprocess.run([*scope, "true"], capture_output=True).returncode:
        return Limit("systemd-run --user --scope", scope)
    return Limit(f"a watcher that adds up proportional set sizes every {INTERVAL} s and kills the largest")


JOIN = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


def control_group(root: Path = Path("/sys/fs/cgroup"), mine: Path = Path("/proc/self/cgroup")) -> Path | None:
    """Return a new control group (v2) with the limit, as near to ours as we may make one; None where we may not."""
    found = re.search(r"^0::/(.*)$", mine.read_text() if mine.is_file() else "", re.MULTILINE)
    if not found:
        return None
    here = root / found[1]
    for parent in (here, *(each for each in here.parents if each.is_relative_to(root))):
        folder = parent / f"lumbar-rehearsal-{os.getpid()}"
        try:
            if "memory" not in (parent / "cgroup.subtree_control").read_text().split():
                continue
            folder.mkdir()
        except OSError:
            continue
        if _limits(folder):
            return folder
        folder.rmdir()
    return None


def _limits(folder: Path) -> bool:
    """Set the limit, without swap beside it; false where that, or to join the group, is not allowed."""
    try:
        (folder / "memory.max").write_text(str(LIMIT))
        if (folder / "memory.swap.max").exists():
            (folder / "memory.swap.max").write_text("0")
    except OSError:
        return False
    joined = subprocess.run(["sh", "-c", JOIN, str(folder), "true"], capture_output=True)
    return joined.returncode == 0


class Watch(threading.Thread):
    """Looks at the memory of a process and its descendants: the most since `lap`, and kills above `limit` if given."""

    def __init__(self, pid: int, limit: int | None):
        super().__init__(daemon=True)
        self.process, self.limit = psutil.Process(pid), limit
        self.peak = self.killed_at = 0  # bytes
        self._ended = threading.Event()
        self.start()

    def lap(self) -> None:
        """Forget what was seen."""
        self.peak = self.killed_at = 0

    def run(self) -> None:
        while not self._ended.wait(INTERVAL):
            held = held_by(self.process)
            total = sum(held.values())
            self.peak = max(self.peak, total)
            if self.limit and total > self.limit:
                self.killed_at = total
                max(held, key=held.get).kill()  # as the system chooses

    def stop(self) -> None:
        self._ended.set()
        self.join()


def held_by(process: psutil.Process) -> dict[psutil.Process, int]:
    """Return bytes by process of the tree below `process`; a page that several share is counted once in all."""
    held = {}
    with suppress(psutil.NoSuchProcess):
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):  # it ended while we looked
                with_shares = each.memory_full_info()
                held[each] = getattr(with_shares, "pss", with_shares.uss)
    return held
