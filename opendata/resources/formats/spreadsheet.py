"""Workbooks: XLSX, XLSB, XLS and ODS through python-calamine, every sheet that holds a table.

A workbook states what kind of value a cell holds, so numbers are written back without loss (`1`, not `1.0`;
the shortest decimal that is the same double) and dates as ISO 8601. What a cell states as text stays text.
calamine holds one sheet in memory at a time; error cells (`#N/A`) and formulas never calculated are empty.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import python_calamine as calamine

from opendata.kernel.text import nfc
from opendata.resources.formats.delimited import HEADER_WITHIN, Header, find_header
from opendata.resources.formats.table import BATCH_ROWS, Rectangle, SourceTable, TextBatch, check_width
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opendata.resources.formats.corrections import Corrections
    from opendata.resources.formats.table import Report
    from opendata.resources.ingest.result import Identification

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta

_EXACT_INTEGERS: Final = 2**53
_MIDNIGHT: Final = dt.time()

Answer = TypeVar("Answer")


def tables(
    path: Path,
    identification: Identification,
    *,
    corrections: Corrections | None = None,  # noqa: ARG001 - taken by the next reading
) -> Iterator[SourceTable | Problem]:
    """A table for each sheet with a header and rows, a problem for each without.

    Raises UnreadableError where no sheet has one. A sheet is read when it is asked for, and forgotten then.
    """
    found = identification.format
    has_table = False
    widest = 0
    with _guarded(found, lambda: calamine.CalamineWorkbook.from_path(path)) as workbook:
        for about in workbook.sheets_metadata:
            if about.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = _guarded(found, partial(_sheet, workbook, about.name))
            if sheet.header is None:
                continue
            widest = max(widest, len(sheet.columns))
            if not sheet.has_rows:
                yield Problem("sheet-without-rows", {"sheet": nfc(about.name)})
                continue
            has_table = True
            is_hidden = about.visible != calamine.SheetVisibleEnum.Visible
            yield sheet.table(nfc(about.name), is_hidden=is_hidden)
    if not has_table:
        raise UnreadableError(Problem("no-rows", {"columns": widest}) if widest else Problem("no-data"))


def sheet_names(path: Path, found: str) -> list[str]:
    """Names of all sheets. Raises UnreadableError for a workbook that cannot be opened."""
    with _guarded(found, lambda: calamine.CalamineWorkbook.from_path(path)) as workbook:
        return [nfc(name) for name in workbook.sheet_names]


def _guarded(found: str, call: Callable[[], Answer]) -> Answer:
    """What the library answers; its errors, and panics of the Rust code in it, as UnreadableError."""
    try:
        return call()
    except calamine.PasswordError as error:
        raise UnreadableError(Problem("workbook-locked")) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise UnreadableError(Problem("workbook-unreadable", {"found": found})) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise UnreadableError(Problem("workbook-unreadable", {"found": found})) from error


def _sheet(workbook: calamine.CalamineWorkbook, name: str) -> _Sheet:
    return _Sheet(workbook.get_sheet_by_name(name))


class _Sheet:
    """One sheet, with the columns that hold anything and the kinds of value in each."""

    def __init__(self, sheet: calamine.CalamineSheet) -> None:
        self._sheet = sheet
        first = [[_text(cell) for cell in row] for row in islice(sheet.iter_rows(), HEADER_WITHIN)]
        self.header: Header | None = find_header(first)
        self.columns: list[int] = []
        self.kinds: list[set[str]] = []
        self.has_rows = False
        self._second_labels: list[str] = []
        self._last_row = 0
        if self.header is not None:
            self._survey(self.header)

    def table(self, name: str, *, is_hidden: bool) -> SourceTable:
        if self.header is None:
            raise ValueError("a sheet without a header is no table")
        labels = self._of_columns(self.header.labels)
        table = SourceTable(
            title=name,
            labels=labels,
            header_width=len(labels),
            header_row=self.header.position + (2 if self._second_labels else 1),
            readings=(),
            kinds=self.kinds,
            titles=self._of_columns(self._second_labels) if self._second_labels else (),
        )
        table.readings = (partial(self._read, table),)
        if self.header.titles:
            counted = {"count": self.header.position, "header_row": self.header.position + 1}
            table.problems.append(Problem("title-rows-skipped", counted))
        if self._second_labels:
            table.problems.append(Problem("second-label-row", row=table.header_row))
        if is_hidden:
            table.problems.append(Problem("hidden-sheet", {"sheet": name}))
        return table

    def _of_columns(self, texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(texts[column].strip() if column < len(texts) else "" for column in self.columns)

    def _survey(self, header: Header) -> None:
        """Which columns are filled, with what, and where the last filled row is."""
        end = self._sheet.end
        width = max(end[1] + 1 if end else 0, len(header.labels))
        first: list[set[str]] = [set() for _ in range(width)]
        rest: list[set[str]] = [set() for _ in range(width)]
        first_row = header.position + 2
        for number, row in enumerate(self._sheet.iter_rows(), start=1):
            if number < first_row:
                continue
            kinds = first if number == first_row else rest
            for column, cell in enumerate(row):
                if cell != "":
                    kinds[column].add(_kind(cell))
                    self._last_row = number
                    if number == first_row:
                        self._second_labels += [""] * (column - len(self._second_labels)) + [_text(cell)]
        self.has_rows = self._last_row > 0
        if _are_labels(first, rest):
            merged = rest
        else:
            self._second_labels = []
            merged = [one | other for one, other in zip(first, rest, strict=True)]
        labels = header.labels
        self.columns = [
            column for column, seen in enumerate(merged) if seen or (column < len(labels) and labels[column])
        ]
        check_width(len(self.columns))
        self.kinds = [merged[column] for column in self.columns]

    def _read(self, table: SourceTable, report: Report) -> Iterator[TextBatch]:
        rectangle = Rectangle(len(self.columns), table.irregular)
        rows = islice(enumerate(self._sheet.iter_rows(), start=1), table.header_row, self._last_row)
        moments = [{"date", "datetime"} <= kinds for kinds in self.kinds]
        while chunk := list(islice(rows, BATCH_ROWS)):
            numbered = [(number, self._cells(row, moments)) for number, row in chunk]
            if batch := rectangle.batch(numbered):
                yield batch
            report(chunk[-1][0], self._last_row, "rows")

    def _cells(self, row: Sequence[Cell], moments: Sequence[bool]) -> list[str]:
        """The row as text. A date in a column of moments is midnight: Excel drops that time."""
        cells: list[str] = []
        for column, is_moment in zip(self.columns, moments, strict=True):
            cell = row[column] if column < len(row) else ""
            if is_moment and type(cell) is dt.date:
                cell = dt.datetime.combine(cell, _MIDNIGHT)
            cells.append(_text(cell))
        return cells


def _are_labels(first: Sequence[set[str]], rest: Sequence[set[str]]) -> bool:
    """Whether the row under the header is a second header: words, over columns of anything but words.

    One such column would be a wrong cell; half of them at once are names in another language.
    """
    filled = [column for column, kinds in enumerate(first) if kinds]
    if any(first[column] != {"text"} for column in filled):
        return False
    measured = [column for column in filled if rest[column] and "text" not in rest[column]]
    return len(measured) > 1 and len(measured) * 2 >= len(filled)


def _kind(cell: Cell) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "boolean"),
        (dt.datetime, "datetime"),
        (dt.date, "date"),
    )
    for kind, name in kinds:
        if isinstance(cell, kind):
            return name
    return "number" if isinstance(cell, int | float) else "text"


def _text(cell: Any) -> str:
    """The cell written out without loss."""
    if isinstance(cell, str):
        return nfc(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT_INTEGERS else repr(cell)
    if isinstance(cell, dt.timedelta):
        return _duration(cell)
    return cell.isoformat() if isinstance(cell, dt.date | dt.datetime | dt.time) else str(cell)


def _duration(cell: dt.timedelta) -> str:
    """Hours, minutes and seconds as spreadsheets show them, hours beyond a day included: 30:05:00."""
    sign = "-" if cell < dt.timedelta() else ""
    seconds = abs(cell) // dt.timedelta(seconds=1)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
