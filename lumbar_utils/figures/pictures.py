"""Grey pictures, heat maps and outlines as plotly traces on one pixel grid; shared by the picture figures."""

from __future__ import annotations

import base64

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import style

# Cividis, from its dark blue to its yellow; clear where the map is cold so that the picture stays visible
_CIVIDIS = ((0, 34, 78), (53, 69, 108), (102, 105, 112), (148, 142, 119), (200, 184, 102), (254, 232, 56))


def grey_picture(picture) -> go.Image:
    """Return a trace of (H, W) uint8, or float in [0, 1]; packed as PNG, a tenth of the size of plain numbers."""
    import cv2

    picture = np.asarray(picture)
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    if picture.ndim != 2:
        raise LumbarError(
            f"a picture to draw has shape {picture.shape}, wanted (height, width); hand in one grey picture."
        )
    if picture.dtype != np.uint8:
        picture = np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    png = cv2.imencode(".png", picture)[1]
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    return go.Image(source=source, hoverinfo="skip")


def heat_map(heat, opacity: float, *, scale: bool = True) -> go.Heatmap:
    """Return a trace of (H, W) in [0, 1], clear at 0 and `opacity` opaque from 0.5 upwards."""
    steps = np.linspace(0, 1, len(_CIVIDIS))
    colours = [
        [float(step), f"rgba({red},{green},{blue},{opacity * min(1, 2 * step):.3f})"]
        for step, (red, green, blue) in zip(steps, _CIVIDIS, strict=True)
    ]
    return go.Heatmap(
        z=np.round(100 * np.asarray(heat)).astype(np.uint8),
        zmin=0,
        zmax=100,
        colorscale=colours,
        showscale=scale,
        colorbar={
            "title": {"text": "heat, %<br>of scale", "font": {"size": 13}},
            "thickness": 14,
            "outlinewidth": 0,
        },
        hovertemplate="column %{x}, row %{y}<br>heat %{z} %<extra></extra>",
    )


def outline(mask, *, name: str, legend: bool = True) -> go.Scatter:
    """Return the contour of an (H, W) bool mask as one line; empty for an empty mask."""
    import cv2

    contours, _ = cv2.findContours(np.asarray(mask, dtype=np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    x, y = [], []
    for contour in contours:
        ring = np.vstack([contour[:, 0], contour[:1, 0]])
        x += [*ring[:, 0].tolist(), None]
        y += [*ring[:, 1].tolist(), None]
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": style.VERMILLION, "width": 2},
        name=name,
        showlegend=legend,
        hoverinfo="skip",
    )


def bare_axes(fig: go.Figure, shape, **where) -> None:
    """Fit one subplot to an (H, W) grid without ticks; the picture's own trace makes the pixels square."""
    height, width = shape
    fig.update_xaxes(range=[-0.5, width - 0.5], visible=False, constrain="domain", **where)
    fig.update_yaxes(
        range=[height - 0.5, -0.5], visible=False, constrain="domain", constraintoward="top", **where
    )
