"""A sheet by columns: the text of every cell and what kind of value it is, in blocks of rows.

Both ways of reading a workbook (`library_cells`, `quick_sheet`) make it, once a sheet; the survey, the header and
the rows themselves are then taken from it. Texts are NFC and null where a cell is blank: never filled, filled with
spaces, or an error such as `#N/A`. A number is written as the shortest decimal that is the same double, a date as
ISO 8601.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.kernel.text import nfc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Merge = tuple[int, int, int, int]

BLANK, TEXT, NUMBER, BOOLEAN, DATE, DATETIME = range(6)
KINDS: Final = ("", "text", "number", "boolean", "date", "datetime")
MIDNIGHT: Final = "T00:00:00"
_EXACT_INTEGERS: Final = 2**53
_SMALLEST_PLAIN: Final = 1e-4
_LARGEST_PLAIN: Final = 1e9
_VISIBLE: Final = "[!-~]"
_SPACE, _DELETE = b" \x7f"


@dataclass(slots=True)
class CellBlock:
    """Rows from `first` on: `kinds` has a code (index of KINDS) for each row and column, `columns` their texts."""

    first: int
    kinds: NDArray[Any]
    columns: list[pa.Array]

    def __len__(self) -> int:
        return len(self.kinds)


@dataclass(slots=True)
class SheetCells:
    """All rows of a sheet from its first one, in blocks that follow each other; columns begin at the first filled.

    `merges` are ranges of merged cells (first row, first column, last row, last column); None where the format
    does not tell.
    """

    width: int
    blocks: list[CellBlock]
    merges: Sequence[Merge] | None

    def __len__(self) -> int:
        return self.blocks[-1].first + len(self.blocks[-1]) if self.blocks else 0

    def parts(self, first: int, last: int) -> Iterator[CellBlock]:
        """The rows from `first` to `last`, both included, block by block."""
        for block in self.blocks:
            start, end = max(first - block.first, 0), min(last + 1 - block.first, len(block))
            if start < end:
                columns = [column.slice(start, end - start) for column in block.columns]
                yield CellBlock(block.first + start, block.kinds[start:end], columns)

    def texts(self, first: int, last: int) -> Iterator[tuple[int, list[str]]]:
        """These rows with their numbers, one by one, blank cells as empty texts."""
        for part in self.parts(first, last):
            columns = [column.to_pylist() for column in part.columns]
            for place, cells in enumerate(zip(*columns, strict=True), start=part.first):
                yield place, [cell or "" for cell in cells]


def cleaned(texts: pa.Array) -> pa.Array:
    """Texts as cells hold them: NFC, null for those that are empty or all white space."""
    if len(texts) == 0:
        return texts
    spaced = _may_be_blank(texts)
    if spaced is not None:
        blank = [text for text in pc.unique(texts.filter(spaced)).to_pylist() if not text or text.isspace()]
        if blank:
            is_blank = pc.is_in(texts, value_set=pa.array(blank, pa.string()))
            texts = pc.if_else(is_blank, pa.scalar(None, pa.string()), texts)
    if _is_nfc(texts):
        return texts
    coded = texts.dictionary_encode()
    normal = pa.array([nfc(text) for text in coded.dictionary.to_pylist()], pa.string())
    return normal.take(coded.indices)


def _may_be_blank(texts: pa.Array) -> pa.Array | None:
    """Which texts hold no visible character of ASCII; None where all do. Most begin with one."""
    data, bounds = text_bytes(texts), text_bounds(texts)
    if not len(data):
        return pa.array(np.ones(len(texts), bool))
    first = data.take(bounds[:-1], mode="clip")
    may_be = (bounds[1:] == bounds[:-1]) | (first <= _SPACE) | (first >= _DELETE)
    if may_be.any():
        is_visible = pc.match_substring_regex(texts.filter(pa.array(may_be)), _VISIBLE)
        may_be[may_be] = ~is_visible.to_numpy(zero_copy_only=False)
    return pa.array(may_be) if may_be.any() else None


def _is_nfc(texts: pa.Array) -> bool:
    """Whether all are NFC for certain. A part of a text in NFC is in NFC, so they are looked at as one."""
    whole = text_bytes(texts)
    if not len(whole) or whole.max() < 128:  # noqa: PLR2004 - ASCII
        return True
    return unicodedata.is_normalized("NFC", whole.tobytes().decode())


def text_bytes(texts: pa.Array) -> NDArray[Any]:
    """The bytes of all texts of an array, one after the other."""
    _, bounds, data = texts.buffers()
    if data is None or bounds is None or not len(texts):
        return np.empty(0, np.uint8)
    ends = np.frombuffer(bounds, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]


def text_bounds(texts: pa.Array) -> NDArray[Any]:
    """Where each text begins in `text_bytes`, and where the last one ends."""
    bounds = texts.buffers()[1]
    if bounds is None:
        return np.zeros(1, np.int32)
    ends = np.frombuffer(bounds, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return ends - ends[:1]


def written(cell: Any) -> str:
    """A cell as the library gives it, written out without loss; a cell of spaces is blank."""
    if isinstance(cell, str):
        return "" if cell.isspace() else nfc(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT_INTEGERS else repr(cell)
    if isinstance(cell, dt.timedelta):
        return _duration(cell)
    return cell.isoformat() if isinstance(cell, dt.date | dt.datetime | dt.time) else str(cell)


# What a cell holds, by its type; text is looked at, for a cell of spaces is blank.
_KIND_OF: Final[dict[type, int]] = {
    str: TEXT,
    bool: BOOLEAN,
    int: NUMBER,
    float: NUMBER,
    dt.datetime: DATETIME,
    dt.date: DATE,
    dt.time: TEXT,
    dt.timedelta: TEXT,
}


def kind_of(cell: Any) -> int:
    """The kind of a cell as the library gives it."""
    if type(cell) is str:
        return TEXT if cell and not cell.isspace() else BLANK
    return _KIND_OF[type(cell)]


def _duration(cell: dt.timedelta) -> str:
    """Hours, minutes and seconds as spreadsheets show them, hours beyond a day included: 30:05:00."""
    sign = "-" if cell < dt.timedelta() else ""
    seconds = abs(cell) // dt.timedelta(seconds=1)
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def of_numbers(values: NDArray[Any]) -> pa.Array:
    """Doubles as text, as `written` does it: whole ones without a point, others by their shortest digits."""
    whole = (values == np.floor(values)) & (np.abs(values) < _EXACT_INTEGERS)
    integers = pc.cast(pa.array(np.where(whole, values, 0).astype(np.int64)), pa.string())
    if whole.all():
        return integers
    texts = pc.cast(pa.array(values), pa.string())
    # Both write the shortest digits; where an exponent begins differs.
    odd = ~whole & ((np.abs(values) < _SMALLEST_PLAIN) | (np.abs(values) >= _LARGEST_PLAIN))
    texts = pc.if_else(pa.array(whole), integers, texts)
    if odd.any():
        exact = pa.array([repr(value) for value in values[odd].tolist()], pa.string())
        texts = pc.replace_with_mask(texts, pa.array(odd), exact)
    return texts
