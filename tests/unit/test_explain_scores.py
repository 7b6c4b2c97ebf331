import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from lumbar_utils import LumbarError, score_explanations
from lumbar_utils.cam.deletion import area_under, blurred, deletion, insertion
from lumbar_utils.cam.masks import (
    auprc,
    dilated,
    energy,
    iou,
    lesion_levels,
    level_hit,
    level_zones,
    pointing,
)
from lumbar_utils.cam.references import centre_map, discs_map, edge_map, perfect_maps
from lumbar_utils.cam.scores import REFERENCES, SCORES, summarise_scores
from lumbar_utils.cam.similarity import spearman, ssim


def column_of_discs(size=224, n_discs=5, pitch=32):
    """A label map with discs of 30 x 8 pixels, L5-S1 (101) lowest, and a herniation behind L4-L5 (102)."""
    labels = np.zeros((size, size), np.uint8)
    for level in range(n_discs):
        top = size - 40 - level * pitch
        labels[top : top + 8, 90:120] = 101 + level
    labels[size - 40 - pitch : size - 34 - pitch, 120:128] = 200
    return labels


@pytest.fixture
def labels():
    return column_of_discs()


@pytest.fixture
def lesion(labels):
    return labels == 200


def test_a_map_that_is_the_mask_scores_1(lesion, labels):
    heat = lesion.astype(np.float32)
    scores = [pointing(heat, lesion), energy(heat, lesion), iou(heat, lesion, 0.5), auprc(heat, lesion)]
    assert scores == [1, 1, 1, 1] and level_hit(heat, lesion, level_zones(labels)) == 1
    elsewhere = np.roll(heat, 70, axis=0)
    scores = [pointing(elsewhere, lesion), energy(elsewhere, lesion), iou(elsewhere, lesion, 0.5)]
    assert scores == [0, 0, 0] and auprc(elsewhere, lesion) < lesion.mean() * 1.01


def test_scores_by_hand():
    mask = np.array([[True, True, False, False]])
    heat = np.array([[0.4, 1.0, 0.5, 0.1]])
    assert pointing(heat, mask) == 1 and energy(heat, mask) == pytest.approx(0.7)
    assert iou(heat, mask, 0.5) == pytest.approx(1 / 3)  # 1.0 and 0.5 are chosen
    assert auprc(heat, mask) == pytest.approx((1 + 2 / 3) / 2)
    assert pointing(np.array([[0.0, 1.0, 1.0, 1.0]]), mask) == pytest.approx(1 / 3)


def test_auprc_is_average_precision_with_ties():
    rng = np.random.default_rng(0)
    for levels in (3, 50, 10**6):
        heat = np.round(rng.random((30, 30)) * levels) / levels
        mask = (rng.random((30, 30)) + heat) > 1.4
        assert auprc(heat, mask) == pytest.approx(average_precision_score(mask.ravel(), heat.ravel()))


def test_the_tolerance_is_a_distance():
    mask = np.zeros((21, 21), bool)
    mask[10, 10] = True
    for tolerance in (0, 1, 4):
        rows, columns = np.indices(mask.shape)
        expected = np.hypot(rows - 10, columns - 10) <= tolerance
        assert np.array_equal(dilated(mask, tolerance), expected)


def test_a_lesion_belongs_to_the_disc_it_lies_beside(labels, lesion):
    zones = level_zones(labels)
    assert np.array_equal(np.unique(zones), [0, 101, 102, 103, 104, 105])
    assert lesion_levels(lesion, zones).tolist() == [102]
    assert zones[0, 0] == 0 and (zones[labels > 200 - 100][labels[labels > 100] < 200] > 0).all()
    for level, hit in ((101, 0), (102, 1), (105, 0)):
        assert level_hit((labels == level).astype(np.float32), lesion, zones) == hit
    behind = np.zeros_like(lesion)
    behind[150:158, 130:140] = True  # a third of a level behind L4-L5
    assert lesion_levels(behind, zones).tolist() == [102] and (zones[behind] == 102).all()
    flat = np.ones(labels.shape)
    assert level_hit(flat, lesion, zones) == pytest.approx(1 / 5)
    assert np.isnan(level_hit(flat, lesion, np.zeros_like(zones)))


def test_chance_is_the_share_of_the_area_and_a_map_of_zeros_scores_chance(labels, lesion):
    table = score_explanations(np.zeros((1, 224, 224)), lesion[None], label_maps=labels[None], tolerance_px=0)
    row = table.iloc[0]
    assert row["empty"] and row["area"] == lesion.mean()
    for score in ("pointing", "energy", "iou", "auprc"):
        assert row[score] == row[f"{score}_chance"] == pytest.approx(lesion.mean())
    assert row["level_hit"] == row["level_hit_chance"] == pytest.approx(1 / 5)


