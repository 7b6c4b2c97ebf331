"""The dashboard's panels, driven as a visitor drives them: a control is set, and what the page says follows."""

import re

import plotly.io
import pytest

from lumbar_utils.dashboard import app
from lumbar_utils.dashboard.how_sure import HowSurePanel
from lumbar_utils.dashboard.log import QUIET, Log
from lumbar_utils.evaluation import paper_reported, wilson
from lumbar_utils.evaluation.sure import duel


def everything(widget):
    """Yield a widget and all inside it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def words(widget) -> str:
    """Return all text that a widget shows, without tags."""
    values = [str(each.value) for each in everything(widget) if type(each).__name__ == "HTML"]
    return " ".join(re.sub("<[^>]+>", " ", " ".join(values)).split())


def control(widget, label):
    (found,) = [each for each in everything(widget) if getattr(each, "description", None) == label]
    return found


@pytest.fixture
def log():
    log = Log()
    yield log
    assert QUIET in log.widget.value


def tabs_of(page):
    (found,) = [each for each in everything(page) if type(each).__name__ == "Tab"]
    return found


class TestApp:
    def test_a_panel_is_built_when_its_tab_is_first_opened_and_only_then(self, monkeypatch):
        built = []

        class Panel:
            def __init__(self, log):
                built.append(self)
                self.widget = app.text("here")

        monkeypatch.setattr(app, "PANELS", dict.fromkeys(("first", "second", "third"), Panel))
        tabs = tabs_of(app.build())
        assert len(built) == 1
        for position in (2, 0, 2, 0):
            tabs.selected_index = position
        assert len(built) == 2
        assert [words(child) for child in tabs.children] == ["here", "", "here"]

    def test_a_panel_that_fails_is_told_in_the_messages_and_tried_again(self, monkeypatch):
        attempts = []

        class Fails:
            def __init__(self, log):
                attempts.append(self)
                raise OSError("no such file")

        class Works:
            def __init__(self, log):
                self.widget = app.text("here")

        monkeypatch.setattr(app, "PANELS", {"first": Works, "second": Fails})
        page = app.build()
        for position in (1, 0, 1):
            tabs_of(page).selected_index = position
        assert len(attempts) == 2
        assert "OSError: no such file" in words(page)
        assert "could not be built" in words(tabs_of(page).children[1])

    def test_every_panel_can_be_built(self):
        page = app.build()
        tabs = tabs_of(page)
        for position in range(len(app.PANELS)):
            tabs.selected_index = position
            assert words(tabs.children[position])
        assert QUIET in words(page)

    def test_every_control_has_a_visible_label(self):
        tabs = tabs_of(app.build())
        for position, title in enumerate(app.PANELS):
            tabs.selected_index = position
            for each in everything(tabs.children[position]):
                if hasattr(each, "value") and hasattr(each, "description") and hasattr(each, "disabled"):
                    assert each.description, (title, type(each).__name__)


class TestHowSure:
    def test_the_three_numbers_follow_the_sliders(self, log):
        panel = HowSurePanel(log).widget
        for n, accuracy, lead in ((19, 90.0, 5.0), (200, 80.0, 2.0), (36, 95.0, 10.0)):
            control(panel, "Patients in the test set").value = n
            control(panel, "True accuracy of A (%)").value = accuracy
            control(panel, "A is truly better than B by (points)").value = lead
            said = words(panel)
            p, q = accuracy / 100, (accuracy - lead) / 100
            low, high = wilson(round(n * p), n)
            assert f"{100 * low:.0f} to {100 * high:.0f} %" in said
            perfect = 100 * p**n
            assert (f"{perfect:.1f} %" if perfect >= 0.1 else "under 0.1 %") in said
            assert f"comes out ahead in {100 * duel(n, p, q).behind:.0f} % of" in said

    def test_a_slider_renews_every_chart(self, log, monkeypatch):
        monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")  # as in a notebook
        panel = HowSurePanel(log).widget
        charts = [each for each in everything(panel) if type(each).__name__ == "Output"]
        assert len(charts) == 3
        before = [each.outputs for each in charts]
        control(panel, "Patients in the test set").value = 100
        assert all(each.outputs != old for each, old in zip(charts, before, strict=True))

    def test_equal_models_are_not_called_better_and_worse(self, log):
        panel = HowSurePanel(log).widget
        control(panel, "A is truly better than B by (points)").value = 0.0
        assert "the worse" not in words(panel)
        assert "Two equal models" in words(panel)

    def test_every_reported_number_is_marked_and_has_its_interval_or_none(self, log):
        said = words(HowSurePanel(log).widget)
        table = paper_reported().accuracies
        assert said.count("(reported)") == table["accuracy"].notna().sum()
        for row in table[table["right"].notna()].itertuples():
            assert f"[{row.wilson_low:.3f}, {row.wilson_high:.3f}]" in said
        assert "Impossible: 4 pictures allow" in said
