"""How much memory this process has held."""

import sys
from pathlib import Path


def peak_memory_mb() -> float:
    """Return the most memory this process has held so far, in MB."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    if sys.platform == "linux":
        # not ru_maxrss: that carries over what the parent held when it started this process
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS
