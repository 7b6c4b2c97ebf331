import json
import subprocess
import sys

import pytest
from helpers import ROOT

from lumbar_utils.__main__ import main
from lumbar_utils.evaluation import Predictions, evaluate
from lumbar_utils.paths import results_folder
from lumbar_utils.sources import read_picture


def test_a_mistake_is_one_line_and_an_exit_code(capsys, tmp_path):
    code = main(["crossval", "--source", "yolo", "--path", str(tmp_path), "--classes", "a,b"])
    error = capsys.readouterr().err
    assert code == 2 and error.startswith("lumbar_utils: There is no folder") and error.count("\n") == 1


def test_yolo_without_class_names_says_so(capsys, tmp_path):
    assert main(["crossval", "--source", "yolo", "--path", str(tmp_path)]) == 2
    assert "--classes disc,herniated" in capsys.readouterr().err


@pytest.mark.parametrize(
    "verb",
    [
        "dashboard",
        "lab",
        "phantom",
        "evaluate",
        "paper",
        "zoo",
        "study",
        "audit",
        "crossval",
        "explanations",
        "unlabelled",
        "clinical",
        "real",
        "locate",
    ],
)
def test_every_verb_explains_itself(verb):
    answer = subprocess.run(
        [sys.executable, "-m", "lumbar_utils", verb, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0 and "usage" in answer.stdout


def test_phantom_writes_a_sheet_of_four_rows(tmp_path, capsys):
    assert main(["phantom", "--contact-sheet", str(tmp_path / "sheet.png")]) == 0
    assert read_picture(tmp_path / "sheet.png").shape == (4 * 224, 6 * 224)
    assert main(["phantom", "--contact-sheet", str(tmp_path / "nowhere" / "sheet.png")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_evaluate_prints_the_report_of_stored_predictions(capsys):
    file = results_folder() / "zoo" / "cnn.csv"
    assert main(["evaluate", "--predictions", str(file)]) == 0
    assert str(evaluate(Predictions.load(file)).accuracy) in capsys.readouterr().out


def test_evaluate_writes_the_same_report_as_json_and_as_a_page(capsys, tmp_path):
    file = str(results_folder() / "zoo" / "cnn.csv")
    expected = evaluate(Predictions.load(file))
    assert main(["evaluate", "--predictions", file, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(expected.to_dict()))
    page = tmp_path / "report.html"
    assert main(["evaluate", "--predictions", file, "--format", "html", "--out", str(page)]) == 0
    assert capsys.readouterr().out == "" and str(expected.brier) in page.read_text(encoding="utf-8")
    nowhere = str(tmp_path / "nowhere" / "report.html")
    assert main(["evaluate", "--predictions", file, "--out", nowhere]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_paper_shows_reported_values_with_intervals_in_every_format(capsys):
    assert main(["paper"]) == 0
    text = capsys.readouterr().out
    assert "accuracy (reported)" in text and "[0.832, 1.000]" in text and "Impossible" in text
    assert main(["paper", "--format", "json"]) == 0
    assert {row["value"] for row in json.loads(capsys.readouterr().out)["accuracies"]} == {"reported"}
    assert main(["paper", "--format", "html"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")
