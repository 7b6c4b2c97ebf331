import json
import shutil

import numpy as np
import pytest

from lumbar_utils import LumbarError
from lumbar_utils.__main__ import main
from lumbar_utils.cam import METHODS, stored
from lumbar_utils.checkpoints import WEIGHTS, read_checkpoint
from lumbar_utils.figures import explanation_scores
from lumbar_utils.paths import results_folder
from lumbar_utils.phantom import make_dataset
from lumbar_utils.studies import explanations
from lumbar_utils.studies.patients import framed
from lumbar_utils.studies.zoo import NETWORKS


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explanations")
    methods, log = ("gradcam", "eigencam"), lambda line: None
    explanations.explain_zoo(("cnn",), methods=methods, n_patients=40, results=folder, log=log)
    return folder


def test_only_patients_whose_lesion_shows_are_explained():
    dataset = make_dataset(24, seed=3)
    part, masks, label_maps = explanations.with_lesion(framed(dataset, "column"))
    healthy = dataset.class_names.index("Healthy")
    assert 0 < len(part.dataset) < 24 and healthy not in part.dataset.labels
    assert masks.any(axis=(1, 2)).all() and masks.shape == label_maps.shape == part.frames.pictures.shape
    assert set(np.unique(label_maps)) <= set(np.unique(dataset.masks)), "numbers are carried, not mixed"
    with pytest.raises(LumbarError, match=r"None of the \d+ patients shows the lesion of its class"):
        explanations.with_lesion(framed(dataset.subset(np.flatnonzero(dataset.labels == healthy)), "column"))


def test_each_picture_is_scored_for_each_method_trained_and_randomised(computed):
    table = stored.stored_scores(("cnn",), results=computed)
    assert set(table["weights"]) == {"trained", "randomised"} and set(table["method"]) == {
        "gradcam",
        "eigencam",
    }
    counts = table.groupby(["weights", "method"])["patient_id"].nunique()
    assert counts.nunique() == 1 and len(table) == 4 * counts.iloc[0]
    assert table[["energy_chance", "energy_ceiling", "pointing_centre", "energy"]].notna().all(axis=None)


def test_the_shipped_network_finds_more_than_chance_and_its_random_twin_does_not(computed):
    summary = stored.summary_of(stored.stored_scores(results=computed)).set_index(["weights", "method"])
    trained, random = summary.loc[("trained", "gradcam")], summary.loc[("randomised", "gradcam")]
    assert trained["low"] > 2 * trained["chance"], "the trained network's heat lies on lesions"
    assert random["low"] < 2 * random["chance"] and random["value"] < trained["low"]
    assert trained["value"] < trained["ceiling"] < 1


def test_the_scores_that_ship_are_of_the_networks_that_ship():
    cards = sorted((results_folder() / stored.FOLDER).glob("*.json"))
    assert {card.stem for card in cards} == set(NETWORKS)
    for card in cards:
        provenance = json.loads(card.read_text())["provenance"]
        assert provenance["weights_sha256"] == read_checkpoint(card.stem).card["files"][WEIGHTS], card.stem
        table = stored.stored_scores((card.stem,))
        assert set(table["method"]) == set(provenance["methods"]) == set(METHODS)
        assert table["patient_id"].nunique() == provenance["patients"]


@pytest.mark.parametrize("file", ["cnn.csv", "cnn_references.csv", "cnn.json"])
def test_damaged_scores_are_refused(computed, tmp_path, file):
    folder = shutil.copytree(computed, tmp_path / "explanations")
    (folder / file).write_bytes((folder / file).read_bytes().replace(b"0", b"9", 1)[:-3])
    with pytest.raises(LumbarError, match=r"stored scores of cnn .* are damaged .*; fetch them again"):
        stored.stored_scores(results=folder)
    (folder / file).unlink()
    with pytest.raises(LumbarError, match="stored scores"):
        stored.stored_scores(results=folder)


def test_the_figure_counts_what_beats_chance(computed):
    summary = stored.summary_of(stored.stored_scores(results=computed))
    fig = explanation_scores(summary)
    better = (summary["above_rival_low"] > 0).groupby(summary["weights"]).sum()
    title = fig.layout.title.text.replace("<br>", " ")
    assert title.startswith(f"{better['trained']} of 2 pairs of network and method find the lesion better")
    assert title.endswith(f"with random weights {better['randomised']} of 2 do")
    assert {"Grad-CAM", "Eigen-CAM", "chance", "all discs alike"} <= {trace.name for trace in fig.data}
    assert "phantom scores" in fig.layout.meta["description"].lower()
    with pytest.raises(LumbarError, match="has 0 rows and lacks"):
        explanation_scores(summary.iloc[:0, :2])


def test_the_command_line_shows_stored_scores(computed, monkeypatch, capsys):
    monkeypatch.setattr(stored, "results_folder", lambda: computed.parent)
    monkeypatch.setattr(stored, "FOLDER", computed.name)
    assert main(["explanations", "--score", "pointing", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["weights"], row["method"]) for row in rows} >= {
        ("trained", "gradcam"),
        ("randomised", "eigencam"),
    }
    assert all(0 <= row["chance"] < row["ceiling"] <= 1 for row in rows)
    assert main(["explanations", "--networks", "lenet"]) == 2
    assert "no stored scores of lenet" in capsys.readouterr().err


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(LumbarError, match="no stored scores of any network"):
        stored.stored_scores(results=tmp_path)
    with pytest.raises(LumbarError, match="no stored scores of lenet"):
        stored.stored_scores(("lenet",), results=tmp_path)
    with pytest.raises(LumbarError, match="'lime'; choose one of gradcam"):
        explanations.explain_zoo(("cnn",), methods=("lime",), results=tmp_path)
    with pytest.raises(LumbarError, match="no checkpoint 'lenet'"):
        explanations.explain_zoo(("lenet",), results=tmp_path)
    with pytest.raises(LumbarError, match="no score 'dice'"):
        stored.summary_of(None, "dice")
