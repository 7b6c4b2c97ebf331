"""What the X-ray unit does to the beam behind the patient: scatter, quantum noise, unsharpness, shutters, display."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lumbar_utils.phantom.settings import between, both, exp_between, happens

SATURATION = 60.0  # the detector clips at this many times the exposure behind the patient's thickest part


@dataclass(frozen=True)
class Exposure:
    """Settings of one radiograph; none of them depends on the disease.

    `noise` is the standard deviation of the quantum noise over the mean, per pixel, behind the soft tissue
    of the waist: four times the mAs halve it. `focus_mm` is the distance from focal spot to midline,
    `scatter` the scattered over the primary radiation behind the grid, `unsharp_mm` the blur's standard
    deviation, `field_mm` the half width and half height that the shutters leave open; `compression` the
    share of coarse differences that the display takes away, `window` its width in units of log exposure.
    """

    fov_mm: float
    rotation: float
    shift_mm: tuple[float, float]
    focus_mm: float
    field_mm: tuple[float, float]
    noise: float
    scatter: float
    unsharp_mm: float
    compression: float
    level: float
    window: float
    gamma: float
    inverted: bool
    shutter_grey: float


FILMS = {
    "narrow": dict(
        fov_mm=between(318, 350),
        rotation=between(-3, 3),
        shift_mm=both(between(-8, 8), between(-8, 8)),
        focus_mm=between(930, 1000),
        field_mm=both(between(100, 130), between(158, 175)),
        noise=between(0.018, 0.035),
        scatter=between(0.4, 0.7),
        unsharp_mm=between(0.3, 0.45),
        compression=between(0.5, 0.6),
        level=between(0.1, 0.2),
        window=between(1.7, 1.9),
        gamma=1.0,
        inverted=False,
        shutter_grey=0.0,
    ),
    "wide": dict(
        fov_mm=between(270, 410),
        rotation=between(-12, 12),
        shift_mm=both(between(-30, 30), between(-25, 25)),
        focus_mm=between(800, 1600),
        field_mm=both(between(75, 200), between(130, 220)),
        noise=between(0.01, 0.07),
        scatter=between(0.2, 1.8),
        unsharp_mm=between(0.2, 0.9),
        compression=between(0.0, 0.75),
        level=between(-0.3, 0.25),
        window=between(1.4, 3.0),
        gamma=exp_between(-0.5, 0.5),
        inverted=happens(0.25),
        shutter_grey=lambda generator: float(generator.choice((0.0, 255.0))),
    ),
}


def expose(
    integral: np.ndarray, exposure: Exposure, shutters: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Turn line integrals of attenuation (2 S, 2 S) float32, less that of the waist, into a picture (S, S) uint8.

    Beer and Lambert: the primary is exp(-integral), at the one effective energy of the coefficients; beam
    hardening is left out. Scatter is a wide blur of the primary. Photons are counted, so the noise is
    Poisson's, drawn as the normal distribution with its variance. `shutters` (S, S) is 1 where the field is open.
    """
    size = integral.shape[0] // 2
    millimetre = size / exposure.fov_mm  # pixels
    primary = cv2.min(cv2.exp(-integral), SATURATION)
    primary = cv2.GaussianBlur(primary, (0, 0), 2 * millimetre * exposure.unsharp_mm)
    primary = cv2.resize(primary, (size, size), interpolation=cv2.INTER_AREA) * shutters
    scattered = wide_blur(cv2.min(primary, 4.0), 35 * millimetre)
    mean = (primary + exposure.scatter * scattered) / (1 + exposure.scatter)
    quanta = generator.standard_normal((size, size), dtype=np.float32)
    counted = mean + exposure.noise * np.sqrt(mean) * quanta
    return display(counted, exposure, shutters, millimetre)


def display(counted: np.ndarray, exposure: Exposure, shutters: np.ndarray, millimetre: float) -> np.ndarray:
    """Return grey levels (S, S) uint8 of the log exposure, bone white unless the display is inverted."""
    density = -np.log(np.clip(counted, 0.01, SATURATION))
    coarse = wide_blur(np.clip(density, -1.8, 1.8), 28 * millimetre)
    density = density - exposure.compression * coarse
    share = np.clip((density - exposure.level) / exposure.window + 0.5, 0.0, 1.0) ** exposure.gamma
    grey = 255.0 * (1.0 - share if exposure.inverted else share)
    lit = np.clip(2 * shutters - 1, 0.0, 1.0)  # the display blackens or whitens the penumbra too
    grey = grey * lit + exposure.shutter_grey * (1 - lit)
    return np.rint(grey).astype(np.uint8)


def wide_blur(picture: np.ndarray, pixels: float) -> np.ndarray:
    """Return `picture` blurred by a Gaussian of many pixels, computed on a coarser grid."""
    side = picture.shape[0]
    coarse = cv2.resize(picture.astype(np.float32), (56, 56), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(coarse, (0, 0), pixels * 56 / side), (side, side))
