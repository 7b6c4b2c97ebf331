"""One-against-rest precision-recall curves."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.evaluation import Predictions, Report, evaluate, metrics
from lumbar_utils.figures import style


def precision_recall_curves(predictions: Predictions, report: Report | None = None) -> go.Figure:
    """Return precision against recall of each class, with its average precision, interval and chance level.

    Each curve ends at the share of the class in the test set, which is the precision of guessing. A class without
    pictures is left out. report : that of `evaluate(predictions)`, to spare computing it again.
    """
    per_class = (report or evaluate(predictions)).per_class
    names, areas = predictions.class_names, per_class["average_precision"].to_numpy()
    drawn = [k for k in np.argsort(-areas, kind="stable") if np.isfinite(areas[k])]
    fig = go.Figure()
    for k in drawn:
        recall, precision = metrics.precision_recall_curve(
            predictions.probabilities[:, k], predictions.labels == k
        )
        turn = np.r_[True, np.diff(recall) > 0] | np.r_[np.diff(recall) > 0, True]  # ends of vertical runs
        recall, precision = np.r_[0, recall[turn]], np.r_[precision[0], precision[turn]]
        chance = per_class["support"].iloc[k] / len(predictions)
        fig.add_scatter(
            x=np.round(100 * recall, 2),
            y=np.round(100 * precision, 2),
            mode="lines",
            line=style.class_line(k),
            name=f"{names[k]}, {_area(per_class.iloc[k])}, guessing {chance:.2f}",
            hovertemplate="precision %{y:.0f} % at a recall of %{x:.0f} %<extra>%{fullData.name}</extra>",
        )
    fig.update_xaxes(title_text="Recall, sensitivity (%)", range=[-1, 101])
    fig.update_yaxes(title_text="Precision, positive predictive value (%)", range=[-1, 103])
    fig.update_layout(legend={"x": 0.02, "y": 0.03, "xanchor": "left", "yanchor": "bottom"})
    details = "; ".join(trace.name for trace in fig.data)
    return style.finish(
        fig,
        _finding(predictions.model, names, areas, drawn),
        details=f"{predictions.model} on {predictions.dataset}, measured on {predictions.measured_on}: {details}.",
        height=460,
    )


def _finding(model, names, areas, drawn) -> str:
    if len(drawn) < 2:
        return f"{model}: no precision-recall curve tells anything, for all pictures are of one class"
    best, worst = drawn[0], drawn[-1]
    if f"{areas[best]:.2f}" == f"{areas[worst]:.2f}":
        return f"{model} finds every class about equally purely (average precision {areas[best]:.2f})"
    return (
        f"{model} finds {names[best]} with the fewest false alarms (average precision {areas[best]:.2f}) and "
        f"{names[worst]} with the most ({areas[worst]:.2f})"
    )


def _area(scores) -> str:
    value, low, high = (scores[f"average_precision{part}"] for part in ("", "_low", "_high"))
    return f"AP {value:.2f} (no interval)" if np.isnan(low) else f"AP {value:.2f} [{low:.2f}, {high:.2f}]"
