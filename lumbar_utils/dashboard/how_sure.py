"""Panel "How sure?": what a test of so many patients can show, and the paper's table with the intervals it lacks."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets
import numpy as np

from lumbar_utils.dashboard.log import Log
from lumbar_utils.dashboard.parts import Chart, box, control, table, text, tiles
from lumbar_utils.evaluation import paper_reported, wilson
from lumbar_utils.evaluation.paper import N_TEST
from lumbar_utils.evaluation.sure import duel
from lumbar_utils.figures import duel_by_size, interval_by_size, score_scatter

SIZES = (5, 10, 15, N_TEST, 25, 36, 50, 75, 100, 150, 200, 300, 400, 600, 800, 1000, 2000)
INTRODUCTION = (
    "<h2>A test is a draw</h2><p>Model A has a true accuracy, and you decide it. Its test draws some patients, and "
    "the score depends on the draw. Model B is worse by as much as you say; it is tested on patients of its own.</p>"
)


class HowSurePanel:
    """Three sliders, what follows from them exactly, and the reported table; `widget` is what to show."""

    def __init__(self, log: Log):
        self._size = control(
            widgets.SelectionSlider,
            "Patients in the test set",
            options=SIZES,
            value=N_TEST,
            continuous_update=False,
        )
        self._accuracy = control(
            widgets.FloatSlider, "True accuracy of A (%)", value=90.0, min=50.0, max=99.5, step=0.5,
            readout_format=".1f",
        )  # fmt: skip
        self._lead = control(
            widgets.FloatSlider, "A is truly better than B by (points)", value=5.0, max=25.0, step=0.5,
            readout_format=".1f",
        )  # fmt: skip
        self._tiles = text("")
        self._scatter, self._narrowing, self._duel = Chart("lumbar-wide"), Chart(), Chart()
        controls = box(
            [text(INTRODUCTION), box([self._size, self._accuracy, self._lead], "lumbar-bar"), self._tiles],
            "lumbar-card",
        )
        self.widget = box(
            [
                controls,
                self._scatter.widget,
                box([self._narrowing.widget, self._duel.widget], "lumbar-row"),
                text(reported_table() + reported_findings(), "lumbar-card"),
            ],
            "lumbar-panel",
        )
        for slider in (self._size, self._accuracy, self._lead):
            slider.observe(log.watch(lambda _: self._show()), "value")
        self._show()

    def _show(self) -> None:
        n, better = self._size.value, self._accuracy.value / 100
        worse = max(0.0, better - self._lead.value / 100)
        typical = round(n * better)
        low, high = wilson(typical, n)
        fight = duel(n, better, worse)
        behind = (
            "B, the worse, comes out ahead" if worse < better else "B comes out ahead, though it is equal"
        )
        self._tiles.value = tiles(
            (
                f"{100 * low:.0f} to {100 * high:.0f} %",
                f"95 % interval around {typical} of {n}, the score that fits A best",
            ),
            (_chance(better**n), f"chance that A is right on all {n}"),
            (_chance(fight.behind), f"{behind}; a tie: {_chance(fight.level)}"),
        )
        self._scatter.show(score_scatter(n, better, worse if worse < better else None))
        self._narrowing.show(interval_by_size(n, better))
        self._duel.show(duel_by_size(n, better, worse))


def _chance(share: float) -> str:
    if share >= 0.0995:
        return f"{100 * share:.0f} %"
    if share >= 0.001:
        return f"{100 * share:.1f} %"
    return "under 0.1 %"


def reported_table() -> str:
    """Return the paper's accuracies with the intervals that follow from its 19 pictures, as HTML."""
    rows = [
        (
            row.model,
            "no number" if np.isnan(row.accuracy) else f"{row.accuracy:.2f} (reported)",
            row.measured_on,
            "" if np.isnan(row.right) else f"{row.right:.0f} of {row.of:.0f}",
            _limits(row.wilson_low, row.wilson_high),
            _limits(row.exact_low, row.exact_high),
        )
        for row in paper_reported().accuracies.itertuples()
    ]
    header = (
        "Model",
        "Accuracy",
        "Measured on",
        "Right",
        "95 % interval (Wilson)",
        "exact (Clopper-Pearson)",
    )
    return (
        '<p class="lumbar-reported">Reported by the paper, not measured by the course</p>'
        + table(header, rows, f"The paper's table, with the intervals that {N_TEST} test pictures allow")
        + f'<p class="lumbar-fine">Each of the {N_TEST} pictures is taken as one patient. No interval stands where the '
        "paper gives no number on the test set.</p>"
    )


def reported_findings() -> str:
    """Return what does not fit together in the paper's numbers, a sentence each, as HTML."""
    items = "".join(
        f"<li><b>{escape(finding.reported)}</b> {escape(_first_sentence(finding.finding))}</li>"
        for finding in paper_reported().findings
        if finding.how == "computed"
    )
    return (
        "<h2>What these numbers prove, and what does not fit</h2>"
        f'<ol class="lumbar-findings">{items}</ol>'
        '<p class="lumbar-fine">In bold: reported. After it: computed from the reported numbers alone. Lesson 16 '
        "works through each.</p>"
    )


def _first_sentence(words: str) -> str:
    return words.split(". ")[0].rstrip(".") + "."


def _limits(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"[{low:.3f}, {high:.3f}]"
