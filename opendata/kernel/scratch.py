"""Files and folders that a process makes for a while, and that are dropped when it was killed.

Used by the file store for uploads on their way and by jobs for their working folders. Who makes one holds a
lock on it, which the kernel lets go of however the process ends: what nobody holds is abandoned. (A process
number in the name would not do: numbers are used again, and containers count for themselves.)
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def scratch_file(folder: Path) -> Iterator[IO[bytes]]:
    """A new file in `folder`, open for writing; removed at the end unless it was moved away."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / secrets.token_hex(12)
        with path.open("xb") as out:
            fcntl.flock(out, fcntl.LOCK_EX)
            if os.fstat(out.fileno()).st_nlink == 0:
                continue  # swept in the moment between making and holding it
            try:
                yield out
                return
            finally:
                path.unlink(missing_ok=True)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`; removed at the end with all that is in it."""
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        path = parent / secrets.token_hex(12)
        path.mkdir()
        try:
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # swept, as above
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if path.exists():
                yield path
                return
        finally:
            _remove(path)
            os.close(handle)


@contextmanager
def lasting_folder(parent: Path, name: str) -> Iterator[Path]:
    """The folder `name` in `parent`, with whatever an earlier holder that failed or was killed left in it.

    Removed at the end unless the block raises. While another process holds it: a new folder, as above.
    """
    path = parent / name
    handle = _held(path)
    if handle is None:
        with scratch_folder(parent) as other:
            yield other
        return
    try:
        yield path
        _remove(path)
    finally:
        os.close(handle)


def _held(path: Path) -> int | None:
    """A folder with this process's lock on it, made if need be; None while another process holds it."""
    while True:
        path.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # removed in the moment between making and opening it
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
        os.close(handle)  # swept, as above


def drop_abandoned(parent: Path, spare: Callable[[str], bool] = lambda _name: False) -> int:
    """Remove what no living process holds, but for names to `spare`; the number of files and folders removed."""
    dropped = 0
    for path in list(parent.iterdir()):
        if spare(path.name):
            continue
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # finished, or dropped by another process
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            _remove(path)
            dropped += 1
        finally:
            os.close(handle)
    return dropped


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
