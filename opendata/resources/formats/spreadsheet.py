"""Workbooks: XLSX, XLSB, XLS and ODS, every table of every sheet.

A workbook states what kind of value a cell holds, so numbers are written back without loss (`1`, not `1.0`; the
shortest decimal that is the same double) and dates as ISO 8601. What a cell states as text stays text, but for texts
that really hold TCVN3 or VNI. One sheet is held at a time, by columns: large XLSX sheets through `quick_sheet`, all
others through python-calamine. Error cells (`#N/A`) and formulas never calculated are empty. What is left out of a
sheet is said with its rows.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import python_calamine as calamine

from opendata.kernel.text import nfc
from opendata.resources.formats.corrections import Corrections
from opendata.resources.formats.library_cells import library_cells
from opendata.resources.formats.quick_sheet import QuickWorkbook
from opendata.resources.formats.regions import Region, regions_of, whole_sheet
from opendata.resources.formats.sheet_cells import DATE, MIDNIGHT
from opendata.resources.formats.sheet_survey import SheetSurvey
from opendata.resources.formats.structure_notes import footer_problem, header_problems, total_problem, totals
from opendata.resources.formats.table import BATCH_ROWS, SourceTable, TextBatch, check_width, column_names
from opendata.resources.formats.vietnamese_encodings import NAMES as OLD_ENCODINGS
from opendata.resources.ingest.problems import Problem, UnreadableError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opendata.resources.formats.sheet_cells import CellBlock, SheetCells
    from opendata.resources.formats.table import Report
    from opendata.resources.ingest.result import Identification

_LOOKED_AT: Final = 100
_LONGEST_CAPTION: Final = 120
_DATE_WORDS: Final = re.compile(r"\b(ngày|date|thời điểm)\b", re.IGNORECASE)
# Days since 1900 of 1954-10-03 and 2064-04-08: what a date looks like once its cell format is lost.
_DAY_NUMBERS: Final = range(20_000, 60_000)
_DAY_ZERO: Final = dt.date(1899, 12, 30)

Answer = TypeVar("Answer")


def tables(
    path: Path, identification: Identification, *, corrections: Corrections | None = None
) -> Iterator[SourceTable | Problem]:
    """Every table with a header and rows, a problem for each sheet without.

    Raises UnreadableError where no sheet has one. A sheet is read when it is asked for, and forgotten then.
    """
    found = identification.format
    said = corrections or Corrections()
    has_table = False
    widest = 0
    known: tuple[str, ...] = ()
    with _guarded(found, lambda: calamine.CalamineWorkbook.from_path(path)) as workbook:
        quick = QuickWorkbook(path) if found == "xlsx" else None
        for place, about in enumerate(workbook.sheets_metadata):
            if about.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            cells = quick.cells(place, about.name) if quick is not None else None
            if cells is None:
                if quick is not None:
                    quick.check_extent(place, about.name)
                cells = _guarded(found, partial(_library_cells, workbook, about.name))
            sheet = _Sheet(cells, about.name, said, known)
            known += sheet.survey.evidence.encodings
            if not sheet.regions:
                continue
            widest = max(widest, *(len(region.columns) for region in sheet.regions))
            full = [region for region in sheet.regions if region.last >= region.data]
            if not full:
                yield Problem("sheet-without-rows", {"sheet": sheet.name})
                continue
            has_table = True
            is_hidden = about.visible != calamine.SheetVisibleEnum.Visible
            yield from (sheet.table(region, full, is_hidden=is_hidden) for region in full)
            for region in sheet.regions:
                if region not in full:
                    row = region.first + region.header.rows[0] + 1
                    yield Problem("table-without-rows", {"sheet": sheet.name}, row=row)
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


def _library_cells(workbook: calamine.CalamineWorkbook, name: str) -> SheetCells:
    return library_cells(workbook.get_sheet_by_name(name))


class _Sheet:
    """One sheet and the tables on it."""

    def __init__(self, cells: SheetCells, name: str, corrections: Corrections, known: Sequence[str]) -> None:
        self._cells = cells
        self._corrections = corrections
        self.survey = SheetSurvey(cells, corrections.last_header_row)
        if corrections.encoding is None:
            self.survey.evidence.decide(known)
        else:
            is_old = corrections.encoding in OLD_ENCODINGS
            self.survey.evidence.force(corrections.encoding if is_old else None)
        self.name = self.survey.evidence.read(nfc(name))
        self._notes: list[Problem] = []
        self.regions = self._regions()

    def table(self, region: Region, all_of_sheet: Sequence[Region], *, is_hidden: bool) -> SourceTable:
        """A region as a table that can be read. `all_of_sheet` are those that are published."""
        check_width(len(region.columns))
        title = self.name if len(all_of_sheet) == 1 else self._title(region, all_of_sheet)
        region = self._corrected(region, title)
        header = region.header
        labels = tuple(" ".join(label.split()) for label in _of_columns(region, header.labels))
        table = SourceTable(
            title=title,
            labels=labels,
            header_width=len(labels),
            header_row=region.data,
            header_rows=tuple(region.first + row + 1 for row in header.rows),
            last_row=region.last + 1,
            readings=(),
            kinds=[self.survey.kinds(region.data, region.last)[column] for column in region.columns],
            titles=self._titles(region),
            unit=header.unit,
            units=_of_columns(region, header.units) if header.units else (),
        )
        table.readings = (partial(self._read, region, table),)
        table.problems += [*self._problems(region, table), *self._notes]
        if is_hidden:
            table.problems.append(Problem("hidden-sheet", {"sheet": self.name}))
        return table

    def _regions(self) -> list[Region]:
        """The tables of the sheet, or the one that the publisher says it is."""
        own = self._corrections.own(self.name)
        rows = (own and own.header_rows) or self._corrections.header_rows
        if rows is None:
            return regions_of(self.survey)
        if rows[-1] > len(self.survey):
            missing = {"number": rows[-1], "rows": len(self.survey), "table": self.name}
            if own and own.header_rows:
                raise UnreadableError(Problem("correction-row-missing", missing))
            self._notes.append(Problem("correction-row-missing", missing, severity="warning"))
            return regions_of(self.survey)
        region = whole_sheet(self.survey, rows=tuple(row - 1 for row in rows))
        return [region] if region else []

    def _corrected(self, region: Region, title: str) -> Region:
        """The region with what was said about this one table: its header rows among several, its last row."""
        said = self._corrections.of_table(title)
        own = self._corrections.own(title)
        if own and own.header_rows and title != self.name:
            rows = tuple(row - 1 for row in own.header_rows)
            if not region.first <= rows[0] <= rows[-1] <= region.last:
                missing = {"number": own.header_rows[-1], "rows": region.last + 1, "table": title}
                raise UnreadableError(Problem("correction-row-missing", missing))
            region = whole_sheet(self.survey, rows=rows, first=region.first, last=region.last) or region
        if said.last_row is None:
            return region
        if not region.data < said.last_row <= len(self.survey):
            missing = {"number": said.last_row, "rows": len(self.survey), "table": title}
            raise UnreadableError(Problem("correction-row-missing", missing))
        below = range(said.last_row, max(region.last, *region.footers, said.last_row) + 1)
        footers = tuple(row for row in below if row < len(self.survey) and not self.survey.is_blank(row))
        return replace(region, last=said.last_row - 1, footers=footers)

    def _title(self, region: Region, regions: Sequence[Region]) -> str:
        """The sheet and what stands over the table; its number where that is nothing, or not its own."""
        captions = [other.caption for other in regions]
        if region.caption and captions.count(region.caption) == 1:
            return f"{self.name} – {region.caption[:_LONGEST_CAPTION].strip()}"
        return f"{self.name} – {regions.index(region) + 1}"

    def _titles(self, region: Region) -> tuple[str, ...]:
        """Further names of the columns, from the rows that name them once more."""
        if not region.names:
            return ()
        rows = [_of_columns(region, self.survey.texts(row)) for row in region.names]
        return tuple(
            " / ".join(dict.fromkeys(" ".join(text.split()) for text in texts if text.strip()))
            for texts in zip(*rows, strict=True)
        )

    def _problems(self, region: Region, table: SourceTable) -> Iterator[Problem]:
        header = region.header
        yield from self._encoding_problems()
        yield from header_problems(header, region.first)
        for row in region.names:
            yield Problem("second-label-row", row=row + 1)
        if region.footers:
            yield footer_problem(
                [(row + 1, " ".join(self.survey.texts(row)).strip()) for row in region.footers]
            )
        looked_at = [
            row
            for row in (
                *range(region.data, region.data + _LOOKED_AT),
                *range(region.last - _LOOKED_AT, region.last + 1),
            )
            if region.data <= row <= region.last and row in self.survey.cells
        ]
        rows = [(row + 1, _of_columns(region, self.survey.texts(row))) for row in dict.fromkeys(looked_at)]
        if found := totals(rows):
            yield total_problem(found)
        yield from _day_numbers(table, rows)

    def _encoding_problems(self) -> Iterator[Problem]:
        evidence = self.survey.evidence
        if not evidence.encodings:
            return
        changed = (
            (text, read)
            for row in self.survey.cells
            for text, read in zip(self.survey.cells[row], self.survey.texts(row), strict=True)
            if text != read
        )
        before, after = next(changed, ("", ""))
        if before:
            named = ", ".join(OLD_ENCODINGS[encoding] for encoding in evidence.encodings)
            values = {
                "encoding": named,
                "before": shown(before),
                "after": shown(after),
                "evidence": evidence.to_json(),
            }
            yield Problem("font-encoding-read", values)

    def _read(self, region: Region, table: SourceTable, report: Report) -> Iterator[TextBatch]:
        held: list[CellBlock] = []
        count = 0
        for part in self._cells.parts(region.data, region.last):
            held.append(part)
            count += len(part)
            if count >= BATCH_ROWS:
                yield from self._batch(held, region, table)
                report(part.first + len(part), region.last + 1, "rows")
                held, count = [], 0
        if held:
            yield from self._batch(held, region, table)
            report(region.last + 1, region.last + 1, "rows")

    def _batch(self, parts: Sequence[CellBlock], region: Region, table: SourceTable) -> Iterator[TextBatch]:
        """Rows that follow each other as one batch; none where all of them are blank."""
        kinds = np.concatenate([part.kinds for part in parts])[:, region.columns]
        rows = np.arange(parts[0].first + 1, parts[0].first + len(kinds) + 1)
        columns = [pa.concat_arrays([part.columns[column] for part in parts]) for column in region.columns]
        for place, stated in enumerate(table.kinds or ()):
            if {
                "date",
                "datetime",
            } <= stated:  # a date in a column of moments is midnight: Excel drops that time
                moments = pc.binary_join_element_wise(columns[place], MIDNIGHT, "")
                columns[place] = pc.if_else(pa.array(kinds[:, place] == DATE), moments, columns[place])
        columns = [self._read_texts(column) for column in columns]
        filled = kinds.any(axis=1)
        if not filled.all():
            for row in rows[~filled].tolist():
                table.irregular.add_blank(row, len(columns))
            mask = pa.array(filled)
            columns, rows = [column.filter(mask) for column in columns], rows[filled]
        if len(rows):
            batch = pa.RecordBatch.from_arrays(columns, names=column_names(len(columns)))
            yield TextBatch(batch, pa.array(rows, pa.int64()))

    def _read_texts(self, texts: pa.Array) -> pa.Array:
        """Texts in the encodings that were found in the sheet."""
        if not self.survey.evidence.encodings:
            return texts
        coded = texts.dictionary_encode()
        read = pa.array(map(self.survey.evidence.read, coded.dictionary.to_pylist()), pa.string())
        return read.take(coded.indices)


def _of_columns(region: Region, texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(texts[column].strip() if column < len(texts) else "" for column in region.columns)


def _day_numbers(table: SourceTable, rows: Sequence[tuple[int, Sequence[str]]]) -> Iterator[Problem]:
    """Columns named as dates whose cells are plain numbers in the range that days since 1900 have today."""
    for column, label in enumerate(table.labels):
        if (table.kinds or [])[column] != {"number"} or not _DATE_WORDS.search(label):
            continue
        values = [(number, cells[column]) for number, cells in rows if cells[column]]
        if values and all(value.isdigit() and int(value) in _DAY_NUMBERS for _, value in values):
            number, value = values[0]
            day = _DAY_ZERO + dt.timedelta(days=int(value))
            yield Problem(
                "day-numbers", {"label": shown(label), "value": value, "date": day.isoformat()}, row=number
            )
