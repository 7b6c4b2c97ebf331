import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import t as student

from lumbar_utils import LumbarError, load_dataset, render, sample_patient
from lumbar_utils.__main__ import main
from lumbar_utils.dataset import LUMBAR_DISCS
from lumbar_utils.phantom import PHANTOM_VERSION
from lumbar_utils.studies import study_run, unlabelled, unlabelled_real, unlabelled_table, zoo
from lumbar_utils.studies.unlabelled import Recipe, SemiRun, labelled_rows, plan_unlabelled, run_unlabelled
from lumbar_utils.studies.unlabelled_table import over_draws, runs_table, stored_runs, summarise_unlabelled

RECIPE = Recipe(height=32, pool=40, test_patients=20, epochs=1, steps_per_epoch=2, batch_size=4, mu=1)
RUNS = plan_unlabelled(("supervised", "fixmatch"), (8,), seeds=2)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUMBAR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unlabelled")
    assert run_unlabelled(RUNS, RECIPE, folder=folder, log=lambda line: None) == 0
    return folder


def test_the_whole_study_takes_every_method_with_every_number_of_labels():
    runs = plan_unlabelled()
    assert len(runs) == len({run.name for run in runs}) == 3 * 4 * 5
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)


def test_no_patient_is_in_pool_and_test_or_in_another_study():
    sizes = {unlabelled.POOL_SEED: 1000, unlabelled.TEST_SEED: 600, 391: 1000, 392: 400}
    sizes |= dict(zip(zoo.SEEDS.values(), (12000, 600, 600), strict=True)) | {study_run.TEST_SEED: 400}
    every = np.concatenate([np.random.SeedSequence(seed).generate_state(n) for seed, n in sizes.items()])
    assert len(np.unique(every)) == len(every)


def test_labelled_patients_are_nested_balanced_and_drawn_by_the_seed():
    dataset = load_dataset("phantom", n_patients=60, seed=5, cache=False)
    few, many = labelled_rows(dataset, 10, 0), labelled_rows(dataset, 20, 0)
    assert set(few) < set(many) and len(set(many)) == 20
    assert np.bincount(dataset.labels[few]).tolist() == [3, 3, 2, 2]
    assert set(labelled_rows(dataset, 10, 1)) != set(few)


def test_every_run_says_what_it_was_made_from_and_how_its_pseudo_labels_did(done):
    runs = stored_runs(folder=done)
    assert sorted(runs) == sorted(run.name for run in RUNS)
    supervised, fixmatch = runs["supervised_008_seed0"], runs["fixmatch_008_seed0"]
    assert supervised.provenance["labelled_patients"] == fixmatch.provenance["labelled_patients"]
    assert len(set(fixmatch.provenance["labelled_patients"])) == 8
    assert fixmatch.provenance["data"]["pool"]["make_dataset"] == {
        "n_patients": 40,
        "seed": unlabelled.POOL_SEED,
    }
    assert fixmatch.measured_on == "phantoms" and len(fixmatch) == 20
    table = runs_table(folder=done).set_index("method")
    assert (
        table.loc["supervised", "accepted"].isna().all() and table.loc["fixmatch", "accepted"].notna().all()
    )


def test_a_second_start_computes_nothing_and_a_lost_run_is_made_again_the_same(done, tmp_path):
    lines = []
    run_unlabelled(RUNS, RECIPE, folder=done, log=lines.append)
    assert lines == ["4 of 4 runs are done, 0 to do."]
    copy = shutil.copytree(done, tmp_path / "copy")
    lost = copy / "runs" / "fixmatch_008_seed1.csv"
    lost.unlink()
    run_unlabelled(RUNS, RECIPE, folder=copy, log=lines.append)
    assert any("accuracy on phantoms" in line for line in lines)
    assert lost.read_bytes() == (done / "runs" / lost.name).read_bytes()


def test_the_summary_pools_the_draws_and_compares_in_pairs(done):
    table = summarise_unlabelled(folder=done).set_index("method")
    runs = stored_runs(folder=done)
    right = {m: [np.mean(runs[f"{m}_008_seed{s}"].predicted == runs[f"{m}_008_seed{s}"].labels) for s in (0, 1)]
             for m in ("supervised", "fixmatch")}  # fmt: skip
    assert table.loc["fixmatch", "accuracy"] == pytest.approx(np.mean(right["fixmatch"]))
    assert table.loc["fixmatch", "gain"] == pytest.approx(
        np.mean(right["fixmatch"]) - np.mean(right["supervised"])
    )
    assert (
        table.loc["fixmatch", "gain_low"]
        <= table.loc["fixmatch", "gain"]
        <= table.loc["fixmatch", "gain_high"]
    )
    assert np.isnan(table.loc["supervised", "gain"]) and (table["runs"] == 2).all()


