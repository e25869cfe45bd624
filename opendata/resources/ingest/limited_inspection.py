"""`inspect` and `validate` for files from strangers: the same answers, from a child under limits without network.

Called by the command line. What the child cannot do within its limits is an UnreadableFileError in the words of
the page, so a hostile file costs the caller nothing but the wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opendata.resources.ingest.frictionless_checks import MOST_ERRORS
from opendata.resources.ingest.inspection import (
    Inspection,
    TableOutline,
    UnreadableFileError,
    inspect_file,
    validate_file,
)
from opendata.resources.ingest.limits import Limits, run_limited
from opendata.resources.ingest.problems import Problem
from opendata.resources.ingest.result import Column, Identification

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def limited_inspection(path: Path, *, limits: Limits | None = None) -> Inspection:
    """`inspection.inspect_file` in a limited child. Raises UnreadableFileError."""
    return _inspection(_answer(run_limited(inspect_to_json, (path,), limits=limits)))


def limited_validation(
    path: Path,
    table_schema: Mapping[str, Any] | None = None,
    limit_errors: int = MOST_ERRORS,
    *,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """`inspection.validate_file` in a limited child. Raises UnreadableFileError."""
    return _answer(run_limited(validate_to_json, (path, table_schema, limit_errors), limits=limits))


def inspect_to_json(path: Path) -> dict[str, Any]:
    """What the child does for `limited_inspection`: the answer, or the problem, as JSON."""
    try:
        return {"answer": inspect_file(path).to_json()}
    except UnreadableFileError as error:
        return {"problem": error.problem.to_json()}


def validate_to_json(path: Path, table_schema: Mapping[str, Any] | None, limit_errors: int) -> dict[str, Any]:
    """What the child does for `limited_validation`: the report, or the problem, as JSON."""
    try:
        return {"answer": validate_file(path, table_schema, limit_errors)}
    except UnreadableFileError as error:
        return {"problem": error.problem.to_json()}


def _answer(found: dict[str, Any] | Problem) -> dict[str, Any]:
    if isinstance(found, Problem):
        raise UnreadableFileError(found)
    if "problem" in found:
        raise UnreadableFileError(Problem.from_json(found["problem"]))
    answer: dict[str, Any] = found["answer"]
    return answer


def _inspection(data: Mapping[str, Any]) -> Inspection:
    reason = data["no_table_reason"]
    return Inspection(
        identification=Identification.from_json(data["identification"]),
        tables=tuple(_outline(table) for table in data["tables"]),
        no_table_reason=Problem.from_json(reason) if reason else None,
        problems=tuple(Problem.from_json(problem) for problem in data["problems"]),
    )


def _outline(data: Mapping[str, Any]) -> TableOutline:
    return TableOutline(
        name=data["name"],
        title=data["title"],
        header_row=data["header_row"],
        row_count=data["row_count"],
        columns=tuple(Column.from_json(column) for column in data["columns"]),
        table_schema=data["table_schema"],
        problems=tuple(Problem.from_json(problem) for problem in data["problems"]),
    )
