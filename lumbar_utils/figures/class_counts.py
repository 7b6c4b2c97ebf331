"""How many pictures and patients each class has."""

import plotly.graph_objects as go

from lumbar_utils.dataset import LumbarDataset
from lumbar_utils.figures import style


def class_counts(dataset: LumbarDataset) -> go.Figure:
    """Return pictures by class as bars, and patients beside them where a patient has several pictures."""
    table = dataset.summary().drop(index="all")
    several = bool((table["pictures"] != table["patients"]).any())
    fig = go.Figure()
    for column, colour, pattern in (("pictures", style.BLUE, ""), ("patients", style.VERMILLION, "/")):
        if column == "patients" and not several:
            continue
        fig.add_bar(
            x=[name.replace(" ", "<br>") for name in table.index],
            y=table[column].to_numpy(),
            name=column,
            marker={
                "color": colour,
                "pattern": {"shape": pattern, "fgcolor": "white", "bgcolor": colour, "size": 6},
            },
            text=table[column].to_numpy(),
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y} " + column + "<extra></extra>",
        )
    fig.update_layout(
        barmode="group",
        bargap=0.3,
        showlegend=several,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    )
    fig.update_xaxes(showgrid=False, ticks="", title_text="Class")
    fig.update_yaxes(title_text="Number" if several else "Pictures (one a patient)", rangemode="tozero")
    if table["pictures"].max() < 10:
        fig.update_yaxes(dtick=1)
    details = "; ".join(
        f"{name}: {style.count(row['pictures'], 'picture')} of {style.count(row['patients'], 'patient')}"
        for name, row in table.iterrows()
    )
    return style.finish(
        fig,
        _finding(dataset.name, table["pictures"]),
        details=f"{details}.",
        height=350,
        above=24 if several else 6,
    )


def _finding(name, pictures) -> str:
    total = int(pictures.sum())
    empty = [label for label, n in pictures.items() if n == 0]
    if empty:
        return f"{name} has no picture of {' or '.join(empty)} among its {total:,}"
    if pictures.nunique() == 1:
        return f"{name} has {style.count(int(pictures.iloc[0]), 'picture')} of every class"
    return (
        f"{pictures.idxmax()} is the largest class ({style.percent(pictures.max() / total)} of {total:,} pictures), "
        f"{pictures.idxmin()} the smallest ({style.percent(pictures.min() / total)})"
    )
