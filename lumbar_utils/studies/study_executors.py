"""Where runs are computed: in processes of this machine or on a Dask cluster, both behind `concurrent.futures`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from queue import SimpleQueue

from ..dataset import LumbarError

RUNS_A_PROCESS = 10  # TensorFlow keeps some memory of every network it has trained


class Workplace:
    """An executor, how many runs it takes at once (`slots()`), and TensorFlow's threads in each."""

    def __init__(self, executor: Executor, slots: Callable[[], int], threads: int):
        self.executor, self.slots, self.threads = executor, slots, threads


@contextmanager
def workplace(jobs: int = 1, scheduler: str | None = None) -> Iterator[Workplace]:
    """Open the place where runs are computed; nothing of it goes on once it is left.

    Parameters
    ----------
    jobs : processes on this machine; they share its cores.
    scheduler : the address of a Dask scheduler, such as "tcp://127.0.0.1:8786", used instead of processes here;
        each thread of its workers counts as one core.

    Raises
    ------
    LumbarError : fewer than one job, Dask is not installed, nobody answers, or nobody works.
    """
    if jobs < 1:
        raise LumbarError(f"jobs is {jobs}, wanted 1 or more processes; leave it out for one.")
    yield from _processes(jobs) if scheduler is None else _dask(scheduler)


def one_by_one_or_at_once(
    work: Callable[..., str], names: Iterable[str], *, jobs: int, log: Callable[[str], None]
) -> None:
    """Call `work(name)` for each name, and log what it returns as soon as it is there.

    jobs : with one, all is done in this process; with more, so many names at a time, in order, each as
        `work(name, threads=…)` in a process that has its share of the cores. `work` is sent to it.

    Raises
    ------
    What `work` raises first; what is under way then is given up.
    """
    if jobs == 1:
        for name in names:
            log(work(name))
        return
    with workplace(jobs) as place:
        done = []
        for name in names:
            done.append(place.executor.submit(work, name, threads=place.threads))  # waits for a free process
            done[-1].add_done_callback(lambda future: future.exception() or log(future.result()))
        wait_for(done, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()


class _Lanes(Executor):
    """So many lanes of one process each; a process makes way for a fresh one after `RUNS_A_PROCESS` runs.

    Not `max_tasks_per_child` of one pool: before Python 3.14 that may wait for ever (cpython issue 115634).
    """

    def __init__(self, jobs: int):
        self._free: SimpleQueue[tuple[ProcessPoolExecutor, int]] = SimpleQueue()
        for _ in range(jobs):
            self._free.put((self._lane(), 0))

    @staticmethod
    def _lane() -> ProcessPoolExecutor:
        # spawn, not fork: TensorFlow's threads do not survive a fork
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_start_worker)

    def submit(self, function, /, *arguments, **options) -> Future:
        """Compute in the next free lane; waits until there is one."""
        lane, used = self._free.get()
        if used == RUNS_A_PROCESS:
            lane.shutdown()
            lane, used = self._lane(), 0
        future = lane.submit(function, *arguments, **options)
        future.add_done_callback(lambda _: self._free.put((lane, used + 1)))
        return future


def _processes(jobs: int) -> Iterator[Workplace]:
    others = set(multiprocessing.active_children())
    try:
        yield Workplace(_Lanes(jobs), lambda: jobs, max(1, (os.cpu_count() or 1) // jobs))
    finally:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
            process.join()


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it, however it ends: an orphan would go on computing for nobody."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong still comes as an exception
    parent = multiprocessing.parent_process().sentinel
    threading.Thread(target=lambda: (wait([parent]), os._exit(1)), daemon=True).start()


def _dask(address: str) -> Iterator[Workplace]:
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise LumbarError(
            f"--scheduler {address} needs Dask, which is not installed; install it with pip install "
            '"lumbar-utils[cluster]".'
        ) from error
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise LumbarError(
            f"No Dask scheduler answers at {address} ({error}); start one with dask scheduler, and give its address."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=60)
        except TimeoutError as error:
            raise LumbarError(
                f"The scheduler at {address} has no worker; start one with dask worker {address}."
            ) from error
        executor = client.get_executor(pure=False)
        try:
            yield Workplace(executor, lambda: max(1, sum(client.nthreads().values())), 1)
        except (KilledWorker, CancelledError) as error:
            raise LumbarError(
                f"The cluster at {address} gave up ({error}); finished runs are kept: see to it and start again."
            ) from error
        finally:
            executor.shutdown(wait=False)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it when the process ends, even by a kill.

    Raises
    ------
    LumbarError : another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            _lock(file)
        except OSError as error:
            raise LumbarError(
                f"Another process runs a study in {folder}; wait for it, or give another folder with --out."
            ) from error
        yield


def _lock(file) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
