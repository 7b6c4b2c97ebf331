"""Where a model looked, on the picture it looked at."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import pictures, style


def heat_overlay(image, heat, opacity: float = 0.7, outline=None) -> go.Figure:
    """Return a picture under its heat map, with the truth as an outline where there is one.

    image : (H, W) uint8, or float in [0, 1]. heat : (H, W) in [0, 1]; cold pixels stay clear. opacity : of the hot
    pixels, 0 to 1. outline : (H, W) bool or None. With an outline the title gives the share of the heat inside it
    (the energy-based pointing game, Wang et al. 2020) beside the share of the picture it covers, which is chance.
    """
    image, heat = np.asarray(image), np.asarray(heat, dtype=float)
    outline = None if outline is None else np.asarray(outline, dtype=bool)
    for what, array in (("the heat map", heat), ("the outline", outline)):
        if array is not None and array.shape != image.shape[:2]:
            raise LumbarError(
                f"{what} has shape {array.shape} and the picture {image.shape[:2]}; resize it to the picture first."
            )
    fig = go.Figure([pictures.grey_picture(image), pictures.heat_map(np.clip(heat, 0, 1), opacity)])
    if outline is not None and outline.any():
        fig.add_trace(pictures.outline(outline, name="the lesion"))
    pictures.bare_axes(fig, image.shape[:2])
    style.finish(fig, _finding(heat, outline), details="Bright is hot; cold pixels are clear.", height=430)
    fig.update_layout(
        margin={"l": 16, "b": 40},
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.01, "yanchor": "top"},
    )
    return fig


def _finding(heat, outline) -> str:
    total = heat.sum()
    if not total > 0:
        return "The heat map is empty: nothing in the picture speaks for this class"
    if outline is not None and outline.any():
        return (
            f"{style.percent(heat[outline].sum() / total)} of the heat lies inside the outline, which covers "
            f"{style.percent(outline.mean())} of the picture"
        )
    descending = np.sort(heat, axis=None)[::-1]
    half = int(np.searchsorted(np.cumsum(descending), total / 2)) + 1
    finding = f"Half of the heat lies on {style.percent(half / heat.size)} of the picture"
    return finding if outline is None else f"{finding}; there is no lesion to outline"
