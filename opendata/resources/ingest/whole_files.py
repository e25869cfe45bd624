"""Plain delimited files held against a table schema: the report of `frictionless.validate`, many times faster.

`validate_table` takes one file, `validate_package` several with foreign keys between them. frictionless opens
each file (codec, dialect, header and schema are its own decisions) and words every error; `table_check` finds
the rows that have any. Left to frictionless alone, on the whole file:
- a file or schema that it does not open, or opens without labels;
- quote characters other than ", escape characters, spaces skipped after separators, comment rows, headers of
  several rows, blank rows skipped, compressed, remote and multipart files;
- bytes that are not text in the codec of the file, and what Python's `csv` cannot read;
- keys of NaN, of lists and objects and of whole numbers beyond 64 bits; foreign keys of columns that the
  file does not have, or to tables not given;
- values that frictionless's own readers stumble over, as a moment with a zone beside a bound without one.
"""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.resources.ingest.blocks import NotCoveredError
from opendata.resources.ingest.frictionless_checks import OpenedCheck, check_bounds, no_stumbling, read_schema
from opendata.resources.ingest.plain_csv import CsvShape, PlainCsv, survey
from opendata.resources.ingest.report import joined_report, task_report
from opendata.resources.ingest.schema import reduced_schema
from opendata.resources.ingest.table_check import OtherTable, TableCheck, rows_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from opendata.resources.ingest.blocks import Block
    from opendata.resources.ingest.plain_csv import Survey

