"""Axial slices keep what the sagittal ones promise: sizes as sampled, sides as radiologists see them, honest labels."""

from dataclasses import replace

import numpy as np
import pytest

from lumbar_utils.dataset import LUMBAR_DISCS, MASK_LABELS, LumbarError
from lumbar_utils.phantom import lesion_mask, render, sample_patient

PLAIN = {
    "herniation_mm": 0.0,
    "bulge_mm": 0.0,
    "flavum_mm": 3.5,
    "slip_mm": 0.0,
    "osteophyte_mm": 0.0,
    "sac_mm": 14.0,
    "disc_height_mm": 10.0,
}
SAC = [MASK_LABELS[name] for name in ("sac", "cord", "roots")]


def render_axial(patient, **options):
    return render(patient, view="axial", **options)


def patient_with(seed=1, level="L4-L5", **grades):
    return sample_patient(seed, overrides={level: PLAIN | {"migration_mm": 0.0} | grades})


def in_mm(picture):
    """Return x (to the patient's left) and y (to the back) in mm of every pixel, from the sac's front wall."""
    front, disc = (np.array(picture.landmarks[name]) for name in ("canal front", "L4-L5"))
    back = (front - disc) / np.linalg.norm(front - disc)
    rows, columns = np.mgrid[: picture.mask.shape[0], : picture.mask.shape[1]]
    offset = (np.stack([columns, rows], axis=-1) - front) * picture.spacing_mm
    return offset @ np.array([back[1], -back[0]]), offset @ back


def sac_area(picture):
    return np.isin(picture.mask, SAC).sum() * picture.spacing_mm**2


def herniation_area(picture):
    return (picture.mask == MASK_LABELS["herniation"]).sum() * picture.spacing_mm**2


def test_the_same_seed_gives_the_same_pixels():
    patient = sample_patient(4)
    first, second = render_axial(patient, size=128), render_axial(patient, size=128)
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.mask, second.mask)
    assert not np.array_equal(first.image, render_axial(sample_patient(5), size=128).image)
    assert not np.array_equal(first.image, render_axial(patient, size=128, seed=1).image)


def test_a_grade_changed_by_hand_leaves_the_rest_of_the_picture():
    before = render_axial(patient_with())
    after = render_axial(patient_with(herniation_mm=6.0, herniation_offset_mm=6.0))
    x, y = in_mm(before)
    far = np.hypot(x, y) > 30
    assert np.abs(before.image[far].astype(int) - after.image[far]).max() <= 5  # its ghost
    assert np.array_equal(before.mask[far], after.mask[far])
    assert not np.array_equal(before.image, after.image)


@pytest.mark.parametrize(
    "sac_mm, bulge_mm, flavum_mm", [(14.0, 0.0, 3.5), (14.0, 3.4, 5.5), (11.0, 0.0, 6.0), (10.0, 3.0, 5.0)]
)
def test_the_canal_is_drawn_as_deep_as_its_grades_say(sac_mm, bulge_mm, flavum_mm):
    for seed in (1, 2, 3):
        patient = patient_with(seed, sac_mm=sac_mm, bulge_mm=bulge_mm, flavum_mm=flavum_mm)
        picture = render_axial(patient)
        x, y = in_mm(picture)
        midline = np.isin(picture.mask, SAC) & (np.abs(x) < 0.6 * picture.spacing_mm)
        depth = np.ptp(y[midline]) + picture.spacing_mm
        assert depth == pytest.approx(patient.levels[1].canal_mm, abs=picture.spacing_mm)


@pytest.mark.parametrize("offset_mm", [0.0, 7.0, -7.0])
@pytest.mark.parametrize("depth_mm", [3.0, 5.0, 8.0])
def test_a_herniation_is_drawn_as_deep_as_it_was_sampled(depth_mm, offset_mm):
    grades = {"herniation_offset_mm": offset_mm}
    for seed in (1, 2):
        before = render_axial(patient_with(seed))
        after = render_axial(patient_with(seed, herniation_mm=depth_mm, **grades))
        x, y = in_mm(before)
        near = np.abs(x + offset_mm) < 1.2
        margin = y[near & (before.mask == MASK_LABELS["L4-L5"])].max()
        tip = y[near & (after.mask == MASK_LABELS["herniation"])].max()
        assert tip - margin == pytest.approx(depth_mm, abs=after.spacing_mm + 0.2)


