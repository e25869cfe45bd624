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
from opendata.resources.formats.shared_strings import SPECIAL, SPECIAL_OR_TRIMMED
from opendata.resources.formats.sheet_cells import (
    BLANK,
    BOOLEAN,
    NUMBER,
    TEXT,
    CellBlock,
    cleaned,
    kind_of,
    of_numbers,
    text_bytes,
    written,
)
from opendata.resources.formats.sheet_xml import IrregularSheetError, XmlCells

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from opendata.resources.formats.library_answers import LibraryAnswers

    Held = tuple[NDArray[Any], pa.Array]

_DATED: Final = 8  # a number whose cell format makes it a date, beside the types of sheet_xml
_ERRORS: Final = (b"#DIV/0!", b"#N/A", b"#NAME?", b"#NULL!", b"#NUM!", b"#REF!", b"#VALUE!")
_PLAIN_NUMBER: Final = (
    r"^(0|-?[1-9][0-9]{0,14}|-?0\.0{0,3}([1-9][0-9]{0,13})?[1-9]|-?[1-9][0-9]{0,7}\.[0-9]{0,6}[1-9])$"
)
_IN_NUMBERS: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789.-+eE", np.uint8))
_IN_DIGITS: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789", np.uint8))
_FRAMES: Final = {
    sheet_xml.STRING: b' t="str"><v>%b</v>',
    sheet_xml.INLINE: b' t="inlineStr"><is><t>%b</t></is>',
    sheet_xml.PRESERVED: b' t="inlineStr"><is><t xml:space="preserve">%b</t></is>',
}


class SheetValues:
    """Reads the values of one sheet, block by block, and remembers what the library said."""

    def __init__(self, library: LibraryAnswers, strings: Callable[[], pa.Array]) -> None:
        self._library = library
        self._strings = strings
        self._is_dated: dict[int, bool] = {}
        self._moments: dict[tuple[int, bytes], tuple[int, str]] = {}

    def block(self, cells: XmlCells, first: int) -> CellBlock:
        """The rows from `first` to the last of the block, all columns from A to the last filled one."""
        height = cells.last_row + 1 - first
        if not len(cells.rows):
            return CellBlock(first, np.zeros((height, 0), np.uint8), [])
        width = int(cells.columns.max()) + 1
        order = np.argsort(cells.columns.astype(np.uint16), kind="stable")  # by radix
        types = self._types(cells)
        places = np.empty(len(order), np.int64)
        cell_kinds = np.empty(len(order), np.uint8)
        texts: dict[int, pa.Array] = {}
        for kind in np.flatnonzero(np.bincount(types)).tolist():
            chosen = order[types[order] == kind]
            places[chosen] = np.arange(len(chosen))
            cell_kinds[chosen], texts[kind] = self._held(kind, cells, chosen)
        kinds = np.zeros((height, width), np.uint8)
        rows = cells.rows - first
        kinds[rows, cells.columns] = cell_kinds
        bounds = np.searchsorted(cells.columns[order], np.arange(width + 1)).tolist()
        columns = []
        for start, end in pairwise(bounds):
            inside = order[start:end]
            columns.append(_column(height, rows[inside], types[inside], places[inside], texts))
        return CellBlock(first, kinds, columns)

    def _types(self, cells: XmlCells) -> NDArray[Any]:
        """The types of the cells, numbers with the format of a date apart."""
        is_number = cells.types == sheet_xml.NUMBER
        known = np.flatnonzero(np.bincount(cells.styles[is_number])).tolist() if is_number.any() else []
        asked = [style for style in known if style not in self._is_dated]
        given = self._library.cells([b' s="%d"><v>1.5</v>' % style for style in asked])
        self._is_dated.update(
            (style, type(value) is not float) for style, value in zip(asked, given, strict=True)
        )
        dated = [style for style in known if self._is_dated[style]]
        if not dated:
            return cells.types
        return np.where(is_number & np.isin(cells.styles, dated), np.uint8(_DATED), cells.types)

    def _held(self, kind: int, cells: XmlCells, chosen: NDArray[Any]) -> Held:
        """The kinds and texts of the chosen cells, all of one type."""
        raw = cells.values(chosen)
        if kind in sheet_xml.TEXTS:
            return _texts(self._plain(raw, kind))
        if kind == _DATED:
            return self._dated(raw, cells.styles[chosen])
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
        marked = pc.match_substring_regex(raw, SPECIAL_OR_TRIMMED if kind == sheet_xml.INLINE else SPECIAL)
        if pc.any(marked).as_py():
            coded = raw.filter(marked).dictionary_encode()
            frame = _FRAMES[kind]
            given = self._library.cells([frame % text.encode() for text in coded.dictionary.to_pylist()])
            raw = pc.replace_with_mask(raw, marked, pa.array(given, pa.string()).take(coded.indices))
        return cleaned(raw)

    def _dated(self, raw: pa.Array, styles: NDArray[Any]) -> Held:
        _must_be(raw, _IN_NUMBERS)
        kinds, places = np.empty(len(raw), np.uint8), np.empty(len(raw), np.int64)
        texts: list[str] = []
        for style in np.unique(styles).tolist():
            mask = styles == style
            coded = raw.filter(pa.array(mask)).dictionary_encode()
            keys = [(style, text) for text in coded.dictionary.to_pylist()]
            asked = [key for key in keys if key not in self._moments]
            given = self._library.cells([b' s="%d"><v>%b</v>' % key for key in asked])
            self._moments.update(
                (key, (kind_of(value), written(value))) for key, value in zip(asked, given, strict=True)
            )
            found = [self._moments[key] for key in keys]
            indices = coded.indices.to_numpy()
            kinds[mask] = np.array([kind for kind, _ in found], np.uint8)[indices]
            places[mask] = indices + len(texts)
            texts += [text for _, text in found]
        return kinds, pa.array(texts, pa.string()).take(pa.array(places))


def numbers(raw: pa.Array) -> pa.Array:
    """Numbers in XML as text, written as the double they stand for; what is written so already stays."""
    _must_be(raw, _IN_NUMBERS)
    texts = pc.cast(raw, pa.string())
    plain = pc.match_substring_regex(texts, _PLAIN_NUMBER)
    if pc.all(plain).as_py():
        return texts
    other = pc.invert(plain)
    try:
        values = pc.cast(texts.filter(other), pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise IrregularSheetError from error
    if not np.isfinite(values).all():
        raise IrregularSheetError
    return pc.replace_with_mask(texts, other, of_numbers(values))


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
    if len(parts) == 1 and done == height:
        return parts[0]
    return pa.concat_arrays(parts).take(pa.array(indices, mask=indices < 0))
