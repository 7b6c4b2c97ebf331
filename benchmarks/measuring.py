"""What the benchmarks share: forms in turn, processes to measure in, this machine's rates, rows of the table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


def show(found: dict, as_json: bool) -> None:
    """Print what a benchmark found: as one line of JSON, or a line a figure."""
    if as_json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        for line in value if name in ("rows", "curves") else [value]:
            print(f"{name}: {line}")


def interleaved(forms: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each form, round by round, all forms in turn; a round before these warms up."""
    seconds = {name: [] for name in forms}
    for turn in range(rounds + 1):
        for name, form in forms.items():
            begin = time.perf_counter()
            form()
            if turn:
                seconds[name].append(time.perf_counter() - begin)
    return seconds


def row(
    what: str,
    ours: Sequence[float],
    plain: Sequence[float] = (),
    *,
    plain_way: str = "",
    unit: str = "s",
    over: str = "",
    floor: float | None = None,
    floor_of: str = "",
    at_least: float | None = None,
    at_most: float | None = None,
    aim: str = "",
) -> dict:
    """Return a row of the table.

    Parameters
    ----------
    ours, plain : seconds, or MB, round by round; less is better. Without `plain` there is no ratio.
    plain_way : what a user would write instead. over : what the spread is over, by default the rounds.
    floor : the least that it could take in the unit of `ours`. floor_of : what that is.
    at_least : the ratio aimed at. at_most : what `ours` should stay within. aim : the aim in words.
    """
    middle = statistics.median(ours)
    found = {
        "what": what,
        "unit": unit,
        "ours": middle,
        "over": over or f"{len(ours)} round{'s' * (len(ours) > 1)}",
        "met": None,
    }
    met = []
    if len(plain):
        ratios = [theirs / mine for theirs, mine in zip(plain, ours, strict=True)]
        ratio = statistics.median(plain) / middle
        found |= {"plain": statistics.median(plain), "plain_way": plain_way}
        found |= {"ratio": ratio, "lowest": min(ratios), "highest": max(ratios)}
        if at_least is not None:
            aim = aim or f"at least {at_least:g} times as {'fast' if unit == 's' else 'small'}"
            met.append(ratio >= at_least)
    else:
        found |= {"lowest_ours": min(ours), "highest_ours": max(ours)}
    if at_most is not None:
        aim = aim or f"at most {amount(at_most, unit)}"
        met.append(middle <= at_most)
    if floor is not None:
        found |= {"floor": floor, "floor_of": floor_of, "times_the_floor": middle / floor}
    return found | ({"aim": aim, "met": all(met)} if met else {})


def amount(value: float, unit: str) -> str:
    """Return seconds or MB as they are read: "12 ms", "3.4 s", "2.1 h", "0.69 GB"."""
    if unit == "MB":
        return f"{value / 1000:.2f} GB" if value >= 1000 else f"{value:.0f} MB"
    if unit != "s" or value == 0:
        return f"{value:.3g} {unit}".strip()
    for size, name in ((3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{1e6 * value:.3g} µs"


def matrix_rate(side: int = 2048, repeats: int = 5) -> float:
    """Return multiply-adds a second of the product of two square float32 matrices with all cores: the best of some."""
    a, b = np.random.default_rng(0).random((2, side, side), dtype=np.float32)
    return side**3 / min(interleaved({"product": lambda: a @ b}, repeats)["product"])


def memory_rate(megabytes: int = 256, repeats: int = 5) -> float:
    """Return bytes a second that all cores together read and write while copying: the best of some."""
    threads = os.cpu_count() or 1
    source = np.ones((threads, megabytes * 1_000_000 // threads), np.uint8)
    target = np.zeros_like(source)
    with ThreadPoolExecutor(threads) as pool:
        copy = lambda: list(pool.map(np.copyto, target, source))
        return 2 * source.nbytes / min(interleaved({"copy": copy}, repeats)["copy"])


def in_own_process(name: str, *arguments: object, environment: dict | None = None) -> tuple[dict, float]:
    """Run `python -m benchmarks.NAME arguments`; return the JSON line it prints and the seconds until that stood.

    Raises
    ------
    RuntimeError : it ended without one, with the last line of what it said.
    """
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as said:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=os.environ | (environment or {}),
        )
        with process:
            answer = next((line for line in process.stdout if line.startswith("{")), "")
            seconds = time.perf_counter() - begin
            process.stdout.read()
        if not answer:
            said.seek(0)
            lines = said.read().strip().splitlines() or ["it said nothing"]
            raise RuntimeError(
                f"{' '.join(command[1:])} ended with {process.returncode} and no answer: {lines[-1]}"
            )
    return json.loads(answer), seconds


class Worker:
    """A process of `python -m benchmarks.NAME arguments` that answers each line it gets with a number."""

    def __init__(self, name: str, *arguments: object):
        self._command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def send(self, question: str) -> None:
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()

    def answer(self) -> float:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process died; run {' '.join(self._command[1:])} by hand to see why")
        return float(line)

    def ask(self, question: str) -> float:
        self.send(question)
        return self.answer()

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)
