"""The errors of a table under a schema, in the order and the words of frictionless, at the speed of columns.

Called by `checks` for drafts and by `whole_files` for plain files. Rows in which a cell is in doubt, rows of an
odd shape and rows that break a key are rebuilt by frictionless at their own row number; all others are never
looked at one by one. Where a value or a key is not covered, NotCoveredError is raised: the caller then leaves
the whole table to frictionless.
"""

from __future__ import annotations

import heapq
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from opendata.resources.ingest.blocks import NotCoveredError
from opendata.resources.ingest.cell_proofs import CellProof
from opendata.resources.ingest.frictionless_checks import no_stumbling
from opendata.resources.ingest.keys import Findings, KeyStore, lost_rows, mode_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from opendata.resources.ingest.blocks import Block, ReadBlocks
    from opendata.resources.ingest.frictionless_checks import OpenedCheck, Reference

    Numbers = NDArray[np.int64]
    Positions = NDArray[np.intp]
    Mask = NDArray[np.bool_]
    Seen = Callable[[int], None]
    RowErrors = tuple[int, list[dict[str, Any]]]


_NO_ROWS: Final = np.empty(0, np.int64)


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
                yield from self._errors_of(block, self._doubtful(block), None)
                done += len(block.rows)
                seen(done)
            return
        suspects, findings = self._survey(seen)
        if not len(suspects):
            return
        for block in self._read():
            yield from self._errors_of(block, _positions(block.rows, suspects), findings)

    def _survey(self, seen: Seen) -> tuple[Numbers, Findings]:
        """Read the table once: the rows that may have an error, and what its keys found."""
        check = self._check
        codes: dict[Any, int] = {}
        store = KeyStore(check.fields, codes)
        for name in {*check.unique, *check.primary}:
            store.keep(name, mode_of(store.field_of(name)))
        pairs = [self._paired(reference, store, codes) for reference in check.references]
        suspects: list[Numbers] = []
        done = 0
        for block in self._read():
            store.add(block)
            suspects.append(block.rows[self._doubtful(block)])
            suspects.append(np.array([row for row, _ in block.odd], np.int64))
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
        findings = Findings(unique, primary, empty, lost)
        return np.unique(np.concatenate([*suspects, findings.rows()])), findings

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
            for block in table.read():
                other.add(block)
        return modes, other

    def _doubtful(self, block: Block) -> Positions:
        """Rows with a cell that is not certainly valid, and rows in which every cell counts as blank."""
        doubt: Mask | None = None
        all_blank: Mask | None = None
        can_be_blank = bool(block.columns)
        for proof, cells in zip(self._proofs, block.columns, strict=bool(block.columns)):
            doubtful, blank = proof.prove(cells)
            if doubtful is not None:
                doubt = doubtful if doubt is None else doubt | doubtful
            if blank is None:
                can_be_blank = False
            elif can_be_blank:
                all_blank = blank if all_blank is None else all_blank & blank
        if can_be_blank and all_blank is not None:
            doubt = all_blank if doubt is None else doubt | all_blank
        return np.empty(0, np.intp) if doubt is None else np.flatnonzero(doubt)

    def _errors_of(
        self, block: Block, positions: Positions, findings: Findings | None
    ) -> Iterator[RowErrors]:
        rows = heapq.merge(rows_at(block, positions), block.odd, key=operator.itemgetter(0))
        for number, cells in rows:
            errors = self._check.row_errors(number, cells, findings)
            if errors:
                yield number, errors


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
