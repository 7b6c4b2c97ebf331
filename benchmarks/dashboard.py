"""How long a visitor waits: from the printed address to the first chart, and from a slider's key to the new picture.

`python -m benchmarks.dashboard [--json]`. Needs a Chromium on the path.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time

from playwright.sync_api import sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
)
CHART = ".lumbar-chart .js-plotly-plot .point"
PICTURE = "document.querySelector('.lumbar-picture img.lumbar-heat')?.src"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--visits", type=int, default=5)
    options = parser.parse_args()
    found = measure(options.visits)
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def measure(visits: int) -> dict:
    """Return the first visit after start (preheated) and the median of later ones, 12 s apart, and the slider."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begin = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "lumbar_utils", "dashboard", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for line in server.stdout:
            if line.startswith("open"):
                break
        start_seconds = time.perf_counter() - begin
        with sync_playwright() as playwright:
            executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
            browser = playwright.chromium.launch(executable_path=executable, args=list(QUIET))
            chart_seconds, slider_ms = [], []
            for visit in range(visits):
                if visit:
                    time.sleep(12)  # as visitors come one by one; the pool refills in between
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                begin = time.perf_counter()
                page.goto(f"http://127.0.0.1:{port}/")
                page.wait_for_selector(CHART, timeout=120_000)
                chart_seconds.append(time.perf_counter() - begin)
                slider_ms += move_slider(page)
                page.close()
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=30)
    return {
        "start_seconds": round(start_seconds, 1),
        "first_chart_seconds": round(chart_seconds[0], 2),
        "later_chart_seconds_median": round(statistics.median(chart_seconds[1:]), 2) if visits > 1 else None,
        "later_chart_seconds_worst": round(max(chart_seconds[1:]), 2) if visits > 1 else None,
        "slider_ms_median": round(statistics.median(slider_ms)),
        "slider_ms_worst": round(max(slider_ms)),
    }


def move_slider(page, steps: int = 8) -> list[float]:
    """Return milliseconds from a key on the patient slider to the new heat map, a step each."""
    page.get_by_role("tab", name="Diagnose").click()
    page.wait_for_selector(".lumbar-picture img.lumbar-heat")
    handle = page.locator(".lumbar-control", has_text="Patient (seed)").locator(".noUi-handle")
    taken = []
    for _ in range(steps):
        before = page.evaluate(PICTURE)
        handle.focus()
        begin = time.perf_counter()
        handle.press("ArrowRight")
        page.wait_for_function(f"before => {PICTURE} && {PICTURE} !== before", arg=before, timeout=10_000)
        taken.append(1000 * (time.perf_counter() - begin))
    return taken


if __name__ == "__main__":
    main()
