"""Stored cases of the dashboard: the very patients on whom the networks' stored predictions were made."""

import numpy as np
import pytest

from lumbar_utils.dashboard import stored_cases
from lumbar_utils.dashboard.diagnose import STORED, DiagnosePanel
from lumbar_utils.dashboard.log import QUIET, Log
from lumbar_utils.dashboard.stored_cases import ALL_RIGHT, ALL_WRONG, DIVIDED, StoredCases, stored_networks
from lumbar_utils.dataset import PAPER4, LumbarError
from lumbar_utils.runtime import load_predictor


@pytest.fixture
def changes():
    return []


@pytest.fixture
def cases(changes):
    return StoredCases(lambda action: action, lambda: changes.append(1))


def rows_of(cases) -> list[int]:
    return [row for _, row in cases._case.options]


@pytest.mark.parametrize(("kind", "low", "high"), [(ALL_RIGHT, 7, 7), (ALL_WRONG, 0, 0), (DIVIDED, 1, 6)])
def test_each_kind_holds_what_it_says(cases, kind, low, high):
    cases._kind.value = kind
    stored = list(stored_networks().values())
    rows = rows_of(cases)
    assert len(rows) > 4
    for row in rows:
        n_right = sum(each.predicted[row] == each.labels[row] for each in stored)
        assert low <= n_right <= high
    labels = stored[0].labels[rows]
    assert np.all(np.diff(labels) >= 0) and np.bincount(labels).max() <= stored_cases.CASES_A_CLASS


def test_the_patient_drawn_again_is_the_one_of_the_stored_predictions(cases):
    stored, network = stored_networks()["cnn"], load_predictor("cnn")
    for row in rows_of(cases)[::6]:
        cases._case.value = row
        assert cases.patient.label == PAPER4[stored.labels[row]]
        now = network.predict(cases.draw().image[None])[0]
        assert now == pytest.approx(stored.probabilities[row], abs=0.02)


def test_choosing_tells_once_and_filling_the_list_does_not(cases, changes):
    cases._case.value = rows_of(cases)[-1]
    assert len(changes) == 1
    cases._kind.value = ALL_WRONG
    assert len(changes) == 2


def test_without_a_case_or_a_network_one_sentence_says_so(cases, monkeypatch):
    cases._case.options = ()
    with pytest.raises(LumbarError, match="choose another kind of case"):
        _ = cases.patient
    monkeypatch.setattr(stored_cases, "load_results", lambda study: {})
    with pytest.raises(LumbarError, match="make zoo"):
        stored_networks()


def test_the_panel_shows_a_stored_case_with_its_truth_and_a_verdict():
    log = Log()
    panel = DiagnosePanel(log)
    panel._source.value = STORED
    patient = panel._cases.patient
    assert (
        f"Phantom patient {patient.seed}," in panel._picture.value
        and "locked test set" in panel._picture.value
    )
    assert patient.label in panel._verdict.value and "lumbar-heat" in panel._looks.value
    assert QUIET in log.widget.value
