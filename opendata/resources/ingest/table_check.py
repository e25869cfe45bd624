"""The errors of a table under a schema, in the order and the words of frictionless, at the speed of columns.

Called by `checks` for drafts and by `whole_files` for plain files. Rows in which a cell is in doubt, rows of an
odd shape and rows that break a key are gone through at their own row number; all others are never looked at one
by one. Where a table has keys it is read to its end before the first error is known: suspect rows are kept
meanwhile, so that only rows that turn out to break a key have to be fetched by reading it again. Where a value
or a key is not covered, NotCoveredError is raised: the caller then leaves the whole table to frictionless.
"""

from __future__ import annotations

import heapq
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from opendata.resources.ingest.blocks import Block, NotCoveredError
from opendata.resources.ingest.cell_proofs import CellProof
from opendata.resources.ingest.frictionless_checks import no_stumbling
from opendata.resources.ingest.keys import VALUES, Findings, KeyStore, lost_rows, mode_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from opendata.resources.ingest.blocks import ReadBlocks
    from opendata.resources.ingest.frictionless_checks import OpenedCheck, Reference

    Numbers = NDArray[np.int64]
    Positions = NDArray[np.intp]
    Mask = NDArray[np.bool_]
    Seen = Callable[[int], None]
    RowErrors = tuple[int, list[dict[str, Any]]]
    # Row number, cells, and the positions of the cells in doubt; None where every cell is.
    Suspect = tuple[int, Sequence[str], Sequence[int] | None]


_NO_ROWS: Final = np.empty(0, np.int64)
_MOST_KEPT: Final = 8 << 20
_BYTES_OF_ODD_CELL: Final = 60


@dataclass(frozen=True, slots=True)
class _Doubts:
    """What is in doubt in the ordinary rows of a block: their positions in it, ascending, and the columns of each.

    None for the columns of a row in which every cell counts as blank.
    """

    positions: Positions
    columns: Sequence[Sequence[int] | None]


class _Kept:
    """Suspect rows of the first blocks of a table, up to some megabytes. `until`: the last row that was looked at
    for it, 0 where all of them were.
    """

    def __init__(self) -> None:
        self.until = 0
        self._last = 0
        self._size = 0
        self._parts: list[tuple[Block, _Doubts]] = []

    def add(self, block: Block, doubts: _Doubts) -> None:
        if self.until or not (len(doubts.positions) or block.odd or len(block.rows)):
            return
        taken = pa.array(doubts.positions)
        columns = [column.take(taken) for column in block.columns]
        self._size += sum(column.nbytes for column in columns)
        self._size += _BYTES_OF_ODD_CELL * sum(len(cells) + 1 for _, cells in block.odd)
        if self._size > _MOST_KEPT and self._last:
            self.until = self._last
            return
        self._last = last_row(block)
        if len(doubts.positions) or block.odd:
            part = Block(columns, block.rows[doubts.positions], block.odd)
            self._parts.append((part, _Doubts(np.arange(len(doubts.positions)), doubts.columns)))

    def rows(self) -> Numbers:
        parts = [part.rows for part, _ in self._parts]
        odd = [row for part, _ in self._parts for row, _ in part.odd]
        return np.unique(np.concatenate([*parts, np.array(odd, np.int64), _NO_ROWS]))

    def suspects(self) -> Iterator[Suspect]:
        for part, doubts in self._parts:
            yield from suspects_of(part, doubts)


@dataclass(frozen=True, slots=True)
class OtherTable:
    """A table that foreign keys of other tables refer to."""

    check: OpenedCheck
    read: ReadBlocks


