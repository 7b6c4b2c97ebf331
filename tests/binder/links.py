"""Checks what README, docs, lessons and results link to: files and headings that exist, addresses of a sound form.

`python tests/binder/links.py [--fetch]`; with `--fetch` other hosts are asked, too, where the network allows.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import nbformat
import requests
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lessons")]
from make_notebooks import read_lesson, repository_url  # noqa: E402

from book.links import Page, what_is_wrong  # noqa: E402

MARKDOWN = MarkdownIt("commonmark").enable("table")
ADDRESS = re.compile(r"https?://[^\s<>()\"'`\]\\]+")
OPENED = re.compile(r"(lab/tree|voila/render)/(notebooks/.+\.ipynb)")  # what a launch link shows


@dataclass(frozen=True)
class Text:
    """A piece of Markdown or of code: the file that a writer changes, those in which a reader meets it."""

    written_in: str
    read_in: tuple[Path, ...]
    source: str
    is_code: bool = False


def texts(root: Path = ROOT) -> Iterator[Text]:
    """Return README, docs and model cards, and the cells of the lessons, which are read as notebooks."""
    for file in (
        root / "README.md",
        *sorted((root / "docs").glob("*.md")),
        *sorted((root / "results").rglob("*.md")),
    ):
        yield Text(str(file.relative_to(root)), (file,), file.read_text("utf-8"))
    for file in sorted((root / "lessons").glob("[0-9][0-9]_*.py")):
        copies = tuple(root / "notebooks" / folder / f"{file.stem}.ipynb" for folder in ("", "solutions"))
        for cell in read_lesson(file):
            yield Text(f"lessons/{file.name}", copies, cell["source"], cell["kind"] == "code")


def wrong_links(root: Path = ROOT) -> list[str]:
    """Return a line for each link that leads nowhere, has no sound form, or launches another course."""
    repository = repository_url(root)
    wrong: dict[str, None] = {}  # in order, once each
    for text in texts(root):
        targets, unread = ([], []) if text.is_code else links_in(text.source)
        complaints = [(each, " is no link to Markdown (a space in it?)") for each in unread]
        complaints += [
            (each, complaint)
            for each in targets
            for page in text.read_in
            if (complaint := what_is_wrong(each, page, places) or outside(each, page, root))
        ]
        addresses = [each.rstrip(".,;:") for each in ADDRESS.findall(text.source)]
        complaints += [
            (each, complaint) for each in addresses if (complaint := wrong_launch(each, repository, root))
        ]
        if text.is_code:
            complaints += [
                (each, complaint) for each in addresses if (complaint := what_is_wrong(each, root, places))
            ]
        wrong |= {f"{text.written_in}: {target}{complaint}": None for target, complaint in complaints}
    return list(wrong)


def links_in(markdown: str) -> tuple[list[str], list[str]]:
    """Return the targets of links and pictures, and what looks like a link but is none."""
    page = Page(MARKDOWN.render(markdown))
    words = [
        part.content
        for token in MARKDOWN.parse(markdown)
        for part in token.children or []
        if part.type == "text"
    ]
    bare = [each.rstrip(".,;:") for line in words for each in ADDRESS.findall(line)]
    unread = [found for line in words for found in re.findall(r"\[[^\]]*\]\(.*", line)]
    return [*page.links, *page.loaded, *bare], unread


@cache
def places(file: Path) -> set[str] | None:
    """Return the anchors that GitHub gives the headings of a Markdown file, and JupyterLab those of a notebook."""
    if file.suffix == ".md":
        return set(_headings(file.read_text("utf-8"), _as_on_github))
    if file.suffix == ".ipynb":
        cells = nbformat.read(file, as_version=4).cells
        as_in_lab = lambda heading: heading.replace(" ", "-")
        return {
            each
            for cell in cells
            if cell.cell_type == "markdown"
            for each in _headings(cell.source, as_in_lab)
        }
    return None


def _headings(markdown: str, anchor_of: Callable[[str], str]) -> Iterator[str]:
    tokens, seen = MARKDOWN.parse(markdown), {}
    for opening, words in pairwise(tokens):
        if opening.type == "heading_open":
            anchor = anchor_of("".join(part.content for part in words.children or []))
            seen[anchor] = seen.get(anchor, -1) + 1
            yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor


def _as_on_github(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def outside(target: str, page: Path, root: Path) -> str:
    """Return a complaint about a relative link out of the repository, or an empty text."""
    parts = urlsplit(target)
    if parts.scheme or not parts.path or (page.parent / unquote(parts.path)).resolve().is_relative_to(root):
        return ""
    return " leads out of the repository"


def wrong_launch(address: str, repository: str, root: Path) -> str:
    """Return what is wrong with a link to Binder, Colab, nbgitpuller or a file on GitHub; empty for any other."""
    parts, slug = urlsplit(address), repository.removeprefix("https://github.com/")
    query = parse_qs(parts.query, keep_blank_values=True)
    if parts.hostname == "mybinder.org" and parts.path.startswith("/v2/"):
        if not re.fullmatch(rf"/v2/gh/{re.escape(slug)}/[\w.-]+", parts.path):
            return f" does not launch {slug}"
        return "" if set(query) == {"urlpath"} and _opens(query["urlpath"][0], root) else NO_NOTEBOOK
    if parts.path.endswith("/git-pull"):
        if query.get("repo") != [repository]:
            return f" does not pull {repository}"
        # the hub's server shows the folder that holds the clone
        path = query.get("urlpath", [""])[0].replace(f"/{slug.split('/')[1]}/", "/", 1)
        return "" if _opens(path, root) else NO_NOTEBOOK
    if parts.hostname == "colab.research.google.com" and not parts.path.startswith("/assets/"):
        found = re.fullmatch(
            rf"/github/{re.escape(slug)}/blob/[\w.-]+/(notebooks/.+\.ipynb)", unquote(parts.path)
        )
        return "" if found and (root / found[1]).is_file() else NO_NOTEBOOK
    if parts.hostname == "github.com" and (
        found := re.fullmatch(r"/(.+/.+)/(?:blob|tree|raw)/[^/]+/(.+)", parts.path)
    ):
        return "" if found[1] != slug or (root / unquote(found[2])).exists() else ", where there is no file"
    return ""


NO_NOTEBOOK = " opens no notebook of this course"


def _opens(path: str, root: Path) -> bool:
    found = OPENED.fullmatch(path)
    return bool(found) and (root / found[2]).is_file()


def binder_paths(markdown: str) -> list[str]:
    """Return what the Binder links of a text open on the server, such as `lab/tree/notebooks/00_start_here.ipynb`."""
    parts = [urlsplit(each) for each in ADDRESS.findall(markdown)]
    launched = [parse_qs(each.query) for each in parts if each.hostname == "mybinder.org" and each.query]
    return list(dict.fromkeys(each["urlpath"][0] for each in launched))


def fetch(root: Path = ROOT) -> int:
    """Ask the other hosts for what we link to; return 1 where one says that it is not there."""
    targets = sorted(
        {
            each
            for text in texts(root)
            if not text.is_code
            for each in links_in(text.source)[0]
            if urlsplit(each).scheme == "https"
        }
    )
    with ThreadPoolExecutor(4) as together:
        answers = dict(zip(targets, together.map(status, targets), strict=True))
    if all(answer is None for answer in answers.values()):
        print(f"None of the {len(targets)} external links could be asked for: there is no network here.")
        return 0
    # sites that turn programs away answer 401, 403 or 429
    gone = [
        each for each, answer in answers.items() if answer is None or answer in (404, 410) or answer >= 500
    ]
    print(*(f"{each}: {answers[each] or 'no answer'}" for each in gone), sep="\n", end="\n" if gone else "")
    print(f"{len(targets)} external links asked for, {len(gone)} without a page")
    return 1 if gone else 0


def status(address: str) -> int | None:
    """Return the status with which a page is answered, or None without an answer."""
    try:
        found = requests.head(address, timeout=10, allow_redirects=True).status_code
        if found >= 400:  # not every server knows HEAD
            found = requests.get(address, timeout=10, stream=True).status_code
    except requests.RequestException:
        return None
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fetch", action="store_true", help="ask other hosts for their pages")
    options = parser.parse_args()
    wrong = wrong_links()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(wrong)} wrong links")
    return max(1 if wrong else 0, fetch() if options.fetch else 0)


if __name__ == "__main__":
    sys.exit(main())
