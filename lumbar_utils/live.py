"""Figures and lines of text that change while a cell runs, alike in JupyterLab, Voila, Colab and a plain terminal."""

from __future__ import annotations

import shutil
import sys
import time

import ipywidgets as widgets
from IPython import get_ipython
from IPython.display import clear_output, display

PLOTLY = "application/vnd.plotly.v1+json"


def place() -> str:
    """Return where the code runs: "colab", "notebook" (JupyterLab, Voila, nbclient) or "terminal"."""
    if "google.colab" in sys.modules:
        return "colab"
    return "notebook" if hasattr(get_ipython(), "kernel") else "terminal"


def show_figure(out: widgets.Output, fig) -> None:
    """Show a plotly figure in `out`, in place of what it showed.

    Assigning `outputs` is the way that works while a page loads: `with out:` hangs one Voila visit in ten, and
    `append_display_data` prints the figure into the cell. Colab shows no plotly inside an Output widget, so there
    the figure replaces what the cell shows.
    """
    if place() == "colab":
        clear_output(wait=True)
        display(fig)
        return
    data = fig._repr_mimebundle_()
    if PLOTLY in data:  # else a figure keeps its width where the window becomes narrower
        data[PLOTLY]["config"] = {"responsive": True, **data[PLOTLY].get("config", {})}
    out.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)


class Board:
    """A line of text, and where figures can be shown a figure under it, renewed by `update`."""

    SECONDS_BETWEEN_LOG_LINES = 10

    def __init__(self):
        self._place = place()
        self.draws = self._place != "terminal"
        self._last_line, self._logged, self._last_time = "", "", float("-inf")
        if self._place == "notebook":
            self._label, self._out = widgets.Label(), widgets.Output()
            display(widgets.VBox([self._label, self._out]))

    def update(self, line: str, fig=None) -> None:
        """Show `line`, and the figure if there is one."""
        if self._place == "notebook":
            self._label.value = line
            if fig is not None:
                show_figure(self._out, fig)
        elif self._place == "colab":
            clear_output(wait=True)
            print(line)
            if fig is not None:
                display(fig)
        elif sys.stdout.isatty():
            width = shutil.get_terminal_size().columns - 1
            print("\r" + line[:width].ljust(width), end="", flush=True)
        elif time.monotonic() - self._last_time > self.SECONDS_BETWEEN_LOG_LINES:
            print(line, flush=True)
            self._last_time, self._logged = time.monotonic(), line
        self._last_line = line

    def close(self) -> None:
        """End the terminal's line; in a log file print the last one that was held back."""
        if self._place != "terminal" or not self._last_line:
            return
        if sys.stdout.isatty():
            print(flush=True)
        elif self._last_line != self._logged:
            print(self._last_line, flush=True)
