"""Differences of all pairs of models on the same pictures, with their intervals."""

import pandas as pd
import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import style

_COLUMNS = {"first", "second", "difference", "low", "high", "p_holm", "method", "test"}


def paired_forest(table: pd.DataFrame) -> go.Figure:
    """Return a row a pair: the better model's accuracy minus the other's with its interval, and Holm's p value.

    table : what `compare(predictions)` returns. A pair whose p value is under 0.05 after Holm, or, where McNemar's
    test does not apply, whose interval leaves out 0, has a filled circle; the others are open diamonds.
    """
    missing = _COLUMNS - set(table)
    if missing or not len(table):
        raise LumbarError(
            f"the table of pairs has {len(table)} rows and lacks {', '.join(sorted(missing)) or 'no column'}; hand in "
            "what compare(predictions) returns."
        )
    pairs = sorted(
        (_better_first(row) for row in table.to_dict("records")), key=lambda row: -row["difference"]
    )
    fig = go.Figure()
    for row in pairs:
        apart = _apart(row)
        fig.add_scatter(
            x=[100 * row["difference"]],
            y=[_label(row)],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * (row["high"] - row["difference"])],
                "arrayminus": [100 * (row["difference"] - row["low"])],
                "thickness": 2.5,
                "width": 7,
            },
            mode="markers",
            marker={"size": 11, "symbol": "circle" if apart else "diamond-open", "line": {"width": 2}},
            marker_color=style.BLUE if apart else style.GREY,
            hovertemplate=f"{row['first']} minus {row['second']}: {_text(row)}<br>{row['method']}<extra></extra>",
            showlegend=False,
        )
        fig.add_annotation(
            x=1, y=_label(row), xref="paper", xanchor="left", xshift=10, showarrow=False, align="left",
            text=f"{100 * row['difference']:+.1f}   {_p(row)}", font={"size": 13},
        )  # fmt: skip
    fig.add_vline(x=0, line={"color": style.BLACK, "dash": "dot", "width": 1.5})
    fig.update_xaxes(title_text="Difference in accuracy (percentage points), with 95% interval; p after Holm")
    fig.update_yaxes(range=[len(pairs) - 0.4, -0.6], showgrid=False, tickfont={"size": 13})
    style.finish(
        fig,
        _finding(pairs),
        details="; ".join(
            f"{row['first']} minus {row['second']} {_text(row)}, {row['test']}" for row in pairs
        )
        + ".",
        height=95 + 44 * len(pairs),
    )
    return fig.update_layout(margin={"r": 132})


def _better_first(row: dict) -> dict:
    if row["difference"] >= 0:
        return row
    turned = {"first": row["second"], "second": row["first"], "difference": -row["difference"]}
    return {**row, **turned, "low": -row["high"], "high": -row["low"]}


def _apart(row: dict) -> bool:
    tested = row["p_holm"] == row["p_holm"]
    return row["p_holm"] < 0.05 if tested else row["low"] > 0


def _label(row: dict) -> str:
    return f"{row['first']}<br>− {row['second']}"


def _p(row: dict) -> str:
    p = row["p_holm"]
    return "no test" if p != p else "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def _text(row: dict) -> str:
    limits = (100 * row[part] for part in ("difference", "low", "high"))
    return "{:+.1f} [{:+.1f}, {:+.1f}] points, ".format(*limits) + _p(row)


def _finding(pairs: list[dict]) -> str:
    apart = [row for row in pairs if _apart(row)]
    tested = any(row["p_holm"] == row["p_holm"] for row in pairs)
    how = "after Holm's correction" if tested else "by an interval without correction for the number of pairs"
    if len(pairs) == 1:
        row = pairs[0]
        gap = f"{row['first']} and {row['second']} differ by {style.points(row['difference'])}"
        return f"{gap}, {'more' if apart else 'no more'} than chance explains" + (
            "" if tested else f" ({how})"
        )
    if not apart:
        return f"None of {len(pairs)} pairs of models differs {how}"
    best = apart[0]
    return (
        f"{len(apart)} of {len(pairs)} pairs of models differ {how}, {best['first']} and {best['second']} most, by "
        f"{style.points(best['difference'])}"
    )