@pytest.mark.parametrize("offset_mm, on_the_pictures", [(8.0, "left"), (-8.0, "right")])
def test_the_patients_right_is_on_the_pictures_left(offset_mm, on_the_pictures):
    before = render_axial(patient_with())
    after = render_axial(patient_with(herniation_mm=6.0, herniation_offset_mm=offset_mm))
    columns = np.nonzero(after.mask == MASK_LABELS["herniation"])[1]
    middle = after.landmarks["L4-L5"][0]
    assert (columns.mean() < middle) == (on_the_pictures == "left")
    assert after.landmarks["herniation tip"][0] == pytest.approx(columns.mean(), abs=3)
    x, _ = in_mm(before)
    lost = np.isin(before.mask, SAC) & ~np.isin(after.mask, SAC)
    toward = x < 0 if on_the_pictures == "left" else x > 0
    assert lost[toward].sum() > 10 * lost[~toward].sum()


def test_the_front_is_above_the_back():
    picture = render_axial(sample_patient(3))
    rows = [np.nonzero(picture.mask == MASK_LABELS[name])[0].mean() for name in ("L4-L5", "sac")]
    assert rows[0] < rows[1] < np.nonzero(picture.mask == MASK_LABELS["posterior_elements"])[0].mean()


def test_a_paracentral_herniation_keeps_its_size_that_the_midline_slice_loses():
    for depth in (4.0, 7.0):
        central, beside = (
            patient_with(herniation_mm=depth, herniation_offset_mm=offset) for offset in (0.0, 7.0)
        )
        axial = herniation_area(render_axial(beside)) / herniation_area(render_axial(central))
        sagittal = herniation_area(render(beside)) / herniation_area(render(central))
        assert axial > 0.8
        assert axial > 1.5 * sagittal


def test_a_herniation_fades_away_from_the_disc_and_a_migrated_one_follows():
    stays = patient_with(herniation_mm=4.0, herniation_offset_mm=0.0)
    sizes = [herniation_area(render_axial(stays, offset_mm=offset)) for offset in (0.0, 5.0, 7.0)]
    assert sizes[0] > sizes[1] > sizes[2] == 0
    moved = sample_patient(
        1,
        overrides={
            "L4-L5": PLAIN | {"herniation_mm": 9.0, "herniation_offset_mm": 0.0, "migration_mm": -9.0}
        },
    )
    assert moved.levels[1].herniation_type == "extrusion"
    below, above = (herniation_area(render_axial(moved, offset_mm=offset)) for offset in (-5.0, 5.0))
    assert below > 2 * above


def test_a_fragment_lies_loose_beyond_the_edge_of_its_disc():
    patient = patient_with(herniation_mm=8.0, herniation_offset_mm=0.0, disc_height_mm=6.0)
    torn = replace(patient.levels[1], herniation_type="sequestration", migration_mm=-6.0)
    patient = replace(patient, levels=(patient.levels[0], torn, *patient.levels[2:]))
    below, above = (render_axial(patient, offset_mm=offset) for offset in (-8.0, 8.0))
    assert herniation_area(above) == 0
    assert herniation_area(below) > 30
    _, y = in_mm(below)
    loose, body = (y[below.mask == MASK_LABELS[name]] for name in ("herniation", "L5"))
    assert loose.min() > body.max() + below.spacing_mm


def test_the_sac_grows_with_its_sampled_diameter():
    areas = [sac_area(render_axial(patient_with(sac_mm=sac))) for sac in (8.0, 10.0, 12.0, 14.0, 16.0, 18.0)]
    assert np.all(np.diff(areas) > 0)


def test_sacs_are_small_in_stenosis_and_wide_in_healthy_people():
    """Published means at L4-L5: controls 152 mm2, stenosis 80 mm2; below 100 mm2 counts as stenotic."""
    narrowest = {
        disease: np.median(
            [
                sac_area(render_axial(patient, level=min(patient.levels, key=lambda one: one.canal_mm).name))
                for patient in (sample_patient(seed, disease=disease) for seed in range(16))
            ]
        )
        for disease in ("Healthy", "Spinal Stenosis")
    }
    assert 120 < narrowest["Healthy"] < 200
    assert 40 < narrowest["Spinal Stenosis"] < 100


def test_the_ligament_counts_as_a_lesion_only_where_it_is_thick():
    thin, thick = (render_axial(patient_with(flavum_mm=flavum)) for flavum in (3.5, 6.0))
    shown, labels = ([np.sum(picture.mask == MASK_LABELS[name]) for picture in (thin, thick)]
                     for name in ("flavum", "normal_flavum"))  # fmt: skip
    assert shown[0] == labels[1] == 0
    assert shown[1] > 1.2 * labels[0] > 0


