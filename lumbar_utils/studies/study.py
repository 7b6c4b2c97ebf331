"""The study: every network on the same folds, and learning curves; interrupted at any moment, it goes on where it was.

`python -m lumbar_utils study`. A run is stored whole or not at all, and made again only when it is not there, damaged,
or made with another configuration or phantom.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from functools import partial
from pathlib import Path

import pandas as pd

from ..dataset import LumbarError
from ..evaluation.paper import PAPER_PATIENTS
from ..models import ARCHITECTURES
from ..phantom import PHANTOM_VERSION
from .study_executors import Workplace, only_one, workplace
from .study_run import HYBRIDS, Configuration, Run, perform, perform_apart
from .study_store import MISSING, save_comparison, save_curves, save_run, seconds_of, state_of, study_folder

CURVE_PATIENTS = (50, 100, 190, 400, 800)
SEEDS = 3


def plan(
    networks: Sequence[str] | None = None,
    *,
    patients: int = PAPER_PATIENTS,
    folds: int = 5,
    seeds: int = SEEDS,
    curve_patients: Sequence[int] = CURVE_PATIENTS,
) -> list[Run]:
    """Return the runs in an order that keeps the tables balanced: all networks' seed 0, fold 0 first, and so on.

    networks : names of architectures or "cnn_svm", by default all; learning curves leave the hybrid out.
    """
    known = (*ARCHITECTURES, *HYBRIDS)
    networks = known if networks is None else tuple(networks)
    for name in networks:
        if name not in known:
            raise LumbarError(f"There is no network {name!r} to study; choose from {', '.join(known)}.")
    runs = []
    for seed in range(seeds):
        runs += [Run("comparison", name, patients, seed, fold) for fold in range(folds) for name in networks]
        runs += [
            Run("curve", name, size, seed)
            for size in curve_patients
            for name in networks
            if name not in HYBRIDS
        ]
    return runs


def run_study(
    runs: Sequence[Run],
    configuration: Configuration = Configuration(),  # noqa: B008 (frozen)
    *,
    folder: str | Path | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    hours: float | None = None,
    log: Callable[[str], None] = print,
    work: Callable[..., tuple] = perform,
) -> int:
    """Compute and store the runs that are not there yet; return how many are still to do.

    Parameters
    ----------
    folder : where results are kept, by default results/study.
    jobs, scheduler : see `workplace`. All storing is done here, so a cluster needs no common disk.
    hours : no run is begun after so many; those under way are finished.
    log : takes the report, line by line.
    work : (run, configuration=…, threads=…) to predictions and history; another study's own, on this machine only.

    Raises
    ------
    LumbarError : another study in this folder; at the end, for runs that failed.
    KeyboardInterrupt : Ctrl-C, after saying how much is done and how to go on.
    """
    folder = study_folder(folder)
    ends = None if hours is None else time.monotonic() + 3600 * hours
    with only_one(folder):
        for leftover in (folder / "runs").glob(".*.part"):  # of a process that was killed while writing
            leftover.unlink()
        todo = _todo(folder, runs, configuration, log)
        progress = _Progress(folder, len(runs), len(runs) - len(todo), log)
        log(f"{progress} done, {len(todo)} to do.")
        if not todo:
            return 0
        # a Dask worker has other threads, so there each run gets a process of its own
        work = partial(work if scheduler is None else perform_apart, configuration=configuration)
        try:
            with workplace(jobs, scheduler) as place:
                for run, future in _computed(partial(work, threads=place.threads), todo, place, ends):
                    progress.store(run, future)
        except KeyboardInterrupt:
            log(f"\nInterrupted: {progress} done and kept; the same command goes on from there.")
            raise
        except BrokenExecutor as error:
            raise LumbarError(
                f"A process of the study ended unasked, perhaps for want of memory; {progress} done and kept: start "
                f"again with fewer than {jobs} jobs."
            ) from error
        if pooled := save_comparison(folder, runs, configuration):
            log(f"Folds and seeds pooled in {folder}: {', '.join(pooled)}.")
        save_curves(folder, runs, configuration)
    if progress.failed:
        name, error = next(iter(progress.failed.items()))
        raise LumbarError(f"{len(progress.failed)} of {len(runs)} runs failed, first {name}: {error}")
    if progress.done < len(runs):
        log(f"The time is up: {progress} done; the same command goes on from there.")
    return len(runs) - progress.done


class _Progress:
    """Stores runs as they end, and counts them."""

    def __init__(self, folder: Path, total: int, done: int, log: Callable[[str], None]):
        self.folder, self.total, self.done, self.log = folder, total, done, log
        self.failed: dict[str, LumbarError] = {}

    def __str__(self) -> str:
        return f"{self.done} of {self.total} runs are"

    def store(self, run: Run, future: Future) -> None:
        """Keep what a run found, or note that it failed: the same run would fail again, the others need not."""
        try:
            predictions, history = future.result()
        except LumbarError as error:
            self.failed[run.name] = error
            self.log(f"{run.name} failed: {error}")
            return
        made_on = predictions.provenance["phantom_version"]
        if made_on != PHANTOM_VERSION:
            raise LumbarError(
                f"A worker draws phantom {made_on} and this package draws phantom {PHANTOM_VERSION}; install the same "
                "version everywhere."
            )
        save_run(self.folder, run, predictions, history)
        self.done += 1
        right = (predictions.predicted == predictions.labels).mean()
        seconds = predictions.provenance["seconds"]
        score = f"accuracy on {predictions.measured_on} {right:.1%}"
        self.log(f"{self.done} of {self.total}: {run.name}, {score}, {seconds:.0f} s")


def status(
    runs: Sequence[Run],
    configuration: Configuration = Configuration(),  # noqa: B008 (frozen)
    *,
    folder: str | Path | None = None,
) -> pd.DataFrame:
    """Return one row a network: done, to_do, mean_seconds of a finished run, and hours_to_go in one process.

    Where a network has no finished run yet, the mean over the others stands in; with none at all, it is NaN.
    """
    folder, table = study_folder(folder), {}
    for run in runs:
        row = table.setdefault(run.network, {"done": 0, "to_do": 0, "seconds": []})
        if state_of(folder, run, configuration) is None:
            row["done"] += 1
            row["seconds"].append(seconds_of(folder, run))
        else:
            row["to_do"] += 1
    overall = pd.Series([each for row in table.values() for each in row["seconds"]], dtype=float).mean()
    rows = []
    for network, row in table.items():
        mean = sum(row["seconds"]) / len(row["seconds"]) if row["seconds"] else overall
        rows.append(
            {
                "network": network,
                "done": row["done"],
                "to_do": row["to_do"],
                "mean_seconds": round(mean, 1),
                "hours_to_go": round(row["to_do"] * mean / 3600, 2),
            }
        )
    return pd.DataFrame(rows).set_index("network")


def _todo(folder: Path, runs, configuration, log) -> list[Run]:
    todo = []
    for run in runs:
        state = state_of(folder, run, configuration)
        if state is not None:
            todo.append(run)
        if state not in (None, MISSING):
            log(f"{run.name} is made again: {state}.")
    return todo


def _computed(work: Callable, todo: list[Run], place: Workplace, ends: float | None):
    """Yield (run, future) as runs end, never more of them under way than the place has slots for."""
    waiting, under_way = iter(todo), {}
    while True:
        while len(under_way) < place.slots() and (ends is None or time.monotonic() < ends):
            run = next(waiting, None)
            if run is None:
                break
            future: Future = place.executor.submit(work, run)
            under_way[future] = run
        if not under_way:
            return
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            yield under_way.pop(future), future
