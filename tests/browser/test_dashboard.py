"""The dashboard as a visitor meets it: the real server, a real browser, the shipped networks and results."""

import io
import os
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import psutil
import pytest
from helpers import ROOT
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from visiting import Visit, new_page

from lumbar_utils.checkpoints import read_checkpoint
from lumbar_utils.evaluation import evaluate, load_results
from lumbar_utils.phantom import render, sample_patient

INTENDED_USE = "not a medical device"
CHANGED = """before => {
    const source = selector => document.querySelector(selector)?.src;
    return source('.lumbar-picture img') !== before.picture && source('img.lumbar-heat') !== before.heat
        && document.querySelector('.lumbar-verdict .lumbar-caption')?.innerText !== before.probabilities;
}"""


@pytest.fixture(scope="module")
def picture():
    return render(sample_patient(7, disease="Herniated Disk")).image


def voters() -> list[str]:
    return load_results("zoo")["weighted_vote"].provenance["members"]


def encoded(picture: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    if not kind.startswith("DICOM"):
        Image.fromarray(picture).save(file, kind)
        return file.getvalue()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_ = FileDataset("slice", {}, file_meta=meta, preamble=b"\0" * 128)
    slice_.SOPClassUID, slice_.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    slice_.Modality, slice_.PhotometricInterpretation, slice_.SamplesPerPixel = "MR", "MONOCHROME2", 1
    slice_.Rows, slice_.Columns = picture.shape
    slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 16, 12, 11, 0
    if kind == "DICOM without pixels":
        slice_.save_as(file, enforce_file_format=True)
        return file.getvalue()
    slice_.PixelData = (picture.astype("<u2") * 16).tobytes()
    slice_.save_as(file, enforce_file_format=True)
    return file.getvalue()


def huge(_) -> bytes:
    """A PNG of 200 megapixels in a few kilobytes."""
    file = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(file, "PNG")
    return file.getvalue()


BROKEN = {
    "cut.png": lambda picture: encoded(picture, "PNG")[:2000],
    "notes.txt": lambda _: b"no picture at all",
    "empty.png": lambda _: b"",
    "huge.png": huge,
    "report.dcm": lambda picture: encoded(picture, "DICOM without pixels"),
}


def test_it_prints_how_to_open_and_how_to_stop(server):
    assert server.printed[-1] == f"open {server.url} ; Ctrl+C stops it"


def test_no_request_leaves_this_machine(visit):
    visit.open_diagnose()
    hosts = {urlparse(url).hostname for url in visit.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def test_table_gives_the_numbers_of_the_stored_predictions(visit):
    visit.open_compare()
    study = visit.page.get_by_label("Study").input_value()
    rows = visit.page.locator(".lumbar-table").first.locator("tbody tr").all_inner_texts()
    reports = {name: evaluate(stored) for name, stored in load_results(study).items()}
    best_first = sorted(reports, key=lambda name: (name == "ceiling", -reports[name].accuracy.value))
    reports = [reports[name] for name in best_first]
    assert len(rows) == len(reports) > 0
    for row, report in zip(rows, reports, strict=True):
        for expected in (report.model, str(report.accuracy), str(report.macro_f1)):
            assert expected in " ".join(row.split())
    (tested_on,) = {(report.dataset, report.n_images, report.n_patients) for report in reports}
    caption = visit.page.locator(".lumbar-card h2", has_text="The same numbers").inner_text()
    assert "on {}: {} pictures of {} patients".format(*tested_on) in caption


def test_choosing_a_model_shows_its_confusion_matrix(visit):
    visit.open_compare()
    model = visit.page.get_by_label("Model in detail")
    last = model.locator("option").last.get_attribute("value")
    model.select_option(last)
    visit.page.wait_for_function(
        "name => [...document.querySelectorAll('.lumbar-chart .lumbar-caption')]"
        ".some((caption, k) => k > 0 && caption.innerText.startsWith(name))",
        arg=last,
    )


def test_slider_moved_by_keyboard_changes_picture_probabilities_and_heat(visit):
    visit.open_diagnose()
    messages = visit.messages()
    for key in ("ArrowRight", "ArrowLeft", "ArrowRight"):
        handle, before = visit.slider("Patient (seed)"), visit.state()
        handle.focus()
        handle.press(key)
        visit.page.wait_for_function(CHANGED, arg=before)
    assert visit.messages() == messages


def test_grade_slider_makes_a_healthy_looking_disc_herniate(visit):
    visit.open_diagnose()
    before = visit.state()
    visit.slider("Herniation (mm)").focus()
    visit.page.keyboard.press("End")
    visit.page.wait_for_function(
        "old => document.querySelector('.lumbar-picture img').src !== old", arg=before["picture"]
    )
    assert (
        visit.page.locator(".lumbar-control", has_text="Herniation (mm)").inner_text().split()[-1] == "12.0"
    )


def test_lesion_outline_is_drawn_on_demand(visit):
    visit.open_diagnose()
    visit.page.get_by_label("Outline the true lesion").uncheck()
    visit.page.wait_for_selector(".lumbar-picture svg path", state="detached")
    visit.page.get_by_label("Outline the true lesion").check()
    visit.page.wait_for_selector(".lumbar-picture svg path.over")
    assert "the share of the heat on the true lesion" in visit.page.locator(".lumbar-results").inner_text()


def test_every_network_answers_and_shows_where_it_looked(visit):
    visit.open_diagnose()
    rows = visit.page.locator(".lumbar-opinions tbody tr").all_inner_texts()
    names = [read_checkpoint(name).card["display_name"].partition(",")[0] for name in voters()]
    assert [row.split("\t")[0] for row in rows] == [*names, "CNN with SVM", "Weighted vote"]
    assert visit.page.locator(".lumbar-looks img.lumbar-heat").count() == len(names)
    captions = visit.page.locator(".lumbar-looks figcaption").all_inner_texts()
    assert all("inside" in caption or "no evidence" in caption for caption in captions[1:])


def test_a_slice_beside_the_midline_is_called_another_kind(visit):
    visit.open_diagnose()
    assert "of another kind" not in visit.page.locator(".lumbar-verdict").inner_text()
    visit.slider("Slice beside the midline").focus()
    visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_function(
        "() => document.querySelector('.lumbar-verdict').innerText.includes('of another kind')"
    )
    visit.page.keyboard.press("ArrowLeft")
    visit.page.wait_for_function(
        "() => !document.querySelector('.lumbar-verdict').innerText.includes('of another kind')"
    )


def test_a_report_can_be_saved_and_stands_alone(visit, tmp_path):
    visit.open_diagnose()
    visit.page.get_by_role("button", name="Make a report of this case").click()
    with visit.page.expect_download() as saved:
        visit.page.locator(".lumbar-download").click()
    saved.value.save_as(tmp_path / "case.html")
    page = (tmp_path / "case.html").read_text("utf-8")
    assert INTENDED_USE in page and "Weighted vote" in page and page.count("<img") > 10
    assert "http" not in page.replace("http://www.w3.org", "")


def test_opacity_slider_changes_the_heat_only(visit):
    visit.open_diagnose()
    before = visit.state()
    visit.slider("Opacity of the heat").focus()
    visit.page.keyboard.press("Home")
    visit.page.wait_for_function("() => document.querySelector('img.lumbar-heat').style.opacity === '0'")
    assert visit.state() == before


@pytest.mark.parametrize(("name", "kind"), [("a.png", "PNG"), ("b.jpg", "JPEG"), ("IM0001", "DICOM")])
def test_upload_gets_a_verdict_with_the_intended_use(visit, picture, name, kind):
    visit.open_diagnose("a file of your own")
    messages = visit.messages()
    visit.upload(name, encoded(picture, kind))
    visit.page.wait_for_selector(f".lumbar-picture img[alt*='{name}']")
    visit.page.wait_for_selector(".lumbar-picture img.lumbar-heat")
    verdict = visit.page.locator(".lumbar-verdict").inner_text()
    assert INTENDED_USE in verdict
    assert "is not validated" in verdict
    assert visit.state()["verdict"]
    assert visit.messages() == messages


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cut.png", "cut or damaged"),
        ("notes.txt", "not a picture"),
        ("empty.png", "is empty"),
        ("huge.png", "at most 50 million pixels"),
        ("report.dcm", "without pixels"),
    ],
)
def test_broken_file_is_told_in_one_sentence_and_the_dashboard_works_on(visit, picture, name, says):
    visit.open_diagnose("a file of your own")
    n_before = len(visit.messages())
    visit.upload(name, BROKEN[name](picture))
    visit.page.wait_for_function("n => document.querySelectorAll('.lumbar-log li').length > n", arg=n_before)
    newest, *rest = visit.messages()
    assert name in newest and says in newest
    assert len(rest) == n_before
    visit.upload("whole.png", encoded(picture, "PNG"))
    visit.page.wait_for_selector(".lumbar-picture img[alt*='whole.png']")
    assert len(visit.messages()) == n_before + 1


