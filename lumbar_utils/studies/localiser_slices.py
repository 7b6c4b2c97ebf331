"""The slices that the localiser learns from: wide phantoms, then as disturbed as pictures that people bring."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np

from ..localise import class_map
from ..phantom import render, sample_patient

DRAWING = {
    "drawn_at": 224,
    "variation": "wide",
    "share_T1": 0.3,
    "share_near_midline": 0.6,
    "farthest_offset_mm": 14.0,
}
ZOOM = (-0.4, 0.28)


def draw_slices(n: int, seed: int, *, workers: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures and class maps, both (n, 224, 224) uint8, one wide phantom slice a patient.

    The pictures do not depend on the number of `workers`.
    """
    side = DRAWING["drawn_at"]
    images, classes = np.empty((n, side, side), np.uint8), np.empty((n, side, side), np.uint8)
    seeds = np.random.SeedSequence(seed).generate_state(n).tolist()
    parts = [seeds[start : start + 100] for start in range(0, n, 100)]
    with ProcessPoolExecutor(min(workers, len(parts)), mp_context=get_context("spawn")) as pool:
        for number, (pictures, maps) in enumerate(pool.map(_draw, parts)):
            rows = slice(100 * number, 100 * number + len(pictures))
            images[rows], classes[rows] = pictures, maps
    return images, classes


def _draw(seeds: list[int]) -> tuple[np.ndarray, np.ndarray]:
    drawn = []
    for seed in seeds:
        generator = np.random.default_rng([seed, 9])
        near = generator.random() < DRAWING["share_near_midline"]
        farthest = DRAWING["farthest_offset_mm"]
        offset = np.clip(generator.normal(0, 2.5), -7, 7) if near else generator.uniform(-farthest, farthest)
        contrast = "T1" if generator.random() < DRAWING["share_T1"] else "T2"
        patient = sample_patient(seed)
        slice_ = render(
            patient, variation="wide", contrast=contrast, offset_mm=float(offset), size=DRAWING["drawn_at"]
        )
        drawn.append((slice_.image, class_map(slice_.mask)))
    pictures, maps = zip(*drawn, strict=True)
    return np.stack(pictures), np.stack(maps)


