"""Reads one DICOM file: the pixels as a radiologist would see them, and technical tags alone.

No name, id, date or free text of the header leaves this file, not even in an error.
"""

from __future__ import annotations

import io
import re
import struct
import zlib

import cv2
import numpy as np
import pydicom
from pydicom.encaps import get_frame
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, get_decoder, pixel_array
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSTransferSyntaxes,
    RLELossless,
)

from ..dataset import LumbarError
from .dicom_header import (
    ALLOWED_TAGS,
    DECODING_ERRORS,
    MAX_STRETCH,
    count_frames,
    frame_value,
    numbers,
    quiet,
    technical_tags,
)

__all__ = ["ALLOWED_TAGS", "display", "is_dicom", "open_dicom", "read_dicom"]

_PIXEL_TAGS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LARGEST_INFLATED = 400_000_000  # bytes
_JPEG_TABLES = (0xC4, 0xDB, 0xDD, 0xF8, 0xFE, *range(0xE0, 0xF0))
_PREAMBLE = 128
# A file without preamble begins with group 0002 or 0008 and names an image storage class early on.
_BARE_START = re.compile(rb"[\x02\x08]\0..|\0[\x02\x08]..", re.DOTALL)
_BARE_CLASS = re.compile(
    rb"(?:\x08\0\x16\0|\0\x08\0\x16)(?:UI..|....)1\.2\.840\.10008\.5\.1\.4\.1\.1\.", re.DOTALL
)


