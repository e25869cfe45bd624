"""Reading given rows of a published Parquet file, no more of it than the row groups that hold them.

Called by `engine` for every page. Footers are parsed once and kept: a million rows have 62 row groups, whose
metadata takes 2 ms to read, ten million 20 ms.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from opendata.tabular.problems import TableFileMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opendata.tabular.source import TableSource

_FOOTERS_KEPT: Final = 64


@dataclass(frozen=True)
class PublishedFile:
    """An open-at-will Parquet file; `identity` changes with the bytes, `offsets` are the first rows of groups,
    `column_bytes` what each column takes uncompressed.
    """

    path: Path
    identity: str
    metadata: Any
    schema: pa.Schema
    offsets: tuple[int, ...]
    column_bytes: tuple[int, ...]

    @property
    def types(self) -> list[pa.DataType]:
        return list(self.schema.types)

    @property
    def memory_bytes(self) -> int:
        """About what the whole table takes uncompressed; less than it does where values repeat."""
        return sum(self.column_bytes)

    def row_bytes(self, columns: Sequence[int]) -> int:
        """About what one row of these columns takes."""
        return sum(self.column_bytes[column] for column in columns) // max(1, int(self.metadata.num_rows))

    def rows(self, numbers: Sequence[int], columns: Sequence[int], check: Callable[[], None]) -> pa.Table:
        """The rows with these numbers, in this order. `check` is called before each row group, to stop."""
        with self._open() as file:

            def load(group: int) -> pa.Table:
                check()
                return self._group(file, group, columns)

            empty = pa.schema([self.schema.field(column) for column in columns]).empty_table()
            return gather(numbers, self.offsets, load, empty)

    def groups(self) -> Iterator[pa.Table]:
        """Every row group in turn, all columns, dictionaries written out."""
        everything = range(len(self.schema))
        with self._open() as file:
            for group in range(self.metadata.num_row_groups):
                yield self._group(file, group, everything)

    def _open(self) -> Any:
        try:
            return pq.ParquetFile(self.path, metadata=self.metadata)
        except OSError as problem:
            raise TableFileMissingError from problem

    def _group(self, file: Any, group: int, columns: Sequence[int]) -> pa.Table:
        # Column numbers, not names: pyarrow takes the name `a` to mean a column called `a.b` as well.
        flat = self.metadata.num_columns == len(self.schema)
        if flat:
            table = file.reader.read_row_group(group, column_indices=sorted(columns), use_threads=False)
            ranks = {column: rank for rank, column in enumerate(sorted(columns))}
            arrays = [table.column(ranks[column]) for column in columns]
        else:
            table = file.read_row_group(group, use_threads=False)
            arrays = [table.column(column) for column in columns]
        fields = [self.schema.field(column) for column in columns]
        return pa.Table.from_arrays(
            [_plain(array) for array in arrays],
            schema=pa.schema([field.with_type(_plain_type(field.type)) for field in fields]),
        )


def published_file(source: TableSource) -> PublishedFile:
    """The file behind a source. Raises TableFileMissingError when it is not there."""
    try:
        state = source.path.stat()
        return _read_footer(source, state.st_size, state.st_mtime_ns)
    except OSError as problem:
        raise TableFileMissingError from problem


@lru_cache(maxsize=_FOOTERS_KEPT)
def _read_footer(source: TableSource, size: int, modified: int) -> PublishedFile:
    with pq.ParquetFile(source.path) as file:
        metadata, schema = file.metadata, file.schema_arrow
    if len(schema) != len(source.columns) or metadata.num_rows != source.row_count:
        raise ValueError(
            f"{source.path}: {len(schema)} columns and {metadata.num_rows} rows, not the "
            f"{len(source.columns)} and {source.row_count} its version says"
        )
    counts = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    offsets = tuple(accumulate(counts, initial=0))[:-1]
    identity = f"{source.version_id}\n{source.table}\n{size}\n{modified}"
    return PublishedFile(
        source.path, identity, metadata, schema, offsets, _column_bytes(metadata, len(schema))
    )


def _column_bytes(metadata: Any, columns: int) -> tuple[int, ...]:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if metadata.num_columns != columns:  # lists and objects have several leaves; they share evenly
        whole = sum(group.total_byte_size for group in groups)
        return (whole // max(1, columns),) * columns
    leaves = range(columns)
    return tuple(sum(group.column(leaf).total_uncompressed_size for group in groups) for leaf in leaves)


def gather(
    numbers: Sequence[int], offsets: Sequence[int], load: Callable[[int], pa.Table], empty: pa.Table
) -> pa.Table:
    """The rows `numbers` in that order, from chunks that start at `offsets`; each needed chunk is loaded once."""
    if not numbers:
        return empty
    ranked = sorted(range(len(numbers)), key=numbers.__getitem__)
    parts: list[pa.Table] = []
    at = 0
    while at < len(ranked):
        chunk = bisect_right(offsets, numbers[ranked[at]]) - 1
        end = at
        beyond = offsets[chunk + 1] if chunk + 1 < len(offsets) else None
        while end < len(ranked) and (beyond is None or numbers[ranked[end]] < beyond):
            end += 1
        local = [numbers[rank] - offsets[chunk] for rank in ranked[at:end]]
        parts.append(_pick(load(chunk), local))
        at = end
    table = pa.concat_tables(parts)
    if ranked == list(range(len(numbers))):
        return table
    places = [0] * len(ranked)
    for place, rank in enumerate(ranked):
        places[rank] = place
    return table.combine_chunks().take(pa.array(places, pa.int64()))


def _pick(chunk: pa.Table, rows: list[int]) -> pa.Table:
    """`rows` ascending; a run without gaps is a view, not a copy."""
    if rows[-1] - rows[0] == len(rows) - 1:
        return chunk.slice(rows[0], len(rows))
    return chunk.take(pa.array(rows, pa.int64()))


def _plain(array: pa.ChunkedArray) -> pa.ChunkedArray:
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _plain_type(physical: pa.DataType) -> pa.DataType:
    return physical.value_type if pa.types.is_dictionary(physical) else physical
