"""Which class is taken for which."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.evaluation import Report
from lumbar_utils.figures import style


def confusion_matrix(report: Report) -> go.Figure:
    """Return the counts, shaded by their share of the true class; rows are true, columns predicted."""
    confusion, names = report.confusion, report.class_names
    support = confusion.sum(axis=1, keepdims=True)
    share = confusion / np.maximum(support, 1)
    wrapped = [name.replace(" ", "<br>") for name in names]
    rows = [f"{name}<br>({total})" for name, total in zip(wrapped, support[:, 0], strict=True)]
    fig = go.Figure(
        go.Heatmap(
            z=np.round(100 * share, 1),
            x=wrapped,
            y=rows,
            colorscale=style.HEAT,
            zmin=0,
            zmax=100,
            xgap=2,
            ygap=2,
            colorbar={
                "title": {"text": "% of the<br>true class", "font": {"size": 13}},
                "thickness": 14,
                "outlinewidth": 0,
            },
            hovertemplate="true %{y}<br>predicted %{x}<br>%{z} % of the true class<extra></extra>",
        )
    )
    fig.add_scatter(
        x=wrapped * len(rows),
        y=np.repeat(rows, len(wrapped)),
        mode="text",
        text=[
            f"<b>{n}</b><br>{100 * s:.0f} %" for n, s in zip(confusion.ravel(), share.ravel(), strict=True)
        ],
        # the half of Cividis from which black reads better than white
        textfont={"size": 14, "color": ["black" if s > 0.47 else "white" for s in share.ravel()]},
        hoverinfo="skip",
        showlegend=False,
    )
    fig.update_xaxes(title_text="Predicted class", showgrid=False, ticks="")
    fig.update_yaxes(
        title_text="True class (pictures)", showgrid=False, ticks="", autorange="reversed", tickangle=0
    )
    recall = report.table()["recall"]
    details = " ".join(
        f"{name}: {confusion[k, k]} of {support[k, 0]} found, recall {recall[name]}."
        for k, name in enumerate(names)
    )
    return style.finish(
        fig, _finding(report), details=f"{report.heading}. {details}", height=110 + 85 * len(names)
    )


def _finding(report: Report) -> str:
    mistakes = report.confusion.copy()
    np.fill_diagonal(mistakes, 0)
    if not mistakes.any():
        return f"{report.model} puts all {report.n_images} pictures into the right class"
    true, predicted = np.unravel_index(mistakes.argmax(), mistakes.shape)
    n, total = mistakes[true, predicted], report.confusion[true].sum()
    return (
        f"{report.model}: the commonest mistake is {report.class_names[true]} taken for "
        f"{report.class_names[predicted]}, {n} of {total} ({style.percent(n / total)})"
    )
