"""Filters beside the picture, each with its window marked where it works."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import pictures, style

# blue below 0, white at 0, vermillion above: two hues that colour-blind readers tell apart
_SIGNED = ((0.0, style.BLUE), (0.5, "#FFFFFF"), (1.0, style.VERMILLION))
_MOST = 4


def filters_on_picture(
    picture, places, filters, names, *, side: float, title: str | None = None, limit: float | None = None
) -> go.Figure:
    """Return the picture with up to four numbered windows, and on the right the filter of each.

    picture : (H, W) uint8, or float in [0, 1]. places : N middles (row, column) of windows, in pixels of the picture.
    filters : (N, K, K). names : N strings. side : of a window, in pixels of the picture. title : the finding; without
    one the title says how alike the filters are. limit : weight of the strongest colour, by default the largest shown.
    """
    filters = np.asarray(filters, dtype=float)
    if filters.ndim != 3 or not 1 <= len(filters) <= _MOST or not len(filters) == len(places) == len(names):
        raise LumbarError(
            f"there are filters of shape {filters.shape}, {len(places)} places and {len(names)} names; hand in one to "
            f"{_MOST} filters (N, K, K), and as many of each."
        )
    height, width = np.asarray(picture).shape[:2]
    rows, columns = (1, 1) if len(filters) == 1 else (1, 2) if len(filters) == 2 else (2, 2)
    numbers = [""] if len(filters) == 1 else [str(number) for number in range(1, len(filters) + 1)]
    captions = [f"{number} {name}".strip() for number, name in zip(numbers, names, strict=True)]
    specs = [[{"rowspan": rows}, *[{}] * columns]] + [[None, *[{}] * columns]] * (rows - 1)
    fig = make_subplots(
        rows=rows,
        cols=1 + columns,
        specs=specs,
        column_widths=[0.34, *[0.66 / columns] * columns],
        subplot_titles=["", *captions],
        horizontal_spacing=0.06,
        vertical_spacing=0.14,
    )
    fig.add_trace(pictures.grey_picture(picture), row=1, col=1)
    pictures.bare_axes(fig, (height, width), row=1, col=1)
    limit = limit or float(np.abs(filters).max()) or 1.0
    scale = {"cmin": -limit, "cmax": limit, "colorscale": _SIGNED}
    bar = {"title": {"text": "weight", "font": {"size": 13}}, "thickness": 14, "outlinewidth": 0}
    fig.update_layout(coloraxis={**scale, "colorbar": bar})
    reach = filters.shape[1] // 2
    offsets = np.arange(-reach, reach + 1)
    for number, ((row, column), weights) in enumerate(zip(places, filters, strict=True)):
        where = {"row": number // columns + 1, "col": number % columns + 2}
        fig.add_trace(_window(row, column, side, numbers[number]), row=1, col=1)
        hover = "%{y} down, %{x} right<br>weight %{z:.3f}<extra></extra>"
        fig.add_heatmap(z=weights, x=offsets, y=offsets, coloraxis="coloraxis", hovertemplate=hover, **where)
        ticks = {"showgrid": False, "constrain": "domain", "tickvals": [-reach, 0, reach]}
        fig.update_xaxes(title_text="right (cells)" if where["row"] == rows else "", **ticks, **where)
        anchor = fig.get_subplot(**where).xaxis.anchor.replace("y", "x")
        down = "down (cells)" if where["col"] == 2 else ""
        fig.update_yaxes(title_text=down, autorange="reversed", scaleanchor=anchor, **ticks, **where)
    finding = title or _finding(filters)
    style.finish(fig, finding, details=f"Filters: {'; '.join(captions)}.", height=420, above=20)
    fig.update_annotations(font={"size": 14, "family": style.FONT, "color": style.INK})
    fig.update_layout(margin={"l": 16}, showlegend=False)
    return fig


def _window(row: float, column: float, side: float, number: str) -> go.Scatter:
    left, right, top, bottom = column - side / 2, column + side / 2, row - side / 2, row + side / 2
    return go.Scatter(
        x=[left, right, right, left, left],
        y=[top, top, bottom, bottom, top],
        mode="lines+text",
        line={"color": style.YELLOW, "width": 2.5},
        text=[number],
        textposition="top right",
        textfont={"color": style.YELLOW, "size": 15},
        hoverinfo="skip",
    )


def _finding(filters: np.ndarray) -> str:
    if len(filters) == 1:
        return f"The weights of this filter add up to {filters.sum():.2f}"
    if np.abs(filters - filters[0]).max() < 1e-6:
        return f"One and the same filter at all {len(filters)} places"
    return f"Another filter at each of the {len(filters)} places"
