"""CSV and TSV.

Two readings of the same file: Arrow's parser on many megabytes at once, and Python's `csv` row by row, which
defines what a cell is (frictionless uses it too). They agree on well-formed text, quotes included; where a
row is ragged or blank, or the quoting is never closed, the fast one stops and the exact one takes the whole
file. A last row of marks is appended in both: if it does not come back alone, a quote was never closed.
"""

from __future__ import annotations

import csv
import io
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from opendata.resources.formats.clean_text import MEGABYTE, CleanText
from opendata.resources.formats.corrections import Corrections
from opendata.resources.formats.delimited import (
    LONGEST_CELL,
    QUOTE,
    SAMPLE_BYTES,
    find_header,
    rows_of,
)
from opendata.resources.formats.table import (
    BATCH_ROWS,
    IrregularRowsError,
    Rectangle,
    SourceTable,
    TextBatch,
    check_width,
    column_names,
)
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.resources.formats.table import Report
    from opendata.resources.ingest.result import Identification

BLOCK: Final = 4 * MEGABYTE
# Three ASCII record separators: no office program writes them.
END_MARK: Final = "\x1e\x1e\x1e"


def tables(
    path: Path, identification: Identification, *, corrections: Corrections | None = None
) -> Iterator[SourceTable]:
    """The one table of the file. Raises UnreadableError where there is no header."""
    source = _Delimited(path, identification, corrections or Corrections())
    header = find_header(source.first_rows())
    if header is None:
        raise UnreadableError(Problem("no-data"))
    check_width(len(header.labels))
    table = SourceTable(
        title=header.titles[0] if header.titles else "",
        labels=header.labels,
        header_row=header.position + 1,
        header_width=header.width,
        readings=(),
    )
    if header.titles:
        counted = {"count": header.position, "header_row": header.position + 1}
        table.problems.append(Problem("title-rows-skipped", counted))
    table.readings = (partial(_read_blocks, source, table), partial(_read_rows, source, table))
    yield table


class _Delimited:
    """The file behind both readings."""

    def __init__(self, path: Path, identification: Identification, corrections: Corrections) -> None:
        if identification.dialect is None or identification.encoding is None:
            raise ValueError("delimited text has a dialect and an encoding")
        self._path = path
        self._encoding = corrections.encoding or identification.encoding
        self._mark_bytes = int(identification.evidence.get("mark_bytes", 0))
        is_as_found = self._encoding == identification.encoding
        self._is_plain = is_as_found and bool(identification.evidence.get("is_plain", False))
        self.size = identification.size
        self.delimiter = corrections.delimiter or identification.dialect.delimiter

    def open(self, tail: str = "") -> CleanText:
        encoded = tail.encode()
        return CleanText(
            self._path, self._encoding, mark_bytes=self._mark_bytes, is_plain=self._is_plain, tail=encoded
        )

    def first_rows(self) -> list[list[str]]:
        """The first rows, none of them cut off: a longer sample is taken until it holds two."""
        size = SAMPLE_BYTES
        while True:
            with self.open() as raw:
                sample = io.BufferedReader(raw, MEGABYTE).read(size)
            rows = rows_of(sample.decode("utf-8", "ignore"), self.delimiter)
            if len(sample) < size:
                return rows
            if len(rows) > 1 or size > LONGEST_CELL:
                return rows[:-1]
            size *= 8

    def reader(self, text: io.TextIOWrapper) -> Any:
        csv.field_size_limit(LONGEST_CELL)
        return csv.reader(text, delimiter=self.delimiter, quotechar=QUOTE)


def _text(source: CleanText) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(source, MEGABYTE), encoding="utf-8", newline="")


def _read_rows(source: _Delimited, table: SourceTable, report: Report) -> Iterator[TextBatch]:
    """The exact reading. Raises UnreadableError for an endless cell or a quote that is never closed."""
    rectangle = Rectangle(len(table.labels), table.irregular)
    with source.open(tail=END_MARK) as raw, _text(raw) as text:
        numbered = enumerate(_rows_to_mark(source.reader(text)), start=1)
        next(islice(numbered, table.header_row - 1, None), None)
        while chunk := list(islice(numbered, BATCH_ROWS)):
            if batch := rectangle.batch(chunk):
                yield batch
            report(raw.done, source.size, "bytes")


def _rows_to_mark(reader: Any) -> Iterator[list[str]]:
    """All rows but the mark that ends the file."""
    row = 0
    previous: list[str] | None = None
    try:
        for cells in reader:
            row += 1
            if previous is not None:
                yield previous
            previous = cells
    except csv.Error as error:
        limit = {"limit": LONGEST_CELL // MEGABYTE}
        raise UnreadableError(Problem("cell-too-long", limit, row=row + 1)) from error
    if previous != [END_MARK]:
        raise UnreadableError(Problem("unclosed-quote", row=row))


def _read_blocks(source: _Delimited, table: SourceTable, report: Report) -> Iterator[TextBatch]:
    """The fast reading. Raises IrregularRowsError as soon as it is not sure to be exact."""
    width = len(table.labels)
    names = column_names(width)
    start = _data_offset(source, table.header_row)
    with source.open(tail=source.delimiter.join([END_MARK] * width)) as raw:
        buffered = io.BufferedReader(raw, MEGABYTE)
        _skip(buffered, start)
        row = table.header_row + 1
        previous: pa.RecordBatch | None = None
        for batch in _blocks(buffered, source.delimiter, names):
            if previous is not None:
                yield _numbered(previous, row)
                row += previous.num_rows
                report(raw.done, source.size, "bytes")
            previous = batch
        if previous is None or not _is_mark(previous):
            raise IrregularRowsError
        if previous.num_rows > 1:
            yield _numbered(previous.slice(0, previous.num_rows - 1), row)
        report(raw.done, source.size, "bytes")


def _blocks(source: io.BufferedReader[Any], delimiter: str, names: list[str]) -> Iterator[pa.RecordBatch]:
    strings = dict.fromkeys(names, pa.string())
    try:
        yield from arrow_csv.open_csv(
            source,
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=BLOCK),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=strings,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:  # a ragged row, or one longer than a block
        raise IrregularRowsError from error


def _numbered(batch: pa.RecordBatch, first_row: int) -> TextBatch:
    """Refuses blank rows: the exact reading knows whether such a row had cells at all."""
    blank = pc.is_null(batch.column(0))
    for column in batch.columns[1:]:
        if not pc.any(blank).as_py():
            break
        blank = pc.and_(blank, pc.is_null(column))
    if pc.any(blank).as_py():
        raise IrregularRowsError
    return TextBatch(batch, pa.array(range(first_row, first_row + batch.num_rows), pa.int64()))


def _is_mark(batch: pa.RecordBatch) -> bool:
    last = batch.num_rows - 1
    return last >= 0 and all(column[last].as_py() == END_MARK for column in batch.columns)


def _data_offset(source: _Delimited, header_row: int) -> int:
    """Bytes of clean text up to the row after the header; quoted line breaks in the header count."""
    with source.open(tail=END_MARK) as raw, _text(raw) as text:
        counted = _CountedLines(text)
        reader = csv.reader(counted, delimiter=source.delimiter, quotechar=QUOTE)
        next(islice(reader, header_row - 1, None), None)
        return counted.bytes


class _CountedLines:
    """Lines of a text with the bytes handed out so far."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.bytes = 0

    def __iter__(self) -> _CountedLines:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self.bytes += len(line.encode())
        return line


def _skip(source: io.BufferedReader[Any], count: int) -> None:
    while count > 0:
        count -= len(source.read(min(count, MEGABYTE)))
