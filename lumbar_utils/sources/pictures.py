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
    top, left, height, width = placement(picture.shape, size)
    if (height, width) != picture.shape:
        how = cv2.INTER_AREA if height < picture.shape[0] or width < picture.shape[1] else cv2.INTER_LINEAR
        picture = cv2.resize(picture, (width, height), interpolation=how)
    bars = (top, size[0] - height - top, left, size[1] - width - left)
    return cv2.copyMakeBorder(picture, *bars, cv2.BORDER_CONSTANT, value=0) if any(bars) else picture


def placement(shape: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return where `fit_inside` lays a picture of `shape` into `size`: top, left, height, width in its pixels."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    height, width = (max(1, round(side * scale)) for side in shape)
    return (size[0] - height) // 2, (size[1] - width) // 2, height, width


def fit_matrix(shape: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return the affine (2, 3) from a picture's pixels (x, y) to where `fit_inside` puts them."""
    top, left, height, width = placement(shape, size)
    sx, sy = width / shape[1], height / shape[0]
    return np.array([[sx, 0, left + 0.5 * sx - 0.5], [0, sy, top + 0.5 * sy - 0.5]])


def resample(picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the (H, W) picture moved by an affine (2, 3) into `size` (height, width); black where it ends.

    Pixels are averaged before they become larger, so that fine structure does not alias.
    """
    shrink = min(1.0, float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))))
    if shrink < 1.0:
        small = tuple(max(1, round(side * shrink)) for side in picture.shape[::-1])
        factor = np.array(picture.shape[::-1]) / small
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        matrix = np.column_stack(
            [matrix[:, :2] * factor, matrix[:, 2] + matrix[:, :2] @ (0.5 * factor - 0.5)]
        )
    return cv2.warpAffine(picture, matrix, size[::-1], flags=cv2.INTER_LINEAR)
