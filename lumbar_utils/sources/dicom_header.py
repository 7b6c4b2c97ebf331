"""What may leave a DICOM header: technical tags alone, and nothing in warnings and logs."""

from __future__ import annotations

import contextlib
import logging
import math
import struct
import warnings
import zlib
from collections.abc import Iterator

import cv2
import pydicom
from PIL import Image
from pydicom.errors import BytesLengthException, InvalidDicomError

_NUMBERS = (
    "Rows",
    "Columns",
    "NumberOfFrames",
    "PixelSpacing",
    "SliceThickness",
    "MagneticFieldStrength",
    "RepetitionTime",
    "EchoTime",
)
# Words are kept only when they are terms of the standard: a header may hold a name in any of its fields.
_TERMS = {
    "Modality": ("CR", "CT", "DX", "MR", "NM", "OT", "PT", "PX", "RF", "RG", "SC", "US", "XA", "XC"),
    "PhotometricInterpretation": (
        "MONOCHROME1",
        "MONOCHROME2",
        "PALETTE COLOR",
        "RGB",
        "YBR_FULL",
        "YBR_FULL_422",
        "YBR_ICT",
        "YBR_RCT",
    ),
}
ALLOWED_TAGS = (*_NUMBERS, *_TERMS)
_ENHANCED_NAMES = {"EchoTime": "EffectiveEchoTime"}
MAX_STRETCH = 10  # pixels longer than ten times their width are a mistake of the header
# What pydicom and its decoders raise on files that are cut, damaged or of a kind they do not know.
DECODING_ERRORS = (
    InvalidDicomError,
    BytesLengthException,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    cv2.error,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom from warning and logging: it quotes header values, which may be a patient's name."""
    loggers = [
        logging.getLogger(name)
        for name in ("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.utils")
    ]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def count_frames(header: pydicom.Dataset) -> int:
    """Return the number of frames, at least 1."""
    return max(1, int(header.get("NumberOfFrames") or 1))


def frame_value(header: pydicom.Dataset, tag: str, frame: int = 0):
    """Return the value of `tag` for one frame, looked up in the functional groups of enhanced files too.

    None stands for a tag that is missing, empty, or cannot be read.
    """
    try:
        groups = header.get("PerFrameFunctionalGroupsSequence") or []
        shared = header.get("SharedFunctionalGroupsSequence") or []
        for group in [*groups[frame : frame + 1], *shared[:1]]:
            for element in group:
                if element.VR == "SQ" and element.value:
                    for known in (tag, _ENHANCED_NAMES.get(tag, tag)):
                        if element.value[0].get(known) not in (None, ""):
                            return element.value[0].get(known)
        value = header.get(tag)
        return None if value == "" else value
    except DECODING_ERRORS:
        return None


def numbers(value, count: int) -> tuple[float, ...] | None:
    """Return the first `count` numbers of a header value; None where they are missing, unreadable or infinite."""
    try:
        values = (value,) if isinstance(value, int | float | str) else tuple(value)
        found = tuple(float(v) for v in values[:count])
    except (TypeError, ValueError, OverflowError):
        return None
    return found if len(found) == count and all(map(math.isfinite, found)) else None


def square_spacing(header: pydicom.Dataset, frame: int = 0) -> float | None:
    """Return the side in mm of the square pixels that `display` makes; None when the header has no spacing."""
    spacing = numbers(frame_value(header, "PixelSpacing", frame), 2)
    usable = spacing is not None and min(spacing) > 0 and max(spacing) <= MAX_STRETCH * min(spacing)
    return min(spacing) if usable else None


def technical_tags(header: pydicom.Dataset, frame: int = 0) -> dict[str, float | str | tuple[float, float]]:
    """Return those of `ALLOWED_TAGS` that the file has: numbers as floats, words only if the standard knows them."""
    tags = {}
    for tag in _NUMBERS:
        found = numbers(frame_value(header, tag, frame), 2 if tag == "PixelSpacing" else 1)
        if found is not None:
            tags[tag] = found if len(found) > 1 else found[0]
    for tag, terms in _TERMS.items():
        if (word := frame_value(header, tag, frame)) in terms:
            tags[tag] = str(word)
    return tags
