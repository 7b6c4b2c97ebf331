"""Every image file of pydicom-data and 500 broken pictures are read or refused in one sentence, soon and small."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

# Runs in a process of its own: a crash of a decoder in C, or a flood of memory, must not end the tests.
CHILD = textwrap.dedent(
    """
    import json, logging, sys, time, warnings
    from pathlib import Path
    import numpy as np
    from lumbar_utils import LumbarError
    from lumbar_utils.sources import read_picture

    def tried(content, name):
        started = time.perf_counter()
        try:
            pixels = read_picture(content, name=name)
            sound = pixels.ndim == 2 and pixels.dtype == np.uint8 and min(pixels.shape) >= 8
            return ("read" if sound else "wrong", "", time.perf_counter() - started)
        except LumbarError as error:
            return "refused", str(error), time.perf_counter() - started
        except BaseException as error:
            return "crashed", f"{type(error).__name__}: {error}", time.perf_counter() - started

    def broken(content, rng):
        content, how = bytearray(content), rng.integers(3)
        if how == 0:
            return bytes(content[: rng.integers(1, len(content))])
        if how == 1:
            for place in rng.integers(0, len(content), rng.integers(1, 30)):
                content[place] = rng.integers(256)
        else:  # sizes stand in the header, and are wrong by far when these bytes are
            for place in rng.integers(0, min(1500, len(content)), rng.integers(2, 12)):
                content[place] = rng.choice([0, 1, 127, 128, 255])
        return bytes(content)

    warnings.simplefilter("always")
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("PIL").setLevel(logging.WARNING)
    task = json.loads(sys.stdin.read())
    results = []
    for number, path in enumerate(task["files"]):
        content = Path(path).read_bytes()
        if not task["variants"]:
            results.append((Path(path).name, *tried(content, "the file")))
        for variant in range(task["variants"]):
            rng = np.random.default_rng([number, variant])
            results.append((f"{Path(path).name} #{variant}", *tried(broken(content, rng), "the file")))
    # not ru_maxrss: that carries over what the parent held when it started this process
    peak_mb = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"results": results, "peak_mb": peak_mb}))
    """
)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
SECRET = "Mustermann"


def run_apart(files, variants=0):
    """Return name, outcome, sentence and seconds of every file, and the peak in MB, from a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps({"files": [str(f) for f in files], "variants": variants}),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert SECRET not in done.stdout + done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["results"], answer["peak_mb"]


def assert_all_are_read_or_refused(results, peak_mb):
    for name, outcome, sentence, seconds in results:
        assert outcome in ("read", "refused"), f"{name} {outcome}: {sentence}"
        assert seconds < 5, f"{name} took {seconds:.1f} s"
        if outcome == "refused":
            assert sentence.startswith("the file ") and sentence.endswith("."), f"{name}: {sentence}"
            assert "\n" not in sentence and len(sentence) < 300, f"{name}: {sentence}"
    assert peak_mb < 1000


@pytest.fixture(scope="module")
def small_files(tmp_path_factory):
    """DICOM in seven codings with a planted name, PNG, JPEG and TIFF."""
    folder = tmp_path_factory.mktemp("small")
    for name in (
        "MR_small",
        "MR_small_RLE",
        "MR_small_bigendian",
        "MR_small_jp2klossless",
        "MR_small_jpeg_ls_lossless",
        "SC_rgb_jpeg_dcmtk",
        "SC_rgb_jpeg_gdcm",
    ):
        header = pydicom.dcmread(get_testdata_file(f"{name}.dcm"))
        for tag in ("PatientName", "PatientID", "PatientComments", "InstitutionName", "SeriesDescription"):
            setattr(header, tag, f"{SECRET}^Erika")
        header.save_as(folder / f"{name}.dcm")
    picture = np.random.default_rng(0).integers(0, 256, (60, 50)).astype(np.uint8)
    for suffix in (".png", ".jpg", ".tiff"):
        cv2.imwrite(str(folder / f"grey{suffix}"), picture)
    return sorted(folder.iterdir())


def test_every_file_of_pydicom_data_is_read_but_the_one_cut_short():
    data_store = pytest.importorskip("data_store", reason="pip install pydicom-data")
    pytest.importorskip("gdcm", reason="pip install python-gdcm")
    files = sorted(Path(data_store.__path__[0], "data").glob("*.dcm"))
    results, peak_mb = run_apart(files)
    assert_all_are_read_or_refused(results, peak_mb)
    refused = [name for name, outcome, *_ in results if outcome == "refused"]
    assert len(results) == 68 and refused == ["emri_small_jpeg_2k_lossless_too_short.dcm"]


def test_500_broken_files_are_read_or_refused(small_files):
    results, peak_mb = run_apart(small_files, variants=50)
    assert_all_are_read_or_refused(results, peak_mb)
    outcomes = [outcome for _, outcome, *_ in results]
    assert len(results) == 500 and outcomes.count("refused") > 200 and outcomes.count("read") > 50


def test_the_largest_picture_that_is_read_stays_under_a_gigabyte(tmp_path):
    header = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    header.Rows = header.Columns = 7000
    header.RescaleSlope, header.RescaleIntercept = 2, -100
    pixels = np.arange(7000 * 7000, dtype=np.uint32) % 4000
    header.PixelData = pixels.astype(np.uint16).tobytes()
    header.save_as(tmp_path / "large.dcm")
    results, peak_mb = run_apart([tmp_path / "large.dcm"])
    assert_all_are_read_or_refused(results, peak_mb)
    assert [outcome for _, outcome, *_ in results] == ["read"]
