"""The phantom's promises: same seed, same pixels; drawn as labelled; no disease in the nuisances."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

from lumbar_utils.dataset import FIRST_DISC, LUMBAR_BODIES, LUMBAR_DISCS, MASK_LABELS, PAPER4, LumbarError
from lumbar_utils.phantom import lesion_mask, make_dataset, render, sample_patient
from lumbar_utils.phantom.lesions import visible_herniation
from lumbar_utils.phantom.pathology import derive_label, severities
from lumbar_utils.phantom.signal import signals

SPINE = {
    level: {"herniation_mm": 0.0, "bulge_mm": 0.0, "flavum_mm": 3.5, "slip_mm": 0.0} for level in LUMBAR_DISCS
}


@pytest.fixture(scope="module")
def dataset():
    return make_dataset(220, seed=7, size=96)


def along_disc(mask, level, spacing_mm):
    """Return positions of all pixels along and across a disc's long axis, in mm from its middle."""
    y, x = np.nonzero(mask == FIRST_DISC + LUMBAR_DISCS.index(level))
    middle = np.array([x.mean(), y.mean()])
    axis = np.linalg.eigh(np.cov(np.stack([x, y])))[1][:, 1]
    axis *= np.sign(axis[0])  # towards the back
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    offset = np.stack([columns, rows], axis=-1) - middle
    return offset @ axis * spacing_mm, offset @ np.array([-axis[1], axis[0]]) * spacing_mm


def sac_width(rendering, level):
    """Return the narrowest AP diameter of the sac, in mm, within 2 mm of a disc's plane."""
    along, across = along_disc(rendering.mask, level, rendering.spacing_mm)
    sac = np.isin(rendering.mask, (MASK_LABELS["sac"], MASK_LABELS["cord"])) & (np.abs(along) < 50)
    rows = (sac & (np.abs(across - shift) < 0.6 * rendering.spacing_mm) for shift in (-2, -1, 0, 1, 2))
    return min(np.ptp(along[row]) + rendering.spacing_mm for row in rows)


def test_the_same_seed_gives_the_same_pixels_in_any_process():
    code = "from lumbar_utils.phantom import make_dataset; print(make_dataset(3, seed=5, size=128).fingerprint())"
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert prints == {make_dataset(3, seed=5, size=128).fingerprint()}
    assert prints != {make_dataset(3, seed=6, size=128).fingerprint()}


def test_more_patients_leave_the_first_ones_as_they_were(dataset):
    few = make_dataset(4, seed=7, size=96)
    assert np.array_equal(few.images, dataset.images[:4])
    assert list(few.patient_ids) == ["P000000", "P000001", "P000002", "P000003"]


def test_t2_signals_stand_in_the_order_of_the_tissues():
    tissue = signals("T2", marrow_fat=0.45, muscle_fat=0.1)
    order = [
        tissue["csf"],
        tissue["nucleus", 1],
        tissue["fat"],
        tissue["marrow"],
        tissue["cord"],
        tissue["annulus", 1],
        tissue["muscle"],
        tissue["cortex"],
    ]
    assert order == sorted(order, reverse=True)
    t1 = signals("T1")
    assert t1["fat"] > t1["marrow"] > t1["muscle"] > t1["csf"] > t1["cortex"]


def test_the_nucleus_darkens_with_every_pfirrmann_grade():
    ratios = []
    for grade in range(1, 6):
        grades = SPINE | {"L3-L4": {"pfirrmann": grade, "disc_height_mm": 10.5, "herniation_mm": 0.0}}
        picture = render(sample_patient(3, overrides=grades), noise=0.0)
        x, y = np.rint(picture.landmarks["L3-L4"]).astype(int)
        csf = np.median(picture.image[picture.mask == MASK_LABELS["sac"]])
        ratios.append(picture.image[y - 1 : y + 2, x - 4 : x + 5].mean() / csf)
    assert np.all(np.diff(ratios) < 0)


@pytest.mark.parametrize("depth_mm", [3.0, 6.0, 9.0])
@pytest.mark.parametrize("level", LUMBAR_DISCS[:3])
def test_a_central_herniation_is_drawn_as_deep_as_it_was_sampled(depth_mm, level):
    flat = dict.fromkeys(
        ("herniation_mm", "herniation_offset_mm", "migration_mm", "bulge_mm", "slip_mm"), 0.0
    )
    for seed in (1, 2, 3):
        grown = {level: flat | {"herniation_mm": depth_mm}}
        before = render(sample_patient(seed, overrides=SPINE | {level: flat}), size=448)
        after = render(sample_patient(seed, overrides=SPINE | grown), size=448)
        along, across = along_disc(before.mask, level, before.spacing_mm)
        disc = before.mask == FIRST_DISC + LUMBAR_DISCS.index(level)
        margin = along[disc & (np.abs(across) < before.spacing_mm)].max()
        tip = along[after.mask == MASK_LABELS["herniation"]].max()
        drawn = visible_herniation(
            sample_patient(seed, overrides=SPINE | grown).levels[LUMBAR_DISCS.index(level)], 0.0
        )
        assert drawn == pytest.approx(depth_mm, rel=0.04)  # the mean over 4 mm is little less than the middle
        assert tip - margin == pytest.approx(drawn, abs=after.spacing_mm)


