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
    from collections.abc import Iterator
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


def drop_abandoned(parent: Path) -> int:
    """Remove what no living process holds; the number of files and folders removed."""
    dropped = 0
    for path in list(parent.iterdir()):
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
