"""Reads one picture file, recognised by its content and not by its name, into grey pixels."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from ..dataset import LumbarError
from .dicom import is_dicom, read_dicom

MAX_PIXELS = 50_000_000  # a whole-spine radiograph has 20 million
MAX_BYTES = 100_000_000
MIN_SIDE = 8
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")
# What Pillow raises on files that are cut, damaged or foreign, over its formats.
_PILLOW_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
)
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".dcm", ".ima")


def read_picture(source: bytes | Path | str, *, name: str | None = None) -> np.ndarray:
    """Return the picture as (H, W) uint8 grey values.

    PNG, JPEG, BMP, TIFF and DICOM are read. Colours become luminance; pictures of more than eight bits are
    stretched from their darkest to their brightest pixel; of several frames DICOM gives the middle one, the
    others the first.

    Parameters
    ----------
    source : the file's content, or its path.
    name : what errors call it; the file's name if it has one.

    Raises
    ------
    LumbarError : the file is missing, empty, cut, too large, or not a picture.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        content, name = bytes(source), name or "the picture"
    else:
        path = Path(source)
        name = name or path.name
        content = read_bytes(path, name)
    if not content:
        raise LumbarError(f"{name} is empty (0 bytes); export or download it again.")
    if len(content) > MAX_BYTES:
        raise LumbarError(
            f"{name} has {len(content) / 1e6:.0f} MB, at most {MAX_BYTES // 1_000_000} MB are read; "
            "save the one slice you need."
        )
    if is_dicom(content):
        pixels, _ = read_dicom(content, name=name, max_pixels=MAX_PIXELS)
    else:
        pixels = _read_with_pillow(content, name)
    if min(pixels.shape) < MIN_SIDE:
        raise LumbarError(
            f"{name} is {pixels.shape[1]} x {pixels.shape[0]} pixels, wanted at least {MIN_SIDE} each way; "
            "use the full picture, not a thumbnail."
        )
    return pixels


def read_bytes(path: Path, name: str) -> bytes:
    """Return a file's content; raise `LumbarError` if it cannot be opened or is larger than `MAX_BYTES`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LumbarError(
                f"{name} has {path.stat().st_size / 1e6:.0f} MB, at most {MAX_BYTES // 1_000_000} MB are read; "
                "save the one slice you need."
            )
        return path.read_bytes()
    except OSError as error:
        raise LumbarError(
            f"{name} cannot be opened ({error.strerror}); check the path and its rights."
        ) from error


def _read_with_pillow(content: bytes, name: str) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large pictures before we have looked at the size
        try:
            picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "BMP", "TIFF"))
        except Image.DecompressionBombError as error:
            raise _too_large(
                name, f"over {2 * Image.MAX_IMAGE_PIXELS // 1_000_000} million pixels"
            ) from error
        except _PILLOW_ERRORS as error:
            if content.startswith(_SIGNATURES):
                raise _damaged(name) from error
            raise LumbarError(
                f"{name} is not a picture that can be read; wanted PNG, JPEG, BMP, TIFF or DICOM: export it again "
                "in one of these."
            ) from error
        if picture.width * picture.height > MAX_PIXELS:
            raise _too_large(name, f"{picture.width} x {picture.height} pixels")
        try:
            picture = ImageOps.exif_transpose(picture)
            if picture.mode in ("I", "F", "I;16", "I;16B", "I;16L"):
                return stretch_to_uint8(np.asarray(picture, dtype=np.float32))
            return np.asarray(picture.convert("L"))
        except _PILLOW_ERRORS as error:
            raise _damaged(name) from error


def _damaged(name: str) -> LumbarError:
    return LumbarError(
        f"{name} begins as a picture but cannot be decoded to its end; it is cut or damaged: export or download it "
        "again."
    )


def _too_large(name: str, found: str) -> LumbarError:
    return LumbarError(
        f"{name} has {found}, at most {MAX_PIXELS // 1_000_000} million pixels are read; "
        "make it smaller (a slice is about 512 x 512)."
    )


def stretch_to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Return `pixels` of any range stretched to 0 to 255; a flat picture becomes black."""
    pixels = np.nan_to_num(pixels.astype(np.float32), copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        return np.zeros(pixels.shape, np.uint8)
    pixels -= np.float32(low)  # in place: a large picture is large enough once
    pixels *= np.float32(255.0 / (high - low))
    return np.round(pixels, out=pixels).astype(np.uint8)


def fit_to_square(picture: np.ndarray, size: int) -> np.ndarray:
    """Return a (H, W) picture scaled into (size, size), its proportions kept by black bars."""
    return fit_inside(picture, (size, size))


def fit_inside(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a (H, W) picture scaled into `size` (height, width), its proportions kept by black bars."""
    height, width = picture.shape
    scale = min(size[0] / height, size[1] / width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    if (new_height, new_width) != (height, width):
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = cv2.resize(picture, (new_width, new_height), interpolation=how)
    top, left = (size[0] - new_height) // 2, (size[1] - new_width) // 2
    bars = (top, size[0] - new_height - top, left, size[1] - new_width - left)
    return cv2.copyMakeBorder(picture, *bars, cv2.BORDER_CONSTANT, value=0) if any(bars) else picture
