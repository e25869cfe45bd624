"""Stage two, validate: read every table, decide its types or hold it against the schema that came along.

Without a schema from outside the types are decided from all values, so only the shape of header and rows can
be wrong; such a table is published and what was wrong is said. With one, any error stops the file: then
there are no tables, but problems and the report.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from opendata.kernel.text import clean_line, slugify
from opendata.resources.formats.readers import TYPED, read_tables
from opendata.resources.formats.table import Irregular
from opendata.resources.ingest.checks import Checked, check_given, check_inferred, given_decisions
from opendata.resources.ingest.draft import Draft, draft_table
from opendata.resources.ingest.frictionless_checks import MOST_ERRORS
from opendata.resources.ingest.identify import silent
from opendata.resources.ingest.infer import Decision
from opendata.resources.ingest.problems import Problem, UnreadableError, examples_of, shown
from opendata.resources.ingest.report import joined_report, problems_of, table_report
from opendata.resources.ingest.result import Column, FaultyRows, Identification, Progress, Quarantine
from opendata.resources.ingest.schema import columns_of, inferred_schema, named_columns, reduced_schema
from opendata.resources.ingest.set_aside import set_aside, text_where_faulty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from opendata.resources.formats.corrections import Corrections

    ReportProgress = Callable[[Progress], None]

LONGEST_NAME: Final = 60
LONGEST_TITLE: Final = 200
_SHOWN_ROWS: Final = 5
_LOOKS_LIKE_DATA: Final = re.compile(r"-?[0-9][0-9.,/: -]*")


@dataclass(frozen=True, slots=True)
class ValidTable:
    """A table that may be published. `draft` is None for a format with types (Parquet, Arrow), which are kept."""

    name: str
    title: str
    columns: tuple[Column, ...]
    row_count: int
    table_schema: Mapping[str, Any]
    decisions: tuple[Decision, ...]
    report: Mapping[str, Any]
    problems: tuple[Problem, ...]
    draft: Draft | None
    quarantine: Quarantine | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "columns": [column.to_json() for column in self.columns],
            "row_count": self.row_count,
            "table_schema": dict(self.table_schema),
            "decisions": [decision.to_json() for decision in self.decisions],
            "report": dict(self.report),
            "problems": [problem.to_json() for problem in self.problems],
            "draft": self.draft.to_json() if self.draft else None,
            "quarantine": self.quarantine.to_json() if self.quarantine else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ValidTable:
        return cls(
            name=data["name"],
            title=data["title"],
            columns=tuple(Column.from_json(column) for column in data["columns"]),
            row_count=data["row_count"],
            table_schema=data["table_schema"],
            decisions=tuple(Decision.from_json(decision) for decision in data["decisions"]),
            report=data["report"],
            problems=tuple(Problem.from_json(problem) for problem in data["problems"]),
            draft=Draft.from_json(data["draft"]) if data["draft"] else None,
            quarantine=Quarantine.from_json(data["quarantine"]) if data["quarantine"] else None,
        )


@dataclass(frozen=True, slots=True)
class Validation:
    """The tables of a file, or the errors that keep it from having any. `report` covers all its tables."""

    tables: tuple[ValidTable, ...]
    problems: tuple[Problem, ...]
    report: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "tables": [table.to_json() for table in self.tables],
            "problems": [problem.to_json() for problem in self.problems],
            "report": dict(self.report),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Validation:
        return cls(
            tuple(ValidTable.from_json(table) for table in data["tables"]),
            tuple(Problem.from_json(problem) for problem in data["problems"]),
            data["report"],
        )


def validate(
    path: Path,
    filename: str,
    identification: Identification,
    workdir: Path,
    *,
    table_schema: Mapping[str, Any] | None = None,
    corrections: Corrections | None = None,
    faulty_rows: FaultyRows = FaultyRows.REFUSE,
    limit_errors: int = MOST_ERRORS,
    report: ReportProgress = silent,
) -> Validation:
    """Read and check all tables of an identified file; drafts are left in `workdir`.

    `corrections` say how to read it and which types columns have, `faulty_rows` what becomes of rows that
    break the schema or those types. `limit_errors` is at most 1,000. Raises UnreadableError for a file or
    schema that cannot be read.
    """
    schema = reduced_schema(table_schema) if table_schema is not None else None
    stage = _Stage(
        path,
        filename,
        identification,
        workdir,
        min(limit_errors, MOST_ERRORS),
        report,
        corrections,
        faulty_rows,
    )
    if identification.format in TYPED and schema is None:
        table = stage.typed_table()
        return Validation((table,), (), table.report)
    report(Progress("validate", 0, identification.size, "bytes"))
    drafts, problems = stage.read()
    chosen = [
        draft for draft in drafts if schema and set(draft.labels) == {f["name"] for f in schema["fields"]}
    ]
    if schema and not chosen:
        chosen = drafts[:1]
    tables = [stage.check(draft, schema if draft in chosen else None) for draft in drafts]
    whole = tables[0].report if len(tables) == 1 else joined_report([table.report for table in tables])
    errors = [problem for table in tables for problem in table.problems if problem.severity == "error"]
    if errors:
        return Validation((), (*problems, *errors), whole)
    return Validation(tuple(tables), tuple(problems), whole)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A table after its faulty rows were dealt with: what is left, and what it was checked against."""

    draft: Draft
    schema: Mapping[str, Any]
    checked: Checked
    quarantine: Quarantine | None = None
    notes: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Stage:
    path: Path
    filename: str
    identification: Identification
    workdir: Path
    limit: int
    report: ReportProgress
    corrections: Corrections | None
    faulty_rows: FaultyRows
    _names: set[str] = field(default_factory=set)

    def read(self) -> tuple[list[Draft], list[Problem]]:
        """Every table of the source as a draft, and what is to be said of what is none."""
        drafts: list[Draft] = []
        problems: list[Problem] = []
        sources = read_tables(self.path, self.identification, self.corrections, workdir=self.workdir)
        for found in sources:
            if isinstance(found, Problem):
                problems.append(found)
                continue
            target = self.workdir / f"draft-{len(drafts)}.arrow"
            drafts.append(draft_table(found, target, self._seen))
        return drafts, problems

    def check(self, draft: Draft, given: Mapping[str, Any] | None) -> ValidTable:
        started = time.monotonic()
        name = self._name(draft.title)
        if given is not None:
            return self._check_given(draft, given, name, started)
        names, label_problems = named_columns(draft.labels, name)
        schema = inferred_schema(names, draft.decisions, draft.titles, draft.units)
        checked = check_inferred(draft, schema, self.limit)
        problems = (
            *draft.problems,
            *label_problems,
            *_shape_problems(draft),
            *self._lost_corrections(draft, names),
        )
        chosen = self._chosen_types(draft, names)
        if chosen:
            return self._check_chosen(draft, schema, chosen, name, problems)
        return ValidTable(
            name=name,
            title=self._title(draft.title),
            columns=columns_of(schema, draft.decisions, name),
            row_count=draft.row_count,
            table_schema=schema,
            decisions=draft.decisions,
            report=self._report(name, draft.header, len(names), checked, started),
            problems=tuple(problem.in_table(name) for problem in problems),
            draft=draft,
        )

    def typed_table(self) -> ValidTable:
        """A format with types: nothing to decide, and every value is of its type."""
        started = time.monotonic()
        found, count = TYPED[self.identification.format].columns_of(self.path)
        if not count or not found:
            raise UnreadableError(Problem("no-rows", {"columns": len(found)}))
        self._seen(count, count, "rows")
        name = self._name("")
        labels = [column.label for column in found]
        names, problems = named_columns(labels, name)
        decisions = tuple(
            Decision(
                column.type, stored=str(column.stored), notes=(column.problem,) if column.problem else ()
            )
            for column in found
        )
        schema = inferred_schema(names, decisions)
        return ValidTable(
            name=name,
            title=self._title(""),
            columns=columns_of(schema, decisions, name),
            row_count=count,
            table_schema=schema,
            decisions=decisions,
            report=self._report(name, labels, len(names), Checked((), count), started),
            problems=problems,
            draft=None,
        )

    def _check_given(self, draft: Draft, schema: Mapping[str, Any], name: str, started: float) -> ValidTable:
        settled = self._settle(draft, schema)
        draft, schema = settled.draft, settled.schema
        report = self._report(name, draft.header, len(schema["fields"]), settled.checked, started)
        errors = problems_of(report, schema, row_shift=draft.row_shift)
        decisions = () if errors else given_decisions(draft, schema)
        problems = (*draft.problems, *settled.notes)
        return ValidTable(
            name=name,
            title=self._title(draft.title),
            columns=columns_of(schema, decisions, name) if decisions else (),
            row_count=draft.row_count,
            table_schema=schema,
            decisions=decisions,
            report=report,
            problems=(*(problem.in_table(name) for problem in problems), *errors),
            draft=draft,
            quarantine=settled.quarantine,
        )

    def _chosen_types(self, draft: Draft, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """The types a publisher chose for columns of this table, by the column's published name."""
        if self.corrections is None:
            return {}
        wanted = self.corrections.of_table(draft.title).columns
        by_label = _names_by_label(draft, names)
        return {by_label[label]: properties for label, properties in wanted.items() if label in by_label}

    def _lost_corrections(self, draft: Draft, names: Sequence[str]) -> list[Problem]:
        """Types chosen for this very table, but for a column that it does not have (any more)."""
        own = self.corrections.own(draft.title) if self.corrections else None
        known = _names_by_label(draft, names)
        return [
            Problem("correction-unknown-column", {"label": shown(label)})
            for label in (own.columns if own else ())
            if label not in known
        ]

    def _check_chosen(
        self,
        draft: Draft,
        inferred: Mapping[str, Any],
        chosen: Mapping[str, Mapping[str, Any]],
        name: str,
        problems: Sequence[Problem],
    ) -> ValidTable:
        """Without a schema, but with types chosen for some columns: only their cells can be at fault."""
        started = time.monotonic()
        fields = [
            {key: field[key] for key in ("name", "title", "description") if key in field}
            | dict(chosen[field["name"]])
            if field["name"] in chosen
            else field
            for field in inferred["fields"]
        ]
        names = tuple(field["name"] for field in fields)
        regular = replace(draft, labels=names, header_width=len(names), irregular=Irregular())
        settled = self._settle(regular, reduced_schema({"fields": fields}))
        report = self._report(name, names, len(names), settled.checked, started)
        errors = problems_of(report, settled.schema, row_shift=draft.row_shift)
        decisions = tuple(
            given if field in chosen else own
            for field, given, own in zip(
                names,
                draft.decisions if errors else given_decisions(settled.draft, settled.schema),
                draft.decisions,
                strict=True,
            )
        )
        return ValidTable(
            name=name,
            title=self._title(draft.title),
            columns=columns_of(settled.schema, decisions, name),
            row_count=settled.draft.row_count,
            table_schema=settled.schema,
            decisions=decisions,
            report=report,
            problems=(*(problem.in_table(name) for problem in (*problems, *settled.notes)), *errors),
            draft=settled.draft,
            quarantine=settled.quarantine,
        )

    def _settle(self, draft: Draft, schema: Mapping[str, Any]) -> _Settled:
        """Check a table, and where rows are at fault do with them what the publisher decided."""

        def seen(done: int) -> None:
            self._seen(done, draft.row_count, "rows")

        checked = check_given(draft, schema, self.limit, seen)
        if not checked.errors or self.faulty_rows is FaultyRows.REFUSE:
            return _Settled(draft, schema, checked)
        if self.faulty_rows is FaultyRows.AS_TEXT:
            loosened, columns = text_where_faulty(draft, schema)
            if not columns:
                return _Settled(draft, schema, checked)
            note = Problem("columns-made-text", {"columns": ", ".join(map(shown, columns))})
            return _Settled(draft, loosened, check_given(draft, loosened, self.limit, seen), None, (note,))
        kept, quarantine = set_aside(draft, schema)
        if quarantine is None:
            return _Settled(draft, schema, checked)
        note = Problem("rows-set-aside", {"count": quarantine.rows})
        return _Settled(kept, schema, check_given(kept, schema, self.limit, seen), quarantine, (note,))

    def _report(
        self, name: str, labels: Sequence[str], fields: int, checked: Checked, started: float
    ) -> dict[str, Any]:
        return table_report(
            name,
            self.filename,
            labels,
            self.identification,
            fields=fields,
            rows=checked.rows,
            seconds=time.monotonic() - started,
            errors=checked.errors,
            limit=checked.limit,
        )

    def _seen(self, done: int, total: int, unit: str) -> None:
        self.report(Progress("validate", done, total, unit))

    def _title(self, title: str) -> str:
        shown = clean_line(title) or clean_line(PurePath(self.filename).stem)
        return shown[:LONGEST_TITLE] or "table"

    def _name(self, title: str) -> str:
        """A name of its own within the file, fit for an address and for SQL."""
        stem = slugify(self._title(title), limit=LONGEST_NAME) or "table"
        name, number = stem, 2
        while name in self._names:
            name, number = f"{stem}-{number}", number + 1
        self._names.add(name)
        return name


def _names_by_label(draft: Draft, names: Sequence[str]) -> dict[str, str]:
    return dict(zip(draft.labels, names, strict=True)) | {name: name for name in names}


def _shape_problems(draft: Draft) -> list[Problem]:
    """What was wrong with header and rows of a table that is published all the same."""
    irregular = draft.irregular
    width = len(draft.labels)
    problems: list[Problem] = []
    if draft.row_shift == 0 and all(_LOOKS_LIKE_DATA.fullmatch(label) for label in draft.labels):
        problems.append(Problem("header-looks-like-data"))
    ragged = [(row - draft.row_shift, cells) for row, cells in irregular.ragged.items()]
    if irregular.extra_count:
        extra = [(row, " | ".join(cells[width:])) for row, cells in ragged if len(cells) > width]
        counted = {"count": irregular.extra_count, "examples": examples_of(extra[:_SHOWN_ROWS])}
        problems.append(Problem("extra-cells", counted))
    if irregular.missing_count:
        short = [(row, " | ".join(cells)) for row, cells in ragged if len(cells) < width]
        counted = {"count": irregular.missing_count, "examples": examples_of(short[:_SHOWN_ROWS])}
        problems.append(Problem("missing-cells", counted))
    if irregular.blank_count:
        first = min(irregular.blank) - draft.row_shift
        problems.append(Problem("blank-rows", {"count": irregular.blank_count}, row=first))
    return problems