def test_a_picture_without_a_column_is_shown_and_gets_no_verdict(visit, picture):
    visit.open_diagnose("a file of your own")
    n_before = len(visit.messages())
    noise = np.random.default_rng(0).integers(0, 256, picture.shape).astype(np.uint8)
    visit.upload("noise.png", encoded(noise, "PNG"))
    visit.page.wait_for_function("n => document.querySelectorAll('.lumbar-log li').length > n", arg=n_before)
    assert "noise.png gets no verdict: no lumbar column was found" in visit.messages()[0]
    assert "There is no verdict" in visit.page.locator(".lumbar-verdict").inner_text()
    assert visit.page.locator(".lumbar-picture img[alt*='noise.png']").count() == 1
    assert visit.page.locator("img.lumbar-heat").count() == 0


def test_intended_use_stands_on_the_page_and_at_the_verdict(visit):
    visit.open_compare()
    assert INTENDED_USE in visit.page.locator(".lumbar-dashboard .lumbar-intended").first.inner_text()
    assert visit.page.locator("h1").count() == 1
    visit.open_diagnose()
    assert INTENDED_USE in visit.page.locator(".lumbar-verdict").inner_text()


def test_phone_shows_everything_without_scrolling_sideways(visit):
    visit.page.set_viewport_size({"width": 420, "height": 900})
    for open_panel in (visit.open_compare, visit.open_diagnose):
        open_panel()
        visit.page.wait_for_timeout(500)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 420
    visit.page.set_viewport_size({"width": 1400, "height": 900})


