"""Two views of a disc: what is drawn, what the network shares, and a small study from drawing to table."""

import keras
import numpy as np
import pytest

from lumbar_utils.beyond.two_views import (
    AttentionOverLevels,
    build_two_views,
    fit_two_views,
    herniation_probabilities,
    unless_unclear,
)
from lumbar_utils.beyond.view_pairs import HERNIATED_MM, PARACENTRAL_MM, VIEWS, draw_view_pairs
from lumbar_utils.dataset import LumbarError
from lumbar_utils.phantom import sample_patient
from lumbar_utils.studies.two_views import MODELS, STARTS, run_two_views, stored_runs
from lumbar_utils.studies.two_views_table import PARTS, auc_table, difference_table, load_two_views


@pytest.fixture(scope="module")
def pairs():
    return draw_view_pairs(12, seed=5)


class TestPairs:
    def test_labels_and_zones_follow_the_grades(self, pairs):
        seeds = np.random.SeedSequence(5).generate_state(12)
        for row, seed in enumerate(seeds):
            for k, level in enumerate(sample_patient(int(seed)).levels):
                label = pairs.labels[row, k]
                assert (label == 1) == (level.herniation_mm >= HERNIATED_MM)
                assert (label == 0) == (level.herniation_mm < HERNIATED_MM / 2)
                aside = abs(level.herniation_offset_mm) >= PARACENTRAL_MM
                assert pairs.zones[row, k] == ("" if label < 1 else "paracentral" if aside else "central")
        assert (pairs.labels == 1).any() and pairs.patient_labels.tolist() == pairs.labels.max(
            axis=1
        ).tolist()

    def test_the_same_seed_gives_the_same_crops_and_another_seed_others(self, pairs):
        again, other = draw_view_pairs(12, seed=5), draw_view_pairs(12, seed=6)
        assert np.array_equal(again.sagittal, pairs.sagittal) and np.array_equal(again.axial, pairs.axial)
        assert not np.array_equal(other.axial, pairs.axial)
        assert not set(other.patient_ids) & set(pairs.patient_ids)

    def test_a_herniation_beside_the_midline_shows_from_above_and_hardly_from_the_side(self):
        from lumbar_utils.beyond.disc_crops import cut_discs
        from lumbar_utils.beyond.view_pairs import axial_crop
        from lumbar_utils.dataset import LUMBAR_DISCS
        from lumbar_utils.phantom import render

        change = {"side": [], "above": []}
        for depth in (0.0, 7.0):
            grades = {"L4-L5": {"herniation_mm": depth, "herniation_offset_mm": 8.0, "bulge_mm": 0.0}}
            patient = sample_patient(31, disease="Healthy", overrides=grades)
            slice_ = render(patient, seed=1)
            centres = np.array([slice_.landmarks[name] for name in LUMBAR_DISCS])
            change["side"].append(cut_discs(slice_.image, centres)[1].astype(int))
            above = render(patient, view="axial", level="L4-L5", seed=1)
            change["above"].append(axial_crop(above).astype(int))
        side, above = (np.abs(a - b)[16:48, 16:48].mean() for a, b in change.values())
        assert above > 2 * side

    def test_the_localiser_finds_and_numbers_most_discs(self):
        found = draw_view_pairs(20, seed=9, localiser=True)
        assert found.located.mean() > 0.95
        assert not found.sagittal[~found.located & (found.sagittal.max(axis=(2, 3)) == 0)].any()

    def test_no_patients_are_refused(self):
        with pytest.raises(LumbarError, match="wanted 1 or more"):
            draw_view_pairs(0, seed=1)


