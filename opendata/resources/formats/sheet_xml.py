"""The cells of a block of sheet XML, found on whole columns of bytes: where each stands, its type, where its value lies.

Called by `quick_sheet` with whole rows. Takes only what is certainly regular: elements that follow each other as
programs write them, references in each, rows and columns ascending. Whatever else there is (comments, CDATA,
prefixes, rich text, white space between elements) raises IrregularSheetError, and the library reads the sheet
instead. What may follow an element depends on that element alone, so that looking at neighbours is the whole proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

# What a cell holds, as far as its tags say; PRESERVED is INLINE whose white space at the ends is meant.
EMPTY, NUMBER, SHARED, STRING, INLINE, BOOLEAN, ERROR, PRESERVED = range(8)
TEXTS: Final = (STRING, INLINE, PRESERVED)
_TYPES: Final = {b"n": NUMBER, b"s": SHARED, b"str": STRING, b"inlineStr": INLINE, b"b": BOOLEAN, b"e": ERROR}
_ROW_ENDS: Final = b"</row>"
_PIECE: Final = 1 << 18
PADDING: Final = bytes(16)  # so that eight bytes can be read at once wherever a tag begins
MOST_COLUMNS: Final = 16_384
_MOST_ROWS: Final = 1_048_576
_LESS, _MORE, _SLASH, _QUOTE = b'<>/"'
_LESS_OR_MORE: Final = np.uint8(0xFF ^ _LESS ^ _MORE)  # `<` and `>` differ in one bit
_A, _ZERO = b"A0"
_LETTERS: Final = 26
_DIGITS: Final = 10
_MOST_DIGITS: Final = 7
_MOST_TAILS: Final = 4096
_BYTE: Final = np.uint64(255)
_PRESERVED_TAG: Final = len(b'<t xml:space="preserve">') - 1

(
    _ROW,
    _ROW_EMPTY,
    _ROW_END,
    _CELL,
    _CELL_EMPTY,
    _CELL_END,
    _VALUE,
    _VALUE_EMPTY,
    _VALUE_END,
    _FORMULA,
    _FORMULA_EMPTY,
    _FORMULA_END,
    _IN,
    _IN_END,
    _TEXT,
    _TEXT_PRESERVED,
    _TEXT_END,
    _OTHER,
) = _CODES = range(18)
# How the tag of an element begins: two bytes after `<` tell which one it may be, the rest has to agree.
_HEADS: Final = {
    _ROW: b'<row r="',
    _ROW_END: b"</row>",
    _CELL: b'<c r="',
    _CELL_END: b"</c>",
    _VALUE: b"<v>",
    _VALUE_EMPTY: b"<v",
    _VALUE_END: b"</v>",
    _FORMULA: b"<f",
    _FORMULA_END: b"</f>",
    _IN: b"<is>",
    _IN_END: b"</is>",
    _TEXT: b"<t>",
    _TEXT_PRESERVED: b"<t xml:s",
    _TEXT_END: b"</t>",
}
# What may follow where one byte is the whole name.
_SECOND_BYTES: Final = {_VALUE_EMPTY: b"/ ", _FORMULA: b"/ >"}
_EMPTY_OF: Final = {
    _ROW: _ROW_EMPTY,
    _CELL: _CELL_EMPTY,
    _VALUE_EMPTY: _VALUE_EMPTY,
    _FORMULA: _FORMULA_EMPTY,
}
_AFTER_CELL: Final = (_CELL, _CELL_EMPTY, _ROW_END)
_AFTER_FORMULA: Final = (_VALUE, _VALUE_EMPTY, _CELL_END)
_FOLLOWED_BY: Final = {
    _ROW: _AFTER_CELL,
    _ROW_EMPTY: (_ROW, _ROW_EMPTY),
    _ROW_END: (_ROW, _ROW_EMPTY),
    _CELL: (_VALUE, _VALUE_EMPTY, _FORMULA, _FORMULA_EMPTY, _IN, _CELL_END),
    _CELL_EMPTY: _AFTER_CELL,
    _CELL_END: _AFTER_CELL,
    _VALUE: (_VALUE_END,),
    _VALUE_EMPTY: (_CELL_END,),
    _VALUE_END: (_CELL_END,),
    _FORMULA: (_FORMULA_END,),
    _FORMULA_EMPTY: _AFTER_FORMULA,
    _FORMULA_END: _AFTER_FORMULA,
    _IN: (_TEXT, _TEXT_PRESERVED),
    _IN_END: (_CELL_END,),
    _TEXT: (_TEXT_END,),
    _TEXT_PRESERVED: (_TEXT_END,),
    _TEXT_END: (_IN_END,),
}
# How many tags after that of a cell the one of its value comes, by the tag that follows the cell.
_STEPS: Final = {_VALUE: 1, _VALUE_EMPTY: 1, _CELL_END: 1, _IN: 2, _FORMULA_EMPTY: 2, _FORMULA: 3}
_TAIL: Final = re.compile(
    rb'(?: (?:s="(?P<s>[0-9]{1,6})"|t="(?P<t>[A-Za-z]{1,9})"|(?:cm|vm|ph)="[0-9]{1,6}")){0,5} ?'
)


class IrregularSheetError(Exception):
    """Something in the sheet is not as programs write it, or not certain to be read in the same way."""


@dataclass(frozen=True, slots=True)
class XmlCells:
    """The cells of a block that hold a value, in the order of the file; rows and columns count from 0.

    `types` are of the constants above (never EMPTY), `tails` the place of each cell's style in `styles`, of which
    there are few. `last_row` is that of the last row element.
    """

    rows: NDArray[Any]
    columns: NDArray[Any]
    types: NDArray[Any]
    tails: NDArray[Any]
    styles: list[int]
    last_row: int
    _between: pa.Array

    def values(self, chosen: NDArray[Any]) -> pa.Array:
        """The bytes of the values of the chosen cells, in that order."""
        return self._between.take(pa.array(2 * chosen))


def _word(text: bytes) -> int:
    return int.from_bytes(text, "little")


def _tables() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The code by two bytes after `<`; by code, which bits of the first eight bytes to look at, and their value."""
    by_bytes = np.full(1 << 16, _OTHER, np.uint8)
    masks = np.zeros(len(_CODES), np.uint64)
    heads = np.ones(len(_CODES), np.uint64)  # what no masked word equals
    for code, head in _HEADS.items():
        masks[code], heads[code] = (1 << 8 * len(head)) - 1, _word(head)
        for second in _SECOND_BYTES.get(code, head[2:3]):
            by_bytes[head[1] | second << 8] = code
    return by_bytes, masks, heads