def test_random_maps_score_chance_on_average(labels, lesion):
    rng = np.random.default_rng(0)
    heat = rng.random((60, 14, 14)).repeat(16, axis=1).repeat(16, axis=2)
    table = score_explanations(heat, np.stack([lesion] * 60), label_maps=np.stack([labels] * 60))
    summary = summarise_scores(table)
    for score in ("energy", "level_hit"):
        assert summary.loc[score, "low"] <= summary.loc[score, "chance"] <= summary.loc[score, "high"]


def test_all_references_stand_beside_each_score(labels, lesion):
    picture = np.where(labels == 200, 250, 60).astype(np.uint8)
    table = score_explanations(
        lesion[None].astype(float), lesion[None],
        label_maps=labels[None], pictures=picture[None], cells=(14, 14), patient_ids=["a"],
    )  # fmt: skip
    assert {f"{score}_{name}" for score in SCORES for name in REFERENCES} <= set(table.columns)
    row = table.iloc[0]
    assert row["energy_edges"] > 10 * row["energy_chance"]  # the lesion is the only thing with an edge
    # the herniation lies in the margin of its disc: more than chance finds, little of five discs' margins
    assert row["energy_chance"] < row["energy_discs"] < 0.05 and row["level_hit_ceiling"] == 1
    assert row["energy_chance"] < row["energy_ceiling"] < row["energy"] == 1
    bare = score_explanations(lesion[None].astype(float), lesion[None])
    assert not [
        name for name in bare if "discs" in name or "edges" in name or "ceiling" in name or "level" in name
    ]


def test_the_ceiling_rises_with_the_resolution_and_falls_short_for_small_lesions():
    mask = np.zeros((224, 224), bool)
    mask[101:107, 133:141] = True  # 6 x 8 pixels
    ceilings = [perfect_maps(mask[None], (cells, cells))[0] for cells in (7, 14, 28, 224)]
    energies = [energy(heat, mask) for heat in ceilings]
    assert energies == sorted(energies) and energies[-1] == pytest.approx(1)
    assert energies[0] < 0.04 and iou(ceilings[0], mask, 0.5) <= 0.07
    assert 0.05 < energies[1] < 0.2 and ceilings[0].max() == 1


