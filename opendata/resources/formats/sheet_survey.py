"""One look at all cells of a sheet: which are filled with what kind of value, row by row.

`spreadsheet` makes it once a sheet. It keeps a small number for each row (rows of the same shape share one),
the cells of the rows where headers and footers may stand, and a sample of the texts for the question of their
encoding; everything about structure is decided from that, without going through the cells again.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.formats.encoding_evidence import MOST_TEXTS, EncodingEvidence
from opendata.resources.formats.headers import Grid
from opendata.resources.formats.sheet_cells import KINDS, TEXT, text_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.resources.formats.sheet_cells import CellBlock, SheetCells

HEADER_WITHIN: Final = 60
_AFTER_BLANK: Final = 40
_MOST_BLOCKS: Final = 100
_LAST_ROWS: Final = 100
_ASCII: Final = 128


class SheetSurvey:
    """`shapes[numbers[row]]` is the kind of each cell of a row, "" for blank; rows count from 0.

    The first rows are kept as far as a header may reach below `header_row`.
    """

    def __init__(self, sheet: SheetCells, header_row: int = 0) -> None:
        self.width = sheet.width
        self.merges = sheet.merges
        self.shapes: list[tuple[str, ...]] = []
        self.numbers = self._numbers(sheet)
        blank = np.array([not any(shape) for shape in self.shapes], bool)[self.numbers]
        self.block_starts = (np.flatnonzero(blank[:-1] & ~blank[1:]) + 1)[:_MOST_BLOCKS].tolist()
        self.cells = dict(self._kept(sheet, header_row + HEADER_WITHIN))
        filled = np.flatnonzero(~blank)
        self.numbers = self.numbers[: filled[-1] + 1 if len(filled) else 0]
        self.evidence = EncodingEvidence()
        self.evidence.add(_sample(sheet))

    def __len__(self) -> int:
        return len(self.numbers)

    def shape(self, row: int) -> tuple[str, ...]:
        return self.shapes[int(self.numbers[row])]

    def is_blank(self, row: int) -> bool:
        return not any(self.shape(row))

    def kinds(self, first: int, last: int) -> list[set[str]]:
        """The kinds of value in each column of the rows from `first` to `last`, both included."""
        seen: list[set[str]] = [set() for _ in range(self.width)]
        for number, times in enumerate(np.bincount(self.numbers[first : last + 1]).tolist()):
            for column, kind in enumerate(self.shapes[number] if times else ()):
                if kind:
                    seen[column].add(kind)
        return seen

    def usual_cells(self, first: int, last: int, left: int, right: int) -> int:
        """How many cells half of the rows have at least, blank rows aside."""
        counts: Counter[int] = Counter()
        for number, times in enumerate(np.bincount(self.numbers[first : last + 1]).tolist()):
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
        return [self.evidence.read(cell) for cell in self.cells.get(row, ())]

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

    def _numbers(self, sheet: SheetCells) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        """The number of each row's shape; rows in a run mostly have the same, so only its first is looked at."""
        known: dict[bytes, int] = {}
        numbers = np.empty(len(sheet), np.int32)
        for block in sheet.blocks:
            changed = np.flatnonzero((block.kinds[1:] != block.kinds[:-1]).any(axis=1)) + 1
            starts = [0, *changed.tolist()]
            for start, end in zip(starts, [*starts[1:], len(block)], strict=True):
                key = block.kinds[start].tobytes()
                number = known.get(key)
                if number is None:
                    number = known[key] = len(self.shapes)
                    self.shapes.append(tuple(KINDS[code] for code in key))
                numbers[block.first + start : block.first + end] = number
        return numbers

    def _kept(self, sheet: SheetCells, keep_to: int) -> Iterator[tuple[int, list[str]]]:
        """The first rows, those after a blank one, and the last."""
        kept = np.zeros(
            len(sheet) + 2, bool
        )  # with a row before and after, so that every run begins and ends
        for first, end in [(0, keep_to), *((row, row + _AFTER_BLANK) for row in self.block_starts)]:
            kept[first + 1 : min(end, len(sheet)) + 1] = True
        kept[max(1, len(sheet) - _LAST_ROWS + 1) : -1] = True
        edges = np.flatnonzero(kept[1:] != kept[:-1]).tolist()
        for first, end in zip(edges[::2], edges[1::2], strict=True):
            yield from sheet.texts(first, end - 1)


def _mark(kind: str, column: int, left: int) -> str:
    if not kind or column < left:
        return " "
    return "w" if kind == KINDS[TEXT] else "v"


def _sample(sheet: SheetCells) -> Iterator[str]:
    """Texts with letters beyond ASCII, each once or a few times, in the order of the sheet."""
    seen: set[str] = set()
    for block in sheet.blocks:
        if len(seen) >= MOST_TEXTS:
            return
        found = [place for column in range(len(block.columns)) for place in _places(block, column)]
        for _, _, text in sorted(found):
            seen.add(text)
            yield text


def _places(block: CellBlock, column: int) -> Iterator[tuple[int, int, str]]:
    """Row, column and text of the first cell of each text that is not ASCII."""
    texts = block.columns[column]
    whole = text_bytes(texts)
    if not len(whole) or whole.max() < _ASCII:
        return
    coded = texts.dictionary_encode()
    beyond = np.flatnonzero(~pc.string_is_ascii(coded.dictionary).to_numpy(zero_copy_only=False))
    if len(beyond):
        codes = coded.indices.fill_null(-1).to_numpy()
        known, first = np.unique(codes, return_index=True)
        rows = first[np.searchsorted(known, beyond)].tolist()
        words = coded.dictionary.take(pa.array(beyond)).to_pylist()
        yield from ((row, column, text) for row, text in zip(rows[:MOST_TEXTS], words, strict=False))
