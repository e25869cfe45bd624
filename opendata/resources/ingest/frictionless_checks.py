"""The one module that calls frictionless, which is the authority for what an error is.

It is asked about as little as possible, never for something else's opinion: a header, single rows at their
own row number (`RowCheck`), or, where keys join rows, the whole table (`check_whole`). Errors come back as
the descriptors of frictionless reports. The import costs half a second, so it is made where a file first
needs it; the child process of `limits` has it loaded beforehand.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.ingest.draft import draft_rows
from opendata.resources.ingest.problems import Problem, UnreadableError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opendata.resources.ingest.draft import Draft

    CellReader = Callable[[str], tuple[Any, dict[str, str] | None]]

MOST_ERRORS: Final = 1000
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


class Check:
    """A table schema with its header check. Raises UnreadableError where frictionless refuses the schema."""

    def __init__(self, schema: Mapping[str, Any], labels: Sequence[str], header_row: int) -> None:
        from frictionless import FrictionlessException, Schema  # noqa: PLC0415 - see above
        from frictionless.table import Header, create_cell_handlers  # noqa: PLC0415 - see above

        try:
            with _no_stumbling(FrictionlessException):
                self.schema = Schema.from_descriptor(dict(schema))
                header = Header(list(labels), fields=self.schema.fields, row_numbers=[header_row])
                self.fields = header.get_expected_fields()
                self._handlers = create_cell_handlers(self.fields)
        except FrictionlessException as error:
            notes = [each.note for each in error.reasons] or [error.error.note]
            raise _refused(notes[0]) from error
        _check_bounds(self.fields)
        self.header_errors: list[dict[str, Any]] = [error.to_descriptor() for error in header.errors]
        self.names = [field.name for field in self.fields]
        self.joins_rows = bool(
            self.schema.primary_key
            or self.schema.foreign_keys
            or any(field.constraints.get("unique") for field in self.schema.fields)
        )

    def readers(self) -> list[CellReader]:
        """For each column of the table what reads its cells, in the order of the header."""
        return [field.create_cell_reader() for field in self.fields]

    def row_errors(self, number: int, cells: Sequence[str]) -> list[dict[str, Any]]:
        """Errors of one row, as frictionless finds them."""
        from frictionless.table import Row  # noqa: PLC0415 - see above

        row = Row(list(cells), handlers=self._handlers, row_number=number)
        with _no_stumbling():
            return [error.to_descriptor() for error in row.errors]

    def check_whole(self, draft: Draft, limit: int) -> tuple[list[dict[str, Any]], int, bool]:
        """All errors of a table up to `limit`, the rows read until then, and whether the limit ended it."""
        from frictionless import Dialect  # noqa: PLC0415 - see above
        from frictionless.resources import TableResource  # noqa: PLC0415 - see above

        resource = TableResource(
            name="table",
            data=lambda: _whole(draft),
            format="inline",
            schema=self.schema,
            dialect=Dialect(header_rows=[draft.header_row]),
        )
        with _no_stumbling():
            task = resource.validate(limit_errors=limit).to_descriptor()["tasks"][0]
        return task["errors"], task["stats"].get("rows", 0), bool(task["warnings"])


def _whole(draft: Draft) -> Iterator[Sequence[str]]:
    """The table as its file has it: rows above the header, the header, then every row in its place."""
    for _ in range(draft.header_row - 1):
        yield []
    yield list(draft.header)
    expected = draft.header_row + 1
    for number, cells in draft_rows(draft):
        for _ in range(expected, number):
            yield []
        expected = number + 1
        yield list(cells)


@contextmanager
def _no_stumbling(*expected: type[Exception]) -> Iterator[None]:
    """A schema that frictionless takes and then stumbles over is refused: a pattern that is none (re.error),
    a key of values that cannot be compared (TypeError), …
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (MemoryError, *expected)):
            raise
        raise _refused(str(error)) from error


def _check_bounds(fields: Sequence[Any]) -> None:
    """A bound that its own type cannot read would break the comparison with the first value."""
    for field in fields:
        for name in _BOUNDS:
            bound = field.constraints.get(name)
            if bound is not None and field.create_value_reader()(bound) is None:
                params = {"field": shown(field.name), "key": name}
                raise UnreadableError(Problem("schema-bad-constraint", params))


def _refused(reason: str) -> UnreadableError:
    return UnreadableError(Problem("schema-refused", {"reason": shown(reason)}))
