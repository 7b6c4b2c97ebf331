import io
import warnings

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.data import get_testdata_file

from lumbar_utils import LumbarError
from lumbar_utils.dataset import LUMBAR_DISCS
from lumbar_utils.sources.rsna import (
    CLASSES,
    CONDITIONS,
    read_descriptions,
    read_grades,
    read_points,
    read_rsna,
    slice_position,
)

STUDY, T2, T1, AXIAL = 4003253, 702807833, 1054713880, 2448190387
SECRET = "Mustermann^Erika"


def write_slice(file, *, value, left_mm, bright_at=None):
    """Write a sagittal slice of 64 x 64 pixels of 1 mm that lies `left_mm` to the left."""
    header = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    pixels = np.random.default_rng(value).integers(0, 50, (64, 64)).astype(np.int16)
    if bright_at:
        x, y = bright_at
        pixels[y - 3 : y + 4, x - 3 : x + 4] = 1000
    header.PixelData = pixels.tobytes()
    header.PixelSpacing = [1.0, 1.0]
    header.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    header.ImagePositionPatient = [left_mm, 0, 0]
    header.PatientName = SECRET
    for tag in ("WindowCenter", "WindowWidth"):
        if tag in header:
            delattr(header, tag)
    file.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(file)


def train_table(**grades):
    """A table of one study whose columns are blank but for `grades`."""
    columns = [f"{name}_{level.lower().replace('-', '_')}" for name in CONDITIONS for level in LUMBAR_DISCS]
    return pd.DataFrame([{"study_id": STUDY, **{column: grades.get(column, "") for column in columns}}])


@pytest.fixture
def tree(tmp_path):
    train_table(
        spinal_canal_stenosis_l4_l5="Severe",
        spinal_canal_stenosis_l5_s1="Normal/Mild",
        spinal_canal_stenosis_l2_l3="Moderate",
        left_neural_foraminal_narrowing_l4_l5="Moderate",
        right_neural_foraminal_narrowing_l4_l5="Normal/Mild",
    ).to_csv(tmp_path / "train.csv", index=False)
    pd.DataFrame(
        {
            "study_id": STUDY,
            "series_id": [T2, T1, AXIAL],
            "series_description": ["Sagittal T2/STIR", "Sagittal T1", "Axial T2"],
        }
    ).to_csv(tmp_path / "train_series_descriptions.csv", index=False)
    canal = "Spinal Canal Stenosis"
    pd.DataFrame(
        [
            (STUDY, T2, 2, canal, "L4/L5", 20.0, 30.0),
            (STUDY, T2, 2, canal, "L5/S1", 40.5, 50.5),
            (STUDY, T2, 2, canal, "L1/L2", 22.0, 10.0),
            (STUDY, T1, 1, canal, "L5/S1", 22.0, 10.0),
            (STUDY, T1, 1, "Left Neural Foraminal Narrowing", "L4/L5", 30.0, 30.0),
            (STUDY, T1, 1, "right_neural_foraminal_narrowing", "l4_l5", 30.0, 30.0),
        ],
        columns=["study_id", "series_id", "instance_number", "condition", "level", "x", "y"],
    ).to_csv(tmp_path / "train_label_coordinates.csv", index=False)
    images = tmp_path / "train_images" / str(STUDY)
    for instance, left_mm in ((1, 8.0), (2, 0.0), (3, -8.0)):  # instance numbers run against the positions
        write_slice(images / str(T2) / f"{instance}.dcm", value=instance, left_mm=left_mm, bright_at=(20, 30))
    write_slice(images / str(T1) / "1.dcm", value=9, left_mm=0.0)
    return tmp_path


