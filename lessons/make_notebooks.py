"""Make the notebooks from the lessons: `notebooks/` for students, `notebooks/solutions/` for those who are done.

A lesson is a text in percent format, `lessons/NN_slug.py`. Nothing is executed here.

Tags of cells
-------------
setup      its text is replaced by `SETUP`: installs on Colab, checks elsewhere; with the tag `keras` it imports Keras.
exercise   stands in the students' copy; the solutions' copy has the next `solution` cell in its place.
solution   only in the solutions' copy, in the place of its exercise.
check      an ordinary cell that calls `check`; a tag for tests and for teachers.
drive      sets a widget and asserts that what it shows changed; only in copies made for tests (`--driven`).
expected   comment lines: what the code cell before prints. They become its stored output, which nbval compares.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parent.parent
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

SETUP = """\
# Set-up, written by lessons/make_notebooks.py: Colab installs the course package, other places check it.
import sys

if "google.colab" in sys.modules:
    %pip install -q --no-deps git+{repository}
try:
    from lumbar_utils.teaching import set_up
except ModuleNotFoundError:
    raise SystemExit(
        "The course package lumbar_utils is not installed for this kernel: run `pip install -e .` "
        "in the folder of the course with the same Python, then restart the kernel."
    ) from None
set_up({options})"""


class LessonError(Exception):
    """A lesson that cannot become a notebook, or a notebook that must not be overwritten, in one sentence."""


def repository_url(root: Path = ROOT) -> str:
    """Return the repository's address, which stands in `pyproject.toml` alone."""
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["repository"]


def read_lesson(path: Path) -> list[dict]:
    """Return the cells of a lesson as dicts with `kind` (markdown or code), `source` and `tags`."""
    notebook = jupytext.reads(path.read_text("utf-8"), fmt="py:percent")
    return [
        {"kind": cell.cell_type, "source": cell.source, "tags": list(cell.metadata.get("tags", []))}
        for cell in notebook.cells
    ]


def store_expected(cells: list[dict], name: str) -> list[dict]:
    """Return the cells without `expected` ones, whose text became `stdout` of the code cell before."""
    kept: list[dict] = []
    for cell in cells:
        if "expected" not in cell["tags"]:
            kept.append(cell)
            continue
        lines = cell["source"].splitlines()
        if not kept or kept[-1]["kind"] != "code" or not all(line.startswith("#") for line in lines):
            raise LessonError(
                f"{name}: an expected cell starts with {lines[:1]}; it must follow a code cell directly "
                "and hold comment lines only."
            )
        kept[-1]["stdout"] = "".join(f"{line.removeprefix('#').removeprefix(' ')}\n" for line in lines)
    return kept


def place_solutions(cells: list[dict], name: str, *, solutions: bool, driven: bool = False) -> list[dict]:
    """Return the cells for one of the copies; each exercise takes the first solution after it."""
    kept: list[dict] = []
    waiting: dict | None = None
    for cell in cells:
        if "exercise" in cell["tags"]:
            if waiting is not None:
                break
            waiting = dict(cell)
            kept.append(waiting)
        elif "solution" in cell["tags"]:
            if waiting is None:
                raise LessonError(f"{name}: the solution {cell['source'][:40]!r} has no exercise before it.")
            if solutions:
                waiting.update(source=cell["source"], tags=cell["tags"])
            waiting = None
        elif driven or "drive" not in cell["tags"]:
            kept.append(cell)
    if waiting is not None:
        raise LessonError(f"{name}: the exercise {waiting['source'][:40]!r} has no solution after it.")
    return kept


def title_of(cells: list[dict], name: str) -> str:
    """Return the text of the lesson's first heading."""
    heading = re.match(r"# (.+)", cells[0]["source"]) if cells and cells[0]["kind"] == "markdown" else None
    if heading is None:
        raise LessonError(f"{name}: the first cell must be markdown that starts with '# ' and the title.")
    return heading.group(1).strip()


def cell_id(slug: str, cell: dict, seen: set[str]) -> str:
    """Return an id made from the cell's text, so that it stays when other cells change."""
    for copy in range(1000):
        digest = hashlib.sha256(f"{slug}|{cell['kind']}|{cell['source']}|{copy}".encode()).hexdigest()[:12]
        if digest not in seen:
            seen.add(digest)
            return digest
    raise LessonError(f"{slug}: a thousand cells hold the same text {cell['source'][:40]!r}.")


