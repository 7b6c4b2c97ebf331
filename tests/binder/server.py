"""JupyterLab as Binder starts it: below a path of its own, with a token, Voila as an extension, one processor."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

BASE = "/user/rehearsal/"
SECONDS_TO_START, SECONDS_TO_STOP = 300, 60


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, the token that it asks for, its process."""

    port: int
    token: str
    process: subprocess.Popen

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{BASE}{path}"

    def ask(self, method: str, path: str, **options) -> requests.Response:
        """Send a request with the token, and raise where the answer is an error."""
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between us
            session.headers["Authorization"] = f"token {self.token}"
            answer = session.request(method, self.url(path), timeout=60, **options)
        answer.raise_for_status()
        return answer

    def stop_kernels(self) -> None:
        """End all kernels; the server refuses while it starts a killed one again, so ask until it can."""
        deadline = time.monotonic() + SECONDS_TO_STOP
        while kernels := self.ask("GET", "api/kernels").json():
            try:
                for kernel in kernels:
                    self.ask("DELETE", f"api/kernels/{kernel['id']}")
            except requests.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)


@contextmanager
def serve(
    folder: Path, environment: dict[str, str], *, cpus: int, prefix: tuple[str, ...], log: Path
) -> Iterator[Server]:
    """Start the server in `folder`; what it says goes to the file `log`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [
        *prefix,
        "jupyter-lab",
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.base_url={BASE}",
        f"--ServerApp.token={token}",
        "--ServerApp.trust_xheaders=True",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]
    with open(log, "w") as said, _on_processors(cpus):
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
    try:
        server = Server(port, token, process)
        _wait(server, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _on_processors(count: int) -> Iterator[None]:
    """What is started meanwhile stays on the first `count` processors; Linux only, elsewhere all are used."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(ours)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def _wait(server: Server, log: Path) -> None:
    for _ in range(SECONDS_TO_START * 2):
        if server.process.poll() is not None:
            break
        try:
            server.ask("GET", "api/status")
            return
        except requests.RequestException:
            time.sleep(0.5)
    sys.exit(f"The server did not start. It said:\n{log.read_text()[-3000:]}")
