"""The ingest pipeline: identify → validate → convert → profile, from a path to a result.

`ingest_file` is what the worker runs in a limited child process (see `limits`). It knows no database and no
store, never raises for what a file holds, and leaves Parquet files and drafts in the work folder it is given.
Each stage is a function of its own with a JSON result, so that a later run can take up after the last one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opendata.resources.formats.signature import FORMATS, claimed_format
from opendata.resources.ingest.convert import convert
from opendata.resources.ingest.identify import UnidentifiedError, identify, silent
from opendata.resources.ingest.problems import Problem, UnreadableError
from opendata.resources.ingest.profile import profile
from opendata.resources.ingest.result import Identification, IngestResult, Progress, TableResult
from opendata.resources.ingest.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from opendata.resources.ingest.validate import ValidTable

    ReportProgress = Callable[[Progress], None]

# Errors after which a file that never claimed to be a table is simply kept: it looked like one and is none.
_WRONG_GUESS = frozenset(
    {"json-not-records", "json-invalid", "json-record-not-object", "no-rows", "unclosed-quote"}
)


def ingest_file(
    source: Path,
    filename: str,
    workdir: Path,
    *,
    table_schema: Mapping[str, Any] | None = None,
    report: ReportProgress = silent,
) -> IngestResult:
    """What the file becomes. `filename` is the publisher's name for it, `workdir` an empty folder.

    A file that is broken, or breaks the schema that came along, gives a result whose `failed` is true.
    """
    try:
        identification = identify(source, filename, report=report)
    except UnidentifiedError as error:
        return IngestResult(error.identification, problems=(error.problem,))
    if not identification.table_format:
        return IngestResult(identification, no_table_reason=no_table_reason(identification))
    try:
        return _ingest_tables(
            source, filename, workdir, identification, table_schema=table_schema, report=report
        )
    except UnreadableError as error:
        if claimed_format(filename) is None and error.problem.code in _WRONG_GUESS:
            kept = _as_text(identification)
            return IngestResult(kept, no_table_reason=no_table_reason(kept))
        return IngestResult(identification, problems=(*identification.problems, error.problem))


def no_table_reason(identification: Identification) -> Problem:
    """Why a file of this format has no table."""
    if identification.format == "text":
        return Problem("text-without-table")
    return Problem("not-tabular", {"found": identification.format})


def _ingest_tables(
    source: Path,
    filename: str,
    workdir: Path,
    identification: Identification,
    *,
    table_schema: Mapping[str, Any] | None,
    report: ReportProgress,
) -> IngestResult:
    validation = validate(source, filename, identification, workdir, table_schema=table_schema, report=report)
    problems = (*identification.problems, *validation.problems)
    if not validation.tables:
        return IngestResult(identification, problems=problems, report=validation.report)
    tables = tuple(
        _publishable(source, identification, table, workdir, report) for table in validation.tables
    )
    return IngestResult(identification, tables=tables, problems=problems)


def _publishable(
    source: Path, identification: Identification, table: ValidTable, workdir: Path, report: ReportProgress
) -> TableResult:
    converted = convert(source, identification, table, workdir, report=report)
    if table.draft is not None:
        table.draft.path.unlink(missing_ok=True)
    return TableResult(
        name=table.name,
        title=table.title,
        columns=table.columns,
        row_count=table.row_count,
        table_schema=table.table_schema,
        report=table.report,
        profile=profile(converted.path, table.columns, workdir, report=report),
        parquet_path=converted.path,
        parquet_size=converted.size,
        problems=table.problems,
    )


def _as_text(identification: Identification) -> Identification:
    text = FORMATS["text"]
    return Identification(
        format=text.name,
        media_type=text.media_type,
        table_format=False,
        size=identification.size,
        sha256=identification.sha256,
        md5=identification.md5,
        encoding=identification.encoding,
    )
