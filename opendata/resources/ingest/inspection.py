"""The pipeline's parts for the command line: look at a file, check it, or take one table of it as Parquet.

Pure functions, path in, value or file out. A file that cannot be read is an UnreadableFileError with the same
words an officer would see on the page.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from opendata.kernel.errors import N_, PortalError
from opendata.resources.ingest.convert import convert
from opendata.resources.ingest.frictionless_checks import MOST_ERRORS
from opendata.resources.ingest.identify import identify, silent
from opendata.resources.ingest.pipeline import no_table_reason, understand
from opendata.resources.ingest.problems import Problem, UnreadableError
from opendata.resources.ingest.result import Column, Identification
from opendata.resources.ingest.validate import Validation, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opendata.resources.ingest.result import Progress
    from opendata.resources.ingest.validate import ValidTable

    ReportProgress = Callable[[Progress], None]
    Translate = Callable[[str], str]


class UnreadableFileError(PortalError):
    """A file that is no table, or a broken one; `problem` says why."""

    code: ClassVar[str] = "unreadable-file"
    status: ClassVar[int] = 422
    template: ClassVar[str] = N_("The file cannot be read as a table.")

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__()

    def message(self, translate: Translate = str) -> str:
        return self.problem.message(translate)


class UnknownTableError(PortalError):
    code = "unknown-table"
    status = 404
    template = N_("The file has no table “%(name)s”. It has: %(known)s.")


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """A converted table: the Parquet file at `path`."""

    name: str
    columns: tuple[Column, ...]
    row_count: int
    path: Path


@dataclass(frozen=True, slots=True)
class TableOutline:
    """A table as `inspect` shows it. `header_row` is None where the format has no header row."""

    name: str
    title: str
    header_row: int | None
    row_count: int
    columns: tuple[Column, ...]
    table_schema: Mapping[str, Any]
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "header_row": self.header_row,
            "row_count": self.row_count,
            "columns": [column.to_json() for column in self.columns],
            "table_schema": dict(self.table_schema),
            "problems": [problem.to_json() for problem in self.problems],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TableOutline:
        return cls(
            name=data["name"],
            title=data["title"],
            header_row=data["header_row"],
            row_count=data["row_count"],
            columns=tuple(Column.from_json(column) for column in data["columns"]),
            table_schema=data["table_schema"],
            problems=tuple(Problem.from_json(problem) for problem in data["problems"]),
        )


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file is and what tables it would become; `no_table_reason` says why it would become none."""

    identification: Identification
    tables: tuple[TableOutline, ...]
    no_table_reason: Problem | None
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "identification": self.identification.to_json(),
            "tables": [table.to_json() for table in self.tables],
            "no_table_reason": self.no_table_reason.to_json() if self.no_table_reason else None,
            "problems": [problem.to_json() for problem in self.problems],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Inspection:
        reason = data["no_table_reason"]
        return cls(
            identification=Identification.from_json(data["identification"]),
            tables=tuple(TableOutline.from_json(table) for table in data["tables"]),
            no_table_reason=Problem.from_json(reason) if reason else None,
            problems=tuple(Problem.from_json(problem) for problem in data["problems"]),
        )


def inspect_file(path: Path, *, report: ReportProgress = silent) -> Inspection:
    """Identify a file, decide the types of all columns and what they mean. Raises UnreadableFileError."""
    with _workdir() as workdir:
        identification = identify(path, path.name, report=report)
        if not identification.table_format:
            return Inspection(identification, (), no_table_reason(identification), ())
        found = validate(path, path.name, identification, workdir, report=report)
        outlines = tuple(_outline(path, identification, table, workdir, report) for table in found.tables)
    return Inspection(identification, outlines, None, (*identification.problems, *found.problems))


def _outline(
    path: Path, identification: Identification, table: ValidTable, workdir: Path, report: ReportProgress
) -> TableOutline:
    """What a table would become; what its columns mean is told by all of its values."""
    converted = convert(path, identification, table, workdir, report=report)
    columns, personal = understand(converted.path, table.columns)
    found = tuple(finding.problem().in_table(table.name) for finding in personal)
    return TableOutline(
        name=table.name,
        title=table.title,
        header_row=table.draft.header_row if table.draft and not table.draft.row_shift else None,
        row_count=table.row_count,
        columns=columns,
        table_schema=table.table_schema,
        problems=(*table.problems, *found),
    )


def validate_file(
    path: Path,
    table_schema: Mapping[str, Any] | None = None,
    limit_errors: int = MOST_ERRORS,
    *,
    report: ReportProgress = silent,
) -> dict[str, Any]:
    """The validation report of a file, a task for each table, in the shape of frictionless.

    `limit_errors` is at most 1,000. Raises UnreadableFileError.
    """
    with _workdir() as workdir:
        _, found = _validated(path, workdir, table_schema, limit_errors, report)
    return dict(found.report)


def table_as_parquet(
    path: Path, workdir: Path, table: str | None = None, *, report: ReportProgress = silent
) -> ParquetTable:
    """Convert one table (the first, or the one named) as it would be published, into a file in `workdir`.

    Raises UnreadableFileError, UnknownTableError.
    """
    with _in_words():
        identification, found = _validated(path, workdir, None, MOST_ERRORS, report)
        chosen = next((each for each in found.tables if table in {None, each.name}), None)
        if chosen is None:
            raise UnknownTableError(name=table, known=", ".join(each.name for each in found.tables))
        converted = convert(path, identification, chosen, workdir, report=report)
    return ParquetTable(chosen.name, chosen.columns, chosen.row_count, converted.path)


def _validated(
    path: Path,
    workdir: Path,
    table_schema: Mapping[str, Any] | None,
    limit_errors: int,
    report: ReportProgress,
) -> tuple[Identification, Validation]:
    identification = identify(path, path.name, report=report)
    if not identification.table_format:
        raise UnreadableFileError(no_table_reason(identification))
    found = validate(
        path,
        path.name,
        identification,
        workdir,
        table_schema=table_schema,
        limit_errors=limit_errors,
        report=report,
    )
    return identification, found


@contextmanager
def _workdir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="opendata-") as folder, _in_words():
        yield Path(folder)


@contextmanager
def _in_words() -> Iterator[None]:
    """Problems of the stages as an error with a message for people."""
    try:
        yield
    except UnreadableError as error:
        raise UnreadableFileError(error.problem) from error
