"""Predictions on disk, scores against scikit-learn, reports of awkward test sets, comparisons."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from drawn_predictions import draw, of_labels
from scipy.stats import binomtest
from sklearn import metrics as reference

from lumbar_utils.dataset import LumbarError
from lumbar_utils.evaluation import (
    Predictions,
    average_copies,
    evaluate,
    load_results,
    mcnemar_exact,
    metrics,
    paired_difference,
    results,
)
from lumbar_utils.evaluation.intervals import wilson

# --- predictions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"labels": [0, 1, 4]}, "row 2 has label 4"),
        ({"probabilities": np.full((3, 4), 0.3)}, "sum to 1"),
        ({"probabilities": np.array([[1, 0, 0, 0], [np.nan, 1, 0, 0], [1, 0, 0, 0]])}, "row 1"),
        ({"probabilities": np.array([[1, 0, 0, 0], [2, -1, 0, 0], [1, 0, 0, 0]])}, "row 1"),
        ({"probabilities": np.ones((3, 1))}, r"\(3, 1\)"),
        ({"patient_ids": ["a", "", "c"]}, "patient"),
        ({"patient_ids": ["a", "b"]}, "patient"),
        ({"class_names": ("A", "A", "B", "C")}, "different"),
        ({"measured_on": "patients"}, "measured_on"),
        ({"labels": [], "probabilities": np.zeros((0, 4)), "patient_ids": []}, "no prediction"),
    ],
)
def test_wrong_predictions_are_refused_in_one_sentence(changes, word):
    with pytest.raises(LumbarError, match=word) as refusal:
        draw(3, **changes)
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


def test_predictions_survive_the_disk(tmp_path):
    names = ("Healthy", "Disk, herniated", 'a "quoted" name', "Wirbelsäule")
    patients = ["007", "NA", "a,b", "Müller"] * 5
    before = draw(20, class_names=names, patient_ids=patients, measured_on="real pictures")
    after = Predictions.load(before.save(tmp_path / "new" / "cnn.csv"))
    assert np.abs(after.probabilities - before.probabilities).max() <= 5.1e-6
    assert np.array_equal(after.labels, before.labels) and after.patient_ids.tolist() == patients
    for name in ("class_names", "model", "dataset", "measured_on", "provenance"):
        assert getattr(after, name) == getattr(before, name)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["cnn.csv", "cnn.json"]


def test_a_saved_prediction_that_was_edited_is_refused(tmp_path):
    path = draw(5).save(tmp_path / "cnn.csv")
    path.write_text(path.read_text().replace("00001,", "00009,"))
    with pytest.raises(LumbarError, match="sha256"):
        Predictions.load(path)


@pytest.mark.parametrize("card", ["", "{", "[]", "{}", '{"sha256": "0", "class_names": 3}'])
def test_a_broken_card_is_refused(tmp_path, card):
    path = draw(5).save(tmp_path / "cnn.csv")
    path.with_suffix(".json").write_text(card)
    with pytest.raises(LumbarError, match=r"cnn\.json does not describe"):
        Predictions.load(path)


def test_a_card_with_other_classes_than_the_csv_is_refused(tmp_path):
    path = draw(5).save(tmp_path / "cnn.csv")
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(card | {"class_names": ["A", "B"]}))
    with pytest.raises(LumbarError, match="p_A, p_B"):
        Predictions.load(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(LumbarError, match="missing"):
        Predictions.load(path)


def test_only_a_csv_name_can_be_saved_to(tmp_path):
    with pytest.raises(LumbarError, match=r"\.csv"):
        draw(5).save(tmp_path / "cnn.json")


def test_results_are_found_by_study_and_name(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "results_folder", lambda: tmp_path)
    assert load_results() == {}
    for name in ("zoo/cnn_svm", "zoo/cnn", "crossval/cnn"):
        draw(5, model=name).save(tmp_path / f"{name}.csv")
    (tmp_path / "zoo" / "cnn_history.csv").write_text("epoch,loss\n1,0.5\n")
    assert list(load_results("zoo")) == ["cnn", "cnn_svm"]
    assert {key: value.model for key, value in load_results().items()} == {
        name: name for name in ("crossval/cnn", "zoo/cnn", "zoo/cnn_svm")
    }
    with pytest.raises(LumbarError, match="crossval, zoo"):
        load_results("nothing")


def test_a_result_that_lost_its_card_is_an_error_and_not_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "results_folder", lambda: tmp_path)
    draw(5).save(tmp_path / "zoo" / "cnn.csv").with_suffix(".json").unlink()
    with pytest.raises(LumbarError, match="missing"):
        load_results()


def test_copies_are_averaged_into_one_row_a_thing():
    rows = draw(6, labels=[1, 0, 1, 2, 0, 1], patient_ids=["b", "a", "b", "c", "a", "b"])
    merged = average_copies(rows, ["y", "x", "y", "z", "x", "y"])
    assert merged.labels.tolist() == [1, 0, 2] and merged.patient_ids.tolist() == ["b", "a", "c"]
    assert merged.probabilities[0] == pytest.approx(rows.probabilities[[0, 2, 5]].mean(axis=0))
    assert merged.provenance["averaged_copies"] == {"from": 6, "to": 3} and merged.provenance["seed"] == 0


@pytest.mark.parametrize(
    ("groups", "word"), [(["x", "x", "y"], "label"), (["x", "y", "y"], "patient"), ([1], "shape")]
)
def test_copies_that_differ_are_refused(groups, word):
    rows = draw(3, labels=[0, 1, 1], patient_ids=["a", "a", "b"])
    with pytest.raises(LumbarError, match=word):
        average_copies(rows, groups)


# --- scores -----------------------------------------------------------------------------------------------


def test_scores_agree_with_scikit_learn():
    predictions = draw(300, strength=1.0)
    report = evaluate(predictions, n_resamples=100)
    labels, predicted = predictions.labels, predictions.predicted
    precision, recall, f1, support = reference.precision_recall_fscore_support(labels, predicted)
    assert report.accuracy.value == pytest.approx(reference.accuracy_score(labels, predicted))
    assert report.macro_f1.value == pytest.approx(f1.mean())
    assert report.auc.value == pytest.approx(
        reference.roc_auc_score(labels, predictions.probabilities, multi_class="ovr")
    )
    assert np.array_equal(report.confusion, reference.confusion_matrix(labels, predicted))
    expected = np.stack([precision, recall, f1, support], axis=1)
    assert report.per_class[["precision", "recall", "f1", "support"]].to_numpy() == pytest.approx(expected)


def test_averages_and_areas_agree_with_scikit_learn():
    predictions = draw(200, strength=0.7)
    labels, shares = predictions.labels, predictions.probabilities
    report = evaluate(predictions, n_resamples=100)
    for kind in ("macro", "weighted"):
        expected = reference.precision_recall_fscore_support(labels, predictions.predicted, average=kind)[:3]
        assert report.averages.loc[kind, ["precision", "recall", "f1"]].to_list() == pytest.approx(expected)
    assert report.balanced_accuracy.value == pytest.approx(
        reference.balanced_accuracy_score(labels, predictions.predicted)
    )
    expected = reference.average_precision_score(np.eye(4)[labels], shares, average=None)
    assert report.per_class["average_precision"].to_list() == pytest.approx(expected)
    assert report.average_precision.value == pytest.approx(expected.mean())


def test_a_class_nothing_was_taken_for_counts_nought_in_the_averages_and_is_named():
    labels, predicted = [0, 1, 2, 3] * 6, [0, 1, 2, 2] * 6
    report = evaluate(of_labels(labels, predicted))
    expected = reference.precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)
    assert report.averages.loc["macro", ["precision", "recall", "f1"]].to_list() == pytest.approx(
        expected[:3]
    )
    assert np.isnan(report.per_class.loc["Spondylosis", "precision"])
    assert any("No picture was taken for Spondylosis" in note for note in report.notes)


def test_average_precision_takes_ties_together_and_weights_as_copies():
    rng = np.random.default_rng(5)
    scores, positive = rng.integers(0, 6, 80) / 5, rng.random(80) < 0.3
    weights = rng.integers(0, 4, (3, 80))
    areas = metrics.weighted_areas(scores, positive, weights.astype(float))[1]
    for area, copies in zip(areas, weights, strict=True):
        rows = np.repeat(np.arange(80), copies)
        assert area == pytest.approx(reference.average_precision_score(positive[rows], scores[rows]))


def test_the_precision_recall_curve_agrees_with_scikit_learn():
    rng = np.random.default_rng(6)
    scores, positive = rng.integers(0, 20, 100) / 19, rng.random(100) < 0.4
    precision, recall, _ = reference.precision_recall_curve(positive, scores)
    x, y = metrics.precision_recall_curve(scores, positive)
    assert (x, y) == (pytest.approx(recall[-2::-1]), pytest.approx(precision[-2::-1]))


def test_ties_count_half_in_the_auc_and_weights_count_as_copies():
    rng = np.random.default_rng(5)
    scores, positive = rng.integers(0, 6, 80) / 5, rng.random(80) < 0.3
    weights = rng.integers(0, 4, (3, 80))
    areas, _ = metrics.weighted_areas(scores, positive, weights.astype(float))
    for area, copies in zip(areas, weights, strict=True):
        rows = np.repeat(np.arange(80), copies)
        assert area == pytest.approx(reference.roc_auc_score(positive[rows], scores[rows]))
    assert np.isnan(metrics.weighted_areas(scores, np.zeros(80, dtype=bool), np.ones((1, 80)))[0]).all()


def test_the_roc_curve_agrees_with_scikit_learn():
    rng = np.random.default_rng(6)
    scores, positive = rng.integers(0, 20, 100) / 19, rng.random(100) < 0.4
    x, y, _ = reference.roc_curve(positive, scores, drop_intermediate=False)
    assert metrics.roc_curve(scores, positive) == (pytest.approx(x), pytest.approx(y))


# --- reports ----------------------------------------------------------------------------------------------


def test_one_picture_a_patient_takes_wilson():
    report = evaluate(draw(200))
    right = round(report.accuracy.value * 200)
    assert (report.accuracy.low, report.accuracy.high) == wilson(right, 200)
    row = report.per_class.loc["Healthy"]
    assert (row["recall_low"], row["recall_high"]) == wilson(report.confusion[0, 0], row["support"])
    assert report.macro_f1.method.startswith("bootstrap over 200 patients, 2000 resamples")


def test_many_pictures_of_few_patients_have_a_wide_interval():
    # all pictures of a patient are copies, so 240 rows hold the information of 40
    forty = draw(40)
    copies = {
        name: np.repeat(getattr(forty, name), 6, axis=0)
        for name in ("labels", "probabilities", "patient_ids")
    }
    clustered, wished = (
        evaluate(draw(240, **copies)),
        evaluate(draw(240, **(copies | {"patient_ids": range(240)}))),
    )
    honest = evaluate(forty)
    assert clustered.n_patients == 40 and clustered.n_images == 240
    for name in ("accuracy", "macro_f1", "auc"):
        widths = [getattr(r, name).high - getattr(r, name).low for r in (clustered, honest, wished)]
        assert widths[0] == pytest.approx(widths[1], rel=0.15) and widths[0] > 1.8 * widths[2]


def test_bootstrap_limits_agree_with_a_plain_loop():
    predictions = draw(120, pictures_a_patient=3, strength=1.0)
    healthy_f1 = lambda labels, predicted: reference.f1_score(labels, predicted, labels=[0], average="macro")
    rng = np.random.default_rng(7)
    names = np.unique(predictions.patient_ids)
    rows = {name: np.flatnonzero(predictions.patient_ids == name) for name in names}
    scores = []
    for _ in range(150):
        drawn = np.concatenate([rows[name] for name in rng.choice(names, len(names))])
        labels, shares = predictions.labels[drawn], predictions.probabilities[drawn]
        scores.append(
            (
                np.mean(shares.argmax(axis=1) == labels),
                reference.f1_score(labels, shares.argmax(axis=1), average="macro"),
                reference.roc_auc_score(labels, shares, multi_class="ovr"),
                healthy_f1(labels, shares.argmax(axis=1)),
            )
        )
    expected = np.quantile(scores, [0.025, 0.975], axis=0).T
    report = evaluate(predictions)
    found = [(estimate.low, estimate.high) for estimate in report.scores.values()]
    found.append(tuple(report.per_class.loc["Healthy", ["f1_low", "f1_high"]]))
    assert np.array(found) == pytest.approx(expected, abs=0.035)


def test_a_perfect_score_never_gets_the_interval_one_to_one():
    report = evaluate(of_labels([0] * 4 + [1] * 4 + [2] * 8 + [3] * 3, [0] * 4 + [1] * 4 + [2] * 8 + [3] * 3))
    assert report.accuracy.low == pytest.approx(0.832, abs=0.001)
    for estimate in (report.macro_f1, report.auc):
        assert estimate.value == estimate.high == 1 and 0.3 < estimate.low < 0.9
        assert "bootstrap shrinks to a point" in estimate.method
    for row in report.averages.itertuples():
        assert row.precision == row.f1 == 1 and 0.3 < row.precision_low < 0.9 and 0.3 < row.f1_low < 0.9
    for estimate in (report.average_precision, report.brier, report.nll, report.calibration_error):
        assert np.isnan(estimate.low) and "shrinks to a point" in estimate.method
    assert any("cannot foresee a first mistake" in note for note in report.notes)
    lows = report.per_class[["precision_low", "recall_low", "f1_low", "auc_low"]].to_numpy()
    assert (lows < 0.95).all() and (lows > 0.1).all()


def test_an_absent_class_is_left_out_and_said():
    report = evaluate(of_labels([0, 0, 1, 1, 2, 2] * 5, [0, 1, 1, 1, 2, 3] * 5))
    absent = report.per_class.loc["Spondylosis"]
    assert absent[["recall", "f1", "auc"]].isna().all() and absent["precision"] == 0
    assert report.macro_f1.value == pytest.approx(report.per_class["f1"].iloc[:3].mean())
    assert np.isfinite([report.auc.low, report.auc.high]).all()
    assert any("No picture is labelled Spondylosis" in note for note in report.notes)
    assert "not defined" in str(report)


def test_a_test_set_of_one_class_has_an_accuracy_and_no_auc():
    report = evaluate(of_labels([1] * 10, [1] * 7 + [0] * 3))
    assert (report.accuracy.low, report.accuracy.high) == wilson(7, 10)
    assert np.isnan(report.auc.value) and report.auc.method.startswith("not defined")
    assert report.per_class["average_precision"].isna().all()
    precision = report.averages.loc["macro", ["precision", "precision_low", "precision_high"]]
    assert precision.to_list() == [1, *wilson(7, 7)]
    assert any("no AUC" in note for note in report.notes)


def test_a_model_that_is_never_right_has_intervals_too():
    report = evaluate(of_labels([0, 1] * 8, [1, 2] * 8))
    assert report.accuracy.value == report.macro_f1.value == report.balanced_accuracy.value == 0
    assert report.averages.loc["weighted", "precision"] == 0
    assert report.balanced_accuracy.high == pytest.approx(wilson(0, 8)[1])
    assert report.macro_f1.low == 0 and 0.3 < report.macro_f1.high < 0.6


def test_one_patient_with_many_pictures_gets_values_without_intervals():
    report = evaluate(draw(30, pictures_a_patient=30))
    assert report.n_patients == 1 and np.isfinite(report.accuracy.value)
    for estimate in report.scores.values():
        assert np.isnan(estimate.low) and "one patient" in estimate.method
    assert any("one patient" in note for note in report.notes)


def test_a_class_with_a_single_patient_does_not_crash_the_bootstrap():
    predicted = (
        [0] * 6 + [2] * 3 + [1] * 7 + [2] * 2 + [2]
    )  # others are taken for it, so its F1 is seldom 0 / 0
    report = evaluate(of_labels([0] * 9 + [1] * 9 + [2], predicted, patient_ids=range(19)))
    left_out = int(re.search(r"(\d+) of them without some class", report.macro_f1.method)[1])
    assert left_out / 2000 == pytest.approx((18 / 19) ** 19, abs=0.04)
    assert report.macro_f1.low < report.macro_f1.value < report.macro_f1.high


def test_a_report_is_readable_as_text_html_and_json():
    report = evaluate(draw(60, model="<b>CNN</b>"))
    assert "60 pictures of 60 patients" in str(report) and "measured on phantoms" in str(report)
    page = report._repr_html_()
    assert "&lt;b&gt;CNN" in page and "<b>CNN" not in page and "Wilson" in page
    whole = report.to_html()
    assert whole.startswith("<!doctype html>") and "<b>" not in whole and "http" not in whole
    for name, score in report.all_scores.items():
        assert f"{name} " in str(report) and str(score) in str(report) and str(score) in page
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert (
        plain["accuracy"]["value"] == report.accuracy.value and plain["per_class"]["Healthy"]["support"] > 0
    )
    one_class = evaluate(of_labels([1] * 10, [1] * 10)).to_dict()
    assert json.loads(json.dumps(one_class, allow_nan=False))["auc"]["value"] is None


def test_the_same_seed_gives_the_same_report_and_too_few_resamples_are_refused():
    predictions = draw(60)
    assert evaluate(predictions).to_dict() == evaluate(predictions).to_dict()
    assert evaluate(predictions, seed=1).auc != evaluate(predictions).auc
    with pytest.raises(LumbarError, match="99 resamples"):
        evaluate(predictions, n_resamples=99)


def test_evaluation_and_figures_import_without_scipy_scikit_learn_or_tensorflow():
    code = (
        "import sys, lumbar_utils.evaluation, lumbar_utils.figures;"
        "print(*{'scipy.stats', 'sklearn', 'tensorflow', 'keras'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


# --- comparisons ------------------------------------------------------------------------------------------


def test_mcnemar_agrees_with_the_binomial_test():
    first, second = draw(200, strength=2.0, seed=1), draw(200, strength=1.0, seed=2)
    outcome = mcnemar_exact(first, second)
    apart = outcome.only_first + outcome.only_second
    assert apart == np.sum((first.predicted == first.labels) != (second.predicted == second.labels))
    assert outcome.p_value == pytest.approx(binomtest(outcome.only_first, apart).pvalue)


@pytest.mark.parametrize(("misses", "p_value"), [(0, 1.0), (1, 1.0), (5, 0.0625), (6, 0.03125)])
def test_mcnemar_needs_six_one_sided_differences(misses, p_value):
    labels = np.zeros(19, dtype=int)
    worse = (np.arange(19) < misses).astype(int)
    assert mcnemar_exact(of_labels(labels, labels), of_labels(labels, worse)).p_value == p_value


def test_mcnemar_refuses_several_pictures_a_patient():
    with pytest.raises(LumbarError, match="paired_difference"):
        mcnemar_exact(draw(20, pictures_a_patient=2), draw(20, pictures_a_patient=2, seed=1))


def test_pairing_narrows_the_interval_of_a_difference():
    first = draw(400)
    mild = first.probabilities * 0.9 + 0.1 * draw(400, seed=9).probabilities
    second = draw(400, probabilities=mild)
    difference = paired_difference(first, second)
    assert difference.value == pytest.approx(evaluate(first).accuracy.value - evaluate(second).accuracy.value)
    assert difference.low <= difference.value <= difference.high
    unpaired = evaluate(first).accuracy
    assert difference.high - difference.low < 0.7 * (unpaired.high - unpaired.low)
    assert paired_difference(second, first).value == -difference.value


def test_equal_models_differ_by_zero_with_an_interval_that_is_not_a_point():
    same = paired_difference(draw(19), draw(19))
    assert same.value == 0 and same.high == -same.low == wilson(0, 19)[1]


@pytest.mark.parametrize("changes", [{"labels": np.zeros(30, dtype=int)}, {"patient_ids": range(30)}])
def test_models_with_different_test_sets_are_not_compared(changes):
    with pytest.raises(LumbarError, match="same pictures"):
        paired_difference(draw(30), draw(30, **changes))
