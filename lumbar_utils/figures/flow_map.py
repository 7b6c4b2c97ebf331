"""A chain of steps, top to bottom, with a question and the lessons that take it up beside each."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from lumbar_utils.figures import style

BOX, QUESTION, LESSONS = (0.0, 0.46), 0.5, 1.0  # where they stand across the figure
ROW_PIXELS, BOX_SHARE = 76, 0.74


class Step(NamedTuple):
    """What is done, in one line and in detail, what one may ask of it, and where it is asked."""

    name: str
    detail: str
    question: str
    lessons: str


def flow_map(steps: Sequence[Step | tuple[str, str, str, str]], title: str) -> go.Figure:
    """Return the steps as boxes joined by arrows; beside each its question and, at the right, its lessons."""
    steps = [Step(*step) for step in steps]
    fig = go.Figure()
    for row, step in enumerate(steps):
        top, bottom = -row - (1 - BOX_SHARE) / 2, -row - (1 + BOX_SHARE) / 2
        fig.add_shape(
            type="rect",
            x0=BOX[0],
            x1=BOX[1],
            y0=bottom,
            y1=top,
            fillcolor="#EAF2F8",
            line={"color": style.BLUE, "width": 1.5},
        )
        middle = -row - 0.5
        _text(
            fig,
            BOX[0] + 0.015,
            middle,
            f"<b>{step.name}</b><br>" + "<br>".join(textwrap.wrap(step.detail, 46)),
        )
        _text(fig, QUESTION, middle, "<br>".join(textwrap.wrap(step.question, 40)))
        _text(fig, LESSONS, middle, f"<b>{step.lessons}</b>", anchor="right", colour=style.BLUE)
        if row + 1 < len(steps):
            fig.add_annotation(
                x=BOX[1] / 2,
                y=-row - 1 - (1 - BOX_SHARE) / 2,
                ax=BOX[1] / 2,
                ay=bottom,
                axref="x",
                ayref="y",
                showarrow=True,
                arrowhead=2,
                arrowwidth=1.5,
                arrowcolor=style.BLUE,
                text="",
            )
    _text(fig, LESSONS, 0.12, "lessons", anchor="right", colour=style.GREY)
    _text(fig, QUESTION, 0.12, "what we ask of it", colour=style.GREY)
    fig.update_xaxes(visible=False, range=[-0.01, 1.01], fixedrange=True)
    fig.update_yaxes(visible=False, range=[-len(steps), 0.3], fixedrange=True)
    details = " ".join(f"{step.name}: {step.question} Lessons {step.lessons}." for step in steps)
    fig = style.finish(fig, title, details=details, height=round(ROW_PIXELS * (len(steps) + 0.3)))
    return fig.update_layout(margin={"l": 16, "r": 16, "b": 8})


def _text(fig, x, y, text, *, anchor="left", colour=style.INK) -> None:
    fig.add_annotation(
        x=x,
        y=y,
        text=text,
        showarrow=False,
        xanchor=anchor,
        align="left",
        font={"size": 13, "color": colour},
    )
