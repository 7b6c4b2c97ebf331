"""What the scanner does to the tissue's signal: coil, blur, noise, and the window that makes grey levels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lumbar_utils.dataset import LumbarError

WHITE = 235.0  # grey level of CSF before the coil's bias


@dataclass(frozen=True)
class Scan:
    """Settings of one picture; none of them depends on the disease.

    `centre_mm` lies in the middle of the picture; `rotation` in degrees; `noise` is the standard deviation
    of each channel over the signal of CSF; `gain`, `gamma` and `equalise` are the display's.
    """

    fov_mm: float
    rotation: float
    shift_mm: tuple[float, float]
    noise: float
    noise_grain: float
    blur: float
    coil_depth: float
    gibbs: bool
    gain: float
    gamma: float
    offset: float
    equalise: float


def sample_scan(
    generator: np.random.Generator, *, variation: str, fov_mm: float | None, noise: float | None
) -> Scan:
    """Return settings: "narrow" is one hospital with one protocol, "wide" is any picture somebody may bring."""
    if variation not in ("narrow", "wide"):
        raise LumbarError(f'variation is {variation!r}, wanted "narrow" or "wide"; choose one of the two.')
    wide = variation == "wide"
    draw = generator.uniform
    settings = dict(
        fov_mm=draw(215, 370) if wide else draw(258, 292),
        rotation=draw(-15, 15) if wide else draw(-3, 3),
        shift_mm=(draw(-35, 35), draw(-30, 25)) if wide else (draw(-9, 9), draw(-8, 6)),
        noise=draw(0.01, 0.07) if wide else draw(0.015, 0.035),
        noise_grain=draw(0.3, 0.9) if wide else draw(0.35, 0.6),
        blur=draw(0.4, 1.3) if wide else draw(0.28, 0.5),
        coil_depth=draw(0.0, 1.4) if wide else draw(0.25, 0.65),
        gibbs=bool(draw() < 0.3) and wide,
        gain=draw(0.6, 1.7) if wide else draw(0.95, 1.12),
        gamma=float(np.exp(draw(-0.6, 0.5))) if wide else 1.0,
        offset=draw(0, 45) * (draw() < 0.4) if wide else 0.0,
        equalise=draw(0.3, 1.0) * (draw() < 0.3) if wide else 0.0,
    )
    if fov_mm is not None:
        settings["fov_mm"] = float(fov_mm)
    if noise is not None:
        settings["noise"] = float(noise)
    return Scan(**settings)


def acquire(
    signal: np.ndarray, scan: Scan, distance_mm: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Turn signal (2 S, 2 S) float32, CSF = 1, into a picture (S, S) uint8.

    `distance_mm` (S, S) is how far each pixel lies from the coil, which is under the patient's back.
    The noise is that of a magnitude picture: |signal + complex Gaussian| (Gudbjartsson and Patz 1995).
    """
    size = signal.shape[0] // 2
    signal = cv2.GaussianBlur(signal, (0, 0), 2 * scan.blur)
    signal = cv2.resize(signal, (size, size), interpolation=cv2.INTER_AREA)
    if scan.gibbs:
        signal = truncate_frequencies(signal, 0.7)
    sensitivity = np.exp((70.0 - distance_mm) * (scan.coil_depth / 100.0), dtype=np.float32)
    signal = signal * np.clip(sensitivity, 0.0, 1.9)
    channels = generator.standard_normal((2, size, size), dtype=np.float32)
    channels = [cv2.GaussianBlur(channel, (0, 0), scan.noise_grain) for channel in channels]
    spread = scan.noise / np.sqrt((channels[0] ** 2).mean() + 1e-12)
    picture = cv2.magnitude(signal + channels[0] * spread, channels[1] * spread)
    return display(picture, scan)


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
