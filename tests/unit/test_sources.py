import io
import warnings

import cv2
import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from lumbar_utils import LumbarError, load_dataset
from lumbar_utils.sources import read_picture
from lumbar_utils.sources.dicom import ALLOWED_TAGS, read_dicom

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 30)).astype(np.uint8)


def encoded(picture=PICTURE, suffix=".png"):
    return cv2.imencode(suffix, picture)[1].tobytes()


def dicom_bytes(**changes):
    header = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    for tag, value in changes.items():
        if value is None:
            delattr(header, tag)
        else:
            setattr(header, tag, value)
    content = io.BytesIO()
    header.save_as(content)
    return content.getvalue()


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
def test_a_lossless_picture_comes_back_as_it_was(suffix):
    assert np.array_equal(read_picture(encoded(suffix=suffix)), PICTURE)


def test_colours_become_grey_and_16_bits_8():
    colour = np.dstack([PICTURE] * 3)
    assert np.array_equal(read_picture(encoded(colour)), PICTURE)
    deep = read_picture(encoded(PICTURE.astype(np.uint16) * 16))
    assert deep.dtype == np.uint8 and np.corrcoef(deep.ravel(), PICTURE.ravel())[0, 1] > 0.999


def test_the_content_decides_not_the_name(tmp_path):
    file = tmp_path / "slice.jpg"
    file.write_bytes(encoded(suffix=".png"))
    assert np.array_equal(read_picture(file), PICTURE)


def test_a_dicom_file_is_windowed_and_monochrome1_turned():
    bright = read_picture(dicom_bytes())
    dark = read_picture(dicom_bytes(PhotometricInterpretation="MONOCHROME1"))
    assert bright.shape == (64, 64) and bright.dtype == np.uint8
    assert np.corrcoef(bright.ravel(), dark.ravel())[0, 1] < -0.95


def test_no_name_leaves_a_dicom_file(caplog, capsys):
    secret = "Mustermann^Erika"
    content = dicom_bytes(
        PatientName=secret, PatientID=secret, StudyDescription=secret, InstitutionName=secret
    )
    _, tags = read_dicom(content, name="x.dcm", max_pixels=10**6)
    assert set(tags) <= set(ALLOWED_TAGS) and "Mustermann" not in str(tags)
    for cut in range(200, len(content), 257):
        try:
            read_picture(content[:cut], name="x.dcm")
        except LumbarError as error:
            assert "Mustermann" not in str(error) and error.__cause__ is None
    assert "Mustermann" not in caplog.text + "".join(capsys.readouterr())


def no_pixels():
    return dicom_bytes(PixelData=None)


def huge_header():
    """A PNG that declares 20,000 x 10,000 pixels and holds next to none."""
    content = bytearray(encoded())
    content[16:24] = (20_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big")
    import zlib

    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    return bytes(content)


def bomb():
    """A real PNG of 200 megapixels in a few kilobytes."""
    content = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"no picture at all", "not a picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture that can be read"),
        (encoded()[:200], "cut or damaged"),
        (encoded(suffix=".jpg")[:300], "cut or damaged"),
        (huge_header(), "over 178 million pixels, at most 50 million"),
        (bomb(), "over 178 million pixels, at most 50 million"),
        (encoded(np.zeros((8000, 8000), np.uint8)), "8000 x 8000 pixels, at most 50 million"),
        (encoded(PICTURE[:4, :4]), "4 x 4 pixels, wanted at least 8"),
        (no_pixels(), "DICOM file without pixels"),
        (dicom_bytes()[:2000], "DICOM file"),
        (dicom_bytes(Rows=30_000, Columns=30_000), "30000 x 30000 pixels"),
    ],
)
def test_a_bad_file_gets_one_sentence_that_names_it(content, says):
    with pytest.raises(LumbarError) as caught:
        read_picture(content, name="bad.png")
    message = str(caught.value)
    assert message.startswith("bad.png ") and says in message
    assert "\n" not in message and len(message) < 250


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LumbarError, match=r"gone\.png cannot be opened"):
        read_picture(tmp_path / "gone.png")


def folder_of_classes(path, **counts):
    for name, count in counts.items():
        (path / name).mkdir(parents=True)
        for number in range(count):
            (path / name / f"P{number // 2}_slice{number}.png").write_bytes(encoded())
    return path


def test_a_folder_a_class_with_aliases_and_patients(tmp_path):
    path = folder_of_classes(tmp_path / "set", stenosis=4, Normal=2, LDH=2)
    dataset = load_dataset(
        "folder", path=path, aliases={"LDH": "Herniated Disk"}, patient_pattern="^[^_]+", size=64
    )
    assert dataset.class_names == ("Healthy", "Herniated Disk", "Spinal Stenosis")
    assert dataset.summary()["pictures"].tolist() == [2, 2, 4, 8]
    assert dataset.images.shape == (8, 64, 64)
    assert dataset.meta["source_file"][2] == "Normal/P0_slice0.png" or "LDH/P0_slice0.png" in set(
        dataset.meta["source_file"]
    )


