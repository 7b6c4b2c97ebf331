"""From pictures to what a network wants: size, range and channels."""

from __future__ import annotations

import cv2
import numpy as np

from .dataset import LumbarDataset, LumbarError
from .framing import frame

# Mean and standard deviation of ImageNet, red, green and blue, for pictures in [0, 1]; and the blue, green and
# red means that Caffe's networks subtract from 0 to 255. Both as in `keras.applications.imagenet_utils`.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)
MODES = ("unit", "caffe", "torch", "tf")


def prepare(
    pictures: LumbarDataset | np.ndarray,
    *,
    size: int | tuple[int, int] = 224,
    mode: str = "unit",
    channels: int = 1,
    crop: str | None = None,
) -> np.ndarray:
    """Return the pictures as a network wants them.

    Parameters
    ----------
    pictures : a dataset, or (N, H, W) uint8 or float32 in [0, 1].
    size : side in pixels, or (height, width); the paper uses 224.
    mode : "unit" gives [0, 1], as in the paper. The others are what networks trained on ImageNet expect: "caffe"
        (VGG16, ResNet50: blue, green, red, 0 to 255 minus the means), "torch" (DenseNet: minus mean, over
        standard deviation), "tf" (MobileNet: [-1, 1]).
    channels : 1, or 3 equal ones; "caffe" and "torch" need 3.
    crop : None takes the whole picture, its proportions kept by black bars. "column" lets the localiser find the
        spine and takes the upright column from above L1 into S1 (`Location.crop_matrix`), proportions kept: with
        size=(192, 96) the bodies, the canal and a little in front, in a square more on both sides. A picture in
        which no column is found is taken whole, and a warning says how many were.

    Returns
    -------
    (N, height, width, channels) float32
    """
    images = pictures.images if isinstance(pictures, LumbarDataset) else np.asarray(pictures)
    if images.ndim != 3:
        raise LumbarError(
            f"Pictures have shape {images.shape}, wanted (N, height, width); add the first axis."
        )
    sides = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    if len(sides) != 2 or min(sides) < 1:
        raise LumbarError(
            f"size is {size!r}, wanted a side in pixels or (height, width); give 224 or (192, 96)."
        )
    if mode not in MODES:
        raise LumbarError(f"There is no preparation mode {mode!r}; choose one of {', '.join(MODES)}.")
    if channels not in (1, 3) or (channels == 1 and mode in ("caffe", "torch")):
        raise LumbarError(
            f"Mode {mode!r} cannot give {channels} channel(s); ask for 3, or for 1 with 'unit' or 'tf'."
        )
    return scale_values(frame(images, sides, crop).pictures, mode=mode, channels=channels)


def scale_values(framed: np.ndarray, *, mode: str = "unit", channels: int = 1) -> np.ndarray:
    """Return (N, h, w, channels) float32 from (N, h, w) pictures that already have the network's size."""
    x = framed.astype(np.float32)[..., None]
    if framed.dtype == np.uint8:
        x /= 255.0
    if mode == "tf":
        x = x * 2.0 - 1.0
    if channels == 3:
        x = np.repeat(x, 3, axis=-1)
    if mode == "torch":
        x = (x - np.float32(IMAGENET_MEAN)) / np.float32(IMAGENET_STD)
    elif mode == "caffe":
        x = x * np.float32(255.0) - np.float32(
            CAFFE_MEAN
        )  # three equal channels need no turning from RGB to BGR
    return x


def clahe(images: np.ndarray, *, clip_limit: float = 2.0, tiles: int = 8) -> np.ndarray:
    """Return (N, H, W) uint8 pictures after contrast-limited adaptive histogram equalisation (Zuiderveld 1994).

    Each of `tiles` x `tiles` regions is equalised by itself, its histogram cut at `clip_limit` times the mean, so
    that a dark disc beside bright fat becomes visible. Grey values then no longer mean signal.
    """
    if images.dtype != np.uint8 or images.ndim != 3:
        raise LumbarError(
            f"Pictures are {images.dtype} of shape {images.shape}, wanted (N, height, width) uint8; equalise before "
            "prepare, not after."
        )
    equaliser = cv2.createCLAHE(clipLimit=clip_limit, tileGridSize=(tiles, tiles))
    return np.stack([equaliser.apply(image) for image in images])
