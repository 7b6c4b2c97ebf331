"""What a model says about one picture."""

import numpy as np
import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarError
from lumbar_utils.figures import style


def probabilities_bar(probabilities, class_names) -> go.Figure:
    """Return (K,) probabilities as horizontal bars in the order of the classes, the highest in colour."""
    shares = np.asarray(probabilities, dtype=float).ravel()
    if len(shares) != len(class_names):
        raise LumbarError(
            f"there are {len(shares)} probabilities for {len(class_names)} classes; hand in those of one picture."
        )
    order = np.argsort(-shares, kind="stable")
    first, second = order[0], order[1]
    fig = go.Figure(
        go.Bar(
            x=np.round(100 * shares, 1),
            y=list(class_names),
            orientation="h",
            marker={"color": [style.BLUE if k == first else style.GREY for k in range(len(shares))]},
            text=[style.percent(share) for share in shares],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x} %<extra></extra>",
        )
    )
    fig.update_xaxes(
        title_text="Probability given by the model (%)", range=[0, 112], tickvals=[0, 25, 50, 75, 100]
    )
    fig.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    lead = "Most probable" if shares[first] >= 0.5 else "Undecided: most probable"
    finding = (
        f"{lead} is {class_names[first]} with {style.percent(shares[first])}, then {class_names[second]} with "
        f"{style.percent(shares[second])}"
    )
    details = ", ".join(
        f"{name} {100 * share:.1f} %" for name, share in zip(class_names, shares, strict=True)
    )
    return style.finish(fig, finding, details=f"{details}.", height=100 + 42 * len(shares))
