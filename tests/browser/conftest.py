"""The real dashboard in a process of its own, and a Chromium to look at it."""

import os
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from serving import free_port, start, stop
from visiting import Visit, new_page

from benchmarks.viewers.chromium import QUIET, find

SECONDS_TO_START = 300


@dataclass
class Server:
    """A running dashboard: its address, its process, and what it printed."""

    url: str
    process: subprocess.Popen
    printed: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser():
    """A Chromium; without one the tests fail and say what to install."""
    with sync_playwright() as playwright:
        chromium = find() or _install_on_ci()
        if chromium is None and not Path(playwright.chromium.executable_path).exists():
            pytest.fail(
                "There is no Chromium for the browser tests: run `apt-get install chromium`, or "
                "`python -m playwright install chromium`, or install Google Chrome, and try again."
            )
        chosen = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield chosen
        chosen.close()


def _install_on_ci() -> str | None:
    if os.environ.get("CI") != "true" or shutil.which("apt-get") is None:
        return None
    subprocess.run(["apt-get", "update"], check=True)
    subprocess.run(["apt-get", "install", "-y", "chromium"], check=True)
    return shutil.which("chromium")


@pytest.fixture(scope="module")
def server(browser: Browser):
    """The dashboard, ready to be opened; the browser runs before it, so that its start is not timed."""
    port = free_port()
    process = start("dashboard", "--port", str(port))
    errors = []
    threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True).start()
    watchdog = threading.Timer(SECONDS_TO_START, process.kill)
    watchdog.start()
    server = Server(f"http://127.0.0.1:{port}/", process)
    for line in process.stdout:
        server.printed.append(line.rstrip("\n"))
        if server.url in line:
            break
    else:
        pytest.fail(f"The dashboard ended before it printed its address: {''.join(errors)}")
    watchdog.cancel()
    yield server
    stop(process)


@pytest.fixture(scope="module")
def visit(browser: Browser, server: Server):
    """One visit for all tests of a module, as a visit costs a kernel; the page stays as a test leaves it."""
    page = new_page(browser)
    visit = Visit(page, [], [])
    page.on("request", lambda request: visit.requests.append(request.url))
    page.on("console", lambda line: visit.console_errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: visit.console_errors.append(str(error)))
    page.goto(server.url)
    page.wait_for_selector(".lumbar-chart .js-plotly-plot .point")
    yield visit
    page.close()
