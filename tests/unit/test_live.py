import sys
from types import ModuleType

import ipywidgets as widgets
import nbformat
import plotly.graph_objects as go
import pytest
from nbclient import NotebookClient

from lumbar_utils import live

CODE = """
import pandas as pd
from lumbar_utils.figures import training_curves
from lumbar_utils.live import Board, place

board = Board()
for epoch in (1, 2):
    history = pd.DataFrame({"epoch": range(1, epoch + 1), "loss": 1.0, "accuracy": 0.5, "val_loss": 1.0,
                            "val_accuracy": 0.5})
    board.update(f"Epoch {epoch}", training_curves(history))
board.close()
place(), board._label.value, sorted(board._out.outputs[0]["data"])
"""


def test_a_figure_replaces_the_one_before():
    out = widgets.Output()
    for height in (1, 2):
        live.show_figure(out, go.Figure(go.Bar(y=[height])))
        assert len(out.outputs) == 1 and out.outputs[0]["output_type"] == "display_data"


def test_a_notebook_run_without_a_reader_shows_line_and_figure():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    result = next(output for output in outputs if output.output_type == "execute_result")
    assert "('notebook', 'Epoch 2', " in result.data["text/plain"]
    assert "application/vnd.plotly.v1+json" in result.data["text/plain"]
    assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
    assert not any(output.output_type == "stream" for output in outputs)


def test_a_log_file_gets_the_first_and_the_last_line(capsys):
    board = live.Board()
    for epoch in range(5):
        board.update(f"Epoch {epoch}")
    board.update("Epoch 4")
    board.close()
    assert not board.draws and capsys.readouterr().out.splitlines() == ["Epoch 0", "Epoch 4"]


def test_a_line_already_in_the_log_is_not_repeated(capsys):
    board = live.Board()
    for _ in range(2):
        board.update("Epoch 1")
    board.close()
    assert capsys.readouterr().out == "Epoch 1\n"


def test_a_terminal_gets_one_line_that_changes(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    board = live.Board()
    for epoch in range(3):
        board.update(f"Epoch {epoch}")
    board.close()
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1 and shown.endswith("\n")
    assert [part.strip() for part in shown.split("\r")[1:]] == ["Epoch 0", "Epoch 1", "Epoch 2"]


@pytest.fixture
def colab(monkeypatch):
    shown = []
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setattr(live, "clear_output", lambda wait: shown.append(f"cleared, wait={wait}"))
    monkeypatch.setattr(live, "display", shown.append)
    return shown


def test_on_colab_a_figure_is_shown_at_top_level(colab, capsys):
    out, figure = widgets.Output(), go.Figure()
    live.show_figure(out, figure)
    assert out.outputs == () and colab == ["cleared, wait=True", figure]
    board = live.Board()
    board.update("Epoch 1", figure)
    board.close()
    assert colab[2:] == ["cleared, wait=True", figure] and capsys.readouterr().out == "Epoch 1\n"
