import errno
import hashlib
import json
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT

from lumbar_utils import LumbarError
from lumbar_utils.sources import download as room
from lumbar_utils.sources.download import download

pytestmark = pytest.mark.timeout(60)
BODY = np.random.default_rng(0).bytes(3_000_000)
SMALL = b"new_file_name,subset\n1_t1,training\n"
FILES = {"images.zip": BODY, "masks.zip": SMALL, "overview.csv": SMALL, "radiological_gradings.csv": SMALL}


class Keeper:
    """A site on loopback that keeps the record, with the faults a test asks for."""

    def __init__(self):
        self.files, self.cuts, self.ranges, self.gone, self.checksums = dict(FILES), [], True, set(), {}
        self.pause_s, self.asked, self.busy = 0.0, [], 0
        keeper = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                keeper.answer(self)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, request):
        path = request.path.partition("?")[0]
        if path in ("/api/records/10159290", "/public-api/datasets/k57fr854j2/files"):
            return self.send(request, json.dumps(self.listing(mendeley="public-api" in path)).encode())
        name = path.rpartition("/")[2]
        self.asked.append((name, request.headers.get("Range")))
        if name in self.gone:
            return request.send_error(404)
        if self.busy:
            self.busy -= 1
            return request.send_error(503)
        body, start = self.files[name], 0
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or "")
        if found and self.ranges:
            start = int(found[1])
        cut = self.cuts.pop(0) if self.cuts and len(body) > 1000 else None
        return self.send(request, body, start, cut)

    def send(self, request, body, start=0, cut=None):
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        sent = body[start : len(body) if cut is None else cut]
        try:
            for first in range(0, len(sent), 100_000):
                request.wfile.write(sent[first : first + 100_000])
                time.sleep(self.pause_s)
        except OSError:
            pass  # the one who asked has gone

    def listing(self, mendeley):
        items = []
        for name, body in self.files.items():
            url, size = f"{self.url}/files/{name}", len(body)
            if mendeley:
                details = {"sha256_hash": hashlib.sha256(body).hexdigest(), "download_url": url}
                items.append({"filename": name, "size": size, "content_details": details})
            else:
                md5 = self.checksums.get(name, hashlib.md5(body).hexdigest())
                items.append({"key": name, "size": size, "checksum": f"md5:{md5}", "links": {"self": url}})
        return items if mendeley else {"files": items}


@pytest.fixture
def keeper(monkeypatch):
    monkeypatch.setattr(room, "WAIT_S", 0.01)
    keeper = Keeper()
    yield keeper
    keeper.server.shutdown()
    keeper.server.server_close()


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def test_every_file_of_the_record_arrives_whole(keeper, tmp_path, capsys):
    assert download("spider", tmp_path / "spider", base_url=keeper.url) == tmp_path / "spider"
    assert {n: (tmp_path / "spider" / n).read_bytes() for n in names_in(tmp_path / "spider")} == FILES
    told = capsys.readouterr().out
    assert told.index("CC BY 4.0 · 4 files, 3.0 MB") < told.index("images.zip")
    assert "https://zenodo.org/records/10159290" in told and "(100 %)" in told


def test_mendeley_lists_its_files_in_its_own_way(keeper, tmp_path):
    download("sudirman", tmp_path, base_url=keeper.url)
    assert names_in(tmp_path) == sorted(FILES)


def test_a_second_call_fetches_nothing_and_a_damaged_file_is_fetched_again(keeper, tmp_path):
    download("spider", tmp_path, base_url=keeper.url)
    keeper.asked.clear()
    download("spider", tmp_path, base_url=keeper.url)
    assert keeper.asked == []
    (tmp_path / "masks.zip").write_bytes(b"x" * len(SMALL))
    download("spider", tmp_path, base_url=keeper.url)
    assert keeper.asked == [("masks.zip", None)] and (tmp_path / "masks.zip").read_bytes() == SMALL


def test_a_cut_connection_goes_on_where_it_was_cut(keeper, tmp_path):
    keeper.cuts = [1_000_000, 2_500_000]
    download("spider", tmp_path, files=("images.zip",), base_url=keeper.url)
    assert (tmp_path / "images.zip").read_bytes() == BODY
    starts = [asked for _, asked in keeper.asked]
    assert starts == [None, "bytes=1000000-", "bytes=2500000-"]


def test_a_server_without_ranges_is_asked_from_the_start(keeper, tmp_path):
    keeper.cuts, keeper.ranges = [1_000_000], False
    download("spider", tmp_path, files=("images.zip",), base_url=keeper.url)
    assert names_in(tmp_path) == ["images.zip"] and (tmp_path / "images.zip").read_bytes() == BODY


def test_a_connection_cut_for_good_leaves_the_part(keeper, tmp_path):
    keeper.cuts = [1_000_000] * 10
    with pytest.raises(LumbarError, match=r"images.zip stopped at 1.0 MB of 3.0 MB .* goes on from there"):
        download("spider", tmp_path, files=("images.zip",), base_url=keeper.url)
    assert names_in(tmp_path) == ["images.zip.part"]
    keeper.cuts = []
    download("spider", tmp_path, files=("images.zip",), base_url=keeper.url)
    assert keeper.asked[-1][1] == "bytes=1000000-" and (tmp_path / "images.zip").read_bytes() == BODY


