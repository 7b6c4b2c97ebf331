"""How often the worse of two models comes out ahead, as the test grows."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.evaluation.sure import duel, patients_needed
from lumbar_utils.figures import style

_TICKS = [5, 20, 100, 500, 2000]
_AT_MOST = 0.05


def duel_by_size(n: int, better: float, worse: float) -> go.Figure:
    """Return the chances that the better model, A, is behind the worse, B, or level with it, by the patients tested.

    n : the test to mark; each model has n patients of its own. better, worse : true accuracies in [0, 1].
    """
    sizes = np.unique(np.round(np.geomspace(5, 2000, 50)).astype(int))
    chances = 100 * np.array([duel(int(size), better, worse) for size in sizes])  # (S, 3)
    here = duel(n, better, worse)
    fig = go.Figure()
    for column, name, colour, dash in (
        (2, "B ahead of A", style.VERMILLION, "solid"),
        (1, "a tie", style.BLUE, "dash"),
    ):
        fig.add_scatter(
            x=sizes,
            y=chances[:, column],
            mode="lines",
            name=name,
            line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate=f"%{{x}} patients<br>{name}: %{{y:.1f}} %<extra></extra>",
        )
    fig.add_scatter(
        x=[n],
        y=[100 * here.behind],
        mode="markers+text",
        marker={"size": 11, "color": style.VERMILLION},
        text=[style.percent(here.behind)],
        textposition="top right",
        showlegend=False,
        hoverinfo="skip",
    )
    fig.add_hline(y=100 * _AT_MOST, line={"color": style.BLACK, "dash": "dot", "width": 1.5})
    fig.update_xaxes(
        title_text="Patients for each model (logarithmic)",
        type="log",
        tickvals=_TICKS,
        range=[np.log10(4.5), np.log10(2200)],
    )
    fig.update_yaxes(title_text="Chance (%)", range=[0, max(52, 1.1 * chances[:, 1:].max())])
    return style.finish(fig, _finding(n, better, worse, here), details=_details(better, worse), height=300)


def _finding(n, better, worse, here) -> str:
    if better == worse:
        return (
            f"Two equal models: on {style.count(n, 'patient')} one of them looks better in "
            f"{style.percent(1 - here.level)} of the tests"
        )
    return (
        f"On {style.count(n, 'patient')} each, the worse model comes out ahead in {style.percent(here.behind)} of "
        f"the tests, and level in {style.percent(here.level)}"
    )


def _details(better: float, worse: float) -> str:
    apart = (
        "Each model is tested on patients of its own; on the same patients, compared pair by pair, luck takes less "
        "part. Exact binomial chances, nothing simulated."
    )
    if better == worse:
        return apart
    needed = patients_needed(better, worse, _AT_MOST)
    return (
        f"It takes about {needed:,} patients for each until that falls to {100 * _AT_MOST:.0f} %, the dotted line. "
        + apart
    )
