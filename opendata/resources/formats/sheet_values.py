"""What the cells of a block of sheet XML hold, column by column: texts and kinds.

Called by `quick_sheet`. Numbers, plain texts, booleans and errors are read here; whatever has rules of its own
(dates, shared strings, texts with entities) is asked of the library, each different one once.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.formats import sheet_xml
from opendata.resources.formats.library_cells import column_of
from opendata.resources.formats.shared_strings import SPECIAL, SPECIAL_OR_TRIMMED, TRIMMED
from opendata.resources.formats.sheet_cells import (
    BLANK,
    BOOLEAN,
    NUMBER,
    TEXT,
    CellBlock,
    cleaned,
    of_numbers,
    text_bounds,
    text_bytes,
)
from opendata.resources.formats.sheet_xml import IrregularSheetError, XmlCells

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from opendata.resources.formats.library_answers import LibraryAnswers

    Held = tuple[NDArray[Any], pa.Array]

# Numbers whose cell format makes them dates, beside the types of sheet_xml: one type for each such format.
_DATED: Final = 8
_MOST_DATED: Final = 128  # offices use a handful
_MOST_KNOWN: Final = 1 << 16
_ERRORS: Final = (b"#DIV/0!", b"#N/A", b"#NAME?", b"#NULL!", b"#NUM!", b"#REF!", b"#VALUE!")
_PLAIN_NUMBER: Final = (
    r"^(0|-?[1-9][0-9]{0,14}|-?0\.0{0,3}([1-9][0-9]{0,13})?[1-9]|-?[1-9][0-9]{0,7}\.[0-9]{0,6}[1-9])$"
)
# What of that form is seen without taking each number apart.
_MOST_DIGITS: Final = 15
_MOST_WHOLE, _MOST_DECIMALS, _FEW_DECIMALS = 8, 7, 4
_ZERO, _POINT = b"0."
_DIGITS: Final = 10
_IN_NUMBERS: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789.-+eE", np.uint8))
_IN_DIGITS: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789", np.uint8))
# Bytes without which no text is SPECIAL, and those without which none begins or ends with white space:
# ASCII up to the space, and what the UTF-8 of other spaces begins and ends with.
_SPECIAL_BYTES: Final = (b"&", b"\r", b"_x", b"_X")
_MAY_BE_TRIMMED_FIRST: Final = np.isin(np.arange(256), (*range(33), 0xC2, 0xE1, 0xE2, 0xE3))
_MAY_BE_TRIMMED_LAST: Final = np.isin(np.arange(256), (*range(33), *range(0x80, 0xB0)))
_FRAMES: Final = {
    sheet_xml.STRING: b' t="str"><v>%b</v>',
    sheet_xml.INLINE: b' t="inlineStr"><is><t>%b</t></is>',
    sheet_xml.PRESERVED: b' t="inlineStr"><is><t xml:space="preserve">%b</t></is>',
}


class _Moments:
    """What the library made of numbers under one cell format that is a date, those of the last blocks."""

    def __init__(self, style: int) -> None:
        self._style = style
        self._known = pa.array([], pa.binary())
        self._kinds = np.empty(0, np.uint8)
        self._texts = pa.array([], pa.string())

    def read(self, raw: pa.Array, library: LibraryAnswers) -> Held:
        coded = raw.dictionary_encode()
        if len(self._known) > _MOST_KNOWN:  # nearly every moment is another one: of no use later on
            self._forget()
        places = pc.index_in(coded.dictionary, value_set=self._known)
        if places.null_count:
            is_new = places.is_null()
            count = len(self._known)
            self._ask(coded.dictionary.filter(is_new), library)
            places = places.to_numpy(zero_copy_only=False).astype(np.float64)
            places[is_new] = np.arange(count, len(self._known))
        places = np.asarray(places).astype(np.int64).take(coded.indices)
        return self._kinds.take(places), self._texts.take(pa.array(places))

    def _forget(self) -> None:
        self._known, self._kinds, self._texts = self._known[:0], self._kinds[:0], self._texts[:0]

    def _ask(self, asked: pa.Array, library: LibraryAnswers) -> None:
        _must_be(asked, _IN_NUMBERS)
        frame = b' s="%d"><v>%%b</v>' % self._style
        kinds, texts = column_of(library.cells([frame % text for text in asked.to_pylist()]))
        self._known = pa.concat_arrays([self._known, asked])
        self._kinds = np.append(self._kinds, kinds)
        self._texts = pa.concat_arrays([self._texts, texts])


class SheetValues:
    """Reads the values of one sheet, block by block, and remembers what the library said."""

    def __init__(self, library: LibraryAnswers, strings: Callable[[], pa.Array]) -> None:
        self._library = library
        self._strings = strings
        # By cell format: the type of a number under it, NUMBER or one of its own from _DATED on.
        self._type_of: dict[int, int] = {}
        self._moments: list[_Moments] = []

    def block(self, cells: XmlCells, first: int) -> CellBlock:
        """The rows from `first` to the last of the block, all columns from A to the last filled one."""
        height = cells.last_row + 1 - first
        if not len(cells.rows):
            return CellBlock(first, np.zeros((height, 0), np.uint8), [])
        width = int(cells.columns.max()) + 1
        order = np.argsort(cells.columns.astype(np.uint16), kind="stable")  # by radix
        types = self._types(cells).take(order)
        rows = cells.rows.take(order) - first
        places = np.empty(len(order), np.int64)
        cell_kinds = np.empty(len(order), np.uint8)
        texts: dict[int, pa.Array] = {}
        for kind in np.flatnonzero(np.bincount(types)).tolist():
            chosen = np.flatnonzero(types == kind)
            places[chosen] = np.arange(len(chosen))
            cell_kinds[chosen], texts[kind] = self._held(kind, cells.values(order.take(chosen)))
        kinds = np.zeros((height, width), np.uint8)
        bounds = np.append(0, np.cumsum(np.bincount(cells.columns))).tolist()
        columns = []
        for column, (start, end) in enumerate(pairwise(bounds)):
            kinds[rows[start:end], column] = cell_kinds[start:end]
            columns.append(_column(height, rows[start:end], types[start:end], places[start:end], texts))
        return CellBlock(first, kinds, columns)

    def _types(self, cells: XmlCells) -> NDArray[Any]:
        """The types of the cells, numbers with the format of a date apart."""
        is_number = cells.types == sheet_xml.NUMBER
        if not is_number.any():
            return cells.types
        used = np.flatnonzero(np.bincount(cells.tails[is_number])).tolist()
        known = {cells.styles[tail] for tail in used}
        asked = sorted(known - self._type_of.keys())
        given = self._library.cells([b' s="%d"><v>1.5</v>' % style for style in asked])
        for style, value in zip(asked, given, strict=True):
            self._type_of[style] = sheet_xml.NUMBER
            if type(value) is not float:
                self._type_of[style] = _DATED + len(self._moments)
                self._moments.append(_Moments(style))
        if len(self._moments) > _MOST_DATED:
            raise IrregularSheetError
        by_tail = np.array([self._type_of.get(style, sheet_xml.NUMBER) for style in cells.styles], np.uint8)
        if (by_tail == sheet_xml.NUMBER).all():
            return cells.types
        return np.where(is_number, by_tail.take(cells.tails), cells.types)

    def _held(self, kind: int, raw: pa.Array) -> Held:
        """The kinds and texts of cells, all of one type."""
        if kind in sheet_xml.TEXTS:
            return _texts(self._plain(raw, kind))
        if kind >= _DATED:
            return self._moments[kind - _DATED].read(raw, self._library)
        if kind == sheet_xml.NUMBER:
            return np.full(len(raw), NUMBER, np.uint8), numbers(raw)
        if kind == sheet_xml.SHARED:
            return _texts(self._shared(raw))
        if kind == sheet_xml.BOOLEAN:
            return np.full(len(raw), BOOLEAN, np.uint8), _booleans(raw)
        if not set(pc.unique(raw).to_pylist()).issubset(_ERRORS):
            raise IrregularSheetError
        return np.full(len(raw), BLANK, np.uint8), pa.nulls(len(raw), pa.string())

    def _shared(self, raw: pa.Array) -> pa.Array:
        _must_be(raw, _IN_DIGITS)
        strings = self._strings()
        places = pc.cast(pc.cast(raw, pa.string()), pa.int64())
        if pc.max(places).as_py() >= len(strings):
            raise IrregularSheetError
        return strings.take(places)

    def _plain(self, raw: pa.Array, kind: int) -> pa.Array:
        """Texts as they stand; those with entities or carriage returns as the library reads them."""
        try:
            raw = pc.cast(raw, pa.string())  # checks that it is UTF-8
        except pa.ArrowInvalid as error:
            raise IrregularSheetError from error
        marked = _special(raw, may_trim=kind == sheet_xml.INLINE)
        if marked is not None:
            coded = raw.filter(marked).dictionary_encode()
            frame = _FRAMES[kind]
            given = self._library.cells([frame % text.encode() for text in coded.dictionary.to_pylist()])
            raw = pc.replace_with_mask(raw, marked, pa.array(given, pa.string()).take(coded.indices))
        return cleaned(raw)


def numbers(raw: pa.Array) -> pa.Array:
    """Numbers in XML as text, written as the double they stand for; what is written so already stays."""
    plain = _are_plain(raw)
    texts = pc.cast(raw, pa.string())
    if plain.all():
        return texts
    other = pa.array(~plain)
    rest = texts.filter(other)
    unlike = pc.invert(pc.match_substring_regex(rest, _PLAIN_NUMBER))
    if not pc.any(unlike).as_py():
        return texts
    try:
        values = pc.cast(rest.filter(unlike), pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise IrregularSheetError from error
    if not np.isfinite(values).all():
        raise IrregularSheetError
    rest = pc.replace_with_mask(rest, unlike, of_numbers(values))
    return pc.replace_with_mask(texts, other, rest)


def _are_plain(raw: pa.Array) -> NDArray[Any]:
    """Which numbers are certainly of the plain form: no sign, and few digits; others may be so too.

    Raises IrregularSheetError for a byte that no number has.
    """
    data, bounds = text_bytes(raw), text_bounds(raw)
    lengths = np.diff(bounds)
    if not lengths.all():
        raise IrregularSheetError
    marks = np.flatnonzero(data - _ZERO >= _DIGITS)  # bytes below that of zero are far above it, unsigned
    found = data.take(marks)
    if not _IN_NUMBERS.take(found).all():
        raise IrregularSheetError
    # A first zero of more than one digit has to be that before a point.
    has_zero = (data.take(bounds[:-1]) == _ZERO) & (lengths > 1)
    plain: NDArray[Any] = ~has_zero & (lengths <= _MOST_DIGITS)
    owners = np.searchsorted(bounds, marks, side="right") - 1
    plain[owners] = False
    is_single = np.ones(len(owners), bool)
    is_repeated = owners[1:] == owners[:-1]
    is_single[1:] &= ~is_repeated
    is_single[:-1] &= ~is_repeated
    points, owners = marks[is_single & (found == _POINT)], owners[is_single & (found == _POINT)]
    whole, decimals = points - bounds.take(owners), bounds.take(owners + 1) - points - 1
    # Below 1 there are at most three zeros after the point: with four decimals, the last no zero, that is so.
    most = np.where(has_zero.take(owners), _FEW_DECIMALS, _MOST_DECIMALS)
    fits = (whole >= 1) & (whole <= np.where(has_zero.take(owners), 1, _MOST_WHOLE))
    fits &= (decimals > 0) & (decimals <= most) & (data.take(bounds.take(owners + 1) - 1) != _ZERO)
    plain[owners] = fits
    return plain


def _special(texts: pa.Array, *, may_trim: bool) -> pa.Array | None:
    """Which texts the library changes, or may; None where it changes none. Only where there may be one are all gone through."""
    whole = text_bytes(texts).tobytes()
    if any(mark in whole for mark in _SPECIAL_BYTES):
        marked = pc.match_substring_regex(texts, SPECIAL_OR_TRIMMED if may_trim else SPECIAL)
        return marked if pc.any(marked).as_py() else None
    if not may_trim or not whole:
        return None
    data, bounds = text_bytes(texts), text_bounds(texts)
    first, last = (data.take(places, mode="clip") for places in (bounds[:-1], bounds[1:] - 1))
    is_open = _MAY_BE_TRIMMED_FIRST.take(first) | _MAY_BE_TRIMMED_LAST.take(last)
    if not is_open.any():
        return None
    is_trimmed = pc.match_substring_regex(texts.filter(pa.array(is_open)), TRIMMED)
    is_open[is_open] = is_trimmed.to_numpy(zero_copy_only=False)
    return pa.array(is_open) if is_open.any() else None


def _booleans(raw: pa.Array) -> pa.Array:
    is_true = pc.equal(raw, pa.scalar(b"1"))
    if not pc.all(pc.or_(is_true, pc.equal(raw, pa.scalar(b"0")))).as_py():
        raise IrregularSheetError
    return pc.if_else(is_true, "true", "false")


def _texts(texts: pa.Array) -> Held:
    return np.asarray(texts.is_valid()).astype(np.uint8) * np.uint8(TEXT), texts


def _must_be(raw: pa.Array, allowed: NDArray[Any]) -> None:
    if not allowed[text_bytes(raw)].all():
        raise IrregularSheetError


def _column(
    height: int, rows: NDArray[Any], types: NDArray[Any], places: NDArray[Any], texts: dict[int, pa.Array]
) -> pa.Array:
    """The texts of a column; its cells of one type follow each other in the texts of that type."""
    if not len(rows):
        return pa.nulls(height, pa.string())
    if (types == types[0]).all():
        part = texts[int(types[0])].slice(int(places[0]), len(rows))
        if len(rows) == height:
            return part
        indices = np.full(height, -1)
        indices[rows] = np.arange(len(rows))
        return part.take(pa.array(indices, mask=indices < 0))
    present = np.flatnonzero(np.bincount(types)).tolist()
    parts = []
    indices = np.full(height, -1)
    done = 0
    for kind in present:
        mask = types == kind
        count = int(mask.sum())
        parts.append(texts[kind].slice(int(places[mask][0]), count))
        indices[rows[mask]] = np.arange(done, done + count)
        done += count
    return pa.concat_arrays(parts).take(pa.array(indices, mask=indices < 0))