def _may_follow() -> NDArray[Any]:
    allowed = np.zeros((32, 32), bool)
    for code, following in _FOLLOWED_BY.items():
        allowed[code, following] = True
    return allowed.ravel()


def _columns_by_letters() -> tuple[NDArray[Any], NDArray[Any]]:
    """By the first two bytes of a reference: the column they name, and how many of them are letters."""
    second, first = np.divmod(np.arange(1 << 16), 256)
    is_first, is_second = ((byte >= _A) & (byte < _A + _LETTERS) for byte in (first, second))
    columns = np.where(is_second, (first - _A + 1) * _LETTERS + second - _A, first - _A)
    return columns, np.where(is_first, 1 + is_second, 0)


def _by_code(values: dict[int, int], default: int) -> NDArray[Any]:
    table = np.full(len(_CODES), default, np.uint8)
    for code, value in values.items():
        table[code] = value
    return table


_BY_BYTES, _MASKS, _WORDS = _tables()
_COLUMNS, _LETTERS_OF = _columns_by_letters()
_ALLOWED: Final = _may_follow()
_EMPTIED: Final = _by_code(_EMPTY_OF, _OTHER)
_STEP: Final = _by_code(_STEPS, 0)
_IS_TEXT: Final = np.isin(np.arange(8), TEXTS)
_HOLDS_TEXT: Final = np.isin(np.array(_CODES), (_VALUE, _FORMULA, _TEXT, _TEXT_PRESERVED))


def _must(condition: Any) -> None:
    if not condition:
        raise IrregularSheetError


