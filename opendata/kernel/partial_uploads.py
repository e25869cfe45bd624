"""Files that arrive in several requests: what has come so far lies on disk until the rest does.

Called by the API of resumable uploads and swept by the worker; knows nothing of datasets. One folder an
upload: `data` (the bytes so far) and `about.json` (length, owner, what its sender said, what became of it).
Nothing is held while a connection is waited for: each piece is written under a short lock, and only where the
file ends just where the request believes, so a stalled connection blocks nobody and two senders never mix.
The last byte counts as arrived only when the whole file was taken: a process that dies in between leaves an
upload that any client finds one byte short and finishes.
"""

from __future__ import annotations

import base64
import datetime as dt
import fcntl
import hashlib
import json
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from opendata.kernel.durable import sync_folder
from opendata.kernel.errors import N_, ConflictError, NotFoundError, PortalError
from opendata.kernel.ids import new_id, utc_now
from opendata.kernel.scratch import scratch_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from io import BufferedReader

    from opendata.kernel.storage import Readable

CHUNK: Final = 1 << 20
LIFETIME: Final = dt.timedelta(hours=24)  # without progress
REMEMBERED: Final = dt.timedelta(days=7)  # that there was one, so that it is answered with 410
MOST_WAITING: Final = 100
ALGORITHMS: Final = ("sha1", "sha256", "md5")
_ID: Final = re.compile(r"[0-9a-z]{26}")


class UploadExpiredError(PortalError):
    code: ClassVar[str] = "upload-expired"
    status: ClassVar[int] = 410
    template: ClassVar[str] = N_("This upload waited too long for its next bytes. Begin a new one.")


class OffsetError(ConflictError):
    code: ClassVar[str] = "upload-offset"
    template: ClassVar[str] = N_(
        "The upload is at another byte than the one in Upload-Offset. Ask for it with HEAD and go on there."
    )


class UploadBusyError(PortalError):
    code: ClassVar[str] = "upload-busy"
    status: ClassVar[int] = 423
    template: ClassVar[str] = N_("Another request is just completing this upload. Ask again in a moment.")
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "2"}


class TooManyUploadsError(PortalError):
    code: ClassVar[str] = "too-many-uploads"
    status: ClassVar[int] = 429
    template: ClassVar[str] = N_("%(count)s uploads of yours are unfinished. Finish or delete some first.")


class UploadOverflowError(PortalError):
    code: ClassVar[str] = "upload-overflow"
    status: ClassVar[int] = 413
    template: ClassVar[str] = N_("More bytes came than Upload-Length had announced.")


class ChecksumError(PortalError):
    """460 is the number that the tus protocol gives to this."""

    code: ClassVar[str] = "checksum-mismatch"
    status: ClassVar[int] = 460
    template: ClassVar[str] = N_("The bytes do not have the checksum sent with them. Send them again.")


@dataclass(frozen=True, slots=True)
class PartialUpload:
    """`length` and `offset` in bytes; `offset` is safe on disk, and equals `length` once there is a `result`."""

    id: str
    length: int
    offset: int
    owner: str
    details: Mapping[str, Any]
    expires_at: dt.datetime
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Checksum:
    """`digest` in base64, as it was sent; `algorithm` is one of ALGORITHMS."""

    algorithm: str
    digest: str

    def matches(self, found: bytes) -> bool:
        return base64.b64encode(found).decode() == self.digest


