"""How large a sheet is said to be by its cells, found out before the library makes room for all of it.

The library takes 32 bytes for every cell between the first and the last, so that one cell in the far corner asks
for 500 gigabytes, and a repeated one in an OpenDocument sheet for as much. `check_sheet_xml` and
`check_open_document` go through the tags once and refuse such sheets. What a dimension says is not believed, and
cells without a value do not count: formats reach the last row of many a real sheet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn

from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A sheet of fewer cells is read however empty it is: half a gigabyte at the most.
MOST_EMPTY: Final = 1 << 24
_MOST_PER_FILLED: Final = 16
_LONGEST_TAG: Final = 1 << 18
_ATTRIBUTES: Final = re.compile(rb"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_XML_TAG: Final = re.compile(rb"""<(?:[^\s<>/:!?"']++:)?(?:(row|c)|v|is)(?=[\s/>])""")
_REFERENCE: Final = re.compile(rb"""(?<![\w:.-])r\s*=\s*["']([A-Za-z]{0,9})([0-9]{0,12})""")
_ODS_TAG: Final = re.compile(rb"<(?:table:(?:table(-row|-cell|)|covered-table(-cell))|text:(s))(?=[\s/>])")
_REPEATED: Final = re.compile(rb"""-repeated\s*=\s*["']([^"']*)["']""")
_SPACES: Final = re.compile(rb"""text:c\s*=\s*["']([^"']*)["']""")
_NAME: Final = re.compile(rb"""table:name\s*=\s*["']([^"']*)["']""")
_COUNT: Final = re.compile(rb"\+?[0-9]{1,12}")


class Extent:
    """The part of a sheet that its filled cells span; `made` are cells that the library makes on the way."""

    def __init__(self, sheet: str, found: str) -> None:
        self.sheet = sheet
        self.found = found
        self.cells = 0
        self.rows = 0
        self.made = 0
        self.first_column = 1 << 40
        self._end_column = 0

    @property
    def columns(self) -> int:
        return max(0, self._end_column - self.first_column)

    def add(self, end_row: int, first_column: int, end_column: int, cells: int = 1) -> None:
        """Filled cells up to a row and between columns, the ends not included."""
        self.cells += cells
        self.rows = max(self.rows, end_row)
        self.first_column = min(self.first_column, first_column)
        self._end_column = max(self._end_column, end_column)

    def check(self) -> None:
        """Raises UnreadableError where the cells lie too far apart to hold all between them."""
        area = max(self.rows * self.columns, self.made)
        if area > MOST_EMPTY and area > self.cells * _MOST_PER_FILLED:
            counted = {"sheet": self.sheet, "cells": self.cells, "rows": self.rows, "columns": self.columns}
            raise UnreadableError(Problem("cells-far-apart", counted))

    def give_up(self) -> NoReturn:
        raise UnreadableError(Problem("workbook-unreadable", {"found": self.found}))


def check_sheet_xml(pieces: Iterable[bytes], sheet: str) -> None:
    """Check a sheet of XLSX as the library counts its rows and columns: by references, or by their order."""
    extent = Extent(sheet, "xlsx")
    row = next_row = column = 0
    cell = (0, 0)
    for kind, attributes in _tags(pieces, _XML_TAG, extent):
        if kind is None:
            extent.add(cell[0] + 1, cell[1], cell[1] + 1)
            continue
        # The farthest, were there several: what stands in another attribute may look like one.
        found = [
            (int(digits or 1) - 1, _column(letters)) for letters, digits in _REFERENCE.findall(attributes)
        ]
        if kind == b"row":
            row = max(found)[0] if found else next_row
            next_row, column = row + 1, 0
        else:
            cell = (
                (max(row for row, _ in found), max(column for _, column in found)) if found else (row, column)
            )
            column = cell[1] + 1
    extent.check()


def check_open_document(pieces: Iterable[bytes]) -> None:
    """Check all sheets of an OpenDocument workbook with the repetitions in it; those of spaces as well."""
    sheet = _OdsSheet("")
    spaces = 0
    for kind, attributes in _tags(pieces, _ODS_TAG, sheet.extent):
        if kind == b"s":
            spaces += _counted(_SPACES, attributes, sheet.extent)
        elif kind == b"-row":
            sheet.row(_counted(_REPEATED, attributes, sheet.extent))
        elif kind == b"-cell":
            sheet.cell(
                _counted(_REPEATED, attributes, sheet.extent),
                is_filled=b"office:" in attributes or b":formula" in attributes,
            )
        else:
            sheet.end()
            name = _NAME.search(attributes)
            sheet = _OdsSheet(name[1].decode("utf-8", "replace") if name else "")
        if spaces > MOST_EMPTY:
            sheet.extent.give_up()
    sheet.end()


class _OdsSheet:
    """One sheet, row by row: blanks count once something stands behind or below them."""

    def __init__(self, name: str) -> None:
        self.extent = Extent(name, "ods")
        self._rows = 0
        self._repeated = 0
        self._blank = 0
        self._width = 0
        self._filled = 0

    def row(self, repeated: int) -> None:
        self._end_row()
        self._repeated = repeated

    def cell(self, repeated: int, *, is_filled: bool) -> None:
        self._width += self._blank
        self._blank = 0
        if is_filled:
            self._width += repeated
            self._filled += 1
        else:
            self._blank = repeated

    def end(self) -> None:
        self._end_row()
        self.extent.check()

    def _end_row(self) -> None:
        self._rows += self._repeated
        if self._filled:
            self.extent.add(self._rows, 0, self._width, self._filled)
        self.extent.made += self._width
        if self.extent.made > MOST_EMPTY:
            self.extent.check()
        self._repeated = self._blank = self._width = self._filled = 0


def _tags(
    pieces: Iterable[bytes], pattern: re.Pattern[bytes], extent: Extent
) -> Iterator[tuple[bytes | None, bytes]]:
    """The tags in question with their attributes. A tag longer than any writes ends it, as broken."""
    held = b""
    for piece in _with_end(pieces):
        held += piece
        is_last = not piece
        until = len(held) if is_last else len(held) - _LONGEST_TAG
        done = 0
        while (found := pattern.search(held, done)) and found.start() < until:
            kind = found[found.lastindex] if found.lastindex else None
            if kind is None:
                done = found.end()
                yield None, b""
                continue
            attributes = _ATTRIBUTES.match(held, found.end())
            if attributes is None:
                extent.give_up()
            done = attributes.end()
            yield kind, attributes[0]
        held = held[max(done, until, 0) :] if not is_last else b""


def _with_end(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from (piece for piece in pieces if piece)
    yield b""


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return max(number - 1, 0)


def _counted(pattern: re.Pattern[bytes], attributes: bytes, extent: Extent) -> int:
    """How often something is said to repeat; once where nothing is said."""
    counts = pattern.findall(attributes)
    if any(_COUNT.fullmatch(count) is None for count in counts):
        extent.give_up()
    return max(map(int, counts), default=1)
