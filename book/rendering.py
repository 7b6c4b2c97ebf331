"""Makes an executed lesson a page: figures stay interactive, solutions are folded, controls become a sentence."""

from __future__ import annotations

import json
from html import escape
from itertools import count

from nbformat import NotebookNode

PLOTLY, WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"
CONTROL = (
    '<p class="lumbar-control">Here the lesson has something to move. Run the notebook to play with it.</p>'
)
FOLDED = {"solution": "hide-cell", "setup": "remove-cell"}


def as_page(notebook: NotebookNode) -> NotebookNode:
    """Return an executed notebook with HTML for figures and widgets, and MyST-NB's tags for cells to fold."""
    numbers = count(1)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tags = cell.metadata.get("tags", [])
        cell.metadata["tags"] = [FOLDED[tag] for tag in tags if tag in FOLDED]
        for output in cell.outputs:
            data = output.get("data", {})
            if PLOTLY in data:
                output.data = NotebookNode(
                    {"text/html": figure_html(data[PLOTLY], f"figure-{next(numbers)}")}
                )
            elif WIDGET in data:
                output.data = NotebookNode({"text/html": CONTROL})
    return notebook


def figure_html(figure: dict, name: str) -> str:
    """Return a plotly figure as HTML that draws itself with the page's own copy of plotly.js.

    What the figure shows stands in words as its label, as it does in the notebook's layout.meta["description"].
    """
    layout = figure.get("layout", {})
    words = (layout.get("meta") or {}).get("description", "") if isinstance(layout.get("meta"), dict) else ""
    drawn = json.dumps([figure.get("data", []), layout]).replace("</", "<\\/")
    return (
        f'<div class="lumbar-figure" id="{name}" role="img" aria-label="{escape(words)}"></div>'
        f'<script>addEventListener("DOMContentLoaded", () => {{ const [data, layout] = {drawn}; '
        f'Plotly.newPlot("{name}", data, layout, {{responsive: true, displaylogo: false}}); }});</script>'
    )