class TableCheck:
    """One table and its schema. `proven`: positions of columns whose values are known to fit their type.

    `others`: the tables that foreign keys may refer to, by name; `own_names`: the names of this table itself.
    """

    def __init__(
        self,
        check: OpenedCheck,
        read: ReadBlocks,
        *,
        proven: Collection[int] = (),
        others: Mapping[str, OtherTable] | None = None,
        own_names: Collection[str] = ("",),
    ) -> None:
        self._check = check
        self._read = read
        self._others = others or {}
        self._own_names = own_names
        with no_stumbling():
            self._proofs = [
                CellProof(field, is_proven=position in proven) for position, field in enumerate(check.fields)
            ]

    def row_errors(self, seen: Seen) -> Iterator[RowErrors]:
        """Row number and errors of every row that has any, in order. `seen` gets the rows looked at so far.

        Raises NotCoveredError, also after some of them.
        """
        if self._check.has_idle_references:
            raise NotCoveredError("a foreign key of columns that the table does not have")
        if not self._check.joins_rows:
            done = 0
            for block in self._read():
                yield from self._worded(suspects_of(block, self._doubts(block)), None)
                done += len(block.rows)
                seen(done)
            return
        kept, findings = self._survey(seen)
        broken = findings.rows()
        missing = np.setdiff1d(broken, kept.rows(), assume_unique=True)
        if kept.until:
            early = missing[missing <= kept.until]
            yield from self._worded(self._with(kept.suspects(), early), findings)
            yield from self._worded(self._after(kept.until, broken), findings)
        else:
            yield from self._worded(self._with(kept.suspects(), missing), findings)

    def _worded(self, suspects: Iterator[Suspect], findings: Findings | None) -> Iterator[RowErrors]:
        for number, cells, doubtful in suspects:
            errors = self._check.row_errors(number, cells, findings, doubtful)
            if errors:
                yield number, errors

    def _with(self, suspects: Iterator[Suspect], rows: Numbers) -> Iterator[Suspect]:
        """Other rows among the suspects: ordinary ones without a doubtful cell, for which the table is read again."""
        if not len(rows):
            return suspects
        return heapq.merge(suspects, self._fetched(rows), key=operator.itemgetter(0))

    def _fetched(self, rows: Numbers) -> Iterator[Suspect]:
        for block in self._read():
            if len(block.rows):
                fetched = rows_at(block, _positions(block.rows, rows))
                yield from ((number, cells, ()) for number, cells in fetched)
                if block.rows[-1] >= rows[-1]:
                    return

    def _after(self, until: int, broken: Numbers) -> Iterator[Suspect]:
        """Suspect rows after the last one that was looked at, among them the rows that break a key."""
        for block in self._read():
            if last_row(block) > until:
                doubts = self._doubts(block)
                known = dict(zip(doubts.positions.tolist(), doubts.columns, strict=True))
                positions = np.union1d(doubts.positions, _positions(block.rows, broken))
                columns = [known.get(position, ()) for position in positions.tolist()]
                yield from suspects_of(block, _Doubts(positions, columns))

    def _survey(self, seen: Seen) -> tuple[_Kept, Findings]:
        """Read the table once: the rows that may have an error, and what its keys found."""
        check = self._check
        codes: dict[Any, int] = {}
        store = KeyStore(check.fields, codes)
        for name in {*check.unique, *check.primary}:
            store.keep(name, mode_of(store.field_of(name)))
        pairs = [self._paired(reference, store, codes) for reference in check.references]
        kept = _Kept()
        done = 0
        for block in self._read():
            store.add(block)
            kept.add(block, self._doubts(block))
            done += len(block.rows)
            seen(done)
        unique = {name: store.repeats([name])[0] for name in check.unique}
        primary, empty = store.repeats(check.primary) if check.primary else (None, _NO_ROWS)
        lost = []
        for reference, (modes, other) in zip(check.references, pairs, strict=True):
            own_key = [store.values(name, mode) for name, mode in zip(reference.fields, modes, strict=True)]
            other_key = [
                other.values(name, mode) for name, mode in zip(reference.other_fields, modes, strict=True)
            ]
            lost.append(lost_rows(store.rows(), own_key, other_key))
        return kept, Findings(unique, primary, empty, lost)

    def _paired(
        self, reference: Reference, store: KeyStore, codes: dict[Any, int]
    ) -> tuple[list[str], KeyStore]:
        """How the columns of a foreign key are held, and the table it refers to, read already if it is another."""
        if len(reference.fields) != len(reference.other_fields) or not reference.fields:
            raise NotCoveredError("a foreign key without fields")
        is_own = reference.table in self._own_names
        if not is_own and reference.table not in self._others:
            raise NotCoveredError("a foreign key to a table that is not there")
        table = None if is_own else self._others[reference.table]
        other = store if table is None else KeyStore(table.check.fields, codes)
        modes = []
        for name, other_name in zip(reference.fields, reference.other_fields, strict=True):
            fields = [field for field in (store.field_of(name), other.field_of(other_name)) if field]
            mode = mode_of(*fields)
            modes.append(mode)
            store.keep(name, mode)
            other.keep(other_name, mode)
        if table is not None:
            # frictionless reads that table with its own keys and may stumble over their values.
            for name in {*table.check.unique, *table.check.primary}:
                if (mode := mode_of(other.field_of(name))) == VALUES:
                    other.keep(name, mode)
            for block in table.read():
                other.add(block)
        return modes, other

    def _doubts(self, block: Block) -> _Doubts:
        """Rows with a cell that is not certainly valid, and rows in which every cell counts as blank."""
        masks: dict[int, Mask] = {}
        blanks: list[Mask | None] = []
        for column, (proof, cells) in enumerate(zip(self._proofs, block.columns, strict=bool(block.columns))):
            doubtful, blank = proof.prove(cells)
            blanks.append(blank)
            if doubtful is not None:
                masks[column] = doubtful
        all_blank = _all_of(blanks)
        in_doubt = [*masks.values(), *([] if all_blank is None else [all_blank])]
        if not in_doubt:
            return _Doubts(np.empty(0, np.intp), ())
        positions = np.flatnonzero(np.logical_or.reduce(in_doubt))
        columns: list[list[int]] = [[] for _ in range(len(positions))]
        for column, mask in masks.items():
            for place in np.flatnonzero(mask[positions]).tolist():
                columns[place].append(column)
        is_blank = [False] * len(columns) if all_blank is None else all_blank[positions].tolist()
        return _Doubts(
            positions, [None if blank else each for blank, each in zip(is_blank, columns, strict=True)]
        )


