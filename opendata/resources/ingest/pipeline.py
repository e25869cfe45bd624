"""The ingest pipeline: identify → validate → convert → profile, from a path to a result.

`ingest_file` is what the worker runs in a limited child process (see `limits`). It knows no database and no
store, never raises for what a file holds, and leaves Parquet files and drafts in the work folder it is given.
Each stage is a function of its own with a JSON result, so that a later run can take up after the last one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from opendata.resources.formats.corrections import Corrections
from opendata.resources.formats.signature import FORMATS, claimed_format
from opendata.resources.ingest.convert import ConvertedTable, convert
from opendata.resources.ingest.identify import UnidentifiedError, identify, silent
from opendata.resources.ingest.problems import Problem, UnreadableError
from opendata.resources.ingest.profile import profile
from opendata.resources.ingest.result import FaultyRows, Identification, IngestResult, Progress, TableResult
from opendata.resources.ingest.stages import FinishedStages
from opendata.resources.ingest.validate import Validation, validate
from opendata.resources.meanings.recognise import recognise
from opendata.resources.meanings.screen import screen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from opendata.resources.ingest.result import Column
    from opendata.resources.ingest.validate import ValidTable
    from opendata.resources.meanings.personal_finding import PersonalFinding

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
    corrections: Mapping[str, Any] | None = None,
    faulty_rows: str = FaultyRows.REFUSE,
    report: ReportProgress = silent,
) -> IngestResult:
    """What the file becomes. `filename` is the publisher's name for it, `workdir` a folder of its own.

    `corrections` is the JSON of `formats.corrections`. Stages that an earlier call finished in `workdir` for
    the same file, read in the same way, are not done again. A file that is broken, or breaks the schema that
    came along, gives a result whose `failed` is true.
    """
    wishes = _Wishes(table_schema, corrections, FaultyRows(faulty_rows))
    state = source.stat()
    about = {"source": [str(source), state.st_size, state.st_mtime_ns], "name": filename} | asdict(wishes)
    stages = FinishedStages(workdir, about)
    try:
        identification = stages.once(
            "identify", Identification, lambda: identify(source, filename, report=report)
        )
    except UnidentifiedError as error:
        return IngestResult(error.identification, problems=(error.problem,))
    if not identification.table_format:
        return IngestResult(identification, no_table_reason=no_table_reason(identification))
    run = _Run(source, filename, workdir, wishes, stages, identification, report)
    try:
        return run.tables()
    except UnreadableError as error:
        is_guess = claimed_format(filename) is None and identification.encoding is not None
        if is_guess and error.problem.code in _WRONG_GUESS:
            kept = _as_text(identification)
            return IngestResult(kept, no_table_reason=no_table_reason(kept))
        return IngestResult(identification, problems=(*identification.problems, error.problem))


def no_table_reason(identification: Identification) -> Problem:
    """Why a file of this format has no table."""
    if identification.format == "text":
        return Problem("text-without-table")
    if irregular := identification.evidence.get("irregular"):
        return Problem("xml-irregular", {"element": irregular})
    return Problem("not-tabular", {"found": identification.format})


@dataclass(frozen=True, slots=True)
class _Wishes:
    """How the publisher wants the file to be read."""

    table_schema: Mapping[str, Any] | None
    corrections: Mapping[str, Any] | None
    faulty_rows: FaultyRows


@dataclass(frozen=True, slots=True)
class _Run:
    """The stages after identification, for one file."""

    source: Path
    filename: str
    workdir: Path
    wishes: _Wishes
    stages: FinishedStages
    identification: Identification
    report: ReportProgress

    def tables(self) -> IngestResult:
        validation = self.stages.once("validate", Validation, self._validate)
        problems = (*self.identification.problems, *validation.problems)
        if not validation.tables:
            return IngestResult(self.identification, problems=problems, report=validation.report)
        tables = tuple(self._publishable(table) for table in validation.tables)
        return IngestResult(self.identification, tables=tables, problems=problems)

    def _validate(self) -> Validation:
        corrections = self.wishes.corrections
        return validate(
            self.source,
            self.filename,
            self.identification,
            self.workdir,
            table_schema=self.wishes.table_schema,
            corrections=Corrections.from_json(dict(corrections)) if corrections else None,
            faulty_rows=self.wishes.faulty_rows,
            report=self.report,
        )

    def _publishable(self, table: ValidTable) -> TableResult:
        converted = self.stages.once(
            f"convert-{table.name}",
            ConvertedTable,
            lambda: convert(self.source, self.identification, table, self.workdir, report=self.report),
            "path",
        )
        pa.default_memory_pool().release_unused()  # Arrow keeps what was freed, for itself alone
        with ThreadPoolExecutor(1) as pool:  # both work outside Python's lock most of the time
            understood = pool.submit(understand, converted.path, table.columns)
            described = profile(converted.path, table.columns, self.workdir, report=self.report)
            columns, found = understood.result()
        result = TableResult(
            name=table.name,
            title=table.title,
            columns=columns,
            row_count=table.row_count,
            table_schema=table.table_schema,
            report=table.report,
            profile=described,
            parquet_path=converted.path,
            parquet_size=converted.size,
            problems=table.problems,
            quarantine=table.quarantine,
            findings=tuple(finding.to_json() | {"table": table.name} for finding in found),
        )
        if table.draft is not None:
            table.draft.path.unlink(missing_ok=True)
        return result


def understand(
    path: Path, columns: tuple[Column, ...]
) -> tuple[tuple[Column, ...], tuple[PersonalFinding, ...]]:
    """The columns with what they mean, and the personal data in them."""
    meanings = recognise(path, columns)
    named = tuple(replace(column, meaning=meaning) for column, meaning in zip(columns, meanings, strict=True))
    return named, screen(path, named, meanings)


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
