"""Draws what was found over the picture: bodies and discs outlined, numbered, and named beside the column."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..dataset import FIRST_BODY, FIRST_DISC, MASK_LABELS, MAX_LEVELS, LumbarError
from .location import Location

# Okabe and Ito (2008), which colour-blind readers tell apart; blue, green, red as OpenCV wants them.
SKY, ORANGE, GREEN, PURPLE, YELLOW = (
    (233, 180, 86),
    (0, 159, 230),
    (115, 158, 0),
    (167, 121, 204),
    (66, 228, 240),
)
WHITE = (255, 255, 255)
SMALLEST_SIDE = 600
FONT = cv2.FONT_HERSHEY_SIMPLEX
LESIONS = [MASK_LABELS[name] for name in ("herniation", "flavum", "osteophyte")]


def draw_location(picture: np.ndarray, location: Location) -> np.ndarray:
    """Return the (H, W) picture in colours, (H', W', 3) uint8 as blue, green, red, at least 600 pixels each way.

    Bodies are outlined in sky blue and discs filled in orange; the sacrum is outlined in green, the dural sac in
    purple, and lesions are filled in yellow. Names stand in front of the bodies and behind the discs, each joined
    to its middle by a line and never on another name; a line below the picture says what each colour is.
    """
    zoom = max(1.0, SMALLEST_SIDE / min(picture.shape))
    size = tuple(round(side * zoom) for side in picture.shape[::-1])
    grey = picture if picture.dtype == np.uint8 else np.uint8(np.clip(picture, 0, 1) * 255)
    canvas = cv2.cvtColor(cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
    if not location.found:
        return _with_key(canvas, [("no lumbar column found", WHITE)])
    labels = location.labels
    lesions = np.isin(labels, LESIONS)
    _fill(canvas, (labels >= FIRST_DISC) & (labels < FIRST_DISC + MAX_LEVELS), ORANGE, 0.45)
    _fill(canvas, lesions, YELLOW, 0.6)
    _outline(canvas, labels == MASK_LABELS["sac"], PURPLE)
    _outline(canvas, labels == MASK_LABELS["sacrum"], GREEN)
    for number in range(FIRST_BODY, FIRST_BODY + MAX_LEVELS):
        _outline(canvas, labels == number, SKY)
    reach = 0.9 * zoom * np.linalg.norm(location.at(1.0) - location.at(0.0))
    _names(canvas, location.bodies, zoom, SKY, side=-1, reach=reach)
    _names(canvas, location.discs, zoom, ORANGE, side=1, reach=1.3 * reach)
    key = [("bodies", SKY), ("discs", ORANGE), ("sacrum", GREEN), ("dural sac", PURPLE)]
    if lesions.any():
        key.append(("herniation, flavum, osteophyte", YELLOW))
    if location.numbered_from != "sacrum":
        key.append(("no sacrum seen: L5 is a guess", WHITE))
    return _with_key(canvas, key)


def save_drawing(file: str | Path, picture: np.ndarray, location: Location) -> None:
    """Write `draw_location` as a PNG file."""
    file = Path(file)
    content = cv2.imencode(".png", draw_location(picture, location))[1].tobytes()
    try:
        file.write_bytes(content)
    except OSError as error:
        raise LumbarError(
            f"{file} cannot be written ({error.strerror}); name a file in a folder that exists."
        ) from error


def _fill(canvas, mask, colour, strength):
    large = cv2.resize(mask.astype(np.float32), canvas.shape[1::-1], interpolation=cv2.INTER_LINEAR)[
        ..., None
    ]
    share = strength * np.clip(2 * large - 0.5, 0, 1)
    canvas[:] = np.round((1 - share) * canvas + share * np.array(colour, np.float32)).astype(np.uint8)


def _outline(canvas, mask, colour):
    if mask.any():
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)
        large = cv2.resize(soft, canvas.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5
        lines, _ = cv2.findContours(large.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(canvas, lines, -1, colour, 2, cv2.LINE_AA)


def _names(canvas, points, zoom, colour, *, side, reach) -> None:
    """Write each name `reach` pixels beside its point, on the side -1 (left) or 1, below the name above it."""
    height, width = canvas.shape[:2]
    scale = max(0.5, min(height, width) / 1100)
    thickness = 1 + (scale > 0.9)
    line = round(36 * scale) + 6
    last = height + line
    for name, (x, y) in points.items():  # from the lowest upwards
        (text_width, text_height), _ = cv2.getTextSize(name, FONT, scale, thickness)
        middle = np.array([(x + 0.5) * zoom, (y + 0.5) * zoom])
        left = middle[0] + side * reach - (text_width if side < 0 else 0)
        left = int(np.clip(left, 4, width - text_width - 4))
        base = int(np.clip(middle[1] + text_height / 2, text_height + 4, height - 6))
        base = min(base, last - line)
        if base < text_height + 2:
            break  # no room above the name before: the picture's upper border
        last = base
        end = (left + text_width + 4 if side < 0 else left - 4, base - text_height // 2)
        start = tuple(np.round(middle).astype(int).tolist())
        cv2.line(canvas, start, end, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.line(canvas, start, end, colour, 1, cv2.LINE_AA)
        cv2.circle(canvas, start, 3, colour, -1, cv2.LINE_AA)
        corner = (left - 3, base - text_height - 4), (left + text_width + 3, base + 5)
        cv2.rectangle(canvas, *corner, (0, 0, 0), -1)
        cv2.putText(canvas, name, (left, base), FONT, scale, colour, thickness, cv2.LINE_AA)


def _with_key(canvas: np.ndarray, key: list[tuple[str, tuple]]) -> np.ndarray:
    """Return the canvas with a black strip below it that names each colour, in as many lines as needed."""
    scale = max(0.5, min(canvas.shape[:2]) / 1200)
    line, places, x, y = round(44 * scale), [], 10, 1
    for words, colour in key:
        width = cv2.getTextSize(words, FONT, scale, 1)[0][0]
        if x > 10 and x + width > canvas.shape[1] - 10:
            x, y = 10, y + 1
        places.append((words, (x, y), colour))
        x += width + round(40 * scale)
    strip = np.zeros((line * y + 8, canvas.shape[1], 3), np.uint8)
    for words, (left, row), colour in places:
        cv2.putText(strip, words, (left, line * row - round(12 * scale)), FONT, scale, colour, 1, cv2.LINE_AA)
    return np.concatenate([canvas, strip])
