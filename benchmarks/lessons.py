"""Runs every lesson with its solutions from top to bottom at full size: seconds and peak memory of its kernel.

`python -m benchmarks.lessons [NUMBERS] [--json]`, such as `04 16`. Exits 1 if a lesson fails, prints something else
than its text says, or needs more than 120 s or 1.6 GB, or if all together need more than 30 minutes, on two cores
that do nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from .measuring import row

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks" / "solutions"
SECONDS, MEGABYTES, MINUTES_IN_ALL = 120, 1600, 30
# the most that the kernel's process ever held, as the system counts it
PEAK = """
import sys as _sys
if _sys.platform == "win32":
    import psutil as _psutil
    print(_psutil.Process().memory_info().peak_wset)
else:
    import resource as _resource
    print(_resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss * (1 if _sys.platform == "darwin" else 1024))
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("numbers", nargs="*", help="only these lessons")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    paths = [
        path
        for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
        if not options.numbers or path.name[:2] in options.numbers
    ]
    found = measure(paths, log=lambda line: print(line, file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps(found | {"rows": rows(found) if paths else []}))
    elif found["over_budget"] or found["failed"]:
        print(f"over budget: {found['over_budget']}; failed: {found['failed']}")
    return 1 if found["over_budget"] or found["failed"] else 0


def measure(paths: list[Path], log=print) -> dict:
    """Return seconds and peak megabytes by lesson, and the names of those over budget and of those that failed."""
    found = {"seconds": {}, "peak_mb": {}, "over_budget": [], "failed": {}}
    for path in paths:
        seconds, megabytes, complaint = run(path)
        found["seconds"][path.stem], found["peak_mb"][path.stem] = seconds, megabytes
        log(f"{path.stem:32s} {seconds:6.1f} s {megabytes or 0:6d} MB  {complaint}")
        if complaint:
            found["failed"][path.stem] = complaint
        if seconds > SECONDS or (megabytes or 0) > MEGABYTES:
            found["over_budget"].append(path.stem)
    found["total_seconds"] = round(sum(found["seconds"].values()), 1)
    if found["total_seconds"] > 60 * MINUTES_IN_ALL:
        found["over_budget"].append("all together")
    return found


def rows(found: dict) -> list[dict]:
    """Return the rows of the table; no user would write lessons otherwise, so there is no ratio."""
    lessons = found["seconds"]
    peaks = {name: megabytes or 0 for name, megabytes in found["peak_mb"].items()}
    slowest, largest = max(lessons, key=lessons.get), max(peaks, key=peaks.get)
    floor = bare_notebook_seconds()
    floor_of = "a notebook that only imports Keras"
    return [
        row(
            f"Lessons: all {len(lessons)} from top to bottom, {len(found['failed'])} failed",
            [found["total_seconds"]],
            floor=floor * len(lessons),
            floor_of=f"{floor_of}, as often",
            at_most=60 * MINUTES_IN_ALL if not found["failed"] else 0,
            aim=f"{MINUTES_IN_ALL} min, none fails",
        ),
        row(
            f"Lessons: the slowest, {slowest}",
            [lessons[slowest]],
            floor=floor,
            floor_of=floor_of,
            at_most=SECONDS,
        ),
        row(
            f"Lessons: most memory, {largest}",
            [peaks[largest]],
            unit="MB",
            at_most=MEGABYTES,
        ),
    ]


def bare_notebook_seconds() -> float:
    """Return the seconds of a notebook with a single import, from its kernel's start."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bare.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import keras")]), path)
        return run(path)[0]


def run(path: Path) -> tuple[float, int | None, str]:
    """Return seconds from the kernel's start to the last cell, its peak in MB, and what went wrong, if anything."""
    stored = nbformat.read(path, as_version=4)
    notebook = deepcopy(stored)
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK))
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}})
    started = time.perf_counter()
    try:
        client.execute()
    except CellExecutionError as error:
        return round(time.perf_counter() - started, 1), None, f"{error.ename}: {error.evalue}"
    seconds = round(time.perf_counter() - started, 1)
    megabytes = round(int(_printed(notebook.cells[-1])) / 1e6)
    differing = [
        position
        for position, (before, after) in enumerate(zip(stored.cells, notebook.cells, strict=False))
        if "nbval-check-output" in before.metadata.get("tags", []) and _printed(before) != _printed(after)
    ]
    return seconds, megabytes, f"cells {differing} print something else" if differing else ""


def _printed(cell) -> str:
    return "".join(
        output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"
    )


if __name__ == "__main__":
    sys.exit(main())
