"""The notebooks are what the lessons make, and the generator refuses what would lose work."""

import json
import shutil
import sys

import nbformat
import pytest
from helpers import ROOT

sys.path.insert(0, str(ROOT / "lessons"))
import make_notebooks as generator

LESSON = """# %% [markdown]
# # A tiny lesson

# %% tags=["setup"]
# replaced

# %%
print("two", 1 + 1)

# %% tags=["expected"]
# two 2
#   indented

# %% tags=["exercise"]
answer = ...

# %% tags=["check"]
check("splits.majority", answer)

# %% tags=["solution"]
answer = 8 / 19
"""


@pytest.fixture
def course(tmp_path):
    """A folder with one lesson and a pyproject.toml of its own."""
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "01_tiny.py").write_text(LESSON, "utf-8")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def read(path):
    return nbformat.read(path, as_version=4)


def test_no_notebook_of_the_course_has_drifted():
    assert generator.find_drift() == []


def test_every_notebook_is_valid_and_starts_the_right_kernel():
    paths = sorted((ROOT / "notebooks").rglob("[0-9][0-9]_*.ipynb"))
    assert paths
    for path in paths:
        notebook = read(path)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.kernelspec.name == "python3"
        assert notebook.metadata.title


def test_students_get_dots_and_solutions_get_answers(course):
    generator.write_notebooks(course)
    student = read(course / "notebooks" / "01_tiny.ipynb")
    solved = read(course / "notebooks" / "solutions" / "01_tiny.ipynb")
    assert [cell.source for cell in student.cells][3:] == ["answer = ...", 'check("splits.majority", answer)']
    assert [cell.source for cell in solved.cells][3:] == [
        "answer = 8 / 19",
        'check("splits.majority", answer)',
    ]


def test_expected_lines_become_the_output_that_nbval_compares(course):
    generator.write_notebooks(course)
    cell = read(course / "notebooks" / "01_tiny.ipynb").cells[2]
    assert cell.outputs[0].text == "two 2\n  indented\n"
    assert cell.execution_count is not None
    assert "nbval-check-output" in cell.metadata.tags


def test_the_setup_cell_installs_from_the_address_in_pyproject(course):
    generator.write_notebooks(course)
    source = read(course / "notebooks" / "01_tiny.ipynb").cells[1].source
    assert f"git+{generator.repository_url()}\n" in source and "--no-deps" in source


def test_writing_twice_changes_nothing(course):
    assert len(generator.write_notebooks(course)) == 2
    assert generator.write_notebooks(course) == []
    assert generator.find_drift(course) == []


def test_ids_of_other_cells_stay_when_one_changes(course):
    generator.write_notebooks(course)
    before = [cell.id for cell in read(course / "notebooks" / "01_tiny.ipynb").cells]
    lesson = course / "lessons" / "01_tiny.py"
    lesson.write_text(LESSON.replace("1 + 1", "3 - 1"), "utf-8")
    generator.write_notebooks(course)
    after = [cell.id for cell in read(course / "notebooks" / "01_tiny.ipynb").cells]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False, True, True]


def test_a_notebook_edited_by_hand_is_refused_and_kept(course):
    generator.write_notebooks(course)
    path = course / "notebooks" / "01_tiny.ipynb"
    notebook = read(path)
    notebook.cells[0].source += "\n\nA sentence of my own."
    nbformat.write(notebook, path)
    with pytest.raises(
        generator.LessonError, match=r"notebooks/01_tiny.ipynb: edited by hand .*lessons/01_tiny.py"
    ):
        generator.write_notebooks(course)
    assert "of my own" in path.read_text("utf-8")


def test_a_notebook_that_was_only_run_is_written_again(course):
    generator.write_notebooks(course)
    path = course / "notebooks" / "01_tiny.ipynb"
    notebook = read(path)
    notebook.cells[3].execution_count = 7
    nbformat.write(notebook, path)
    assert generator.write_notebooks(course) == [path]


def test_drift_names_the_file_and_check_exits_with_1(course, monkeypatch, capsys):
    generator.write_notebooks(course)
    (course / "notebooks" / "09_gone.ipynb").write_text(json.dumps({}), "utf-8")
    (course / "notebooks" / "01_tiny.ipynb").unlink()
    with (course / "notebooks" / "solutions" / "01_tiny.ipynb").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert generator.find_drift(course) == [
        "notebooks/01_tiny.ipynb: missing; run `make notebooks`.",
        "notebooks/09_gone.ipynb: no lesson makes it; delete it.",
        "notebooks/solutions/01_tiny.ipynb: differs from lessons/01_tiny.py; run `make notebooks`.",
    ]
    monkeypatch.setattr(generator, "find_drift", lambda: ["notebooks/01_tiny.ipynb: missing."])
    assert generator.main(["--check"]) == 1
    assert "01_tiny" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("# # A tiny lesson", "# a lesson without a title"), "first cell must be markdown"),
        (('# %% tags=["solution"]\nanswer = 8 / 19\n', ""), "has no solution after it"),
        (('# %% tags=["exercise"]\nanswer = ...\n', ""), "has no exercise before it"),
        (("# two 2\n", "two = 2\n"), "hold comment lines only"),
    ],
)
def test_a_lesson_that_cannot_become_a_notebook_says_why(course, change, sentence):
    (course / "lessons" / "01_tiny.py").write_text(LESSON.replace(*change), "utf-8")
    with pytest.raises(generator.LessonError, match=sentence):
        generator.write_notebooks(course)


def test_cells_that_drive_widgets_stand_only_in_the_copies_for_tests(course):
    lesson = course / "lessons" / "01_tiny.py"
    lesson.write_text(LESSON + '\n# %% tags=["drive"]\nassert answer\n', "utf-8")
    generator.write_notebooks(course)
    for made in (course / "notebooks").rglob("*.ipynb"):
        assert "assert answer" not in made.read_text("utf-8")
    (stale := course / "driven" / "00_gone.ipynb").parent.mkdir()
    stale.write_text("{}", "utf-8")
    (driven,) = generator.write_driven(course / "driven", course)
    sources = [cell.source for cell in read(driven).cells]
    assert "assert answer" in sources and "answer = 8 / 19" in sources and not stale.exists()


def test_a_lesson_with_a_widget_drives_it():
    for lesson in sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py")):
        cells = generator.read_lesson(lesson)
        listens = any(".observe(" in cell["source"] or ".on_click(" in cell["source"] for cell in cells)
        driven = any("drive" in cell["tags"] and "assert" in cell["source"] for cell in cells)
        assert listens == driven, lesson.name