@pytest.mark.parametrize(
    "sac_mm, bulge_mm, flavum_mm", [(14.0, 0.0, 3.5), (14.0, 3.4, 5.5), (11.0, 0.0, 6.0)]
)
def test_the_canal_is_drawn_as_wide_as_its_grades_say(sac_mm, bulge_mm, flavum_mm):
    grades = SPINE | {
        "L3-L4": {
            "sac_mm": sac_mm,
            "bulge_mm": bulge_mm,
            "flavum_mm": flavum_mm,
            "herniation_mm": 0.0,
            "slip_mm": 0.0,
        }
    }
    for seed in (1, 2, 3):
        patient = sample_patient(seed, overrides=grades)
        picture = render(patient, size=448)
        assert sac_width(picture, "L3-L4") == pytest.approx(
            patient.levels[2].canal_mm, abs=picture.spacing_mm
        )


def test_a_paracentral_herniation_fades_on_the_midline_and_shows_beside_it():
    grades = {"L4-L5": {"herniation_mm": 6.0, "herniation_offset_mm": 7.0}}
    patient = sample_patient(4, overrides=SPINE | grades)
    midline, beside = (
        np.sum(render(patient, offset_mm=offset).mask == MASK_LABELS["herniation"]) for offset in (0.0, 7.0)
    )
    assert midline < 0.6 * beside


def test_noise_in_the_air_is_that_of_a_magnitude_picture():
    picture = render(sample_patient(1), noise=0.06, fov_mm=420)
    air = picture.image[:, -14:].astype(float)
    assert air.mean() / air.std() == pytest.approx(1.91, abs=0.05)


def test_healthy_people_carry_incidental_findings(dataset):
    healthy = dataset.meta[dataset.labels == 0]
    worn = (healthy[[f"pfirrmann_{name}" for name in LUMBAR_DISCS]] >= 3).any(axis=1).mean()
    protruding = (healthy[[f"herniation_mm_{name}" for name in LUMBAR_DISCS]] > 2).any(axis=1).mean()
    assert 0.35 < worn < 0.9
    assert 0.15 < protruding < 0.6


def test_lesion_masks_show_most_diseases_and_nothing_in_the_healthy(dataset):
    for label, name in enumerate(PAPER4):
        shown = [lesion_mask(mask, name).any() for mask in dataset.masks[dataset.labels == label]]
        assert np.mean(shown) > 0.8 if label else not any(shown)
    with pytest.raises(LumbarError, match="Scoliosis"):
        lesion_mask(dataset.masks[0], "Scoliosis")


def test_classes_are_roughly_balanced(dataset):
    shares = np.bincount(dataset.labels, minlength=4) / len(dataset)
    assert shares.min() > 0.14
    assert shares.max() < 0.40


def test_a_schmorl_node_is_disc_inside_the_body_above_it():
    patients = [
        sample_patient(s, overrides=SPINE | {"L5-S1": {"schmorl_mm": d}}) for d in (0, 5) for s in (1, 2, 3)
    ]
    areas = [np.sum(render(patient).mask == MASK_LABELS["L5-S1"]) for patient in patients]
    assert np.all(np.array(areas[3:]) > np.array(areas[:3]) + 15)


def test_a_slice_beside_the_canal_shows_foramina_and_no_sac():
    patient = sample_patient(6)
    sacs = [np.sum(render(patient, offset_mm=o).mask == MASK_LABELS["sac"]) for o in (0.0, 8.0, 14.0)]
    assert sacs[0] > sacs[1] > sacs[2] == 0


def test_scanner_settings_say_nothing_about_the_disease(dataset):
    air = dataset.images[:, :12, -6:].reshape(len(dataset), -1)
    settings = np.stack([dataset.meta.spacing_mm, air.mean(axis=1), air.std(axis=1)], axis=1)
    forest = RandomForestClassifier(60, min_samples_leaf=5, random_state=0)
    accuracy = cross_val_score(forest, settings, dataset.labels, cv=4).mean()
    assert accuracy < np.bincount(dataset.labels).max() / len(dataset) + 0.08


def test_the_label_follows_from_the_grades():
    for seed in range(12):
        patient = sample_patient(seed, disease=PAPER4[1 + seed % 3])
        assert patient.label == derive_label(patient.levels, symptomatic=True)
        strength = severities(patient.levels)
        assert strength[patient.label] == max(strength[name] for name in PAPER4[1:])
        assert derive_label(patient.levels, symptomatic=False) == "Healthy"


