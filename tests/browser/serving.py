"""Starts and stops the servers under test as a person does, from the command line."""

import signal
import socket
import subprocess
import sys

from helpers import ROOT


def start(verb: str, *arguments: str) -> subprocess.Popen:
    """Start `python -m lumbar_utils VERB` from the checkout, its two streams as text."""
    return subprocess.Popen(
        [sys.executable, "-m", "lumbar_utils", verb, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def stop(process: subprocess.Popen) -> int:
    """End a server as Ctrl+C does, where the system lets us, and return its exit code."""
    if process.poll() is None:
        process.terminate() if sys.platform == "win32" else process.send_signal(signal.SIGINT)
    try:
        return process.wait(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
