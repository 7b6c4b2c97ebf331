"""The paper's numbers: transcribed as printed, and every finding computed from them."""

import json

import numpy as np
import pytest

from lumbar_utils.dataset import PAPER4
from lumbar_utils.evaluation import paper_reported
from lumbar_utils.evaluation.paper import REPORTED, ReportedModel
from lumbar_utils.evaluation.paper_audit import (
    counts_printed_as,
    pictures_right,
    possible_confusions,
    retested,
)

MODELS = {model.name: model for model in REPORTED}


def test_the_test_accuracies_are_nineteenths_and_the_validation_accuracy_is_none():
    assert pictures_right() == {
        "CNN": 18, "MobileNet": 17, "DenseNet": 13, "VGG16": 16, "ResNet50": 19, "CNN-SVM": 19
    }  # fmt: skip
    assert counts_printed_as(0.90, 19) == [] and counts_printed_as(0.90, 10) == [9]


def test_no_confusion_matrix_agrees_with_what_is_printed_for_mobilenet_and_the_cnn():
    found = {model.name: len(possible_confusions(model)) for model in REPORTED if model.measured_on == "test"}
    assert found["MobileNet"] == found["CNN"] == 0
    assert found["CNN-SVM"] == found["ResNet50"] == 1
    assert found["DenseNet"] > 0 and found["VGG16"] > 0


def test_the_possible_confusions_hold_what_was_printed():
    for name in ("DenseNet", "VGG16"):
        model, confusions = MODELS[name], possible_confusions(MODELS[name])
        assert (confusions.sum(axis=2) == [4, 4, 8, 3]).all()
        assert (np.trace(confusions, axis1=1, axis2=2) == pictures_right()[name]).all()
        assert len(np.unique(confusions.reshape(len(confusions), -1), axis=0)) == len(confusions)
        if name == "DenseNet":
            assert (confusions[:, 1, 2] == 4).all() and model.mistakes
    # two mistakes of Herniated Disk are taken for neither itself nor Stenosis, and the third picture is another's
    assert (possible_confusions(MODELS["VGG16"])[:, :, 2].sum(axis=1) == 8).all()


def test_without_the_claim_that_contradicts_it_the_cnn_is_possible():
    cnn = MODELS["CNN"]
    milder = {key: value for key, value in cnn.scores.items() if key != ("Spinal Stenosis", "f1")}
    (only,) = possible_confusions(ReportedModel("CNN", cnn.accuracy, "test", milder, cnn.mistakes))
    assert only.tolist() == [[4, 0, 0, 0], [0, 3, 1, 0], [0, 0, 8, 0], [0, 0, 0, 3]]
    printed_f1 = 2 * 8 / (8 + 9)
    right = ReportedModel(
        "CNN", cnn.accuracy, "test", {**milder, ("Spinal Stenosis", "f1"): printed_f1}, cnn.mistakes
    )
    assert len(possible_confusions(right)) == 1


def test_the_table_has_intervals_and_marks_every_number_as_reported():
    report = paper_reported()
    accuracies = report.accuracies.set_index("model")
    assert set(accuracies["value"]) == set(report.by_class["value"]) == {"reported"}
    columns = ["wilson_low", "wilson_high", "exact_low", "exact_high"]
    assert accuracies.loc["CNN", columns].to_list() == pytest.approx([0.754, 0.991, 0.740, 0.999], abs=6e-4)
    assert accuracies.loc[["VGG16-Involution", "AlexNet"], columns].isna().all(axis=None)
    hybrid = report.by_class[report.by_class["model"] == "CNN-SVM"]
    assert hybrid.groupby("class", sort=False)["support"].first().to_dict() == dict(
        zip(PAPER4, (4, 4, 8, 3), strict=True)
    )
    impossible = report.by_class.query("model == 'MobileNet' and score == 'recall' and printed == 0.67")
    assert impossible["hits"].isna().all() and len(impossible) == 1


def test_the_comparisons_retested():
    pairs = {(row["first"], row["second"]): row for row in retested()}
    assert len(pairs) == 15
    assert pairs["CNN-SVM", "CNN"]["p_value"] == 1
    assert pairs["CNN-SVM", "DenseNet"]["p_value"] == pytest.approx(0.03125)
    assert pairs["CNN-SVM", "DenseNet"]["known"] == "exact" and pairs["CNN", "DenseNet"]["known"] == "at best"
    assert all(row["p_holm"] > 0.4 for row in pairs.values())


@pytest.mark.parametrize(
    "words",
    [
        "0.832 (Wilson) or 0.824 (Clopper-Pearson)",
        "it takes 36 pictures",
        "8 of 19 = 0.42",
        "probability 0.135, and some one of 8 independent such models with 0.69",
        "4 pictures allow 0.00, 0.25, 0.50, 0.75, 1.00",
        "8/9 = 0.89 and its F1 at most 0.94; no confusion matrices agree",
        "6 mistakes, of which these are 4; 2 are not mentioned",
        "0.90 is no multiple of 1/19",
        "ResNet50 and CNN-SVM tie at 19 of 19",
        "needs 6 one-sided differences",
        "over all 28 pairs of the 8 models 0.88",
        "standard error of 0.109",
    ],
)
def test_the_findings_of_the_audit_are_computed(words):
    computed = [finding.finding for finding in paper_reported().findings if finding.how == "computed"]
    assert any(words in finding for finding in computed)


def test_the_report_reads_as_text_html_and_json():
    report = paper_reported()
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["accuracies"][6]["accuracy"] is None and len(plain["findings"]) == len(report.findings)
    page, text = report.to_html(), str(report)
    assert page.startswith("<!doctype html>") and "http" not in page
    for model in REPORTED:
        assert model.name in text and model.name in page
    assert text.count("(reported)") >= len(report.findings) + 2
