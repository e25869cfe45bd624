"""Drafts held against a table schema: inferred here, or sent along by the publisher.

Masks over whole Arrow columns accept only cells that are certainly valid; the rows left over are rebuilt by
frictionless at their own row number, so its errors are the report's. Where keys join rows, it gets the whole
table. Called by `validate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from opendata.resources.ingest.cells import CellProof, CellValues
from opendata.resources.ingest.draft import draft_batches, draft_rows
from opendata.resources.ingest.frictionless_checks import Check
from opendata.resources.ingest.infer import Decision
from opendata.resources.ingest.problems import Problem
from opendata.resources.ingest.report import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from opendata.resources.ingest.draft import Draft

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
        return _collect(check, draft_rows(draft), draft, limit)
    odd: dict[int, Sequence[str]] = {row: [""] * cells for row, cells in irregular.blank.items()}
    odd |= irregular.ragged
    return _collect(check, ((row, odd[row]) for row in sorted(odd)), draft, limit)


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
    if check.joins_rows:
        errors, rows, is_limited = check.check_whole(draft, limit)
        return Checked(tuple(errors), rows, limit if is_limited else 0)
    if len(draft.header) < len(draft.labels):
        return _collect(check, draft_rows(draft), draft, limit)
    return _collect(check, _doubtful_rows(check, draft, schema, seen), draft, limit)


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

    Errors of the header are not among them: no row can be set aside for those. Raises UnreadableError where
    frictionless refuses the schema.
    """
    check = Check(schema, draft.header, draft.header_row)
    types = {field["name"]: field["type"] for field in schema["fields"]}
    for error in _row_errors(check, draft, schema):
        value = error["cell"] if "cell" in error else " | ".join(error["cells"])
        row = error["rowNumber"] - draft.row_shift
        reason = problem_of(error, types, "", draft.row_shift)
        yield FaultyCell(row, error.get("fieldName", ""), value, reason)


def _row_errors(check: Check, draft: Draft, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if check.joins_rows:
        errors, _, _ = check.check_whole(draft, 0)
        yield from (error for error in errors if "rowNumber" in error)
        return
    rows = (
        draft_rows(draft)
        if len(draft.header) < len(draft.labels)
        else _doubtful_rows(check, draft, schema, lambda _: None)
    )
    for number, cells in rows:
        yield from check.row_errors(number, cells)


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


def _collect(check: Check, rows: Iterator[tuple[int, Sequence[str]]], draft: Draft, limit: int) -> Checked:
    """Errors of the header and of these rows, in order, cut off where frictionless cuts them off."""
    errors = list(check.header_errors)
    if len(errors) >= limit:
        return Checked(tuple(errors[:limit]), 1, limit)
    for number, cells in rows:
        errors += check.row_errors(number, cells)
        if len(errors) >= limit:
            return Checked(tuple(errors[:limit]), number - draft.header_row, limit)
    return Checked(tuple(errors), _total_rows(draft))


def _doubtful_rows(
    check: Check, draft: Draft, schema: Mapping[str, Any], seen: Seen
) -> Iterator[tuple[int, Sequence[str]]]:
    """Every row that is not certainly clean, blank and ragged rows included, in order."""
    proofs = _proofs(check, draft, schema)
    irregular = draft.irregular
    blank = sorted(irregular.blank)
    done = 0
    for batch in draft_batches(draft.path):
        *columns, numbers = batch.columns
        doubtful = _doubtful(proofs, columns)
        if irregular.ragged:
            doubtful = pc.or_(doubtful, pc.is_in(numbers, pa.array(list(irregular.ragged), pa.int64())))
        found = pa.RecordBatch.from_arrays([*columns, numbers], names=batch.schema.names).filter(doubtful)
        *cells, rows = (column.to_pylist() for column in found.columns)
        for number, *values in zip(rows, *cells, strict=True):
            while blank and blank[0] < number:
                yield blank[0], [""] * irregular.blank[blank.pop(0)]
            yield number, irregular.ragged.get(number) or [value or "" for value in values]
        done += batch.num_rows
        seen(done)
    for number in blank:
        yield number, [""] * irregular.blank[number]


def _proofs(check: Check, draft: Draft, schema: Mapping[str, Any]) -> list[CellProof]:
    """One for each column of the table; one that the schema does not know is of type any."""
    described = {field["name"]: field for field in schema["fields"]}
    shared = {key: schema[key] for key in ("missingValues",) if key in schema}
    proofs = []
    for name, reader, decision in zip(check.names, check.readers(), draft.decisions, strict=True):
        field = {"type": "any"} | described.get(name, {}) | shared
        proofs.append(CellProof(field, reader, is_proven=_is_same(field, decision)))
    return proofs


def _doubtful(proofs: Sequence[CellProof], columns: Sequence[pa.Array]) -> pa.Array:
    """Rows with a cell that is not certainly valid, and rows in which every cell counts as blank."""
    all_valid: pa.Array | None = None
    all_blank: pa.Array | None = None
    for proof, column in zip(proofs, columns, strict=True):
        valid, blank = proof.prove(column)
        all_valid = valid if all_valid is None else pc.and_(all_valid, valid)
        all_blank = blank if all_blank is None else pc.and_(all_blank, blank)
    return pc.or_(pc.invert(all_valid), all_blank)
