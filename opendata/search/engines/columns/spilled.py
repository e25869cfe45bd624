"""Numbers that are made piece by piece and are many: beyond some megabytes they wait in a file without a name.

Building a segment makes arrays of tens of megabytes one after the other. With these, what is held in memory at once
stays the same however many documents there are.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opendata.search.engines.columns.arrays_file import Array

_MOST_IN_MEMORY: Final = 1 << 19  # bytes
_READ_AT_ONCE: Final = 1 << 20
_WAITING_LINES: Final = 1024
# Ends a string: written as the byte 0xff, which no character has.
_END: Final = "\udcff"


class Column:
    """An array that grows. `folder`: where its file is, if it needs one; it goes with the column."""

    def __init__(self, dtype: Any, folder: Path) -> None:
        self.dtype = np.dtype(dtype)
        self._folder = folder
        self._file = -1
        self._waiting: list[Array] = []
        self._waiting_bytes = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, values: Array) -> None:
        kept = np.array(values, self.dtype)
        self._size += len(kept)
        self._waiting.append(kept)
        self._waiting_bytes += kept.nbytes
        if self._waiting_bytes > _MOST_IN_MEMORY:
            self._write()

    def pieces(self) -> Iterator[Array]:
        """All of it, in order."""
        if self._file < 0:
            yield from self._waiting
            return
        step = max(_READ_AT_ONCE // self.dtype.itemsize, 1)
        for start in range(0, self._size, step):
            yield self.between(start, min(start + step, self._size))

    def between(self, start: int, stop: int) -> Array:
        """A copy of the entries from `start` on, `stop` left out."""
        if self._file < 0:
            return self.whole()[start:stop]
        self._write()
        width = self.dtype.itemsize
        return np.frombuffer(os.pread(self._file, (stop - start) * width, start * width), self.dtype)

    def whole(self) -> Array:
        """For what is known to be small, or is wanted in memory."""
        if self._file >= 0:
            return self.between(0, self._size)
        if len(self._waiting) != 1:
            self._waiting = [np.concatenate([np.zeros(0, self.dtype), *self._waiting])]
        return self._waiting[0]

    def _write(self) -> None:
        if self._file < 0:
            self._file, name = tempfile.mkstemp(dir=self._folder)
            Path(name).unlink()
            weakref.finalize(self, os.close, self._file)
        with open(self._file, "ab", closefd=False) as out:
            out.writelines(values.data for values in self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0


class SpilledLists:
    """Some strings for each document."""

    def __init__(self, folder: Path) -> None:
        self._lines = Column(np.uint8, folder)
        self._counts = array("I")
        self._waiting: list[str] = []

    def add(self, texts: Sequence[str]) -> None:
        self._counts.append(len(texts))
        self._waiting += texts
        if len(self._waiting) >= _WAITING_LINES:
            self._write()

    def lists(self) -> Iterator[list[bytes]]:
        """Those of each document, in order."""
        self._write()
        counts = iter(self._counts)
        lines: list[bytes] = []
        count, rest = next(counts, -1), b""
        for piece in self._lines.pieces():
            *found, rest = (rest + piece.tobytes()).split(b"\xff")
            lines += found
            at = 0
            while 0 <= count <= len(lines) - at:
                yield lines[at : at + count]
                at += count
                count = next(counts, -1)
            del lines[:at]
        while count == 0:
            yield []
            count = next(counts, -1)

    def _write(self) -> None:
        if self._waiting:
            content = _END.join([*self._waiting, ""]).encode(errors="surrogateescape")
            self._lines.append(np.frombuffer(content, np.uint8))
            self._waiting.clear()


class Buckets:
    """Keys that are wanted sorted, put into ranges when they come, so that one range at a time can be sorted."""

    def __init__(self, count: int, folder: Path) -> None:
        self._count = count
        self._keys = Column(np.uint64, folder)
        self._begins: list[Array] = []

    def add(self, buckets: Array, keys: Array) -> None:
        """`buckets`: for each key the number of its range."""
        held = np.bincount(buckets, minlength=self._count)
        self._begins.append(len(self._keys) + np.concatenate([np.zeros(1, np.int64), np.cumsum(held)]))
        if self._count > 1:
            keys = keys[np.argsort(buckets, kind="stable")]
        self._keys.append(keys)

    def sorted(self, bucket: int) -> Array:
        found = [
            self._keys.between(int(begins[bucket]), int(begins[bucket + 1]))
            for begins in self._begins
            if begins[bucket] < begins[bucket + 1]
        ]
        keys = np.concatenate([np.zeros(0, np.uint64), *found])
        keys.sort()
        return keys
