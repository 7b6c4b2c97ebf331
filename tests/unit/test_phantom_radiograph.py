"""Lateral radiographs of the phantom: bone and gas as X-rays see them, and nothing of what they do not see."""

from itertools import pairwise

import numpy as np
import pytest

from lumbar_utils.dataset import FIRST_BODY, FIRST_DISC, LUMBAR_DISCS, MASK_LABELS, LumbarError
from lumbar_utils.phantom import render, sample_patient

PLAIN = {name: {"slip_mm": 0.0, "osteophyte_mm": 0.0, "modic": 0, "pfirrmann": 3} for name in LUMBAR_DISCS}


def render_radiograph(patient, **options):
    return render(patient, contrast="XR", **options)


def with_grades(seed, level="L3-L4", **grades):
    return sample_patient(seed, age_years=45, overrides=PLAIN | {level: PLAIN[level] | grades})


def at(picture, name, half=2):
    """Return the pixels of the label map and of the picture around a landmark."""
    x, y = np.rint(picture.landmarks[name]).astype(int)
    return picture.image[y - half : y + half + 1, x - half : x + half + 1].astype(float)


def test_the_same_seed_gives_the_same_pixels():
    first, again, other = (render_radiograph(sample_patient(5), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("seed", range(4))
def test_bone_is_brighter_than_the_disc(seed):
    picture = render_radiograph(with_grades(seed, disc_height_mm=10.0), noise=0.0)
    bones = np.median([at(picture, name).mean() for name in ("L2", "L3", "L4")])
    discs = np.median([at(picture, name, 1).mean() for name in ("L2-L3", "L3-L4")])
    assert bones > discs + 10


def test_a_disc_is_brighter_than_gas_in_it():
    darker = 0
    for seed in range(12):
        whole, worn = (
            render_radiograph(with_grades(seed, disc_height_mm=7.0, pfirrmann=grade), noise=0.0)
            for grade in (4, 5)
        )
        change = worn.image.astype(int) - whole.image
        assert change.max() <= 4  # only the display's compression lifts what lies around
        darker += change.min() < -12
    assert 1 <= darker <= 10


def test_soft_tissue_in_the_canal_and_signal_on_mr_leave_no_trace():
    plain = with_grades(3)
    hidden = with_grades(
        3, herniation_mm=9.0, herniation_offset_mm=0.0, migration_mm=8.0, flavum_mm=9.0, bulge_mm=6.0, sac_mm=7.0,
        modic=2, pfirrmann=1,
    )  # fmt: skip
    for variation in ("narrow", "wide"):
        before, after = (render_radiograph(patient, variation=variation) for patient in (plain, hidden))
        assert np.array_equal(before.image, after.image)
        assert np.array_equal(before.mask, after.mask)


def test_sclerosis_whitens_the_bodies_beside_the_disc():
    before, after = (render_radiograph(with_grades(3, modic=kind), noise=0.0) for kind in (0, 3))
    change = after.image.astype(int) - before.image
    assert change.max() > 8
    rows, columns = np.nonzero(change > 8)
    x, y = np.array(before.landmarks["L3-L4"])
    assert np.hypot(columns - x, rows - y).max() * before.spacing_mm < 35


@pytest.mark.parametrize("height_mm", [4.0, 8.0, 12.0])
def test_the_height_of_a_disc_is_recovered_from_the_labels(height_mm):
    for seed in (1, 2, 3):
        picture = render_radiograph(with_grades(seed, disc_height_mm=height_mm), size=448)
        (x, y), (x4, y4), (x3, y3) = (np.array(picture.landmarks[name]) for name in ("L3-L4", "L4", "L3"))
        across = np.array([x3 - x4, y3 - y4]) / np.hypot(x3 - x4, y3 - y4)
        steps = np.arange(-40, 40, 0.1)
        columns, rows = np.rint(np.array([[x], [y]]) + across[:, None] * steps).astype(int)
        disc = picture.mask[rows, columns] == FIRST_DISC + LUMBAR_DISCS.index("L3-L4")
        assert disc.sum() * 0.1 * picture.spacing_mm == pytest.approx(height_mm, abs=picture.spacing_mm)


@pytest.mark.parametrize("slip_mm", [4.0, 9.0])
def test_a_slip_is_recovered_from_the_labels(slip_mm):
    for seed in (1, 2, 3):
        straight, slipped = (render_radiograph(with_grades(seed, slip_mm=slip)) for slip in (0.0, slip_mm))
        moved = []
        for picture in (straight, slipped):
            body = [np.argwhere(picture.mask == FIRST_BODY + k)[:, ::-1].mean(axis=0) for k in (1, 2)]
            moved.append(body[1] - body[0])
        assert np.hypot(*(moved[1] - moved[0])) * straight.spacing_mm == pytest.approx(
            slip_mm, abs=straight.spacing_mm
        )


def test_more_photons_lower_the_relative_noise():
    patient = sample_patient(4)
    clean = render_radiograph(patient, noise=0.0).image.astype(float)
    grey = (clean > 40) & (clean < 215)
    spread = [
        np.std((render_radiograph(patient, noise=noise).image - clean)[grey]) for noise in (0.02, 0.04, 0.08)
    ]
    for fewer, more in pairwise(spread):
        assert more / fewer == pytest.approx(2.0, rel=0.2)


def test_bones_whiten_less_in_old_age():
    contrast = []
    for age in (25, 85):
        patient = sample_patient(6, age_years=age, sex="F", overrides=PLAIN)
        picture = render_radiograph(patient, noise=0.0)
        contrast.append(at(picture, "L3").mean() - at(picture, "L3-L4", 1).mean())
    assert contrast[1] < 0.8 * contrast[0]


@pytest.mark.parametrize("variation", ["narrow", "wide"])
def test_only_bones_disc_spaces_and_osteophytes_are_labelled(variation):
    allowed = {0, MASK_LABELS["sacrum"], MASK_LABELS["osteophyte"], *range(1, 12), *range(101, 112)}
    seen = set()
    for seed in range(6):
        picture = render_radiograph(sample_patient(seed, disease="Spondylosis"), variation=variation)
        assert picture.image.shape == picture.mask.shape == (224, 224)
        assert picture.image.dtype == picture.mask.dtype == np.uint8
        seen |= set(np.unique(picture.mask).tolist())
    assert seen <= allowed
    assert {1, 2, 3, 101, 102, 30, 203} <= seen


def test_landmarks_lie_on_what_they_name():
    picture = render_radiograph(sample_patient(11))
    for name in ("L4", "L3", "L2", "L4-L5", "L3-L4"):
        x, y = picture.landmarks[name]
        assert picture.mask[round(y), round(x)] == MASK_LABELS[name]


@pytest.mark.parametrize(
    "options, named",
    [
        ({"size": 7}, "7 pixels"),
        ({"fov_mm": 20}, "20"),
        ({"noise": -1}, "-1"),
        ({"variation": "huge"}, "huge"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_that_names_it(options, named):
    with pytest.raises(LumbarError) as caught:
        render_radiograph(sample_patient(0), **options)
    message = str(caught.value)
    assert named in message
    assert message.endswith(".")
    assert ". " not in message
