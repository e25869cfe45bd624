"""The one module that calls frictionless, which is the authority for what an error is.

It is asked about as little as possible, never for something else's opinion: a header, single rows at their
own row number, or, where the fast path does not cover what a schema asks for, every row of a table. Errors
come back as the descriptors of frictionless reports. The import costs half a second, so it is made where a
file first needs it; the child process of `limits` has it loaded beforehand.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.ingest.problems import Problem, UnreadableError, shown
from opendata.resources.ingest.row_errors import QuickRow, Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opendata.resources.ingest.keys import Findings
    from opendata.resources.ingest.row_errors import Kind

    CellReader = Callable[[str], tuple[Any, dict[str, str] | None]]

MOST_ERRORS: Final = 1000
_CAPITAL: Final = re.compile("[A-Z]")
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: own fields, and the fields of another table (or of this one, where `table` is empty)."""

    fields: tuple[str, ...]
    table: str
    other_fields: tuple[str, ...]


class OpenedCheck:
    """A table schema with its header, both as frictionless has them.

    Raises UnreadableError where frictionless refuses the schema. `names` and `fields` are what the columns of the table are read as, in the order of its header.
    """

    def __init__(self, schema: Any, header: Any) -> None:
        from frictionless.table import create_cell_handlers  # noqa: PLC0415 - see above

        self.schema = schema
        self._shapes: dict[type, list[tuple[str, str]]] = {}
        self._labels = list(header.labels)
        self.fields: list[Any] = header.get_expected_fields()
        self._handlers = create_cell_handlers(self.fields)
        self._wording: Wording | None = Wording(self._handlers)
        self._confirmed: set[Kind] = set()
        check_bounds(self.fields)
        self.header_errors: list[dict[str, Any]] = [error.to_descriptor() for error in header.errors]
        self.names = [field.name for field in self.fields]
        known = set(self.names)
        self.unique = [field.name for field in self.fields if field.constraints.get("unique")]
        self.primary: tuple[str, ...] = tuple(self.schema.primary_key)
        if not known.issuperset(self.primary):
            self.primary = ()
        references = [
            Reference(tuple(key["fields"]), key["reference"]["resource"], tuple(key["reference"]["fields"]))
            for key in self.schema.foreign_keys
        ]
        self.references = [reference for reference in references if known.issuperset(reference.fields)]
        # frictionless still reads the tables that such a key refers to, and may stumble over them.
        self.has_idle_references = len(self.references) != len(references)

    @property
    def joins_rows(self) -> bool:
        """Whether an error of a row can depend on other rows."""
        return bool(self.unique or self.primary or self.references)

    def readers(self) -> list[CellReader]:
        """For each column of the table what reads its cells, in the order of the header."""
        return [field.create_cell_reader() for field in self.fields]

    def row_errors(
        self,
        number: int,
        cells: Sequence[str],
        findings: Findings | None = None,
        doubtful: Sequence[int] | None = None,
    ) -> list[dict[str, Any]]:
        """Errors of one row, as frictionless finds them. `findings`: what the keys of its table found.

        `doubtful`: positions of the cells that are not proven to be valid, ascending; None to read every cell.
        """
        if self._wording is None:
            return self._frictionless_errors(number, cells, findings)
        row = QuickRow(self._wording, number, cells, doubtful if len(cells) == len(self.fields) else None)
        with no_stumbling():
            if findings is not None:
                self._add_key_errors(row, number, findings)
            quick = row.described()
        if row.kinds <= self._confirmed:
            return quick
        errors = self._frictionless_errors(number, cells, findings)
        if errors == quick:
            self._confirmed |= row.kinds
        else:
            self._wording = None  # it words some kind of error otherwise: it does so alone from here on
        return errors

    def _frictionless_errors(
        self, number: int, cells: Sequence[str], findings: Findings | None
    ) -> list[dict[str, Any]]:
        """Errors of one row, found and worded by frictionless's own `Row`."""
        row = _FrictionlessRow(cells, self._handlers, number)
        with no_stumbling():
            if findings is not None:
                self._add_key_errors(row, number, findings)
            return [self._described(error) for error in row.row.errors]

    def _add_key_errors(self, row: QuickRow | _FrictionlessRow, number: int, findings: Findings) -> None:
        """The steps of frictionless's own row stream in its order: a key is read before the other cells."""
        for name in self.unique:
            if row[name] is not None and (before := findings.unique[name].before(number)):
                row.add_unique(name, f"the same as in the row at position {before}")
        if self.primary:
            if {row[name] for name in self.primary} == {None}:
                row.add_primary('cells composing the primary keys are all "None"')
            elif findings.primary and (before := findings.primary.before(number)):
                row.add_primary(f"the same as in the row at position {before}")
        for group, reference in enumerate(self.references):
            values = [row[name] for name in reference.fields]
            if set(values) == {None} or not findings.is_lost(group, number):
                continue
            own, other = ", ".join(reference.fields), ", ".join(reference.other_fields)
            listed = ", ".join(str(value) for value in values)
            note = f'for "{own}": values "{listed}" not found in the lookup table "{reference.table}" as "{other}"'
            row.add_foreign(reference.fields, values, reference.table, reference.other_fields, note)

    def _described(self, error: Any) -> dict[str, Any]:
        """The descriptor of an error. frictionless looks up what belongs into it anew for every error, which costs
        more than all else; here the first of each class says it for all of them.
        """
        shape = self._shapes.get(type(error))
        if shape is None:
            descriptor: dict[str, Any] = error.to_descriptor()
            self._shapes[type(error)] = [(key, _CAPITAL.sub(_lowered, key)) for key in descriptor]
            return descriptor
        values = ((key, getattr(error, attribute)) for key, attribute in shape)
        return {key: list(value) if isinstance(value, list) else value for key, value in values}

    def whole_table(
        self, header_row: int, rows: Callable[[], Iterator[tuple[int, Sequence[str]]]]
    ) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """The errors of every row, found by frictionless alone. `rows` gives all rows below the header anew."""
        from frictionless import Dialect  # noqa: PLC0415 - see above
        from frictionless.resources import TableResource  # noqa: PLC0415 - see above

        resource = TableResource(
            name="table",
            data=lambda: _whole(self._labels, header_row, rows()),
            format="inline",
            schema=self.schema,
            dialect=Dialect(header_rows=[header_row]),
        )
        with no_stumbling(), resource:
            for row in resource.row_stream:
                yield row.row_number, [error.to_descriptor() for error in row.errors]


