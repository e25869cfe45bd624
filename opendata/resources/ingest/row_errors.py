"""The errors of single rows in the words of frictionless, without its costly error objects.

Called by `frictionless_checks` for rows that are known to be in doubt. A row is gone through as frictionless's
`Row` goes through it, with its own cell readers, but cells proven to be valid are left out; a descriptor is
filled in from one that frictionless made of the same class, its message from the template of that class.
Nobody relies on this alone: `frictionless_checks` lets frictionless word the first row of every kind as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Descriptor = dict[str, Any]
    Kind = tuple[type, int]


class Wording:
    """Says of an error what frictionless would. `handlers` are those of its `create_cell_handlers`."""

    def __init__(self, handlers: Mapping[str, Any]) -> None:
        from frictionless import errors, helpers  # noqa: PLC0415 - see frictionless_checks

        self.errors = errors
        self.names = list(handlers)
        self.positions = {name: position for position, name in enumerate(handlers)}
        self.readers: list[Callable[[Any], Any]] = [handler.reader for handler in handlers.values()]
        self._fill_in: Callable[[str, Descriptor], str] = helpers.safe_format
        self._made: dict[type, Descriptor] = {}

    def describe(self, kind: Any, details: Descriptor) -> Descriptor:
        """`details`: what differs from one error of a class to the next, by its keys in a descriptor."""
        made = self._made.get(kind)
        if made is None:
            made = self._made[kind] = self._first(kind, details)
        descriptor = made | details
        descriptor["tags"] = list(made["tags"])
        descriptor["message"] = self._fill_in(kind.template, descriptor | {"message": ""})
        return descriptor

    def _first(self, kind: Any, details: Descriptor) -> Descriptor:
        from frictionless.vendors import stringcase  # noqa: PLC0415 - see frictionless_checks

        given = {stringcase.snakecase(key): value for key, value in details.items()}
        descriptor: Descriptor = kind(**given).to_descriptor()
        return descriptor


class QuickRow:
    """One row. `doubtful`: positions of the cells that may be wrong, ascending; None for every cell.

    `kinds`: classes of the errors found so far, each with the position of its column, -1 for the whole row.
    """

    def __init__(
        self, wording: Wording, number: int, cells: Sequence[str], doubtful: Sequence[int] | None
    ) -> None:
        self.kinds: set[Kind] = set()
        self._wording = wording
        self._number = number
        self._cells = cells
        self._doubtful = doubtful
        self._values: dict[int, Any] = {}
        self._blank_count = 0
        self._is_settled = False
        self._errors: list[Descriptor] = []

    def __getitem__(self, name: str) -> Any:
        """The value of a field. A cell that is asked for is read before all others, errors included."""
        position = self._wording.positions[name]
        if position not in self._values:
            self._read(position)
        return self._values[position]

    def add_unique(self, name: str, note: str) -> None:
        self._settle()
        position = self._wording.positions[name]
        self._add_cell_error(self._wording.errors.UniqueError, position, str(self[name]), note)

    def add_primary(self, note: str) -> None:
        self._settle()
        self._add_row_error(self._wording.errors.PrimaryKeyError, note)

    def add_foreign(
        self, names: Sequence[str], values: Sequence[Any], table: str, other_names: Sequence[str], note: str
    ) -> None:
        self._settle()
        self._add_row_error(
            self._wording.errors.ForeignKeyError,
            note,
            fieldNames=list(names),
            fieldCells=["" if value is None else str(value) for value in values],
            referenceName=table,
            referenceFieldNames=list(other_names),
        )

    def described(self) -> list[Descriptor]:
        """The errors, in order; those of keys have been added before."""
        self._settle()
        return self._errors

    def _read(self, position: int) -> None:
        source = self._cells[position] if position < len(self._cells) else None
        value, notes = self._wording.readers[position](source)
        self._values[position] = value
        if value is None and not (notes and "type" in notes):
            self._blank_count += 1
        for name, note in (notes or {}).items():
            errors = self._wording.errors
            kind = errors.TypeError if name == "type" else errors.ConstraintError
            self._add_cell_error(kind, position, str(source), note)

    def _settle(self) -> None:
        """Read what was not read yet. Called before the first error that comes after all cells."""
        if self._is_settled:
            return
        self._is_settled = True
        fields, cells = len(self._wording.names), len(self._cells)
        for position in range(fields) if self._doubtful is None else self._doubtful:
            if position not in self._values:
                self._read(position)
        for position in range(fields, cells):
            self._add_cell_error(self._wording.errors.ExtraCellError, position, str(self._cells[position]))
        for position in range(cells, fields):
            self._add_cell_error(self._wording.errors.MissingCellError, position, "")
        if self._blank_count == fields:
            self._errors = []
            self._add_row_error(self._wording.errors.BlankRowError, "")

    def _add_cell_error(self, kind: type, position: int, cell: str, note: str = "") -> None:
        names = self._wording.names
        details = {
            "note": note,
            "cells": list(self._cells),
            "rowNumber": self._number,
            "cell": cell,
            "fieldName": names[position] if position < len(names) else "",
            "fieldNumber": position + 1,
        }
        self.kinds.add((kind, position))
        self._errors.append(self._wording.describe(kind, details))

    def _add_row_error(self, kind: type, note: str, **more: Any) -> None:
        details = {"note": note, "cells": list(self._cells), "rowNumber": self._number, **more}
        self.kinds.add((kind, -1))
        self._errors.append(self._wording.describe(kind, details))