class TestNetwork:
    @pytest.mark.parametrize("pooling", ["maximum", "attention"])
    @pytest.mark.parametrize("views", [("sagittal",), ("axial",), VIEWS])
    def test_discs_and_patient_are_answered(self, pairs, views, pooling):
        model = build_two_views(views, pooling)
        of_disc, of_patient = herniation_probabilities(model, pairs)
        assert of_disc.shape == (12, 5) and of_patient.shape == (12,)
        if pooling == "maximum":
            assert of_patient == pytest.approx(of_disc.max(axis=1), abs=1e-5)

    def test_all_levels_share_their_weights(self, pairs):
        model = build_two_views()
        x = pairs.inputs()
        turned = {view: each[:, ::-1] for view, each in x.items()}
        straight, back = (model.predict(each, verbose=0)["disc"] for each in (x, turned))
        assert back[:, ::-1] == pytest.approx(straight, abs=1e-4)
        assert model.count_params() < 60_000

    def test_attention_is_a_weighted_mean(self):
        layer, x = AttentionOverLevels(), np.random.default_rng(0).normal(size=(3, 5, 7)).astype("float32")
        answer = keras.ops.convert_to_numpy(layer(x))
        weights = keras.ops.convert_to_numpy(layer.weights_of(x))
        assert weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert answer == pytest.approx((weights[..., None] * x).sum(axis=1), abs=1e-5)

    def test_unclear_discs_have_no_part_in_the_loss(self):
        truth, logits = np.array([[1.0, 0, -1]], "float32"), np.array([[2.0, -1, 50]], "float32")
        wanted = np.mean([np.log1p(np.exp(-2.0)), np.log1p(np.exp(-1.0))])
        assert float(unless_unclear(truth, keras.ops.convert_to_tensor(logits))) == pytest.approx(
            wanted, rel=1e-5
        )

    def test_it_learns_and_keeps_its_best_weights(self):
        training = draw_view_pairs(40, seed=20)
        model = build_two_views(("axial",))
        history = fit_two_views(model, training, training, epochs=6, seed=0).history
        assert history["disc_loss"][-1] < 0.7 * history["disc_loss"][0]

    @pytest.mark.parametrize("views", [(), ("sagittal", "sagittal"), ("frontal",)])
    def test_unknown_views_are_refused(self, views):
        with pytest.raises(LumbarError, match="sagittal, axial"):
            build_two_views(views)

    def test_an_unknown_pooling_is_refused(self):
        with pytest.raises(LumbarError, match="choose one of the two"):
            build_two_views(pooling="mean")


class TestStudy:
    @pytest.fixture(scope="class")
    def small(self, tmp_path_factory):
        results, said = tmp_path_factory.mktemp("two_views"), []
        size = {"n_patients": 16, "n_validation": 8, "n_test": 24, "epochs": 1}
        run_two_views(**size, results=results, log=said.append)
        return results, size, said

    def test_every_run_is_stored_and_none_twice(self, small):
        results, size, said = small
        runs = len(MODELS) * len(STARTS)
        assert (
            said[0] == f"0 of {runs} runs are there." and len(list((results / "runs").glob("*.csv"))) == runs
        )
        again = []
        run_two_views(**size, results=results, log=again.append)
        assert again == [f"{runs} of {runs} runs are there."]
        (results / "runs" / "both_1.csv").unlink()
        run_two_views(**size, results=results, log=again.append)
        assert (
            again[1] == f"{runs - 1} of {runs} runs are there."
            and (results / "runs" / "both_1.csv").is_file()
        )

    def test_the_tables_follow_from_what_is_stored(self, small):
        study = load_two_views(small[0])
        table = auc_table(study)
        assert len(table) == len(MODELS) and set(PARTS) <= set(table)
        gaps = difference_table(study)
        assert len(gaps) == 3 * len(PARTS)
        first = study.auc("both").value - study.auc("sagittal").value
        assert gaps["difference"][0] == pytest.approx(first)

    def test_runs_of_other_discs_are_refused(self, small, tmp_path):
        import shutil

        shutil.copytree(small[0], tmp_path / "altered")
        lines = (tmp_path / "altered" / "findings.csv").read_text().splitlines()
        (tmp_path / "altered" / "findings.csv").write_text("\n".join(lines[:-1]) + "\n")
        with pytest.raises(LumbarError, match="different discs"):
            load_two_views(tmp_path / "altered")


def test_the_shipped_study_is_whole_and_paracentral_herniations_gain():
    study = load_two_views()
    assert len(study.patient_labels) > 400
    gain = study.difference("both", "sagittal", "paracentral")
    assert gain.difference.low > 0 and gain.p_value < 0.001
    assert len({run.provenance["fingerprint"] for name in MODELS for run in stored_runs(name)}) == 1
