import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from lumbar_utils import LumbarError
from lumbar_utils.dataset import MASK_LABELS
from lumbar_utils.sources.spider import read_spider
from lumbar_utils.sources.spider_tables import GRADES, read_gradings, read_overview

sitk = pytest.importorskip("SimpleITK")

SPACING_MM = (4.0, 1.0, 2.0)  # left-right, front-back, head-foot


def write_volume(file, values, *, direction="LPS"):
    """Write an array of (slice, row from cranial, column from anterior) as a .mha volume."""
    volume = sitk.GetImageFromArray(np.ascontiguousarray(np.moveaxis(values, 0, 2)[::-1]))
    volume.SetSpacing(SPACING_MM)
    file.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.DICOMOrient(volume, direction), str(file))


def volume_and_mask():
    """Seven sagittal slices of 20 x 30; L5, its disc and the canal stand on slices 3 to 5."""
    values = np.random.default_rng(0).integers(50, 100, (7, 20, 30)).astype(np.int16)
    mask = np.zeros((7, 20, 30), np.uint8)
    mask[3:6, 10:14, 8:16] = 1
    mask[3:6, 14:16, 8:16] = 201
    mask[3:6, 6:8, 8:16] = 202
    mask[3:6, 2:6, 8:16] = 102
    mask[3:6, :, 18:22] = 100
    values[4, 10:14, 8:16] = 400
    return values, mask


def grading_rows(patient, herniated=()):
    return [
        {
            "Patient": patient,
            "IVD label": disc,
            **dict.fromkeys(GRADES, 0),
            "Pfirrman grade": 3,
            "Disc herniation": int(disc in herniated),
        }
        for disc in (1, 2)
    ]


def write_tree(path, **volumes):
    for series in ("1_t1", "1_t2", "2_t2"):
        values, mask = volume_and_mask()
        write_volume(path / "images" / f"{series}.mha", volumes.get("values", values), direction="PIR")
        write_volume(path / "masks" / f"{series}.mha", volumes.get("mask", mask), direction="PIR")
    pd.DataFrame(
        {
            "new_file_name": ["1_t1", "1_t2", "2_t2"],
            "sex": ["F ", "F ", "M"],
            "birth_date": ["", "", "59.0"],
            "subset": ["training", "training", "validation"],
        }
    ).to_csv(path / "overview.csv", index=False)
    pd.DataFrame(grading_rows(1, herniated=(2,)) + grading_rows(2)).to_csv(
        path / "radiological_gradings.csv", index=False
    )
    return path


@pytest.fixture
def tree(tmp_path):
    return write_tree(tmp_path)


def test_the_midline_slice_comes_upright_with_the_numbers_of_the_package(tree):
    dataset = read_spider(tree, size=80)
    assert dataset.images.shape == (2, 80, 80) and dataset.patient_ids.tolist() == ["1", "2"]
    assert dataset.meta["slice"].tolist() == [4, 4]
    assert dataset.meta["spacing_mm"].tolist() == [0.5, 0.5]  # 40 mm high, 80 pixels
    mask = dataset.masks[0]
    assert set(np.unique(mask)) == {0, *(MASK_LABELS[name] for name in ("L5", "L4", "L5-S1", "L4-L5", "sac"))}
    rows, columns = np.nonzero(mask == MASK_LABELS["L5"])
    assert (rows.min(), rows.max()) == (40, 55)  # 4 voxels of 2 mm, 20 mm below the top
    assert columns.max() - columns.min() == 15  # 8 voxels of 1 mm
    assert columns.max() < np.nonzero(mask == MASK_LABELS["sac"])[1].min()  # anterior left
    assert np.nonzero(mask == MASK_LABELS["L4"])[0].max() < rows.min()
    bright = dataset.images[0] > 200
    assert (bright & (mask == MASK_LABELS["L5"])).sum() > 0.8 * bright.sum() > 100


def test_labels_and_grades_are_those_of_the_patient(tree):
    dataset = read_spider(tree, size=32)
    assert dataset.class_names == ("no herniation graded", "herniation graded")
    assert dataset.labels.tolist() == [1, 0]
    assert dataset.meta["herniation_L4-L5"].tolist() == [1, 0]
    assert dataset.meta["pfirrmann_L5-S1"].tolist() == [3, 3] and dataset.meta["modic_L1-L2"].isna().all()
    assert dataset.meta["sex"].tolist() == ["F", "M"] and dataset.meta["age_years"].tolist()[1] == 59
    worst = read_spider(tree, size=32, label="pfirrmann")
    assert [worst.class_names[label] for label in worst.labels] == ["Pfirrmann 3", "Pfirrmann 3"]
    assert dataset.licence == "CC BY 4.0" and "10159290" in dataset.citation


def test_all_slices_of_another_contrast(tree):
    dataset = read_spider(tree, contrast="T1", slices="all", size=32)
    assert len(dataset) == 7 and set(dataset.patient_ids) == {"1"}
    assert [bool((mask == 1).any()) for mask in dataset.masks] == [False] * 3 + [True] * 3 + [False]