def test_visitor_cannot_choose_another_template_or_theme(browser, server):
    page, urls = new_page(browser), []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"{server.url}?template=classic&theme=dark")
    page.wait_for_selector(".lumbar-dashboard")
    assert page.locator("body.theme-light").count() == 1
    assert {urlparse(url).hostname for url in urls if url.startswith("http")} == {"127.0.0.1"}
    page.close()


def test_no_file_of_the_checkout_is_served(visit, server):
    for path in ("20_dashboard.ipynb", "../pyproject.toml", "%2e%2e/docs/dashboard.png"):
        assert visit.page.request.get(f"{server.url}voila/files/{path}").status in (403, 404)


def test_kernels_load_litert_and_never_tensorflow(visit, server):
    visit.open_diagnose()
    libraries = {
        Path(library.path)
        for kernel in psutil.Process(server.process.pid).children(recursive=True)
        for library in kernel.memory_maps()
    }
    assert any("ai_edge_litert" in library.parts for library in libraries)
    assert not any("tensorflow" in library.parts for library in libraries)


def test_no_traceback_on_the_page_and_no_error_in_the_console(visit):
    assert "Traceback" not in visit.page.inner_text("body")
    assert visit.console_errors == []


def test_pictures_for_the_readme(browser, server):
    """Writes docs/dashboard_*.png if LUMBAR_SCREENSHOT=1; else the pages are only drawn, and the tree stays clean."""
    page = new_page(browser)
    page.goto(server.url)
    visit = Visit(page, [], [])
    for panel in ("compare", "diagnose"):
        getattr(visit, f"open_{panel}")()
        if panel == "compare":
            page.wait_for_selector(".lumbar-chart .js-plotly-plot .point")
        else:
            page.get_by_label("Outline the true lesion").check()
            page.wait_for_selector(".lumbar-picture svg path.over")
        page.wait_for_timeout(500)
        picture = page.screenshot(full_page=panel == "diagnose")
        assert Image.open(io.BytesIO(picture)).width == 1400
        assert len(picture) > 50_000
        if os.environ.get("LUMBAR_SCREENSHOT") == "1":
            (ROOT / "docs" / f"dashboard_{panel}.png").write_bytes(picture)
    page.close()
