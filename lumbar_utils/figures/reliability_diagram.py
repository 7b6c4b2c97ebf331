"""Claimed probability against how often the model was right."""

import plotly.graph_objects as go

from lumbar_utils.evaluation import Predictions, reliability
from lumbar_utils.evaluation.calibration import N_BINS, bin_counts, calibration_error, error_if_calibrated
from lumbar_utils.figures import style


def reliability_diagram(predictions: Predictions, *, n_bins: int = N_BINS) -> go.Figure:
    """Return the accuracy in each bin of the highest probability with its interval, and the pictures in each bin.

    The title compares the calibration error with what a calibrated model would show by chance.
    """
    table = reliability(predictions, n_bins=n_bins)
    error = float(calibration_error(bin_counts(predictions, n_bins=n_bins)[0]))
    by_chance = error_if_calibrated(predictions, n_bins=n_bins)
    x, y = 100 * table["confidence"], 100 * table["accuracy"]
    fig = go.Figure()
    style.add_diagonal(fig, "calibrated")
    fig.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 11, "color": style.BLUE},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": 100 * (table["accuracy_high"] - table["accuracy"]),
            "arrayminus": 100 * (table["accuracy"] - table["accuracy_low"]),
            "thickness": 2,
            "width": 6,
        },
        customdata=table[["pictures", "method"]],
        hovertemplate="claims %{x:.0f} %, right on %{y:.0f} % of %{customdata[0]} pictures<br>%{customdata[1]}"
        "<extra></extra>",
        name="right, with 95% interval",
    )
    fig.add_bar(
        x=50 * (table["from"] + table["to"]),
        y=table["pictures"],
        width=92 / n_bins,
        marker={"color": style.PALE, "line": {"color": style.GREY, "width": 1}},
        text=table["pictures"],
        textposition="outside",
        cliponaxis=False,
        yaxis="y2",
        hoverinfo="skip",
        showlegend=False,
    )
    left = max(0, 100 * min(table["from"].min(), table["accuracy"].min()) - 10)
    fig.update_layout(
        yaxis={"domain": [0.28, 1], "range": [-3, 104], "title": {"text": "Right (%)"}},
        yaxis2={
            "domain": [0, 0.19],
            "range": [0, 1.35 * table["pictures"].max()],
            "title": {"text": "Pictures"},
            "nticks": 3,
            "showgrid": False,
            "anchor": "x",
        },
        xaxis={
            "range": [left, 102],
            "title": {"text": "Probability the model gives its answer (%)"},
            "anchor": "y2",
        },
        legend={"x": 0.02, "y": 0.98, "xanchor": "left", "yanchor": "top"},
    )
    details = "; ".join(
        f"claims {100 * row.confidence:.0f} %, right on {100 * row.accuracy:.0f} % of {row.pictures}"
        for row in table.itertuples()
    )
    return style.finish(
        fig,
        _finding(predictions.model, table, error, by_chance),
        details=f"{predictions.model} on {predictions.dataset}, measured on {predictions.measured_on}: {details}.",
        height=520,
    )


def _finding(model: str, table, error: float, by_chance: float) -> str:
    if error <= by_chance:
        return (
            f"{model} is as well calibrated as this test set can tell (error {error:.3f}, by chance up to "
            f"{by_chance:.3f})"
        )
    return (
        f"{model} {_leaning(table, error)} (calibration error {error:.3f}, by chance up to {by_chance:.3f})"
    )


def _leaning(table, error: float) -> str:
    """Say whether the model is too sure everywhere, nowhere, or where: by the gap and its slope over the bins."""
    weights = table["pictures"] / table["pictures"].sum()
    claimed, right = (weights * table["confidence"]).sum(), (weights * table["accuracy"]).sum()
    if abs(claimed - right) >= error / 2:
        much = "too much" if claimed > right else "too little"
        return (
            f"claims {much}: {style.percent(claimed)} on average, and it is right on {style.percent(right)}"
        )
    slope = (weights * (table["accuracy"] - table["confidence"]) * (table["confidence"] - claimed)).sum()
    if slope > 0:
        return "claims too little where it is sure and too much where it is not"
    return "claims too much where it is sure and too little where it is not"
