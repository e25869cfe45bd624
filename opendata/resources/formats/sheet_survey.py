"""One look at all cells of a sheet: which are filled with what kind of value, row by row.

`spreadsheet` makes it once a sheet. It keeps a small number for each row (rows of the same shape share one),
the cells of the rows where headers and footers may stand, and a sample of the texts for the question of their
encoding; everything about structure is decided from that, without going through the cells again.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final

from opendata.kernel.text import nfc
from opendata.resources.formats.encoding_evidence import MOST_TEXTS, EncodingEvidence
from opendata.resources.formats.headers import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    import python_calamine as calamine

HEADER_WITHIN: Final = 60
_MERGED_CELLS: Final = 100_000
_AFTER_BLANK: Final = 40
_MOST_BLOCKS: Final = 100
_LAST_ROWS: Final = 100
_MOST_MERGES: Final = 20_000
_EXACT_INTEGERS: Final = 2**53
# What a cell holds, by its type; text is looked at, for a cell of spaces is blank.
_KINDS: Final[dict[type, str]] = {
    bool: "boolean",
    int: "number",
    float: "number",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.time: "text",
    dt.timedelta: "text",
}
_WORDS: Final = "text"


class SheetSurvey:
    """`shapes[numbers[row]]` is the kind of each cell of a row, "" for blank; rows count from 0.

    The first rows are kept as far as a header may reach below `header_row`.
    """

    def __init__(self, sheet: calamine.CalamineSheet, header_row: int = 0) -> None:
        self.numbers: list[int] = []
        self.shapes: list[tuple[str, ...]] = []
        self.block_starts: list[int] = []
        self.evidence = EncodingEvidence()
        self.cells: dict[int, list[Any]] = {}
        self.merges = _merges(sheet)
        self._look(sheet, header_row + HEADER_WITHIN)
        self.width = max((len(shape) for shape in self.shapes), default=0)

    def __len__(self) -> int:
        return len(self.numbers)

    def shape(self, row: int) -> tuple[str, ...]:
        return self.shapes[self.numbers[row]]

    def is_blank(self, row: int) -> bool:
        return not any(self.shape(row))

    def kinds(self, first: int, last: int) -> list[set[str]]:
        """The kinds of value in each column of the rows from `first` to `last`, both included."""
        seen: list[set[str]] = [set() for _ in range(self.width)]
        for number in set(self.numbers[first : last + 1]):
            for column, kind in enumerate(self.shapes[number]):
                if kind:
                    seen[column].add(kind)
        return seen

    def usual_cells(self, first: int, last: int, left: int, right: int) -> int:
        """How many cells half of the rows have at least, blank rows aside."""
        counts: Counter[int] = Counter()
        for number, times in Counter(self.numbers[first : last + 1]).items():
            shape = self.shapes[number][left : right + 1]
            counts[len(shape) - shape.count("")] += times
        del counts[0]
        rest = counts.total() // 2
        for cells in sorted(counts):
            rest -= counts[cells]
            if rest < 0:
                return cells
        return 0

    def texts(self, row: int) -> list[str]:
        """The cells of a row that was kept, as text in the right encoding; others are given as blank."""
        return [self.evidence.read(text_of(cell)) for cell in self.cells.get(row, ())]

    def grid(self, first: int, last: int, left: int = 0, right: int | None = None) -> Grid:
        """The rows from `first` to `last` that were kept, blank but for the columns from `left` to `right`."""
        end = self.width if right is None else right + 1
        rows, marks = [], []
        for row in range(first, last + 1):
            if row not in self.cells:
                break
            texts = self.texts(row)[:end]
            rows.append(["" if column < left else text for column, text in enumerate(texts)])
            marks.append(
                "".join(_mark(kind, column, left) for column, kind in enumerate(self.shape(row)[:end]))
            )
        if self.merges is None:
            return Grid(rows, marks)
        merges = [
            (top - first, start, bottom - first, stop)
            for top, start, bottom, stop in self.merges
            if first <= top < first + len(rows) and left <= start < end
        ]
        return Grid(rows, marks, merges)

    def last_rows(self, first: int, last: int, left: int = 0, right: int | None = None) -> tuple[Grid, int]:
        """The rows that were kept at the end of a range, and the first of them."""
        row = last
        while row > first and row - 1 in self.cells and last - row < _LAST_ROWS:
            row -= 1
        return self.grid(row, last, left, right), row

    def _look(self, sheet: calamine.CalamineSheet, keep_to: int) -> None:
        known: dict[tuple[str, ...], int] = {}
        samples: dict[str, None] = {}
        latest: deque[tuple[int, list[Any]]] = deque(maxlen=_LAST_ROWS)
        is_after_blank = False
        for row, cells in enumerate(sheet.iter_rows()):
            shape = tuple(
                [
                    (_WORDS if cell and not cell.isspace() else "")
                    if type(cell) is str
                    else _KINDS[type(cell)]
                    for cell in cells
                ]
            )
            number = known.get(shape)
            if number is None:
                number = known[shape] = len(self.shapes)
                self.shapes.append(shape)
            self.numbers.append(number)
            is_blank = not any(shape)
            if is_after_blank and not is_blank and len(self.block_starts) < _MOST_BLOCKS:
                self.block_starts.append(row)
                keep_to = max(keep_to, row + _AFTER_BLANK)
            is_after_blank = is_blank
            if row < keep_to:
                self.cells[row] = cells
            latest.append((row, cells))
            if len(samples) < MOST_TEXTS:
                samples.update((cell, None) for cell in cells if type(cell) is str and not cell.isascii())
        self.cells.update(latest)
        self.evidence.add(nfc(text) for text in samples)
        while self.numbers and self.is_blank(len(self.numbers) - 1):
            self.numbers.pop()


def _mark(kind: str, column: int, left: int) -> str:
    if not kind or column < left:
        return " "
    return "w" if kind == _WORDS else "v"


def _merges(sheet: calamine.CalamineSheet) -> Sequence[tuple[int, int, int, int]] | None:
    ranges = sheet.merged_cell_ranges
    if ranges is None:
        return None
    merges: list[tuple[int, int, int, int]] = []
    columns = 0
    for (top, left), (bottom, right) in ranges[:_MOST_MERGES]:
        columns += right - left
        if columns > _MERGED_CELLS:  # more than any sheet merges that somebody reads
            break
        merges.append((top, left, bottom, right))
    return merges


def text_of(cell: Any) -> str:
    """The cell written out without loss; a cell of spaces is blank."""
    if isinstance(cell, str):
        return "" if cell.isspace() else nfc(cell)
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
