"""Keys of whole columns: values that must not repeat, and references that must lead somewhere.

Called by `table_check`. The columns of a key are held as numbers, texts, or numbers that stand for the values
that frictionless reads, so that two cells are equal exactly where their values are (1 and 007, not their
text; no value equals no value). What is found are row numbers; the errors are made by frictionless.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.blocks import NotCoveredError
from opendata.resources.ingest.cell_proofs import missing_words, reading
from opendata.resources.ingest.plain_cells import plain_integers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from opendata.resources.ingest.blocks import Block

    Numbers = NDArray[np.int64]

_REMEMBERED: Final = 200_000
_INT64: Final = 2**63
_MOST_COMBINED: Final = 2**62
INTEGERS, TEXTS, VALUES = "integers", "texts", "values"


def mode_of(*fields: Any) -> str:
    """How columns that are compared with each other are held."""
    if all(each.type == "integer" for each in fields):
        return INTEGERS
    plain = [each.type == "any" or (each.type == "string" and each.format == "default") for each in fields]
    return TEXTS if all(plain) else VALUES


class KeyColumn:
    """One column of a key. `codes` numbers the values of all columns of a check that are held as values."""

    def __init__(self, field_: Any, mode: str, codes: dict[Any, int]) -> None:
        self._mode = mode
        self._codes = codes
        self._read = field_.create_cell_reader()
        self._words = pa.array([word for word in missing_words(field_) if word], pa.string())
        self._known: dict[str, int | str | None] = {}
        self._empty = self._held("")
        self._pieces: list[pa.Array] = []

    def add(self, cells: pa.Array) -> None:
        piece = self._piece(cells)
        if piece.null_count and self._empty is not None:
            piece = pc.if_else(pc.is_null(cells), self._empty, piece)
        self._pieces.append(piece)

    def add_odd(self, cells: Sequence[str | None]) -> None:
        """Cells of rows of an odd shape; None is a cell that the row does not have."""
        held = [None if cell is None else self._held(cell) for cell in cells]
        self._pieces.append(pa.array(held, self._type))

    def values(self) -> pa.ChunkedArray:
        return pa.chunked_array(self._pieces, self._type)

    @property
    def _type(self) -> pa.DataType:
        return pa.string() if self._mode == TEXTS else pa.int64()

    def _piece(self, cells: pa.Array) -> pa.Array:
        if len(self._words):
            missing = pc.is_in(cells, self._words)
            if pc.any(missing).as_py():
                cells = pc.if_else(missing, pa.scalar(None, pa.string()), cells)
        if self._mode == TEXTS:
            return cells
        if self._mode == INTEGERS:
            return self._integers(cells)
        return self._read_each(cells)

    def _integers(self, cells: pa.Array) -> pa.Array:
        plain = plain_integers(cells)
        if plain.null_count == cells.null_count:
            return plain
        others = self._read_each(pc.if_else(pc.is_null(plain), cells, pa.scalar(None, pa.string())))
        return pc.coalesce(plain, others)

    def _read_each(self, cells: pa.Array) -> pa.Array:
        encoded = cells.dictionary_encode()
        held = [self._held(text) for text in encoded.dictionary.to_pylist()]
        return pa.array(held, pa.int64()).take(encoded.indices)

    def _held(self, text: str) -> int | str | None:
        if text in self._known:
            return self._known[text]
        value, _ = reading(self._read, text)
        held: int | str | None
        if self._mode == INTEGERS:
            if value is not None and not -_INT64 <= value < _INT64:
                raise NotCoveredError("a whole number of more than 64 bits in a key")
            held = value
        elif self._mode == TEXTS:
            held = value
        else:
            held = None if value is None else self._code(value)
        if len(self._known) < _REMEMBERED:
            self._known[text] = held
        return held

    def _code(self, value: Any) -> int:
        try:
            if value != value:  # noqa: PLR0124 - NaN equals nothing, not even itself
                raise NotCoveredError("a value in a key that is not equal to itself")
            return self._codes.setdefault(value, len(self._codes))
        except (TypeError, ArithmeticError) as error:  # a list or an object; a signalling NaN
            raise NotCoveredError("a value in a key that cannot be compared") from error


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows whose value was there before, ascending, and the last row before each that has it."""

    rows: Numbers
    earlier: Numbers

    def before(self, row: int) -> int:
        """The row before with the same value, 0 where there is none."""
        if not len(self.rows):
            return 0
        position = int(np.searchsorted(self.rows, row))
        return int(self.earlier[position]) if position < len(self.rows) and self.rows[position] == row else 0


