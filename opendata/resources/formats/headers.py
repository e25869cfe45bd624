"""Where the header of a table is and what each column is called.

Called with the first rows of a sheet, of a part of one, or of delimited text. Offices write titles and units
above the header, split its words over several rows, merge cells over groups of columns and number the columns
below it; all of that is taken together into one label a column (`Group / Column`), and said.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.resources.formats.marginal_words import is_row_of_column_numbers, is_unit, unit_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    Merge = tuple[int, int, int, int]

MOST_TITLE_ROWS: Final = 20
MOST_HEADER_ROWS: Final = 8
_BODY_ROWS: Final = 30
_WIDE: Final = 4
_FEW: Final = 2
_VALUE: Final = re.compile(r"\(?[-+−]?[0-9][0-9.,:/\-–\s]*\)?\s*%?")
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}")
_MOST_LETTERS: Final = 300
_IN_BRACKETS: Final = re.compile(r"\(([^()]{1,40})\)\s*$")


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of text with a mark for each cell: ` ` blank, `w` words, `v` a value (number, date, boolean).

    `merges` are ranges of merged cells (first row, first column, last row, last column) counted as in `rows`;
    None where the format does not tell.
    """

    rows: Sequence[Sequence[str]]
    marks: Sequence[str]
    merges: Sequence[Merge] | None = None

    def filled(self, row: int) -> list[int]:
        return [column for column, mark in enumerate(self.marks[row]) if mark != " "]

    def text(self, row: int, column: int) -> str:
        cells = self.rows[row]
        return cells[column].strip() if column < len(cells) else ""

    def texts(self, row: int) -> list[str]:
        return [self.text(row, column) for column in self.filled(row)]

    def mark(self, row: int, column: int) -> str:
        marks = self.marks[row]
        return marks[column] if column < len(marks) else " "


@dataclass(frozen=True, slots=True)
class Header:
    """`position` is the index of the last row that is not data; `rows` are those that hold the labels.

    `labels` are as many as the usual row has cells, so that columns without a name are not lost; `width` counts
    those that the header itself holds. `titles` are texts above it, `unit` the unit named there. `units` are
    those of a row below the labels, `numbers` is the row that only numbers the columns.
    """

    position: int
    labels: tuple[str, ...]
    titles: tuple[str, ...]
    width: int
    rows: tuple[int, ...] = ()
    unit: str = ""
    units: tuple[str, ...] = ()
    units_row: int | None = None
    numbers_row: int | None = None


@dataclass(slots=True)
class _Found:
    """The rows of a header while it is looked for."""

    rows: list[int]
    numbers: int | None = None
    units: int | None = None

    @property
    def last(self) -> int:
        return max(self.rows[-1], self.numbers or 0, self.units or 0)


def grid_of_text(rows: Sequence[Sequence[str]]) -> Grid:
    """Cells of delimited text: what looks like a number or a date is a value."""
    return Grid(rows, ["".join(map(_mark_of, row)) for row in rows])


def _mark_of(cell: str) -> str:
    text = cell[:_MOST_LETTERS].strip()
    if not text:
        return " "
    return "v" if _VALUE.fullmatch(text) else "w"


def find_header(grid: Grid, *, rows: tuple[int, ...] | None = None) -> Header | None:
    """The header among the first rows of a table, None where all of them are blank.

    `rows` are the indices of the rows that hold it where the publisher has said so.
    """
    filled = [row for row in range(len(grid.rows)) if grid.marks[row].strip()]
    if not filled:
        return None
    if rows:
        found = _Found([row for row in rows if row < len(grid.rows)])
        top = rows[0]
    else:
        top = _top(grid, filled)
        found = _below(grid, top)
    titles = [row for row in filled if row < top]
    return _described(grid, found, titles)


def _described(grid: Grid, found: _Found, titles: Sequence[int]) -> Header:
    body = [len(grid.rows[row]) for row in range(found.last + 1, len(grid.rows)) if grid.marks[row].strip()]
    width = max(len(grid.rows[row]) for row in found.rows)
    usual = Counter(body).most_common(1)
    unnamed = max(0, usual[0][0] - width) if usual else 0
    labels = _labels(grid, found, width)
    notes = [
        note for row in titles for text in grid.texts(row) if (note := unit_note(text) or _bare_unit(text))
    ]
    units = found.units
    return Header(
        position=found.last,
        labels=(*labels, *("",) * unnamed),
        titles=tuple(" ".join(" ".join(grid.texts(row)).split()) for row in titles),
        width=width,
        rows=tuple(found.rows),
        unit=notes[0] if notes else "",
        units=tuple(grid.text(units, column) for column in range(width)) if units is not None else (),
        units_row=units,
        numbers_row=found.numbers,
    )


