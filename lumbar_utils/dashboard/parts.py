"""Small pieces that the panels share: cards, captions, tables, labelled controls."""

from __future__ import annotations

import textwrap
from html import escape

import ipywidgets as widgets

from lumbar_utils.live import show_figure

AXIS_TITLE_CHARACTERS = 26  # in one line, such that a phone shows all of them
LEGEND_LINE = 22  # pixels of a legend's entry
TOP_MARGIN = 28  # pixels above a figure's axes; annotations stand there


def text(html: str, *classes: str) -> widgets.HTML:
    """Return an HTML widget with CSS classes."""
    widget = widgets.HTML(html)
    for name in classes:
        widget.add_class(name)
    return widget


def box(children, *classes: str) -> widgets.Box:
    """Return a container whose layout is the CSS of its classes."""
    widget = widgets.VBox(list(children))
    for name in classes:
        widget.add_class(name)
    return widget


def control(kind, description: str, **options):
    """Return a control with its visible label above it; a slider answers when it is let go."""
    if issubclass(kind, widgets.IntSlider | widgets.FloatSlider):
        options["continuous_update"] = False
    widget = kind(
        description=description,
        style={"description_width": "initial"},
        layout=widgets.Layout(width="auto"),
        **options,
    )
    widget.add_class("lumbar-control")
    return widget


class Chart:
    """A figure under its finding, with the details in words below it; `widget` is what to show.

    The finding stands above the figure as text and not in it: text finds its own lines on a narrow screen.
    """

    def __init__(self, *classes: str):
        self._output = widgets.Output()
        self._finding, self._details = text(""), text("", "lumbar-caption")
        self.widget = box(
            [self._finding, self._output, self._details], "lumbar-card", "lumbar-chart", *classes
        )

    def show(self, figure) -> None:
        """Show a plotly figure whose title is its finding and whose `layout.meta["description"]` tells it all."""
        finding = figure.layout.title.text.replace("-<br>", "-").replace("<br>", " ")
        details = figure.layout.meta["description"].removeprefix(finding).lstrip(". ")
        height = fit_narrow(figure)
        self._finding.value = f"<h2>{escape(finding)}</h2>".replace(" %", "\N{NO-BREAK SPACE}%")
        self._details.value = f"<p>{escape(details)}</p>"
        self._output.layout.height = f"{height}px"  # else the page jumps whenever the figure is renewed
        show_figure(self._output, figure)

    def hide(self) -> None:
        self.widget.layout.display = "none"

    def reveal(self) -> None:
        self.widget.layout.display = None


def fit_narrow(figure) -> int:
    """Rearrange a figure for a card that may be as narrow as a phone; return its new height in pixels.

    The title goes, the legend moves from the curves to the figure's foot, and long titles of x axes are wrapped.
    """
    margin, legend = figure.layout.margin, 0
    if figure.layout.showlegend is not False:
        n_entries = sum(trace.showlegend is not False and trace.name is not None for trace in figure.data)
        legend = LEGEND_LINE * n_entries if n_entries > 1 else 0
    height = figure.layout.height - margin.t + TOP_MARGIN + legend
    figure.update_layout(
        title=None, width=None, autosize=True, height=height, margin_t=TOP_MARGIN, margin_b=margin.b + legend
    )
    figure.update_layout(
        legend=dict(orientation="v", x=0, y=0, yref="container", xanchor="left", yanchor="bottom")
    )
    for axis in figure.select_xaxes(lambda axis: axis.title.text):
        axis.title.text = "<br>".join(textwrap.wrap(axis.title.text, AXIS_TITLE_CHARACTERS))
    return height


def tiles(*pairs: tuple[str, str]) -> str:
    """Return HTML of a few large numbers side by side, each with what it is below it."""
    items = "".join(
        f"<div><b>{escape(number)}</b><span>{escape(what)}</span></div>" for number, what in pairs
    )
    return f'<div class="lumbar-tiles" role="status">{items}</div>'


def table(header, rows, caption: str) -> str:
    """Return an HTML table; the first cell of a row is its heading, all cells are plain text."""
    head = "".join(f'<th scope="col">{escape(str(cell))}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{escape(str(first))}</th>{"".join(f"<td>{escape(str(c))}</td>" for c in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<h2>{escape(caption)}</h2><div class="lumbar-scroll">'
        f'<table class="lumbar-table" aria-label="{escape(caption)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
