"""Checks the links of a site of static pages: local ones lead to a file and a place in it, others have a sound form."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

KNOWN_SCHEMES = ("mailto",)
WELL_FORMED = re.compile(r"https://[A-Za-z0-9.-]+\.[a-z]{2,}(/[^\s\"<>]*)?(\?[^\s\"<>]*)?(#[^\s\"<>]*)?")


class Page(HTMLParser):
    """Collects what a page links to, what it loads, and the places in it."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.loaded, self.places = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.places |= {values[key] for key in ("id", "name") if values.get(key)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        elif tag in ("script", "img", "iframe") and values.get("src"):
            self.loaded.append(values["src"])
        elif tag == "link" and values.get("rel") == "stylesheet":
            self.loaded.append(values["href"])


def wrong_links(site: Path) -> list[str]:
    """Return a line for each link in `site` that leads nowhere, and for each file loaded from another host."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    wrong = []
    for path, page in pages.items():
        where = path.relative_to(site)
        for target in page.loaded:
            if urlsplit(target).scheme in ("http", "https") or target.startswith("//"):
                wrong.append(f"{where} loads {target} from another host")
        for target in [*page.links, *(each for each in page.loaded if not each.startswith("data:"))]:
            if complaint := what_is_wrong(
                target, path, lambda file: pages[file].places if file in pages else None
            ):
                wrong.append(f"{where} links to {target}{complaint}")
    return wrong


def what_is_wrong(target: str, page: Path, places: Callable[[Path], set[str] | None]) -> str:
    """Return the end of a complaint about a link in the file `page`, or an empty text.

    `places` gives the names of the places in a file, or None where they are not known.
    """
    parts = urlsplit(target)
    if parts.scheme in ("http", "https"):
        return "" if WELL_FORMED.fullmatch(target) else ", which is no sound https address"
    if parts.scheme:
        return "" if parts.scheme in KNOWN_SCHEMES else f", and nothing here opens {parts.scheme}:"
    file = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
    if not file.exists():
        return ", where there is no file"
    known = places(file) if parts.fragment else None
    if known is not None and unquote(parts.fragment) not in known:
        return ", and there is no such place in that page"
    return ""
