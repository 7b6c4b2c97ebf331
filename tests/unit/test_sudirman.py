import sys
import warnings
import zipfile

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.data import get_testdata_file

from lumbar_utils import LumbarError
from lumbar_utils.sources.sudirman import read_sudirman
from lumbar_utils.sources.sudirman_report import findings_of, read_report

SECRET = "Mustermann"
STUDY = "L-SPINE_CLINICAL_LIBRARIES_20160530_125557_550000"
REPORTS = {
    1: f"{SECRET} has low back pain.\nL4-L5: diffuse disc bulge compressing the thecal sac.\nL5-S1: no herniation.",
    2: "L3-4, L4-5 and L5-S1 disc protrusions.",
    3: "No significant abnormality. Muscle spasm.",
    4: None,
}


def write_slice(file, *, value, left_mm):
    header = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    header.PixelData = np.random.default_rng(value).integers(0, 900, (64, 64)).astype(np.int16).tobytes()
    header.PixelSpacing = [1.0, 1.0]
    header.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    header.ImagePositionPatient = [left_mm, 0, 0]
    header.PatientName = SECRET
    file.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(file)


def write_report(path, **columns):
    table = columns or {"Patient ID": list(REPORTS), "Clinician's Notes": list(REPORTS.values())}
    pd.DataFrame(table).to_excel(path / "Radiologists Report.xlsx", index=False)


@pytest.fixture
def tree(tmp_path):
    for patient in (1, 2, 3, 4, 6):
        study = tmp_path / "01_MRI_Data" / f"{patient:04}" / STUDY
        for name, left_mm in (("c", 5.0), ("a", 0.0), ("b", -5.0)):  # the middle one is "a"
            write_slice(study / "T2_TSE_SAG_384_0002" / f"{name}.ima", value=patient, left_mm=left_mm)
        write_slice(study / "POSDISP_[4]_T2_TSE_SAG_384_5001" / "a.ima", value=9, left_mm=0.0)
    write_slice(study / "T1_TSE_TRA_0005" / "a.ima", value=9, left_mm=0.0)
    write_report(tmp_path)
    return tmp_path


