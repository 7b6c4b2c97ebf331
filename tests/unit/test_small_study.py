"""A small study: who is ahead, how often that changes, and that nothing is told by colour alone."""

import numpy as np
import pytest

from lumbar_utils.evaluation import Estimate
from lumbar_utils.figures import small_study


def drawn(rival=0.80, model=0.87, others=(-0.05, 0.02, 0.07, 0.12), n_patients=5, gain_low=-0.03):
    return small_study(
        Estimate(rival, rival - 0.15, rival + 0.1, "bootstrap"),
        Estimate(model, model - 0.1, model + 0.05, "bootstrap"),
        Estimate(model - rival, gain_low, 0.2, "bootstrap"),
        others,
        names=("the box alone", "photographs' features"),
        n_patients=n_patients,
        tested_on="93 real discs of 5 patients",
    )


def title_of(fig) -> str:
    return fig.layout.title.text.replace("<br>", " ")


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, "5 patients put photographs' features ahead by 0.07 of AUC; so do 75 % of 4 draws of 5"),
        ({"rival": 0.90}, "5 patients put the box alone ahead by 0.03 of AUC; so do 25 % of 4 draws of 5"),
        (
            {"n_patients": 15, "others": [0.07, 0.07]},
            "15 patients put photographs' features ahead by 0.07 of AUC, and there is no other draw of 15",
        ),
    ],
)
def test_the_title_says_who_is_ahead_and_how_often(changes, finding):
    fig = drawn(**changes)
    assert title_of(fig) == finding
    assert fig.layout.meta["description"].startswith(finding)


def test_the_description_says_whether_the_difference_leaves_zero_out():
    assert "holds 0" in drawn().layout.meta["description"]
    assert "leaves 0 out" in drawn(gain_low=0.01).layout.meta["description"]
    assert "without an interval" in drawn(gain_low=np.nan).layout.meta["description"]


def test_axes_are_labelled_and_the_winners_differ_by_more_than_colour():
    fig = drawn()
    axes = [axis.title.text for axis in (*fig.select_xaxes(), *fig.select_yaxes()) if axis.title.text]
    assert any("AUC on 93 real discs of 5 patients, 95 % interval" in text for text in axes)
    assert "Draws of 5 patients" in axes
    bars = [trace for trace in fig.data if trace.type == "histogram"]
    assert len({trace.marker.pattern.shape for trace in bars}) == 2
    assert sorted(x for trace in bars for x in trace.x) == [-0.05, 0.02, 0.07, 0.12]
    points = [trace for trace in fig.data if trace.type == "scatter"]
    assert len({trace.marker.symbol for trace in points}) == 3


def test_an_interval_is_drawn_where_there_is_one():
    rival, model, gain = (trace for trace in drawn(gain_low=np.nan).data if trace.type == "scatter")
    assert rival.x[0] - rival.error_x.arrayminus[0] == pytest.approx(0.65)
    assert model.x[0] + model.error_x.array[0] == pytest.approx(0.92)
    assert gain.error_x.array is None