def test_a_busy_server_is_asked_again(keeper, tmp_path):
    keeper.busy = 2
    download("spider", tmp_path, files=("masks.zip",), base_url=keeper.url)
    assert len(keeper.asked) == 3 and (tmp_path / "masks.zip").read_bytes() == SMALL


def test_a_wrong_checksum_leaves_nothing(keeper, tmp_path):
    keeper.checksums["masks.zip"] = "0" * 32
    with pytest.raises(LumbarError, match=r"masks.zip arrived with the checksum md5:.*, wanted md5:000"):
        download("spider", tmp_path, files=("masks.zip",), base_url=keeper.url)
    assert names_in(tmp_path) == []


def test_a_part_longer_than_the_file_is_thrown_away(keeper, tmp_path):
    (tmp_path / "masks.zip.part").write_bytes(b"y" * 500)
    download("spider", tmp_path, files=("masks.zip",), base_url=keeper.url)
    assert names_in(tmp_path) == ["masks.zip"] and (tmp_path / "masks.zip").read_bytes() == SMALL


def test_a_file_longer_than_listed_is_refused_and_does_not_go_round_for_ever(keeper, tmp_path, monkeypatch):
    listing = keeper.listing(mendeley=False)
    listing["files"][1]["size"] = 10
    monkeypatch.setattr(keeper, "listing", lambda mendeley: listing)
    with pytest.raises(LumbarError, match=r"masks.zip arrived with the checksum"):
        download("spider", tmp_path, files=("masks.zip",), base_url=keeper.url)
    assert names_in(tmp_path) == []


def test_a_missing_file_and_a_missing_record_are_told(keeper, tmp_path):
    keeper.gone = {"masks.zip"}
    with pytest.raises(LumbarError, match=r"/files/masks.zip answers 404 \(Not Found\)"):
        download("spider", tmp_path, files=("masks.zip",), base_url=keeper.url)
    with pytest.raises(LumbarError, match=r"has no file 'mask.zip'; it offers images.zip, masks.zip"):
        download("spider", tmp_path, files=("mask.zip",), base_url=keeper.url)
    assert names_in(tmp_path) == []


def test_no_network_is_told(tmp_path):
    with pytest.raises(LumbarError, match=r"127.0.0.1:9 cannot be reached .* check the network"):
        download("spider", tmp_path, base_url="http://127.0.0.1:9")


def test_an_answer_that_is_no_list_is_told(keeper, tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "listing", lambda mendeley: {"message": "moved"})
    with pytest.raises(LumbarError, match="does not answer with a list of files as it used to"):
        download("spider", tmp_path, base_url=keeper.url)


def test_a_name_that_leaves_the_folder_is_refused(keeper, tmp_path):
    keeper.files["../evil.csv"] = SMALL
    with pytest.raises(LumbarError, match="wanted a plain name"):
        download("spider", tmp_path, base_url=keeper.url)


def test_a_full_disk_is_told_before_and_during(keeper, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    with monkeypatch.context() as patch:
        patch.setattr(room.shutil, "disk_usage", lambda folder: usage)
        with pytest.raises(LumbarError, match=r"0.0 MB free, wanted 3.0 MB"):
            download("spider", tmp_path, files=("images.zip",), base_url=keeper.url)

    def full(file, part, have, board):
        part.write_bytes(b"z" * 1000)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(room, "_receive", full)
    with pytest.raises(LumbarError, match=r"The disk is full after 0.0 MB of images.zip"):
        download("spider", tmp_path, files=("images.zip",), base_url=keeper.url)
    assert names_in(tmp_path) == ["images.zip.part"]


def test_a_killed_process_leaves_a_part_that_is_taken_up(keeper, tmp_path):
    keeper.pause_s = 0.1
    code = (
        "from lumbar_utils.sources.download import download; "
        f"download('spider', {str(tmp_path)!r}, files=('images.zip',), base_url={keeper.url!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL)
    part = tmp_path / "images.zip.part"
    end = time.monotonic() + 40
    while not (part.exists() and part.stat().st_size > 300_000):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait(10)
    assert names_in(tmp_path) == ["images.zip.part"] and part.stat().st_size < len(BODY)
    keeper.pause_s = 0.0
    download("spider", tmp_path, files=("images.zip",), base_url=keeper.url)
    assert re.fullmatch(r"bytes=[1-9]\d+-", keeper.asked[-1][1])
    assert names_in(tmp_path) == ["images.zip"] and (tmp_path / "images.zip").read_bytes() == BODY


def test_an_unknown_name_and_a_missing_kagglehub_are_told(tmp_path, monkeypatch):
    with pytest.raises(LumbarError, match="choose one of spider, sudirman, rsna"):
        download("spyder", tmp_path)
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(LumbarError, match="kagglehub, which is not installed"):
        download("rsna", tmp_path)


def test_rsna_comes_through_kagglehub(tmp_path, monkeypatch, capsys):
    kagglehub = pytest.importorskip("kagglehub")
    monkeypatch.setattr(
        kagglehub, "competition_download", lambda handle, output_dir: f"{output_dir}/{handle}"
    )
    assert download("rsna", tmp_path) == Path(tmp_path) / room.RSNA
    assert "non-commercial" in capsys.readouterr().out

    def refuse(handle, output_dir):
        raise kagglehub.exceptions.CredentialError()

    monkeypatch.setattr(kagglehub, "competition_download", refuse)
    with pytest.raises(LumbarError, match=r"accept the rules at https://www.kaggle.com"):
        download("rsna", tmp_path)