@pytest.mark.parametrize("shape", [(90, 160), (160, 90)])
def test_the_ceiling_lies_where_the_heat_of_a_letterboxed_picture_lies(shape):
    mask = np.zeros(shape, bool)
    mask[shape[0] // 2 : shape[0] // 2 + 12, shape[1] - 30 : shape[1] - 18] = True
    heat = perfect_maps(mask[None], (20, 20))[0]
    assert mask[np.unravel_index(heat.argmax(), shape)] and heat.shape == shape
    upright = perfect_maps(mask[None], (shape[0] // 5, shape[1] // 5))[0]
    assert mask[np.unravel_index(upright.argmax(), shape)]


def test_references_show_what_they_say(labels):
    centre = centre_map(50, 101)
    assert np.unravel_index(centre.argmax(), centre.shape)[1] == 50 and centre[25, 50] > 0.99
    assert centre[25, 50 + 25] == pytest.approx(np.exp(-0.5), abs=0.02)
    edges = edge_map(np.pad(np.full((20, 20), 200, np.uint8), 20))
    assert edges.max() == 1 and edges[30, 30] == 0 and edges[30, 20] > 0.9
    assert not edge_map(np.full((9, 9), 7, np.uint8)).any()
    assert discs_map(labels, 0).sum() == 5 * 30 * 8
    assert discs_map(labels)[labels == 200].all() and not discs_map(np.zeros_like(labels)).any()


def test_healthy_pictures_have_no_score_and_no_weight(labels, lesion):
    heat, masks = np.stack([lesion * 1.0, lesion * 1.0]), np.stack([lesion, np.zeros_like(lesion)])
    table = score_explanations(heat, masks, label_maps=np.stack([labels, labels]))
    assert (
        table.loc[1, list(SCORES)].isna().all()
        and table.loc[1, "energy_centre"] != table.loc[1, "energy_centre"]
    )
    summary = summarise_scores(table)
    assert (summary["n_pictures"] == 1).all() and summary.loc["energy", "value"] == 1
    assert np.isnan(summary.loc["energy", "low"])  # one patient: no interval


def test_the_interval_is_over_patients():
    rng = np.random.default_rng(0)
    masks = np.zeros((40, 8, 8), bool)
    masks[:, :4] = True
    heat = rng.random((40, 8, 8))
    heat[20:, 4:] = 0  # the second patient's maps hit
    heat[:20, :4] = 0
    alone = summarise_scores(score_explanations(heat, masks, tolerance_px=0))
    by_two = summarise_scores(
        score_explanations(heat, masks, tolerance_px=0, patient_ids=np.repeat(["a", "b"], 20))
    )
    assert alone.loc["energy", "value"] == by_two.loc["energy", "value"] == 0.5
    assert alone.loc["energy", "low"] > 0.3
    assert by_two.loc["energy", "low"] == 0 and by_two.loc["energy", "high"] == 1
    assert by_two.loc["energy", "n_patients"] == 2 and by_two.equals(
        summarise_scores(
            score_explanations(heat, masks, tolerance_px=0, patient_ids=np.repeat(["a", "b"], 20))
        )
    )


def test_the_rival_is_the_best_map_that_knows_no_network(labels, lesion):
    heat = np.stack([np.maximum(lesion, 0.1)] * 4)
    table = score_explanations(
        heat, np.stack([lesion] * 4), label_maps=np.stack([labels] * 4), cells=(28, 28)
    )
    summary = summarise_scores(table).loc["energy"]
    rivals = {name: summary[name] for name in ("chance", "centre", "discs")}
    assert summary["rival"] == max(rivals, key=rivals.get)
    assert summary["above_rival"] == pytest.approx(summary["value"] - rivals[summary["rival"]])
    assert summary["above_rival_low"] <= summary["above_rival"] <= summary["above_rival_high"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heat": np.zeros((1, 7, 7))}, r"shape \(1, 7, 7\) and the masks \(1, 8, 8\)"),
        ({"heat": np.zeros((0, 8, 8)), "masks": np.zeros((0, 8, 8))}, r"shape \(0, 8, 8\)"),
        ({"masks": np.full((1, 8, 8), 102)}, "numbers up to 102, wanted True and False"),
        ({"heat": np.full((1, 8, 8), np.nan)}, "row 0 holds negative, infinite or missing"),
        ({"heat": np.full((1, 8, 8), -1.0)}, "row 0 holds negative, infinite or missing"),
        ({"label_maps": np.zeros((2, 8, 8))}, r"label_maps has shape \(2, 8, 8\)"),
        ({"patient_ids": ["a", "b"]}, "2 patient_ids for 1 heat maps"),
    ],
)
def test_what_cannot_be_scored_is_refused(change, message):
    options = {"heat": np.ones((1, 8, 8)), "masks": np.ones((1, 8, 8), bool)} | change
    with pytest.raises(LumbarError, match=message):
        score_explanations(options.pop("heat"), options.pop("masks"), **options)


def test_deletion_falls_and_insertion_rises_fastest_for_the_map_that_is_right():
    rng = np.random.default_rng(0)
    pictures = rng.random((3, 32, 32)).astype(np.float32) * 0.2
    pictures[:, 10:16, 20:26] = 1.0
    right = np.zeros((3, 32, 32))
    right[:, 10:16, 20:26] = 1.0
    wrong = right[:, :, ::-1].copy()
    calls = []

    def score(changed, rows):
        calls.append((changed.shape, set(rows.tolist())))
        return changed[:, 10:16, 20:26].mean(axis=(1, 2)) + rows

    curves = deletion(right, pictures, score, steps=10)
    assert curves.shape == (3, 11) and calls == [((11, 32, 32), {row}) for row in range(3)]
    assert np.allclose(curves[:, 0], 1 + np.arange(3))
    assert np.allclose(
        curves[:, -1], blurred(pictures)[:, 10:16, 20:26].mean(axis=(1, 2)) + np.arange(3), atol=1e-6
    )
    assert np.allclose(insertion(right, pictures, score, steps=10)[:, [0, -1]], curves[:, [-1, 0]], atol=1e-6)
    assert (area_under(deletion(right, pictures, score)) < area_under(deletion(wrong, pictures, score))).all()
    assert (
        area_under(insertion(right, pictures, score)) > area_under(insertion(wrong, pictures, score))
    ).all()
    assert area_under(np.array([[0.0, 1.0, 1.0]])).tolist() == [0.75]
    with pytest.raises(LumbarError, match=r"wanted \(N, H, W\) both"):
        deletion(right[:, :16], pictures, score)


def test_similarities_are_the_textbook_s():
    rng = np.random.default_rng(0)
    first, second = rng.random((20, 20)), np.round(rng.random((20, 20)), 1)
    from scipy.stats import spearmanr

    assert spearman(first, second) == pytest.approx(spearmanr(first.ravel(), second.ravel()).statistic)
    assert spearman(first, first**3) == pytest.approx(1) and spearman(first, -first) == pytest.approx(-1)
    assert spearman(first, np.zeros((20, 20))) == 0 and ssim(np.zeros((20, 20)), np.zeros((20, 20))) == 1
    assert ssim(first, first) == pytest.approx(1) and ssim(first, second) == pytest.approx(
        ssim(second, first)
    )
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    x, y = (np.pad(each, 5, mode="symmetric") for each in (first, second))
    values = []
    for row, column in np.ndindex(20, 20):
        a, b = x[row : row + 11, column : column + 11], y[row : row + 11, column : column + 11]
        mean_a, mean_b = (window * a).sum(), (window * b).sum()
        var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
        covariance = (window * (a - mean_a) * (b - mean_b)).sum()
        values.append(
            (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
            / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4))
        )  # fmt: skip
    assert ssim(first, second) == pytest.approx(np.mean(values), abs=1e-9)
