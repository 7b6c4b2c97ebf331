"""What a study of a few patients says of two models, and what other draws of as many patients say."""

import textwrap

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lumbar_utils.evaluation import Estimate
from lumbar_utils.figures import style

_MODELS = ((style.ORANGE, "square"), (style.BLUE, "circle"))
_BIN = 0.02


def small_study(
    rival: Estimate, model: Estimate, gain: Estimate, others, *, names, n_patients: int, tested_on: str
) -> go.Figure:
    """Return both AUCs above; below, their difference here, and a histogram of it in other draws of patients.

    rival, model : AUCs on the patients drawn. gain : model minus rival, paired by patient. others : (D,)
    gains in D draws of as many patients. names : of rival and model. tested_on : the rows drawn, as the axis
    calls them.
    """
    others = np.asarray(others, dtype=float)
    fig = make_subplots(2, 1, row_heights=[0.3, 0.7], vertical_spacing=0.24)
    for row, (name, found, (colour, symbol)) in enumerate(zip(names, (rival, model), _MODELS, strict=True)):
        _add_estimate(fig, found, row, 1, colour=colour, symbol=symbol, name=name, sign="")
    shown = ["<br>".join(textwrap.wrap(name, 24)) for name in names]
    fig.update_yaxes(tickvals=[0, 1], ticktext=shown, range=[1.6, -0.6], showgrid=False, row=1, col=1)
    least = min([0.5, *(found.low for found in (rival, model) if np.isfinite(found.low))])
    fig.update_xaxes(
        title_text=f"AUC on {tested_on}, 95 % interval over patients",
        range=[least - 0.03, 1.02],
        row=1,
        col=1,
    )
    for side, (colour, pattern) in zip(
        (others < 0, others >= 0), ((_MODELS[0][0], "/"), (_MODELS[1][0], "")), strict=True
    ):
        fig.add_histogram(
            x=others[side],
            xbins={"start": -1, "end": 1, "size": _BIN},
            marker={"color": colour, "pattern": {"shape": pattern}},
            opacity=0.75,
            hovertemplate="%{x}: %{y} draws<extra></extra>",
            row=2,
            col=1,
        )
    top = max(1, np.histogram(others, bins=np.arange(-1, 1 + _BIN, _BIN))[0].max())
    _add_estimate(fig, gain, 1.22 * top, 2, colour=style.BLACK, symbol="diamond", name="this draw", sign="+")
    fig.add_vline(x=0, line={"color": style.BLACK, "dash": "dot", "width": 1.5}, row=2, col=1)
    reach = 1.1 * max(0.2, *np.abs([value for value in (gain.low, gain.high, *others) if np.isfinite(value)]))
    fig.update_xaxes(
        title_text=f"AUC of {names[1]} minus that of {names[0]}", range=[-reach, reach], row=2, col=1
    )
    fig.update_yaxes(
        title_text=f"Draws of {style.count(n_patients, 'patient')}", range=[0, 1.6 * top], row=2, col=1
    )
    fig.update_layout(showlegend=False, barmode="overlay", bargap=0.05)
    finding = _finding(rival, model, others, names, n_patients)
    style.finish(fig, finding, details=_details(gain, names, others), height=400)
    return fig.update_layout(margin={"r": 140})  # the numbers beside the upper panel


def _add_estimate(fig, found: Estimate, y: float, row: int, *, colour, symbol, name, sign) -> None:
    """Draw a number with its interval in subplot `row` at the height `y`, and write both beside it."""
    written = f"{found.value:{sign}.2f}"
    bar = None
    if np.isfinite(found.low):
        written += f" [{found.low:{sign}.2f}, {found.high:{sign}.2f}]"
        bar = {
            "type": "data",
            "symmetric": False,
            "array": [found.high - found.value],
            "arrayminus": [found.value - found.low],
            "thickness": 2.5,
            "width": 7,
        }
    marker = {"size": 11, "color": colour, "symbol": symbol}
    hover = f"{name}: {written}<extra></extra>"
    fig.add_scatter(
        x=[found.value],
        y=[y],
        mode="markers",
        marker=marker,
        error_x=bar,
        hovertemplate=hover,
        row=row,
        col=1,
    )
    fig.add_annotation(
        text=f"{name} {written}" if row == 2 else written,
        x=1 if row == 1 else 0.01,
        xref=f"x{row if row > 1 else ''} domain",
        xanchor="left",
        xshift=8 if row == 1 else 0,
        yshift=0 if row == 1 else 8,
        y=y,
        yref=f"y{row if row > 1 else ''}",
        yanchor="middle" if row == 1 else "bottom",
        showarrow=False,
        font={"size": 13},
    )


def _finding(rival: Estimate, model: Estimate, others, names, n_patients: int) -> str:
    ahead = int(model.value >= rival.value)
    lead = abs(model.value - rival.value)
    here = f"{style.count(n_patients, 'patient')} put {names[ahead]} ahead by {lead:.2f} of AUC"
    if np.ptp(others) < 1e-12:
        return f"{here}, and there is no other draw of {n_patients}"
    alike = np.mean(others >= 0 if ahead else others < 0)
    return f"{here}; so do {style.percent(alike)} of {len(others)} draws of {n_patients}"


def _details(gain: Estimate, names, others) -> str:
    if not np.isfinite(gain.low):
        verdict = "without an interval"
    else:
        verdict = f"an interval that {'holds 0' if gain.low <= 0 <= gain.high else 'leaves 0 out'}"
    return (
        f"Above: the AUCs on the patients drawn. Below: {names[1]} minus {names[0]}, {gain.value:+.2f} here, "
        f"{verdict}; the bars count {style.count(len(others), 'draw')} of as many patients."
    )
