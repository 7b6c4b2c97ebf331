import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from helpers import ROOT, refuse

from lumbar_utils import LumbarError
from lumbar_utils.evaluation import results
from lumbar_utils.figures import learning_curves
from lumbar_utils.models import ARCHITECTURES
from lumbar_utils.phantom import PHANTOM_VERSION, sample_patient
from lumbar_utils.studies import study, study_run, study_store, zoo
from lumbar_utils.studies.study import plan, run_study, status
from lumbar_utils.studies.study_executors import one_by_one_or_at_once, only_one, workplace
from lumbar_utils.studies.study_run import Configuration
from lumbar_utils.studies.study_store import load_run, read_study, state_of, summarise_study

CONFIGURATION = Configuration(height=32, epochs=1, folds=2, test_patients=20)
RUNS = plan(["cnn", "cnn_svm"], patients=40, folds=2, seeds=1, curve_patients=(40,))
SCRIPT = """
import os, sys
os.cpu_count = lambda: 1
sys.path[:0] = ["tests", "tests/unit"]
from test_study import CONFIGURATION, RUNS, run_study
if __name__ == "__main__":
    run_study(RUNS, CONFIGURATION, folder=sys.argv[1], jobs=int(sys.argv[2]))
"""


@pytest.fixture(scope="module", autouse=True)
def one_core_and_a_cache(tmp_path_factory):
    """Give every run one thread: with as many threads, results agree to the last byte; with others they need not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        patch.setenv("LUMBAR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder, lines = tmp_path_factory.mktemp("unbroken"), []
    assert run_study(RUNS, CONFIGURATION, folder=folder, log=lines.append) == 0
    return folder, lines


@pytest.fixture
def copy(unbroken, tmp_path):
    return Path(shutil.copytree(unbroken[0], tmp_path / "copy"))


def stored(folder):
    return {file.name: file.read_bytes() for file in sorted((folder / "runs").glob("*.csv"))}


def start(folder, jobs=1):
    """Start the study in a process of its own, and return it when the first run is stored."""
    command = [sys.executable, "-u", "-c", SCRIPT, str(folder), str(jobs)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    while process.poll() is None and not list((folder / "runs").glob("*.json")):
        time.sleep(0.05)
    assert process.poll() is None
    return process


def test_the_order_keeps_the_tables_balanced():
    runs, n = plan(), len(ARCHITECTURES)
    assert len(runs) == (n + 1) * 3 * 5 + n * 5 * 3
    assert len({run.name for run in runs}) == len(runs)
    first = runs[: n + 1]
    assert [run.network for run in first] == [*ARCHITECTURES, "cnn_svm"]
    assert {(run.kind, run.seed, run.fold, run.patients) for run in first} == {("comparison", 0, 0, 190)}
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)
    with pytest.raises(LumbarError, match="There is no network 'gpt' to study; choose from cnn"):
        plan(["gpt"])


def test_no_patient_is_in_two_parts_and_the_smallest_part_has_every_class():
    sizes = {study_run.COMPARISON_SEED: 190, study_run.TEST_SEED: 400}
    sizes |= {study_run.FIRST_CURVE_SEED + seed: 800 for seed in range(study.SEEDS)}
    sizes |= dict(zip(zoo.SEEDS.values(), (3000, 600, 600), strict=True))
    patients = {seed: np.random.SeedSequence(seed).generate_state(n) for seed, n in sizes.items()}
    every = np.concatenate(list(patients.values()))
    assert len(np.unique(every)) == len(every)
    for seed in range(study.SEEDS):
        first = patients[study_run.FIRST_CURVE_SEED + seed][: min(study.CURVE_PATIENTS)]
        labels, counts = np.unique([sample_patient(int(each)).label for each in first], return_counts=True)
        assert len(labels) == 4 and counts.min() >= 4, "folds within the development patients need four"


def test_every_run_is_stored_with_what_it_was_made_from(unbroken):
    folder, lines = unbroken
    assert lines[0] == "0 of 5 runs are done, 5 to do." and lines[-1].endswith("cnn, cnn_svm.")
    table = read_study(folder)
    assert sorted(table["run"]) == sorted(run.name for run in RUNS)
    assert table["accuracy"].between(0, 1).all() and table["macro_f1"].between(0, 1).all()
    assert table.loc[table["kind"] == "curve", "fold"].isna().all()
    run = load_run(folder, RUNS[0].name)
    about = run.provenance
    assert about["configuration"]["height"] == 32 and about["seconds"] > 0 and about["threads"] >= 1
    assert about["data"]["all"]["make_dataset"] == {"n_patients": 40, "seed": study_run.COMPARISON_SEED}
    assert run.measured_on == "phantoms" and run.model == "CNN, course size"


def test_the_folds_of_a_network_together_test_every_patient_once(unbroken):
    folder, _ = unbroken
    pooled = study_store.Predictions.load(folder / "cnn_svm.csv")
    assert len(np.unique(pooled.patient_ids)) == len(pooled) == 40
    assert pooled.model == "CNN, course size, with SVM"
    comparison = summarise_study(folder, "comparison")
    assert comparison["network"].tolist() == ["cnn", "cnn_svm"] and comparison["runs"].tolist() == [2, 2]
    curve = summarise_study(folder)
    assert curve[["network", "model", "patients", "runs"]].to_numpy().tolist() == [
        ["cnn", "CNN, course size", 40, 1]
    ]
    assert (curve["accuracy_low"] <= curve["accuracy"]).all() and (curve["accuracy_high"] < 1).all()


def test_the_learning_curves_are_kept_for_readers(unbroken, copy, monkeypatch):
    monkeypatch.setattr(results, "results_folder", lambda: copy.parent)
    curves = results.load_learning_curves(copy.name)
    pd.testing.assert_frame_equal(curves, summarise_study(unbroken[0]), atol=1e-5, check_dtype=False)
    assert learning_curves(curves).layout.title.text.startswith("With 40 patients the best network reaches")
    assert results.load_learning_curves("nowhere") is None
    (copy / results.LEARNING_CURVES).write_text("network,patients\ncnn,many\n")
    with pytest.raises(LumbarError, match=r"is damaged .* which writes it anew"):
        results.load_learning_curves(copy.name)


def test_a_second_start_computes_nothing(unbroken):
    folder, lines = unbroken[0], []
    before = {file: file.stat().st_mtime_ns for file in (folder / "runs").iterdir()}
    assert run_study(RUNS, CONFIGURATION, folder=folder, log=lines.append) == 0
    assert {file: file.stat().st_mtime_ns for file in (folder / "runs").iterdir()} == before
    assert lines == ["5 of 5 runs are done, 0 to do."]


def test_killed_in_the_middle_it_resumes_and_gives_the_same_bytes(unbroken, tmp_path):
    process = start(tmp_path)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert children and not alive, "no process goes on without the study"
    cards = list((tmp_path / "runs").glob("*.json"))
    kept = {card: card.stat().st_mtime_ns for card in cards}
    assert 1 <= len(cards) < len(RUNS)
    for card in cards:
        assert len(load_run(tmp_path, card.stem)) == 20
    (tmp_path / "runs" / ".half.csv.1.part").write_text("patient_id,la")  # as a kill while writing leaves it

    assert run_study(RUNS, CONFIGURATION, folder=tmp_path, log=lambda line: None) == 0
    assert stored(tmp_path) == stored(unbroken[0]) and len(stored(tmp_path)) == 10
    assert {card: card.stat().st_mtime_ns for card in cards} == kept
    assert not list((tmp_path / "runs").glob(".*"))


def test_ctrl_c_ends_all_processes_and_says_how_to_go_on(tmp_path):
    process = start(tmp_path, jobs=2)
    children = psutil.Process(process.pid).children(recursive=True)
    with pytest.raises(LumbarError, match="Another process runs a study in"), only_one(tmp_path):
        pass
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    n_done = len(list((tmp_path / "runs").glob("*.json")))
    assert f"Interrupted: {n_done} of 5 runs are done and kept; the same command goes on from there." in said
    assert not psutil.wait_procs(children, timeout=30)[1]
    assert all(len(load_run(tmp_path, card.stem)) == 20 for card in (tmp_path / "runs").glob("*.json"))


def test_two_processes_find_what_one_finds(unbroken, tmp_path):
    assert run_study(RUNS, CONFIGURATION, folder=tmp_path, jobs=2, log=lambda line: None) == 0
    assert stored(tmp_path) == stored(unbroken[0])


@pytest.mark.parametrize(
    ("ending", "damage", "told"),
    [
        (".csv", lambda content: content[:-20], "has the sha256"),
        (".json", lambda content: content[: len(content) // 2], "does not describe predictions"),
        ("_history.csv", lambda content: content.replace(b"1", b"2"), "has the sha256"),
    ],
)
def test_a_damaged_run_is_named_and_never_read(copy, ending, damage, told):
    file = copy / "runs" / f"{RUNS[1].name}{ending}"
    file.write_bytes(damage(file.read_bytes()))
    assert told in state_of(copy, RUNS[1], CONFIGURATION)
    with pytest.raises(LumbarError, match=told):
        read_study(copy)
    lines = []
    assert run_study(RUNS, CONFIGURATION, folder=copy, hours=0, log=lines.append) == 1
    assert lines[0].startswith(f"{RUNS[1].name} is made again: it is damaged (")
    assert lines[-1].startswith("The time is up: 4 of 5 runs are done")


def test_a_damaged_run_is_made_again(copy, unbroken):
    (copy / "runs" / f"{RUNS[0].name}.csv").write_text("nonsense")
    (copy / "runs" / f"{RUNS[2].name}_history.csv").unlink()
    assert run_study(RUNS, CONFIGURATION, folder=copy, log=lambda line: None) == 0
    assert stored(copy) == stored(unbroken[0])


def test_another_configuration_or_phantom_does_not_count(copy, monkeypatch):
    other = replace(CONFIGURATION, epochs=2)
    assert {state_of(copy, run, other) for run in RUNS} == {"it was made with another configuration"}
    assert status(RUNS, other, folder=copy)["to_do"].sum() == 5
    monkeypatch.setattr(study_store, "PHANTOM_VERSION", "9.9")
    assert (
        state_of(copy, RUNS[0], CONFIGURATION) == f"it was made on phantom {PHANTOM_VERSION}, this one is 9.9"
    )
    with pytest.raises(LumbarError, match=r"was made on phantom .* draws phantom 9.9; run the study again"):
        read_study(copy)


def test_the_status_estimates_from_finished_runs(copy, tmp_path):
    for file in (copy / "runs").glob(f"{RUNS[0].name}*"):
        file.unlink()
    table = status(RUNS, CONFIGURATION, folder=copy)
    assert table["done"].to_dict() == {"cnn": 2, "cnn_svm": 2}
    assert table["to_do"].to_dict() == {"cnn": 1, "cnn_svm": 0}
    assert table.loc["cnn", "mean_seconds"] > 0
    assert status(RUNS, CONFIGURATION, folder=tmp_path / "none")["mean_seconds"].isna().all()
    with pytest.raises(LumbarError, match="There is no finished run in"):
        read_study(tmp_path / "none")


def test_a_run_that_cannot_be_made_does_not_stop_the_others(tmp_path):
    few = plan(["cnn"], patients=6, folds=2, seeds=1, curve_patients=(40,))
    lines = []
    with pytest.raises(
        LumbarError, match="2 of 3 runs failed, first comparison_cnn_0006_seed0_fold0: phantom"
    ):
        run_study(few, CONFIGURATION, folder=tmp_path, log=lines.append)
    assert len(read_study(tmp_path)) == 1 and any("1 of 3: curve_cnn" in line for line in lines)


def test_what_cannot_be_opened_is_told(monkeypatch):
    with pytest.raises(LumbarError, match="jobs is 0"), workplace(0):
        pass
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(LumbarError, match=r"not installed; .*lumbar-utils\[cluster\]"),
        workplace(scheduler="x"),
    ):
        pass


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two worker processes on loopback; its address."""
    pytest.importorskip("distributed")
    described, processes = tmp_path / "scheduler.json", []

    def begin(what, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *arguments]
        processes.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL))

    begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(described))
    while not described.exists():
        time.sleep(0.1)
    for _ in range(2):
        begin("worker", "--scheduler-file", str(described), "--nthreads", "1", "--host", "127.0.0.1")
    from distributed import Client

    with Client(scheduler_file=str(described)) as client:
        client.wait_for_workers(2, timeout=60)
        address = client.scheduler.address
    yield address
    for process in processes:
        process.terminate()
        process.wait()


def test_a_dask_cluster_finds_what_one_process_finds(unbroken, tmp_path, cluster):
    assert run_study(RUNS, CONFIGURATION, folder=tmp_path, scheduler=cluster, log=lambda line: None) == 0
    assert stored(tmp_path) == stored(unbroken[0])
    few = plan(["cnn"], patients=6, folds=2, seeds=1, curve_patients=())
    with pytest.raises(
        LumbarError, match=r"2 of 2 runs failed, first comparison_cnn_0006_seed0_fold[01]: phantom"
    ):
        run_study(few, CONFIGURATION, folder=tmp_path / "few", scheduler=cluster, log=lambda line: None)


def test_nobody_at_the_schedulers_address_is_told():
    pytest.importorskip("distributed")
    with pytest.raises(LumbarError, match="No Dask scheduler answers at tcp"):
        with workplace(scheduler="tcp://127.0.0.1:9"):
            pass


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_among_several_is_told_wherever_it_is_computed(jobs):
    with pytest.raises(LumbarError, match=r"cnn cannot be done with (None|\d+) thread"):
        one_by_one_or_at_once(refuse, ["cnn", "vgg16"], jobs=jobs, log=print)