@pytest.mark.parametrize("grade, value, lesion, disease", [
    ("herniation_mm", 6.0, "herniation", "Herniated Disk"), ("bulge_mm", 3.0, "bulge", "Spinal Stenosis"),
    ("flavum_mm", 6.0, "flavum", "Spinal Stenosis"), ("osteophyte_mm", 5.0, "osteophyte", "Spondylosis"),
])  # fmt: skip
def test_lesion_masks_hold_what_a_grade_draws(grade, value, lesion, disease):
    before, after = (render_axial(patient_with(**grades)) for grades in ({}, {grade: value}))
    assert not lesion_mask(before.mask, disease).any()
    assert np.array_equal(lesion_mask(after.mask, disease), after.mask == MASK_LABELS[lesion])
    assert not lesion_mask(after.mask, "Healthy").any()


def test_every_label_is_one_of_the_table_and_every_level_has_its_own_disc():
    for seed in range(6):
        patient = sample_patient(seed)
        for level in LUMBAR_DISCS:
            picture = render_axial(patient, level=level, variation="wide", size=96, seed=seed)
            present = set(np.unique(picture.mask))
            assert present <= set(MASK_LABELS.values())
            x, y = np.rint(picture.landmarks[level]).astype(int)
            if picture.spacing_mm * 96 > 140:
                assert picture.mask[y, x] == MASK_LABELS[level]
            assert not present & {MASK_LABELS[other] for other in LUMBAR_DISCS if other != level}


def test_the_cord_ends_at_the_conus():
    patient = sample_patient(2)
    assert patient.anatomy.conus_level > 3.1
    assert not np.any(render_axial(patient, level="L3-L4").mask == MASK_LABELS["cord"])
    high = next(one for one in map(sample_patient, range(50)) if one.anatomy.conus_level < 3.8)
    assert np.any(render_axial(high, level="L1-L2").mask == MASK_LABELS["cord"])


def test_beyond_the_disc_the_slice_lies_in_the_body():
    patient = patient_with(disc_height_mm=6.0)
    for offset, body in ((6.0, "L4"), (-6.0, "L5")):
        mask = render_axial(patient, offset_mm=offset).mask
        assert np.any(mask == MASK_LABELS[body])
        assert not np.any(mask == MASK_LABELS["L4-L5"])


def test_the_nucleus_darkens_with_every_pfirrmann_grade():
    tones = []
    for grade in range(1, 6):
        picture = render_axial(patient_with(pfirrmann=grade), noise=0.0)
        x, y = np.rint(picture.landmarks["L4-L5"]).astype(int)
        tones.append(picture.image[y - 4 : y + 5, x - 8 : x + 9].mean())
    assert np.all(np.diff(tones) < -3)


def test_t1_turns_the_sac_dark():
    bright, dark = (render_axial(patient_with(), contrast=contrast) for contrast in ("T2", "T1"))
    sac, bone = bright.mask == MASK_LABELS["sac"], bright.mask == MASK_LABELS["posterior_elements"]
    assert bright.image[sac].mean() > 1.5 * bright.image[bone].mean()
    assert dark.image[sac].mean() < 0.7 * dark.image[bone].mean()


def test_roots_crowd_where_the_sac_is_narrow():
    wide, narrow = (render_axial(patient_with(sac_mm=sac)) for sac in (15.0, 8.0))
    spread = []
    for picture in (wide, narrow):
        _, y = in_mm(picture)
        roots, sac = picture.mask == MASK_LABELS["roots"], np.isin(picture.mask, SAC)
        spread.append((y[roots].mean() - y[sac].min()) / np.ptp(y[sac]))
    assert spread[0] > spread[1] + 0.08
    assert spread[0] > 0.55


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"level": "L6-S1"}, "L6-S1"),
        ({"offset_mm": 20.0}, "20"),
        ({"offset_mm": float("nan")}, "nan"),
        ({"contrast": "PD"}, "PD"),
        ({"variation": "huge"}, "huge"),
        ({"size": 7}, "7 pixels"),
        ({"fov_mm": 20.0}, "20"),
        ({"noise": -1.0}, "-1"),
    ],
)
def test_a_slice_that_cannot_be_made_is_refused_in_one_sentence(wrong, named):
    with pytest.raises(LumbarError) as caught:
        render_axial(sample_patient(0), **wrong)
    message = str(caught.value)
    assert named in message
    assert message.endswith(".")
    assert ". " not in message