def make_notebook(
    path: Path, *, solutions: bool, repository: str, driven: bool = False
) -> nbformat.NotebookNode:
    """Return the notebook made from the lesson at `path`; `driven` keeps the cells that drive its widgets."""
    cells = store_expected(read_lesson(path), path.name)
    cells = place_solutions(cells, path.name, solutions=solutions, driven=driven)
    title = title_of(cells, path.name) + (" (with solutions)" if solutions else "")
    cells[0] = {**cells[0], "source": re.sub(r"^# .+", lambda _: f"# {title}", cells[0]["source"])}
    seen: set[str] = set()
    made = []
    for cell in cells:
        if "setup" in cell["tags"]:
            options = "keras=True" if "keras" in cell["tags"] else ""
            cell = {**cell, "source": SETUP.format(repository=repository, options=options)}
        options = {
            "id": cell_id(path.stem, cell, seen),
            "metadata": {"tags": cell["tags"]} if cell["tags"] else {},
        }
        if cell["kind"] == "markdown":
            made.append(new_markdown_cell(cell["source"], **options))
            continue
        if "stdout" in cell:
            options["metadata"] = {"tags": [*cell["tags"], "nbval-check-output"]}
            options["outputs"] = [new_output("stream", name="stdout", text=cell["stdout"])]
            options["execution_count"] = sum(other.cell_type == "code" for other in made) + 1
        made.append(new_code_cell(cell["source"], **options))
    notebook = new_notebook(
        cells=made,
        metadata={
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
            "title": title,
            "lumbar": {"made_from": f"lessons/{path.name}"},
        },
    )
    notebook.metadata.lumbar["sources_sha256"] = sources_sha256(notebook)
    nbformat.validate(notebook)
    return notebook


def sources_sha256(notebook: nbformat.NotebookNode) -> str:
    """Return the sha256 of the cells' kinds and texts; running a notebook does not change it."""
    texts = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode()).hexdigest()


def as_text(notebook: nbformat.NotebookNode) -> str:
    """Return the file's text: sorted keys, one space, a final newline, as Jupyter writes it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def refuse_if_edited(path: Path, root: Path) -> None:
    """Raise `LessonError` where a notebook holds texts that no lesson gave it."""
    name = path.relative_to(root).as_posix()
    try:
        notebook = nbformat.reads(path.read_text("utf-8"), as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise LessonError(
            f"{name}: not a notebook ({error}); move it away, then make the notebooks again."
        ) from None
    made = notebook.metadata.get("lumbar", {})
    if made.get("sources_sha256") != sources_sha256(notebook):
        lesson = made.get("made_from", f"lessons/{path.stem}.py")
        raise LessonError(
            f"{name}: edited by hand since it was made; put the change into {lesson} or move the notebook away, "
            "then make the notebooks again."
        )


def wanted_files(root: Path) -> dict[Path, str]:
    """Return path and text of every notebook that the lessons make."""
    repository = repository_url(root)
    files = {}
    for lesson in sorted((root / "lessons").glob("[0-9][0-9]_*.py")):
        for folder, solutions in (("notebooks", False), ("notebooks/solutions", True)):
            notebook = make_notebook(lesson, solutions=solutions, repository=repository)
            files[root / folder / f"{lesson.stem}.ipynb"] = as_text(notebook)
    return files


def find_drift(root: Path = ROOT) -> list[str]:
    """Return a sentence for every notebook that differs from its lesson, is missing, or has no lesson."""
    wanted = wanted_files(root)
    found = set((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    found |= set((root / "notebooks" / "solutions").glob("[0-9][0-9]_*.ipynb"))
    sentences = []
    for path in sorted(found | set(wanted)):
        name = path.relative_to(root).as_posix()
        if path not in wanted:
            sentences.append(f"{name}: no lesson makes it; delete it.")
        elif path not in found:
            sentences.append(f"{name}: missing; run `make notebooks`.")
        elif path.read_text("utf-8") != wanted[path]:
            sentences.append(f"{name}: differs from lessons/{path.stem}.py; run `make notebooks`.")
    return sentences


def write_notebooks(root: Path = ROOT) -> list[Path]:
    """Write the notebooks that changed and return their paths; write nothing if one was edited by hand."""
    changed = {
        path: text
        for path, text in wanted_files(root).items()
        if not path.exists() or path.read_text("utf-8") != text
    }
    for path in changed:
        if path.exists():
            refuse_if_edited(path, root)
    for path, text in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    return sorted(changed)


def write_driven(folder: Path, root: Path = ROOT) -> list[Path]:
    """Write every lesson with solutions, and with the cells that drive its widgets, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.ipynb"):
        stale.unlink()
    written = []
    for lesson in sorted((root / "lessons").glob("[0-9][0-9]_*.py")):
        notebook = make_notebook(lesson, solutions=True, repository=repository_url(root), driven=True)
        written.append(folder / f"{lesson.stem}.ipynb")
        written[-1].write_text(as_text(notebook), "utf-8", newline="\n")
    return written


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a notebook has drifted"
    )
    parser.add_argument(
        "--driven", type=Path, metavar="FOLDER", help="write copies for tests, widgets driven"
    )
    options = parser.parse_args(arguments)
    try:
        if options.driven:
            print(f"{options.driven}: {len(write_driven(options.driven))} notebooks")
            return 0
        if options.check:
            drift = find_drift()
            print("\n".join(drift) or "Every notebook is what its lesson makes.")
            return 1 if drift else 0
        changed = write_notebooks()
    except LessonError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"wrote {path.relative_to(ROOT)}" for path in changed) or "Nothing changed.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
