"""The pipeline's parts for the command line: look at a file, check it, turn it into another format.

Pure functions, path in, value or file out; each works in a temporary folder of its own. A file that cannot be
read is an UnreadableFileError with the same words an officer would see on the page.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from pyarrow import ipc

from opendata.kernel.errors import N_, PortalError
from opendata.resources.ingest.convert import convert
from opendata.resources.ingest.frictionless_checks import MOST_ERRORS
from opendata.resources.ingest.identify import identify, silent
from opendata.resources.ingest.pipeline import no_table_reason
from opendata.resources.ingest.problems import Problem, UnreadableError
from opendata.resources.ingest.validate import Validation, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opendata.resources.ingest.result import Column, Identification, Progress

    ReportProgress = Callable[[Progress], None]
    Translate = Callable[[str], str]

OUTPUTS: Final = ("csv", "parquet", "arrow", "jsonl")
_BATCH: Final = 16_384


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


class UnknownOutputError(PortalError):
    code = "unknown-output"
    status = 422
    template = N_("The ending “%(ending)s” is not a format that can be written. Known are: %(known)s.")


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


def inspect_file(path: Path, *, report: ReportProgress = silent) -> Inspection:
    """Identify a file and decide the types of all columns, without writing tables. Raises UnreadableFileError."""
    with _workdir() as workdir:
        identification = identify(path, path.name, report=report)
        if not identification.table_format:
            return Inspection(identification, (), no_table_reason(identification), ())
        found = validate(path, path.name, identification, workdir, report=report)
    outlines = tuple(
        TableOutline(
            name=table.name,
            title=table.title,
            header_row=table.draft.header_row if table.draft and not table.draft.row_shift else None,
            row_count=table.row_count,
            columns=table.columns,
            table_schema=table.table_schema,
            problems=table.problems,
        )
        for table in found.tables
    )
    return Inspection(identification, outlines, None, (*identification.problems, *found.problems))


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


def convert_file(path: Path, out: Path, table: str | None = None, *, report: ReportProgress = silent) -> int:
    """Write a table (the first, or the one named) as it would be published; the number of rows.

    The ending of `out` says the format: csv, parquet, arrow or jsonl. `out` is replaced whole, or not at all.
    Raises UnreadableFileError, UnknownTableError, UnknownOutputError, OSError.
    """
    ending = out.suffix.lower().removeprefix(".")
    if ending not in OUTPUTS:
        raise UnknownOutputError(ending=out.suffix, known=", ".join(OUTPUTS))
    with _workdir() as workdir:
        identification, found = _validated(path, workdir, None, MOST_ERRORS, report)
        chosen = next((each for each in found.tables if table in {None, each.name}), None)
        if chosen is None:
            raise UnknownTableError(name=table, known=", ".join(each.name for each in found.tables))
        converted = convert(path, identification, chosen, workdir, report=report)
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as target:
            partial = Path(target.name)
            try:
                _write(converted.path, target, ending)
                target.flush()
                os.replace(partial, out)  # noqa: PTH105 - atomic, and says so
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    return chosen.row_count


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
    with tempfile.TemporaryDirectory(prefix="opendata-") as folder:
        try:
            yield Path(folder)
        except UnreadableError as error:
            raise UnreadableFileError(error.problem) from error


def _write(source: Path, target: IO[bytes], ending: str) -> None:
    if ending == "parquet":
        with source.open("rb") as ready:
            shutil.copyfileobj(ready, target)
        return
    with pq.ParquetFile(source) as table:
        batches = table.iter_batches(_BATCH)
        schema = table.schema_arrow.remove_metadata()
        if ending == "arrow":
            with ipc.new_file(target, schema) as writer:
                for batch in batches:
                    writer.write_batch(batch.replace_schema_metadata(None))
        elif ending == "csv":
            _write_csv(batches, schema, target)
        else:
            for batch in batches:
                for row in batch.to_pylist():
                    target.write(json.dumps(row, ensure_ascii=False, default=_json_value).encode() + b"\n")


def _write_csv(batches: Iterator[pa.RecordBatch], schema: pa.Schema, target: IO[bytes]) -> None:
    """UTF-8, comma, quotes where needed; moments in ISO 8601 as JSON has them."""
    text = pa.schema(
        [pa.field(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in schema]
    )
    with arrow_csv.CSVWriter(
        target, text, write_options=arrow_csv.WriteOptions(quoting_style="needed")
    ) as writer:
        for batch in batches:
            columns = [
                pa.array([_json_value(value) if value else None for value in column.to_pylist()], pa.string())
                if pa.types.is_timestamp(column.type)
                else column
                for column in batch.columns
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=text))


def _json_value(value: Any) -> str:
    """Dates and moments in ISO 8601; decimals as text, which keeps their digits."""
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
