"""How well the heat maps of several networks find the lesion, beside chance, random weights and the ceiling."""

import pandas as pd
import plotly.graph_objects as go

from lumbar_utils.cam import METHODS
from lumbar_utils.cam.stored import RANDOMISED
from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import style

_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
_REFERENCES = (
    ("chance", "chance", "x-thin", 11),
    ("discs", "all discs alike", "asterisk", 11),
    ("ceiling", "ceiling", "line-ns", 22),
)
_MEANS = {
    "pointing": "Share of maps whose hottest pixel lies within 1 cm of the lesion",
    "energy": "Share of the heat inside the lesion",
    "iou": "Overlap of hot area and lesion (IoU)",
    "auprc": "Precision over the pixels (AUPRC)",
    "level_hit": "Share of maps whose hottest level has a lesion",
}
_TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]
_COLUMNS = {
    "network",
    "weights",
    "method",
    "value",
    "low",
    "high",
    "chance",
    "discs",
    "ceiling",
    "above_rival_low",
}


def explanation_scores(summary: pd.DataFrame, *, score: str = "energy") -> go.Figure:
    """Return a band a network: the mean score of each method with its interval, and of the same with random weights.

    summary : what `cam.stored.summary_of(table, score)` returns. Marked are chance, the map of all discs alike, and
    the ceiling of the network's own cells; the axis is logarithmic.
    """
    missing = _COLUMNS - set(summary)
    trained = summary[summary["weights"] != RANDOMISED] if not missing else summary
    if missing or not len(trained):
        raise LumbarError(
            f"the summary has {len(summary)} rows and lacks {', '.join(sorted(missing)) or 'trained networks'}; hand "
            "in what summary_of(stored_scores()) returns."
        )
    anew = summary[summary["weights"] == RANDOMISED]
    networks = trained.groupby("network")["value"].max().sort_values(ascending=False).index.tolist()
    methods = [method for method in METHODS if method in set(summary["method"])]
    fig = go.Figure()
    for number, method in enumerate(methods):
        offset = 0.62 * ((number + 0.5) / len(methods) - 0.5)
        for rows, kind, width in ((trained, "", 2), (anew, ", random weights", 0)):
            rows = rows[rows["method"] == method]
            fig.add_scatter(
                x=rows["value"],
                y=[networks.index(name) + offset for name in rows["network"]],
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": rows["high"] - rows["value"],
                    "arrayminus": rows["value"] - rows["low"],
                    "thickness": width,
                    "width": 0,
                },
                mode="markers",
                name=METHODS[method].title,
                legendgroup=method,
                showlegend=not kind,
                marker={
                    "color": style.COLOURS[number % len(style.COLOURS)],
                    "symbol": _SYMBOLS[number % len(_SYMBOLS)] + ("-open" if kind else ""),
                    "size": 8 if kind else 9,
                },
                hovertemplate=f"%{{customdata}}, {METHODS[method].title}{kind}: %{{x:.3f}}<extra></extra>",
                customdata=rows["network"],
            )
    once = trained.drop_duplicates("network")
    places = [networks.index(name) for name in once["network"]]
    for name, shown, symbol, size in _REFERENCES:
        fig.add_scatter(
            x=once[name], y=places, mode="markers", name=shown, hovertemplate=f"{shown}: %{{x:.3f}}<extra></extra>",
            marker={"symbol": symbol, "size": size, "color": style.BLACK, "line": {"width": 2.5}},
        )  # fmt: skip
    if len(anew):
        fig.add_scatter(
            x=[None], y=[None], mode="markers", name="open: random weights",
            marker={"symbol": "circle-open", "size": 8, "color": style.GREY},
        )  # fmt: skip
    for border in range(len(networks) - 1):
        fig.add_hline(y=border + 0.5, line={"color": style.PALE, "width": 1})
    fig.update_xaxes(
        title_text=f"{_MEANS[score]}, 95% interval over patients (logarithmic)", type="log", tickvals=_TICKS
    )
    fig.update_yaxes(
        tickvals=list(range(len(networks))),
        ticktext=[name.split(",")[0] for name in networks],
        range=[len(networks) - 0.5, -0.5],
        showgrid=False,
    )
    fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"})
    return style.finish(
        fig,
        _finding(trained, anew, score),
        details=_details(trained),
        height=120 + 62 * len(networks),
        above=74,
    )


def _finding(trained: pd.DataFrame, anew: pd.DataFrame, score: str) -> str:
    above = int((trained["above_rival_low"] > 0).sum())
    found = (
        f"{above} of {len(trained)} pairs of network and method find the lesion better than maps that know no "
        f"network ({score})"
    )
    return found + (
        f"; with random weights {int((anew['above_rival_low'] > 0).sum())} of {len(anew)} do"
        if len(anew)
        else ""
    )


def _details(trained: pd.DataFrame) -> str:
    best = trained.iloc[trained["value"].argmax()]
    return (
        f"Phantom scores. The best is {METHODS[best['method']].title} of {best['network']}, {best['value']:.3f} "
        f"[{best['low']:.3f}, {best['high']:.3f}], where chance gives {best['chance']:.3f}, all discs alike "
        f"{best['discs']:.3f} and a perfect map in that network's cells {best['ceiling']:.3f}."
    )