class PartialUploads:
    """`folder` belongs to this class alone and may be shared by processes of one file system."""

    def __init__(self, folder: Path, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._folder = folder
        self._clock = clock

    def create(self, owner: str, length: int, details: Mapping[str, Any]) -> PartialUpload:
        """Begin one of `length` bytes, at least 1. `details` is JSON. Raises TooManyUploadsError."""
        waiting = sum(self._is_waiting(path, owner) for path in self._folders())
        if waiting >= MOST_WAITING:
            raise TooManyUploadsError(count=waiting)
        upload_id = new_id()
        folder = self._folder / upload_id
        folder.mkdir(parents=True)
        with (folder / "data").open("xb") as data:
            os.fsync(data.fileno())
        _write_about(folder, {"owner": owner, "length": length, "details": details})
        sync_folder(self._folder)
        return self.find(upload_id, owner)

    def find(self, upload_id: str, owner: str) -> PartialUpload:
        """What has come so far; it is on disk for good then. Raises NotFoundError, UploadExpiredError."""
        folder = self._path(upload_id)
        about = _read_about(folder)
        if about["owner"] != owner:
            raise NotFoundError
        expires_at = self._expiry(folder, about)
        if expires_at is None or expires_at <= self._clock():
            raise UploadExpiredError
        length, result = about["length"], about.get("result")
        offset = length
        if result is None:
            try:
                with (folder / "data").open("r+b") as data:
                    os.fsync(data.fileno())
                    offset = min(os.fstat(data.fileno()).st_size, length - 1)
            except FileNotFoundError:
                return self.find(upload_id, owner)  # finished or swept in this moment
        return PartialUpload(upload_id, length, offset, owner, about["details"], expires_at, result)

    def append(self, upload: PartialUpload, source: Readable, checksum: Checksum | None = None) -> None:
        """Keep the bytes of `source`, which begin at `upload.offset`; with a checksum, all or none of them.

        What came before an error of `source` stays. Raises OffsetError where others wrote meanwhile,
        UploadOverflowError, UploadBusyError, ChecksumError.
        """
        if upload.result is not None:
            if source.read(1):
                raise UploadOverflowError
            return
        folder = self._path(upload.id)
        self._take_back_last_byte(folder, upload)
        if checksum is None:
            self._append(folder, upload, source)
            return
        with scratch_file(folder / "unchecked") as spool:
            digest = hashlib.new(checksum.algorithm, usedforsecurity=False)
            for piece in _pieces(source, upload.length - upload.offset):
                digest.update(piece)
                spool.write(piece)
            if not checksum.matches(digest.digest()):
                raise ChecksumError
            spool.flush()
            with open(spool.name, "rb") as checked:  # noqa: PTH123 - the name of an open file is a str
                self._append(folder, upload, checked)

    def finish(
        self, upload: PartialUpload, take: Callable[[BufferedReader, dt.datetime | None], Mapping[str, Any]]
    ) -> PartialUpload:
        """Give the whole file to `take` where all bytes are there; its JSON answer is kept as the result.

        `take` runs in one process at a time. It also gets the time of the first attempt where an earlier one
        failed or died, since that one may have taken the file before it could say so. Its errors pass through
        and leave the upload one byte short. Raises UploadBusyError.
        """
        folder = self._path(upload.id)
        if upload.result is not None or _size(folder / "data") < upload.length:
            return self.find(upload.id, upload.owner)
        with _held(folder):
            about = _read_about(folder)
            if "result" not in about and _size(folder / "data") == upload.length:
                before = about.get("attempted")
                about["attempted"] = before or self._clock().isoformat()
                _write_about(folder, about)
                with (folder / "data").open("rb") as data:
                    result = take(data, dt.datetime.fromisoformat(before) if before else None)
                _write_about(folder, {**about, "result": dict(result)})
                (folder / "data").unlink()
        return self.find(upload.id, upload.owner)

    def remove(self, upload: PartialUpload) -> None:
        """Forget it and its bytes. Raises UploadBusyError."""
        folder = self._path(upload.id)
        with _held(folder):
            (folder / "data").unlink(missing_ok=True)
            shutil.rmtree(folder)

    def sweep(self) -> int:
        """Drop the bytes of expired uploads, and all memory of those long gone; how many were expired."""
        dropped = 0
        now = self._clock()
        for folder in self._folders():
            try:
                about = _read_about(folder)
                expires_at = self._expiry(folder, about)
                if expires_at is not None and expires_at > now:
                    continue
                with _held(folder):
                    if (folder / "data").exists():
                        (folder / "data").unlink()
                        dropped += 1
                    shutil.rmtree(folder / "unchecked", ignore_errors=True)
                    if _modified(folder / "about.json") + LIFETIME + REMEMBERED <= now:
                        shutil.rmtree(folder)
            except (UploadBusyError, FileNotFoundError):
                continue  # just being completed, or removed in this moment
            except NotFoundError:
                _drop_unborn(folder, now)
        return dropped

    def _append(self, folder: Path, upload: PartialUpload, source: Readable) -> None:
        """One open file for the whole request: after `remove` its writes are refused."""
        reached = upload.offset
        with (folder / "data").open("r+b", buffering=0) as data:
            try:
                for piece in _pieces(source, upload.length - reached):
                    _write_at(data.fileno(), reached, piece)
                    reached += len(piece)
            finally:
                os.fsync(data.fileno())

    def _take_back_last_byte(self, folder: Path, upload: PartialUpload) -> None:
        """Where an earlier attempt to finish failed, the byte that was not counted is sent again."""
        if _size(folder / "data") < upload.length:
            return
        if upload.offset != upload.length - 1:
            raise OffsetError  # another request sent the rest meanwhile
        with _held(folder):
            try:
                with (folder / "data").open("r+b") as data:
                    data.truncate(upload.length - 1)
            except FileNotFoundError:
                raise OffsetError from None  # the one before was finished after all

    def _is_waiting(self, folder: Path, owner: str) -> bool:
        try:
            about = _read_about(folder)
        except NotFoundError:
            return False
        return about["owner"] == owner and (folder / "data").exists()

    def _expiry(self, folder: Path, about: Mapping[str, Any]) -> dt.datetime | None:
        """None when its bytes were swept."""
        try:
            return _modified(folder / ("about.json" if "result" in about else "data")) + LIFETIME
        except FileNotFoundError:
            return None

    def _folders(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return [path for path in self._folder.iterdir() if _ID.fullmatch(path.name)]

    def _path(self, upload_id: str) -> Path:
        if not _ID.fullmatch(upload_id):
            raise NotFoundError
        return self._folder / upload_id


def _drop_unborn(folder: Path, now: dt.datetime) -> None:
    """A folder whose maker died before it could write what it is about."""
    if folder.is_dir() and _modified(folder) + LIFETIME <= now:
        shutil.rmtree(folder)


def _pieces(source: Readable, most: int) -> Iterator[bytes]:
    """Raises UploadOverflowError for a byte more, before the last piece is given out."""
    while most:
        piece = source.read(min(CHUNK, most))
        if not piece:
            return
        most -= len(piece)
        if not most and source.read(1):
            raise UploadOverflowError
        yield piece


def _write_at(handle: int, offset: int, piece: bytes) -> None:
    """Append where the file ends at `offset`, whole or not at all. Raises OffsetError, NotFoundError."""
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        state = os.fstat(handle)
        if state.st_nlink == 0:
            raise NotFoundError
        if state.st_size != offset:
            raise OffsetError
        try:
            written = 0
            while written < len(piece):
                written += os.pwrite(handle, memoryview(piece)[written:], offset + written)
        except OSError:
            os.ftruncate(handle, offset)
            raise
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Alone with a whole upload. Raises UploadBusyError at once when another is, NotFoundError."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        raise NotFoundError from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusyError from None
        yield
    finally:
        os.close(handle)


def _read_about(folder: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((folder / "about.json").read_bytes())
    except FileNotFoundError:
        raise NotFoundError from None
    return about


def _write_about(folder: Path, about: Mapping[str, Any]) -> None:
    """Whole or not at all, also when the machine stops."""
    with scratch_file(folder) as out:
        out.write(json.dumps(about).encode())
        out.flush()
        os.fsync(out.fileno())
        Path(out.name).rename(folder / "about.json")
    sync_folder(folder)


def _size(path: Path) -> int:
    """-1 where there is no file."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def _modified(path: Path) -> dt.datetime:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
