"""CSV and TSV.

Two readings of the same file: Arrow's parser on many megabytes at once, and Python's `csv` row by row, which
defines what a cell is (frictionless uses it too). They agree on well-formed text, quotes included; where a
row is ragged or blank, or the quoting is never closed, the fast one stops and the exact one takes the whole
file. A last row of marks is appended in both: if it does not come back alone, a quote was never closed. Notes
below the table are found in the last 64 KB; what is left out is said with its rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from opendata.kernel.text import nfc
from opendata.resources.formats.clean_text import MEGABYTE, CleanText
from opendata.resources.formats.corrections import Corrections
from opendata.resources.formats.delimited import (
    LONGEST_CELL,
    QUOTE,
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    rows_of,
)
from opendata.resources.formats.footers import footer_rows
from opendata.resources.formats.headers import find_header, grid_of_text
from opendata.resources.formats.structure_notes import footer_problem, header_problems, total_problem, totals
from opendata.resources.formats.table import (
    BATCH_ROWS,
    KEPT_ROWS,
    MOST_COLUMNS,
    IrregularRowsError,
    Rectangle,
    SourceTable,
    TextBatch,
    check_width,
    column_names,
)
from opendata.resources.formats.text import decodes
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from opendata.resources.formats.table import Report
    from opendata.resources.ingest.result import Identification

BLOCK: Final = 4 * MEGABYTE
TAIL_BYTES: Final = 1 << 16
LINE_END: Final = re.compile(r"\r\n|\r|\n")
# Three ASCII record separators: no office program writes them.
END_MARK: Final = "\x1e\x1e\x1e"


def tables(
    path: Path, identification: Identification, *, corrections: Corrections | None = None
) -> Iterator[SourceTable]:
    """The one table of the file. Raises UnreadableError where there is no header, or none where it should be."""
    said = corrections or Corrections()
    source = _Delimited(path, identification, said)
    first_rows = source.first_rows(max(SAMPLE_ROWS, said.last_header_row + 1))
    rows = _corrected_rows(said, len(first_rows))
    # A header of a million columns is refused before anybody looks at all of its names.
    header = find_header(grid_of_text([row[: MOST_COLUMNS + 1] for row in first_rows]), rows=rows)
    if header is None:
        raise UnreadableError(Problem("no-data"))
    check_width(max(len(header.labels), *(len(first_rows[row]) for row in header.rows)))
    table = SourceTable(
        title=header.titles[0] if header.titles else "",
        labels=header.labels,
        header_row=header.position + 1,
        header_rows=tuple(row + 1 for row in header.rows),
        header_width=header.width,
        unit=header.unit,
        units=header.units,
        readings=(),
    )
    table.problems += header_problems(header, 0)
    ending = _Ending(source, table, first_rows, said.last_row)
    exact = partial(_read_rows, source, table, ending)
    table.readings = (exact,) if said.last_row else (partial(_read_blocks, source, table, ending), exact)
    yield table


def _corrected_rows(corrections: Corrections, count: int) -> tuple[int, ...] | None:
    rows = corrections.header_rows
    if rows is None:
        return None
    if rows[-1] > count:
        missing = {"number": rows[-1], "rows": count, "table": ""}
        raise UnreadableError(Problem("correction-row-missing", missing))
    return tuple(row - 1 for row in rows)


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
        if not is_as_found and not decodes(path, self._encoding):
            raise UnreadableError(Problem("correction-encoding-fails", {"encoding": self._encoding}))

    def open(self, tail: str = "", *, until: int | None = None) -> CleanText:
        return CleanText(
            self._path,
            self._encoding,
            mark_bytes=self._mark_bytes,
            is_plain=self._is_plain,
            tail=tail.encode(),
            until=until,
        )

    def first_rows(self, most: int) -> list[list[str]]:
        """The first rows, none of them cut off: a longer sample is taken until it holds two, or enough."""
        size = SAMPLE_BYTES
        while True:
            with self.open() as raw:
                sample = io.BufferedReader(raw, MEGABYTE).read(size)
            rows = rows_of(sample.decode("utf-8", "ignore"), self.delimiter, most)
            if len(sample) < size:
                return rows
            enough = 1 if most == SAMPLE_ROWS else most - 1
            if len(rows) > enough or size > LONGEST_CELL:
                return rows[:-1]
            size *= 8

    def last_rows(self) -> tuple[list[list[str]], list[int], bool]:
        """The last rows, how many bytes of clean text each is before the end, and whether they are all rows.

        There are none where quotes make it unsure where a row begins.
        """
        start = max(self._mark_bytes, self.size - TAIL_BYTES)
        start -= (start - self._mark_bytes) % 4  # no character of UTF-16 or 32 is cut
        with self._path.open("rb") as raw:
            raw.seek(start)
            text = nfc(raw.read(self.size - start).decode(self._encoding, "ignore"))
        if start > self._mark_bytes:
            end = LINE_END.search(text)
            text = text[end.end() :] if end else ""
            if text.count(QUOTE) % 2:
                text = ""
        counted = _CountedLines(io.StringIO(text, newline=""))
        size = len(text.encode())
        rows, before_end = [], [size]
        try:
            for cells in self.reader(counted):
                rows.append(cells)
                before_end.append(size - counted.bytes)
        except csv.Error:
            return [], [], False
        return rows, before_end, start == self._mark_bytes

    def until(self, before_end: int) -> int | None:
        """The byte of the file that lies so far before its end, None where its bytes are not those of the text."""
        return self.size - before_end if self._is_plain else None

    def reader(self, text: Iterable[str]) -> Any:
        csv.field_size_limit(LONGEST_CELL)
        return csv.reader(text, delimiter=self.delimiter, quotechar=QUOTE)


def _text(source: CleanText) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(source, MEGABYTE), encoding="utf-8", newline="")


class _Ending:
    """Where the data of the file end: what is known of its last rows, and what is said once they were read."""

    def __init__(
        self,
        source: _Delimited,
        table: SourceTable,
        first_rows: Sequence[Sequence[str]],
        last_row: int | None,
    ) -> None:
        self.last_row = last_row
        self._table = table
        self._first = first_rows
        self._last, before_end, is_whole = source.last_rows()
        self.footer = 0 if last_row else self._count_footer(is_whole=is_whole)
        self.until = source.until(before_end[-1 - self.footer]) if self.footer else None

    def finish(self, last: int, left_out: Sequence[tuple[int, str]] = ()) -> None:
        """Say what is to be said, now that the number of the last row of the file is known."""
        table = self._table
        first = last - len(self._last) + 1
        numbered = [(first + place, row) for place, row in enumerate(self._last)]
        table.last_row = last - self.footer if self.last_row is None else self.last_row
        texts = [(number, " ".join(" ".join(row).split())) for number, row in numbered]
        below = list(left_out) or [pair for pair in texts if pair[0] > table.last_row]
        if below := [pair for pair in below if pair[1]]:
            table.problems.append(footer_problem(below))
        rows = dict(enumerate(self._first, start=1)) | dict(numbered)
        found = totals(
            [(number, rows[number]) for number in sorted(rows) if table.header_row < number <= table.last_row]
        )
        if found:
            table.problems.append(total_problem(found))

    def _count_footer(self, *, is_whole: bool) -> int:
        """Only where the rows above have the width of the table: then the end was read as it is meant."""
        width = len(self._table.labels)
        start = self._table.header_row if is_whole else 0
        count = footer_rows(grid_of_text(self._last), start, width, has_strays=False)
        above = self._last[start : len(self._last) - count]
        fitting = sum(1 for row in above if len(row) == width)
        return count if fitting * 2 > len(above) else 0


def _read_rows(
    source: _Delimited, table: SourceTable, ending: _Ending, report: Report
) -> Iterator[TextBatch]:
    """The exact reading. Raises UnreadableError for an endless cell or a quote that is never closed."""
    rectangle = Rectangle(len(table.labels), table.irregular)
    left_out: list[tuple[int, str]] = []
    last = table.header_row
    with source.open(tail=END_MARK) as raw, _text(raw) as text:
        numbered = enumerate(_rows_to_mark(source.reader(text), ending.footer), start=1)
        next(islice(numbered, table.header_row - 1, None), None)
        while chunk := list(islice(numbered, BATCH_ROWS)):
            last = chunk[-1][0]
            if ending.last_row is not None and last > ending.last_row:
                below = [pair for pair in chunk if pair[0] > ending.last_row]
                left_out += ((row, " ".join(" ".join(cells).split())) for row, cells in below[:KEPT_ROWS])
                chunk = chunk[: len(chunk) - len(below)]
            if batch := rectangle.batch(chunk):
                yield batch
            report(raw.done, source.size, "bytes")
    if ending.last_row is not None and not table.header_row < ending.last_row <= last:
        missing = {"number": ending.last_row, "rows": last, "table": table.title}
        raise UnreadableError(Problem("correction-row-missing", missing))
    ending.finish(last + ending.footer, left_out)


def _rows_to_mark(reader: Any, footer: int) -> Iterator[list[str]]:
    """All rows but the mark that ends the file and the rows of the footer before it."""
    row = 0
    held: deque[list[str]] = deque()
    try:
        for cells in reader:
            row += 1
            if len(held) > footer:
                yield held.popleft()
            held.append(cells)
    except csv.Error as error:
        limit = {"limit": LONGEST_CELL // MEGABYTE}
        raise UnreadableError(Problem("cell-too-long", limit, row=row + 1)) from error
    if not held or held[-1] != [END_MARK]:
        raise UnreadableError(Problem("unclosed-quote", row=row))


def _read_blocks(
    source: _Delimited, table: SourceTable, ending: _Ending, report: Report
) -> Iterator[TextBatch]:
    """The fast reading. Raises IrregularRowsError as soon as it is not sure to be exact."""
    width = len(table.labels)
    names = column_names(width)
    start = _data_offset(source, table.header_row)
    # Where the bytes of the footer are known they are not even read: its rows are short, and this wants even ones.
    footer = ending.footer if ending.until is None else 0
    with source.open(tail=source.delimiter.join([END_MARK] * width), until=ending.until) as raw:
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
        if previous is None or not _is_mark(previous) or previous.num_rows <= footer:
            raise IrregularRowsError
        data = previous.num_rows - 1 - footer
        if data:
            yield _numbered(previous.slice(0, data), row)
        report(raw.done, source.size, "bytes")
        ending.finish(row + data - 1 + ending.footer)


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
                check_utf8=False,  # `CleanText` gives nothing else
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
    return TextBatch(batch, pa.array(np.arange(first_row, first_row + batch.num_rows, dtype=np.int64)))


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

    def __init__(self, text: Iterator[str]) -> None:
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
