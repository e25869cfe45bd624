"""The values of chosen columns of a published Parquet file: a first look at a few, and all of them, counted.

Reads blocks of row groups of at most some megabytes, texts that repeat as dictionaries, so memory stays small whatever
the file holds. Nulls and empty texts are no values. Columns are named by position: pyarrow takes the name
`a` to mean `a.b` as well.
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
BLOCK: Final = 8 << 20
_MOST_GROUPS: Final = 16
_DICTIONARY_BYTES: Final = 4


class ColumnValues:
    """Open as a context. Counts are those of values, not of rows with null."""

    def __init__(self, path: Path) -> None:
        schema = pq.read_schema(path)
        metadata = pq.read_metadata(path)
        flat = metadata.num_columns == len(schema)
        self._repeating = {column for column in range(len(schema)) if flat and _repeats(metadata, column)}
        texts = [schema.names[column] for column in self._repeating if _is_text(schema.types[column])]
        self._file: Any = pq.ParquetFile(path, read_dictionary=texts)
        self._metadata = metadata
        self._types: Sequence[pa.DataType] = schema.types
        self._is_flat = flat
        self.row_count: int = self._metadata.num_rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def first_look(self, columns: Sequence[int]) -> dict[int, tuple[pa.Array, pa.Array]]:
        """Some hundred values of each column, from the beginning, the middle and the end of the file."""
        groups = self._metadata.num_row_groups
        chosen = sorted({0, groups // 2, groups - 1}) if groups else []
        parts: dict[int, list[pa.Array]] = {column: [] for column in columns}
        for group in chosen:
            for column, chunks in self._read([group], columns):
                for values in chunks:
                    step = max(1, len(values) * len(chosen) // FIRST_LOOK)
                    rows = pa.array(range(0, len(values), step), pa.int64())
                    parts[column].append(plain(values.take(rows)))
        return {
            column: _counted(pa.concat_arrays(arrays), repeats=True)
            for column, arrays in parts.items()
            if arrays
        }

    def counted(self, columns: Sequence[int]) -> Iterator[tuple[int, pa.Array, pa.Array]]:
        """Block by block: a column, its values there, and how often each occurs; a value may come twice."""
        for block in self._blocks(columns):
            for column, chunks in self._read(block, columns):
                pairs = [_counted(chunk, repeats=column in self._repeating) for chunk in chunks]
                if pairs:
                    yield (
                        column,
                        pa.concat_arrays([values for values, _ in pairs]),
                        pa.concat_arrays([counts for _, counts in pairs]),
                    )

    def rows(self, columns: Sequence[int]) -> Iterator[dict[int, pa.Array]]:
        """Row group by row group: the columns as they are, null and all."""
        for group in range(self._metadata.num_row_groups):
            yield {
                column: plain(pa.chunked_array(chunks).combine_chunks())
                for column, chunks in self._read([group], columns, whole=True)
            }

    def _blocks(self, columns: Sequence[int]) -> Iterator[list[int]]:
        """Row groups in order, as many at once as stay within `BLOCK` bytes of these columns."""
        block: list[int] = []
        held = 0
        for group in range(self._metadata.num_row_groups):
            size = self._size(group, columns)
            if block and (held + size > BLOCK or len(block) == _MOST_GROUPS):
                yield block
                block, held = [], 0
            block.append(group)
            held += size
        if block:
            yield block

    def _size(self, group: int, columns: Sequence[int]) -> int:
        row_group = self._metadata.row_group(group)
        if not self._is_flat:
            return int(row_group.total_byte_size)
        return sum(row_group.column(column).total_uncompressed_size for column in columns)

    def _read(
        self, groups: list[int], columns: Sequence[int], *, whole: bool = False
    ) -> Iterator[tuple[int, list[pa.Array]]]:
        wanted = sorted(columns)
        if not wanted:
            return
        if self._is_flat:
            table = self._file.reader.read_row_groups(groups, column_indices=wanted, use_threads=True)
            places: Sequence[int] = range(len(wanted))
        else:
            table = self._file.read_row_groups(groups, use_threads=True)
            places = wanted
        for column, place in zip(wanted, places, strict=True):
            chunks = table.column(place).chunks
            yield column, chunks if whole else [chunk.drop_null() for chunk in chunks]


def plain(values: pa.Array) -> pa.Array:
    """Written out, texts as `string`."""
    array = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    return array.cast(pa.string()) if _is_text(array.type) else array


def _counted(values: pa.Array, *, repeats: bool) -> tuple[pa.Array, pa.Array]:
    if pa.types.is_dictionary(values.type):
        indices = values.indices.value_counts()
        found, counts = plain(values.dictionary).take(indices.field(0)), indices.field(1)
    elif repeats:
        pairs = values.value_counts()
        found, counts = plain(pairs.field(0)), pairs.field(1)
    else:
        # What hardly repeats is tested faster than counted.
        found, counts = plain(values), pa.repeat(pa.scalar(1, pa.int64()), len(values))
    if not _is_text(found.type):
        return found, counts
    filled = pc.not_equal(found, "")
    if pc.all(filled).as_py():
        return found, counts
    return found.filter(filled), counts.filter(filled)


def _repeats(metadata: Any, column: int) -> bool:
    """Whether the column is stored in so few bytes a value that they must be places in a dictionary."""
    if not metadata.num_row_groups:
        return False
    chunk = metadata.row_group(0).column(column)
    return bool(chunk.total_uncompressed_size < chunk.num_values * _DICTIONARY_BYTES)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
