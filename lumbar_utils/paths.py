"""Where results and caches lie, in a checkout and in an installed package."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def results_folder() -> Path:
    """Return the folder with the shipped studies: beside the package in a checkout, inside it when installed."""
    installed = PACKAGE / "_results"
    return installed if installed.is_dir() else PACKAGE.parent / "results"


def cache_folder() -> Path:
    """Return the folder for data made on this machine: `LUMBAR_CACHE`, else `~/.cache/lumbar_utils`."""
    return Path(os.environ.get("LUMBAR_CACHE") or Path.home() / ".cache" / "lumbar_utils")


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write aside, then rename, so that a reader never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_bytes(content)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
