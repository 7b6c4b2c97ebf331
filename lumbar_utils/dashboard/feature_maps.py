"""The maps of one layer as small pictures, with what they show in words."""

from __future__ import annotations

from html import escape

import numpy as np

from lumbar_utils.dashboard.opened_network import LAST_MAPS
from lumbar_utils.dashboard.pictures import maps_html

SHOWN = 16


def feature_maps_html(maps: np.ndarray, layer: str, position: int, n_layers: int, input_size) -> str:
    """Return the `SHOWN` liveliest of the maps (h, w, C) of a layer, on one scale from 0 to the layer's strongest.

    position : of the layer, from 1 to n_layers. input_size : (height, width) in pixels of what the network saw.
    """
    height, width, n_maps = maps.shape
    drawn = np.maximum(maps, 0)
    lively = np.argsort(-drawn.std(axis=(0, 1)), kind="stable")[:SHOWN]
    strongest = float(drawn.max())
    silent = int((~drawn.any(axis=(0, 1))).sum())
    heading = f"{layer}, {position} of {n_layers}: {n_maps} maps of {height} x {width} cells"
    below_zero = "Values below 0 are drawn as 0. " if maps.min() < 0 else ""
    made_of_these = " The heat maps below are made of these." if layer == LAST_MAPS else ""
    are_silent = (
        f"{silent or 'None'} of the {n_maps} maps {'is' if silent == 1 else 'are'} silent on this patient."
    )
    return (
        f"<h2>{escape(heading)}</h2>"
        + maps_html(
            np.moveaxis(drawn[..., lively], -1, 0) / (strongest or 1.0),
            [f"map {number}" for number in lively],
            [f"Map {number} of {layer}, at most {maps[..., number].max():.2g}" for number in lively],
        )
        + f"<p>A cell stands for {input_size[0] / height:.0f} x {input_size[1] / width:.0f} pixels of the column. "
        f"{are_silent}{made_of_these}</p>"
        f'<p class="lumbar-fine">The {len(lively)} maps that vary most, the liveliest first, all on one scale: '
        f"dark is 0, yellow is {strongest:.2g}, the layer's strongest. {below_zero}</p>"
    )