def test_without_a_pattern_the_folder_warns_of_leaks(tmp_path):
    path = folder_of_classes(tmp_path / "set", a=2, b=2)
    with pytest.warns(UserWarning, match="a split will leak"):
        assert len(set(load_dataset("folder", path=path).patient_ids)) == 2


@pytest.mark.parametrize(
    ("counts", "options", "says"),
    [
        ({}, {}, "no subfolder"),
        ({"a": 2, "b": 0}, {}, r"b holds no picture"),
        ({"a": 2}, {"patient_pattern": r"X(\d+)"}, "finds no patient in the name 'P0_slice0'"),
        ({"a": 2}, {"patient_pattern": "("}, "no regular expression"),
    ],
)
def test_a_bad_folder_is_named(tmp_path, counts, options, says):
    path = tmp_path / "set"
    path.mkdir()
    folder_of_classes(path, **counts)
    with pytest.raises(LumbarError, match=says):
        load_dataset("folder", path=path, **options)
    with pytest.raises(LumbarError, match="There is no folder"):
        load_dataset("folder", path=tmp_path / "nowhere")


def test_a_damaged_file_in_a_folder_is_named_with_its_class(tmp_path):
    path = folder_of_classes(tmp_path / "set", a=2, b=2)
    (path / "b" / "P0_slice0.png").write_bytes(encoded()[:150])
    with pytest.raises(LumbarError, match=r"b/P0_slice0\.png .* cut or damaged"), warnings.catch_warnings():
        load_dataset("folder", path=path, patient_pattern="^[^_]+")


def yolo_tree(path, lines, name="7_2_png.rf.abc"):
    for folder in ("images", "labels"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    picture = np.zeros((200, 100), np.uint8)
    picture[40:60, 20:60] = 250
    (path / "images" / f"{name}.png").write_bytes(encoded(picture))
    (path / "labels" / f"{name}.txt").write_text(lines)
    return path


def test_yolo_boxes_become_crops_that_know_their_picture(tmp_path):
    path = yolo_tree(tmp_path, "1 0.4 0.8 0.4 0.1\n0 0.4 0.25 0.4 0.1\n")
    dataset = load_dataset(
        "yolo", path=path, classes=("disc", "herniated"), patient_pattern="^[^_]+", size=56, context=1.4
    )
    assert dataset.labels.tolist() == [0, 1]  # from the top of the picture downwards
    assert dataset.patient_ids.tolist() == ["7", "7"]
    assert dataset.meta["source_picture"].tolist() == ["7_2_png"] * 2
    first = dataset.images[0]
    assert (
        first[28, 28] > 240 and first[28, 2] < 10 and first[2, 28] < 10
    )  # the box is centred, with a margin
    assert abs((first > 125).sum() - 40 * 20) < 100  # side 1.4 x 40 px = 56 px: one pixel a pixel


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("0 0.4 0.25 0.4", "line 1 reads '0 0.4 0.25 0.4', wanted five numbers"),
        ("0 0.5 0.5 0.1 0.1\n2 0.4 0.25 0.4 0.1", "line 2 has class 2, but 2 class name"),
        ("0 40 25 40 10", "wanted fractions"),
        ("", "holds no box"),
    ],
)
def test_a_bad_label_file_is_named(tmp_path, lines, says):
    with pytest.raises(LumbarError, match=says):
        load_dataset("yolo", path=yolo_tree(tmp_path, lines), classes=("a", "b"))


def test_an_unknown_source_names_the_known_ones():
    with pytest.raises(LumbarError, match="'phantom', 'folder', 'yolo'"):
        load_dataset("kaggle")


def test_phantoms_come_back_from_the_cache_as_they_were_made(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMBAR_CACHE", str(tmp_path))
    made = load_dataset("phantom", n_patients=6, seed=3, size=96)
    file = next(tmp_path.rglob("*.npz"))
    kept = load_dataset("phantom", n_patients=6, seed=3, size=96)
    assert kept.fingerprint() == made.fingerprint() and np.array_equal(kept.masks, made.masks)
    pd.testing.assert_frame_equal(kept.meta, made.meta, rtol=1e-12)

    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(content)
    with pytest.warns(UserWarning, match=r"are damaged .* made again"):
        again = load_dataset("phantom", n_patients=6, seed=3, size=96)
    assert again.fingerprint() == made.fingerprint()
    assert [f.name for f in tmp_path.rglob("*.part")] == []


def test_another_recipe_is_another_file(tmp_path, monkeypatch):
    monkeypatch.setenv("LUMBAR_CACHE", str(tmp_path))
    for seed in (1, 2):
        load_dataset("phantom", n_patients=3, seed=seed, size=64)
    assert len(list(tmp_path.rglob("*.npz"))) == 2
