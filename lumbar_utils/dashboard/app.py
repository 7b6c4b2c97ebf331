"""The page below the notebook's title: intended use, the panels and the messages."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import ipywidgets as widgets

from lumbar_utils.dashboard import INTENDED_USE
from lumbar_utils.dashboard.compare import ComparePanel
from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.memory import return_freed_memory
from lumbar_utils.dashboard.parts import box, text

STYLE = Path(__file__).with_name("style.css")


def _later(module: str, panel: str) -> Callable[[Log], object]:
    """Return what imports a panel's file and builds the panel, when it is called."""
    return lambda log: getattr(import_module(f"lumbar_utils.dashboard.{module}"), panel)(log)


PANELS = {
    "Compare": ComparePanel,
    "Diagnose": _later("diagnose", "DiagnosePanel"),
    "Look inside": _later("look_inside", "LookInsidePanel"),
    "How sure?": _later("how_sure", "HowSurePanel"),
    "About": _later("about", "AboutPanel"),
}


def build() -> widgets.Widget:
    """Return the root widget; whatever fails while it is built is told in the messages, not raised.

    A panel is built when its tab is first opened, so that none but the first delays the page.
    """
    return_freed_memory()
    log, opened = Log(), set()
    places = [box([], "lumbar-panel") for _ in PANELS]
    tabs = widgets.Tab(places)
    for position, title in enumerate(PANELS):
        tabs.set_title(position, title)
    tabs.add_class("lumbar-tabs")

    def open_panel(position: int | None) -> None:
        if position is None or position in opened:
            return
        opened.add(position)
        title, place = list(PANELS)[position], places[position]
        place.children = (text(f'<p role="status">{title} is being prepared …</p>', "lumbar-card"),)
        try:
            place.children = (PANELS[title](log).widget,)
        except Exception:
            opened.discard(position)  # the next click on the tab tries again
            place.children = (text("<p>This panel could not be built; the messages below say why.</p>"),)
            raise

    tabs.observe(log.watch(lambda change: open_panel(change["new"])), "selected_index")
    log.watch(open_panel)(0)
    tabs.selected_index = 0
    intended_use = text(
        f'<style>{STYLE.read_text(encoding="utf-8")}</style><p class="lumbar-intended">{INTENDED_USE}</p>'
    )
    return box([intended_use, tabs, log.widget], "lumbar-dashboard")
