"""What the dashboard costs: the first chart beside a plain Voila page, a viewer's memory, a slider, thirty viewers.

`python -m benchmarks.dashboard [--json]`. Needs a Chromium on the path; --viewers and --loads make it shorter.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import threading
import time

from .viewers.browser import chromium, first_chart_seconds, highest_pss_mb, new_page, slider_ms
from .viewers.crowd import crowd, loads
from .viewers.servers import Server, dashboard, plain_page

BROWSERS = 3  # of the viewers at once are real pages
BETWEEN = 12  # seconds between visitors who come one by one: the next kernel is being preheated
COLD = {"VoilaConfiguration": {"preheat_kernel": False}}
# so that a benchmark need not wait for fifteen minutes
CULLED_SOON = {"MappingKernelManager": {"cull_idle_timeout": 20, "cull_interval": 5, "cull_connected": False}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--loads", type=int, default=200)
    options = parser.parse_args()
    found = {
        **first_charts(options.visits),
        **one_viewer(),
        **many_viewers(options.viewers),
        **many_loads(options.loads),
    }
    print(
        json.dumps(found) if options.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def first_charts(visits: int) -> dict:
    """Return the seconds to the first chart of both pages, visited in turn, without and with a preheated kernel."""
    found = {}
    for way in ("cold", "preheated"):
        ours, plain = [], []
        with (
            dashboard(**({} if way == "preheated" else COLD)) as our_server,
            plain_page(preheated=way == "preheated") as plain_server,
            chromium() as browser,
        ):
            for _ in range(visits):
                for server, taken in ((our_server, ours), (plain_server, plain)):
                    time.sleep(BETWEEN)
                    page = new_page(browser)
                    taken.append(first_chart_seconds(page, server.url))
                    page.close()
        ratio = statistics.median(ours) / statistics.median(plain)
        found[f"first_chart_ratio_{way}"] = round(ratio, 2)
        found[f"first_chart_seconds_{way}"] = [round(each, 2) for each in sorted(ours)]
        found[f"plain_chart_seconds_{way}"] = [round(each, 2) for each in sorted(plain)]
    return found


def one_viewer() -> dict:
    """Return what one viewer waits for and takes."""
    with dashboard() as server, chromium() as browser:
        page = new_page(browser)
        first_chart_seconds(page, server.url)
        taken = slider_ms(page)
        memory = highest_pss_mb(page, server)
    panels = {name: mb for name, mb in memory.items() if ":" not in name}
    return {
        "start_seconds": round(server.seconds, 1),
        "viewer_pss_mb": max(panels.values()),
        "viewer_pss_mb_every_network_looked_into": max(memory.values()),
        "slider_ms": round(statistics.median(taken)),
        "slider_ms_worst": round(max(taken)),
    }


def many_viewers(n: int) -> dict:
    """Return how long n viewers wait who come at once, their errors, and what they take and leave behind."""
    with dashboard(**CULLED_SOON) as server:
        before = server.pss_mb()
        begin, errors, highest = time.perf_counter(), [], [before]
        with _watching(server, highest):
            pages = [_page_in_thread(server.url, errors) for _ in range(min(BROWSERS, n))]
            viewers = asyncio.run(crowd(server.url, n - len(pages)))
            for page in pages:
                page.join()
            seconds = time.perf_counter() - begin
        errors += [each.error for each in viewers if each.error]
        after = _memory_after_culling(server, before)
    return {
        f"viewers_{n}_seconds": round(seconds, 1),
        f"viewers_{n}_median_seconds": round(statistics.median(each.seconds for each in viewers), 1),
        f"viewers_{n}_errors": len(errors),
        f"viewers_{n}_said": sorted(set(errors))[:5],
        f"viewers_{n}_pss_gb": round(max(highest) / 1000, 2),
        "memory_after_culling_ratio": round(after / before, 3),
    }


def many_loads(n: int) -> dict:
    """Return how many of n loads in a row hung, for more than a minute each."""
    with dashboard(**CULLED_SOON) as server:
        viewers = asyncio.run(loads(server.url, n))
    slow = [each for each in viewers if each.error]
    return {
        f"loads_{n}_hangs": len(slow),
        f"loads_{n}_median_seconds": round(statistics.median(each.seconds for each in viewers), 2),
        f"loads_{n}_worst_seconds": round(max(each.seconds for each in viewers), 2),
        f"loads_{n}_said": sorted({each.error for each in slow})[:5],
    }


def _page_in_thread(url: str, errors: list[str]) -> threading.Thread:
    def visit():
        try:
            with chromium() as browser:
                page = new_page(browser)
                page.on("pageerror", lambda error: errors.append(str(error)))
                first_chart_seconds(page, url)
                slider_ms(page, steps=1)
        except Exception as error:  # counted, as for the clients
            errors.append(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=visit)
    thread.start()
    return thread


@contextlib.contextmanager
def _watching(server: Server, highest: list[float]):
    """Note the server's memory every two seconds."""
    done = threading.Event()

    def watch():
        while not done.wait(2):
            highest.append(server.pss_mb())

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    done.set()
    thread.join()


def _memory_after_culling(server: Server, before: float, patience: float = 180) -> float:
    """Return the server's memory once the viewers' kernels are gone, or after `patience` seconds."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < patience:
        time.sleep(5)
        if (memory := server.pss_mb()) < 1.1 * before:
            break
    return memory


if __name__ == "__main__":
    main()
