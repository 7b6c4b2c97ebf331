"""A visit to the dashboard on the server that also serves the lessons, until its first chart is drawn."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from binder.server import Server
from playwright.sync_api import Error, sync_playwright

from benchmarks.viewers.chromium import QUIET, find

CHART = ".lumbar-chart .js-plotly-plot .point"
SECONDS = 300


class NoChromium(Exception):
    """This machine has no browser to visit with."""


def visit(server: Server, path: str) -> str:
    """Open `path` and wait for the first chart; return what went wrong, or an empty text."""
    with sync_playwright() as playwright:
        chromium = find()
        if chromium is None and not Path(playwright.chromium.executable_path).exists():
            raise NoChromium
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        try:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            asked: set[str] = set()
            page.on("request", lambda request: asked.add(request.url))
            page.goto(f"{server.url(path)}?token={server.token}", timeout=1000 * SECONDS)
            page.wait_for_selector(CHART, timeout=1000 * SECONDS)
        except Error as error:
            return f"no chart was drawn: {error.message.splitlines()[0]}"
        finally:
            browser.close()
    elsewhere = sorted(each for each in asked if _host(each) not in ("", "127.0.0.1"))
    return f"it asked other hosts: {', '.join(elsewhere)}" if elsewhere else ""


def _host(address: str) -> str:
    """Return the host of an address, or an empty text for what the page holds itself (data:, blob:)."""
    parts = urlsplit(address)
    return (parts.hostname or "") if parts.scheme in ("http", "https", "ws", "wss") else ""
