"""`inspect`, `validate` and `convert` for files from strangers: the same answers, from a child under limits without network.

Called by the command line and by `tabular.conversion`. What the child cannot do within its limits is an UnreadableFileError in the words of
the page, so a hostile file costs the caller nothing but the wait.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from opendata.resources.ingest.frictionless_checks import MOST_ERRORS
from opendata.resources.ingest.inspection import (
    Inspection,
    ParquetTable,
    UnknownTableError,
    UnreadableFileError,
    inspect_file,
    table_as_parquet,
    validate_file,
)
from opendata.resources.ingest.limits import Limits, run_limited
from opendata.resources.ingest.packages import check_file, check_package
from opendata.resources.ingest.problems import Problem
from opendata.resources.ingest.result import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def limited_inspection(path: Path, *, limits: Limits | None = None) -> Inspection:
    """`inspection.inspect_file` in a limited child. Raises UnreadableFileError."""
    return Inspection.from_json(_answer(run_limited(inspect_to_json, (path,), limits=limits)))


def limited_validation(
    path: Path,
    table_schema: Mapping[str, Any] | None = None,
    limit_errors: int = MOST_ERRORS,
    *,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """`inspection.validate_file` in a limited child. Raises UnreadableFileError."""
    return _answer(run_limited(validate_to_json, (path, table_schema, limit_errors), limits=limits))


def limited_check(
    path: Path,
    table_schema: Mapping[str, Any] | None,
    limit_errors: int,
    *,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """`packages.check_file` in a limited child. Raises UnreadableFileError."""
    return _answer(run_limited(check_to_json, (path, table_schema, limit_errors), limits=limits))


def limited_package_check(
    descriptor: Mapping[str, Any], files: Sequence[Path], limit_errors: int, *, limits: Limits | None = None
) -> dict[str, Any]:
    """`packages.check_package` in a limited child. Raises UnreadableFileError."""
    return _answer(
        run_limited(package_check_to_json, (descriptor, tuple(files), limit_errors), limits=limits)
    )


def limited_table(
    path: Path, workdir: Path, table: str | None = None, *, limits: Limits | None = None
) -> ParquetTable:
    """`inspection.table_as_parquet` in a limited child, which writes into `workdir`.

    Raises UnreadableFileError, UnknownTableError.
    """
    found = run_limited(table_to_json, (path, workdir, table), limits=limits)
    if not isinstance(found, Problem) and "unknown" in found:
        raise UnknownTableError(**found["unknown"])
    answer = _answer(found)
    columns = tuple(Column.from_json(column) for column in answer["columns"])
    return ParquetTable(answer["name"], columns, answer["row_count"], Path(answer["path"]))


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


def check_to_json(path: Path, table_schema: Mapping[str, Any] | None, limit_errors: int) -> dict[str, Any]:
    """What the child does for `limited_check`: the report, or the problem, as JSON."""
    try:
        return {"answer": check_file(path, table_schema, limit_errors)}
    except UnreadableFileError as error:
        return {"problem": error.problem.to_json()}


def package_check_to_json(
    descriptor: Mapping[str, Any], files: Sequence[Path], limit_errors: int
) -> dict[str, Any]:
    """What the child does for `limited_package_check`: the report, or the problem, as JSON."""
    try:
        return {"answer": check_package(descriptor, files, limit_errors)}
    except UnreadableFileError as error:
        return {"problem": error.problem.to_json()}


def table_to_json(path: Path, workdir: Path, table: str | None) -> dict[str, Any]:
    """What the child does for `limited_table`: what stands in the file it wrote, or the problem, as JSON."""
    try:
        found = table_as_parquet(path, workdir, table)
    except UnreadableFileError as error:
        return {"problem": error.problem.to_json()}
    except UnknownTableError as error:
        return {"unknown": dict(error.params)}
    columns = [column.to_json() for column in found.columns]
    return {
        "answer": {
            "name": found.name,
            "columns": columns,
            "row_count": found.row_count,
            "path": str(found.path),
        }
    }


def _answer(found: dict[str, Any] | Problem) -> dict[str, Any]:
    if isinstance(found, Problem):
        raise UnreadableFileError(found)
    if "problem" in found:
        raise UnreadableFileError(Problem.from_json(found["problem"]))
    answer: dict[str, Any] = found["answer"]
    return answer
