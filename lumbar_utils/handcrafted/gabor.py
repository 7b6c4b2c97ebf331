"""A bank of Gabor filters: how strongly the picture waves at each wavelength and in each direction."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import scipy.fft

WAVELENGTHS = (4, 8, 16)  # pixels
ANGLES = (0, 30, 60, 90, 120, 150)  # degrees from the row towards the bottom: the way the wave runs
BORDER = 16  # pixels of mirrored picture around it
# Half the answer where neighbouring filters meet: an octave along the wave, 30 degrees across
SPREAD_ALONG, SPREAD_ACROSS = (half / np.sqrt(2 * np.log(2)) for half in (1 / 3, np.tan(np.pi / 12)))


def names(size: tuple[int, int]) -> list[str]:
    """Return the names of the 36 features."""
    return [
        f"gabor_wavelength{wavelength}_angle{angle}_{what}"
        for wavelength in WAVELENGTHS
        for what in ("mean", "sd")
        for angle in ANGLES
    ]


def measure(picture: np.ndarray) -> np.ndarray:
    """Return (36,) of a (H, W) uint8 picture: mean and standard deviation of each filter's magnitude, grey in [0, 1].

    Manjunath and Ma, Texture Features for Browsing and Retrieval of Image Data, IEEE Trans. PAMI 18(8), 1996, with
    three wavelengths and six orientations. A Gabor filter is a Gaussian in the frequency plane, so the filters are
    multiplied there; long waves need few points, so their answers are computed on every second or fourth pixel.
    """
    height, width = picture.shape
    extra = [-(-(side + 2 * BORDER) // 16) * 16 - side - BORDER for side in picture.shape]
    padded = cv2.copyMakeBorder(picture, BORDER, extra[0], BORDER, extra[1], cv2.BORDER_REFLECT_101)
    spectrum = scipy.fft.fftshift(scipy.fft.fft2(padded.astype(np.float32) / 255))
    features = []
    for wavelength in WAVELENGTHS:
        step = wavelength // WAVELENGTHS[0]
        rows, columns = (slice(n // 2 - n // (2 * step), n // 2 + n // (2 * step)) for n in padded.shape)
        answers = scipy.fft.ifft2(spectrum[rows, columns] * _filters(padded.shape, wavelength)) / step**2
        inside = [slice(BORDER // step, (BORDER + side) // step) for side in (height, width)]
        magnitude = np.abs(answers[:, *inside])  # (angles, h, w)
        features += [magnitude.mean(axis=(1, 2)), magnitude.std(axis=(1, 2))]
    return np.concatenate(features)


@lru_cache(maxsize=16)
def _filters(shape: tuple[int, int], wavelength: int) -> np.ndarray:
    """Return (angles, h, w) float32, the filters over the frequencies up to 2 / wavelength, none in the middle."""
    step = wavelength // WAVELENGTHS[0]
    down, across = np.meshgrid(
        *(np.arange(-(n // (2 * step)), n // (2 * step)) / n for n in shape), indexing="ij"
    )
    filters = []
    for angle in np.deg2rad(ANGLES):
        along = (across * np.cos(angle) + down * np.sin(angle)) * wavelength - 1  # in units of the frequency
        sideways = (down * np.cos(angle) - across * np.sin(angle)) * wavelength
        filters.append(np.exp(-0.5 * ((along / SPREAD_ALONG) ** 2 + (sideways / SPREAD_ACROSS) ** 2)))
    filters = np.float32(filters)
    filters[:, (down == 0) & (across == 0)] = 0.0  # the mean grey is no wave
    return filters
