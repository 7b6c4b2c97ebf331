"""The suite of benchmarks and its table, on results that are given; no timing is asserted."""

import json

import cv2
import numpy as np
import pytest

from benchmarks import suite
from benchmarks.measuring import amount, in_own_process, interleaved, row
from benchmarks.phantom import plain_drawing
from benchmarks.suite import NAMES, read_results, run_benchmark, run_suite
from benchmarks.table import render_table

MACHINE = {
    "processor": "A processor",
    "cores": 2,
    "memory_gb": 8,
    "system": "Linux x86_64",
    "versions": {"python": "3.11.7"},
}
ROW = row(
    "A thing done",
    [0.012, 0.010, 0.011],
    [0.120, 0.130, 0.110],
    plain_way="by hand",
    floor=0.0055,
    floor_of="bytes moved",
    at_least=5,
)
MEMORY = row("A process", [2500.0], unit="MB", at_most=2000)
CURVE = {"title": "By size", "about": "Of things.", "table": [["size", "s"], [1, 2.5]]}


def entry(**found):
    return {"date": "2026-01-02", "seconds": 3, "busy": 0.0, "machine": MACHINE, **found}


def test_a_row_compares_round_by_round():
    assert ROW["ratio"] == pytest.approx(120 / 11) and ROW["met"]
    assert (ROW["lowest"], ROW["highest"]) == pytest.approx((10, 13))
    assert ROW["times_the_floor"] == pytest.approx(2)
    assert MEMORY["met"] is False and MEMORY["aim"] == "at most 2.00 GB"
    assert row("of no aim", [1.0])["met"] is None


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (3e-6, "s", "3 µs"),
        (0.012, "s", "12 ms"),
        (4.25, "s", "4.25 s"),
        (5400, "s", "1.5 h"),
        (690, "MB", "690 MB"),
        (0, "", "0"),
        (0, "s", "0 s"),
    ],
)
def test_amounts_are_read_in_their_usual_unit(value, unit, shown):
    assert amount(value, unit) == shown


def test_the_table_tells_ratio_spread_floor_aim_and_machine():
    page = render_table({"things": entry(found={"rows": [ROW, MEMORY], "curves": [CURVE]})})
    first, second = (line for line in page.splitlines() if line.startswith("| A "))
    for part in (
        "11 ms",
        "120 ms: by hand",
        "10.9 [10, 13], 3 rounds",
        "5.5 ms: bytes moved; ours is 2 times that",
        "at least 5 times as fast: met",
        "2026-01-02",
    ):
        assert part in first
    assert "at most 2.00 GB: **missed**" in second
    assert "- things: A processor, 2 cores, 8 GB, Linux x86_64, python 3.11.7." in page
    assert "## By size" in page and "| 1 | 2.5 |" in page and "busy" not in page
    assert (
        len({line.count("|") for line in page.splitlines() if line.startswith(("| A", "| ---", "|  | "))})
        == 2
    )


def test_the_table_says_what_ran_on_a_busy_machine():
    page = render_table({"things": entry(found={"rows": [ROW]}) | {"busy": 0.9}})
    assert "2026-01-02 (busy)" in page and "- busy: other programs used more than 10%" in page


def test_a_failing_benchmark_is_a_row_and_the_others_go_on(tmp_path):
    answers = {"involution": {"failed": "ended with 1: no memory"}, "phantom": {"found": {"rows": [ROW]}}}
    said = []
    assert run_suite(["involution", "phantom"], tmp_path, run=answers.get, log=said.append) == 1
    page = (tmp_path / "README.md").read_text()
    assert "| `involution` | **failed**: ended with 1: no memory |" in page and "| A thing done |" in page
    assert any("no memory" in line for line in said)
    assert run_suite(["involution"], tmp_path, run=lambda _: {"found": {"rows": [ROW]}}, log=said.append) == 0
    assert "failed" not in (tmp_path / "README.md").read_text()


def test_only_keeps_the_others_with_their_own_date(tmp_path):
    stored = {"phantom": entry(found={"rows": [ROW]}), "involution": entry(found={"rows": [MEMORY]})}
    (tmp_path / "results.json").write_text(json.dumps(stored))
    assert run_suite(["involution"], tmp_path, run=lambda _: {"found": {"rows": [ROW]}}, log=str) == 0
    results = read_results(tmp_path)
    assert list(results) == [name for name in NAMES if name in stored]
    assert results["phantom"] == stored["phantom"]
    assert results["involution"]["date"] > "2026-01-02" and results["involution"]["found"]["rows"] == [ROW]
    assert (tmp_path / "README.md").read_text() == render_table(results)


def test_results_that_make_no_table_leave_the_stored_ones_as_they_are(tmp_path):
    run_suite(["phantom"], tmp_path, run=lambda _: {"found": {"rows": [ROW]}}, log=str)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(KeyError):
        run_suite(["involution"], tmp_path, run=lambda _: {"found": {"rows": [{}]}}, log=str)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_benchmark_runs_in_its_own_process_and_says_why_it_failed():
    assert "No module named benchmarks.nothing" in run_benchmark("nothing")["failed"]
    found = run_benchmark("phantom", "--rounds", "1", "--slices", "1")
    assert set(found) == {"found"} and len(found["found"]["rows"]) == 3
    with pytest.raises(RuntimeError, match="No module named"):
        in_own_process("nothing", "--way", "ours")


def test_an_unknown_name_is_told(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks", "--only", "phantom,lesson"])
    with pytest.raises(SystemExit):
        suite.main()
    assert "there is no benchmark 'lesson'; choose from comparison" in capsys.readouterr().err


def test_forms_take_turns_after_a_round_to_warm_up():
    turns = []
    seconds = interleaved({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, rounds=2)
    assert turns == ["a", "b"] * 3 and [len(taken) for taken in seconds.values()] == [2, 2]


def test_the_plain_way_draws_the_same_phantom():
    from lumbar_utils.phantom import render, sample_patient

    for options in ({}, {"view": "axial"}, {"contrast": "XR"}):
        ours = render(sample_patient(3), **options)
        opencv = cv2.fillPoly
        with plain_drawing():
            plain = render(sample_patient(3), **options)
        assert cv2.fillPoly is opencv
        assert np.mean(ours.mask == plain.mask) > 0.97
        assert np.abs(ours.image.astype(float) - plain.image).mean() < 6


def test_multiply_adds_are_those_counted_by_hand():
    keras = pytest.importorskip("keras")
    from benchmarks.network_costs import multiply_adds
    from lumbar_utils.models import Involution2D

    pictures = keras.Input((8, 8, 2))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(pictures)  # (N, 4, 4, 4)
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    x = Involution2D(3, groups=2, reduction=2)(x)
    logits = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x))
    by_hand = 16 * 9 * 2 * 4 + 16 * 9 * 4 + 16 * (4 * 2 + 2 * 9 * 2 + 9 * 4) + 4 * 3
    assert multiply_adds(keras.Model(pictures, logits)) == by_hand
