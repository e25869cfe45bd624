"""Stage three, convert: drafts to Parquet, every column in the type that was decided, nothing lost.

Row groups of 16,384 rows with page index and statistics, so that paging and filtering read little; zstd. The
Table Schema and the hash of the source travel in the file's metadata. Memory: a few batches.
"""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from opendata.resources.formats.readers import TYPED
from opendata.resources.ingest.cells import CellValues
from opendata.resources.ingest.dates import DATES, MOMENTS, DayReader, to_dates, to_moments
from opendata.resources.ingest.draft import draft_batches
from opendata.resources.ingest.frictionless_checks import Check
from opendata.resources.ingest.identify import silent
from opendata.resources.ingest.numbers import STYLES, Style, arrow_type, plain_text
from opendata.resources.ingest.result import Identification, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opendata.resources.ingest.infer import Decision
    from opendata.resources.ingest.validate import ValidTable

    ReportProgress = Callable[[Progress], None]
    Convert = Callable[[pa.Array], pa.Array]

ROW_GROUP: Final = 16_384
SCHEMA_KEY: Final = "opendata.schema"
SOURCE_KEY: Final = "opendata.source_sha256"
_LEAST_REPEATS: Final = 4
_TRUE: Final = ("true", "True", "TRUE")


@dataclass(frozen=True, slots=True)
class ConvertedTable:
    """`size` in bytes."""

    path: Path
    size: int

    def to_json(self) -> dict[str, Any]:
        return {"path": str(self.path), "size": self.size}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ConvertedTable:
        return cls(Path(data["path"]), data["size"])


def convert(
    source: Path,
    identification: Identification,
    table: ValidTable,
    workdir: Path,
    *,
    report: ReportProgress = silent,
) -> ConvertedTable:
    """Write the Parquet file of one table into `workdir`, under the table's name."""
    target = workdir / f"{table.name}.parquet"
    names = [column.name for column in table.columns]
    types = [arrow_type(decision.stored) for decision in table.decisions]
    schema = pa.schema(
        [pa.field(name, kind) for name, kind in zip(names, types, strict=True)],
        metadata={
            SCHEMA_KEY: json.dumps(table.table_schema, ensure_ascii=False),
            SOURCE_KEY: identification.sha256,
        },
    )
    groups = _row_groups(_typed_batches(source, identification.format, table, types, schema))
    rows = next(groups, schema.empty_table())
    done = 0
    with pq.ParquetWriter(
        str(target),
        schema,
        compression="zstd",
        use_dictionary=_repeating(rows.slice(0, ROW_GROUP)),
        write_statistics=True,
        write_page_index=True,
    ) as writer:
        while rows is not None:
            writer.write_table(rows, row_group_size=ROW_GROUP)
            done += rows.num_rows
            report(Progress("convert", done, table.row_count, "rows"))
            rows = next(groups, None)
    return ConvertedTable(target, target.stat().st_size)


def _repeating(rows: pa.Table) -> list[str] | bool:
    """The columns whose values repeat enough for a dictionary, told by a row group, which has its own anyway.

    Of others a dictionary is built and given up again: that takes longer than all the rest, and more space.
    """
    if any(pa.types.is_nested(kind) for kind in rows.schema.types):
        return True
    return [name for name, column in zip(rows.schema.names, rows.columns, strict=True) if _repeats(column)]


def _repeats(column: pa.ChunkedArray) -> bool:
    try:
        distinct = pc.count_distinct(column).as_py()
    except pa.ArrowNotImplementedError:  # nothing but nulls, or a dictionary already
        return True
    return bool(distinct * _LEAST_REPEATS <= len(column))


def _typed_batches(
    source: Path, found_format: str, table: ValidTable, types: list[pa.DataType], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    if table.draft is None:
        typed = TYPED[found_format]
        found, _ = typed.columns_of(source)
        for batch in typed.typed_batches(source, found, lambda *_: None):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
        return
    converters = _converters(table, types)

    def typed_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = batch.columns[: len(converters)]
        arrays = [convert(column) for convert, column in zip(converters, columns, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    # The next batch is converted while this one is written: Arrow works outside Python's lock.
    with ThreadPoolExecutor(1) as pool:
        following: Future[pa.RecordBatch] | None = None
        for batch in draft_batches(table.draft.path):
            ready, following = following, pool.submit(typed_batch, batch)
            if ready is not None:
                yield ready.result()
        if following is not None:
            yield following.result()


def _row_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in tables of whole row groups, but for the last."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        whole = count - count % ROW_GROUP
        if whole:
            rows = pa.Table.from_batches(held)
            yield rows.slice(0, whole)
            held = rows.slice(whole).to_batches()
            count -= whole
    if count:
        yield pa.Table.from_batches(held)


def _converters(table: ValidTable, types: list[pa.DataType]) -> list[Convert]:
    readers: list[Any] = []
    if table.draft is not None and any(decision.by_schema for decision in table.decisions):
        readers = Check(table.table_schema, table.draft.header, table.draft.header_row).readers()
    return [
        _by_schema(decision, readers[position], kind) if decision.by_schema else _by_type(decision, kind)
        for position, (decision, kind) in enumerate(zip(table.decisions, types, strict=True))
    ]


def _by_schema(decision: Decision, reader: Any, kind: pa.DataType) -> Convert:
    values = CellValues(decision.type, reader)
    return lambda cells: values.convert(cells, kind)


def _by_type(decision: Decision, kind: pa.DataType) -> Convert:
    """From text that is known to fit: every value of the column was looked at when its type was decided."""
    if pa.types.is_string(kind):
        return lambda cells: cells
    if decision.type == "boolean":
        return lambda cells: pc.if_else(
            pc.is_valid(cells), pc.is_in(cells, value_set=pa.array(_TRUE)), pa.scalar(None, kind)
        )
    if decision.type in {"integer", "number"}:
        style = _style(decision)
        return lambda cells: plain_text(cells, style).cast(kind)
    known = (DATES if decision.type == "date" else MOMENTS)[decision.format]
    reader = DayReader(known)
    if decision.type == "date":
        return lambda cells: to_dates(cells, reader)
    return lambda cells: to_moments(cells, known, reader, kind)


def _style(decision: Decision) -> Style:
    return next(style for style in STYLES if style.properties == dict(decision.properties))
