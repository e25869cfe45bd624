"""The values of chosen columns of a published Parquet file: a first look at a few, and all of them, counted.

Reads one row group at a time, so memory stays at some thousand rows whatever the file holds. Nulls and empty
texts are no values. Columns are named by position: pyarrow takes the name `a` to mean `a.b` as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FIRST_LOOK: Final = 480
_LOOKS: Final = 3


class ColumnValues:
    """Open as a context. Counts are those of values, not of rows with null."""

    def __init__(self, path: Path) -> None:
        self._file: Any = pq.ParquetFile(path)
        self._schema: pa.Schema = self._file.schema_arrow
        self._is_flat = self._file.metadata.num_columns == len(self._schema)
        self.row_count: int = self._file.metadata.num_rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def type_of(self, column: int) -> pa.DataType:
        kind = self._schema.types[column]
        return kind.value_type if pa.types.is_dictionary(kind) else kind

    def first_look(self, columns: Sequence[int]) -> dict[int, tuple[pa.Array, pa.Array]]:
        """Some hundred values of each column, from the beginning, the middle and the end of the file."""
        groups = self._file.metadata.num_row_groups
        chosen = sorted({0, groups // 2, groups - 1}) if groups else []
        parts: dict[int, list[pa.Array]] = {column: [] for column in columns}
        for group in chosen:
            for column, values in self._group(group, columns):
                step = max(1, len(values) * len(chosen) // FIRST_LOOK)
                rows = pa.array(range(0, len(values), step), pa.int64())
                parts[column].append(values.take(rows))
        return {
            column: _counted(pa.concat_arrays(arrays) if arrays else pa.nulls(0, self.type_of(column)))
            for column, arrays in parts.items()
        }

    def counted(self, columns: Sequence[int]) -> Iterator[tuple[int, pa.Array, pa.Array]]:
        """Row group by row group: a column, its different values there, and how often each occurs."""
        for group in range(self._file.metadata.num_row_groups):
            for column, values in self._group(group, columns):
                yield column, *_counted(values)

    def rows(self, columns: Sequence[int]) -> Iterator[dict[int, pa.Array]]:
        """Row group by row group: the columns as they are, null and all."""
        for group in range(self._file.metadata.num_row_groups):
            yield dict(self._raw(group, columns))

    def _group(self, group: int, columns: Sequence[int]) -> Iterator[tuple[int, pa.Array]]:
        for column, values in self._raw(group, columns):
            present = values.drop_null() if values.null_count else values
            if pa.types.is_string(present.type):
                present = present.filter(pc.not_equal(present, ""))
            yield column, present

    def _raw(self, group: int, columns: Sequence[int]) -> Iterator[tuple[int, pa.Array]]:
        wanted = sorted(columns)
        if not wanted:
            return
        if self._is_flat:
            table = self._file.reader.read_row_group(group, column_indices=wanted, use_threads=True)
            places: Sequence[int] = range(len(wanted))
        else:
            table = self._file.read_row_group(group, use_threads=True)
            places = wanted
        for column, place in zip(wanted, places, strict=True):
            yield column, _plain(table.column(place).combine_chunks())


def _plain(values: Any) -> pa.Array:
    array = pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(pa.string()) if pa.types.is_large_string(array.type) else array


def _counted(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    counts = values.value_counts()
    return counts.field(0), counts.field(1)