def test_the_interval_counts_draws_and_patients():
    # two draws that differ and patients who do not: only the draws speak
    values = np.array([[0.4] * 6, [0.6] * 6])
    estimate = over_draws(values, np.arange(6))
    half = student.ppf(0.975, 1) * np.sqrt(values.mean(axis=1).var(ddof=1) / 2)
    assert (estimate.value, estimate.high) == pytest.approx((0.5, 0.5 + half))
    # equal draws, 6 patients of whom half are right: the variance of a mean of 6
    values = np.array([[1, 0, 1, 0, 1, 0]] * 2, float)
    half = student.ppf(0.975, 1) * np.sqrt(values[0].var(ddof=1) / 6)
    assert over_draws(values, np.arange(6)).low == pytest.approx(0.5 - half)
    # the same with each patient's two pictures counted as one
    half = student.ppf(0.975, 1) * np.sqrt(np.array([1, 0, 0.5]).var(ddof=1) / 3)
    paired = np.array([[1, 1, 0, 0, 1, 0]] * 2, float)
    assert over_draws(paired, np.array([1, 1, 2, 2, 3, 3])).low == pytest.approx(0.5 - half)
    assert np.isnan(over_draws(values[:1], np.arange(6)).low)


def test_the_command_shows_the_stored_table(done, tmp_path, monkeypatch, capsys):
    shutil.copytree(done, tmp_path / "unlabelled")
    monkeypatch.setattr(unlabelled_table, "results_folder", lambda: tmp_path)
    assert main(["unlabelled"]) == 0
    assert "gain_low" in capsys.readouterr().out
    assert main(["unlabelled", "--real"]) == 2
    assert "unlabelled_real; start" in capsys.readouterr().err


def test_without_a_run_the_command_to_make_one_is_named(tmp_path):
    with pytest.raises(LumbarError, match="start `python -m lumbar_utils unlabelled --compute` first"):
        stored_runs(folder=tmp_path)


# --- published pictures, here drawn ones in the same layout ---


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """Six labelled patients with boxes about their discs, and three without, one of whom is labelled too."""
    root = tmp_path_factory.mktemp("real") / unlabelled_real.FOLDER
    for part, patients in {"labelled": range(1, 7), "unlabelled": (6, 7, 8)}.items():
        for folder in ("images", "labels"):
            (root / part / folder).mkdir(parents=True, exist_ok=True)
        for patient in patients:
            drawn, name = render(sample_patient(patient, disease="Herniated Disk")), f"{patient}_1.rf.{part}"
            cv2.imwrite(str(root / part / "images" / f"{name}.png"), drawn.image)
            height, width = drawn.image.shape
            boxes = [
                f"{k % 2} {x / width:.4f} {y / height:.4f} {34 / width:.4f} {20 / height:.4f}"
                for k, (x, y) in enumerate(drawn.landmarks[disc] for disc in LUMBAR_DISCS)
            ]
            (root / part / "labels" / f"{name}.txt").write_text("\n".join(boxes))
    return root


def test_found_discs_take_the_class_of_the_box_that_holds_them(clinic):
    discs = unlabelled_real.labelled_discs(clinic, 32)
    assert discs.images.shape[1:] == (32, 32) and len(discs) >= 24  # of 30
    # boxes alternate from the lowest disc, and `disc` ranks them from the top
    assert np.array_equal(discs.labels, discs.meta["disc"] % 2)
    assert not discs.meta.duplicated(["source_picture", "disc"]).any()


def test_a_patient_with_labels_is_nobody_without_them(clinic):
    crops, patients = unlabelled_real.unlabelled_discs(clinic, 32)
    assert sorted(set(patients)) == ["7", "8"] and len(crops) == len(patients) >= 8


def test_a_fold_of_published_pictures_is_tested_disc_by_disc(clinic, monkeypatch):
    monkeypatch.setenv("LUMBAR_REAL_DATA", str(clinic.parent))
    recipe = replace(RECIPE, height=32)
    run = SemiRun("secofixmatch", 6, 0, "unlabelled_real", 2)
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    predictions, history = unlabelled_real.perform_real(run, recipe, threads)
    assert predictions.measured_on == "real pictures" and len(np.unique(predictions.patient_ids)) >= 1
    assert history["pseudo_accuracy"].isna().all()
    about = predictions.provenance
    assert about["phantom_version"] == PHANTOM_VERSION and about["fold"] == 2
    assert str(clinic) not in str(about)


def test_the_variable_that_is_missing_is_named(monkeypatch):
    monkeypatch.delenv("LUMBAR_REAL_DATA", raising=False)
    with pytest.raises(LumbarError, match="LUMBAR_REAL_DATA is 'not set', wanted a folder"):
        unlabelled_real.run_real()
