"""Drawing shapes given in millimetres onto a signal picture and a label map at once."""

from __future__ import annotations

import cv2
import numpy as np

SHIFT = 4  # fractional bits of OpenCV's polygon corners
HALF_PIXEL = 1 << (
    SHIFT - 1
)  # of the doubled grid: every second label then lies in the middle of a final pixel


class Canvas:
    """A float32 signal picture and a uint8 label map, (2 S, 2 S), over one square field of view.

    The picture's pixels are means of 2 x 2, its labels every second one of `labels`. `to_pixels` maps mm to pixels
    of the doubled grid, `scale` is pixels of that grid a mm.
    """

    def __init__(self, size: int, fov_mm: float, rotation: float, centre_mm: np.ndarray):
        self.side = 2 * size
        self.scale = self.side / fov_mm
        angle = np.radians(rotation)
        self.matrix = self.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        self.shift = self.side / 2 - 0.5 - self.matrix @ np.asarray(centre_mm, float)
        self._to_fixed = self.matrix.T * (1 << SHIFT), self.shift * (1 << SHIFT)
        self.signal = np.zeros((self.side, self.side), np.float32)
        self.labels = np.zeros((self.side, self.side), np.uint8)

    def to_pixels(self, points_mm: np.ndarray) -> np.ndarray:
        """Return positions (…, 2) in the doubled grid."""
        return points_mm @ self.matrix.T + self.shift

    def _fixed(self, points_mm):
        turn, shift = self._to_fixed
        return np.rint(points_mm @ turn + shift).astype(np.int32)

    def fill(self, points_mm, signal: float | None, label: int | None = None) -> None:
        """Fill a polygon (points, 2); None leaves signal or label as it is."""
        corners = self._fixed(points_mm)
        if signal is not None:
            cv2.fillPoly(self.signal, [corners], float(signal), cv2.LINE_8, SHIFT)
        if label is not None:
            cv2.fillPoly(self.labels, [corners - HALF_PIXEL], int(label), cv2.LINE_8, SHIFT)

    def fill_each(self, polygons_mm: np.ndarray, signals) -> None:
        """Fill several polygons (n, points, 2), each with its signal."""
        for corners, signal in zip(self._fixed(polygons_mm), signals, strict=True):
            cv2.fillPoly(self.signal, [corners], float(signal), cv2.LINE_8, SHIFT)

    def stroke(self, points_mm, signal: float, width_mm: float, *, closed: bool = False) -> None:
        """Draw a line through points (points, 2) into the signal."""
        width = max(1, round(width_mm * self.scale))
        cv2.polylines(self.signal, [self._fixed(points_mm)], closed, float(signal), width, cv2.LINE_8, SHIFT)

    def stroke_each(self, lines_mm: np.ndarray, signals, widths_mm, *, closed: bool = False) -> None:
        """Draw several lines (n, points, 2), each with its signal and width; one value serves all."""
        n = len(lines_mm)
        widths = np.maximum(1, np.rint(np.broadcast_to(widths_mm, n) * self.scale)).astype(int)
        signals = np.broadcast_to(signals, n).tolist()
        for line, signal, width in zip(self._fixed(lines_mm), signals, widths.tolist(), strict=True):
            cv2.polylines(self.signal, [line], closed, signal, width, cv2.LINE_8, SHIFT)

    def blur(self, spread_mm: float) -> None:
        """Soften what has been drawn so far."""
        cv2.GaussianBlur(self.signal, (0, 0), spread_mm * self.scale, dst=self.signal)

    def region(self, points_mm) -> np.ndarray:
        """Return the polygon as a uint8 picture of 0 and 255."""
        inside = np.zeros((self.side, self.side), np.uint8)
        cv2.fillPoly(inside, [self._fixed(points_mm)], 255, cv2.LINE_8, SHIFT)
        return inside

    def paste(self, field: np.ndarray, inside: np.ndarray) -> None:
        """Copy a signal field (S, S) where `inside` (2 S, 2 S) is not 0."""
        cv2.copyTo(self.enlarge(field), inside, self.signal)

    def enlarge(self, field: np.ndarray) -> np.ndarray:
        """Return a field (S, S) on the doubled grid, float32."""
        return cv2.resize(field.astype(np.float32, copy=False), (self.side, self.side))


def smooth_field(generator: np.random.Generator, size: int, cells: tuple[int, int]) -> np.ndarray:
    """Return smooth noise (size, size) float32 of about unit spread, with `cells` (x, y) bumps across."""
    coarse = generator.standard_normal((cells[1] + 1, cells[0] + 1), dtype=np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def curved(corners: np.ndarray, rounds: int = 2) -> np.ndarray:
    """Return closed outlines (..., points, 2) with their corners cut `rounds` times (Chaikin 1974): smooth curves."""
    for _ in range(rounds):
        following = np.concatenate([corners[..., 1:, :], corners[..., :1, :]], axis=-2)
        cut = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], axis=-2)
        corners = cut.reshape(*corners.shape[:-2], -1, 2)
    return corners


def rounded(centre, forward, upward, length: float, height: float, *, power: float = 0.6, flare: float = 0.0):
    """Return a rounded box (24, 2) around `centre`, wider at its far end by `flare`."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power * (1 + flare * x)
    return centre + (x * length / 2)[:, None] * forward + (y * height / 2)[:, None] * upward


ANGLE = np.linspace(0, 2 * np.pi, 28, endpoint=False)
HARMONICS = np.arange(2, 6)[:, None]


def blobs(generator: np.random.Generator, centres, radius, stretch) -> np.ndarray:
    """Return irregular closed shapes (n, 28, 2) around `centres` (n, 2), `stretch` times as long as wide, turned."""
    n = len(centres)
    weight = generator.normal(0, 0.16, (n, 4, 1)) / HARMONICS
    phase = generator.uniform(0, 2 * np.pi, (n, 4, 1))
    radii = np.reshape(radius, (-1, 1)) * (1 + (weight * np.cos(HARMONICS * ANGLE + phase)).sum(axis=1))
    x, y = radii * np.reshape(stretch, (-1, 1)) * np.cos(ANGLE), radii * np.sin(ANGLE)
    turn = generator.uniform(0, np.pi, (n, 1))
    turned = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=-1)
    return np.asarray(centres)[:, None] + turned
