"""Arrow: an IPC file (Feather 2 is one) or stream, a table whose columns have types already.

A file is read as the stream that it contains, message by message, and its footer is only asked whether the number
of batches agrees. Arrow trusts what messages say of themselves: so before a batch is decoded, the sizes that its
buffers claim to unpack to are added up, and before a value is looked at, every offset in it is checked. The values
keep their types as those of Parquet do.
"""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from pyarrow import ipc

from opendata.resources.formats.parquet_table import (
    TypedColumn,
    column_of,
    source_table,
    stored_array,
    text_batches,
)
from opendata.resources.formats.table import BATCH_ROWS, SourceTable, column_names
from opendata.resources.formats.unpacking import check_unpacked
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.resources.formats.table import Report, TextBatch
    from opendata.resources.ingest.result import Identification

FILE_MARK: Final = b"ARROW1"
STREAM_MARK: Final = b"\xff\xff\xff\xff"
_FILE_START: Final = 8
_BATCH_KINDS: Final = frozenset({"record batch", "dictionary"})
# Positions of fields in the tables of Message.fbs, format version 5.
_HEADER, _DICTIONARY_DATA, _LENGTH, _BUFFERS, _COMPRESSION = 2, 1, 0, 2, 3
_BUFFER_BYTES: Final = 16
_NOT_PACKED: Final = -1


def is_stream(head: bytes) -> bool:
    """Whether the first bytes are a message that is preceded by its length, as streams begin."""
    if not head.startswith(STREAM_MARK) or len(head) < 2 * _FILE_START:
        return False
    length, root = struct.unpack_from("<iI", head, 4)
    return bool(0 < length < 1 << 24 and _FILE_START <= root + 4 <= length and root % 4 == 0)


def tables(
    path: Path,
    identification: Identification,  # noqa: ARG001 - asked for by the Reader protocol
) -> Iterator[SourceTable]:
    """The one table of the file as text. Raises UnreadableError for a file that cannot be read."""
    columns, _ = columns_of(path)
    table = source_table(columns)
    table.readings = (partial(_read, path, columns),)
    yield table


def columns_of(path: Path) -> tuple[list[TypedColumn], int]:
    """Columns and row count, from the messages. Raises UnreadableError."""
    with _reading():
        count = _check_messages(path)
        with _open(path) as source:
            return [column_of(field) for field in source.schema], count


def typed_batches(path: Path, columns: list[TypedColumn], report: Report) -> Iterator[pa.RecordBatch]:
    """The rows, columns named c0, c1, …, every array of the type `stored`. Raises UnreadableError."""
    names = column_names(len(columns))
    done = 0
    with _reading(), _open(path) as source:
        for whole in source:
            whole.validate(full=True)
            for start in range(0, whole.num_rows, BATCH_ROWS):
                batch = whole.slice(start, BATCH_ROWS)
                arrays = [
                    stored_array(array, each) for array, each in zip(batch.columns, columns, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, names=names)
                done += batch.num_rows
                report(done, done, "rows")


def _read(path: Path, columns: list[TypedColumn], report: Report) -> Iterator[TextBatch]:
    return text_batches(typed_batches(path, columns, report))


@contextmanager
def _reading() -> Iterator[None]:
    """Errors of the library while a file is read, as UnreadableError; want of memory stays what it is."""
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, struct.error, ValueError, TypeError, KeyError) as error:
        raise UnreadableError(Problem("arrow-unreadable")) from error


@contextmanager
def _bytes(path: Path) -> Iterator[pa.NativeFile]:
    """The file, placed where its stream begins. A file that was cut off lacks the mark at its end."""
    with path.open("rb") as raw:
        is_file = raw.read(len(FILE_MARK)) == FILE_MARK
        if is_file:
            raw.seek(-len(FILE_MARK), os.SEEK_END)
            if raw.read() != FILE_MARK:
                raise UnreadableError(Problem("arrow-unreadable"))
    with pa.memory_map(str(path)) as source:
        source.seek(_FILE_START if is_file else 0)
        yield source


@contextmanager
def _open(path: Path) -> Iterator[ipc.RecordBatchStreamReader]:
    with _bytes(path) as source, ipc.open_stream(source) as reader:
        yield reader


def _check_messages(path: Path) -> int:
    """Go through all messages without decoding any: their sizes, and that none is missing. The rows they state."""
    batches = rows = 0
    with _bytes(path) as source:
        is_file = source.tell() > 0
        for message in ipc.MessageReader.open_stream(source):
            if message.type not in _BATCH_KINDS:
                continue
            length = _check_batch(message)
            if message.type == "record batch":
                batches += 1
                rows += length
    if is_file:
        with pa.memory_map(str(path)) as source, ipc.open_file(source) as reader:
            if reader.num_record_batches != batches:
                raise UnreadableError(Problem("arrow-unreadable"))
    return rows


def _check_batch(message: ipc.Message) -> int:
    """How many rows a batch states. Raises where its buffers say that they unpack to too much."""
    metadata = memoryview(message.metadata)
    batch = _table(metadata, _table_at(metadata, 0), _HEADER)
    if batch is not None and message.type == "dictionary":
        batch = _table(metadata, batch, _DICTIONARY_DATA)
    if batch is None:
        raise ValueError("a batch without content")
    rows = _field(metadata, batch, _LENGTH)
    if _field(metadata, batch, _COMPRESSION) is not None:
        _check_unpacked(message, metadata, _field(metadata, batch, _BUFFERS))
    return _number("<q", metadata, rows) if rows is not None else 0


def _check_unpacked(message: ipc.Message, metadata: memoryview, at: int | None) -> None:
    """Add up what the buffers of a packed batch say they unpack to: eight bytes before each (Message.fbs)."""
    if at is None:
        return
    vector = at + _number("<I", metadata, at)
    body = memoryview(message.body) if message.body is not None else memoryview(b"")
    unpacked = 0
    for index in range(_number("<I", metadata, vector)):
        offset, length = struct.unpack_from("<2q", metadata, vector + 4 + index * _BUFFER_BYTES)
        if length < 0 or offset < 0 or offset + length > len(body):
            raise ValueError("a buffer outside of its message")
        size = _number("<q", body, offset) if length else 0
        if size < _NOT_PACKED:
            raise ValueError("a buffer of negative size")
        unpacked += max(size, 0)
    check_unpacked(unpacked, len(body))


def _table_at(data: memoryview, at: int) -> int:
    return at + _number("<I", data, at)


def _field(data: memoryview, table: int, index: int) -> int | None:
    """Where a field of a FlatBuffers table lies, None where it is absent."""
    layout = table - _number("<i", data, table)
    place = 4 + 2 * index
    offset = _number("<H", data, layout + place) if place < _number("<H", data, layout) else 0
    return table + offset if offset else None


def _table(data: memoryview, table: int, index: int) -> int | None:
    at = _field(data, table, index)
    return None if at is None else _table_at(data, at)


def _number(layout: str, data: memoryview, at: int) -> int:
    return int(struct.unpack_from(layout, data, at)[0])