def is_dicom(content: bytes) -> bool:
    """Return whether `content` has the DICOM preamble, or begins as a DICOM image that lost it."""
    if content[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return True
    return bool(_BARE_START.match(content)) and bool(_BARE_CLASS.search(content, 0, 4096))


def read_dicom(content: bytes, *, name: str, max_pixels: int) -> tuple[np.ndarray, dict]:
    """Return (H, W) uint8 pixels and the allowed technical tags.

    Rescale slope and window are applied, MONOCHROME1 is turned so that bright is bright, colours become grey,
    oblong pixels are resampled to square ones, and of several frames the middle one is taken.

    Raises
    ------
    LumbarError : no pixels, too many pixels, a compression that cannot be read, or a damaged file.
    """
    with quiet():
        header = open_dicom(content, name=name, max_pixels=max_pixels)
        frame = count_frames(header) // 2
        return display(header, frame, name=name, max_pixels=max_pixels), technical_tags(header, frame)


def open_dicom(content: bytes, *, name: str, max_pixels: int) -> pydicom.Dataset:
    """Return the header with its pixels still encoded; call within `quiet`, and hand no value of it on."""
    try:
        _refuse_a_bomb(content, name)
        header = pydicom.dcmread(io.BytesIO(content), force=True)
        if "TransferSyntaxUID" not in _file_meta(header):
            header.file_meta.TransferSyntaxUID = _syntax_of(header)
        has_pixels = any(tag in header for tag in _PIXEL_TAGS)
        rows, columns = int(header.get("Rows") or 0), int(header.get("Columns") or 0)
        n_frames, n_samples = count_frames(header), int(header.get("SamplesPerPixel") or 1)
    except LumbarError:
        raise
    except DECODING_ERRORS:
        raise _damaged(name) from None  # the cause may quote the header
    if len(header) == 0:
        raise _damaged(name)
    if not has_pixels and rows and columns:
        raise LumbarError(
            f"{name} is a DICOM file without pixels, though its header announces {columns} x {rows}; it is cut: "
            "export it again from the viewer or the archive."
        )
    if not has_pixels or rows == 0 or columns == 0:
        raise LumbarError(
            f"{name} is a DICOM file without pixels (a report, a plan or a directory); wanted an image: choose "
            "the file of a slice."
        )
    if rows * columns * n_samples > max_pixels or rows * columns * n_frames > 8 * max_pixels:
        raise LumbarError(
            f"{name} has {columns} x {rows} pixels of {n_samples} value(s) in {n_frames} frame(s), at most "
            f"{max_pixels // 1_000_000} million are read; save the one slice you need."
        )
    return header


def _file_meta(header: pydicom.Dataset) -> pydicom.Dataset:
    if getattr(header, "file_meta", None) is None:
        header.file_meta = pydicom.dataset.FileMetaDataset()
    return header.file_meta


def _syntax_of(header: pydicom.Dataset) -> pydicom.uid.UID:
    """Return the uncompressed transfer syntax in which a file without file meta was found to be written."""
    implicit, little = header.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _refuse_a_bomb(content: bytes, name: str) -> None:
    """Refuse a file that is deflated as a whole (PS3.5 A.5) when a few kilobytes of it become gigabytes."""
    if b"1.2.840.10008.1.2.1.99" not in content:
        return
    start = _PREAMBLE + 16 + int.from_bytes(content[_PREAMBLE + 12 : _PREAMBLE + 16], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    while start < len(content) and not inflater.eof and size <= _LARGEST_INFLATED:
        piece = inflater.decompress(content[start:] if size == 0 else inflater.unconsumed_tail, 1 << 24)
        if not piece:
            break
        size += len(piece)
    if size > _LARGEST_INFLATED:
        raise LumbarError(
            f"{name} inflates to over {_LARGEST_INFLATED // 1_000_000} MB; save the one slice you need, uncompressed."
        )


def display(header: pydicom.Dataset, frame: int, *, name: str, max_pixels: int) -> np.ndarray:
    """Return one frame as (H, W) uint8 with square pixels; call within `quiet`.

    Raises
    ------
    LumbarError : the pixels are damaged, too many, or compressed in a way that cannot be read.
    """
    try:
        pixels = _decoded(header, frame)
        palette = header.get("PhotometricInterpretation") == "PALETTE COLOR"
        if palette:
            pixels = apply_color_lut(pixels, _palette(header))
        grey = _luminance(pixels, header, palette) if pixels.ndim == 3 else _windowed(pixels, header, frame)
    except DECODING_ERRORS as error:
        raise _undecoded(header, error, name) from None  # the cause may quote the header
    return _squared(grey, numbers(frame_value(header, "PixelSpacing", frame), 2), name, max_pixels)


def _decoded(header: pydicom.Dataset, frame: int) -> np.ndarray:
    """Return the stored values of one frame, by Pillow where both it and python-gdcm know the compression.

    On a damaged stream python-gdcm may end the whole process, so a stream is looked at before it gets there.
    """
    syntax = header.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated or syntax == RLELossless:
        return pixel_array(header, index=frame)
    if "pillow" in get_decoder(syntax).available_plugins:
        return pixel_array(header, index=frame, decoding_plugin="pillow")
    stream = get_frame(header.PixelData, frame, number_of_frames=count_frames(header))
    announced = (int(header.Rows), int(header.Columns), int(header.SamplesPerPixel))
    bits, *size = _jpeg_size(stream, 0xF7 if syntax in JPEGLSTransferSyntaxes else 0xC3)
    stored, allocated = int(header.BitsStored), int(header.BitsAllocated)
    if tuple(size) != announced or stored < 8 or {-(-stored // 8), -(-bits // 8)} != {allocated // 8}:
        raise ValueError("The stream holds another picture than the header announces.")
    return pixel_array(header, index=frame)


def _jpeg_size(stream: bytes, frame_marker: int) -> tuple[int, int, int, int]:
    """Return bits, rows, columns and components of a JPEG or JPEG-LS stream whose segments are all in order.

    The segments up to the first scan are those of ITU-T T.81 B.2.1 and T.87 C.1, the frame header is B.2.2.
    """
    place, found = 2, None
    while stream[place] == 0xFF:
        marker, length = stream[place + 1], int.from_bytes(stream[place + 2 : place + 4])
        segment = stream[place + 4 : place + 2 + length]
        if marker == frame_marker and found is None:
            found = struct.unpack(">BHHB", segment[:6])
        elif marker == 0xDA and found is not None:
            if len(segment) != 2 * segment[0] + 4 or (frame_marker == 0xC3 and not 1 <= segment[-3] <= 7):
                break
            return found
        elif marker == 0xEE and segment.startswith(b"Adobe") and segment[11] > 1:
            break
        elif marker not in _JPEG_TABLES:
            break
        place += 2 + length
    raise ValueError("The stream is no JPEG of the announced kind.")


def _palette(header: pydicom.Dataset) -> pydicom.Dataset:
    """Return the header's palette; pydicom leaves the tables of a big-endian one in the file's order of bytes."""
    palette = header.group_dataset(0x0028)
    for colour in ("Red", "Green", "Blue"):
        tag = f"{colour}PaletteColorLookupTableData"
        if not header.original_encoding[1] and tag in palette and palette[tag].VR == "OW":
            turned = np.frombuffer(palette[tag].value, ">u2").astype("<u2").tobytes()
            palette[tag] = pydicom.DataElement(tag, "OW", turned)
    return palette


def _undecoded(header: pydicom.Dataset, error: Exception, name: str) -> LumbarError:
    syntax = pydicom.uid.UID(str(header.file_meta.TransferSyntaxUID))
    if not syntax.is_transfer_syntax or not syntax.is_compressed or isinstance(error, EOFError | MemoryError):
        return _damaged(name)
    try:
        if not get_decoder(syntax).is_available:
            return LumbarError(
                f"{name} is compressed ({syntax.name}), which python-gdcm reads and is not installed; run pip install "
                "python-gdcm, or save the file uncompressed."
            )
    except NotImplementedError:
        pass  # a syntax without a decoder gets the sentence below
    if isinstance(error, ValueError):
        return _damaged(name)
    return LumbarError(
        f"{name} is compressed in a way that cannot be read here, or is damaged ({syntax.name}); save it uncompressed."
    )


def _damaged(name: str) -> LumbarError:
    return LumbarError(
        f"{name} is a DICOM file that is cut or damaged; export it again from the viewer or the archive."
    )


def _luminance(pixels: np.ndarray, header: pydicom.Dataset, palette: bool) -> np.ndarray:
    """Return the luminance (ITU-R 601) of (H, W, 3) colours as uint8."""
    largest = np.iinfo(pixels.dtype).max if palette else 2 ** int(header.BitsStored) - 1
    grey = np.zeros(pixels.shape[:2], np.float32)
    for channel, weight in enumerate((0.299, 0.587, 0.114)):
        grey += pixels[..., channel] * np.float32(weight * 255 / largest)
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)


def _windowed(pixels: np.ndarray, header: pydicom.Dataset, frame: int) -> np.ndarray:
    """Return (H, W) stored values as uint8, rescaled and windowed as the header asks (PS3.3 C.11.1, C.11.2).

    Without a usable window, and where the window would leave the picture flat, it runs from the 0.1st to the
    99.9th percentile.
    """
    if header.get("ModalityLUTSequence"):
        values = apply_modality_lut(pixels, header).astype(np.float32)
    else:
        slope = numbers(frame_value(header, "RescaleSlope", frame), 1) or (1.0,)
        intercept = numbers(frame_value(header, "RescaleIntercept", frame), 1) or (0.0,)
        values = pixels.astype(np.float32)
        values *= np.float32(slope[0])
        values += np.float32(intercept[0])
    values = np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    grey = None
    if header.get("VOILUTSequence"):
        bits = int(header.VOILUTSequence[0].LUTDescriptor[2])
        blocks = (block.astype(np.int32) for block in np.array_split(values, 16))  # spares memory
        grey = np.concatenate([_to_uint8(apply_voi_lut(block, header), 0, 2**bits - 1) for block in blocks])
    elif limits := _window_limits(header, frame):
        grey = _to_uint8(values, *limits)
    if grey is None or grey.min() == grey.max():
        sample = values.ravel()[:: max(1, values.size // 2_000_000)]
        low, high = np.percentile(sample, (0.1, 99.9))
        if high <= low:
            low, high = float(values.min()), float(values.max())
        grey = _to_uint8(values, low, high)
    if header.get("PhotometricInterpretation") == "MONOCHROME1":
        grey = 255 - grey
    return grey


def _window_limits(header: pydicom.Dataset, frame: int) -> tuple[float, float] | None:
    """Return the values that become black and white; a sigmoid window is taken by its straight middle part."""
    center = numbers(frame_value(header, "WindowCenter", frame), 1)
    width = numbers(frame_value(header, "WindowWidth", frame), 1)
    if center is None or width is None or width[0] <= 1:
        return None
    exact = frame_value(header, "VOILUTFunction", frame) in ("LINEAR_EXACT", "SIGMOID")
    middle, half = (center[0], width[0] / 2) if exact else (center[0] - 0.5, (width[0] - 1) / 2)
    return middle - half, middle + half


def _to_uint8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    scaled = (values - np.float32(low)) * np.float32(255.0 / max(high - low, 1e-6))
    return np.clip(np.round(scaled, out=scaled), 0, 255, out=scaled).astype(np.uint8)


def _squared(grey: np.ndarray, spacing: tuple[float, ...] | None, name: str, max_pixels: int) -> np.ndarray:
    """Return the picture resampled to the finer of its two spacings, so that its pixels are square."""
    if spacing is None or min(spacing) <= 0 or not 1.02 < max(spacing) / min(spacing) <= MAX_STRETCH:
        return grey
    height, width = (round(n * s / min(spacing)) for n, s in zip(grey.shape, spacing, strict=True))
    if height * width > max_pixels:
        raise LumbarError(
            f"{name} has {width} x {height} pixels once they are square, at most {max_pixels // 1_000_000} million "
            "are read; save it smaller."
        )
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
