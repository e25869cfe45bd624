"""Parquet: a table whose columns have types already, which are kept.

`columns_of` says what each column becomes; `typed_batches` gives the rows with those types, nested and raw
values written as text. `tables` gives the same rows as text for a schema from outside to be checked against.
"""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from opendata.kernel.text import nfc
from opendata.resources.formats.table import (
    BATCH_ROWS,
    SourceTable,
    TextBatch,
    check_width,
    column_names,
)
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.resources.formats.table import Report
    from opendata.resources.ingest.result import Identification

_DECIMAL_DIGITS: Final = 38


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column of the file: `type` as Table Schema names it, `stored` as Arrow holds it here."""

    label: str
    type: str
    stored: pa.DataType
    problem: Problem | None = None


def tables(
    path: Path,
    identification: Identification,  # noqa: ARG001 - asked for by the Reader protocol
) -> Iterator[SourceTable]:
    """The one table of the file as text. Raises UnreadableError for a file that cannot be read."""
    columns, _ = columns_of(path)
    table = source_table(columns)
    table.readings = (partial(_read, path, columns),)
    yield table


def source_table(columns: list[TypedColumn]) -> SourceTable:
    """A table of typed columns without its readings. Raises UnreadableError for too many columns."""
    check_width(len(columns))
    return SourceTable(
        title="",
        labels=tuple(column.label for column in columns),
        header_row=1,
        header_width=len(columns),
        readings=(),
        kinds=[{_kind(column)} for column in columns],
        row_shift=1,
        problems=[column.problem for column in columns if column.problem and _kind(column) != "nested"],
    )


def _kind(column: TypedColumn) -> str:
    if column.problem is not None and column.problem.code == "nested-values":
        return "nested"
    return {"integer": "number", "number": "number", "string": "text"}.get(column.type, column.type)


def columns_of(path: Path) -> tuple[list[TypedColumn], int]:
    """Columns and row count, from the footer. Raises UnreadableError."""
    with _reading():
        metadata = pq.ParquetFile(path)
        with metadata:
            schema = metadata.schema_arrow
            count = metadata.metadata.num_rows
    return [column_of(field) for field in schema], count


def typed_batches(path: Path, columns: list[TypedColumn], report: Report) -> Iterator[pa.RecordBatch]:
    """The rows, columns named c0, c1, …, every array of the type `stored`. Raises UnreadableError."""
    done = 0
    names = column_names(len(columns))
    with _reading(), pq.ParquetFile(path) as source:
        total = source.metadata.num_rows
        for batch in source.iter_batches(BATCH_ROWS):
            arrays = [
                stored_array(array, column) for array, column in zip(batch.columns, columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=names)
            done += batch.num_rows
            report(done, total, "rows")


@contextmanager
def _reading() -> Iterator[None]:
    """Errors of the library while a file is read, as UnreadableError; want of memory stays what it is."""
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError(Problem("parquet-unreadable")) from error


def _read(path: Path, columns: list[TypedColumn], report: Report) -> Iterator[TextBatch]:
    return text_batches(typed_batches(path, columns, report))


def text_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[TextBatch]:
    """Typed rows as text that Table Schema reads back as the same values, numbered from 2."""
    row = 2
    for batch in batches:
        arrays = [text_array(array) for array in batch.columns]
        numbers = pa.array(range(row, row + batch.num_rows), pa.int64())
        row += batch.num_rows
        yield TextBatch(pa.RecordBatch.from_arrays(arrays, names=batch.schema.names), numbers)


def column_of(field: pa.Field) -> TypedColumn:
    """What a column of the file becomes."""
    label = nfc(field.name).strip()
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    simple = (
        (pa.types.is_boolean, "boolean", kind),
        (pa.types.is_integer, "integer", kind),
        (pa.types.is_floating, "number", pa.float32() if pa.types.is_float16(kind) else kind),
        (_is_exact_decimal, "number", _decimal(kind)),
        (pa.types.is_date, "date", pa.date32()),
        (pa.types.is_timestamp, "datetime", kind),
        (pa.types.is_time, "time", kind),
        (_is_text, "string", pa.string()),
        (pa.types.is_null, "string", pa.string()),
        (pa.types.is_decimal, "string", pa.string()),
        (pa.types.is_temporal, "string", pa.string()),
    )
    for matches, name, stored in simple:
        if matches(kind):
            return TypedColumn(label, name, stored)
    code = "binary-values" if _is_bytes(kind) else "nested-values"
    return TypedColumn(label, "string", pa.string(), Problem(code, column=label))


def _decimal(kind: pa.DataType) -> pa.DataType:
    return pa.decimal128(kind.precision, kind.scale) if _is_exact_decimal(kind) else kind


def _is_exact_decimal(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind)) and kind.precision <= _DECIMAL_DIGITS


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    is_fixed = bool(pa.types.is_fixed_size_binary(kind) and not pa.types.is_decimal(kind))
    return is_fixed or bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    )


def stored_array(array: pa.Array, column: TypedColumn) -> pa.Array:
    """The values in the type `stored` of the column."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if column.problem is not None or pa.types.is_nested(array.type):
        return pa.array([_written(value) for value in array.to_pylist()], pa.string())
    if column.stored == pa.string():
        text = array.cast(pa.string())
        return pc.utf8_normalize(text, form="NFC")
    return array.cast(column.stored)


def _written(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return json.dumps(value, ensure_ascii=False, default=_json_value)


def _json_value(value: Any) -> str:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)


def text_array(array: pa.Array) -> pa.Array:
    """Text that Table Schema reads back as the same value."""
    if pa.types.is_timestamp(array.type):
        moment = array.cast(pa.timestamp("us", array.type.tz), safe=False)
        return pc.strftime(moment, format="%Y-%m-%dT%H:%M:%S%z" if array.type.tz else "%Y-%m-%dT%H:%M:%S")
    return array.cast(pa.string())
