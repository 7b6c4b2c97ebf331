"""How accuracy grows with the number of patients to learn from, network by network."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import style

_COLUMNS = ("model", "patients", "runs", "accuracy", "accuracy_low", "accuracy_high")
_SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "x", "star")
_PLOT, _ENTRY = 420, 21  # pixels: plot with its axis, a line of the legend below it
_APART = 0.025  # neighbouring networks' marks, as a share of the number of patients


def learning_curves(table, *, mark: int | None = None) -> go.Figure:
    """Return a line a network with its intervals; marks of one size stand side by side.

    table : DataFrame with a row a network and number of patients, and the columns model, patients, runs, accuracy,
    accuracy_low, accuracy_high. mark : a number of patients to point out, the paper's.
    """
    missing = [name for name in _COLUMNS if name not in table]
    if missing or not len(table):
        raise LumbarError(
            f"the table has {len(table)} rows and lacks {', '.join(missing) or 'no column'}, wanted one row a network "
            f"and number of patients with {', '.join(_COLUMNS)}; hand in what load_learning_curves returned."
        )
    fig = go.Figure()
    largest = table["patients"].max()
    ranked = table[table["patients"] == largest].sort_values("accuracy", ascending=False)["model"].tolist()
    ranked += [model for model in dict.fromkeys(table["model"]) if model not in ranked]
    for number, model in enumerate(ranked):
        rows = table[table["model"] == model].sort_values("patients")
        aside = (1 + _APART) ** (number - (len(ranked) - 1) / 2)
        line = style.class_line(number)
        fig.add_scatter(
            x=rows["patients"] * aside,
            y=100 * rows["accuracy"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": 100 * (rows["accuracy_high"] - rows["accuracy"]),
                "arrayminus": 100 * (rows["accuracy"] - rows["accuracy_low"]),
                "thickness": 1.2,
                "width": 0,
            },
            customdata=np.column_stack(
                [rows["patients"], 100 * rows["accuracy_low"], 100 * rows["accuracy_high"], rows["runs"]]
            ),
            mode="lines+markers",
            line=line | {"width": 2},
            marker={"size": 8, "symbol": _SYMBOLS[number % len(_SYMBOLS)]},
            name=model,
            hovertemplate="%{customdata[0]:.0f} patients: %{y:.1f} % [%{customdata[1]:.1f}, %{customdata[2]:.1f}], "
            "%{customdata[3]:.0f} trainings",
        )
    sizes = sorted(table["patients"].unique().tolist())
    if mark is not None:
        fig.add_vline(x=mark, line={"color": style.GREY, "dash": "dot", "width": 1.5})
        fig.add_annotation(
            text="as many as in the paper",
            x=np.log10(mark),  # on a logarithmic axis lines take numbers, annotations their logarithms
            xanchor="right",
            xshift=-4,
            y=1,
            yref="paper",
            yanchor="top",
            showarrow=False,
            font={"size": 13, "color": style.GREY},
        )
    ends = np.log10([sizes[0] / 1.25, sizes[-1] * 1.25])
    fig.update_xaxes(
        title_text="Patients to learn from (logarithmic)", type="log", tickvals=sizes, range=list(ends)
    )
    fig.update_yaxes(title_text="Accuracy on locked patients (%)")
    style.finish(
        fig, _finding(table, sizes), details=f"Bars: 95 % intervals. {_in_words(table)}.", height=_PLOT
    )
    below = _ENTRY * len(ranked)
    fig.update_layout(
        legend={"x": 0, "y": -65 / (_PLOT - 60), "yanchor": "top"},
        height=fig.layout.height + below + 10,
    )
    return fig.update_layout(margin={"b": fig.layout.margin.b + below + 10})


def _finding(table, sizes) -> str:
    best = {size: table.loc[table[table["patients"] == size]["accuracy"].idxmax()] for size in sizes}
    first, last = best[sizes[0]], best[sizes[-1]]
    if len(sizes) == 1:
        return f"With {sizes[0]} patients the best network reaches {style.percent(first['accuracy'])}"
    gain = last["accuracy"] - first["accuracy"]
    spread = np.ptp(table[table["patients"] == sizes[-1]]["accuracy"])
    return (
        f"From {sizes[0]} to {sizes[-1]} patients the best network gains {style.points(gain)}; "
        f"at {sizes[-1]} the networks lie {style.points(spread)} apart"
    )


def _in_words(table) -> str:
    return "; ".join(
        f"{row.model}, {row.patients} patients: {style.percent(row.accuracy)}" for row in table.itertuples()
    )