class _Tags:
    """Every tag of whole rows within a block: where it starts (`less`) and ends (`more`), and which one it is."""

    def __init__(self, block: bytes, start: int, end: int) -> None:
        self.data = np.frombuffer(block, np.uint8)[start:end]
        self.words = words_of(block)[start:]
        marks = np.flatnonzero((self.data & _LESS_OR_MORE) == _LESS)
        _must(len(marks) > 0 and len(marks) % 2 == 0)
        # One after the other: that each `<` is one is seen by the heads below.
        self.less, self.more = marks[0::2].copy(), marks[1::2].copy()
        less, more = self.less, self.more
        _must((self.data.take(more) == _MORE).all())
        _must(less[0] == 0 and more[-1] == end - start - 1)
        heads = self.words[less]
        codes = _BY_BYTES.take(((heads >> np.uint64(8)) & np.uint64(0xFFFF)).view(np.int64))
        _must(((heads & _MASKS.take(codes)) == _WORDS.take(codes)).all())
        is_empty = self.data.take(more - 1) == _SLASH
        _must(is_empty[codes == _VALUE_EMPTY].all())
        self.codes = np.where(is_empty, _EMPTIED.take(codes), codes) if is_empty.any() else codes
        self._check_order()

    def _check_order(self) -> None:
        codes = self.codes
        _must(_ALLOWED.take(codes[:-1] * np.int64(32) + codes[1:]).all())
        _must(codes[0] in (_ROW, _ROW_EMPTY) and codes[-1] in (_ROW_END, _ROW_EMPTY))
        is_next = self.less[1:] - self.more[:-1] == 1
        _must((is_next | _HOLDS_TEXT.take(codes[:-1])).all())
        preserved = codes == _TEXT_PRESERVED
        if preserved.any():
            _must((self.more[preserved] - self.less[preserved] == _PRESERVED_TAG).all())


@dataclass(frozen=True, slots=True)
class _Located:
    """The cells of some rows that are not empty elements: where they stand, and in the block their attributes and values.

    `held` is the tag of the value, of any other kind where there is none.
    """

    rows: NDArray[Any]
    columns: NDArray[Any]
    tail_starts: NDArray[Any]
    tail_ends: NDArray[Any]
    starts: NDArray[Any]
    ends: NDArray[Any]
    held: NDArray[Any]


def cells_of(block: bytes, above: int) -> XmlCells:
    """The cells of whole rows, PADDING after them; `above` is the last row before them, -1 where there is none."""
    parts = []
    for start, end in _pieces(block):
        part, above = _located(_Tags(block, start, end), start, above)
        parts.append(part)
    cells = _joined(parts)
    tails, kinds, styles = _attributes(block, cells.tail_starts, cells.tail_ends)
    types = kinds.take(tails)
    is_preserved = cells.held == _TEXT_PRESERVED
    is_inline = is_preserved | (cells.held == _TEXT)
    has_value = is_inline | (cells.held == _VALUE) | (cells.held == _VALUE_EMPTY)
    _must(((types == INLINE) == is_inline)[has_value].all())
    types[is_preserved] = PRESERVED
    is_stated = has_value & ((cells.ends > cells.starts) | _IS_TEXT.take(types))
    rows, columns, starts, ends = cells.rows, cells.columns, cells.starts, cells.ends
    if not is_stated.all():
        rows, columns, types, tails, starts, ends = (
            each[is_stated] for each in (rows, columns, types, tails, starts, ends)
        )
    return XmlCells(rows, columns, types, tails, styles, above, between(block, starts, ends))


def _pieces(block: bytes) -> Iterator[tuple[int, int]]:
    """Whole rows of some ten thousand bytes at a time, all of whose tags are held by the caches next to the processor."""
    start, end = 0, len(block) - len(PADDING)
    while start < end:
        cut = block.rfind(_ROW_ENDS, start, start + _PIECE) if end - start > _PIECE else -1
        if cut < 0 and end - start > _PIECE:
            cut = block.find(_ROW_ENDS, start + _PIECE - len(_ROW_ENDS))
        following = end if cut < 0 else cut + len(_ROW_ENDS)
        yield start, following
        start = following


def _joined(parts: Sequence[_Located]) -> _Located:
    if len(parts) == 1:
        return parts[0]
    return _Located(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Located.__slots__))


def _located(tags: _Tags, offset: int, above: int) -> tuple[_Located, int]:
    """The cells among these tags, that begin at `offset` in the block; the last row, `above` is that before."""
    row_tags = np.flatnonzero(tags.codes <= _ROW_EMPTY)
    rows, digits, marks = _rows(tags, row_tags, above)
    cell_tags = np.flatnonzero((tags.codes == _CELL) | (tags.codes == _CELL_EMPTY))
    counts = np.diff(np.searchsorted(cell_tags, np.append(row_tags, len(tags.codes))))
    of_row = np.repeat(rows, counts)
    columns, places = _columns(tags, cell_tags, np.repeat(marks, counts), np.repeat(digits, counts))
    _must((np.diff(of_row * MOST_COLUMNS + columns) > 0).all())
    is_full = tags.codes.take(cell_tags) == _CELL
    if not is_full.all():
        cell_tags, of_row, columns, places = (each[is_full] for each in (cell_tags, of_row, columns, places))
    values = cell_tags + _STEP.take(tags.codes.take(cell_tags + 1))
    found = _Located(
        rows=of_row,
        columns=columns,
        tail_starts=(places + offset).astype(np.int32),
        tail_ends=(tags.more.take(cell_tags) + offset).astype(np.int32),
        starts=(tags.more.take(values) + (offset + 1)).astype(np.int32),
        ends=(tags.less.take(values + 1) + offset).astype(np.int32),
        held=tags.codes.take(values),
    )
    return found, int(rows[-1])