def _all_of(masks: Sequence[Mask | None]) -> Mask | None:
    """Where all masks are set; None where that is nowhere, and for a mask that is set nowhere."""
    all_set: Mask | None = None
    for mask in masks:
        if mask is None:
            return None
        all_set = mask if all_set is None else all_set & mask
    return all_set if all_set is not None and all_set.any() else None


def suspects_of(block: Block, doubts: _Doubts) -> Iterator[Suspect]:
    """The rows in doubt and the odd rows of a block, in order."""
    taken = zip(rows_at(block, doubts.positions), doubts.columns, strict=True)
    ordinary = ((number, cells, columns) for (number, cells), columns in taken)
    if not block.odd:
        return ordinary
    odd = ((number, cells, None) for number, cells in block.odd)
    return heapq.merge(ordinary, odd, key=operator.itemgetter(0))


def last_row(block: Block) -> int:
    """The greatest row number of a block, 0 for none."""
    last = [int(block.rows[-1])] if len(block.rows) else []
    return max([*last, *(row for row, _ in block.odd[-1:])], default=0)


def _positions(rows: Numbers, wanted: Numbers) -> Positions:
    """Where the wanted rows are among `rows`; both ascend."""
    if not len(rows):
        return np.empty(0, np.intp)
    start, end = np.searchsorted(wanted, [rows[0], rows[-1] + 1])
    inside = wanted[start:end]
    positions: Positions = np.searchsorted(rows, inside)
    found: Positions = positions[rows[positions] == inside]
    return found


def rows_at(block: Block, positions: Positions) -> Iterator[tuple[int, list[str]]]:
    """Ordinary rows of a block with their numbers, cells as the file has them."""
    if not len(positions):
        return
    taken = pa.array(positions)
    columns = [column.take(taken).to_pylist() for column in block.columns]
    for number, cells in zip(block.rows[positions].tolist(), zip(*columns, strict=True), strict=True):
        yield number, [cell or "" for cell in cells]
