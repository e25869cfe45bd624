"""Downloads: the rows of a query written as CSV, JSON, JSON Lines, Parquet or Arrow, a piece at a time.

Called by the export endpoint and by `convert`. Memory does not grow with the table, there is no row cap, and
what can be refused is refused before the first byte. Formats differ only in their writer, below; a new one is a
function and a line in `FORMATS`. For the whole table as Parquet the stored file is the answer: see `is_whole`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import ipc

from opendata.tabular.cells import csv_field, csv_texts, json_text, json_texts
from opendata.tabular.engine import EXPORT_BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opendata.tabular.engine import RowBatches, TableEngine
    from opendata.tabular.query import RowQuery
    from opendata.tabular.source import TableSource

_BOM: Final = "\ufeff".encode()
_TEXT_ROWS: Final = 4_096
_TEXT_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """`bom`: begin a CSV with a byte order mark, without which Excel misreads Vietnamese."""

    bom: bool = False


@dataclass(frozen=True, slots=True)
class ExportFormat:
    name: str
    media_type: str
    extension: str
    write: Callable[[RowBatches, list[str], Options], Iterator[bytes]]


class Export:
    """A download being made: an iterable of bytes with `close`, as WSGI wants it.

    Closing it, reading it to the end or dropping it frees the query behind it; a client that goes away
    therefore costs nothing more than what was already sent.
    """

    def __init__(self, batches: RowBatches, pieces: Iterator[bytes]) -> None:
        self._batches = batches
        self._pieces = pieces
        self._first: bytes | None = next(pieces, b"")

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._first = None
        self._pieces = iter(())
        self._batches.close()

    def __del__(self) -> None:
        if hasattr(self, "_batches"):
            self._batches.close()


def export_rows(
    engine: TableEngine,
    source: TableSource,
    query: RowQuery,
    wanted: ExportFormat,
    options: Options | None = None,
) -> Export:
    """Starts a download of every row of the result; the first piece is ready when this returns.

    Raises what `TableEngine.rows` raises. `limit` and `start` of the query play no part.
    """
    names = [source.columns[column].name for column in query.columns]
    batches = engine.batches(source, query)
    try:
        return Export(batches, wanted.write(batches, names, options or Options()))
    except BaseException:
        batches.close()
        raise


def _write_csv(batches: RowBatches, names: list[str], options: Options) -> Iterator[bytes]:
    header = ",".join(map(csv_field, names)) + "\r\n"
    opening = (_BOM if options.bom else b"") + header.encode()
    for batch in _even(batches):
        texts = [csv_texts(array) for array in batch.columns]
        if len(texts) == 1:
            # A line without anything on it is no record to most readers.
            texts = [pc.if_else(pc.equal(texts[0], ""), '""', texts[0])]
        yield opening + _lines(pc.binary_join_element_wise(*texts, ","), "\r\n") + b"\r\n"
        opening = b""
    if opening:
        yield opening


def _write_jsonl(batches: RowBatches, names: list[str], _options: Options) -> Iterator[bytes]:
    for batch in _even(batches):
        yield _lines(_objects(batch, names), "\n") + b"\n"


def _write_json(batches: RowBatches, names: list[str], _options: Options) -> Iterator[bytes]:
    """One array, an object a line, so that it can also be read line by line."""
    opening = b"[\n"
    for batch in _even(batches):
        yield opening + _lines(_objects(batch, names), ",\n")
        opening = b",\n"
    yield (opening if opening.startswith(b"[") else b"") + b"\n]\n"


def _write_arrow(batches: RowBatches, names: list[str], _options: Options) -> Iterator[bytes]:
    sink = _Pieces()
    schema = _named(batches.schema, names)
    with ipc.new_stream(pa.PythonFile(sink, mode="w"), schema) as writer:
        yield sink.take()
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
            yield sink.take()
    yield sink.take()


def _write_parquet(batches: RowBatches, names: list[str], _options: Options) -> Iterator[bytes]:
    """Parquet is written front to back with its index last, so it streams like the others."""
    sink = _Pieces()
    schema = _named(batches.schema, names)
    with pq.ParquetWriter(
        pa.PythonFile(sink, mode="w"), schema, compression="zstd", write_page_index=True
    ) as writer:
        for batch in batches:
            writer.write_batch(
                pa.RecordBatch.from_arrays(batch.columns, schema=schema), row_group_size=EXPORT_BATCH_ROWS
            )
            yield sink.take()
    yield sink.take()


class _Pieces:
    """A file to write to that gives up what was written since it was last asked."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _even(batches: RowBatches) -> Iterator[pa.RecordBatch]:
    """The batches that hold rows, those of very long texts cut smaller so that each piece of text stays small."""
    for batch in batches:
        step = max(1, min(_TEXT_ROWS, batch.num_rows * _TEXT_BYTES // max(batch.nbytes, 1)))
        for start in range(0, batch.num_rows, step):
            yield batch.slice(start, step)


def _named(schema: pa.Schema, names: list[str]) -> pa.Schema:
    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


def _objects(batch: pa.RecordBatch, names: list[str]) -> pa.Array:
    parts: list[Any] = []
    for place, (name, array) in enumerate(zip(names, batch.columns, strict=True)):
        parts += [("," if place else "{") + json_text(name) + ":", json_texts(array)]
    return pc.binary_join_element_wise(*parts, "}", "")


def _lines(texts: pa.Array, mark: str) -> bytes:
    """All texts with `mark` between them, joined in one go."""
    whole = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
    return bytes(pc.binary_join(whole, mark).buffers()[2] or b"")


FORMATS: Final[Mapping[str, ExportFormat]] = {
    known.name: known
    for known in (
        ExportFormat("csv", "text/csv; charset=utf-8; header=present", "csv", _write_csv),
        ExportFormat("parquet", "application/vnd.apache.parquet", "parquet", _write_parquet),
        ExportFormat("arrow", "application/vnd.apache.arrow.stream", "arrow", _write_arrow),
        ExportFormat("json", "application/json", "json", _write_json),
        ExportFormat("jsonl", "application/x-ndjson", "jsonl", _write_jsonl),
    )
}
