"""Rehearses Binder: its packages, postBuild, then Lab, every lesson and the dashboard under 2 GB on one processor.

`make rehearse-binder`, or `python tests/binder/run.py [--lessons 00,16] [--fast] [--cpus N] [--json]`. One server for
all, as a student has it, and one kernel at a time. Exits 1 where a cell fails, a kernel is killed, a launch link of
README opens nothing, or the dashboard draws no chart or asks another host. Rehearsed is the limit, not the machine:
libraries on Binder's see more processors than they may use.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import requests

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

from binder.kernels import run_notebook  # noqa: E402
from binder.server import Server, serve  # noqa: E402

from binder import dashboard, environment, links, memory  # noqa: E402

DASHBOARD = "20"


@dataclass(frozen=True)
class Row:
    """One lesson, or the dashboard in a browser: seconds, the most that server and kernel held, what went wrong."""

    name: str
    seconds: float
    peak_mb: int
    failed: str

    def __str__(self) -> str:
        return f"{self.name:34s} {self.seconds:7.1f} s {self.peak_mb:6d} MB  {self.failed}"


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # not without ending the server
    say = lambda line: print(line, file=sys.stderr if options.json else sys.stdout, flush=True)
    with environment.alone():
        environment.build(say)
        limit = memory.limit_here()
        processors = f"{options.cpus} processor{'s' if options.cpus > 1 else ''}"
        say(f"{processors}, {memory.LIMIT / 2**30:.0f} GB for server and kernel, kept by {limit.name}")
        rows = rehearse(options, limit, say)
    failed = [row.name for row in rows if row.failed]
    if options.json:
        found = {"limit": limit.name, "cpus": options.cpus, "fast": options.fast}
        print(json.dumps(found | {"rows": [asdict(row) for row in rows]}))
    say(f"failed: {', '.join(failed)}" if failed else f"all {len(rows)} passed")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lessons", default="", help="only these, such as 00,16; 20 includes the dashboard")
    parser.add_argument("--fast", action="store_true", help="few epochs and pictures (LUMBAR_FAST=1)")
    parser.add_argument("--cpus", type=int, default=1, help="processors of the server (1, as there)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    wanted = set(filter(None, options.lessons.split(",")))
    there = sorted(path.stem for path in (environment.ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if unknown := wanted - {name[:2] for name in there}:
        parser.error(f"there is no lesson {', '.join(sorted(unknown))}; there are 00 to {there[-1][:2]}")
    options.lessons = [name for name in there if not wanted or name[:2] in wanted]
    return options


def rehearse(options: argparse.Namespace, limit: memory.Limit, say) -> list[Row]:
    """Return a row for the launch links, for each lesson, and for the dashboard."""
    there = {"MEM_LIMIT": str(memory.LIMIT), "CPU_LIMIT": f"{options.cpus:.1f}"}  # as the hub sets them
    variables = environment.variables() | there | ({"LUMBAR_FAST": "1"} if options.fast else {})
    opened = links.binder_paths((environment.CHECKOUT / "README.md").read_text("utf-8"))
    where = {"cpus": options.cpus, "prefix": limit.prefix, "log": environment.BUILD / "server.log"}
    rows = []
    try:
        with serve(environment.CHECKOUT, variables, **where) as server:
            watch = memory.Watch(server.process.pid, memory.LIMIT if limit.is_ours else None)
            for name, work in parts(server, options.lessons, opened):
                try:
                    rows.append(measure(name, work, watch))
                    say(rows[-1])
                except dashboard.NoChromium:
                    say(f"No Chromium (`apt-get install chromium`): {name} was left out.")
            watch.stop()
    finally:
        limit.close()
    return rows


def parts(server: Server, lessons: list[str], opened: list[str]) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield by name what is done with the server, each part a function that says what went wrong."""
    yield "launch links", partial(open_links, server, opened)
    for lesson in lessons:
        yield lesson, partial(run_notebook, server, f"notebooks/{lesson}.ipynb")
        if lesson.startswith(DASHBOARD):
            (page,) = (path for path in opened if path.startswith("voila/"))
            yield "the dashboard in a browser", partial(dashboard.visit, server, page)
            server.stop_kernels()


def measure(name: str, work: Callable[[], str], watch: memory.Watch) -> Row:
    """Do something with the server; return its row."""
    watch.lap()
    started = time.perf_counter()
    try:
        failed = work()
    except requests.RequestException as error:
        failed = f"the server: {error}"
    seconds = round(time.perf_counter() - started, 1)
    if watch.killed_at:
        failed = f"{failed or 'killed'} (at {watch.killed_at / 1e6:.0f} MB, over {memory.LIMIT / 1e6:.0f} MB)"
    return Row(name, seconds, round(watch.peak / 1e6), failed)


def open_links(server: Server, paths: list[str]) -> str:
    """Open what the launch links of README open in Lab, and find the notebook behind each; Voila's is visited later."""
    for path in paths:
        if path.startswith("lab/"):
            server.ask("GET", path)
        server.ask("GET", f"api/contents/{path[path.index('notebooks/') :]}?content=0")
    return ""


if __name__ == "__main__":
    sys.exit(main())
