"""Where pictures come from: one file a source, each returning a `LumbarDataset`."""

from ..dataset import LumbarDataset, LumbarError
from .dicom_series import read_dicom_series
from .folder import read_folder
from .phantoms import read_phantoms
from .pictures import read_picture
from .rsna import read_rsna
from .spider import read_spider
from .sudirman import read_sudirman
from .yolo import read_yolo

__all__ = [
    "load_dataset",
    "read_dicom_series",
    "read_folder",
    "read_phantoms",
    "read_picture",
    "read_rsna",
    "read_spider",
    "read_sudirman",
    "read_yolo",
]

_SOURCES = {
    "phantom": read_phantoms,
    "folder": read_folder,
    "yolo": read_yolo,
    "dicom": read_dicom_series,
    "spider": read_spider,
    "rsna": read_rsna,
    "sudirman": read_sudirman,
}


def load_dataset(source: str, **options) -> LumbarDataset:
    """Load a dataset by the name of its source.

    Parameters
    ----------
    source : "phantom" (made on this machine), "folder" (a folder a class), "yolo" (pictures with boxes), "dicom" (a
        file or a series), or a public dataset in its published layout: "spider", "rsna", "sudirman".
    **options : handed to `read_phantoms`, `read_folder`, and so on, where they are described.

    Raises
    ------
    LumbarError : an unknown source, or anything that the source finds wrong.
    """
    if source not in _SOURCES:
        raise LumbarError(f"There is no source {source!r}; choose one of {', '.join(map(repr, _SOURCES))}.")
    return _SOURCES[source](**options)