@dataclass(frozen=True, slots=True)
class Findings:
    """What the keys of a table found: repeats by field, repeats of the primary key, lost rows by foreign key."""

    unique: Mapping[str, Repeats] = field(default_factory=dict)
    primary: Repeats | None = None
    empty_keys: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    lost: Sequence[Numbers] = ()

    def rows(self) -> Numbers:
        """Every row that breaks a key, ascending."""
        parts = [repeats.rows for repeats in self.unique.values()]
        parts += [self.primary.rows] if self.primary else []
        return np.unique(np.concatenate([*parts, self.empty_keys, *self.lost, np.empty(0, np.int64)]))

    def is_lost(self, group: int, row: int) -> bool:
        rows = self.lost[group]
        position = int(np.searchsorted(rows, row))
        return position < len(rows) and int(rows[position]) == row


class KeyStore:
    """The key columns of one table, filled block by block."""

    def __init__(self, fields: Sequence[Any], codes: dict[Any, int]) -> None:
        self._fields = fields
        self._positions = {each.name: position for position, each in enumerate(fields)}
        self._codes = codes
        self._columns: dict[tuple[str, str], KeyColumn] = {}
        self._rows: list[Numbers] = []
        self._has_odd = False

    def keep(self, name: str, mode: str) -> None:
        """Hold a column from the first block on; one that the table does not have holds nothing."""
        if name in self._positions and (name, mode) not in self._columns:
            self._columns[name, mode] = KeyColumn(self._fields[self._positions[name]], mode, self._codes)

    def field_of(self, name: str) -> Any | None:
        return self._fields[self._positions[name]] if name in self._positions else None

    def add(self, block: Block) -> None:
        for (name, _), column in self._columns.items():
            position = self._positions[name]
            if block.columns:
                column.add(block.columns[position])
            if block.odd:
                column.add_odd([cells[position] if position < len(cells) else None for _, cells in block.odd])
        if block.columns:
            self._rows.append(block.rows)
        if block.odd:
            self._rows.append(np.array([row for row, _ in block.odd], np.int64))
            self._has_odd = True

    def rows(self) -> Numbers:
        return np.concatenate([*self._rows, np.empty(0, np.int64)])

    def values(self, name: str, mode: str) -> pa.ChunkedArray:
        """In the order of `rows`."""
        if (name, mode) in self._columns:
            return self._columns[name, mode].values()
        kind = pa.string() if mode == TEXTS else pa.int64()
        return pa.chunked_array([pa.nulls(sum(map(len, self._rows)), kind)])

    def repeats(self, names: Sequence[str]) -> tuple[Repeats, Numbers]:
        """Rows that repeat a key, and rows in which all of it is missing."""
        columns = [self.values(name, mode_of(self.field_of(name))) for name in names]
        codes, is_missing = combined(columns)
        rows = self.rows()
        held, numbers = codes[~is_missing], rows[~is_missing]
        order = np.lexsort((numbers, held)) if self._has_odd else np.argsort(held, kind="stable")
        sorted_codes, sorted_rows = held[order], numbers[order]
        again = np.flatnonzero(sorted_codes[1:] == sorted_codes[:-1])
        found, earlier = sorted_rows[again + 1], sorted_rows[again]
        by_row = np.argsort(found)
        return Repeats(found[by_row], earlier[by_row]), np.sort(rows[is_missing])


def lost_rows(rows: Numbers, own: Sequence[pa.ChunkedArray], other: Sequence[pa.ChunkedArray]) -> Numbers:
    """Rows whose key is not among the other keys; a key with no value at all refers to nothing."""
    together = [
        pa.chunked_array([*one.chunks, *two.chunks], one.type) for one, two in zip(own, other, strict=True)
    ]
    codes, is_missing = combined(together)
    count = len(rows)
    known = np.unique(codes[count:][~is_missing[count:]])
    is_lost = ~is_missing[:count] & ~np.isin(codes[:count], known)
    return np.sort(rows[is_lost])


def combined(columns: Sequence[pa.ChunkedArray]) -> tuple[Numbers, NDArray[np.bool_]]:
    """One number for each row, equal where all columns are, and where all columns have no value."""
    if len(columns) == 1 and pa.types.is_integer(columns[0].type):
        is_missing = columns[0].is_null().to_numpy()
        return columns[0].fill_null(0).to_numpy(), is_missing
    total = np.zeros(len(columns[0]), np.int64)
    all_missing = np.ones(len(columns[0]), np.bool_)
    size = 1
    for column in columns:
        codes, count = _numbered(column)
        all_missing &= codes == 0
        if size * count >= _MOST_COMBINED:
            distinct, total = np.unique(total, return_inverse=True)
            size = len(distinct)
        total = total * count + codes
        size *= count
    return total, all_missing


def _numbered(column: pa.ChunkedArray) -> tuple[Numbers, int]:
    """The values of a column as 1, 2, …, 0 for none, and how many numbers there are."""
    if not len(column):
        return np.empty(0, np.int64), 1
    encoded = column.dictionary_encode().combine_chunks()
    encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    codes = pc.add(pc.fill_null(encoded.indices, -1), 1).to_numpy().astype(np.int64)
    return codes, len(encoded.dictionary) + 1