class _FrictionlessRow:
    """A row of frictionless, asked in the way of `QuickRow`."""

    def __init__(self, cells: Sequence[str], handlers: Any, number: int) -> None:
        from frictionless import errors  # noqa: PLC0415 - see above
        from frictionless.table import Row  # noqa: PLC0415 - see above

        self.row = Row(list(cells), handlers=handlers, row_number=number)
        self._errors = errors

    def __getitem__(self, name: str) -> Any:
        return self.row[name]

    def add_unique(self, name: str, note: str) -> None:
        self.row.errors.append(self._errors.UniqueError.from_row(self.row, note=note, field_name=name))

    def add_primary(self, note: str) -> None:
        self.row.errors.append(self._errors.PrimaryKeyError.from_row(self.row, note=note))

    def add_foreign(
        self, names: Sequence[str], values: Sequence[Any], table: str, other_names: Sequence[str], note: str
    ) -> None:
        error = self._errors.ForeignKeyError.from_row(
            self.row,
            note=note,
            field_names=list(names),
            field_values=list(values),
            reference_name=table,
            reference_field_names=list(other_names),
        )
        self.row.errors.append(error)


class Check(OpenedCheck):
    """The same for a table that was read already, with the labels of its header."""

    def __init__(self, schema: Mapping[str, Any], labels: Sequence[str], header_row: int) -> None:
        from frictionless.table import Header  # noqa: PLC0415 - see above

        read = read_schema(schema)
        with _refusing():
            super().__init__(read, Header(list(labels), fields=read.fields, row_numbers=[header_row]))


def _lowered(capital: re.Match[str]) -> str:
    return f"_{capital[0].lower()}"


def _whole(
    labels: Sequence[str], header_row: int, rows: Iterator[tuple[int, Sequence[str]]]
) -> Iterator[Sequence[str]]:
    """The table as its file has it: rows above the header, the header, then every row in its place."""
    for _ in range(header_row - 1):
        yield []
    yield labels
    expected = header_row + 1
    for number, cells in rows:
        for _ in range(expected, number):
            yield []
        expected = number + 1
        yield list(cells)


@cache
def _remember_names() -> None:
    """It turns the same few names of properties into snake case with regular expressions for every
    error it makes, which is half of what an error costs; the function is pure, so that its answers may be kept.
    """
    from frictionless.vendors import stringcase  # noqa: PLC0415 - see above

    stringcase.snakecase = cache(stringcase.snakecase)


def read_schema(schema: Mapping[str, Any]) -> Any:
    """The frictionless schema. Raises UnreadableError where it is refused."""
    from frictionless import Schema  # noqa: PLC0415 - see above

    _remember_names()
    with _refusing():
        return Schema.from_descriptor(dict(schema))


@contextmanager
def _refusing() -> Iterator[None]:
    """What frictionless has to say against a schema as a problem."""
    from frictionless import FrictionlessException  # noqa: PLC0415 - see above

    try:
        with no_stumbling(FrictionlessException):
            yield
    except FrictionlessException as error:
        notes = [each.note for each in error.reasons] or [error.error.note]
        raise _refused(notes[0]) from error


@contextmanager
def no_stumbling(*expected: type[Exception]) -> Iterator[None]:
    """A schema that frictionless takes and then stumbles over is refused: a pattern that is none (re.error),
    a key of values that cannot be compared (TypeError), …
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (MemoryError, UnreadableError, *expected)):
            raise
        raise _refused(str(error)) from error


def check_bounds(fields: Sequence[Any]) -> None:
    """A bound that its own type cannot read would break the comparison with the first value."""
    for field in fields:
        for name in _BOUNDS:
            bound = field.constraints.get(name)
            if bound is not None and field.create_value_reader()(bound) is None:
                params = {"field": shown(field.name), "key": name}
                raise UnreadableError(Problem("schema-bad-constraint", params))


def _refused(reason: str) -> UnreadableError:
    return UnreadableError(Problem("schema-refused", {"reason": shown(reason)}))
