"""What the pipeline hands back, as plain frozen values.

Built by the stages, carried as JSON from the child process to the worker, stored by `resources.service`.
Every class has `to_json()` and `from_json()` that are exact opposites; dictionaries inside hold JSON values
only (dates and decimals are already text).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.ingest.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultyRows(StrEnum):
    """What is done with rows that break the schema: refuse the file, set the rows aside, or keep text."""

    REFUSE = "refuse"
    SET_ASIDE = "set-aside"
    AS_TEXT = "as-text"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is. `stage`: identify, validate, convert or profile; `unit`: bytes or rows."""

    stage: str
    done: int
    total: int
    unit: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Progress:
        return cls(data["stage"], data["done"], data["total"], data["unit"])


@dataclass(frozen=True, slots=True)
class Dialect:
    r"""How rows and cells of delimited text are told apart. `line_end`: `\n`, `\r\n`, `\r` or `mixed`."""

    delimiter: str
    quote: str
    line_end: str


@dataclass(frozen=True, slots=True)
class Identification:
    """What the file is, by its content. `evidence` says why, in JSON values, for people and for tests.

    `format` is a key of `problem_kind.FORMAT_NAMES`, `sha256` and `size` (bytes) are those of the source.
    `table_format` is false where the format never holds a table that is read here. `encoding` is a Python
    codec name, None for formats that are not text.
    """

    format: str
    media_type: str
    table_format: bool
    size: int
    sha256: str
    md5: str
    encoding: str | None = None
    dialect: Dialect | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "media_type": self.media_type,
            "table_format": self.table_format,
            "size": self.size,
            "sha256": self.sha256,
            "md5": self.md5,
            "encoding": self.encoding,
            "dialect": asdict(self.dialect) if self.dialect else None,
            "evidence": dict(self.evidence),
            "problems": _problems_to_json(self.problems),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Identification:
        return cls(
            format=data["format"],
            media_type=data["media_type"],
            table_format=data["table_format"],
            size=data["size"],
            sha256=data["sha256"],
            md5=data["md5"],
            encoding=data["encoding"],
            dialect=Dialect(**data["dialect"]) if data["dialect"] else None,
            evidence=data["evidence"],
            problems=_problems_from_json(data["problems"]),
        )


@dataclass(frozen=True, slots=True)
class Column:
    """A published column. `type` and `format` are those of the Table Schema field of the same name.

    `notes` say why a column stayed text; `choices` are the Table Schema properties that each reading of an
    ambiguous column would have, the likeliest first; `meaning` is the key of its semantic type.
    """

    name: str
    type: str
    format: str = "default"
    title: str | None = None
    description: str | None = None
    notes: tuple[Problem, ...] = ()
    choices: tuple[Mapping[str, Any], ...] = ()
    meaning: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "title": self.title,
            "description": self.description,
            "notes": _problems_to_json(self.notes),
            "choices": [dict(choice) for choice in self.choices],
            "meaning": self.meaning,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Column:
        return cls(
            name=data["name"],
            type=data["type"],
            format=data["format"],
            title=data["title"],
            description=data["description"],
            notes=_problems_from_json(data["notes"]),
            choices=tuple(data["choices"]),
            meaning=data.get("meaning"),
        )


QUARANTINE_HEADER: Final = ("row", "column", "value", "reason_vi", "reason_en")


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The CSV file that lists the cells for which rows were set aside; `size` in bytes."""

    path: Path
    size: int
    rows: int

    def to_json(self) -> dict[str, Any]:
        return {"path": str(self.path), "size": self.size, "rows": self.rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Quarantine:
        return cls(Path(data["path"]), data["size"], data["rows"])


@dataclass(frozen=True, slots=True)
class TableResult:
    """One table of the file, converted. `report` has the shape of frictionless `Report.to_descriptor()`.

    `findings` are the personal data found in it, masked (`meanings.screen`).
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    row_count: int
    table_schema: Mapping[str, Any]
    report: Mapping[str, Any]
    profile: Mapping[str, Any]
    parquet_path: Path
    parquet_size: int
    problems: tuple[Problem, ...] = ()
    quarantine: Quarantine | None = None
    findings: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "columns": [column.to_json() for column in self.columns],
            "row_count": self.row_count,
            "table_schema": dict(self.table_schema),
            "report": dict(self.report),
            "profile": dict(self.profile),
            "parquet_path": str(self.parquet_path),
            "parquet_size": self.parquet_size,
            "problems": _problems_to_json(self.problems),
            "quarantine": self.quarantine.to_json() if self.quarantine else None,
            "findings": [dict(finding) for finding in self.findings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TableResult:
        return cls(
            name=data["name"],
            title=data["title"],
            columns=tuple(Column.from_json(column) for column in data["columns"]),
            row_count=data["row_count"],
            table_schema=data["table_schema"],
            report=data["report"],
            profile=data["profile"],
            parquet_path=Path(data["parquet_path"]),
            parquet_size=data["parquet_size"],
            problems=_problems_from_json(data["problems"]),
            quarantine=Quarantine.from_json(data["quarantine"]) if data["quarantine"] else None,
            findings=tuple(data["findings"]),
        )


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What one file became: tables, or the reason why it has none, or the problems that stopped it.

    Exactly one of `tables`, `no_table_reason` and `failed` holds. `problems` are those of the file as a
    whole; with a schema from outside they list its errors. `report` is the frictionless report of a file
    that failed its schema; each table of a file that passed carries its own.
    """

    identification: Identification
    tables: tuple[TableResult, ...] = ()
    no_table_reason: Problem | None = None
    problems: tuple[Problem, ...] = ()
    report: Mapping[str, Any] | None = None

    @property
    def failed(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def to_json(self) -> dict[str, Any]:
        return {
            "identification": self.identification.to_json(),
            "tables": [table.to_json() for table in self.tables],
            "no_table_reason": self.no_table_reason.to_json() if self.no_table_reason else None,
            "problems": _problems_to_json(self.problems),
            "report": dict(self.report) if self.report is not None else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> IngestResult:
        reason = data["no_table_reason"]
        return cls(
            identification=Identification.from_json(data["identification"]),
            tables=tuple(TableResult.from_json(table) for table in data["tables"]),
            no_table_reason=Problem.from_json(reason) if reason else None,
            problems=_problems_from_json(data["problems"]),
            report=data["report"],
        )


def _problems_to_json(problems: tuple[Problem, ...]) -> list[dict[str, Any]]:
    return [problem.to_json() for problem in problems]


def _problems_from_json(data: list[Mapping[str, Any]]) -> tuple[Problem, ...]:
    return tuple(Problem.from_json(problem) for problem in data)
