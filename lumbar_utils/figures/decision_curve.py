"""Net benefit of acting on a model's probabilities, against acting on everyone or on no one."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils import evaluation
from lumbar_utils.evaluation import Predictions
from lumbar_utils.figures import style


def decision_curve(predictions: Predictions, class_name) -> go.Figure:
    """Return the decision curve of one class, or of several whose probabilities are added.

    The band is the 95 % interval of the model's gain over the better of the two simple rules, each threshold for
    itself; the title names the thresholds at which it lies above 0.
    """
    table = evaluation.decision_curve(predictions, class_name)
    name = _name(class_name, predictions.class_names)
    x = 100 * table["threshold"]
    simple = np.maximum(table["all"], 0)
    low, high = 100 * (simple + table["gain_low"]), 100 * (simple + table["gain_high"])
    fig = go.Figure()
    fig.add_scatter(
        x=np.r_[x, x[::-1]],
        y=np.r_[high, low[::-1]],
        fill="toself",
        fillcolor="rgba(0, 114, 178, 0.18)",
        line={"width": 0},
        mode="lines",
        name="95% interval of the gain",
        hoverinfo="skip",
    )
    for values, shown, colour, dash, width in (
        (table["all"], "act on all", style.VERMILLION, "dash", 2),
        (0 * x, "act on none", style.BLACK, "dot", 2),
        (table["model"], "act by the model's probability", style.BLUE, "solid", 2.5),
    ):
        fig.add_scatter(
            x=x,
            y=100 * values,
            mode="lines",
            line={"color": colour, "dash": dash, "width": width},
            name=shown,
            hovertemplate="%{y:.1f} at a threshold of %{x:.0f} %<extra>%{fullData.name}</extra>",
        )
    top = 100 * max(table["all"].max(), table["model"].max())
    fig.update_xaxes(title_text=f"Threshold: probability of {name} from which one acts (%)", range=[0, 100])
    fig.update_yaxes(
        title_text="Net benefit (true positives in 100 pictures)", range=[-0.25 * top, 1.15 * top]
    )
    fig.update_layout(
        legend={"x": 0.99, "y": 0.99, "xanchor": "right", "yanchor": "top", "traceorder": "reversed"}
    )
    shown = table.iloc[[9, 24, 49, 74]]
    details = "; ".join(
        f"at {100 * row.threshold:.0f} % net benefit {100 * row.model:.1f}, of acting on all {100 * row.all:.1f}"
        for row in shown.itertuples()
    )
    return style.finish(
        fig,
        _finding(predictions.model, name, table),
        details=f"{predictions.model} on {predictions.dataset}, measured on {predictions.measured_on}: {details}, on "
        "none 0. A threshold t says that one missed case is as bad as (1 − t) / t needless actions.",
        height=440,
    )


def _name(class_name, class_names) -> str:
    if isinstance(class_name, str):
        return class_name
    others = [name for name in class_names if name not in class_name]
    return f"anything but {others[0]}" if len(others) == 1 else " or ".join(class_name)


def _finding(model: str, name: str, table) -> str:
    if table["gain_low"].isna().all():
        return f"{model}: whether acting on its probability of {name} helps cannot be told from one patient"
    helps = (table["gain_low"] > 0).to_numpy()
    if not helps.any():
        return f"{model}: acting on its probability of {name} is shown to help at no threshold"
    edges = np.flatnonzero(np.diff(np.r_[False, helps, False].astype(int)))
    start, end = max(zip(edges[::2], edges[1::2], strict=True), key=lambda run: run[1] - run[0])
    low, high = 100 * table["threshold"].iloc[[start, end - 1]]
    return (
        f"{model}: acting on its probability of {name} beats acting on all or on none at thresholds from {low:.0f} % "
        f"to {high:.0f} %"
    )
