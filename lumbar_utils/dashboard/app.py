"""The page below the notebook's title: intended use, the panels and the messages."""

from __future__ import annotations

from pathlib import Path

import ipywidgets as widgets

from lumbar_utils.dashboard import INTENDED_USE
from lumbar_utils.dashboard.compare import ComparePanel
from lumbar_utils.dashboard.diagnose import DiagnosePanel
from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.parts import box, text

STYLE = Path(__file__).with_name("style.css")


def build() -> widgets.Widget:
    """Return the root widget; whatever fails while it is built is told in the messages, not raised."""
    log = Log()
    panels = {"Compare": ComparePanel(log).widget, "Diagnose": DiagnosePanel(log).widget}
    tabs = widgets.Tab(list(panels.values()))
    for position, title in enumerate(panels):
        tabs.set_title(position, title)
    tabs.add_class("lumbar-tabs")
    intended_use = text(
        f'<style>{STYLE.read_text(encoding="utf-8")}</style><p class="lumbar-intended">{INTENDED_USE}</p>'
    )
    return box([intended_use, tabs, log.widget], "lumbar-dashboard")
