"""Runs the benchmarks one after the other, each in its own process, and keeps what they find in one table."""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lumbar_utils.paths import write_whole

from .machine import busy_with_others, machine
from .measuring import ROOT
from .table import render_table

# in the order of the table
NAMES = (
    "comparison",
    "first_step",
    "involution",
    "inference",
    "explain",
    "phantom",
    "growth",
    "dashboard",
    "lessons",
)
ARGUMENTS = {"growth": ("--full",)}  # what the table shows beyond a benchmark's own default
RESULTS, TABLE = "results.json", "README.md"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Run the benchmarks and write their table."
    )
    parser.add_argument(
        "--only", metavar="NAME,NAME", help=f"only these, the others' rows stay: {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, metavar="FOLDER", help="of table and results"
    )
    options = parser.parse_args()
    names = options.only.split(",") if options.only else NAMES
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"there is no benchmark {unknown[0]!r}; choose from {', '.join(NAMES)}")
    return run_suite(names, options.out)


def run_suite(
    names: Sequence[str], folder: Path, *, run: Callable[[str], dict] | None = None, log: Callable = print
) -> int:
    """Run benchmarks and write `folder`/results.json and README.md after each; return 1 if one failed.

    The rows of benchmarks that are not named stay as they are stored, with their own date. run : name to an entry
    with "found" (the benchmark's JSON), "failed" (a sentence), or both, by default `run_benchmark`.
    """
    results, failed = read_results(folder), 0
    for name in names:
        log(f"{name} …")
        busy, began = busy_with_others(), time.perf_counter()
        entry = (run or run_benchmark)(name)
        seconds = round(time.perf_counter() - began)
        failed |= "failed" in entry
        log(f"{name}: {entry.get('failed', 'done')} ({seconds} s)")
        about = {"date": datetime.date.today().isoformat(), "seconds": seconds, "busy": round(busy, 2)}
        results[name] = about | {"machine": machine()} | entry
        write_results(folder, results)
    return int(failed)


def run_benchmark(name: str, *arguments: str) -> dict:
    """Run `python -m benchmarks.NAME --json`; return what it found, or why there is nothing.

    A benchmark that ends with an error and has answered all the same, such as a lesson over its budget, gives both.
    """
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", *ARGUMENTS.get(name, ()), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    try:
        found = json.loads((done.stdout.strip().splitlines() or [""])[-1])
        found["rows"]
    except (ValueError, KeyError, TypeError):
        return {"failed": f"ended with {done.returncode}: {said}"}
    return {"found": found} | ({"failed": f"ended with {done.returncode}: {said}"} if done.returncode else {})


def read_results(folder: Path) -> dict[str, dict]:
    """Return the stored entries by benchmark, none where nothing is stored."""
    file = folder / RESULTS
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write_results(folder: Path, results: dict[str, dict]) -> None:
    """Write the raw results and the table, in the order of `NAMES`, each whole or not at all."""
    known = {name: results[name] for name in (*NAMES, *sorted(set(results) - set(NAMES))) if name in results}
    table = render_table(known)  # before anything is written: results that make no table are not kept
    write_whole(folder / RESULTS, (json.dumps(known, indent=1) + "\n").encode())
    write_whole(folder / TABLE, table.encode())
