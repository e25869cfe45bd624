"""A plain delimited file in blocks, cell for cell as frictionless reads it with Python's `csv`.

Used by `whole_files`. Arrow reads many megabytes at once; it agrees with Python where every quote opens or
closes a cell, lines end in one way and the text is UTF-8, which `survey` proves byte by byte beforehand. All
other files, and those with one column, are read by Python's own parser: slower, never different.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import operator
import threading
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from opendata.resources.formats.table import BATCH_ROWS, column_names
from opendata.resources.ingest.blocks import Block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MEGABYTE: Final = 1 << 20
_BLOCK: Final = 2 * MEGABYTE
_QUOTE: Final = ord('"')
_LONGEST_CELL: Final = 2**31 - 2


@dataclass(frozen=True, slots=True)
class CsvShape:
    """How frictionless reads a file: codec, separator, and the row and cells of the header."""

    encoding: str
    delimiter: str
    header_row: int
    width: int
    is_tsv: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What one reading of the bytes showed. `is_regular`: Arrow's parser gives the same cells as Python's."""

    size: int
    md5: str
    sha256: str
    is_regular: bool
    is_decodable: bool


def survey(path: Path, shape: CsvShape) -> Survey:
    """Read the file once, in memory of a few blocks."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    is_utf8 = shape.encoding in {"utf-8", "utf-8-sig"}
    decoder = codecs.getincrementaldecoder(shape.encoding)()
    quotes = _Quotes(shape.delimiter)
    size = 0
    is_regular = is_utf8 and shape.width > 1 and shape.delimiter.isascii()
    is_decodable = True
    with path.open("rb") as source:
        while chunk := source.read(4 * MEGABYTE):
            hashing = threading.Thread(target=md5.update, args=(chunk,))
            hashing.start()
            sha256.update(chunk)
            size += len(chunk)
            if is_decodable:
                is_decodable = _decodes(decoder, chunk, can_skip=is_utf8)
            if is_regular:
                is_regular = b"\0" not in chunk and quotes.are_plain(chunk)
                is_regular = is_regular and not (shape.is_tsv and b"\r" in chunk)
            hashing.join()
    is_decodable = is_decodable and _decodes(decoder, b"", is_last=True)
    is_regular = is_regular and quotes.are_closed() and is_decodable
    return Survey(size, md5.hexdigest(), sha256.hexdigest(), is_regular, is_decodable)


def _decodes(
    decoder: codecs.IncrementalDecoder, chunk: bytes, *, is_last: bool = False, can_skip: bool = False
) -> bool:
    """`can_skip`: ASCII needs no decoding, unless a character was cut off before it."""
    if can_skip and chunk.isascii() and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(chunk, is_last)
    except UnicodeDecodeError:
        return False
    return True


class _Quotes:
    """Watches that quotes stand only at the edges of cells, doubled inside, and that no lone CR ends a line."""

    def __init__(self, delimiter: str) -> None:
        self._edges = np.zeros(256, np.bool_)
        self._edges[[ord(delimiter), 10, 13, _QUOTE]] = True
        self._is_inside = False
        self._last = 10
        self._has_pending_close = False

    def are_plain(self, chunk: bytes) -> bool:
        data = np.frombuffer(chunk, np.uint8)
        if self._last == 13 and data[0] != 10:  # noqa: PLR2004 - CR, LF
            return False
        if b"\r" in chunk:
            returns = np.flatnonzero(data[:-1] == 13)  # noqa: PLR2004 - CR
            if (data[returns + 1] != 10).any():  # noqa: PLR2004 - LF
                return False
        if self._has_pending_close and not self._edges[data[0]]:
            return False
        self._has_pending_close = False
        if b'"' in chunk and not self._stand_at_edges(data):
            return False
        self._last = int(data[-1])
        return True

    def _stand_at_edges(self, data: NDArray[np.uint8]) -> bool:
        places = np.flatnonzero(data == _QUOTE)
        first_open = 1 if self._is_inside else 0
        opening, closing = places[first_open::2], places[1 - first_open :: 2]
        before = np.where(opening > 0, data[opening - 1], self._last)
        if not self._edges[before].all():
            return False
        if len(closing) and closing[-1] == len(data) - 1:
            self._has_pending_close = True
            closing = closing[:-1]
        self._is_inside = self._is_inside != bool(len(places) % 2)
        return bool(self._edges[data[closing + 1]].all())

    def are_closed(self) -> bool:
        return not self._is_inside and self._last != 13  # noqa: PLR2004 - CR


class PlainCsv:
    """A surveyed file. `blocks` may be called again and again."""

    def __init__(self, path: Path, shape: CsvShape, found: Survey) -> None:
        self._path = path
        self._shape = shape
        self._found = found

    def blocks(self) -> Iterator[Block]:
        """Every row below the header. Raises csv.Error for what Python's parser cannot read."""
        if not self._found.is_regular:
            yield from self._exact()
            return
        try:
            yield from self._fast()
        except _RowTooLongError as error:
            yield from self._exact(after=error.row)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row of the file with its number, from 1."""
        csv.field_size_limit(_LONGEST_CELL)
        newline = None if self._shape.is_tsv else ""
        with self._path.open(encoding=self._shape.encoding, newline=newline) as text:
            yield from enumerate(csv.reader(text, delimiter=self._shape.delimiter), start=1)

    def _exact(self, after: int = 0) -> Iterator[Block]:
        width = self._shape.width
        rows = islice(self.rows(), max(after, self._shape.header_row), None)
        while chunk := list(islice(rows, BATCH_ROWS)):
            odd = [(row, cells) for row, cells in chunk if len(cells) != width]
            even = [(row, cells) for row, cells in chunk if len(cells) == width]
            columns = [
                pa.array([cell or None for cell in column], pa.string())
                for column in zip(*(cells for _, cells in even), strict=True)
            ]
            yield Block(columns, np.array([row for row, _ in even], np.int64), odd)

    def _fast(self) -> Iterator[Block]:
        """Raises _RowTooLongError where a row is longer than a block of Arrow's reader."""
        numbering = _Numbering(self)
        with self._path.open("rb") as source:
            source.seek(self._data_offset())
            start = source.peek(len(codecs.BOM_UTF8))
            if start.startswith(codecs.BOM_UTF8):  # Arrow would drop it, as files put together have it there
                yield from self._exact()
                return
            if not start:
                return
            reader = self._arrow_reader(source, numbering)
            while True:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    break
                except pa.ArrowInvalid as error:
                    raise _RowTooLongError(numbering.last) from error
                yield numbering.block(batch)
        if numbering.odd:
            yield Block((), np.empty(0, np.int64), numbering.take_odd(None))

    def _arrow_reader(self, source: Any, numbering: _Numbering) -> Any:
        names = column_names(self._shape.width)
        try:
            return arrow_csv.open_csv(
                source,
                read_options=arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._shape.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=numbering.skip,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise _RowTooLongError(numbering.last) from error

    def _data_offset(self) -> int:
        """Bytes up to the row after the header; quoted line breaks in the header count."""
        csv.field_size_limit(_LONGEST_CELL)
        counted = 0

        def lines(text: io.TextIOWrapper) -> Iterator[str]:
            nonlocal counted
            for line in text:
                counted += len(line.encode())
                yield line

        mark = len(codecs.BOM_UTF8) if self._shape.encoding == "utf-8-sig" else 0
        with self._path.open(encoding=self._shape.encoding, newline="") as text:
            reader = csv.reader(lines(text), delimiter=self._shape.delimiter)
            for _ in islice(reader, self._shape.header_row):
                pass
        return counted + mark

    @property
    def shape(self) -> CsvShape:
        return self._shape


class _RowTooLongError(Exception):
    """Arrow cannot go on after `row`, a row number of the file."""

    def __init__(self, row: int) -> None:
        self.row = row
        super().__init__(row)


class _Numbering:
    """Gives the rows of Arrow's batches their numbers in the file, and keeps those that it had to skip."""

    def __init__(self, source: PlainCsv) -> None:
        self._source = source
        self._shift = source.shape.header_row
        self._delimiter = source.shape.delimiter
        self.last = self._shift
        self.odd: list[tuple[int, list[str]]] = []
        self._exact: Iterator[tuple[int, list[str]]] | None = None

    def skip(self, invalid: Any) -> str:
        """Called by Arrow for a row of another width."""
        cells = next(csv.reader(io.StringIO(invalid.text, newline=""), delimiter=self._delimiter))
        self.odd.append((invalid.number + self._shift, cells))
        return "skip"

    def block(self, batch: pa.RecordBatch) -> Block:
        rows = self._numbers(batch.num_rows)
        odd = self.take_odd(self.last)
        blank = _blank_rows(batch)
        if blank is None:
            return Block(batch.columns, rows, odd)
        odd += [(row, self._cells_of(row)) for row in rows[blank].tolist()]
        kept = batch.filter(pa.array(~blank))
        return Block(kept.columns, rows[~blank], sorted(odd, key=operator.itemgetter(0)))

    def take_odd(self, until: int | None) -> list[tuple[int, list[str]]]:
        """The skipped rows up to a row number."""
        taken = [each for each in self.odd if until is None or each[0] <= until]
        self.odd = self.odd[len(taken) :]
        return taken

    def _numbers(self, count: int) -> NDArray[np.int64]:
        """The next numbers that no skipped row has."""
        skipped = np.array([row for row, _ in self.odd], np.int64)
        end = self.last + count
        while (between := int(np.searchsorted(skipped, end, side="right"))) + self.last + count != end:
            end = self.last + count + between
        rows = np.arange(self.last + 1, end + 1, dtype=np.int64)
        self.last = end
        return rows if not between else np.setdiff1d(rows, skipped[:between], assume_unique=True)

    def _cells_of(self, row: int) -> list[str]:
        """A row without text, as Python's parser gives it: an empty line has no cells at all."""
        if self._exact is None:
            self._exact = self._source.rows()
        return next(cells for number, cells in self._exact if number == row)


def _blank_rows(batch: pa.RecordBatch) -> NDArray[np.bool_] | None:
    """Rows without any text, None where there is none."""
    blank: NDArray[np.bool_] | None = None
    for column in batch.columns:
        if not column.null_count:
            return None
        nulls = pc.is_null(column).to_numpy(zero_copy_only=False)
        blank = nulls if blank is None else blank & nulls
        if not blank.any():
            return None
    return blank
