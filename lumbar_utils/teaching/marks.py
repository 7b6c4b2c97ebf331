"""What students handed in, exercise by exercise: their notebooks' stored outputs read, nothing in them run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd

from lumbar_utils.dataset import LumbarError
from lumbar_utils.teaching.exercises import STARTS

CALL = re.compile(r"^check\(\"([a-z_]+\.[a-z_0-9]+)\"", re.MULTILINE)
LARGEST = 20_000_000  # bytes of one notebook; the largest lesson, executed, has some 8 million
NOT_RUN = "not run"


def read_marks(folder: str | Path) -> pd.DataFrame:
    """Return the state of every exercise in what was handed in: columns student, notebook, exercise, state.

    Each entry of `folder` is one student: a folder of notebooks, a zip of them as `pack_work` makes it, or a single
    notebook; the entry's name, without its ending, is the student's. `state` is "right", "wrong", "open" (not answered)
    or "not run", read from the output that the check cell was saved with. An output can be edited: an answer that
    counts is looked at.

    Raises
    ------
    LumbarError : no such folder, nothing in it that could be read, a file that is no notebook or no zip.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise LumbarError(f"{folder} is no folder; give the one that holds an entry for each student.")
    rows = [
        {"student": entry.stem if entry.is_file() else entry.name, "notebook": name, **mark}
        for entry in sorted(folder.iterdir())
        for name, text in _notebooks(entry)
        for mark in _marks(text, f"{entry.name}, {name}")
    ]
    if not rows:
        raise LumbarError(f"{folder} holds no notebook with exercises of this course; nothing was read.")
    return pd.DataFrame(rows)


def summarise_marks(marks: pd.DataFrame) -> pd.DataFrame:
    """Return one row a student and one column a notebook: "right/all" of its exercises, empty where none came."""
    counts = marks.assign(right=marks["state"] == "right").groupby(["student", "notebook"])["right"]
    cells = counts.agg(["sum", "size"]).apply(lambda row: f"{row['sum']}/{row['size']}", axis=1)
    return cells.unstack("notebook").fillna("")


def _notebooks(entry: Path) -> Iterator[tuple[str, str]]:
    """Yield name (without ending) and text of each notebook of one student."""
    if entry.is_dir():
        for path in sorted(entry.glob("*.ipynb")):
            yield path.stem, _text(path.read_bytes() if path.stat().st_size <= LARGEST else None, path.name)
    elif entry.suffix == ".ipynb":
        yield entry.stem, _text(entry.read_bytes() if entry.stat().st_size <= LARGEST else None, entry.name)
    elif entry.suffix == ".zip":
        try:
            with zipfile.ZipFile(entry) as packed:
                for item in sorted(packed.infolist(), key=lambda item: item.filename):
                    if item.filename.endswith(".ipynb"):
                        content = packed.read(item) if item.file_size <= LARGEST else None
                        yield Path(item.filename).stem, _text(content, f"{entry.name}, {item.filename}")
        except zipfile.BadZipFile:
            raise LumbarError(f"{entry.name} is no whole zip file; ask for it once more.") from None


def _text(content: bytes | None, name: str) -> str:
    if content is None:
        raise LumbarError(f"{name} has more than {LARGEST // 10**6} MB, no lesson has; look at it by hand.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise LumbarError(f"{name} is no notebook: it is not UTF-8 text; look at it by hand.") from None


def _marks(text: str, name: str) -> Iterator[dict[str, str]]:
    """Yield exercise and state for each check cell of a notebook."""
    try:
        notebook = nbformat.reads(text, as_version=4)
    except Exception as problem:  # nbformat lets through whatever its JSON and its schema raise
        raise LumbarError(f"{name} is no notebook ({type(problem).__name__}); look at it by hand.") from None
    for cell in notebook.cells:
        for exercise in CALL.findall(cell.source) if cell.cell_type == "code" else ():
            yield {"exercise": exercise, "state": _state(cell.get("outputs", []))}


def _state(outputs: list) -> str:
    printed = "".join(one.get("text", "") for one in outputs if one.get("output_type") == "stream")
    for state, start in STARTS.items():
        if printed.startswith(start):
            return state
    return NOT_RUN
