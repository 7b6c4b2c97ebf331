"""The study of picture and table: what it stores, what it skips, and whom it must not ask."""

from dataclasses import replace

import numpy as np
import pytest

from lumbar_utils import LumbarError
from lumbar_utils.__main__ import main
from lumbar_utils.beyond.clinical_table import TableModel, clinical_table, draw_tables
from lumbar_utils.evaluation import Predictions
from lumbar_utils.paths import results_folder
from lumbar_utils.phantom import make_dataset
from lumbar_utils.runtime import load_predictor
from lumbar_utils.studies import clinical, zoo

SMALL = {"n_patients": 60, "n_validation": 40, "n_test": 40, "epochs": 2}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    results = tmp_path_factory.mktemp("results") / "clinical"
    clinical.run_clinical(**SMALL, results=results, log=lambda line: None)
    return results


def test_every_model_is_asked_about_the_same_locked_patients(study):
    stored = {file: Predictions.load(study / f"{file}.csv") for file in clinical._files()}
    locked = make_dataset(40, seed=zoo.SEEDS["test"])
    for file, predictions in stored.items():
        if not file.startswith("validation/"):
            assert predictions.labels.tolist() == locked.labels.tolist()
            assert predictions.dataset == "phantom 0.2 (seed 104)" and predictions.measured_on == "phantoms"
    assert stored["validation/table_only"].dataset == "phantom 0.2 (seed 102)"
    assert len({predictions.model for predictions in stored.values()}) == len(clinical.NAMES) + len(
        clinical.WITHOUT_TABLE
    )


def test_the_image_model_is_the_shipped_network_and_the_table_model_can_be_made_again(study):
    locked = make_dataset(40, seed=zoo.SEEDS["test"])
    image = Predictions.load(study / "image_only.csv").probabilities
    assert np.abs(load_predictor("cnn").predict(locked.images) - image).max() < 1e-3
    rows, labels = draw_tables(60, seed=clinical.SEEDS["training"])
    model = TableModel().fit(clinical_table(rows), labels)
    table = Predictions.load(study / "table_only.csv").probabilities
    assert np.abs(model.predict_proba(clinical_table(locked)) - table).max() < 1e-4


def test_without_a_table_the_product_of_experts_says_what_the_picture_says(study):
    image, empty = (
        Predictions.load(study / f"{name}.csv") for name in ("image_only", "late_product_no_table")
    )
    assert np.mean(image.predicted == empty.predicted) > 0.8
    assert not np.allclose(
        empty.probabilities, Predictions.load(study / "late_product.csv").probabilities, atol=0.01
    )
    assert len(empty.provenance["exponents"]) == 2


def test_a_finished_study_is_skipped_and_what_is_missing_or_of_another_network_made_anew(study, monkeypatch):
    lines = []
    monkeypatch.setattr(clinical, "_draw", lambda sizes, log: pytest.fail("nothing is to do"))
    clinical.run_clinical(**SMALL, results=study, log=lines.append)
    n = len(clinical._files())
    assert lines == [f"{n} of {n} predictions are there."]
    with pytest.raises(pytest.fail.Exception):
        clinical.run_clinical(**{**SMALL, "epochs": 3}, results=study, log=lines.append)
    file = study / "late_vote.csv"
    content = file.read_bytes()
    file.write_bytes(content + b"x")
    with pytest.raises(pytest.fail.Exception):
        clinical.run_clinical(**SMALL, results=study, log=lines.append)
    file.write_bytes(content)
    assert lines[1:] == [f"0 of {n} predictions are there.", f"{n - 1} of {n} predictions are there."]


def test_no_patient_is_asked_who_was_learned(monkeypatch):
    about = clinical._provenance({"training": 2000, "validation": 600, "test": 600}, 60)
    clinical._refuse_shared_patients(about)
    # also when the network has learned twice as many
    more = {"n_patients": 12_000, "seed": zoo.SEEDS["training"]}
    clinical._refuse_shared_patients(
        {**about, "image_network": {**about["image_network"], "trained_on": more}}
    )
    monkeypatch.setattr(clinical, "SEEDS", {**clinical.SEEDS, "training": zoo.SEEDS["training"]})
    with pytest.raises(LumbarError, match="60 phantom patients occur twice"):
        clinical.run_clinical(**SMALL, log=lambda line: None)


def test_planned_comparisons_are_paired_and_corrected(study, tmp_path):
    table = clinical.planned_comparisons(study)
    assert len(table) == len(clinical.PLANNED) and (table["p_holm"] >= table["p_value"]).all()
    for row in table.itertuples():
        assert row.difference == pytest.approx((row.only_first - row.only_second) / 40)
        assert row.low <= row.difference <= row.high
    oracle = Predictions.load(study / "table_only.csv")
    for name in clinical.NAMES:
        sure = replace(
            oracle, probabilities=np.eye(4)[oracle.labels if name == "table_only" else 0 * oracle.labels]
        )
        sure.save(tmp_path / f"{name}.csv")
    against_age = clinical.planned_comparisons(tmp_path).iloc[0]
    assert against_age["only_second"] == 0 and against_age["p_holm"] < 1e-4


def test_the_command_line_shows_the_scores(study, monkeypatch, capsys):
    monkeypatch.setattr(clinical, "results_folder", lambda: study.parent)
    assert main(["clinical"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Phantom scores") and all(name in shown for name in clinical.NAMES.values())


@pytest.mark.skipif(not (results_folder() / "clinical").is_dir(), reason="the study has not been run")
def test_what_is_stored_was_made_with_the_shipped_network():
    about = clinical._provenance({"training": 2000, "validation": 600, "test": 600}, 60)
    for file in clinical._files():
        assert clinical._is_there(results_folder() / "clinical" / f"{file}.csv", about), file
