"""How much may come out of a packed file, and the one loop that takes it out.

Every limit on archives and workbooks stands here. What a header says of sizes is never believed: bytes are
counted as they come, and the first one too many ends it. Memory: a few chunks.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

MEGABYTE: Final = 1 << 20
# A workbook of a million rows and thirty columns unpacks to about a gigabyte; bombs aim far higher. The same
# holds for all tables of an archive together.
MOST_UNPACKED: Final = 2048 * MEGABYTE
# Deflate packs at most 1,032 to 1, and does so only with the same byte over and over. Tables reach 50 to 1;
# below FREE_UNPACKED nobody asks.
MOST_RATIO: Final = 500
FREE_UNPACKED: Final = 64 * MEGABYTE
MOST_MEMBERS: Final = 20_000
# The list of members of an archive, in bytes: 20,000 of them with names of a hundred letters are 3 MB.
MOST_DIRECTORY: Final = 4 * MEGABYTE
# Members of an archive, or tables of a database, that are read as tables.
MOST_TABLES: Final = 200
CHUNK: Final = 1 << 18

_RAW: Final = -zlib.MAX_WBITS
_GZIP: Final = zlib.MAX_WBITS | 16


class UnpackingError(Exception):
    """Packed bytes that are cut off, damaged, or more than they were said to be."""


def inflated(packed: Iterator[bytes], *, most: int) -> Iterator[bytes]:
    """A deflate stream unpacked, at most `most` bytes of it. Raises UnpackingError."""
    stream = zlib.decompressobj(_RAW)
    done = 0
    for chunk in packed:
        data = chunk
        while data and not stream.eof:
            piece = _inflate(stream, data)
            done += len(piece)
            if done > most:
                raise UnpackingError("more than was said")
            if piece:
                yield piece
            data = stream.unconsumed_tail
    # What the window still holds comes without further input.
    while not stream.eof:
        piece = _inflate(stream, b"")
        if not piece:
            raise UnpackingError("cut off")
        done += len(piece)
        if done > most:
            raise UnpackingError("more than was said")
        yield piece


def gunzipped(source: BinaryIO) -> Iterator[bytes]:
    """The content of a gzip file, of all its members one after the other.

    Raises UnpackingError for a broken one, UnreadableError for one that unpacks beyond the limits.
    """
    stream = zlib.decompressobj(_GZIP)
    taken = done = 0
    is_open = True
    while data := source.read(CHUNK):
        taken += len(data)
        while data:
            if not is_open:
                if not data.strip(b"\0"):  # padding after the last member, as tape writers leave it
                    break
                stream, is_open = zlib.decompressobj(_GZIP), True
            piece = _inflate(stream, data)
            done += len(piece)
            check_unpacked(done, taken)
            if piece:
                yield piece
            data = stream.unused_data if stream.eof else stream.unconsumed_tail
            is_open = not stream.eof
    while is_open:
        piece = _inflate(stream, b"")
        done += len(piece)
        check_unpacked(done, taken)
        if piece:
            yield piece
        is_open = not stream.eof
        if is_open and not piece:
            raise UnpackingError("cut off")


def check_unpacked(unpacked: int, packed: int) -> None:
    """Raises UnreadableError for what is far more than a table ever unpacks to."""
    if unpacked > FREE_UNPACKED and unpacked > packed * MOST_RATIO:
        sizes = {"size": unpacked // MEGABYTE, "ratio": unpacked // max(packed, 1)}
        raise UnreadableError(Problem("archive-bomb", sizes))
    if unpacked > MOST_UNPACKED:
        limit = MOST_UNPACKED // MEGABYTE
        raise UnreadableError(Problem("archive-too-large", {"size": unpacked // MEGABYTE, "limit": limit}))


def _inflate(stream: zlib._Decompress, data: bytes) -> bytes:
    try:
        return stream.decompress(data, CHUNK)
    except zlib.error as error:
        raise UnpackingError(str(error)) from error
