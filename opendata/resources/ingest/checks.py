"""Drafts held against a table schema: inferred here, or sent along by the publisher.

`table_check` finds the rows in doubt on whole columns and frictionless says what is wrong with them, so that
the report is its own. What the fast path does not cover goes to frictionless as a whole table: keys of NaN,
of lists and objects, and of whole numbers beyond 64 bits. Called by `validate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from opendata.resources.ingest.blocks import NotCoveredError, blocks_of_draft
from opendata.resources.ingest.cells import CellValues
from opendata.resources.ingest.draft import draft_batches, draft_rows
from opendata.resources.ingest.frictionless_checks import Check
from opendata.resources.ingest.infer import Decision
from opendata.resources.ingest.problems import Problem
from opendata.resources.ingest.report import problem_of
from opendata.resources.ingest.table_check import TableCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opendata.resources.ingest.draft import Draft

    RowErrors = tuple[int, list[dict[str, Any]]]
    Seen = Callable[[int], None]

_KEYS_OF_DECISIONS = frozenset(
    {"name", "type", "format", "title", "description", "decimalChar", "groupChar", "constraints"}
)


@dataclass(frozen=True, slots=True)
class Checked:
    """Errors as frictionless describes them, and the rows looked at; `limit` is set where that stopped it."""

    errors: tuple[Mapping[str, Any], ...]
    rows: int
    limit: int = 0


def check_inferred(draft: Draft, schema: Mapping[str, Any], limit: int) -> Checked:
    """Shape of header and rows. Every cell fits by the way its type was decided."""
    total = _total_rows(draft)
    irregular = draft.irregular
    names = _header_names(draft, schema)
    if not irregular.blank_count and not irregular.ragged and list(draft.header) == names:
        return Checked((), total)
    fields = [field | {"name": name} for field, name in zip(schema["fields"], names, strict=True)]
    check = Check({"fields": fields}, draft.header, draft.header_row)
    if len(draft.header) < len(draft.labels):
        return _collect(check, _each(check, draft_rows(draft)), draft, limit)
    odd: dict[int, Sequence[str]] = {row: [""] * cells for row, cells in irregular.blank.items()}
    odd |= irregular.ragged
    return _collect(check, _each(check, ((row, odd[row]) for row in sorted(odd))), draft, limit)


def _each(check: Check, rows: Iterator[tuple[int, Sequence[str]]]) -> Iterator[RowErrors]:
    return ((number, check.row_errors(number, cells)) for number, cells in rows)


def _header_names(draft: Draft, schema: Mapping[str, Any]) -> list[str]:
    """The labels themselves where they can be names; a label renamed only for its case is no error."""
    seen: set[str] = set()
    names: list[str] = []
    for label, field in zip(draft.labels, schema["fields"], strict=True):
        names.append(label if label and label not in seen else field["name"])
        seen.add(label)
    return names


def check_given(draft: Draft, schema: Mapping[str, Any], limit: int, seen: Seen) -> Checked:
    """Header, rows and cells against a reduced schema. `seen` gets the rows looked at so far.

    Raises UnreadableError where frictionless refuses the schema.
    """
    check = Check(schema, draft.header, draft.header_row)
    return _collect(check, _row_errors(check, draft, schema, seen), draft, limit)


@dataclass(frozen=True, slots=True)
class FaultyCell:
    """One error of a row. `row` is numbered as people see it; `column` is empty and `value` the whole row where
    the row itself is wrong (blank, a key that occurs twice); `reason` says it in words.
    """

    row: int
    column: str
    value: str
    reason: Problem


def faulty_cells(draft: Draft, schema: Mapping[str, Any]) -> Iterator[FaultyCell]:
    """Every error of every row in order, without a limit; one error is held at a time.

    Errors of the header are not among them: no row can be set aside for those. A draft keeps blank and
    ragged rows as they were until they take too much memory (`Irregular`); of further ragged ones only the cells
    under the header are judged. Raises UnreadableError where frictionless refuses the schema.
    """
    check = Check(schema, draft.header, draft.header_row)
    types = {field["name"]: field["type"] for field in schema["fields"]}
    for _, errors in _row_errors(check, draft, schema, lambda _: None):
        for error in errors:
            value = error["cell"] if "cell" in error else " | ".join(error["cells"])
            row = error["rowNumber"] - draft.row_shift
            reason = problem_of(error, types, "", draft.row_shift)
            yield FaultyCell(row, error.get("fieldName", ""), value, reason)


def given_decisions(draft: Draft, schema: Mapping[str, Any]) -> tuple[Decision, ...]:
    """How the columns of a valid table are stored under a schema from outside."""
    check = Check(schema, draft.header, draft.header_row)
    decisions: list[Decision] = []
    read_by_schema: dict[int, CellValues] = {}
    for position, (field, reader) in enumerate(zip(schema["fields"], check.readers(), strict=True)):
        own = draft.decisions[position]
        if "missingValues" not in schema and _is_same(field, own):
            decisions.append(Decision(own.type, own.format, own.properties, own.stored))
        else:
            read_by_schema[position] = CellValues(field["type"], reader)
            decisions.append(own)
    if read_by_schema:
        for batch in draft_batches(draft.path):
            for position, values in read_by_schema.items():
                values.observe(batch.column(position))
    for position, values in read_by_schema.items():
        field = schema["fields"][position]
        stored = values.stored()
        is_lossy = stored == "string" and field["type"] in {"integer", "number", "datetime", "time"}
        notes = (Problem("kept-as-text"),) if is_lossy else ()
        decisions[position] = Decision(
            field["type"], field.get("format", "default"), {}, stored, notes, by_schema=True
        )
    return tuple(decisions)


def _is_same(field: Mapping[str, Any], decision: Decision) -> bool:
    """Whether the schema says of a column what was found out anyway."""
    properties = {key: field[key] for key in ("decimalChar", "groupChar") if key in field}
    return (
        set(field) <= _KEYS_OF_DECISIONS
        and field["type"] == decision.type
        and field.get("format", "default") == decision.format
        and properties == dict(decision.properties)
    )


def _total_rows(draft: Draft) -> int:
    return draft.row_count + draft.irregular.blank_count


def _collect(check: Check, rows: Iterator[RowErrors], draft: Draft, limit: int) -> Checked:
    """Errors of the header and of these rows, in order, cut off where frictionless cuts them off."""
    errors = list(check.header_errors)
    if len(errors) >= limit:
        return Checked(tuple(errors[:limit]), 1, limit)
    for number, found in rows:
        errors += found
        if len(errors) >= limit:
            return Checked(tuple(errors[:limit]), number - draft.header_row, limit)
    return Checked(tuple(errors), _total_rows(draft))


def _row_errors(check: Check, draft: Draft, schema: Mapping[str, Any], seen: Seen) -> Iterator[RowErrors]:
    """Every row with errors; all rows are left to frictionless where the fast path does not cover a key."""
    described = {field["name"]: field for field in schema["fields"]}
    is_own = "missingValues" not in schema
    proven = {
        position
        for position, (name, decision) in enumerate(zip(check.names, draft.decisions, strict=False))
        if is_own and name in described and _is_same(described[name], decision)
    }
    fast = TableCheck(check, partial(blocks_of_draft, draft), proven=proven)
    done = 0
    try:
        for number, errors in fast.row_errors(seen):
            yield number, errors
            done = number
    except NotCoveredError:
        theirs = check.whole_table(draft.header_row, partial(draft_rows, draft))
        yield from ((number, errors) for number, errors in theirs if number > done)
