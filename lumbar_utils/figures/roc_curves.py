"""One-against-rest ROC curves."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.evaluation import Predictions, Report, evaluate, metrics
from lumbar_utils.figures import style


def roc_curves(predictions: Predictions, report: Report | None = None) -> go.Figure:
    """Return the ROC curve of each class against the others, with its AUC and interval.

    A class without pictures is left out. report : that of `evaluate(predictions)`, to spare computing it again.
    """
    per_class = (report or evaluate(predictions)).per_class
    areas = per_class["auc"].to_numpy()
    fig = go.Figure()
    style.add_diagonal(fig, "by chance, AUC 0.50")
    drawn = [k for k in np.argsort(-areas, kind="stable") if np.isfinite(areas[k])]
    for k in drawn:
        x, y = _corners(*metrics.roc_curve(predictions.probabilities[:, k], predictions.labels == k))
        fig.add_scatter(
            x=np.round(100 * x, 2),
            y=np.round(100 * y, 2),
            mode="lines",
            line=style.class_line(k),
            name=f"{predictions.class_names[k]}, {_auc(per_class.iloc[k])}",
            hovertemplate="sensitivity %{y:.0f} % at %{x:.0f} % false positives<extra>%{fullData.name}</extra>",
        )
    fig.update_xaxes(title_text="False positive rate, 1 − specificity (%)", range=[-1, 101])
    fig.update_yaxes(title_text="True positive rate, sensitivity (%)", range=[-1, 101.5])
    fig.update_layout(
        legend={"x": 0.99, "y": 0.03, "xanchor": "right", "yanchor": "bottom", "traceorder": "reversed"}
    )
    names = predictions.class_names
    details = "; ".join(f"{names[k]} {_auc(per_class.iloc[k])}" for k in drawn)
    return style.finish(
        fig,
        _finding(predictions.model, names, areas, drawn),
        details=f"{predictions.model} on {predictions.dataset}, measured on {predictions.measured_on}: {details}.",
        height=460,
    )


def _finding(model, names, areas, drawn) -> str:
    if not drawn:
        return f"{model}: no ROC curve, for all pictures are of one class"
    best, worst = drawn[0], drawn[-1]
    if f"{areas[best]:.2f}" == f"{areas[worst]:.2f}":
        return f"{model} tells every class from the rest about equally well (AUC {areas[best]:.2f})"
    return (
        f"{model} tells {names[best]} from the rest best (AUC {areas[best]:.2f}) and {names[worst]} worst "
        f"({areas[worst]:.2f})"
    )


def _auc(scores) -> str:
    if np.isnan(scores["auc_low"]):
        return f"AUC {scores['auc']:.2f} (no interval)"
    return f"AUC {scores['auc']:.2f} [{scores['auc_low']:.2f}, {scores['auc_high']:.2f}]"


def _corners(x, y):
    """Drop the points in the middle of straight runs."""
    turn = np.diff(x)[:-1] * np.diff(y)[1:] != np.diff(x)[1:] * np.diff(y)[:-1]
    keep = np.r_[True, turn, True]
    return x[keep], y[keep]