def disturb(
    picture: np.ndarray, classes: np.ndarray, generator: np.random.Generator, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a changed copy of a picture and of its class map, both (size, size) uint8.

    Grey polarity is kept: a fluid that is bright stays bright. One picture in twenty-five loses its column.
    """
    if generator.random() < 0.04:
        return nothing(generator, size), np.zeros((size, size), np.uint8)
    picture, classes = deform(picture, classes, generator, size)
    grey = picture.astype(np.float32)
    if generator.random() < 0.6:
        grey *= tissue_gains(classes, generator)
    if generator.random() < 0.4:
        grey *= marrow_grain(classes, generator)
    if generator.random() < 0.5:
        grey *= surroundings_field(classes, generator)
    if generator.random() < 0.5:
        grey *= bias_field(generator, size)
    return degrade(grey, generator), classes


def deform(picture, classes, generator, size):
    """Stretch, turn, bend, enlarge and shift; what lies outside becomes black or one grey, as after an edit."""
    side = picture.shape[0]
    draw = generator.uniform
    zoom, stretch = np.exp(draw(*ZOOM)), np.exp(draw(-0.2, 0.2)) if draw() < 0.6 else 1.0
    angle = np.radians(draw(-15, 15)) if draw() < 0.4 else 0.0
    scale = side / (size * zoom)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = scale * turn @ np.diag([stretch, 1 / stretch])  # from the result to the source
    ramp = np.arange(size, dtype=np.float32) - size / 2 + draw(-0.1, 0.1, 2)[:, None] * size
    x = np.float32(matrix[0, 0]) * ramp[0][None, :] + np.float32(matrix[0, 1]) * ramp[1][:, None] + side / 2
    y = np.float32(matrix[1, 0]) * ramp[0][None, :] + np.float32(matrix[1, 1]) * ramp[1][:, None] + side / 2
    if draw() < 0.5:  # bend: another lordosis, another slope of the sacrum
        bends = generator.normal(0, draw(1.5, 5.0), (2, 5, 5)).astype(np.float32)
        x, y = (
            axis + cv2.resize(bend, (size, size), interpolation=cv2.INTER_CUBIC)
            for axis, bend in zip((x, y), bends, strict=True)
        )
    x, y = x.astype(np.float32), y.astype(np.float32)
    border = int(draw(10, 110)) if draw() < 0.3 else 0
    picture = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border)
    return picture, cv2.remap(classes, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)


def tissue_gains(classes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a factor a pixel: each tissue as a whole becomes a little brighter or darker, without a hard edge."""
    gains = np.exp(generator.uniform(-0.45, 0.45, 8)).astype(np.float32)
    gains[0] = 1.0
    return cv2.GaussianBlur(gains[classes], (0, 0), 0.8)


def marrow_grain(classes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a factor a pixel that grains bodies, discs and sacrum, as equalisation does to weak signal."""
    grain = generator.standard_normal(classes.shape, np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), generator.uniform(0.3, 1.6))
    strength = generator.uniform(0.05, 0.22) / grain.std()
    return np.where((classes > 0) & (classes < 4), np.clip(1 + strength * grain, 0.3, 2.0), np.float32(1))


def surroundings_field(classes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a factor a pixel that clouds what is not column, sac or sacrum: fat, bowel, vessels, muscle."""
    size = classes.shape[0]
    field = np.zeros((size, size), np.float32)
    for _ in range(2):
        grid = generator.integers(4, 48, 2)
        waves = generator.standard_normal(grid).astype(np.float32)
        field += cv2.resize(waves, (size, size), interpolation=cv2.INTER_CUBIC) * generator.uniform(0.05, 0.4)
    outside = cv2.GaussianBlur((classes == 0).astype(np.float32), (0, 0), 1.0)
    return np.exp(np.clip(field, -1.5, 1.2) * outside)


def bias_field(generator: np.random.Generator, size: int) -> np.ndarray:
    """Return a factor a pixel that grows from one side of the picture to the other, as a surface coil's."""
    slope = generator.uniform(-0.9, 0.9, 2)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    return np.exp((slope[0] * ramp[:, None] + slope[1] * ramp[None, :]) * 0.7).astype(np.float32)


def degrade(grey: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Blur, add noise, window, equalise and speckle; (H, W) float32 to uint8."""
    draw = generator.uniform
    if draw() < 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), draw(0.4, 1.1))
    if draw() < 0.4:
        grey = grey + generator.standard_normal(grey.shape, np.float32) * draw(2, 14)
    if draw() < 0.4:
        grey = 255 * np.clip(grey / 255, 0, 1) ** np.exp(draw(-0.5, 0.5))
    if draw() < 0.4:
        grey = grey * draw(0.6, 1.3) + draw(-20, 70)
    picture = np.clip(grey, 0, 255).astype(np.uint8)
    if draw() < 0.35:
        share = draw(0.4, 1.0)
        picture = cv2.addWeighted(cv2.equalizeHist(picture), share, picture, 1 - share, 0)
    if draw() < 0.4:  # salt and pepper
        chance = generator.random(picture.shape, np.float32)
        share = draw(0.002, 0.03)
        picture[chance < share / 2] = 0
        picture[chance > 1 - share / 2] = 255
    return picture


def nothing(generator: np.random.Generator, size: int) -> np.ndarray:
    """Return a picture (size, size) uint8 without a column: clouds from coarse to fine, ramps, bars."""
    picture = bias_field(generator, size) * generator.uniform(10, 120)
    for _ in range(int(generator.integers(0, 4))):
        grid = generator.integers(2, size, 2)
        waves = generator.standard_normal(grid).astype(np.float32)
        picture += cv2.resize(waves, (size, size), interpolation=cv2.INTER_LINEAR) * generator.uniform(5, 60)
    return degrade(picture, generator)
