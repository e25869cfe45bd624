"""Answers row queries over published tables: the one way to rows for pages, the API and exports.

Built once per process by `wiring`; every method may be called from any thread. A result is a list of row
numbers: all of them for the plain table (nothing is scanned), otherwise found by one DuckDB scan and kept
(`orders`, `hot`). Only the rows of the page are then read, from the Parquet row groups that hold them or from
the memory-mapped copy of a big table. Why not keyset SQL per page: measured over a million rows it scans and
unpacks 400 ms for each page in sorted order, while this pays once and then takes a few milliseconds at any depth.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

from opendata.tabular.cells import json_cells, page_cells
from opendata.tabular.cursor import Cursor, encode_cursor
from opendata.tabular.database import Database, Lane
from opendata.tabular.gathered import GatheredBatches
from opendata.tabular.hot import HotFiles
from opendata.tabular.orders import RowOrders
from opendata.tabular.problems import QueryTooSlowError
from opendata.tabular.published import published_file
from opendata.tabular.query import fingerprint
from opendata.tabular.sql import row_numbers, row_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa

    from opendata.tabular.published import PublishedFile
    from opendata.tabular.query import RowQuery
    from opendata.tabular.source import SourceColumn, TableSource

EXPORT_BATCH_ROWS: Final = 16_384  # a row group: what is decoded together is handed on together
PAGE_BYTES: Final = 16 * 1024**2  # 10,000 outlines of communes would otherwise be one answer of gigabytes


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` per query (per batch of an export); `patience`: seconds to wait for one of `queries` places.

    `memory`: what DuckDB may hold over all queries before it spills sorts to disk. `hot_rows`: tables smaller
    than this are read from Parquet each time; `hot_bytes`, `order_bytes`: budgets on disk and in memory.
    """

    seconds: float = 20.0
    patience: float = 10.0
    queries: int = 4
    exports: int = 8
    memory: str = "512MB"
    hot_rows: int = 50_000
    hot_bytes: int = 4 * 1024**3
    order_bytes: int = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page of a result. `start`: rows of the result before it; `total`: None where not asked for.

    Rows of very long values end a page before its limit; `next_cursor` goes on from there. `numbers` are the rows' places in the published table, from 0. The cursors are None at the two ends.
    """

    columns: tuple[SourceColumn, ...]
    table: pa.Table
    numbers: tuple[int, ...]
    start: int
    total: int | None
    next_cursor: str | None
    previous_cursor: str | None

    def rows(self) -> list[tuple[object, ...]]:
        """Python values for a page: numbers, dates and times as such, None where there is no value."""
        return _as_rows(self.table, [page_cells(column) for column in self.table.columns])

    def json_rows(self) -> list[tuple[object, ...]]:
        """Values as JSON can carry them without loss; see `cells`."""
        return _as_rows(self.table, [json_cells(column) for column in self.table.columns])


class RowBatches(Protocol):
    """Record batches of a result; whoever stops before the end must `close`."""

    schema: pa.Schema

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...

    def __next__(self) -> pa.RecordBatch: ...

    def close(self) -> None: ...


class TableEngine:
    """`roots`: folders of the Parquet files; `cache`: a folder of its own for copies, orders and spilled sorts."""

    def __init__(self, roots: Sequence[Path], cache: Path, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._database = Database(
            roots, cache / "spill", memory=self._limits.memory, seconds=self._limits.seconds
        )
        self._hot = HotFiles(cache / "hot", self._limits.hot_bytes)
        self._orders = RowOrders(self._limits.order_bytes)
        self._queries = Lane(self._limits.queries, self._limits.patience)
        self._exports = Lane(self._limits.exports, self._limits.patience)

    def rows(self, source: TableSource, query: RowQuery) -> RowPage:
        """The page of the result that `query` asks for; empty past the end.

        Raises QueryTooSlowError, QueryTooLargeError, BusyError or TableFileMissingError.
        """
        file = published_file(source)
        with self._queries.place():
            order = self._order(source, query, file)
            most = min(query.limit, max(1, PAGE_BYTES // max(1, file.row_bytes(query.columns))))
            wanted = order[query.start : query.start + most]
            numbers = list(wanted) if isinstance(wanted, range) else wanted.to_pylist()
            table = _fitting(self._rows(file, numbers, query.columns))
        numbers = numbers[: table.num_rows]
        columns = tuple(source.columns[column] for column in query.columns)
        table = table.rename_columns([column.name for column in columns])
        after = query.start + len(numbers)
        return RowPage(
            columns,
            table,
            tuple(numbers),
            query.start,
            len(order) if query.count else None,
            cursor_at(source, query, after) if after < len(order) else None,
            cursor_at(source, query, max(0, query.start - query.limit)) if query.start else None,
        )

    def batches(self, source: TableSource, query: RowQuery) -> RowBatches:
        """The chosen columns of the whole result as record batches, in the order asked for; close it.

        Raises as `rows` does. A sorted big table waits here for its order and its copy, if nobody asked before.
        """
        file = published_file(source)
        if query.sort and source.row_count >= self._limits.hot_rows:
            with ExitStack() as undo:
                undo.enter_context(self._exports.place())
                self._hot.prepare(file)
                copy = self._hot.table(file, make=False)
                if copy is not None:
                    order = self._order(source, query, file)
                    done = undo.pop_all().close
                    return GatheredBatches(copy, order, query.columns, rows=EXPORT_BATCH_ROWS, done=done)
        statement = row_values(source, query, file.types)
        return self._database.batches(statement, self._exports, EXPORT_BATCH_ROWS)

    def prepare(self, source: TableSource) -> None:
        """Makes the copy of a big table now instead of in the background of its first scattered page."""
        if source.row_count >= self._limits.hot_rows:
            self._hot.prepare(published_file(source))

    def close(self) -> None:
        self._hot.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _order(self, source: TableSource, query: RowQuery, file: PublishedFile) -> range | pa.Array:
        if query.is_natural:
            return range(source.row_count)
        identity = f"{file.identity}\n{fingerprint(source, query).hex()}"
        # Sorts of a whole big table cost most and are asked for again by every visitor: they outlive the process.
        lasting = not query.is_filtered and source.row_count >= self._limits.hot_rows

        def find() -> pa.Array:
            kept = self._hot.order(identity) if lasting else None
            if kept is not None:
                return kept
            found = self._database.table(row_numbers(source, query, file.types))
            order = found.column(0).combine_chunks()
            if lasting:
                self._hot.keep_order(identity, order)
            return order

        return self._orders.get(identity, find)

    def _rows(self, file: PublishedFile, numbers: list[int], columns: Sequence[int]) -> pa.Table:
        if numbers and self._limits.hot_rows <= file.metadata.num_rows:
            scattered = max(numbers) - min(numbers) >= len(numbers)
            copy = self._hot.table(file, make=scattered)
            if copy is not None:
                return copy.rows(numbers, columns)
        stop = time.monotonic() + self._limits.seconds

        def check() -> None:
            if time.monotonic() > stop:
                raise QueryTooSlowError(seconds=f"{self._limits.seconds:g}")

        return file.rows(numbers, columns, check)


def cursor_at(source: TableSource, query: RowQuery, start: int) -> str:
    """A cursor to the page whose first row is the `start`-th (from 0) of the result: first, last or any page."""
    return encode_cursor(Cursor(source.version_id, fingerprint(source, query), start))


def _fitting(table: pa.Table) -> pa.Table:
    """The first rows, as many as are sure to fit one answer, but at least one."""
    if table.nbytes <= PAGE_BYTES:
        return table
    rows = table.num_rows
    while rows > 1 and table.slice(0, rows).nbytes > PAGE_BYTES:
        rows //= 2
    return table.slice(0, rows)


def _as_rows(table: pa.Table, columns: list[list[object]]) -> list[tuple[object, ...]]:
    return list(zip(*columns, strict=True)) if columns else [()] * table.num_rows