def read(tree, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_sudirman(tree, size=32, **options)


@pytest.mark.parametrize(
    ("report", "levels"),
    [
        ("L4-5: diffuse disc bulge.", {"L4-L5"}),
        ("L4/L5 disc extrusion; L5/S1 normal", {"L4-L5"}),
        ("L3-4, L4-5 and L5-S1 disc bulges", {"L3-L4", "L4-L5", "L5-S1"}),
        ("L4-5: no disc bulge or protrusion. L5-S1: mild narrowing.", {"L5-S1"}),
        ("L4-L5: No herniation but mild canal stenosis.", {"L4-L5"}),
        ("L5-S1: without compression of the sac", set()),
        ("Disc bulge. Straightening of the lumbar spine.", set()),
        ("L1-2: retrolisthesis\r\nL2-3: unremarkable", {"L1-L2"}),
        ("", set()),
    ],
)
def test_the_rule_finds_the_levels_with_a_stated_finding(report, levels):
    assert {level for level, stated in findings_of(report).items() if stated} == levels


def test_a_patient_gives_its_middle_slice_and_what_the_report_states(tree):
    dataset = read(tree)
    assert dataset.class_names == ("no finding stated", "finding stated")
    assert dataset.patient_ids.tolist() == ["0001", "0002", "0003"]
    assert dataset.labels.tolist() == [1, 1, 0]
    assert dataset.meta["finding_L4-L5"].tolist() == [1, 1, 0]
    assert dataset.meta["finding_L5-S1"].tolist() == [0, 1, 0]
    assert read(tree, level="L5-S1").labels.tolist() == [0, 1, 0]
    assert dataset.meta["source_file"].tolist()[0] == "0001/T2_TSE_SAG_384_0002/a.ima"
    assert dataset.meta["spacing_mm"].tolist() == [2.0] * 3


def test_no_word_of_a_report_or_header_and_no_date_reaches_the_dataset(tree):
    dataset = read(tree)
    everything = f"{dataset!r} {dataset.meta.to_dict()} {dataset.citation}"
    assert not any(word in everything for word in (SECRET, "bulge", "pain", "20160530"))


def test_patients_left_out_are_counted(tree):
    with pytest.warns(
        UserWarning, match="1 patient.s. without a row in the workbook, 1 with an empty report and 0"
    ):
        read_sudirman(tree, size=32)


def test_a_level_column_with_0_and_1_is_taken_for_its_level(tree):
    write_report(tree, **{"Patient ID": [1, 2, 3], "L4-L5": [0, 1, None], "L5-S1": ["1", "0", "1.0"]})
    dataset = read(tree, level="L4-L5")
    assert dataset.patient_ids.tolist() == ["0001", "0002"] and dataset.labels.tolist() == [0, 1]
    assert read(tree).labels.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda t: (t / "Radiologists Report.xlsx").unlink(), "There is no 'Radiologists Report.xlsx'"),
        (
            lambda t: write_report(t, **{"Patient": [1], "Clinician's Notes": [SECRET]}),
            "not one named 'Patient ID'",
        ),
        (
            lambda t: write_report(t, **{"Patient ID": [1], SECRET: [SECRET]}),
            'not one named "Clinician\'s Notes"',
        ),
        (
            lambda t: write_report(t, **{"Patient ID": [1, 1], "Clinician's Notes": [SECRET] * 2}),
            "row 3 repeats patient 1",
        ),
        (
            lambda t: write_report(t, **{"Patient ID": [SECRET], "Clinician's Notes": [""]}),
            "row 2, Patient ID holds",
        ),
        (
            lambda t: write_report(t, **{"Patient ID": [1], "L4-L5": [SECRET]}),
            "row 2, L4-L5 holds something else",
        ),
        (
            lambda t: write_report(t, **{"Patient ID": [99], "L4-L5": [1]}),
            "gives no picture: it holds 5 patient(s) with",
        ),
        (lambda t: (t / "01_MRI_Data").rename(t / "images"), "has no folder of a patient"),
        (
            lambda t: next(t.rglob("0001/L*/T2*/c.ima")).write_bytes(b"x"),
            "0001/T2_TSE_SAG_384_0002/c.ima does not say",
        ),
        (
            lambda t: [f.unlink() for f in t.rglob("0001/L*/T2*/*.ima")],
            "0001/T2_TSE_SAG_384_0002 holds no .ima",
        ),
    ],
)
def test_a_wrong_layout_gets_one_sentence(tree, harm, says):
    harm(tree)
    with pytest.raises(LumbarError) as caught:
        read(tree)
    message = str(caught.value)
    assert says in message and "\n" not in message and message.endswith(".") and SECRET not in message


@pytest.mark.parametrize("option", [{"level": "L6-S1"}, {"view": "coronal"}, {"contrast": "STIR"}])
def test_an_unknown_option_is_refused(tree, option):
    with pytest.raises(LumbarError, match="choose one"):
        read(tree, **option)


def test_a_missing_series_and_a_missing_folder_are_named(tree):
    with pytest.raises(LumbarError, match="3 without axial T1 series"):
        read(tree, view="axial", contrast="T1")
    with pytest.raises(LumbarError, match="There is no folder"):
        read(tree / "gone")


def test_a_missing_reader_is_named_with_its_remedy(tree, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(LumbarError, match=r"openpyxl, .* run pip install openpyxl\.$"):
        read(tree)


def test_a_workbook_that_unpacks_to_too_much_is_refused(tree):
    with zipfile.ZipFile(tree / "Radiologists Report.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(30_000_000))
    with pytest.raises(LumbarError, match="unpacks to 30 MB"):
        read(tree)


def test_every_broken_workbook_is_read_or_refused_with_one_sentence(tree):
    file = tree / "Radiologists Report.xlsx"
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for variant in range(60):
        if variant % 3 == 2:
            names = ["Patient ID", "Clinician's Notes"]
            names[rng.integers(0, 2)] = str(rng.integers(0, 9))
            write_report(tree, **dict(zip(names, ([1, 2], [SECRET, SECRET]), strict=True)))
        else:
            content = bytearray(whole)
            if variant % 3 == 0:
                content = content[: rng.integers(0, len(content))]
            else:
                for at in rng.integers(0, len(content), 4):
                    content[at] ^= 1 << rng.integers(0, 8)
            file.write_bytes(bytes(content))
        try:
            assert len(read_report(file)) >= 1
        except LumbarError as error:
            refused += 1
            assert "\n" not in str(error) and file.name in str(error) and SECRET not in str(error)
            assert error.__cause__ is None
    assert refused > 40
