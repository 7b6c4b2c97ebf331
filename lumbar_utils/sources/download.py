"""Fetches open lumbar datasets from their own records, resumes after a cut connection and verifies checksums."""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ..dataset import LumbarError
from ..live import Board
from ..paths import cache_folder

ATTEMPTS = 5  # in a row without one new byte
WAIT_S, TIMEOUT_S = 2.0, 30.0
_BLOCK = 1 << 20
# Mendeley answers 403 to the name that urllib gives itself.
_HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; lumbar_utils)", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class Record:
    """An open record: where it is kept, under which licence, and the files a reader of it needs (None: all)."""

    title: str
    page: str
    licence: str
    base_url: str
    api: str
    files: tuple[str, ...] | None = None


RECORDS = {
    "spider": Record(
        "SPIDER, lumbar MRI of 218 patients with masks (van der Graaf et al., Scientific Data 2024)",
        "https://zenodo.org/records/10159290",
        "CC BY 4.0",
        "https://zenodo.org",
        "/api/records/10159290",
        ("images.zip", "masks.zip", "overview.csv", "radiological_gradings.csv"),
    ),
    "sudirman": Record(
        "Lumbar Spine MRI Dataset of 515 patients (Sudirman et al., Mendeley Data, version 2)",
        "https://data.mendeley.com/datasets/k57fr854j2/2",
        "CC BY 4.0",
        "https://data.mendeley.com",
        "/public-api/datasets/k57fr854j2/files?folder_id=root&version=2",
    ),
}
RSNA = "rsna-2024-lumbar-spine-degenerative-classification"


@dataclass(frozen=True)
class RemoteFile:
    """A file of a record: `checksum` is "md5:…" or "sha256:…", as the record gives it."""

    name: str
    url: str
    size: int
    checksum: str


def download(
    name: str,
    folder: str | Path | None = None,
    *,
    files: tuple[str, ...] | None = None,
    base_url: str | None = None,
) -> Path:
    """Fetch a dataset and return the folder it lies in.

    Size and licence are shown first. A file grows as NAME.part and takes its name only when its checksum, read from
    the record itself, is right; a second call goes on where the first was cut, and leaves whole files alone.

    Parameters
    ----------
    name : "spider", "sudirman", or "rsna" (Kaggle's competition; wants the extra `data` and a Kaggle account that
        has accepted its rules).
    folder : where to; `cache_folder()/name` if None.
    files : only these of the record's files, such as ("masks.zip",).
    base_url : a mirror of the record's site.

    Raises
    ------
    LumbarError : an unknown name or file, no network, a refusal of the server, a wrong checksum, a full disk.
    """
    if name != "rsna" and name not in RECORDS:
        raise LumbarError(
            f"There is no dataset {name!r} to download; choose one of {', '.join(RECORDS)}, rsna."
        )
    folder = Path(folder) if folder is not None else cache_folder() / name
    if name == "rsna":
        return _download_from_kaggle(folder)
    record = RECORDS[name]
    wanted = _choose(list_files(record, base_url), files or record.files, record)
    total = sum(file.size for file in wanted)
    print(
        f"{record.title}\n{record.page} · licence {record.licence} · {len(wanted)} files, {_megabytes(total)}"
    )
    print(f"to {folder}", flush=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LumbarError(
            f"The folder {folder} cannot be made ({error.strerror}); give another folder to download to."
        ) from error
    missing = [file for file in wanted if not _is_whole(folder / file.name, file)]
    _check_room(folder, missing)
    for file in missing:
        fetch(file, folder / file.name)
    return folder


def list_files(record: Record, base_url: str | None = None) -> list[RemoteFile]:
    """Return the record's files with the sizes and checksums that its own site gives (Zenodo md5, Mendeley sha256)."""
    url = (base_url or record.base_url).rstrip("/") + record.api
    try:
        with _open(url) as answer:
            content = json.loads(answer.read())
        items = content["files"] if isinstance(content, dict) else content
        found = [_remote_file(item) for item in items]
    except (ValueError, KeyError, TypeError, http.client.HTTPException) as error:
        if isinstance(error, LumbarError):
            raise
        raise LumbarError(
            f"{url} does not answer with a list of files as it used to ({type(error).__name__}: {error}); download "
            f"by hand from {record.page}."
        ) from error
    except OSError as error:
        raise _no_network(url, error) from error
    for file in found:
        if Path(file.name).name != file.name or "\\" in file.name:
            raise LumbarError(
                f"{url} lists the file {file.name!r}, wanted a plain name; do not trust this mirror."
            )
    return found


def _remote_file(item: dict) -> RemoteFile:
    if "content_details" in item:  # Mendeley
        details = item["content_details"]
        checksum = f"sha256:{details['sha256_hash']}"
        return RemoteFile(item["filename"], details["download_url"], int(item["size"]), checksum)
    return RemoteFile(item["key"], item["links"]["self"], int(item["size"]), item["checksum"])


def _choose(found: list[RemoteFile], names, record: Record) -> list[RemoteFile]:
    by_name = {file.name: file for file in found}
    unknown = [name for name in names or () if name not in by_name]
    if unknown:
        raise LumbarError(
            f"{record.page} has no file {unknown[0]!r}; it offers {', '.join(by_name) or 'none'}: name one of these."
        )
    return [by_name[name] for name in names] if names else found


def fetch(file: RemoteFile, target: Path) -> None:
    """Download one file to `target` by way of `target`.part, going on where an earlier try was cut.

    pooch's downloader is not used: it cannot ask for a range.
    """
    part = target.with_name(target.name + ".part")
    board, fruitless, most = Board(), 0, 0
    try:
        while (have := part.stat().st_size if part.exists() else 0) != file.size or not part.exists():
            if have > file.size:
                part.unlink()  # of another version of the file
                continue
            try:
                _receive(file, part, have, board)
                cut = "the connection was cut"
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code not in (408, 429):
                    raise _refused(file.url, error) from error
                cut = f"HTTP {error.code}"
            except (http.client.HTTPException, OSError) as error:
                if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                    raise LumbarError(
                        f"The disk is full after {_megabytes(part.stat().st_size)} of {file.name} "
                        f"({_megabytes(file.size)}); make room and call again, it goes on from there."
                    ) from error
                if isinstance(error, PermissionError | IsADirectoryError):
                    raise LumbarError(
                        f"{part} cannot be written ({error.strerror}); give another folder."
                    ) from error
                cut = str(getattr(error, "reason", error)) or type(error).__name__
            now = part.stat().st_size if part.exists() else 0
            fruitless = 0 if now > max(have, most) else fruitless + 1
            most = max(most, now)
            if fruitless >= ATTEMPTS:
                raise LumbarError(
                    f"{file.name} stopped at {_megabytes(now)} of {_megabytes(file.size)} ({cut}, {ATTEMPTS} times); "
                    "check the network and call again, it goes on from there."
                )
            if now < file.size:
                time.sleep(WAIT_S * fruitless)
    finally:
        board.close()
    found = checksum_of(part, file.checksum.partition(":")[0])
    if found != file.checksum:
        part.unlink()
        raise LumbarError(
            f"{file.name} arrived with the checksum {found}, wanted {file.checksum}; it was thrown away: call again."
        )
    part.replace(target)


def _receive(file: RemoteFile, part: Path, have: int, board: Board) -> None:
    """Append what one connection brings; start over where the server does not know ranges."""
    try:
        answer = _open(file.url, {"Range": f"bytes={have}-"} if have else {}, raw=True)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            part.unlink()
            return
        raise
    with answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        )
        if have and answer.status == 206 and not goes_on:
            part.unlink()
            return
        done = have if goes_on else 0
        with part.open("ab" if goes_on else "wb") as out:
            # read1 hands over what has come; read would throw a cut block away
            while done < file.size and (block := answer.read1(min(_BLOCK, file.size - done))):
                out.write(block)
                done += len(block)
                share = 100 * done / max(file.size, 1)
                board.update(f"{file.name}: {_megabytes(done)} of {_megabytes(file.size)} ({share:.0f} %)")


