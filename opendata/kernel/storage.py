"""Files, kept by the sha256 of their bytes: put once, never changed, found again by digest.

A stored file is on disk and read back before `put` returns, so a database row may point at it:
temporary file → sha256 while streaming → fsync → rename → fsync of the folder → read back.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from opendata.kernel.durable import sync_folder
from opendata.kernel.errors import TooLargeError
from opendata.kernel.i18n import translator
from opendata.kernel.scratch import drop_abandoned, scratch_file

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`sha256` in lower-case hex, `size` in bytes."""

    sha256: str
    size: int


class StorageError(RuntimeError):
    """The store did not keep what it was given: bytes read back differ from bytes written."""


class FileStore(Protocol):
    """What the platform asks of any store; one contract suite runs on every adapter."""

    def put(self, source: Readable, *, limit: int | None = None) -> StoredFile:
        """Keep the stream. Raises TooLargeError past `limit` bytes and keeps nothing then."""

    def path(self, sha256: str) -> Path:
        """A local path to read from. Raises FileNotFoundError."""

    def exists(self, sha256: str) -> bool: ...

    def delete(self, sha256: str) -> None:
        """Forget the file; nothing happens when it is not there."""

    def check(self) -> None:
        """Raises OSError when nothing can be kept."""

    def digests(self) -> Iterator[str]: ...


class LocalStore:
    """A folder: `ab/cd/abcd…`, with `incoming/` for files on their way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"

    @property
    def folder(self) -> Path:
        """Where the files lie, for readers that open them by path."""
        return self._folder

    def prepare(self) -> None:
        """Create the folders and drop what an interrupted upload left behind."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        sync_folder(self._folder.parent)
        drop_abandoned(self._incoming)

    def put(self, source: Readable, *, limit: int | None = None) -> StoredFile:
        with scratch_file(self._incoming) as incoming:
            stored = _write(source, incoming, limit)
            target = self._target(stored.sha256)
            if _holds(target, stored):
                sync_folder(target.parent)  # who moved it there may not have come as far yet
                return stored
            _make_folders(target.parent, self._folder)
            temporary = Path(incoming.name)
            temporary.chmod(0o440)
            temporary.rename(target)  # also over a copy that was damaged since
            sync_folder(target.parent)
            if not _holds(target, stored):
                raise StorageError(f"{stored.sha256} reads back differently")
            return stored

    def path(self, sha256: str) -> Path:
        target = self._target(sha256)
        if not target.is_file():
            raise FileNotFoundError(target)
        return target

    def exists(self, sha256: str) -> bool:
        return self._target(sha256).is_file()

    def delete(self, sha256: str) -> None:
        self._target(sha256).unlink(missing_ok=True)

    def check(self) -> None:
        """Raises OSError when the folder cannot be written."""
        if not self._incoming.is_dir():
            raise FileNotFoundError(errno.ENOENT, "the file store was not prepared", str(self._incoming))
        with scratch_file(self._incoming):
            pass

    def digests(self) -> Iterator[str]:
        for path in sorted(self._folder.glob("??/??/*")):
            if _DIGEST.fullmatch(path.name):
                yield path.name

    def _target(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise ValueError(f"not a sha256: {sha256!r}")
        return self._folder / sha256[:2] / sha256[2:4] / sha256


def open_store(url: str) -> LocalStore:
    """The store at an address such as `file:///var/lib/opendata/files`. Raises ValueError for others."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        raise ValueError(f"OPENDATA_STORE_URL: “{url}” is not an address of the form file:///folder")
    return LocalStore(Path(unquote(parts.path)))


def _write(source: Readable, out: IO[bytes], limit: int | None) -> StoredFile:
    digest = hashlib.sha256()
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if limit is not None and size > limit:
            raise TooLargeError(limit=translator("en").size(limit))
        digest.update(chunk)
        out.write(chunk)
    out.flush()
    os.fsync(out.fileno())
    return StoredFile(digest.hexdigest(), size)


def _holds(path: Path, stored: StoredFile) -> bool:
    """Whether exactly these bytes can be read from `path`."""
    try:
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256")
            return StoredFile(digest.hexdigest(), handle.tell()) == stored
    except FileNotFoundError:
        return False


def _make_folders(folder: Path, root: Path) -> None:
    """Like mkdir(parents=True), with each new entry synced into its parent."""
    if folder == root or folder.exists():
        return
    _make_folders(folder.parent, root)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)
