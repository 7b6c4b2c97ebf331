"""Renders the executed lessons to a static site: `make book` writes build/book/html.

`python book/make_book.py [NUMBERS]`, such as `02 16`. Each lesson is run with its solutions from top to bottom, and not
again until its cells change. Exits 1 where a lesson fails, Sphinx warns or a link is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupyter_server_mathjax
import nbformat
from nbclient import NotebookClient
from plotly.offline import get_plotlyjs

sys.path.insert(0, str(Path(__file__).parent))
from links import wrong_links
from rendering import as_page

ROOT = Path(__file__).resolve().parent.parent
LESSONS, BUILD = ROOT / "notebooks" / "solutions", ROOT / "build" / "book"
DASHBOARD = "20"  # no lesson: without a kernel there is nothing to see


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("numbers", nargs="*", help="only these lessons")
    numbers = parser.parse_args().numbers
    paths = [
        path
        for path in sorted(LESSONS.glob("[0-9][0-9]_*.ipynb"))
        if path.name[:2] != DASHBOARD and (not numbers or path.name[:2] in numbers)
    ]
    source, site = BUILD / "source", BUILD / "html"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "book" / "_static", source / "_static")
    shutil.copy(ROOT / "book" / "conf.py", source)
    (source / "_static" / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    mathjax = Path(jupyter_server_mathjax.__file__).parent / "static"
    shutil.copytree(mathjax, source / "_static" / "mathjax", ignore=shutil.ignore_patterns("localization"))
    for path in paths:
        page = as_page(executed(path))
        link_to_pages(page, {each.name for each in paths})
        nbformat.write(page, source / path.name)
    (source / "index.md").write_text(index(paths), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", source, site])
    wrong = wrong_links(site)
    print(*wrong, sep="\n")
    print(f"{len(paths)} lessons in {(site / 'index.html').relative_to(ROOT)}, {len(wrong)} wrong links")
    return 1 if done.returncode or wrong else 0


def executed(path: Path) -> nbformat.NotebookNode:
    """Return a lesson with its outputs, as kept from an earlier run of the same cells or from a run now."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    kept = BUILD / "executed" / f"{path.stem}.{digest}.ipynb"
    if not kept.is_file():
        print(f"running {path.stem}", flush=True)
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(".part")
        nbformat.write(notebook, aside)
        aside.replace(kept)
    return nbformat.read(kept, as_version=4)


def link_to_pages(notebook: nbformat.NotebookNode, names: set[str]) -> None:
    """Let links between lessons lead to pages of the book; what it does not hold is found in the repository."""
    repository = re.search(r'^repository = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]

    def turned(found: re.Match) -> str:
        if found[1] in names:
            return f"]({found[1]})"
        return f"]({repository}/blob/main/notebooks/{found[1]})"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\(([0-9]{2}_\w+\.ipynb)\)", turned, cell.source)
            cell.source = re.sub(r"^(# .*) \(with solutions\)$", r"\1", cell.source, flags=re.MULTILINE)


def index(paths: list[Path]) -> str:
    """Return the first page: what the book is, and its lessons in order."""
    lessons = "\n".join(path.stem for path in paths)
    return (
        "# Deep learning for the lumbar spine\n\n"
        "The lessons of the course as they came out when they were run on a machine with two processors, solutions "
        "folded. Figures can be zoomed and hovered over; to move a slider, to solve an exercise or to train a network "
        "of your own, run the notebooks.\n\n"
        "**Intended use: teaching.** This is not a medical device. Scores on phantoms say nothing about patients.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{lessons}\n```\n"
    )


if __name__ == "__main__":
    sys.exit(main())