def _bare_unit(text: str) -> str:
    """The unit in a text that is one, or that ends with one in brackets: `Sản lượng năm 2007 (tấn)`."""
    if is_unit(text):
        return text
    ending = _IN_BRACKETS.search(text[-_MOST_LETTERS:])
    return ending[1].strip() if ending and is_unit(ending[1]) else ""


# Which row is the first of the header -------------------------------------------------------------------


def _top(grid: Grid, filled: Sequence[int]) -> int:
    """The first row with two cells, or the one below the lines of a letterhead that look like one."""
    several = [row for row in filled[: MOST_TITLE_ROWS + 1] if len(grid.filled(row)) > 1]
    if not several:
        return filled[0]
    top, is_apart = several[0], False
    for row in range(top, min(len(grid.rows), top + MOST_TITLE_ROWS)):
        cells = grid.filled(row)
        is_unit_line = len(cells) <= _FEW and any(unit_note(text) for text in grid.texts(row))
        if len(cells) <= 1 or is_unit_line:
            is_apart = True
        elif not _is_letterhead(grid, row):
            words = sum(1 for column in cells if grid.mark(row, column) == "w")
            return row if is_apart and words * 2 >= len(cells) else top
        elif is_apart:
            top, is_apart = row, False
    return top


def _is_letterhead(grid: Grid, row: int) -> bool:
    """Few words over a wide table, with nothing merged into the rows below."""
    cells = grid.filled(row)
    if any(grid.mark(row, column) != "w" for column in cells):
        return False
    below = range(row + 1, min(len(grid.rows), row + _BODY_ROWS))
    widest = max((len(grid.filled(other)) for other in below), default=0)
    is_narrow = (len(cells) <= _FEW and widest >= _WIDE) or (len(cells) * 4 <= widest)
    starts_down = any(first == row and last > row for first, _, last, _ in grid.merges or ())
    return (is_narrow or _is_over_blank(grid, row, widest)) and not starts_down


def _is_over_blank(grid: Grid, row: int, widest: int) -> bool:
    """Two words over a blank row, in a table of three columns: `MINISTRY OF FINANCE | | Annex 03`."""
    after = grid.filled(row + 1) if row + 1 < len(grid.rows) else [0]
    return len(grid.filled(row)) < widest and not after and widest > _FEW


# Which rows follow it -----------------------------------------------------------------------------------


def _below(grid: Grid, top: int) -> _Found:
    numbers = _numbers_row(grid, top)
    if numbers is not None:
        found = _Found([row for row in range(top, numbers) if grid.filled(row)], numbers=numbers)
    else:
        found = _Found([top])
        _extend(grid, found)
        found.numbers = _numbers_row(grid, found.last)
    _find_units(grid, found)
    return found


def _numbers_row(grid: Grid, top: int) -> int | None:
    """The row below that counts the columns; up to it there are only words."""
    for row in range(top + 1, min(len(grid.rows), top + MOST_HEADER_ROWS + 4)):
        cells = grid.filled(row)
        texts = grid.texts(row)
        counts = is_row_of_column_numbers(texts)
        if counts is not False and len(cells) * 2 >= len(grid.filled(top)):
            return row if counts or _contradicts(grid, row) else None
        if "v" in grid.marks[row]:
            return None
    return None


def _contradicts(grid: Grid, row: int) -> bool:
    """Whether bare numbers stand over words: then they are no data."""
    for column in grid.filled(row):
        below = [grid.mark(other, column) for other in range(row + 1, min(len(grid.rows), row + _BODY_ROWS))]
        if below.count("w") > 1 and below.count("w") > below.count("v"):
            return True
    return False


def _extend(grid: Grid, found: _Found) -> None:
    """Rows that cells merged downwards reach, and rows that split the columns of the row above."""
    while len(found.rows) < MOST_HEADER_ROWS:
        last = found.rows[-1]
        row = last + 1
        if row >= len(grid.rows):
            return
        reach = max((merge[2] for merge in grid.merges or () if merge[0] in found.rows), default=0)
        is_inside = row <= reach < found.rows[0] + MOST_HEADER_ROWS
        if not is_inside and not (_splits(grid, found.rows, row) and _has_body(grid, row)):
            return
        if "v" in grid.marks[row] and not _splits(grid, found.rows, row):
            return
        found.rows.append(row)


def _has_body(grid: Grid, row: int) -> bool:
    return any(grid.filled(other) for other in range(row + 1, min(len(grid.rows), row + _BODY_ROWS)))


