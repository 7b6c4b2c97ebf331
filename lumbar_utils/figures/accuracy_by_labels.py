"""How accuracy grows with the number of labelled patients, method by method."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import style

_COLUMNS = ("method", "labelled", "accuracy", "low", "high")
_SYMBOLS = ("circle", "diamond", "square", "cross")


def accuracy_by_labels(table, names: dict[str, str] | None = None, base: str = "supervised") -> go.Figure:
    """Return a line a method with its interval as a band, and in the title what the best rival gains over `base`.

    table : DataFrame with a row a method and number of labelled patients, and the columns method, labelled, accuracy,
    low, high; limits may be missing. With gain_low and gain_high the title gives the gain's interval too.
    names : method to the name shown.
    """
    missing = [name for name in _COLUMNS if name not in table]
    if missing or not len(table):
        raise LumbarError(
            f"the table has {len(table)} rows and lacks {', '.join(missing) or 'no column'}, wanted one row a method "
            f"and number of labels with {', '.join(_COLUMNS)}; hand in what summarise_unlabelled returned."
        )
    names = names or {}
    fig = go.Figure()
    for number, (method, rows) in enumerate(table.groupby("method", sort=False)):
        rows = rows.sort_values("labelled")
        line, known = style.class_line(number), rows.dropna(subset=["low", "high"])
        if len(known):
            fig.add_scatter(
                x=[*known["labelled"], *known["labelled"][::-1]],
                y=[*(100 * known["high"]), *(100 * known["low"][::-1])],
                mode="lines",
                fill="toself",
                fillcolor=line["color"],
                opacity=0.13,
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        fig.add_scatter(
            x=rows["labelled"],
            y=100 * rows["accuracy"],
            customdata=(100 * rows[["low", "high"]]).to_numpy(),
            mode="lines+markers",
            line=line,
            marker={"size": 9, "symbol": _SYMBOLS[number % len(_SYMBOLS)]},
            name=names.get(method, method),
            hovertemplate="%{x} labelled: %{y:.1f} % [%{customdata[0]:.1f}, %{customdata[1]:.1f}]",
        )
    sizes = sorted(table["labelled"].unique().tolist())
    fig.update_xaxes(title_text="Labelled patients (logarithmic)", type="log", tickvals=sizes)
    fig.update_yaxes(title_text="Accuracy on the test patients (%)")
    fig.update_layout(legend={"x": 0.99, "xanchor": "right", "y": 0.02, "yanchor": "bottom"})
    finding = _finding(table, names, base, sizes)
    return style.finish(
        fig, finding, details=f"Bands: 95 % intervals. {_in_words(table, names)}.", height=380
    )


def _finding(table, names, base, sizes) -> str:
    cells = table.set_index(["labelled", "method"])
    gains = []
    for size in dict.fromkeys((sizes[0], sizes[-1])):
        rows = cells.loc[size]
        rivals = rows["accuracy"].drop(base, errors="ignore")
        if base not in rows.index or not len(rivals):
            continue
        best, gain = rivals.idxmax(), rivals.max() - rows.loc[base, "accuracy"]
        text = f"with {size} labels {names.get(best, best)} {'gains' if gain >= 0 else 'loses'} {style.points(gain)}"
        if "gain_low" in rows and np.isfinite(rows.loc[best, "gain_low"]):
            text += f" [{100 * rows.loc[best, 'gain_low']:+.1f}, {100 * rows.loc[best, 'gain_high']:+.1f}]"
        gains.append(text)
    if not gains:
        return f"Accuracy with {sizes[0]} to {sizes[-1]} labelled patients"
    text = "; ".join(gains)
    return text[0].upper() + text[1:]


def _in_words(table, names) -> str:
    return "; ".join(
        f"{names.get(row.method, row.method)}, {row.labelled} labelled: {style.percent(row.accuracy)}"
        for row in table.itertuples()
    )
