"""Kills a small study at random moments, again and again, and compares what it leaves with an unbroken run.

`python -m benchmarks.study [--json] [--kills 10]`. A kill is SIGKILL to the study's process; its workers must follow.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from lumbar_utils.studies.study import plan, run_study
from lumbar_utils.studies.study_run import Configuration, parts_of

CONFIGURATION = Configuration(height=32, epochs=2, folds=3, test_patients=40)
RUNS = plan(["cnn", "cnn_svm"], patients=60, folds=3, seeds=3, curve_patients=(40, 60))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--run", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run_study(RUNS, CONFIGURATION, folder=options.run)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.kills, random.Random(options.seed))
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(folder: Path, kills: int, rng: random.Random) -> dict:
    """Return whether both leave the same predictions and histories, and the seconds that the kills cost."""
    for run in {(run.kind, run.patients, run.seed): run for run in RUNS}.values():
        parts_of(run, CONFIGURATION)  # drawn and kept now, in neither's time
    started = time.perf_counter()
    first_result, seconds_unbroken = _unbroken(folder / "unbroken", started)
    per_life = (seconds_unbroken - first_result) / (kills + 2)
    started, at_kill, orphans = time.perf_counter(), [], 0
    broken = folder / "broken"
    for _ in range(kills):
        orphans += _life(broken, lives=rng.uniform(0, first_result + 2 * per_life))
        at_kill.append(_n_stored(broken))
    times = {file: file.stat().st_mtime_ns for file in (broken / "runs").glob("*.json")}
    _unbroken(broken, started)
    seconds_broken = time.perf_counter() - started
    return {
        "same_results": _contents(broken) == _contents(folder / "unbroken"),
        "made_twice": sum(file.stat().st_mtime_ns != at for file, at in times.items()),
        "orphans": orphans,
        "kills": kills,
        "runs": len(RUNS),
        "stored_at_each_kill": at_kill,
        "seconds_unbroken": round(seconds_unbroken, 1),
        "seconds_broken": round(seconds_broken, 1),
        "seconds_lost": round(seconds_broken - seconds_unbroken, 1),
    }


def _start(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "benchmarks.study", "--run", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _unbroken(folder: Path, started: float) -> tuple[float, float]:
    """Run to the end; return the seconds from `started` to the first new result and to the end."""
    before, process, first = _n_stored(folder), _start(folder), None
    while process.poll() is None:
        if first is None and _n_stored(folder) > before:
            first = time.perf_counter() - started
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"the study ended with {process.returncode}")
    seconds = time.perf_counter() - started
    return first or seconds, seconds


def _life(folder: Path, lives: float) -> int:
    """Start the study, kill it after so many seconds, and return how many of its processes live on."""
    process = _start(folder)
    time.sleep(lives)
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.kill()
    process.wait()
    return len(psutil.wait_procs(children, timeout=20)[1])


def _n_stored(folder: Path) -> int:
    return len(list((folder / "runs").glob("*.json")))


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((folder / "runs").glob("*.csv"))}


if __name__ == "__main__":
    main()
