"""Every link that a reader meets leads somewhere, and the check of links finds those that do not."""

import pytest

from binder import links

SLUG = "ours/course"
BINDER, COLAB = (
    f"https://mybinder.org/v2/gh/{SLUG}/main",
    f"https://colab.research.google.com/github/{SLUG}/blob",
)


def test_every_link_leads_somewhere():
    assert links.wrong_links() == []


def test_the_launch_links_are_found():
    paths = links.binder_paths((links.ROOT / "README.md").read_text())
    assert [path.split("/notebooks/")[0] for path in paths] == ["lab/tree", "voila/render"]


@pytest.fixture
def course(tmp_path):
    """A course whose README holds the given text; what is wrong with its links."""
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nrepository = "https://github.com/{SLUG}"\n')
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    for folder in ("notebooks", "notebooks/solutions"):
        (tmp_path / folder / "01_a.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    (tmp_path / "lessons").mkdir()

    def write(readme, lesson="# %% [markdown]\n# # A lesson\n"):
        (tmp_path / "README.md").write_text(readme)
        (tmp_path / "lessons" / "01_a.py").write_text(lesson)
        links.places.cache_clear()
        return links.wrong_links(tmp_path)

    return write


@pytest.mark.parametrize(
    "readme",
    [
        "# Every *number*: `a_b` counts\n[up](#every-number-a_b-counts) [here](notebooks/01_a.ipynb) [all](notebooks)",
        "# Twice\n# Twice\n[second](#twice-1)",
        f"[![launch](https://mybinder.org/badge_logo.svg)]({BINDER}?urlpath=lab/tree/notebooks/01_a.ipynb)",
        f"[dashboard]({BINDER}?urlpath=voila%2Frender%2Fnotebooks%2F01_a.ipynb)",
        f"[Colab]({COLAB}/main/notebooks/01_a.ipynb) [write](mailto:a@example.org)",
        f"[source](https://github.com/{SLUG}/blob/main/notebooks/01_a.ipynb)",
        "`[code](is no link)` and `http://127.0.0.1:8866` neither; <https://example.org/a_(b)> is one",
        f"```\nhttps://HUB/git-pull?repo=https%3A%2F%2Fgithub.com%2F{SLUG}&urlpath=lab/tree/course/notebooks/01_a.ipynb\n```",
    ],
)  # fmt: skip
def test_a_sound_link_passes(course, readme):
    assert course(readme) == []


@pytest.mark.parametrize(
    ("readme", "says"),
    [
        ("[a](gone.md)", "where there is no file"),
        ("![a](gone.png)", "where there is no file"),
        ("# Here\n[up](#gone)", "no such place"),
        ("[a](../elsewhere.md)", "where there is no file"),
        ("[a](..)", "out of the repository"),
        ("[a](two words.md)", "no link to Markdown"),
        ("[a](htps://example.org)", "nothing here opens htps:"),
        ("[a](https://exa%20mple)", "no sound https address"),
        ("See http://example.org.", "no sound https address"),
        ("[a](https://mybinder.org/v2/gh/theirs/course/main?urlpath=lab)", f"does not launch {SLUG}"),
        (f"[a]({BINDER}?urlpath=lab/tree/notebooks/02_b.ipynb)", "opens no notebook"),
        (f"[a]({BINDER}?urlpath=voila/notebooks/01_a.ipynb)", "opens no notebook"),
        (f"[a]({BINDER}?filepath=notebooks/01_a.ipynb)", "opens no notebook"),
        (f"[a]({COLAB}/main/01_a.ipynb)", "opens no notebook"),
        (f"[a](https://github.com/{SLUG}/blob/main/gone.md)", "where there is no file"),
        ("`https://HUB/git-pull?repo=x&urlpath=lab/tree/course/notebooks/01_a.ipynb`", "does not pull"),
    ],
)
def test_a_wrong_link_is_named(course, readme, says):
    (wrong,) = course(readme)
    assert wrong.startswith("README.md: ") and says in wrong


def test_a_lessons_links_are_followed_from_both_copies_of_its_notebook(course):
    lesson = (
        '# %% [markdown]\n# # A\n# [b](01_a.ipynb) [c](gone.ipynb)\n\n# %%\nprint("http://example.org")\n'
    )
    wrong = course("", lesson)
    assert [line.split(" is ")[0].split(",")[0] for line in wrong] == [
        "lessons/01_a.py: gone.ipynb",
        "lessons/01_a.py: http://example.org",
    ]