def _open(url: str, headers: dict | None = None, *, raw: bool = False):
    request = urllib.request.Request(url, headers={**_HEADERS, **(headers or {})})
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if raw:
            raise
        raise _refused(url, error) from error
    except OSError as error:
        if raw:
            raise
        raise _no_network(url, error) from error


def _refused(url: str, error: urllib.error.HTTPError) -> LumbarError:
    return LumbarError(
        f"{url} answers {error.code} ({error.reason}), wanted the file; the record may have moved: look for it in a "
        "browser."
    )


def _no_network(url: str, error: OSError) -> LumbarError:
    host = urllib.parse.urlsplit(url).netloc
    return LumbarError(
        f"{host} cannot be reached ({getattr(error, 'reason', error)}); check the network, or a proxy in HTTPS_PROXY."
    )


def checksum_of(path: Path, algorithm: str) -> str:
    """Return "md5:…" or "sha256:…" of a file, read in blocks."""
    if algorithm not in ("md5", "sha256"):
        raise LumbarError(
            f"{path.name} comes with a checksum of kind {algorithm!r}, wanted md5 or sha256; download by hand."
        )
    with path.open("rb") as content:
        return f"{algorithm}:{hashlib.file_digest(content, algorithm).hexdigest()}"


def _is_whole(path: Path, file: RemoteFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    return checksum_of(path, file.checksum.partition(":")[0]) == file.checksum


def _check_room(folder: Path, files: list[RemoteFile]) -> None:
    parts = [folder / f"{file.name}.part" for file in files]
    needed = sum(file.size for file in files) - sum(part.stat().st_size for part in parts if part.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise LumbarError(
            f"{folder} has {_megabytes(free)} free, wanted {_megabytes(needed)}; make room or give another folder."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _download_from_kaggle(folder: Path) -> Path:
    try:
        import kagglehub
        from kagglehub.exceptions import CredentialError, KaggleApiHTTPError
    except ImportError as error:
        raise LumbarError(
            "RSNA's pictures come through kagglehub, which is not installed; run `pip install kagglehub`."
        ) from error
    page = f"https://www.kaggle.com/competitions/{RSNA}"
    print("RSNA 2024 Lumbar Spine Degenerative Classification (Kaggle, 1,975 studies)")
    print(
        f"{page} · licence: free for non-commercial use, see its rules · size: see its data page\nto {folder}"
    )
    try:
        return Path(kagglehub.competition_download(RSNA, output_dir=str(folder)))
    except (CredentialError, KaggleApiHTTPError) as error:
        raise LumbarError(
            f"Kaggle refuses the download ({type(error).__name__}); accept the rules at {page} and put your key "
            "into ~/.kaggle/kaggle.json."
        ) from error
    except OSError as error:  # requests' errors are OSErrors
        raise LumbarError(
            f"www.kaggle.com cannot be reached or the disk is full ({type(error).__name__}); check both and call again."
        ) from error
