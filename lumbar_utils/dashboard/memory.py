"""Keeps a viewer's memory near what the viewer uses."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _ARENA_MAX = -1, -8  # names of glibc's mallopt(3)


def return_freed_memory() -> None:
    """Tell glibc to hand freed memory back to the system at once, and to keep one heap for all threads.

    By itself it raises the size from which blocks are handed back to that of the largest one ever freed, up to 32 MB,
    so the layers of one network that was looked into would stay with the page. Elsewhere nothing is done.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, 128 * 1024)
        mallopt(_ARENA_MAX, 1)