def test_graded_but_not_segmented_discs_are_counted(tree):
    _, mask = volume_and_mask()
    mask[mask == 202] = 0
    write_tree(tree, mask=mask)
    with pytest.warns(
        UserWarning, match=r"2 disc\(s\) are graded but not segmented \(first: L4-L5 of 1_t2\)"
    ):
        read_spider(tree, size=32)


def test_rows_below_the_lowest_disc_and_unlisted_volumes_are_counted(tree):
    file = tree / "radiological_gradings.csv"
    file.write_text(file.read_text() + "1,0," + ",".join(["1"] * 8) + "\n")
    (tree / "images" / "9_t2.mha").write_bytes(b"")
    with pytest.warns(UserWarning) as caught:
        read_spider(tree, size=32)
    told = " ".join(str(warning.message) for warning in caught)
    assert (
        "1 row(s) grade an IVD label below 1" in told and "1 volume(s) in images/ are not in overview" in told
    )


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda t: (t / "overview.csv").unlink(), "overview.csv cannot be opened"),
        (lambda t: (t / "radiological_gradings.csv").unlink(), "radiological_gradings.csv cannot be opened"),
        (lambda t: edit(t / "radiological_gradings.csv", "Pfirrman grade", "Pfirrmann"), "'Pfirrman grade'"),
        (
            lambda t: edit(t / "radiological_gradings.csv", "\n1,2,3,", "\n1,2,7,"),
            "row 3, Pfirrman grade is '7'",
        ),
        (
            lambda t: edit(t / "radiological_gradings.csv", "\n1,2,3,", "\n1,1,3,"),
            "row 3 grades disc 1 of patient 1 a",
        ),
        (lambda t: edit(t / "radiological_gradings.csv", "\n2,", "\n3,"), "no row for patient 2"),
        (lambda t: edit(t / "overview.csv", "validation", "test"), "row 4, subset is 'test'"),
        (lambda t: edit(t / "overview.csv", "2_t2", "two_t2"), "row 4, new_file_name is 'two_t2'"),
        (lambda t: edit(t / "overview.csv", "2_t2", "1_t2"), "lists 1_t2 twice"),
        (lambda t: (t / "images" / "2_t2.mha").unlink(), "There is no images/2_t2.mha"),
        (lambda t: (t / "masks" / "1_t2.mha").unlink(), "There is no masks/1_t2.mha"),
        (lambda t: (t / "images" / "1_t2.mha").write_bytes(b"no volume"), "images/1_t2.mha is no volume"),
        (lambda t: write_tree(t, mask=np.full((7, 20, 30), 77, np.uint8)), "holds the number 77"),
        (lambda t: write_tree(t, mask=np.zeros((7, 20, 30), np.uint8)), "holds no vertebra"),
        (lambda t: write_tree(t, mask=np.ones((6, 20, 30), np.uint8)), "wanted one grid"),
    ],
)
def test_a_wrong_layout_gets_one_sentence(tree, harm, says):
    harm(tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(LumbarError) as caught:
            read_spider(tree, size=32)
    message = str(caught.value)
    assert says in message and "\n" not in message and message.endswith(".")


@pytest.mark.parametrize(
    "option", [{"label": "stenosis"}, {"contrast": "t2"}, {"slices": "middle"}, {"contrast": "T2 SPACE"}]
)
def test_an_unknown_option_is_named_with_its_choices(tree, option):
    with pytest.raises(LumbarError, match="choose"):
        read_spider(tree, **option)


def test_a_missing_reader_is_named_with_its_remedy(tree, monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(LumbarError, match=r"SimpleITK, .* run pip install simpleitk\.$"):
        read_spider(tree)


def test_a_cut_volume_is_refused(tree):
    file = tree / "images" / "1_t2.mha"
    whole = file.read_bytes()
    for share in (0.2, 0.5, 0.9):
        file.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(LumbarError, match=r"images/1_t2\.mha is no volume that can be read"):
            read_spider(tree, size=32)


def test_a_cut_compressed_volume_is_refused(tree):
    file = tree / "masks" / "1_t2.mha"
    sitk.WriteImage(sitk.ReadImage(str(file)), str(file), useCompression=True)
    assert len(read_spider(tree, size=32)) == 2
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    with pytest.raises(LumbarError, match=r"masks/1_t2\.mha"):
        read_spider(tree, size=32)


@pytest.mark.parametrize("reader", [read_overview, read_gradings])
def test_every_broken_table_is_read_or_refused_with_one_sentence(tree, reader):
    file = tree / ("overview.csv" if reader is read_overview else "radiological_gradings.csv")
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
            lines = whole.split(b"\n")
            lines[rng.integers(0, len(lines))] = lines[rng.integers(0, len(lines))] + b"," * int(
                rng.integers(0, 2)
            )
            content = b"\n".join(lines)
        file.write_bytes(bytes(content))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                assert len(reader(file)) >= 1
            except LumbarError as error:
                refused += 1
                assert "\n" not in str(error) and file.name in str(error) and len(str(error)) < 350
    assert 30 < refused < 60