DEFAULT_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A file of a package: `name` is what foreign keys call it. `encoding` and `delimiter`: None to detect."""

    name: str
    path: Path
    schema: Mapping[str, Any]
    encoding: str | None = None
    delimiter: str | None = None


def validate_table(
    path: Path,
    schema: Mapping[str, Any],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    limit_errors: int = DEFAULT_LIMIT,
) -> dict[str, Any]:
    """The report of one file, as `Report.to_descriptor()` gives it.

    `limit_errors`: 0 for none. Raises UnreadableError for a schema that is refused.
    """
    table = NamedTable("", path, schema, encoding, delimiter)
    file = _File(table, reduced_schema(schema, is_for_validation=True))
    return file.report(limit_errors, {}, file.resource)


def validate_package(tables: Sequence[NamedTable], *, limit_errors: int = DEFAULT_LIMIT) -> dict[str, Any]:
    """The report of several files whose foreign keys may refer to each other, as `Package.validate` gives it.

    `limit_errors` counts for each table. Raises UnreadableError for a schema that is refused.
    """
    names = {table.name for table in tables}
    files = [
        _File(table, reduced_schema(table.schema, tables=names, is_for_validation=True)) for table in tables
    ]
    wanted = {reference for file in files for reference in file.refers_to()}
    others = {file.name: file.as_other() for file in files if file.name in wanted}
    reports = [
        file.report(limit_errors, others, partial(_within_package, files, position))
        for position, file in enumerate(files)
    ]
    return joined_report(reports)


def _within_package(files: Sequence[_File], position: int) -> Any:
    """One table as a resource that knows the others."""
    from frictionless import Package  # noqa: PLC0415 - see frictionless_checks

    package = Package(name="package", resources=[file.resource() for file in files])
    return package.resources[position]


@dataclass(frozen=True, slots=True)
class _Opened:
    """What frictionless made of a file when it opened it, and what was seen in its bytes."""

    name: str
    place: str
    labels: list[str]
    field_count: int
    check: OpenedCheck
    header_row: int
    source: PlainCsv
    found: Survey


class _File:
    """One file of a validation."""

    def __init__(self, table: NamedTable, schema: Mapping[str, Any]) -> None:
        self._table = table
        self._schema = schema
        self.name = table.name
        self._is_opened = False
        self._opened: _Opened | None = None
        check_bounds(read_schema(schema).fields)

    def refers_to(self) -> set[str]:
        return {key["reference"]["resource"] for key in self._schema.get("foreignKeys", ())}

    def resource(self) -> Any:
        """A new frictionless resource of the file."""
        from frictionless import Dialect  # noqa: PLC0415 - see frictionless_checks
        from frictionless.formats.csv import CsvControl  # noqa: PLC0415 - see frictionless_checks
        from frictionless.resources import TableResource  # noqa: PLC0415 - see frictionless_checks

        table = self._table
        options: dict[str, Any] = {"encoding": table.encoding} if table.encoding else {}
        if table.delimiter:
            options["dialect"] = Dialect(controls=[CsvControl(delimiter=table.delimiter)])
        if table.name:
            options["name"] = table.name
        return TableResource(
            path=table.path.name,
            basepath=str(table.path.parent),
            format="tsv" if table.path.suffix.lower() == ".tsv" else "csv",
            schema=read_schema(self._schema),
            **options,
        )

    def as_other(self) -> OtherTable | None:
        """The table for the foreign keys of others; None where it is not covered."""
        opened = self._open()
        return OtherTable(opened.check, opened.source.blocks) if opened else None

    def report(
        self, limit: int, others: Mapping[str, OtherTable | None], anew: Callable[[], Any]
    ) -> dict[str, Any]:
        """`anew` gives the resource for frictionless alone."""
        started = time.monotonic()
        opened = self._open()
        if opened is not None:
            try:
                return self._fast_report(opened, limit, others, started)
            except (NotCoveredError, csv.Error):
                pass  # said in the docstring of the module: the whole file is left to frictionless
        with no_stumbling():
            report: dict[str, Any] = anew().validate(limit_errors=limit).to_descriptor()
        return report

    def _fast_report(
        self, opened: _Opened, limit: int, others: Mapping[str, OtherTable | None], started: float
    ) -> dict[str, Any]:
        counted = _Counted(opened.source)
        table = TableCheck(
            opened.check,
            counted.blocks,
            others={name: other for name, other in others.items() if other is not None},
            own_names=("", opened.name),
        )
        errors = list(opened.check.header_errors)
        stopped_at = 0
        first = next(opened.source.blocks(), None) if limit and len(errors) >= limit else None
        if first is not None:
            stopped_at = opened.header_row + 1
            _try_first_row(opened.check, table, first)
        else:
            for number, found in table.row_errors(lambda _: None):
                errors += found
                if limit and len(errors) >= limit:
                    stopped_at = number
                    break
        seen = opened.found
        measured: dict[str, Any] = {"md5": seen.md5, "sha256": seen.sha256, "bytes": seen.size}
        rows = counted.rows
        if stopped_at:
            errors = errors[:limit]
            measured = self._measured_until(stopped_at)
            rows = stopped_at - opened.header_row
        return task_report(
            opened.name,
            opened.place,
            opened.labels,
            errors,
            {**measured, "fields": opened.field_count, "rows": rows},
            seconds=time.monotonic() - started,
            limit=limit if stopped_at else 0,
        )

    def _measured_until(self, row: int) -> dict[str, Any]:
        """Bytes and hashes as frictionless has them when it stops after a row: of what it has read so far."""
        resource = self.resource()
        resource.schema.foreign_keys = []
        with resource:
            for _ in islice(resource.cell_stream, row):
                pass
            stats = resource.stats
            return {"md5": stats.md5, "sha256": stats.sha256, "bytes": stats.bytes}

    def _open(self) -> _Opened | None:
        if not self._is_opened:
            self._is_opened = True
            self._opened = self._open_once()
        return self._opened

    def _open_once(self) -> _Opened | None:
        from frictionless import FrictionlessException  # noqa: PLC0415 - see frictionless_checks

        resource = self.resource()
        whole_schema = read_schema(self._schema)
        resource.schema.foreign_keys = []  # or it would read the tables referred to
        try:
            resource.to_descriptor(validate=True)
            with no_stumbling(FrictionlessException), resource:
                shape = _shape_of(resource)
                if shape is None:
                    return None
                check = OpenedCheck(whole_schema, resource.header)
        except FrictionlessException:
            return None  # frictionless says in its own report why it cannot open the file
        found = survey(self._table.path, shape)
        if not found.is_decodable:
            return None
        return _Opened(
            name=resource.name,
            place=resource.place,
            labels=list(resource.header.labels),
            field_count=resource.stats.fields or 0,
            check=check,
            header_row=shape.header_row,
            source=PlainCsv(self._table.path, shape, found),
            found=found,
        )


def _try_first_row(check: OpenedCheck, table: TableCheck, first: Block) -> None:
    """The header alone reaches the limit, but frictionless still reads a row, and may stumble over it."""
    if check.joins_rows or check.has_idle_references:
        next(table.row_errors(lambda _: None), None)
        return
    number, cells = next(rows_at(first, np.arange(min(1, len(first.rows)))), (0, []))
    if first.odd and (not number or first.odd[0][0] < number):
        number, cells = first.odd[0][0], list(first.odd[0][1])
    check.row_errors(number, cells)


class _Counted:
    """The blocks of a file, and how many rows its longest reading gave."""

    def __init__(self, source: PlainCsv) -> None:
        self._source = source
        self.rows = 0

    def blocks(self) -> Iterator[Block]:
        rows = 0
        for block in self._source.blocks():
            rows += len(block.rows) + len(block.odd)
            self.rows = max(self.rows, rows)
            yield block


def _shape_of(resource: Any) -> CsvShape | None:
    """How an opened file is read; None for what the fast path does not cover."""
    from frictionless.formats.csv import CsvControl  # noqa: PLC0415 - see frictionless_checks

    control = CsvControl.from_dialect(resource.dialect)
    dialect = resource.dialect
    is_plain = (
        len(control.delimiter) == 1
        and control.quote_char == '"'
        and not control.escape_char
        and not control.skip_initial_space
        and dialect.header
        and len(dialect.header_rows) == 1
        and not (dialect.comment_char or dialect.comment_rows or dialect.skip_blank_rows)
        and not (resource.compression or resource.extrapaths or resource.remote)
        and bool(resource.labels)
    )
    if not is_plain:
        return None
    return CsvShape(
        encoding=resource.encoding,
        delimiter=control.delimiter,
        header_row=dialect.header_rows[0],
        width=len(resource.labels),
        is_tsv=resource.format == "tsv",
    )
