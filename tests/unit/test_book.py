"""The book's own code: figures and solutions of an executed lesson, links between lessons, and the check of links."""

import importlib.util
import sys
from pathlib import Path

import nbformat.v4 as nb
import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"


def _of_the_book(name):
    spec = importlib.util.spec_from_file_location(f"book_{name}", BOOK / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


links, rendering = _of_the_book("links"), _of_the_book("rendering")


def cell(*outputs, tags=()):
    return nb.new_code_cell("1", outputs=list(outputs), metadata={"tags": list(tags)})


def test_a_figure_stays_interactive_and_is_told_in_words():
    figure = {
        "data": [{"y": [1, 2], "name": "</script>"}],
        "layout": {"meta": {"description": 'It rises. "Twice"'}},
    }
    page = rendering.as_page(
        nb.new_notebook(cells=[cell(nb.new_output("display_data", {rendering.PLOTLY: figure}))])
    )
    html = page.cells[0].outputs[0].data["text/html"]
    assert 'aria-label="It rises. &quot;Twice&quot;"' in html and 'id="figure-1"' in html
    assert html.count("</script>") == 1 and html.endswith("</script>") and '"y": [1, 2]' in html


def test_a_control_becomes_a_sentence_a_solution_is_folded_and_the_set_up_left_out():
    page = rendering.as_page(
        nb.new_notebook(
            cells=[
                cell(nb.new_output("display_data", {rendering.WIDGET: {"model_id": "x"}}), tags=["play"]),
                cell(tags=["solution"]),
                cell(tags=["setup"]),
            ]
        )
    )
    assert "something to move" in page.cells[0].outputs[0].data["text/html"]
    assert [each.metadata["tags"] for each in page.cells] == [[], ["hide-cell"], ["remove-cell"]]


@pytest.fixture
def site(tmp_path):
    def write(**pages):
        for name, body in pages.items():
            (tmp_path / f"{name}.html").write_text(f"<html><body>{body}</body></html>")
        return links.wrong_links(tmp_path)

    return write


def test_sound_links_pass(site):
    assert site(
        a='<a href="b.html#here">b</a><a href="#top">up</a><p id="top"><a href="https://example.org/x?y=1">x</a>',
        b='<h1 id="here">b</h1><a href="mailto:a@example.org">write</a>',
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('<a href="c.html">c</a>', "where there is no file"),
        ('<a href="#gone">up</a>', "no such place"),
        ('<a href="https://exa mple">x</a>', "no sound https address"),
        ('<a href="http://example.org">x</a>', "no sound https address"),
        ('<script src="https://cdn.example.org/x.js"></script>', "from another host"),
    ],
)
def test_a_wrong_link_is_named(site, body, says):
    (wrong,) = site(a=body)
    assert wrong.startswith("a.html ") and says in wrong
