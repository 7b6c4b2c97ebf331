"""The scores that one model, or two, would show if the test were repeated."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.evaluation import wilson
from lumbar_utils.evaluation.sure import score_chances, usual_range
from lumbar_utils.figures import style

_SEEN = 1e-3  # of the highest bar: scores rarer than this are not drawn


def score_scatter(n: int, accuracy: float, other: float | None = None) -> go.Figure:
    """Return the chance of every score of a test of n patients, exact, with the interval around the typical one.

    accuracy : the true one, in [0, 1]. other : that of a second model, B, tested on patients of its own.
    """
    fig, top, left = go.Figure(), 0.0, 1.0
    models = [("A", accuracy, style.BLUE, "")]
    if other is not None:
        models.append(("B", other, style.ORANGE, "/"))
    for name, true, colour, pattern in models:
        chances = score_chances(n, true)
        drawn = np.flatnonzero(chances >= _SEEN * chances.max())
        top, left = max(top, float(chances.max())), min(left, drawn[0] / n)
        fig.add_bar(
            x=100 * drawn / n,
            y=100 * chances[drawn],
            width=100 / n,
            name=f"model {name}, right on {100 * true:.4g} %",
            marker={"color": colour, "line": {"width": 0}, "pattern": {"shape": pattern if n <= 100 else ""}},
            opacity=0.65,
            hovertemplate=f"{name} scores %{{x:.1f}} %<br>in %{{y:.2f}} % of the tests<extra></extra>",
        )
    typical = round(n * accuracy)  # the score nearest to what A deserves
    low, high = wilson(typical, n)
    fig.add_scatter(
        x=[100 * low, 100 * typical / n, 100 * high],
        y=[112 * top] * 3,
        mode="lines+markers",
        name=f"95 % interval of {typical} of {n}",
        line={"color": style.BLACK, "width": 3},
        marker={"size": [12, 11, 12], "symbol": ["line-ns-open", "diamond", "line-ns-open"]},
        hovertemplate="%{x:.1f} %<extra>interval</extra>",
    )
    fig.update_layout(barmode="overlay")
    fig.update_xaxes(
        title_text="Score of one test (%)", range=[100 * max(0, min(left, low) - 0.03), 100.5 + 50 / n]
    )
    fig.update_yaxes(title_text="Chance (%)", range=[0, 122 * top])
    few, many = usual_range(n, accuracy)
    finding = (
        f"On {style.count(n, 'patient')}, a model that is right on {100 * accuracy:.4g} % usually scores "
        f"{100 * few / n:.0f} to {100 * many / n:.0f} %"
    )
    perfect = accuracy**n
    return style.finish(
        fig,
        finding,
        details=f"That is {few} to {many} right, in 95 of 100 tests. All {n} are right in {_rare(perfect)} of the "
        f"tests. Whoever sees {typical} of {n} finds the interval {100 * low:.1f} to {100 * high:.1f} % (Wilson). "
        "Exact binomial chances, nothing simulated.",
        height=340,
    )


def _rare(share: float) -> str:
    """Return a share that may be far below 1 % in words a reader can hold."""
    if share >= 0.01:
        return f"{100 * share:.1f} %"
    return f"1 in {round(1 / share):,}" if share > 1e-6 else "less than one in a million"
