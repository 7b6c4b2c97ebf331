"""The dashboard's jury: each network's calibrated probabilities, the vote that results/zoo measured, and the report."""

import base64
import re

import numpy as np
import pytest

from lumbar_utils import LumbarError, load_dataset
from lumbar_utils.dashboard import jury as jury_module
from lumbar_utils.dashboard import verdict
from lumbar_utils.dashboard.diagnose import UPLOAD, DiagnosePanel
from lumbar_utils.dashboard.jury import Jury
from lumbar_utils.dashboard.log import QUIET, Log
from lumbar_utils.dashboard.verdict import answer_html, opinions_html
from lumbar_utils.evaluation import Predictions, fit_temperature, load_results, with_temperature
from lumbar_utils.evaluation.repetitions import repeated_auc
from lumbar_utils.paths import results_folder
from lumbar_utils.runtime import load_predictor


@pytest.fixture(scope="module")
def jury():
    return Jury(pytest.fail)


@pytest.fixture(scope="module")
def locked():
    """The first of the zoo's locked test patients."""
    return load_dataset("phantom", n_patients=4, seed=104)


def test_it_says_of_a_locked_patient_what_is_stored(jury, locked):
    stored, validation = load_results("zoo"), load_results("zoo/validation")
    assert jury.hybrid.network is jury.predictors["cnn"]  # opened once
    for row, image in enumerate(locked.images):
        opinions = jury.opinions(jury.frame(image, "a phantom")[0])
        np.testing.assert_allclose(opinions.vote, stored["weighted_vote"].probabilities[row], atol=2e-3)
        for name, shares in zip(opinions.members, opinions.probabilities, strict=True):
            calibrated = with_temperature(stored[name], fit_temperature(validation[name]))
            np.testing.assert_allclose(shares, calibrated.probabilities[row], atol=5e-3)
        np.testing.assert_allclose(opinions.hybrid, stored["cnn_svm"].probabilities[row], atol=5e-3)


def test_agreement_counts_those_who_give_the_joint_answer(jury, locked):
    opinions = jury.opinions(jury.frame(locked.images[0], "a phantom")[0])
    own = opinions.probabilities.argmax(axis=1)
    assert opinions.n_agree == np.count_nonzero(own == opinions.vote.argmax())
    said = answer_html(opinions, opinions.class_names[opinions.answer])
    assert "The answer agrees." in said and "not a medical device" in said
    other = opinions.class_names[(opinions.answer + 1) % 4]
    assert "The answer is wrong." in answer_html(opinions, other)
    table = opinions_html(jury, opinions)
    assert table.count("<tr>") == 1 + len(opinions.members) + 2


def test_a_damaged_network_is_told_and_the_others_answer_without_a_vote(monkeypatch, locked):
    def load(name):
        if name == "vgg16":
            raise LumbarError("model.tflite of vgg16_course is damaged; install the course again.")
        return load_predictor(name)

    monkeypatch.setattr(jury_module, "opened_network", load)
    told = []
    jury = Jury(told.append)
    opinions = jury.opinions(jury.frame(locked.images[0], "a phantom")[0])
    assert len(told) == 1 and "vgg16_course is damaged" in told[0]
    assert opinions.hybrid is not None
    assert opinions.vote is None and "vgg16" not in opinions.members
    np.testing.assert_allclose(opinions.joint, opinions.probabilities.mean(axis=0))
    assert f"by the mean of {len(opinions.members)} networks" in answer_html(opinions, None)


def test_a_hybrid_of_another_network_is_told_and_left_out(monkeypatch, locked):
    def refuse(**_):
        raise LumbarError("The hybrid stands on another network; train it again.")

    monkeypatch.setattr(jury_module, "load_hybrid_predictor", refuse)
    told = []
    jury = Jury(told.append)
    opinions = jury.opinions(jury.frame(locked.images[0], "a phantom")[0])
    assert told == ["The hybrid stands on another network; train it again."]
    assert opinions.hybrid is None and opinions.vote is not None
    assert "with SVM</th>" not in opinions_html(jury, opinions)


def test_without_any_network_one_sentence_says_so(monkeypatch):
    def load(name):
        raise LumbarError(f"{name} is missing; install the course again.")

    monkeypatch.setattr(jury_module, "opened_network", load)
    with pytest.raises(LumbarError, match="None of the shipped networks"):
        Jury(lambda sentence: None)


def test_a_picture_without_a_column_is_refused(jury):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), dtype=np.uint8)
    with pytest.raises(LumbarError, match=r"noise.png gets no verdict: no lumbar column was found"):
        jury.frame(noise, "noise.png")


def saved(panel: DiagnosePanel) -> str:
    panel._report_button.click()
    return base64.b64decode(re.search(r"base64,([^\"]+)", panel._report.value)[1]).decode()


def test_a_report_holds_the_case_and_not_the_name_of_an_uploaded_file(locked):
    log = Log()
    panel = DiagnosePanel(log)
    assert "Phantom patient" in saved(panel)
    panel._uploaded = "doe_jane_1950.png", locked.images[0]
    panel._source.value = UPLOAD
    assert "doe_jane_1950" in panel._picture.value
    page = saved(panel)
    assert "doe_jane" not in page and "A file" in page and "not validated" in page
    assert QUIET in log.widget.value


def test_without_a_verdict_there_is_no_report():
    log = Log()
    panel = DiagnosePanel(log)
    panel._source.value = UPLOAD
    panel._report_button.click()
    assert "There is no case to report" in log.widget.value and panel._report.value == ""


def test_a_verdict_on_a_file_says_how_phantom_knowledge_did_on_real_discs(monkeypatch, tmp_path):
    stored = Predictions.load(results_folder() / verdict.ZERO_SHOT)
    found = repeated_auc([stored], "herniated")
    verdict.what_they_know.cache_clear()
    said = verdict.what_they_know()
    assert f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]" in said and "15 patients" in said
    verdict.what_they_know.cache_clear()
    monkeypatch.setattr(verdict, "results_folder", lambda: tmp_path)
    assert verdict.what_they_know() == verdict.LEARNED
    verdict.what_they_know.cache_clear()
