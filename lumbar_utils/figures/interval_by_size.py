"""How the interval of a score narrows as the test grows."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.evaluation import wilson
from lumbar_utils.figures import style

_TICKS = [5, 20, 100, 500, 2000]


def interval_by_size(n: int, accuracy: float) -> go.Figure:
    """Return the 95 % interval (Wilson) around a score equal to the true accuracy, by the patients tested.

    n : the test to mark. accuracy : the true one, in [0, 1].
    """
    sizes = np.unique(np.round(np.geomspace(5, 2000, 80)).astype(int))
    low, high = 100 * np.array([wilson(accuracy * size, size) for size in sizes]).T
    fig = go.Figure()
    edge = {"mode": "lines", "line": {"color": style.BLUE, "width": 2}, "fillcolor": "rgba(0,114,178,0.15)"}
    hover = "%{x} patients: %{y:.1f} %<extra></extra>"
    fig.add_scatter(x=sizes, y=high, name="upper limit", hovertemplate=hover, **edge)
    fig.add_scatter(x=sizes, y=low, name="lower limit", hovertemplate=hover, fill="tonexty", **edge)
    here = [100 * limit for limit in wilson(accuracy * n, n)]
    fig.add_scatter(
        x=[n, n],
        y=here,
        mode="lines+markers",
        line={"color": style.VERMILLION, "width": 3},
        marker={"size": 9},
        hovertemplate=hover,
    )
    fig.add_hline(y=100 * accuracy, line={"color": style.BLACK, "dash": "dot", "width": 1.5})
    fig.update_xaxes(
        title_text="Patients in the test set (logarithmic)",
        type="log",
        tickvals=_TICKS,
        range=[np.log10(4.5), np.log10(2200)],
    )
    fig.update_yaxes(title_text="95 % interval (%)", range=[max(0, low.min() - 4), 102])
    fig.update_layout(showlegend=False)
    width = here[1] - here[0]
    half = next(m for m in range(n, 10 * n + 100) if np.ptp(wilson(accuracy * m, m)) <= width / 200)
    return style.finish(
        fig,
        f"On {style.count(n, 'patient')} the interval is {width:.0f} points wide; half of that takes {half:,}",
        details=f"It runs from {here[0]:.1f} to {here[1]:.1f} % (Wilson) around a score of {100 * accuracy:.4g} %, the "
        "dotted line. To halve an interval takes about four times as many patients.",
        height=300,
    )
