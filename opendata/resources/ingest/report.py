"""Validation reports in the shape of frictionless `Report.to_descriptor()`, and their errors in plain words.

A table that was proven clean gets the report that frictionless would have written, without asking it. Every
error of a report also becomes a `Problem` that an officer can act on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opendata.resources.ingest.problems import Problem, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.resources.ingest.result import Identification

MOST_LISTED: Final = 100

_CELL_TYPES: Final = frozenset({"integer", "number", "date", "datetime", "boolean"})
_CODES: Final = {
    "blank-row": "row-blank",
    "extra-cell": "row-extra-cell",
    "missing-cell": "row-missing-cell",
    "primary-key": "row-key",
    "foreign-key": "row-foreign-key",
    "unique-error": "cell-not-unique",
    "extra-label": "label-extra",
    "missing-label": "label-missing",
    "blank-label": "label-blank",
    "duplicate-label": "label-duplicate",
    "incorrect-label": "label-incorrect",
}


def table_report(
    name: str,
    place: str,
    labels: Sequence[str],
    identification: Identification,
    *,
    fields: int,
    rows: int,
    seconds: float,
    errors: Sequence[Mapping[str, Any]] = (),
    limit: int = 0,
) -> dict[str, Any]:
    """The report of one table. `limit` is given where the check stopped at that many errors."""
    measured = {"md5": identification.md5, "sha256": identification.sha256, "bytes": identification.size}
    return task_report(
        name,
        place,
        labels,
        errors,
        measured | {"fields": fields, "rows": rows},
        seconds=seconds,
        limit=limit,
    )


def task_report(
    name: str,
    place: str,
    labels: Sequence[str],
    errors: Sequence[Mapping[str, Any]],
    measured: Mapping[str, Any],
    *,
    seconds: float,
    limit: int = 0,
) -> dict[str, Any]:
    """The report of one table. `measured`: what its statistics say of the file; nothing and 0 are left out."""
    warnings = [f"reached error limit: {limit}"] if limit else []
    counts = {"errors": len(errors), "warnings": len(warnings), "seconds": round(seconds, 3)}
    task = {
        "name": name,
        "type": "table",
        "valid": not errors,
        "place": place,
        "labels": list(labels),
        "stats": counts | {key: value for key, value in measured.items() if value},
        "warnings": warnings,
        "errors": [dict(error) for error in errors],
    }
    return _report_of([task], warnings=len(warnings))


def joined_report(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Reports of several tables as one, a task for each; the whole counts no warnings, as frictionless has it."""
    return _report_of([task for report in reports for task in report["tasks"]], warnings=0)


def _report_of(tasks: Sequence[Mapping[str, Any]], *, warnings: int) -> dict[str, Any]:
    return {
        "valid": all(task["valid"] for task in tasks),
        "stats": {
            "tasks": len(tasks),
            "errors": sum(task["stats"]["errors"] for task in tasks),
            "warnings": warnings,
            "seconds": round(sum(task["stats"]["seconds"] for task in tasks), 3),
        },
        "warnings": [],
        "errors": [],
        "tasks": list(tasks),
    }


def problems_of(
    report: Mapping[str, Any], schema: Mapping[str, Any], *, row_shift: int
) -> tuple[Problem, ...]:
    """The errors of a table's report as problems: the first hundred, and how many there are."""
    types = {field["name"]: field["type"] for field in schema["fields"]}
    task = report["tasks"][0]
    errors = task["errors"]
    problems = [problem_of(error, types, task["name"], row_shift) for error in errors[:MOST_LISTED]]
    if task["warnings"]:
        last = errors[-1].get("rowNumber", row_shift) - row_shift
        counts = {"count": len(errors), "listed": len(problems)}
        problems.append(Problem("many-errors", counts, table=task["name"], row=last))
    elif len(errors) > len(problems):
        counts = {"count": len(errors), "listed": len(problems)}
        problems.append(Problem("more-errors", counts, table=task["name"]))
    return tuple(problems)


def problem_of(error: Mapping[str, Any], types: Mapping[str, str], table: str, row_shift: int) -> Problem:
    """One error of a report in words. `types`: name of a field to its type; `row_shift`: see `SourceTable`."""
    kind = error["type"]
    column = error.get("fieldName") or None
    params: dict[str, Any] = {}
    if "cell" in error:
        params["value"] = shown(error["cell"])
    if "label" in error:
        params["label"] = shown(error["label"])
    if "fieldNumber" in error:
        params["position"] = error["fieldNumber"]
    if kind == "type-error":
        type_name = types.get(column or "", "any")
        params["type"] = type_name
        code = f"cell-not-{type_name}" if type_name in _CELL_TYPES else "cell-not-type"
    elif kind == "constraint-error":
        is_missing = error.get("note", "").startswith('constraint "required"')
        params["rule"] = shown(error.get("note", "").removeprefix("constraint "))
        code = "cell-required" if is_missing else "cell-constraint"
    else:
        code = _CODES.get(kind, "table-error")
        params["rule"] = shown(error.get("note") or error.get("message", ""))
    row = error["rowNumber"] - row_shift if "rowNumber" in error else None
    return Problem(code, params, table=table, row=row, column=column)
