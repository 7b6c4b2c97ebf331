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
    "verb", ["dashboard", "lab", "phantom", "evaluate", "zoo", "study", "audit", "crossval", "locate"]
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
