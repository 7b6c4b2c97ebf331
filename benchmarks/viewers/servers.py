"""Starts the dashboard, or a page of one plotly figure to hold it against, and measures a server's memory."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
import psutil

PLAIN = "import plotly.graph_objects as go\n\ngo.Figure(go.Bar(x=list('abcd'), y=[3, 1, 4, 1]))"


@dataclass
class Server:
    """A running server: where it is, its process, and the seconds it took to be ready."""

    url: str
    process: psutil.Process
    seconds: float

    def kernels(self) -> list[psutil.Process]:
        """Return the processes of its kernels."""
        return [
            each for each in self.process.children(recursive=True) if "ipykernel_launcher" in _command(each)
        ]

    def pss_mb(self) -> float:
        """Return the memory of the server and all its kernels; what several share is counted once."""
        return sum(map(pss_mb, [self.process, *self.process.children(recursive=True)]))


def pss_mb(process: psutil.Process) -> float:
    """Return a process's proportional set size in MB, or 0 if it has ended."""
    try:
        return process.memory_full_info().pss / 1e6
    except psutil.NoSuchProcess:
        return 0.0


@contextlib.contextmanager
def dashboard(**settings: dict) -> Iterator[Server]:
    """Serve the dashboard; settings replace entries of `serve.SETTINGS`, as VoilaConfiguration={...}."""
    port = free_port()
    code = (
        "from lumbar_utils.dashboard import serve\n"
        f"for section, values in {settings!r}.items():\n"
        "    serve.SETTINGS.setdefault(section, {}).update(values)\n"
        f"serve.dashboard(port={port})"
    )
    with _running([sys.executable, "-c", code], port, announced=True) as server:
        yield server


@contextlib.contextmanager
def plain_page(*, preheated: bool) -> Iterator[Server]:
    """Serve a notebook of one cell, which shows one plotly figure, with Voila as it comes."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / "plain.ipynb"
        cells = [nbformat.v4.new_code_cell(PLAIN)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
        command = [sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}"]
        with _running(command + ["--preheat_kernel=True"] * preheated, port, announced=False) as server:
            yield server


@contextlib.contextmanager
def _running(command: list[str], port: int, *, announced: bool) -> Iterator[Server]:
    begin = time.perf_counter()
    popen = subprocess.Popen(
        command,
        stdout=subprocess.PIPE if announced else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        if announced and not any(line.startswith("open") for line in popen.stdout):
            raise RuntimeError("The dashboard did not start; start it with `make dashboard` to see why.")
        while not announced and not _listens(port):
            if popen.poll() is not None or time.perf_counter() - begin > 120:
                raise RuntimeError("Voila did not serve the plain page.")
            time.sleep(0.1)
        yield Server(url, psutil.Process(popen.pid), time.perf_counter() - begin)
    finally:
        popen.terminate()
        popen.wait(timeout=60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url: str) -> bool:
    """Return whether the server still gives pages."""
    try:
        with urlopen(f"{url}voila/static/favicon.ico", timeout=10) as answer:
            return answer.status == 200
    except (URLError, TimeoutError):
        return False


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
