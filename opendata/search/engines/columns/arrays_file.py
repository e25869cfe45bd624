"""Named arrays in one file: written once, checked by a checksum, then read where they lie in the file.

Layout: a mark, the arrays (each beginning at a multiple of 16 bytes), a list of them as JSON, and an end of
fixed length with the place of that list and the CRC-32 of all that stands before the end.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.search.engines.columns.spilled import Column
from opendata.search.folder import DamagedIndexError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Array = np.ndarray[Any, np.dtype[Any]]

_MARK: Final = b"odcol01\n"
_ALIGNED: Final = 16
_END: Final = struct.Struct("<QII4s")
_END_MARK: Final = b"end\n"
_READ_AT_ONCE: Final = 1 << 20


def write_arrays(path: Path, arrays: Iterable[tuple[str, Array | Column]]) -> None:
    """Takes one array after the other, columns piece by piece. The file is on the disk when this returns."""
    listed: dict[str, tuple[str, int, int]] = {}
    with path.open("wb") as out:
        checksum = zlib.crc32(_MARK)
        out.write(_MARK)
        at = len(_MARK)
        for name, array in arrays:
            gap = np.zeros(-at % _ALIGNED, np.uint8)
            at += len(gap)
            listed[name] = (array.dtype.str, at, len(array))
            at += len(array) * array.dtype.itemsize
            for piece in itertools.chain([gap], array.pieces() if isinstance(array, Column) else [array]):
                content = np.ascontiguousarray(piece).view(np.uint8).data if piece.size else b""
                checksum = zlib.crc32(content, checksum)
                out.write(content)
        directory = json.dumps(listed).encode()
        checksum = zlib.crc32(directory, checksum)
        out.write(directory)
        out.write(_END.pack(at, len(directory), checksum, _END_MARK))
        out.flush()
        os.fsync(out.fileno())


def open_arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file, not yet read. DamagedIndexError where it does not end as it was written."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < len(_MARK) + _END.size:
            raise DamagedIndexError(f"{path.name} is too short")
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    at, length, _, mark = _END.unpack(content[-_END.size :])
    if mark != _END_MARK or at + length + _END.size != len(content):
        raise DamagedIndexError(f"{path.name} does not end as it was written")
    listed = json.loads(content[at : at + length])
    return {
        name: np.frombuffer(content, np.dtype(dtype), size, start)
        for name, (dtype, start, size) in listed.items()
    }


def verify_file(path: Path) -> None:
    """DamagedIndexError where a byte is not what was written. Reads the whole file."""
    size = path.stat().st_size
    checksum, left = 0, size - _END.size
    with path.open("rb") as file:
        while left > 0:
            piece = file.read(min(left, _READ_AT_ONCE))
            if not piece:
                break
            checksum = zlib.crc32(piece, checksum)
            left -= len(piece)
        end = file.read(_END.size)
    if left or len(end) < _END.size:
        raise DamagedIndexError(f"{path.name} is too short")
    at, length, expected, mark = _END.unpack(end)
    if mark != _END_MARK or checksum != expected or at + length + _END.size != size:
        raise DamagedIndexError(f"{path.name} is not what was written")
