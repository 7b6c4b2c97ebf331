"""The teaching room: the size of a lesson, hints, and what a set-up does."""

import os
import re
import subprocess
import sys
import zipfile

import pytest
from helpers import ROOT

from lumbar_utils import LumbarError, check, course_size, hint
from lumbar_utils.teaching import course_map, exercises, pack_work
from lumbar_utils.teaching.setup import missing_requirements


def test_course_size_gives_back_what_it_was_given(monkeypatch):
    monkeypatch.delenv("LUMBAR_FAST", raising=False)
    assert course_size(epochs=15, patients=800) == (15, 800)
    assert course_size(patients=800).epochs is None


def test_fast_makes_epochs_and_patients_tiny_and_never_larger(monkeypatch):
    monkeypatch.setenv("LUMBAR_FAST", "1")
    assert course_size(epochs=15, patients=800) == (1, 60)
    assert course_size(epochs=1, patients=20) == (1, 20)


@pytest.mark.parametrize("epochs", [0, 2.5, "ten", True])
def test_a_size_that_is_no_count_is_refused(epochs):
    with pytest.raises(LumbarError, match="course_size: epochs is"):
        course_size(epochs=epochs)


def test_hints_come_one_at_a_time_and_then_point_to_the_solution(monkeypatch, capsys):
    monkeypatch.setattr(exercises, "_given", {})
    hint("splits.majority")
    first = capsys.readouterr().out
    hint("splits.majority")
    second = capsys.readouterr().out
    hint("splits.majority")
    last = capsys.readouterr().out
    assert first.startswith("Hint 1 of 2") and second.startswith("Hint 2 of 2") and first != second
    assert "notebooks/solutions" in last


def test_check_prints_a_friendly_line_and_breaks_it_between_words(capsys):
    check("splits.majority", ...)
    assert capsys.readouterr().out.startswith("Not answered yet.")
    check("splits.majority", 8 / 19)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Right.") and max(map(len, lines)) <= 96


@pytest.mark.parametrize("exercise", ["nowhere.x", "splits.nothing", ""])
def test_an_unknown_exercise_names_those_there_are(exercise):
    with pytest.raises(LumbarError, match=r"There is no exercise .*splits"):
        check(exercise, 1)


def test_missing_requirements_skip_what_is_there_extras_and_every_tensorflow():
    requirements = [
        "numpy>=2",
        "PyDICOM>=3",
        "ai-edge-litert>=2",
        "tensorflow-cpu>=2.20",
        "pytest>=8; extra == 'dev'",
        "pywinpty; sys_platform == 'nowhere'",
    ]
    assert missing_requirements(requirements, {"numpy", "pydicom"}) == ["ai-edge-litert>=2"]


def test_set_up_is_quiet_chooses_the_backend_and_does_not_import_tensorflow():
    code = (
        "import os, sys; from lumbar_utils.teaching import set_up; set_up(); import plotly.io;"
        "assert os.environ['KERAS_BACKEND'] == 'tensorflow' and os.environ['TF_CPP_MIN_LOG_LEVEL'] == '3';"
        "assert plotly.io.templates.default == 'lumbar';"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1 and "ready" in done.stdout


def test_the_map_names_every_lesson_from_01_to_16_once_and_in_the_papers_order():
    notes = [note.text or "" for note in course_map().layout.annotations]
    named = re.findall(r"<b>([0-9][0-9, to]*)</b>", " ".join(notes))
    assert ", ".join(named).replace("04 to 11", ", ".join(f"{n:02d}" for n in range(4, 12))).split(", ") == [
        f"{n:02d}" for n in range(1, 17)
    ]


def test_packed_work_holds_the_notebooks_of_the_folder_alone(tmp_path, capsys):
    (tmp_path / "01_mine.ipynb").write_text("{}")
    (tmp_path / "notes.txt").write_text("no")
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "01_mine.ipynb").write_text("{}")
    pack_work(tmp_path)
    with zipfile.ZipFile(tmp_path / "my_notebooks.zip") as packed:
        assert packed.namelist() == ["01_mine.ipynb"]
    assert capsys.readouterr().out.startswith("my_notebooks.zip: 1 notebooks")
    with pytest.raises(LumbarError, match="no notebook"):
        pack_work(tmp_path / "nowhere")
