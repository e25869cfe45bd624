"""Derived files that make far-apart rows and repeated sorts cheap, kept in one folder within a budget of bytes.

Two kinds, both rebuildable and named after what they were made from, so none can go stale: a memory-mapped
Arrow copy of a big table (100 scattered rows of a million: 4 ms instead of the 400 ms it takes to unpack every
row group) and the row order of a sort. Processes share the folder; files appear by rename and the longest
unused go first. Copies are made in the background, so no reader waits for one; `prepare` waits.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from pyarrow import ipc

from opendata.tabular.published import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opendata.tabular.published import PublishedFile

_BATCH_BYTES: Final = 16 * 1024 * 1024  # while building; 131,072 rows of twelve columns
_CHECK: Final = 4
_PART: Final = ".part"
_ABANDONED_SECONDS: Final = 3600
_OPENED_KEPT: Final = 64

logger = logging.getLogger(__name__)


class HotFiles:
    """`folder` holds nothing else. `budget`: bytes kept on disk over all derived files."""

    def __init__(self, folder: Path, budget: int) -> None:
        self._folder = folder
        self._budget = budget
        self._largest = budget // 2
        self._lock = Lock()
        self._opened: dict[str, HotTable] = {}
        self._builds: dict[str, Future[None]] = {}
        self._refused: set[str] = set()
        self._closing = False
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="hot-tables")
        folder.mkdir(parents=True, exist_ok=True)
        self._drop_abandoned()

    def table(self, file: PublishedFile, *, make: bool) -> HotTable | None:
        """The copy of a table, or None while there is none; `make` has it made in the background."""
        name = _name("rows", file.identity)
        opened = self._open(name)
        if make and opened is None and file.memory_bytes <= self._largest:
            with self._lock:
                if name not in self._builds and name not in self._refused:
                    self._builds[name] = self._builder.submit(self._build, name, file)
        return opened

    def prepare(self, file: PublishedFile) -> None:
        """Waits until the copy exists. A table over half the budget gets none."""
        if self.table(file, make=True) is None:
            with self._lock:
                build = self._builds.get(_name("rows", file.identity))
            if build is not None:
                build.result()

    def order(self, identity: str) -> pa.Array | None:
        """A row order kept before under this identity; None also for one that was damaged since."""
        path = self._folder / _name("order", identity)
        try:
            raw = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        data, check = raw[:-_CHECK], raw[-_CHECK:]
        if check != _checksum(data):
            logger.warning("dropping a damaged derived file: %s", path)
            path.unlink(missing_ok=True)
            return None
        return pa.Array.from_buffers(pa.uint32(), len(data) // 4, [None, pa.py_buffer(data)])

    def keep_order(self, identity: str, order: pa.Array) -> None:
        """Writes an order down for later; a full disk costs the next process a scan, not this reader an answer."""
        data = memoryview(order.buffers()[1])[order.offset * 4 : (order.offset + len(order)) * 4]

        def write(path: Path) -> None:
            with path.open("wb") as file:
                file.write(data)
                file.write(_checksum(data))

        try:
            self._put(_name("order", identity), write)
        except OSError:
            logger.exception("a row order could not be kept")

    def close(self) -> None:
        """Stops a copy being made; it is begun anew by the next process that wants it."""
        self._closing = True
        self._builder.shutdown(wait=True, cancel_futures=True)
        self._opened.clear()

    def _open(self, name: str) -> HotTable | None:
        path = self._folder / name
        with self._lock:
            try:
                os.utime(path)
            except OSError:  # not made yet, or dropped for others
                self._opened.pop(name, None)
                return None
            if name not in self._opened:
                try:
                    self._opened[name] = HotTable(path)
                except (OSError, pa.ArrowInvalid):
                    logger.warning("dropping an unreadable derived file: %s", path)
                    path.unlink(missing_ok=True)
                    return None
                while len(self._opened) > _OPENED_KEPT:
                    del self._opened[next(iter(self._opened))]
            return self._opened[name]

    def _build(self, name: str, file: PublishedFile) -> None:
        try:
            self._put(name, lambda path: write_hot_table(file, path, self._check))
        except CopyStoppedError as reason:
            logger.info("no hot copy of %s: %s", file.path, reason)
            with self._lock:
                self._refused.add(name)
        except Exception:
            # A copy is only a shortcut: the rows stay readable without it, so the reason is kept for operators.
            logger.exception("a hot copy of %s could not be made", file.path)
        finally:
            with self._lock:
                self._builds.pop(name, None)

    def _check(self, written: int) -> None:
        if written > self._largest:
            raise CopyStoppedError(f"it would take more than {self._largest} bytes")
        if self._closing:
            raise CopyStoppedError("the process is ending")

    def _put(self, name: str, write: Callable[[Path], None]) -> None:
        part = self._folder / f"{name}.{os.getpid()}.{time.monotonic_ns()}{_PART}"
        try:
            write(part)
            part.replace(self._folder / name)
        finally:
            part.unlink(missing_ok=True)
        self._keep_within_budget()

    def _keep_within_budget(self) -> None:
        """Drops the longest unused. A file another process has mapped stays readable for it until it lets go."""
        found: list[tuple[int, int, Path]] = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process dropped it meanwhile
                state = path.stat()
                found.append((state.st_mtime_ns, state.st_size, path))
        excess = sum(size for _, size, _ in found) - self._budget
        for _, size, path in sorted(found):
            if excess <= 0:
                break
            if path.suffix != _PART:
                path.unlink(missing_ok=True)
                excess -= size

    def _drop_abandoned(self) -> None:
        oldest = time.time() - _ABANDONED_SECONDS
        for path in self._folder.glob(f"*{_PART}"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


class HotTable:
    """A memory-mapped copy; its pages belong to the operating system's cache, not to this process."""

    def __init__(self, path: Path) -> None:
        reader = ipc.open_file(pa.memory_map(str(path)))
        self._batches = [reader.get_batch(index) for index in range(reader.num_record_batches)]
        self.schema = reader.schema
        self._offsets = tuple(accumulate((len(batch) for batch in self._batches), initial=0))[:-1]

    def rows(self, numbers: Sequence[int], columns: Sequence[int]) -> pa.Table:
        """The rows with these numbers, in this order."""
        chosen = list(columns)
        empty = self.schema.empty_table().select(chosen)

        def load(index: int) -> pa.Table:
            return pa.Table.from_batches([self._batches[index].select(chosen)])

        return gather(numbers, self._offsets, load, empty)


class CopyStoppedError(Exception):
    """The process is ending, or the copy outgrew its budget: repeated texts take little room only in Parquet."""


def write_hot_table(file: PublishedFile, path: Path, check: Callable[[int], None]) -> None:
    """Writes the copy as an Arrow file of large batches, holding one batch in memory at a time.

    `check` is told the bytes written so far, and may raise to stop.
    """
    with ExitStack() as stack:
        sink = stack.enter_context(pa.OSFile(str(path), "wb"))
        writer: ipc.RecordBatchFileWriter | None = None
        for table in _batched(file.groups()):
            if writer is None:
                writer = stack.enter_context(ipc.new_file(sink, table.schema))
            writer.write_table(table)
            check(sink.tell())


def _batched(groups: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Row groups joined until they are worth a batch: rows far apart then lie in few of them."""
    waiting: list[pa.Table] = []
    held = 0
    for group in groups:
        waiting.append(group)
        held += group.nbytes
        if held >= _BATCH_BYTES:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, held = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _checksum(data: bytes | memoryview) -> bytes:
    return zlib.crc32(data).to_bytes(_CHECK, "big")


def _name(kind: str, identity: str) -> str:
    return f"{kind}-{hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()}"
