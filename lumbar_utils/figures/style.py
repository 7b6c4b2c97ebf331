"""One look for all figures: colours that colour-blind readers tell apart, one font, titles that state the finding."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

# Okabe and Ito (2008), the hues with a contrast of 3:1 or more against white; the other three come last.
BLUE, VERMILLION, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"
ORANGE, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, BLACK, ORANGE, SKY, YELLOW)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
INK, GREY, PALE = "#222222", "#6B6B6B", "#E3E3E3"
HEAT = "Cividis"
FONT = "Arial, Helvetica, sans-serif"

_AXIS = {
    "showgrid": True,
    "gridcolor": PALE,
    "zeroline": False,
    "linecolor": GREY,
    "showline": True,
    "ticks": "outside",
    "tickcolor": GREY,
    "ticklen": 4,
    "automargin": True,
    "title": {"standoff": 10, "font": {"size": 14}},
}
# Only "download as PNG" stays: a full bar of buttons covers the title.
_BUTTONS = [
    "sendChartToCloud", "zoom2d", "pan2d", "select2d", "lasso2d",
    "zoomIn2d", "zoomOut2d", "autoScale2d", "resetScale2d",
]  # fmt: skip
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 14, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": list(COLOURS),
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "legend": {"bgcolor": "rgba(255,255,255,0.85)"},
        "hoverlabel": {"font": {"family": FONT, "size": 13}},
        "modebar": {"remove": _BUTTONS},
        "dragmode": False,
        "title": {"font": {"size": 17}, "x": 0, "xref": "container", "xanchor": "left"},
    }
)
_TITLE_CHARACTERS, _LINE_HEIGHT = 66, 22


def class_line(number: int) -> dict:
    """Return colour, dash and width of a class's curve, the same in every figure."""
    return {"color": COLOURS[number % len(COLOURS)], "dash": DASHES[number % len(DASHES)], "width": 2.5}


def add_diagonal(fig: go.Figure, name: str) -> None:
    """Draw the dotted line from 0 to 100 % that a curve is compared with."""
    line = {"color": GREY, "width": 1.5, "dash": "dot"}
    fig.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=line, name=name, hoverinfo="skip")


def _title_height(lines: int) -> int:
    return 26 + _LINE_HEIGHT * lines


def finish(
    fig: go.Figure, finding: str, *, details: str = "", height: int = 420, above: int = 0
) -> go.Figure:
    """Give `fig` its look, `finding` as wrapped title, and finding and details as meta["description"].

    height : of everything below the title, in pixels. above : room between title and plot for a legend or note.
    """
    lines = wrap(finding)
    top = _title_height(len(lines)) + above
    fig.update_layout(
        template=TEMPLATE,
        title={
            "text": "<br>".join(lines),
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 12 + _LINE_HEIGHT * (len(lines) - 1) // 2, "l": 16},  # plotly centres the lines
        },
        margin={"l": 70, "r": 24, "t": top, "b": 60},
        height=height + top,
        meta={"description": f"{finding}. {details}".strip()},
    )
    return fig


def retitle(fig: go.Figure, finding: str) -> go.Figure:
    """Give a finished figure another finding, in its title and in meta["description"]; the details stay."""
    said = fig.layout.title.text.replace("<br>", " ")
    details = fig.layout.meta["description"].removeprefix(said).removeprefix(".").strip()
    room = fig.layout.margin.t - _title_height(fig.layout.title.text.count("<br>") + 1)
    below = fig.layout.height - fig.layout.margin.t
    margin = fig.layout.margin.to_plotly_json()
    finish(fig, finding, details=details, height=below, above=room)
    return fig.update_layout(margin={**margin, "t": fig.layout.margin.t})


def wrap(text: str) -> list[str]:
    """Return lines of much the same length that fit a figure 700 pixels wide; numbers keep their % sign."""
    text = text.replace(" %", "\N{NO-BREAK SPACE}%").replace("AUC ", "AUC\N{NO-BREAK SPACE}")
    lines = textwrap.wrap(text, _TITLE_CHARACTERS)
    width = len(text) // len(lines)
    while len(balanced := textwrap.wrap(text, width)) > len(lines):
        width += 1
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in balanced]


def percent(share: float) -> str:
    """Return 0.6543 as "65 %"; only 0 and 1 themselves become "0 %" and "100 %"."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def points(difference: float) -> str:
    """Return a difference of two shares, such as 0.021, as "2.1 percentage points"."""
    number = f"{100 * abs(difference):.1f}"
    return f"{number} percentage point{'' if number == '1.0' else 's'}"


def count(n: int, thing: str) -> str:
    """Return "1 picture", "2 pictures"."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
