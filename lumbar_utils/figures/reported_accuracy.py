"""What the paper reports, with the intervals that its number of test pictures allows."""

import plotly.graph_objects as go

from lumbar_utils.evaluation import PaperReport
from lumbar_utils.evaluation.paper import N_TEST
from lumbar_utils.figures import style


def reported_accuracy(reported: PaperReport) -> go.Figure:
    """Return one row a model for which the paper gives an accuracy, best on top, in the colour of reported numbers."""
    rows = reported.accuracies.dropna(subset=["accuracy"]).sort_values(
        "accuracy", ascending=False, kind="stable"
    )
    fig = go.Figure()
    for row in rows.itertuples():
        value = 100 * row.accuracy
        known = row.wilson_low == row.wilson_low
        fig.add_scatter(
            x=[value],
            y=[row.model],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [100 * row.wilson_high - value if known else 0],
                "arrayminus": [value - 100 * row.wilson_low if known else 0],
                "thickness": 2.5,
                "width": 7,
            },
            mode="markers+text",
            marker={"size": 11, "symbol": "square" if known else "square-open", "color": style.PURPLE},
            text=[f"{value:.0f}"],
            textposition="top center",
            hovertemplate=f"{row.model}: {value:.0f} % (reported, {row.measured_on})<extra></extra>",
            showlegend=False,
        )
    worst = rows.loc[rows["wilson_low"].idxmin()]
    best = rows.iloc[0]
    fig.update_xaxes(
        title_text=f"Accuracy (%), reported, with the 95% interval of {N_TEST} pictures",
        range=[max(0, 100 * worst["wilson_low"] - 8), 103],
    )
    fig.update_yaxes(range=[len(rows) - 0.5, -0.65], showgrid=False, tickfont={"size": 14})
    return style.finish(
        fig,
        f"Reported: {style.percent(best['accuracy'])} on {N_TEST} pictures, which may be "
        f"{style.percent(best['wilson_low'])} on others",
        details="; ".join(
            f"{row.model} {row.accuracy:.2f} on the {row.measured_on} set, "
            + (
                f"interval {row.wilson_low:.2f} to {row.wilson_high:.2f}"
                if row.wilson_low == row.wilson_low
                else "no interval, for the number of pictures is not given"
            )
            for row in rows.itertuples()
        )
        + ". Reported by the paper on pictures of its own and not measured by the course: these rows cannot be ranked "
        "with the others.",
        height=95 + 46 * len(rows),
    )