def read(tree, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_rsna(tree, size=options.pop("size", 32), **options)


def test_each_graded_point_gives_a_crop_with_its_grade(tree):
    dataset = read(tree, crop_mm=16)
    assert dataset.class_names == CLASSES and dataset.images.shape == (2, 32, 32)
    assert dict(zip(dataset.meta["level"], dataset.labels.tolist(), strict=True)) == {"L4-L5": 2, "L5-S1": 0}
    assert dataset.patient_ids.tolist() == [str(STUDY)] * 2
    assert dataset.meta["spacing_mm"].tolist() == [0.5, 0.5]
    rows, columns = np.nonzero(dataset.images[0] > 200)
    assert abs(rows.mean() - 16) < 2 and abs(columns.mean() - 16) < 2
    assert "non-commercial" in dataset.licence and SECRET not in str(dataset.meta.to_dict())


def test_what_gives_no_picture_is_counted(tree):
    with pytest.warns(
        UserWarning, match=r"left out 1 point\(s\) without a grade \(NaN\), 1 point\(s\) outside .* 1 grade"
    ):
        read_rsna(tree, size=32)


def test_both_spellings_and_both_sides(tree):
    spelled = read(tree, condition="Spinal Canal Stenosis")
    assert np.array_equal(spelled.images, read(tree).images)
    sides = read(tree, condition="neural_foraminal_narrowing")
    assert dict(zip(sides.meta["condition"], sides.labels.tolist(), strict=True)) == {
        "left_neural_foraminal_narrowing": 1,
        "right_neural_foraminal_narrowing": 0,
    }
    assert len(read(tree, condition="left_neural_foraminal_narrowing")) == 1
    assert set(sides.meta["contrast"]) == {"T1"}


def test_whole_slices_and_another_description(tree):
    whole = read(tree, crop_mm=None)
    assert whole.meta["spacing_mm"].tolist() == [2.0, 2.0]
    assert np.array_equal(whole.images[0], whole.images[1])
    assert read(tree, description="Sagittal T1").meta["series"].tolist() == [T1]


def test_neighbours_follow_the_position_and_not_the_instance_number(tree):
    dataset = read(tree, neighbours=1)
    assert dataset.meta["instance"].tolist() == [3, 2, 1] * 2
    assert dataset.meta["slice"].tolist() == [0, 1, 2] * 2
    assert dataset.meta["from_marked"].tolist() == [-1, 0, 1] * 2


def test_axial_blocks_of_different_tilt_are_ordered_from_caudal_to_cranial(tmp_path):
    positions = []
    for number, (height_mm, tilt) in enumerate([(0.0, 35.0), (4.0, 35.0), (30.0, 0.0), (34.0, 0.0)]):
        file = tmp_path / f"{number}.dcm"
        write_slice(file, value=number, left_mm=0.0)
        header = pydicom.dcmread(file)
        down = np.array([0, np.cos(np.radians(tilt)), -np.sin(np.radians(tilt))])
        header.ImageOrientationPatient = [1, 0, 0, *down]
        header.ImagePositionPatient = [-31.5, *(np.array([-80.0, height_mm]) - 31.5 * down[1:])]
        header.save_as(file)
        positions.append(slice_position(file, file.name))
    assert np.allclose(positions, [0, 4, 30, 34])


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def without_position(tree):
    file = tree / "train_images" / str(STUDY) / str(T2) / "3.dcm"
    header = pydicom.dcmread(file)
    del header.ImagePositionPatient
    header.save_as(file)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda t: (t / "train.csv").unlink(), "train.csv cannot be opened"),
        (
            lambda t: (t / "train_label_coordinates.csv").unlink(),
            "train_label_coordinates.csv cannot be opened",
        ),
        (
            lambda t: (t / "train_series_descriptions.csv").unlink(),
            "train_series_descriptions.csv cannot be opened",
        ),
        (
            lambda t: edit(t / "train.csv", "spinal_canal_stenosis_l1_l2", "scs"),
            "'spinal_canal_stenosis_l1_l2'",
        ),
        (
            lambda t: edit(t / "train.csv", "Severe", "severe"),
            "row 2, spinal_canal_stenosis_l4_l5 is 'severe'",
        ),
        (lambda t: edit(t / "train.csv", str(STUDY), "17"), "study 4003253, which train.csv does not hold"),
        (lambda t: edit(t / "train_label_coordinates.csv", "L4/L5", "L4/L6"), "row 2, level is 'L4/L6'"),
        (
            lambda t: edit(t / "train_label_coordinates.csv", "Spinal Canal", "Spinal"),
            "row 2, condition is 'Spinal Sten",
        ),
        (lambda t: edit(t / "train_label_coordinates.csv", "20.0", "nan"), "row 2, x is 'nan'"),
        (
            lambda t: edit(t / "train_label_coordinates.csv", "20.0", "120.0"),
            "row 2 marks (120, 30), outside",
        ),
        (lambda t: edit(t / "train_label_coordinates.csv", f"{T2},2", f"{T2},7"), "has no 7.dcm"),
        (
            lambda t: edit(t / "train_series_descriptions.csv", str(T2), "5"),
            "which train_series_descriptions.csv",
        ),
        (
            lambda t: edit(t / "train_series_descriptions.csv", "Axial T2", "Coronal"),
            "series_description is 'Coronal'",
        ),
        (
            lambda t: (t / "train_images").rename(t / "images"),
            "There is no slice in train_images/4003253/702807833",
        ),
        (without_position, "3.dcm does not say where it lies"),
        (
            lambda t: (t / "train_images" / str(STUDY) / str(T2) / "1.dcm").write_bytes(b"x"),
            "does not say where it lies",
        ),
    ],
)
def test_a_wrong_layout_gets_one_sentence(tree, harm, says):
    harm(tree)
    with pytest.raises(LumbarError) as caught:
        read(tree)
    message = str(caught.value)
    assert says in message and "\n" not in message and message.endswith(".") and SECRET not in message


