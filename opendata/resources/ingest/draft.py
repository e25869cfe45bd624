"""The draft of a table: its rows as text in an Arrow file beside the source, read once and used by all stages.

`draft_table` parses the source (the only place that does), writes every cell as it stands, and shows every
value to the type evidence on the way, in memory of a few batches. Validation and conversion then read the
draft: it is many times faster than parsing again, holds the row numbers, and survives a stage that is killed.
"""

from __future__ import annotations

import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from opendata.kernel.text import fold
from opendata.resources.formats.table import Irregular, IrregularRowsError, SourceTable, column_names
from opendata.resources.ingest.infer import ColumnEvidence, Decision
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opendata.resources.formats.table import Report, TextBatch

ROW_COLUMN: Final = "row"
_THREADS: Final = 2
_NO_AMOUNT: Final = re.compile(
    r"^(stt|so tt|tt|so thu tu|ma\b|nam$)|%|\bt[yi] (le|trong)\b|\byear\b|\bno\.?$"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A table read from its source. `labels` are those of the header, `decisions` the type of each column.

    The Arrow file at `path` has a string column for each label, c0, c1, …, and `row`, the row number.
    """

    path: Path
    title: str
    labels: tuple[str, ...]
    header_row: int
    header_width: int
    row_shift: int
    row_count: int
    decisions: tuple[Decision, ...]
    irregular: Irregular
    problems: tuple[Problem, ...]
    titles: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "title": self.title,
            "labels": list(self.labels),
            "header_row": self.header_row,
            "header_width": self.header_width,
            "row_shift": self.row_shift,
            "row_count": self.row_count,
            "decisions": [decision.to_json() for decision in self.decisions],
            "irregular": _irregular_to_json(self.irregular),
            "problems": [problem.to_json() for problem in self.problems],
            "titles": list(self.titles),
            "units": list(self.units),
        }

    @property
    def header(self) -> tuple[str, ...]:
        """The labels that the header row of the file itself holds."""
        return self.labels[: self.header_width]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Draft:
        return cls(
            path=Path(data["path"]),
            title=data["title"],
            labels=tuple(data["labels"]),
            header_row=data["header_row"],
            header_width=data["header_width"],
            row_shift=data["row_shift"],
            row_count=data["row_count"],
            decisions=tuple(Decision.from_json(decision) for decision in data["decisions"]),
            irregular=_irregular_from_json(data["irregular"]),
            problems=tuple(Problem.from_json(problem) for problem in data["problems"]),
            titles=tuple(data["titles"]),
            units=tuple(data["units"]),
        )


def draft_table(table: SourceTable, path: Path, report: Report) -> Draft:
    """Read a table into an Arrow file at `path`. Raises UnreadableError, also for a table without rows."""
    for number, reading in enumerate(table.readings, start=1):
        try:
            count, evidence = _write(reading(report), table, path)
        except IrregularRowsError:
            if number == len(table.readings):
                raise
            continue
        break
    if count == 0:
        raise UnreadableError(Problem("no-rows", {"columns": len(table.labels)}))
    kinds: Sequence[set[str] | None] = table.kinds or [None] * len(table.labels)
    return Draft(
        path=path,
        title=table.title,
        labels=table.labels,
        header_row=table.header_row,
        header_width=table.header_width,
        row_shift=table.row_shift,
        row_count=count,
        decisions=tuple(watched.decide(kind) for watched, kind in zip(evidence, kinds, strict=True)),
        irregular=table.irregular,
        problems=tuple(table.problems),
        titles=table.titles,
        units=table.units or _units_of_all(table),
    )


def _units_of_all(table: SourceTable) -> tuple[str, ...]:
    """A unit that stands above the table, for each column it can mean: not numbers of rows, years or shares."""
    if not table.unit:
        return ()
    return tuple("" if _NO_AMOUNT.search(fold(label)) else table.unit for label in table.labels)


def draft_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a draft, one in memory at a time; the last column is the row number.

    Read rather than mapped: pages of a mapped file count as memory of the child until it ends.
    """
    with pa.OSFile(str(path)) as source, ipc.open_file(source) as reader:
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)


def draft_rows(draft: Draft) -> Iterator[tuple[int, Sequence[str]]]:
    """Every row below the header as the file has it, blank and ragged ones too, with its number."""
    blank, ragged = draft.irregular.blank, draft.irregular.ragged
    expected = draft.header_row + 1
    for batch in draft_batches(draft.path):
        *columns, numbers = (column.to_pylist() for column in batch.columns)
        for number, *cells in zip(numbers, *columns, strict=True):
            for row in range(expected, number):
                if row in blank:
                    yield row, [""] * blank[row]
            expected = number + 1
            yield number, ragged.get(number) or [cell or "" for cell in cells]
    for row in sorted(blank):
        if row >= expected:
            yield row, [""] * blank[row]


def _write(batches: Iterator[TextBatch], table: SourceTable, path: Path) -> tuple[int, list[ColumnEvidence]]:
    """Write the draft while two threads weigh the evidence: Arrow works outside Python's lock."""
    evidence = [ColumnEvidence() for _ in table.labels]
    names = column_names(len(table.labels))
    schema = pa.schema([*((name, pa.string()) for name in names), (ROW_COLUMN, pa.int64())])
    count = 0
    pending: deque[Any] = deque()
    with (
        ThreadPoolExecutor(_THREADS) as pool,
        ipc.new_file(str(path), schema) as writer,
    ):
        for batch in batches:
            count += len(batch.rows)
            while pending:
                pending.popleft().result()
            shown_rows = pc.subtract(batch.rows, table.row_shift)
            pending.extend(
                pool.submit(watched.show, column, shown_rows)
                for watched, column in zip(evidence, batch.columns.columns, strict=True)
            )
            arrays = [*batch.columns.columns, batch.rows]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
        while pending:
            pending.popleft().result()
    return count, evidence


def _irregular_to_json(irregular: Irregular) -> dict[str, Any]:
    return {
        "blank": [[row, cells] for row, cells in irregular.blank.items()],
        "blank_count": irregular.blank_count,
        "ragged": [[row, list(cells)] for row, cells in irregular.ragged.items()],
        "extra_count": irregular.extra_count,
        "missing_count": irregular.missing_count,
    }


def _irregular_from_json(data: Mapping[str, Any]) -> Irregular:
    return Irregular(
        blank=dict(data["blank"]),
        blank_count=data["blank_count"],
        ragged={row: tuple(cells) for row, cells in data["ragged"]},
        extra_count=data["extra_count"],
        missing_count=data["missing_count"],
    )