def test_overrides_set_the_grade_and_leave_the_rest_of_the_picture():
    plain = sample_patient(9, disease="Healthy")
    changed = sample_patient(9, disease="Healthy", overrides={"L4-L5": {"modic": 2, "herniation_mm": 8.0}})
    assert changed.levels[1].herniation_mm == 8.0
    assert changed.levels[0] == plain.levels[0]
    before, after = render(plain), render(changed)
    far = np.ones_like(before.mask, bool)
    x, y = np.rint(before.landmarks["L4-L5"]).astype(int)
    far[y - 40 : y + 40, x - 40 : x + 40] = False
    assert np.array_equal(before.mask[far], after.mask[far])
    assert np.abs(before.image[far].astype(int) - after.image[far]).max() <= 5  # its ghost
    assert np.abs(before.image[~far].astype(int) - after.image[~far]).max() > 40


def test_landmarks_lie_on_what_they_name():
    for variation in ("narrow", "wide"):
        picture = render(sample_patient(11), variation=variation)
        inside = 0
        for name in (*LUMBAR_BODIES, *LUMBAR_DISCS):
            x, y = picture.landmarks[name]
            column, row = round(x), round(y)
            if 0 <= column < 224 and 0 <= row < 224:
                inside += 1
                assert picture.mask[row, column] in (MASK_LABELS[name], MASK_LABELS["modic"])
        assert inside >= 6


def test_landmarks_measure_what_was_sampled():
    patient = sample_patient(12)
    picture = render(patient)
    mm = lambda a, b: np.hypot(*np.subtract(picture.landmarks[a], picture.landmarks[b])) * picture.spacing_mm
    for level in patient.levels:
        width = mm(f"canal front {level.name}", f"canal rear {level.name}")
        assert width == pytest.approx(level.canal_mm, rel=0.03)
    depth = mm("L4 lower front", "L4 lower rear")
    assert depth == pytest.approx(patient.anatomy.body_depth[1], rel=0.02)


def test_t1_turns_the_canal_dark():
    patient = sample_patient(2)
    bright, dark = (render(patient, contrast=contrast) for contrast in ("T2", "T1"))
    sac, bodies = bright.mask == MASK_LABELS["sac"], bright.mask == MASK_LABELS["L3"]
    assert bright.image[sac].mean() > 1.5 * bright.image[bodies].mean()
    assert dark.image[sac].mean() < 0.7 * dark.image[bodies].mean()


def test_six_classes_come_out_of_the_other_scheme():
    labels = {sample_patient(seed, label_scheme="extended6").label for seed in range(60)}
    assert {"Spondylolisthesis", "Disc Degeneration"} <= labels


@pytest.mark.parametrize(
    "call, named",
    [
        (lambda: sample_patient(0, disease="Sciatica"), "Sciatica"),
        (lambda: sample_patient(0, label_scheme="icd"), "icd"),
        (lambda: sample_patient(-1), "-1"),
        (lambda: sample_patient(0, sex="X"), "'X'"),
        (lambda: sample_patient(0, age_years=7), "7"),
        (lambda: sample_patient(0, overrides={"L6-S1": {}}), "L6-S1"),
        (lambda: sample_patient(0, overrides={"L4-L5": {"pain": 3}}), "pain"),
        (lambda: sample_patient(0, overrides={"L4-L5": {"herniation_mm": 50}}), "50"),
        (lambda: render(sample_patient(0), view="coronal"), "coronal"),
        (lambda: render(sample_patient(0), view="axial", contrast="XR"), "XR"),
        (lambda: render(sample_patient(0), contrast="XR", offset_mm=4.0), "offset_mm"),
        (lambda: render(sample_patient(0), contrast="PD"), "PD"),
        (lambda: render(sample_patient(0), variation="huge"), "huge"),
        (lambda: render(sample_patient(0), size=7), "7 pixels"),
        (lambda: sample_patient(0, overrides={"L4-L5": {"modic": "two"}}), "'two'"),
        (lambda: make_dataset(1, seed=-4), "-4"),
        (lambda: make_dataset(0), "n_patients is 0"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_that_names_it(call, named):
    with pytest.raises(LumbarError) as caught:
        call()
    message = str(caught.value)
    assert named in message
    assert message.endswith(".")
    assert ". " not in message


def test_the_same_patients_are_seen_in_every_view():
    sagittal, axial, film = (
        make_dataset(3, seed=3, size=64, **options) for options in ({}, {"view": "axial"}, {"contrast": "XR"})
    )
    assert list(axial.meta["level"][:5]) == list(LUMBAR_DISCS)
    assert list(axial.patient_ids[::5]) == list(film.patient_ids) == list(sagittal.patient_ids)
    assert list(axial.meta["patient_seed"][::5]) == list(sagittal.meta["patient_seed"])
    assert np.array_equal(axial.labels[::5], sagittal.labels)
    assert not np.array_equal(film.images, sagittal.images)
