"""What students handed in is counted exercise by exercise, and nothing of it is run."""

import shutil
import zipfile

import nbformat
import pytest
from helpers import ROOT
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lumbar_utils import LumbarError
from lumbar_utils.__main__ import main
from lumbar_utils.teaching.exercises import judge
from lumbar_utils.teaching.marks import read_marks, summarise_marks


def handed_in(path, answers, **more):
    """Write a notebook whose check cells were run with these answers; None stands for a cell that was not run."""
    cells = []
    for exercise, answer in answers.items():
        outputs = [] if answer is None else [new_output("stream", text=f"{judge(exercise, answer)}\n")]
        cells.append(new_code_cell(f'check("{exercise}", answer)', outputs=outputs, **more))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells), path)


def test_each_state_is_read_from_folder_zip_and_single_notebook(tmp_path):
    right, wrong = 8 / 19, "many"
    handed_in(tmp_path / "ada" / "02.ipynb", {"splits.majority": ..., "splits.lonely": None})
    handed_in(tmp_path / "bo.ipynb", {"splits.majority": wrong})
    handed_in(tmp_path / "02.ipynb", {"splits.majority": right})
    with zipfile.ZipFile(tmp_path / "cy.zip", "w") as packed:
        packed.write(tmp_path / "02.ipynb", "02.ipynb")
    (tmp_path / "02.ipynb").unlink()
    marks = read_marks(tmp_path)
    states = marks.set_index(["student", "exercise"])["state"].to_dict()
    assert states[("ada", "splits.majority")] == "open"
    assert states[("ada", "splits.lonely")] == "not run"
    assert states[("bo", "splits.majority")] == "wrong"
    assert states[("cy", "splits.majority")] == "right"
    table = summarise_marks(marks)
    assert table.loc["ada", "02"] == "0/2" and table.loc["cy", "bo"] == ""


def test_an_untouched_lesson_counts_every_exercise_as_not_run(tmp_path):
    (tmp_path / "ada").mkdir()
    shutil.copy(ROOT / "notebooks" / "16_how_sure.ipynb", tmp_path / "ada")
    marks = read_marks(tmp_path)
    text = (ROOT / "lessons" / "16_how_sure.py").read_text("utf-8")
    assert len(marks) == text.count("\ncheck(") > 5
    assert set(marks["state"]) == {"not run"}


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(LumbarError, match="no folder"):
        read_marks(tmp_path / "none")
    with pytest.raises(LumbarError, match="nothing was read"):
        read_marks(tmp_path)
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(LumbarError, match="is no whole zip file"):
        read_marks(tmp_path)
    (tmp_path / "cut.zip").unlink()
    (tmp_path / "one.ipynb").write_text("{", "utf-8")
    with pytest.raises(LumbarError, match=r"is no notebook .*by hand"):
        read_marks(tmp_path)
    (tmp_path / "one.ipynb").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LumbarError, match="not UTF-8"):
        read_marks(tmp_path)


def test_the_command_prints_a_table_and_writes_a_row_an_exercise(tmp_path, capsys):
    handed_in(tmp_path / "in" / "ada" / "02.ipynb", {"splits.majority": ...})
    assert not main(["marks", str(tmp_path / "in"), "--out", str(tmp_path / "marks.csv")])
    assert "0/1" in capsys.readouterr().out
    assert "ada,02,splits.majority,open" in (tmp_path / "marks.csv").read_text("utf-8")
