"""Downloads for the preparation of a task: resumed where they were cut, checked, and kept for the next time.

A preparation (`data.prepare` of task.yaml) imports it by name:

    from assay_prepare import download, write_manifest

    download("https://example.org/train.bin", output / "train" / "train.bin", sha256="…")
    write_manifest(output)

What `download` brings stays in the folder ASSAY_DOWNLOADS, so that a task that is changed and prepared again needs no
network. A file whose checksum is not known is trusted once: its checksum is recorded there, and checked ever after.
ASSAY_MIRROR names a folder with copies: of https://HOST/PATH it is HOST/PATH, else the last part of PATH.
ASSAY_PROGRESS names a file that lines of progress are appended to, which `assay task prepare` shows.

Standard library only; Python 3.10 or later.
"""

import errno
import hashlib
import json
import os
import pathlib
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

CHUNK = 1 << 20
TRIES = 6
# seconds without a byte after which a connection counts as lost
STALLED_S = 60


class DownloadError(Exception):
    """A file that cannot be brought, with the reason and what helps."""


def download(url, to, sha256=None):
    """Brings the file at `url` to the path `to` and returns its SHA-256.

    A download that was cut continues where it was. With `sha256` the content has to have it; without, it has to be what
    the first download brought. Nothing is fetched that lies in ASSAY_DOWNLOADS or ASSAY_MIRROR.
    Raises DownloadError.
    """
    to = pathlib.Path(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    kept = _kept_place(url, to)
    recorded = kept.with_name(kept.name + ".json")
    expected = (sha256 or _recorded(recorded) or "").lower() or None
    if kept.is_file():
        if _digest(kept, expected) in (expected, None):
            return _deliver(url, kept, to, expected or _digest(kept, expected))
        kept.unlink()
    progress = _Progress(url, to)
    mirrored = _mirrored(url, is_known=expected is not None)
    if mirrored is not None:
        part = kept.with_name(kept.name + ".part")
        _copy(mirrored, part)
    else:
        part = _fetch(url, kept, progress)
    found = _sha256_of(part)
    if expected is not None and found != expected:
        part.unlink()
        source = "task" if sha256 else "first download"
        raise DownloadError(
            f"{mirrored or url} has SHA-256 {found}, and by the {source} it is {expected}: "
            "the file has changed, or what was received is not it"
            + ("" if sha256 else f"; remove {recorded} to trust what is there now")
        )
    if sha256 is None and not recorded.is_file():
        _write(recorded, json.dumps({"url": url, "sha256": found, "bytes": part.stat().st_size}) + "\n")
        print(f"recorded the checksum of {url}: sha256={found}", flush=True)
    os.replace(part, kept)
    part.with_name(part.name + ".etag").unlink(missing_ok=True)
    progress.tell(kept.stat().st_size, kept.stat().st_size, done=True)
    return _deliver(url, kept, to, found)


def write_manifest(output):
    """Lists every file below `output` in its manifest.json, with which the preparation is complete."""
    output = pathlib.Path(output)
    files = [
        {"path": path.relative_to(output).as_posix(), "bytes": path.stat().st_size, "sha256": _sha256_of(path)}
        for path in sorted(output.rglob("*"))
        if path.is_file() and path != output / "manifest.json"
    ]
    _write(output / "manifest.json", json.dumps({"schema": "assay.data/1", "files": files}, indent=1) + "\n")


def _kept_place(url, to):
    """Where the file is kept: by its address in ASSAY_DOWNLOADS, else in the place where it is wanted."""
    folder = os.environ.get("ASSAY_DOWNLOADS")
    if not folder:
        return to
    name = urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1][-80:] or "file"
    place = pathlib.Path(folder) / hashlib.sha256(url.encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    return place / name


def _recorded(record):
    try:
        return json.loads(record.read_text())["sha256"]
    except (OSError, ValueError, KeyError):
        return None


def _digest(path, expected):
    """The SHA-256 of a file that is there already; None where nothing is known that it could be compared with."""
    return _sha256_of(path) if expected is not None else None


def _sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _deliver(url, kept, to, found):
    """Puts what is kept in its place: a copy of its own, since a preparation may change what it was given."""
    found = found or _sha256_of(kept)
    if kept != to:
        fresh = to.with_name(to.name + ".fresh")
        _copy(kept, fresh)
        os.replace(fresh, to)
    return found


def _mirrored(url, is_known):
    """The local copy of an address; by its last name alone only where its checksum is known: names repeat."""
    mirror = os.environ.get("ASSAY_MIRROR")
    if not mirror:
        return None
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.unquote(parts.path).lstrip("/")
    if ".." in path.split("/"):
        return None
    for name in (f"{parts.netloc}/{path}", *([path.rsplit("/", 1)[-1]] if is_known else [])):
        file = pathlib.Path(mirror) / name
        if name and file.is_file():
            return file
    return None


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _copy(source, to):
    try:
        shutil.copyfile(source, to)
    except OSError as error:
        if error.errno in FULL:
            raise _full(to, error) from None
        raise


def _full(place, error):
    return DownloadError(f"{place} cannot be written: {error.strerror}. Make room on that disk; what is there is kept")


def _fetch(url, kept, progress):
    """Fetches the file into a part beside its place, over several connections where it takes them."""
    part = kept.with_name(kept.name + ".part")
    reason, tried = "", 0
    while tried < TRIES:
        if tried > 0:
            time.sleep(min(30, 2**tried))
        before = part.stat().st_size if part.is_file() else 0
        try:
            _receive(url, part, progress)
            return part
        except urllib.error.HTTPError as error:
            reason = f"the server answered {error.code} {error.reason}"
            if error.code == 416:
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code not in (408, 429):
                break
        except (OSError, EOFError) as error:
            if getattr(error, "errno", None) in FULL:
                raise _full(part, error) from None
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        gained = part.is_file() and part.stat().st_size > before
        # a line that is cut now and then brings even a long file
        tried = 1 if gained else tried + 1
        if gained:
            progress.tell(part.stat().st_size, None, note=f"continued after: {reason}")
    raise DownloadError(
        f"{url} cannot be downloaded: {reason}. Check the network and the proxy of this host, or put a copy into the "
        "folder that ASSAY_MIRROR names"
    )


def _receive(url, part, progress):
    """Appends to a part what is missing of it, and fails where the connection ends before the file does."""
    have = part.stat().st_size if part.is_file() else 0
    etag_file = part.with_name(part.name + ".etag")
    request = urllib.request.Request(url, headers={"User-Agent": "assay", "Accept-Encoding": "identity"})
    if have > 0 and etag_file.is_file():
        request.add_header("Range", f"bytes={have}-")
        # a file that has changed since is sent whole
        request.add_header("If-Range", etag_file.read_text())
    else:
        have = 0
    with urllib.request.urlopen(request, timeout=STALLED_S) as answer:
        if answer.status != 206:
            have = 0
        validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        if validator and not validator.startswith("W/"):
            _write(etag_file, validator)
        elif have == 0:
            etag_file.unlink(missing_ok=True)
        length = answer.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        with open(part, "ab" if have > 0 else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                progress.tell(have, total)
    if total is not None and have < total:
        raise EOFError(f"the connection ended after {have} of {total} bytes")


def _write(path, text):
    fresh = path.with_name(path.name + ".fresh")
    fresh.write_text(text)
    os.replace(fresh, path)


class _Progress:
    """Tells how far a file is: in lines for assay, else to a person at a terminal."""

    def __init__(self, url, to):
        self.file = to.name
        self.url = url
        self.began = time.monotonic()
        self.told = 0.0
        self.start = None
        self.place = os.environ.get("ASSAY_PROGRESS")

    def tell(self, have, total, done=False, note=None):
        now = time.monotonic()
        if self.start is None:
            self.start = have
        if not done and note is None and now - self.told < 0.5:
            return
        self.told = now
        seconds = now - self.began
        if self.place:
            line = {"file": self.file, "bytes": have, "total": total, "done": done}
            line["perSecond"] = round((have - self.start) / seconds) if seconds > 0 else 0
            if note is not None:
                line["note"] = note[:200]
            with open(self.place, "a") as file:
                file.write(json.dumps(line) + "\n")
        elif done or sys.stderr.isatty():
            of = "" if total is None else f" of {total / 1e6:.1f}"
            end = "\n" if done else "\r"
            print(f"{self.file}: {have / 1e6:.1f}{of} MB", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: assay_prepare.py URL FILE [SHA256]")
    try:
        print(download(*sys.argv[1:]))
    except DownloadError as error:
        sys.exit(str(error))
