"""Reads one DICOM file: the pixels as a radiologist would see them, and technical tags alone.

No name, id, date or free text of the header leaves this file, not even in an error.
"""

from __future__ import annotations

import io
import logging
import struct
import warnings

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.pixels import apply_modality_lut, apply_voi_lut, convert_color_space

from ..dataset import LumbarError

ALLOWED_TAGS = (
    "Modality",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "PixelSpacing",
    "SliceThickness",
    "MagneticFieldStrength",
    "RepetitionTime",
    "EchoTime",
    "PhotometricInterpretation",
)
# What pydicom and its decoders raise on files that are cut, damaged or of a kind they do not know.
_DECODING_ERRORS = (
    InvalidDicomError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)

# pydicom quotes header values in its warnings, and a header value may be a patient's name.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


def is_dicom(content: bytes) -> bool:
    """Return whether `content` has the DICOM preamble."""
    return content[128:132] == b"DICM"


def read_dicom(content: bytes, *, name: str, max_pixels: int) -> tuple[np.ndarray, dict]:
    """Return (H, W) uint8 pixels and the allowed technical tags.

    Rescale slope and window are applied, MONOCHROME1 is turned so that bright is bright, colours become grey,
    and of several frames the middle one is taken.

    Raises
    ------
    LumbarError : no pixels, too many pixels, a compression that cannot be read, or a damaged file.
    """
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        try:
            header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=False)
            has_pixels = "PixelData" in header
            rows, columns = int(header.get("Rows") or 0), int(header.get("Columns") or 0)
            n_frames = int(header.get("NumberOfFrames") or 1)
        except _DECODING_ERRORS:
            raise _damaged(name) from None  # the cause may quote the header
        if not has_pixels or rows == 0 or columns == 0:
            raise LumbarError(
                f"{name} is a DICOM file without pixels (a report, a plan or a directory); wanted an image: choose "
                "the file of a slice."
            )
        if rows * columns > max_pixels or rows * columns * n_frames > 8 * max_pixels:
            raise LumbarError(
                f"{name} has {columns} x {rows} pixels in {n_frames} frame(s), at most {max_pixels // 1_000_000} "
                "million are read; save the one slice you need."
            )
        tags = {tag: header.get(tag) for tag in ALLOWED_TAGS if tag in header}
        try:
            pixels = _displayed(header, n_frames)
        except _DECODING_ERRORS as error:
            syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
            if syntax is not None and syntax.is_compressed and not isinstance(error, ValueError | EOFError):
                raise LumbarError(
                    f"{name} is compressed in a way that cannot be read here ({syntax.name}); save it uncompressed."
                ) from None  # the cause may quote the header
            raise _damaged(name) from None  # the cause may quote the header
    return pixels, tags


def _damaged(name: str) -> LumbarError:
    return LumbarError(
        f"{name} is a DICOM file that is cut or damaged; export it again from the viewer or the archive."
    )


def _displayed(header: pydicom.Dataset, n_frames: int) -> np.ndarray:
    """Return the middle frame as uint8, windowed as the header asks."""
    pixels = header.pixel_array
    if n_frames > 1:
        pixels = pixels[n_frames // 2]
    photometric = str(header.get("PhotometricInterpretation", "MONOCHROME2"))
    if pixels.ndim == 3:
        if photometric.startswith("YBR"):
            pixels = convert_color_space(pixels, photometric, "RGB")
        values = pixels[..., :3].astype(np.float32) @ np.float32([0.299, 0.587, 0.114])
    else:
        values = np.asarray(apply_voi_lut(apply_modality_lut(pixels, header), header), dtype=np.float32)
        if photometric == "MONOCHROME1":
            values = values.max() - values
    low, high = np.percentile(values, (0.1, 99.9))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / max(high - low, 1e-6))
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)
