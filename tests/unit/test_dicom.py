import io
import logging
import struct
import warnings
import zlib

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import get_decoder
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, MRImageStorage

from lumbar_utils import PAPER4, LumbarError, load_dataset
from lumbar_utils.sources import read_picture
from lumbar_utils.sources.dicom import read_dicom
from lumbar_utils.sources.dicom_series import read_dicom_series

SECRET = "Mustermann"
AXIAL, SAGITTAL = (1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1)


def mr_slice(level=100, *, shape=(32, 32), position_mm=0.0, orientation=SAGITTAL, instance=1, series="1.2.3"):
    """A sagittal MR slice whose pixels are all `level` but for a ramp along its first row."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = MRImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = f"{series}.{instance}.7"
    header.SeriesInstanceUID, header.InstanceNumber, header.Modality = series, instance, "MR"
    header.PatientName = header.PatientID = header.PatientComments = header.SeriesDescription = SECRET
    header.PatientBirthDate, header.StudyDate = "19430217", "20240131"
    header.PixelSpacing, header.SliceThickness = [0.5, 0.5], 4
    header.RepetitionTime, header.EchoTime, header.MagneticFieldStrength = 3200, 110, 1.5
    if position_mm is not None:
        header.ImageOrientationPatient = list(orientation)
        normal = np.cross(orientation[:3], orientation[3:])
        header.ImagePositionPatient = [
            float(v) for v in 10 * np.array(orientation[:3]) + position_mm * normal
        ]
    header.Rows, header.Columns, header.SamplesPerPixel = *shape, 1
    header.PhotometricInterpretation, header.PixelRepresentation = "MONOCHROME2", 0
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit = 15
    header.WindowCenter, header.WindowWidth = 128, 256
    pixels = np.full(shape, level, np.uint16)
    pixels[0] = np.linspace(0, 255, shape[1])
    header.PixelData = pixels.tobytes()
    return header


def to_bytes(header):
    content = io.BytesIO()
    header.save_as(content, enforce_file_format=True)
    return content.getvalue()


def save(folder, **headers):
    folder.mkdir(parents=True, exist_ok=True)
    for name, header in headers.items():
        (folder / f"{name}.dcm").write_bytes(to_bytes(header))
    return folder


def enhanced(n_frames=4, spacing=(0.5, 0.5)):
    """A multi-frame MR file whose frames stand in reverse order, their values in functional groups."""
    header = mr_slice(position_mm=None)
    del header.PixelSpacing, header.SliceThickness, header.EchoTime, header.WindowCenter, header.WindowWidth
    measures, orientation, echo = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = list(spacing), 5
    orientation.ImageOrientationPatient = list(SAGITTAL)
    echo.EffectiveEchoTime = 95.0
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = (
        Sequence([measures]),
        Sequence([orientation]),
    )
    shared.MREchoSequence = Sequence([echo])
    header.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for frame in range(n_frames):
        plane, voi, group = Dataset(), Dataset(), Dataset()
        plane.ImagePositionPatient = [float(4 * frame), 0.0, 0.0]  # the normal points to -x
        voi.WindowCenter, voi.WindowWidth = 128, 256
        group.PlanePositionSequence, group.FrameVOILUTSequence = Sequence([plane]), Sequence([voi])
        groups.append(group)
    header.PerFrameFunctionalGroupsSequence = Sequence(groups)
    header.NumberOfFrames = n_frames
    pixels = np.stack([np.full((32, 32), 20 * (frame + 1), np.uint16) for frame in range(n_frames)])
    pixels[:, 0] = np.linspace(0, 255, 32)
    header.PixelData = pixels.tobytes()
    return header


def levels(dataset):
    return np.median(dataset.images, axis=(1, 2)).tolist()


def test_slices_are_sorted_by_position_not_by_name_or_number(tmp_path):
    places = {"a": 8.0, "b": -4.0, "c": 0.0, "d": 4.0}
    headers = {
        name: mr_slice(40 + int(5 * mm), position_mm=mm, instance=number)
        for number, (name, mm) in enumerate(places.items())
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = read_dicom_series(save(tmp_path / "study", **headers), size=32)
    assert dataset.meta["source_file"].tolist() == ["b.dcm", "c.dcm", "d.dcm", "a.dcm"]
    assert np.allclose(dataset.meta["position_mm"], [-4, 0, 4, 8])
    assert levels(dataset) == [20, 40, 60, 80]
    assert set(dataset.patient_ids) == {"dicom-1"} and dataset.class_names == ("unlabelled",)


def test_without_positions_the_instance_number_sorts_and_one_warning_says_so(tmp_path):
    headers = {n: mr_slice(10 * i, position_mm=None, instance=i) for n, i in (("a", 3), ("b", 1), ("c", 2))}
    with pytest.warns(UserWarning, match="order is that of InstanceNumber") as caught:
        dataset = read_dicom_series(save(tmp_path / "study", **headers), size=32)
    assert levels(dataset) == [10, 20, 30] and len(caught) == 1 and SECRET not in str(caught[0].message)
    assert dataset.meta["position_mm"].isna().all()


def test_an_enhanced_file_is_a_stack_with_the_values_of_its_groups(tmp_path):
    folder = save(tmp_path, stack=enhanced())
    dataset = read_dicom_series(folder / "stack.dcm", label="Spinal Stenosis", patient_id="17", size=64)
    assert levels(dataset) == [80, 60, 40, 20] and dataset.meta["frame"].tolist() == [3, 2, 1, 0]
    assert np.allclose(np.diff(dataset.meta["position_mm"]), 4)
    row = dataset.meta.iloc[0]
    assert (row["slice_thickness_mm"], row["echo_time_ms"], row["spacing_mm"]) == (5, 95, 0.25)
    assert dataset.class_names == PAPER4 and set(dataset.labels) == {2} and set(dataset.patient_ids) == {"17"}


def test_oblong_pixels_become_square(tmp_path):
    header = mr_slice(shape=(20, 40))
    header.PixelSpacing = [1.0, 0.5]
    assert read_picture(to_bytes(header)).shape == (40, 40)
    dataset = read_dicom_series(save(tmp_path, one=header), size=80)
    assert dataset.meta["spacing_mm"].tolist() == [0.25]
    header.PixelSpacing = [100.0, 0.5]  # a mistake of the header is not followed
    assert read_picture(to_bytes(header)).shape == (20, 40)


def test_the_window_and_the_rescaling_of_the_header_are_applied():
    header = mr_slice(200)
    assert np.median(read_picture(to_bytes(header))) == 200
    header.WindowCenter, header.WindowWidth = 200, 101
    assert np.median(read_picture(to_bytes(header))) == pytest.approx(128, abs=2)
    header.RescaleSlope, header.RescaleIntercept = 2, -200  # 200 stays 200, 100 becomes 0
    assert np.median(read_picture(to_bytes(header))) == pytest.approx(128, abs=2)
    header.PhotometricInterpretation, header.WindowCenter = "MONOCHROME1", 150
    assert np.median(read_picture(to_bytes(header))) == pytest.approx(0, abs=2)


@pytest.mark.parametrize("name", ["MR_small_RLE", "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless"])
def test_a_compressed_file_equals_the_uncompressed_one(name):
    if "jpeg_ls" in name:
        pytest.importorskip("gdcm")
    plain = read_picture(get_testdata_file("MR_small.dcm"))
    assert np.array_equal(read_picture(get_testdata_file(f"{name}.dcm")), plain)


def test_big_endian_palettes_have_the_same_colours():
    data_store = pytest.importorskip("data_store")
    folder = f"{data_store.__path__[0]}/data/"
    little = read_picture(folder + "OBXXXX1A_2frame.dcm")
    assert np.array_equal(read_picture(folder + "OBXXXX1A_expb_2frame.dcm"), little) and little.mean() > 10


def test_without_gdcm_the_sentence_says_what_to_install(monkeypatch):
    header = pydicom.dcmread(get_testdata_file("MR_small_jpeg_ls_lossless.dcm"))
    monkeypatch.setattr(get_decoder(header.file_meta.TransferSyntaxUID), "_available", {})
    with pytest.raises(LumbarError, match=r"python-gdcm reads .* run pip install python-gdcm, or"):
        read_picture(get_testdata_file("MR_small_jpeg_ls_lossless.dcm"))


@pytest.mark.parametrize(
    ("name", "place", "change"),
    [
        ("MR_small_jpeg_ls_lossless", b"\xff\xf7\x00\x0b\x10", b"\x23\x28\x23\x28"),  # 9000 x 9000 pixels
        ("SC_rgb_jpeg_gdcm", b"Adobe\x00\x64\x00\x00\x00\x00", b"\xf1"),  # an unknown colour transform
        ("SC_rgb_jpeg_gdcm", b"\xff\xc3\x00\x11\x08", b"\x00\x64\x00\x65"),  # 101 columns
    ],
)
def test_a_damaged_stream_never_reaches_gdcm_which_may_end_the_process(name, place, change, monkeypatch):
    header = pydicom.dcmread(get_testdata_file(f"{name}.dcm"))
    start = header.PixelData.find(place) + len(place)
    if start < len(place):
        pytest.fail("the test file is another one")
    header.PixelData = header.PixelData[:start] + change + header.PixelData[start + len(change) :]
    monkeypatch.setattr("lumbar_utils.sources.dicom.pixel_array", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(LumbarError, match="cut or damaged"):
        read_picture(to_bytes(header))


def test_a_file_without_preamble_is_read_and_other_bytes_are_not():
    content = to_bytes(mr_slice())
    header = pydicom.dcmread(io.BytesIO(content))
    bare = content[content.index(struct.pack("<HH", 0x0008, 0x0016)) :]
    assert np.array_equal(read_picture(bare), read_picture(content))
    assert header.SOPClassUID == MRImageStorage
    for other in (b"\x08\0\x16\0" + bytes(500), b"\x08\0\x05\0CS\x0a\0ISO_IR 100" + bytes(500)):
        with pytest.raises(LumbarError, match="not a picture that can be read"):
            read_picture(other)


def test_a_deflated_file_is_read_but_not_a_deflated_bomb():
    header = mr_slice()
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    content = to_bytes(header)
    assert np.array_equal(read_picture(content), read_picture(to_bytes(mr_slice())))
    start = 144 + int.from_bytes(content[140:144], "little")
    deflater = zlib.compressobj(wbits=-15)
    bomb = b"".join(deflater.compress(bytes(10**7)) for _ in range(60)) + deflater.flush()
    with pytest.raises(LumbarError, match="inflates to over 400 MB"):
        read_picture(content[:start] + bomb)


def test_several_series_are_counted_and_chosen(tmp_path):
    folder = save(tmp_path / "study", a=mr_slice(10), b=mr_slice(20, position_mm=4, instance=2))
    other = mr_slice(90, series="1.2.4")
    other.PatientID = "Someone else"
    save(folder / "other", c=other)
    with pytest.raises(
        LumbarError, match=r"study holds 2 series \(of 2, 1 slices\).*series=0 to 1"
    ) as caught:
        read_dicom_series(folder)
    assert SECRET not in str(caught.value)
    assert levels(read_dicom_series(folder, series=0, size=32)) == [10, 20]
    second = read_dicom_series(folder, series=1, size=32)
    assert second.meta["source_file"].tolist() == ["other/c.dcm"] and set(second.patient_ids) == {"dicom-2"}
    with pytest.raises(LumbarError, match="series=2 was asked for"):
        read_dicom_series(folder, series=2)


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "holds no DICOM image"),
        ({"a": mr_slice(), "b": mr_slice(shape=(32, 48))}, r"slices of 2 sizes .*32 x 32, 48 x 32"),
        ({"a": mr_slice(), "b": mr_slice(orientation=AXIAL)}, "cross at over 60 degrees"),
        ({"a": mr_slice(shape=(4, 4))}, "a.dcm is 4 x 4 pixels"),
    ],
)
def test_a_bad_series_gets_one_sentence(tmp_path, headers, says):
    folder = save(tmp_path / "study", **headers)
    (folder / "notes.txt").write_text("no picture")
    (folder / "DICOMDIR").write_bytes(to_bytes(mr_slice()))
    with pytest.raises(LumbarError, match=says) as caught:
        read_dicom_series(folder)
    assert "\n" not in str(caught.value) and str(caught.value).count(". ") == 0
    with pytest.raises(LumbarError, match="no file or folder"):
        read_dicom_series(tmp_path / "nowhere")
    with pytest.raises(LumbarError, match="is no DICOM image"):
        read_dicom_series(folder / "notes.txt")


def planted():
    """Files whose every free field holds a name, and whose technical fields hold one where a number belongs."""
    yield to_bytes(mr_slice())
    for tag in ("Modality", "PhotometricInterpretation", "SeriesInstanceUID", "ImageType", "ContentLabel"):
        header = mr_slice()
        setattr(header, tag, SECRET)
        yield to_bytes(header)
    content = to_bytes(mr_slice())
    number = content.index(b"3200")
    yield content[:number] + SECRET[:4].encode() + content[number + 4 :]
    spacing = content.index(b"0.5\\0.5")
    yield content[:spacing] + SECRET[:7].encode() + content[spacing + 7 :]
    for cut in range(300, len(content), 211):
        yield content[:cut]


@pytest.mark.filterwarnings("ignore:.*no position:UserWarning")
def test_no_name_of_the_header_reaches_data_warnings_logs_or_errors(tmp_path, caplog, capfd):
    told = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        contents = list(planted())
    caplog.clear()  # pydicom told of the names while they were planted
    for logger in ("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.utils"):
        caplog.set_level(logging.DEBUG, logger=logger)
    outcomes = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for content in contents:
            (tmp_path / "x.dcm").write_bytes(content)
            try:
                told.append(str(read_dicom(content, name="x.dcm", max_pixels=10**6)[1]))
                dataset = read_dicom_series(tmp_path)
                told.append(dataset.meta.to_csv() + repr(dataset) + str(dataset.patient_ids))
                outcomes.add("read")
            except LumbarError as error:
                assert error.__cause__ is None
                told.append(str(error))
                outcomes.add("refused")
        told += [str(warning.message) for warning in caught]
    told += [caplog.text, *capfd.readouterr()]
    assert outcomes == {"read", "refused"}
    for secret in (SECRET[:4], "1943", "20240131"):
        assert not [text for text in told if secret in text]
    assert logging.getLogger("pydicom").level == logging.DEBUG  # what the caller set comes back


def test_load_dataset_reads_a_dicom_file_by_its_sources_name():
    dataset = load_dataset("dicom", path=get_testdata_file("MR_small.dcm"), label="Healthy", patient_id="7")
    assert len(dataset) == 1 and dataset.patient_ids.tolist() == ["7"]
    assert dataset.class_names[dataset.labels[0]] == "Healthy"