def _splits(grid: Grid, header: Sequence[int], row: int) -> bool:
    """Whether the row names columns under a label that spans several: by merged cells, or by blanks above."""
    cells = grid.filled(row)
    if not cells:
        return False
    is_year = all(
        _YEAR.fullmatch(grid.text(row, column)) for column in cells if grid.mark(row, column) == "v"
    )
    if not is_year:
        return False
    under = {
        column
        for first, left, _, right in grid.merges or ()
        if first in header and right > left
        for column in range(left, right + 1)
    }
    if under:
        return len(cells) > 1 and under.issuperset(cells)
    named = {column for above in header for column in grid.filled(above)}
    if len(cells) <= 1 or min(named) in cells:
        return False
    fresh = [column for column in cells if column not in named and any(left < column for left in named)]
    rows_below = range(row + 1, min(len(grid.rows), row + _BODY_ROWS))
    measured = [
        column
        for column in cells
        if "v" in (seen := {grid.mark(other, column) for other in rows_below}) and "w" not in seen
    ]
    return bool(fresh) and len(measured) * 2 >= len(cells)


def _find_units(grid: Grid, found: _Found) -> None:
    """A row of units right below: `(người) (ha) %`, over columns that hold numbers."""
    row = found.last + 1
    if row >= len(grid.rows) or found.numbers is not None:
        return
    texts = grid.texts(row)
    if "v" in grid.marks[row] or len(texts) <= 1:
        return
    below = range(row + 1, min(len(grid.rows), row + _BODY_ROWS))
    units = [column for column in grid.filled(row) if is_unit(grid.text(row, column))]
    measured = [c for c in units if any(grid.mark(other, c) == "v" for other in below)]
    if len(measured) > 1 and len(units) * 3 >= len(texts) * 2:
        found.units = row
        found.numbers = _numbers_row(grid, row)


# What the columns are called ----------------------------------------------------------------------------


def _labels(grid: Grid, found: _Found, width: int) -> list[str]:
    if len(found.rows) == 1 and not grid.merges:
        return [grid.text(found.rows[0], column) for column in range(width)]
    spans = _spans(grid, found.rows, width)
    return [_label(grid, found.rows, spans, column) for column in range(width)]


def _spans(grid: Grid, rows: Sequence[int], width: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Cells covered by a label to their left: (row, column) to its column and the place within its span."""
    covered: dict[tuple[int, int], tuple[int, int]] = {}
    for first, left, _, right in grid.merges or ():
        if first in rows:
            for place, column in enumerate(range(left, min(right + 1, width))):
                covered[first, column] = (left, place)
    has_merges = bool(covered)
    for place, row in enumerate(rows):
        above = rows[place - 1] if place else None
        for column in range(width):
            group = covered.get((above, column), (None, 0))[0] if above is not None else None
            # Where labels are merged and words split over many rows, blanks only speak inside a merged group.
            if (row, column) not in covered and (group is not None or not has_merges or len(rows) == _FEW):
                _spread(grid, rows, row, column, covered)
    return covered


def _spread(
    grid: Grid, rows: Sequence[int], row: int, column: int, covered: dict[tuple[int, int], tuple[int, int]]
) -> None:
    """Let a label reach over the blanks to its right, within its group, as far as rows below name columns."""
    later = [other for other in rows if other > row]
    if len(grid.text(row, column)) <= 1 or not any(grid.text(other, column) for other in later):
        return
    above = max((other for other in rows if other < row), default=-1)
    group = covered.get((above, column), (None, 0))[0]
    place = 1
    while _may_cover(grid, rows, row, column + place):
        if covered.get((above, column + place), (None, 0))[0] != group:
            return
        covered[row, column] = (column, 0)
        covered[row, column + place] = (column, place)
        place += 1


def _may_cover(grid: Grid, rows: Sequence[int], row: int, column: int) -> bool:
    """A blank without a label above it in its own column, and with one below."""
    if any(grid.text(other, column) for other in rows if other <= row):
        return False
    return any(grid.text(other, column) for other in rows if other > row)


def _label(
    grid: Grid, rows: Sequence[int], spans: dict[tuple[int, int], tuple[int, int]], column: int
) -> str:
    """The words of a column, from the top: labels it shares with others, then its own in one."""
    parts: list[str] = []
    own: list[str] = []
    ends_shared = 0
    for row in rows:
        left, place = spans.get((row, column), (column, 0))
        text = " ".join(grid.text(row, left).split())
        if not text or (own and text == own[-1] and len(text) > 1):
            continue
        is_shared = (row, column) in spans and _is_shared(spans, row, left)
        if is_shared:
            parts += [_joined(own)] if own else []
            own = []
            text = text.rstrip(" :") or text
            if text not in parts:
                parts.append(text)
                ends_shared = place
        else:
            own.append(text)
            ends_shared = 0
    if own:
        parts.append(_joined(own))
    elif ends_shared and parts:
        parts.append(str(ends_shared + 1))  # a column of a group that has no name of its own
    return " / ".join(parts)


def _is_shared(spans: dict[tuple[int, int], tuple[int, int]], row: int, left: int) -> bool:
    return spans.get((row, left + 1), (None, 0))[0] == left


def _joined(words: list[str]) -> str:
    """Lines of one label; `S`, `T`, `T` below each other are STT."""
    return ("" if all(len(word) == 1 for word in words) else " ").join(words)
