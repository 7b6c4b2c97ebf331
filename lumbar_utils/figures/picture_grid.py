"""Several pictures side by side."""

from collections import Counter

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import pictures, style

_COLUMNS, _CELL = 4, 165


def picture_grid(images, captions, overlays=None, *, title: str | None = None) -> go.Figure:
    """Return grey pictures with captions, up to four a row.

    images : (N, H, W) or a list of (H, W), uint8 or float in [0, 1]. captions : N strings. overlays : None, or one
    (H, W) a picture (or None): bool is drawn as an outline, float in [0, 1] as heat. title : the finding, if the
    pictures show one; else the title counts the captions.
    """
    captions = [str(caption) for caption in captions]
    overlays = [None] * len(images) if overlays is None else overlays
    if not len(images) or not len(images) == len(captions) == len(overlays):
        raise LumbarError(
            f"there are {len(images)} pictures, {len(captions)} captions and {len(overlays)} overlays; hand in at "
            "least one picture, and as many of each."
        )
    n_columns = min(_COLUMNS, len(images))
    n_rows = -(-len(images) // n_columns)
    fig = make_subplots(
        rows=n_rows,
        cols=n_columns,
        subplot_titles=captions,
        horizontal_spacing=0.02,
        vertical_spacing=0.14 / n_rows,
    )
    for n, (picture, overlay) in enumerate(zip(images, overlays, strict=True)):
        where = {"row": n // n_columns + 1, "col": n % n_columns + 1}
        fig.add_trace(pictures.grey_picture(picture), **where)
        if overlay is not None and np.asarray(overlay).dtype == bool:
            fig.add_trace(pictures.outline(overlay, name="outline", legend=False), **where)
        elif overlay is not None:
            fig.add_trace(pictures.heat_map(overlay, 0.7, scale=False), **where)
        pictures.bare_axes(fig, np.asarray(picture).shape[:2], **where)
    for empty in range(len(images), n_rows * n_columns):
        where = {"row": empty // n_columns + 1, "col": empty % n_columns + 1}
        fig.update_xaxes(visible=False, **where)
        fig.update_yaxes(visible=False, **where)
    finding = title or _finding(captions)
    style.finish(fig, finding, details="; ".join(captions) + ".", height=n_rows * (_CELL + 40), above=22)
    fig.update_annotations(font={"size": 14, "family": style.FONT, "color": style.INK})
    fig.update_layout(margin={"l": 16, "r": 16, "b": 10})
    return fig


def _finding(captions) -> str:
    counts = Counter(captions)
    total = style.count(len(captions), "picture")
    if len(counts) == len(captions):
        return total
    return f"{total}: " + ", ".join(f"{n} {caption}" for caption, n in counts.items())