def _rows(tags: _Tags, row_tags: NDArray[Any], above: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The number of each row, how many digits it has, and these with the quote after them as one word."""
    words = tags.words[tags.less[row_tags] + len(_HEADS[_ROW])]
    numbers = np.zeros(len(words), np.int64)
    digits = np.zeros(len(words), np.uint64)
    is_open = np.ones(len(words), bool)
    for place in range(_MOST_DIGITS):
        byte = ((words >> np.uint64(8 * place)) & _BYTE).astype(np.int64) - _ZERO
        is_open &= (byte >= 0) & (byte < _DIGITS)
        numbers = np.where(is_open, numbers * 10 + byte, numbers)
        digits += is_open
    marks = words & _first_bytes(digits + np.uint64(1))
    _must((digits > 0).all() and ((marks >> (digits * np.uint64(8))) == _QUOTE).all())
    _must(((words & _BYTE) != _ZERO).all() and numbers[-1] <= _MOST_ROWS)
    rows = numbers - 1
    _must(rows[0] > above and (np.diff(rows) > 0).all())
    return rows, digits, marks


def _first_bytes(count: NDArray[Any]) -> NDArray[Any]:
    """A mask of that many bytes, eight at most."""
    return ~np.uint64(0) >> ((np.uint64(8) - count) * np.uint64(8))


def _columns(
    tags: _Tags, cell_tags: NDArray[Any], marks: NDArray[Any], digits: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The column that each reference names, and where its other attributes begin; the row has to be its own."""
    places = tags.less.take(cell_tags) + len(_HEADS[_CELL])
    words = tags.words[places]
    letters = (words & np.uint64(0xFFFF)).view(np.int64)
    columns, lengths = _COLUMNS.take(letters), _LETTERS_OF.take(letters)
    third = ((words >> np.uint64(16)) & _BYTE).astype(np.int64) - _A
    has_third = (lengths == 2) & (third >= 0) & (third < _LETTERS)  # noqa: PLR2004 - both are letters
    if has_third.any():
        columns = np.where(has_third, (columns + 1) * _LETTERS + third, columns)
        lengths = lengths + has_third
    _must(lengths.all() and not (columns >= MOST_COLUMNS).any())
    places += lengths
    _must(((tags.words[places] & _first_bytes(digits + np.uint64(1))) == marks).all())
    return columns, places + digits.view(np.int64) + 1


def _attributes(
    block: bytes, starts: NDArray[Any], ends: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], list[int]]:
    """The different texts that say type and style, of which there are few: whose each cell is, what they say."""
    texts = between(block, starts, ends).take(pa.array(np.arange(0, 2 * len(starts), 2))).dictionary_encode()
    known: list[bytes] = texts.dictionary.to_pylist()
    _must(len(known) <= _MOST_TAILS)
    types = np.zeros(len(known) + 1, np.uint8)
    styles = []
    for place, text in enumerate(known):
        found = _TAIL.fullmatch(text)
        kind = _TYPES.get(found["t"] or b"n") if found else None
        if not found or not kind or text.count(b" s=") > 1 or text.count(b" t=") > 1:
            raise IrregularSheetError
        types[place] = kind
        styles.append(int(found["s"] or 0))
    return texts.indices.to_numpy(zero_copy_only=False), types, styles


def words_of(block: bytes) -> NDArray[Any]:
    """Eight bytes from every position on, as numbers; nothing is copied."""
    return np.ndarray((len(block) - 7,), "<u8", buffer=block, strides=(1,))


def between(block: bytes, starts: NDArray[Any], ends: NDArray[Any]) -> pa.Array:
    """The block cut at all these bounds, so that every second piece is one of those in question; nothing is copied."""
    bounds = np.empty(2 * len(starts) + 1, np.int32)
    bounds[0:-1:2], bounds[1::2] = starts, ends
    bounds[-1] = bounds[-2] if len(starts) else 0
    return pa.Array.from_buffers(
        pa.binary(), 2 * len(starts), [None, pa.py_buffer(bounds), pa.py_buffer(block)]
    )
