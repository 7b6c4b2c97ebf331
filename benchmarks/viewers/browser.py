"""One viewer in a Chromium: when the first chart stands, how fast a slider answers, what all panels take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, sync_playwright

from .chromium import QUIET, find
from .servers import Server, pss_mb

CHART = ".js-plotly-plot .point"
PICTURE = "document.querySelector('.lumbar-picture img.lumbar-heat')?.src"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(QUIET))
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 1400, "height": 900})


def first_chart_seconds(page: Page, url: str) -> float:
    """Return the seconds from asking for a page to its first bar or point on a chart."""
    begin = time.perf_counter()
    page.goto(url, timeout=120_000)
    page.wait_for_selector(CHART, timeout=120_000, state="attached")
    return time.perf_counter() - begin


def slider_ms(page: Page, steps: int = 10) -> list[float]:
    """Return milliseconds from a key on the patient's slider to the new heat map of all models, a step each."""
    page.get_by_role("tab", name="Diagnose").click()
    page.wait_for_selector(".lumbar-picture img.lumbar-heat", timeout=120_000)
    handle = page.locator(".lumbar-control", has_text="Patient (seed)").locator(".noUi-handle")
    taken = []
    for _ in range(steps):
        before = page.evaluate(PICTURE)
        handle.focus()
        begin = time.perf_counter()
        handle.press("ArrowRight")
        page.wait_for_function(f"before => {PICTURE} && {PICTURE} !== before", arg=before, timeout=30_000)
        taken.append(1000 * (time.perf_counter() - begin))
    return taken


def highest_pss_mb(page: Page, server: Server) -> dict[str, float]:
    """Open every panel and look into every network; return the viewer's kernel memory after each, in MB."""
    taken = {}

    def note(what: str) -> None:
        page.wait_for_timeout(1500)
        taken[what] = round(max(map(pss_mb, server.kernels())), 1)

    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_function("!document.body.innerText.includes('is being prepared')", timeout=60_000)
        note(tab.inner_text())
    page.get_by_role("tab", name="Look inside").click()
    network = page.get_by_label("Network", exact=True)
    for name in network.locator("option").all_inner_texts():
        network.select_option(name)
        note(f"Look inside: {name}")
    return taken
