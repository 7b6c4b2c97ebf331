"""A grey picture as HTML: heat over it, the outline of a lesion over both, and words for who cannot see it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape

import cv2
import numpy as np

LARGEST_SIDE = 1024


def limit_size(image: np.ndarray) -> np.ndarray:
    """Return an (H, W) picture reduced to at most `LARGEST_SIDE` pixels a side, its proportions kept."""
    scale = LARGEST_SIDE / max(image.shape)
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def figure_html(
    image: np.ndarray,
    alt: str,
    *,
    heat: np.ndarray | None = None,
    opacity: float = 1.0,
    outline: np.ndarray | None = None,
    names: Mapping[str, tuple[float, float]] | None = None,
) -> str:
    """Return HTML that stacks the layers, scaled to the width of whatever holds it.

    image : (H, W) uint8. heat : (H, W) in [0, 1], Cividis, the more transparent the colder. outline : (H, W)
    bool, drawn as a contour. names : written at (x, y) in the picture's pixels. alt : what the picture shows, in words.
    """
    height, width = image.shape
    layers = [f'<img alt="{escape(alt, quote=True)}" src="{_data_url(image)}">']
    if heat is not None:
        colours = cv2.applyColorMap(np.round(heat * 255).astype(np.uint8), cv2.COLORMAP_CIVIDIS)
        layer = np.dstack([colours, np.round(np.sqrt(heat) * 255).astype(np.uint8)])  # (H, W, 4) BGRA
        layers.append(
            f'<img alt="" class="lumbar-heat" style="opacity:{opacity:.2f}" src="{_data_url(layer)}">'
        )
    if outline is not None and outline.any():
        path = _contour_path(outline)
        layers.append(
            f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
            f'<path class="under" d="{path}"/><path class="over" d="{path}"/></svg>'
        )
    if names:
        size = f"{max(height, width) / 32:.1f}"
        # a disc is flatter than its name is high: that stands in front of it
        beside = lambda name: f' class="lumbar-disc" dx="{-0.05 * width:.1f}"' if "-" in name else ""
        words = "".join(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{beside(name)}>{escape(name)}</text>'
            for name, (x, y) in names.items()
        )
        layers.append(
            f'<svg class="lumbar-names" viewBox="0 0 {width} {height}" aria-hidden="true">{words}</svg>'
        )
    return f'<div class="lumbar-picture" style="aspect-ratio:{width}/{height}">{"".join(layers)}</div>'


def maps_html(maps: np.ndarray, captions: list[str], alts: list[str]) -> str:
    """Return HTML of small maps (N, h, w) in [0, 1] side by side, in Cividis, cell by cell, each with its caption."""
    figures = []
    for cells, caption, alt in zip(maps, captions, alts, strict=True):
        colours = cv2.applyColorMap(np.round(255 * cells).astype(np.uint8), cv2.COLORMAP_CIVIDIS)
        figures.append(
            f'<figure><img alt="{escape(alt, quote=True)}" src="{_data_url(colours)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )
    return f'<div class="lumbar-maps">{"".join(figures)}</div>'


def _data_url(image: np.ndarray) -> str:
    _, content = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _contour_path(mask: np.ndarray) -> str:
    """Return the mask's borders as an SVG path in pixel coordinates."""
    scale = 4  # a contour runs through pixel centres; on a finer grid it comes close to the pixels' borders
    fine = cv2.resize(mask.astype(np.uint8), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(fine, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    return "".join(
        "M" + "L".join(f"{(x + 0.5) / scale:.2f} {(y + 0.5) / scale:.2f}" for x, y in contour[:, 0]) + "Z"
        for contour in contours
    )
