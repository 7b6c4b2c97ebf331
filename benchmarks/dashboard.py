"""What the dashboard costs: the first chart beside a plain Voila page, a viewer's memory, a slider, thirty viewers.

`python -m benchmarks.dashboard [--json]`. Needs a Chromium on the path; --visits, --viewers and --loads
make it shorter.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import threading
import time

from .measuring import row, show
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
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 10, 30], help="so many at once")
    parser.add_argument("--loads", type=int, default=200)
    options = parser.parse_args()
    show(measure(options.visits, options.viewers, options.loads), options.json)


def measure(visits: int, viewers: list[int], n_loads: int) -> dict:
    """Return what all parts found, with the rows of the table and a curve over `viewers` at once."""
    found = {**first_charts(visits), **one_viewer()}
    for n in sorted(viewers):
        found |= many_viewers(n)
    found |= many_loads(n_loads)
    return found | {"rows": rows(found, max(viewers), n_loads), "curves": [viewers_curve(found, viewers)]}


def rows(found: dict, viewers: int, n_loads: int) -> list[dict]:
    """Return the rows of the table; the floor of a first chart is the plain page."""
    charts = [
        row(
            f"Dashboard: first chart, {way} kernel",
            found[f"first_chart_seconds_{way}"],
            plain := found[f"plain_chart_seconds_{way}"],
            plain_way="a Voila page of one cell and one figure",
            over=f"{len(plain)} visits",
            floor=statistics.median(plain),
            floor_of="that page",
            at_least=1 / 1.4,
            aim="at most 1.4 times as long",
        )
        for way in ("cold", "preheated")
    ]
    return [
        *charts,
        row("Dashboard: memory of one viewer, all panels", [found["viewer_pss_mb"]], unit="MB", at_most=300),
        row("Dashboard: a slider answers, all models", [found["slider_ms"] / 1000], at_most=0.3),
        row(
            f"Dashboard: {viewers} viewers at once, {found[f'viewers_{viewers}_errors']} errors",
            [found[f"viewers_{viewers}_seconds"]],
            at_most=60 if not found[f"viewers_{viewers}_errors"] else 0,
            aim="complete in 60 s, no error",
        ),
        row(
            "Dashboard: memory after they have gone, over that before",
            [found["memory_after_culling_ratio"]],
            unit="times",
            at_most=1.1,
        ),
        row(
            f"Dashboard: hangs in {n_loads} page loads in a row",
            [found[f"loads_{n_loads}_hangs"]],
            unit="",
            at_most=0,
            aim="none",
        ),
    ]


def viewers_curve(found: dict, viewers: list[int]) -> dict:
    """Return how the wait and the server's memory grow with viewers at once."""
    return {
        "title": "Viewers of the dashboard at once",
        "about": "Each opens the page, a panel, and moves a slider.",
        "table": [
            ["viewers", "all done, s", "median, s", "errors", "memory, GB"],
            *(
                [
                    n,
                    *(
                        found[f"viewers_{n}_{part}"]
                        for part in ("seconds", "median_seconds", "errors", "pss_gb")
                    ),
                ]
                for n in viewers
            ),
        ],
    }


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
        found[f"first_chart_seconds_{way}"] = [round(each, 2) for each in ours]
        found[f"plain_chart_seconds_{way}"] = [round(each, 2) for each in plain]
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
