"""The study of real discs: what is stored hangs together, and the study itself runs on drawn discs."""

import numpy as np
import pytest

from lumbar_utils import LumbarError
from lumbar_utils.checkpoints import read_checkpoint
from lumbar_utils.studies.disc_phantoms import phantom_discs
from lumbar_utils.studies.real import (
    EXPLAINED,
    REPETITIONS,
    SOURCES,
    RealRun,
    Recipe,
    folds_of,
    plan_real_study,
    real_results,
    run_real_study,
)
from lumbar_utils.studies.real_card import CARD, card_of_real, write_card_of_real
from lumbar_utils.studies.real_scores import about_real, real_table, stored_real, zone_table


@pytest.fixture(scope="module")
def discs():
    return phantom_discs(24, seed=92, workers=1)


def test_each_repetition_deals_other_folds_and_never_parts_a_patient(discs):
    dealt = []
    for repetition in range(3):
        folds = folds_of(discs, RealRun("box", repetition, 24), Recipe())
        for train, test in folds:
            assert not set(discs.patient_ids[train]) & set(discs.patient_ids[test])
        dealt.append({frozenset(discs.patient_ids[test]) for _, test in folds})
        assert np.array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(len(discs)))
    assert len(set.union(*dealt)) == 15  # not one fold comes twice


def test_the_plan_asks_the_network_that_learns_nothing_once():
    runs = plan_real_study(15)
    assert len(runs) == REPETITIONS * (len(SOURCES) - 1) + 1
    assert len({run.name for run in runs}) == len(runs)


def test_the_study_runs_stops_and_goes_on(discs, tmp_path):
    runs = plan_real_study(24, ("phantom", "zero_shot"), repetitions=1)
    lines = []
    options = {"folder": tmp_path, "log": lines.append}
    assert run_real_study(discs, runs, hours=0, **options) == 2
    assert run_real_study(discs, runs, **options) == 0
    assert run_real_study(discs, runs, **options) == 0 and "2 of 2 runs are done, 0 to do." in lines[-1]
    stored = stored_real(tmp_path)
    assert list(stored) == ["phantom", "zero_shot"]
    assert stored["zero_shot"][0].provenance["configuration"]["tuned_up_to_patient"] is None
    zones = zone_table(tmp_path)
    assert len(zones) == 8 and zones.loc[zones["source"] == "zero_shot", "heat"].notna().all()
    assert "Nothing was chosen" in card_of_real(tmp_path)
    assert not [file for file in tmp_path.rglob("*") if file.suffix not in (".csv", ".json", "", ".lock")]


def test_an_empty_folder_says_how_to_fill_it(tmp_path):
    with pytest.raises(LumbarError, match="lumbar_utils real"):
        stored_real(tmp_path)


def test_the_stored_study_is_whole_and_made_with_what_ships():
    stored = stored_real()
    assert {source: len(runs) for source, runs in stored.items()} == {
        source: 1 if source == "zero_shot" else REPETITIONS for source in SOURCES
    }
    shipped = read_checkpoint("discs").card["files"]["weights.weights.h5"]
    for source in ("phantom", "phantom_svm", "zero_shot"):
        assert {run.provenance["disc_network"] for run in stored[source]} == {shipped}
    for runs in stored.values():
        for run in runs:
            assert (
                run.measured_on == "real pictures"
                and run.patient_ids.tolist() == stored["box"][0].patient_ids.tolist()
            )


def test_the_stored_tables_have_an_interval_a_row_and_count_patients():
    table, about = real_table().set_index("source"), about_real()
    assert (table["auc_low"] < table["auc"]).all() and (table["auc"] < table["auc_high"]).all()
    assert (table["lowest"] <= table["auc"]).all() and (table["auc"] <= table["highest"]).all()
    assert table.drop(index="box")["gain"].notna().all()
    assert about["patients"] == 15 and about["tuned_up_to_patient"] == 23 and about["untouched_patients"] == 6
    assert set(zone_table()["source"]) == set(EXPLAINED)


def test_the_stored_card_is_the_one_that_the_predictions_give(tmp_path):
    assert (real_results() / CARD).read_text(encoding="utf-8") == card_of_real()


def test_only_text_is_stored_and_no_picture():
    files = [file for file in real_results().rglob("*") if file.is_file() and file.name != ".lock"]
    assert {file.suffix for file in files} <= {".csv", ".json", ".md"}
    assert max(file.stat().st_size for file in files) < 60_000


def test_a_card_is_written_where_the_results_lie(tmp_path, discs):
    run_real_study(discs, plan_real_study(24, ("zero_shot",), 1), folder=tmp_path, log=lambda line: None)
    assert write_card_of_real(tmp_path).read_text(encoding="utf-8").startswith("# Model card")
