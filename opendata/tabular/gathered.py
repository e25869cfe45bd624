"""Sorted downloads of big tables: the kept row order, read from the memory-mapped copy a batch at a time.

Used by `engine` in place of a DuckDB statement. Sorting whole rows held 440 MB for a million of them and sent
nothing for seconds; here memory is one batch, and an order already found for a page is used as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opendata.tabular.hot import HotTable


class GatheredBatches:
    """The rows of `order`, `rows` at a time, in the Arrow types DuckDB gives; `done` is called once at the end."""

    def __init__(
        self,
        copy: HotTable,
        order: pa.Array,
        columns: Sequence[int],
        *,
        rows: int,
        done: Callable[[], None],
    ) -> None:
        self._copy = copy
        self._order = order
        self._columns = columns
        self._rows = rows
        self._done: Callable[[], None] | None = done
        self._at = 0
        fields = [copy.schema.field(column) for column in columns]
        self.schema = pa.schema([field.with_type(_duckdb_type(field.type)) for field in fields])

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pa.RecordBatch:
        numbers = self._order.slice(self._at, self._rows).to_pylist()
        if self._done is None or not numbers:
            self.close()
            raise StopIteration
        self._at += len(numbers)
        try:
            found = self._copy.rows(numbers, self._columns).combine_chunks()
        except BaseException:
            self.close()
            raise
        arrays = [
            column.chunk(0).cast(field.type) for column, field in zip(found.columns, self.schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def close(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()


def _duckdb_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    return kind
