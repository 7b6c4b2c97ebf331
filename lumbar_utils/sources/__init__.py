"""Where pictures come from: one file a source, each returning a `LumbarDataset`."""

from ..dataset import LumbarDataset, LumbarError
from .folder import read_folder
from .phantoms import read_phantoms
from .pictures import read_picture
from .yolo import read_yolo

__all__ = ["load_dataset", "read_folder", "read_phantoms", "read_picture", "read_yolo"]

_SOURCES = {"phantom": read_phantoms, "folder": read_folder, "yolo": read_yolo}


def load_dataset(source: str, **options) -> LumbarDataset:
    """Load a dataset by the name of its source.

    Parameters
    ----------
    source : "phantom" (made on this machine), "folder" (a folder a class) or "yolo" (pictures with boxes).
    **options : handed to `read_phantoms`, `read_folder` or `read_yolo`, where they are described.

    Raises
    ------
    LumbarError : an unknown source, or anything that the source finds wrong.
    """
    if source not in _SOURCES:
        raise LumbarError(f"There is no source {source!r}; choose one of {', '.join(map(repr, _SOURCES))}.")
    return _SOURCES[source](**options)
