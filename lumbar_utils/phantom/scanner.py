"""What the scanner does to the tissue's signal: coil, blur, noise, and the window that makes grey levels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lumbar_utils.phantom.settings import between, both, exp_between, happens, sometimes

WHITE = 235.0  # grey level of CSF before the coil's bias


@dataclass(frozen=True)
class Scan:
    """Settings of one picture; none of them depends on the disease.

    `centre_mm` lies in the middle of the picture; `rotation` in degrees; `noise` is the standard deviation
    of each channel over the signal of CSF; `coil_reach_mm` is where the coil's sensitivity has fallen by half,
    `coil_near` what it gains at the skin, `coil_ends` what it loses at the picture's ends; `ghosts` is the share
    of the signal that breathing and the aorta's pulse repeat along the phase-encoding axis; `gain`, `gamma` and
    `equalise` are the display's.
    """

    fov_mm: float
    rotation: float
    shift_mm: tuple[float, float]
    noise: float
    noise_grain: float
    blur: float
    coil_reach_mm: float
    coil_near: float
    coil_ends: float
    ghosts: float
    gibbs: bool
    gain: float
    gamma: float
    offset: float
    equalise: float


# One hospital with one protocol, and any picture that somebody may bring; 2D fast spin echo, sagittal.
SAGITTAL = {
    "narrow": dict(
        fov_mm=between(258, 292),
        rotation=between(-3, 3),
        shift_mm=both(between(-9, 9), between(-8, 6)),
        noise=between(0.015, 0.035),
        noise_grain=between(0.35, 0.6),
        blur=between(0.28, 0.5),
        coil_reach_mm=between(140, 260),
        coil_near=between(0.2, 0.6),
        coil_ends=between(0.1, 0.35),
        ghosts=between(0.0, 0.02),
        gibbs=happens(0.3),
        gain=between(0.95, 1.25),
        gamma=1.0,
        offset=0.0,
        equalise=0.0,
    ),
    "wide": dict(
        fov_mm=between(215, 370),
        rotation=between(-15, 15),
        shift_mm=both(between(-35, 35), between(-30, 25)),
        noise=between(0.005, 0.05),
        noise_grain=between(0.35, 1.0),
        blur=between(0.4, 1.3),
        coil_reach_mm=exp_between(np.log(85), np.log(600)),
        coil_near=between(0.0, 1.2),
        coil_ends=between(0.0, 0.6),
        ghosts=between(0.0, 0.05),
        gibbs=happens(0.3),
        gain=between(0.6, 1.5),
        gamma=exp_between(-0.6, 0.5),
        offset=sometimes(0.4, 0, 45),
        equalise=sometimes(0.3, 0.3, 1.0),
    ),
}


def acquire(
    signal: np.ndarray,
    scan: Scan,
    distance_mm: np.ndarray,
    generator: np.random.Generator,
    texture: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Turn signal (2 S, 2 S) float32, CSF = 1, into a picture (S, S) uint8.

    `distance_mm` (S, S) is how far each pixel lies from the coil, which is under the patient's back; `texture`
    (S, S) multiplies the signal. The noise is that of a magnitude picture: |signal + complex Gaussian|
    (Gudbjartsson and Patz 1995).
    """
    size = signal.shape[0] // 2
    signal = cv2.GaussianBlur(signal, (0, 0), 2 * scan.blur)
    signal = cv2.resize(signal, (size, size), interpolation=cv2.INTER_AREA) * texture
    if scan.gibbs:
        signal = truncate_frequencies(signal, 0.75)
    if scan.ghosts:
        step = int(generator.integers(size // 9, size // 4))
        signal = signal + scan.ghosts * (np.roll(signal, step, axis=0) + np.roll(signal, -step, axis=0))
    signal *= sensitivity(scan, distance_mm)
    channels = generator.standard_normal((2, size, size), dtype=np.float32)
    channels = [cv2.GaussianBlur(channel, (0, 0), scan.noise_grain) for channel in channels]
    spread = scan.noise / np.sqrt((channels[0] ** 2).mean() + 1e-12)
    picture = cv2.magnitude(signal + channels[0] * spread, channels[1] * spread)
    return display(picture, scan)


def sensitivity(scan: Scan, distance_mm: np.ndarray) -> np.ndarray:
    """Return the coil's sensitivity (S, S), 1 where the spine usually lies, 70 mm in front of the skin."""

    def falloff(distance):
        near = 1 + scan.coil_near * np.exp(distance * (-1 / 35), dtype=np.float32)
        far = distance * (1 / scan.coil_reach_mm)
        return near / (1 + far * far * far)

    ends = 1 - scan.coil_ends * np.linspace(-1, 1, len(distance_mm), dtype=np.float32) ** 4
    return falloff(distance_mm) * (ends / falloff(np.float32(70.0)))[:, None]


def display(picture: np.ndarray, scan: Scan) -> np.ndarray:
    """Window a magnitude picture (CSF about 1) into uint8 grey levels."""
    grey = picture * (WHITE * scan.gain)
    if scan.gamma != 1.0:
        grey = 255.0 * np.clip(grey / 255.0, 0.0, 1.0) ** scan.gamma
    grey = cv2.convertScaleAbs(grey, alpha=1.0, beta=scan.offset)  # rounds and saturates
    if scan.equalise:
        grey = cv2.addWeighted(cv2.equalizeHist(grey), scan.equalise, grey, 1 - scan.equalise, 0)
    return grey


def truncate_frequencies(signal: np.ndarray, kept: float) -> np.ndarray:
    """Cut the highest frequencies along the phase-encoding axis (rows), which rings at sharp edges (Gibbs)."""
    spectrum = np.fft.rfft(signal, axis=0)
    spectrum[int(kept * len(spectrum)) :] = 0
    return np.fft.irfft(spectrum, signal.shape[0], axis=0).astype(np.float32)
