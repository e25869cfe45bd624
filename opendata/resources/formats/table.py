"""What every reader gives: tables of text, row by row numbered as in the file.

A reader is a function `(path, identification)` that yields tables, and problems of what is left out, one
per module, listed in `formats.readers`. Cells are exactly the text of the file (NFC), null only where a cell is empty; numbers and
dates of typed formats are written so that nothing of them is lost. What each row was like before it was made
rectangular is kept in `Irregular`, so that the validator can say it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opendata.resources.formats.corrections import Corrections
    from opendata.resources.ingest.result import Identification

    Report = Callable[[int, int, str], None]

BATCH_ROWS: Final = 32_768
MOST_COLUMNS: Final = 4096
KEPT_ROWS: Final = 1000
# What irregular rows of one table may take in memory while they are kept whole: over a hundred thousand rows of
# twelve short cells, and a sixteenth of what the child that reads a file is given.
KEPT_BYTES: Final = 128 << 20
_ENTRY_BYTES: Final = 160  # one entry of a dictionary that grows by doubling, and its key


class IrregularRowsError(Exception):
    """A fast reading met rows that it cannot give exactly; the next reading of the table can."""


@dataclass(slots=True)
class Irregular:
    """Rows that differ from the header, by row number, kept whole until they take KEPT_BYTES; all are counted.

    `blank` maps a row to its number of cells, `ragged` to its cells as they were. What is bounded is memory, not
    the number of rows: an export with one short line in twenty must be publishable without those, whatever its
    length, and a hundred rows of a megabyte each must not fill the machine.
    """

    blank: dict[int, int] = field(default_factory=dict)
    blank_count: int = 0
    ragged: dict[int, tuple[str, ...]] = field(default_factory=dict)
    extra_count: int = 0
    missing_count: int = 0
    _bytes: int = field(default=0, compare=False, repr=False)

    def add_blank(self, row: int, cells: int) -> None:
        self.blank_count += 1
        if self._has_room(_ENTRY_BYTES):
            self.blank[row] = cells

    def add_ragged(self, row: int, cells: Sequence[str], width: int) -> None:
        if len(cells) > width:
            self.extra_count += 1
        else:
            self.missing_count += 1
        kept = tuple(cells)
        if self._has_room(_ENTRY_BYTES + sys.getsizeof(kept) + sum(map(sys.getsizeof, kept))):
            self.ragged[row] = kept

    def _has_room(self, size: int) -> bool:
        """Count these bytes; once they are too many no later row is kept, so that the kept ones are the first."""
        self._bytes += size
        return self._bytes <= KEPT_BYTES


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Rows of a table: `columns` all of type string, `rows` (int64) their row numbers in the file."""

    columns: pa.RecordBatch
    rows: pa.Array


class Reading(Protocol):
    def __call__(self, report: Report) -> Iterator[TextBatch]: ...


@dataclass(slots=True)
class SourceTable:
    """A table as it stands in the file, not yet read.

    `header_width` counts the labels that the header row holds; rows may have more cells than that. `readings` give its rows, the fastest first: each may raise IrregularRowsError but the last, and fills
    `irregular`. `row_shift` is what row numbers are ahead of the numbers people see (JSON has no header row).
    `kinds` holds for each column the kinds of value that a typed format states ("number", "text",
    "boolean", "date", "datetime", "nested"), None where the format knows only text; a reader may complete
    it while it reads. `titles` are further names of the columns, where the file has them.
    `header_row` is the last row that is no data; `header_rows` are those that hold the labels, `last_row` is
    the last row of data, both where the reader decides it, so that a publisher can be shown it and correct it.
    `unit` is what a note above the table says of all its numbers, `units` what a row of units says of each
    column.
    """

    title: str
    labels: tuple[str, ...]
    header_row: int
    header_width: int
    readings: tuple[Reading, ...]
    irregular: Irregular = field(default_factory=Irregular)
    kinds: list[set[str]] | None = None
    titles: tuple[str, ...] = ()
    row_shift: int = 0
    header_rows: tuple[int, ...] = ()
    last_row: int | None = None
    unit: str = ""
    units: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)


class Reader(Protocol):
    def __call__(self, path: Path, identification: Identification) -> Iterator[SourceTable | Problem]: ...


class CorrectableReader(Protocol):
    """A reader of a format whose structure is guessed; works as a `Reader` too."""

    def __call__(
        self, path: Path, identification: Identification, *, corrections: Corrections | None = None
    ) -> Iterator[SourceTable | Problem]: ...


def column_names(count: int) -> list[str]:
    """Positional names, so that labels may be anything: c0, c1, …"""
    return [f"c{index}" for index in range(count)]


def check_width(count: int) -> None:
    """Raises UnreadableError for a header that no program could show."""
    if count > MOST_COLUMNS:
        raise UnreadableError(Problem("too-many-columns", {"columns": count, "limit": MOST_COLUMNS}))


def text_batch(columns: Sequence[Sequence[str | None]], rows: Sequence[int]) -> TextBatch:
    """A batch from lists of cells, one list a column; empty cells become null."""
    arrays = [pa.array(column, pa.string()) for column in columns]
    cleaned = [pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array) for array in arrays]
    batch = pa.RecordBatch.from_arrays(cleaned, names=column_names(len(cleaned)))
    return TextBatch(batch, pa.array(rows, pa.int64()))


class Rectangle:
    """Makes rows of any length a table of `width` columns and notes what did not fit in `irregular`."""

    def __init__(self, width: int, irregular: Irregular) -> None:
        self._width = width
        self._irregular = irregular

    def batch(self, numbered: Sequence[tuple[int, Sequence[str]]]) -> TextBatch | None:
        """The rows that are not blank; None where all are."""
        kept: list[Sequence[str]] = []
        rows: list[int] = []
        for row, cells in numbered:
            if not any(cells):
                self._irregular.add_blank(row, len(cells))
                continue
            if len(cells) != self._width:
                self._irregular.add_ragged(row, cells, self._width)
                kept.append((*cells[: self._width], *("",) * (self._width - len(cells))))
            else:
                kept.append(cells)
            rows.append(row)
        if not kept:
            return None
        return text_batch(list(zip(*kept, strict=True)), rows)
