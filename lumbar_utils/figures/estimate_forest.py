"""Numbers with their intervals, one below the other, beside a line that means nothing was found."""

import pandas as pd
import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import style


def estimate_forest(
    table: pd.DataFrame,
    value: str,
    *,
    label: str,
    axis: str,
    nothing: float,
    title: str,
    beside: float | None = None,
) -> go.Figure:
    """Return a row a number: the value, its interval as a bar, and both in writing.

    Parameters
    ----------
    table : with the columns `label`, `value`, `value`_low and `value`_high; a value without limits is a bare point.
    axis : what the numbers are. nothing : where the dotted line stands, such as 0.5 for an AUC. beside : another
        line, such as what a simple rival reaches.
    title : the finding. An interval that leaves `nothing` out has a filled circle, the others are open diamonds.
    """
    columns = (label, value, f"{value}_low", f"{value}_high")
    missing = [name for name in columns if name not in table]
    if missing or not len(table):
        raise LumbarError(
            f"the table has {len(table)} rows and lacks {', '.join(missing) or 'no column'}, wanted "
            f"{', '.join(columns)}; hand in a table with an interval a row."
        )
    fig = go.Figure()
    said = []
    for name, middle, low, high in table[list(columns)].itertuples(index=False):
        apart = low > nothing or high < nothing
        sign = "+" if nothing == 0 else ""
        number = f"{middle:{sign}.2f}" + (f" [{low:{sign}.2f}, {high:{sign}.2f}]" if low == low else "")
        row = "<br>".join(style.wrap(str(name))) if len(str(name)) > 66 else str(name)
        fig.add_scatter(
            x=[middle],
            y=[row],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - middle],
                "arrayminus": [middle - low],
                "thickness": 2.5,
                "width": 7,
            },
            mode="markers",
            marker={"size": 11, "symbol": "circle" if apart else "diamond-open", "line": {"width": 2}},
            marker_color=style.BLUE if apart else style.GREY,
            hovertemplate=f"{name}: {number}<extra></extra>",
            showlegend=False,
        )
        fig.add_annotation(
            x=1,
            y=row,
            xref="paper",
            xanchor="left",
            xshift=10,
            showarrow=False,
            text=number,
            font={"size": 13},
        )
        said.append(f"{name} {number}")
    fig.add_vline(x=nothing, line={"color": style.BLACK, "dash": "dot", "width": 1.5})
    if beside is not None:
        fig.add_vline(x=beside, line={"color": style.ORANGE, "dash": "dash", "width": 2})
    fig.update_xaxes(title_text=axis)
    fig.update_yaxes(range=[len(table) - 0.4, -0.6], showgrid=False, tickfont={"size": 13})
    style.finish(fig, title, details="; ".join(said) + ".", height=90 + 34 * len(table))
    return fig.update_layout(margin={"r": 150})