@pytest.mark.parametrize(
    "option",
    [
        {"condition": "herniation"},
        {"description": "T2"},
        {"crop_mm": 0},
        {"neighbours": -1},
        {"description": "Axial T2"},
    ],
)
def test_an_unknown_option_is_refused(tree, option):
    with pytest.raises(LumbarError, match="choose"):
        read(tree, **option)


def test_every_cut_slice_is_read_or_refused_with_one_sentence(tree):
    file = tree / "train_images" / str(STUDY) / str(T2) / "2.dcm"
    whole = file.read_bytes()
    refused = 0
    for cut in range(0, len(whole), 700):
        file.write_bytes(whole[:cut])
        try:
            read(tree)
        except LumbarError as error:
            refused += 1
            assert "2.dcm" in str(error) and "\n" not in str(error) and SECRET not in str(error)
    assert refused >= 10


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        (read_grades, "train.csv"),
        (read_points, "train_label_coordinates.csv"),
        (read_descriptions, "train_series_descriptions.csv"),
    ],
)
def test_every_broken_table_is_read_or_refused_with_one_sentence(tree, reader, name):
    file = tree / name
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for variant in range(60):
        content = bytearray(whole)
        if variant % 3 == 0:
            content = content[: rng.integers(0, len(content))]
        elif variant % 3 == 1:
            for at in rng.integers(0, len(content), 4):
                content[at] ^= 1 << rng.integers(0, 8)
        else:
            table = pd.read_csv(io.BytesIO(whole), dtype=str)
            victim = table.columns[rng.integers(0, len(table.columns))]
            table = table.drop(columns=victim) if rng.integers(0, 2) else table.assign(**{victim: "?"})
            content = table.to_csv(index=False).encode()
        file.write_bytes(bytes(content))
        try:
            assert len(reader(file)) >= 1
        except LumbarError as error:
            refused += 1
            assert "\n" not in str(error) and name in str(error) and len(str(error)) < 350
    assert 30 < refused <= 60
