"""A `RowQuery` as DuckDB SQL over one Parquet file: pure text and parameters, run by `database`.

Columns are aliased by position (c0, c1, …), so a publisher's names never stand in SQL; every value and the path
are parameters. A NaN counts as no value everywhere, because that is what JSON and the pages show of it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from opendata.kernel.text import nfc
from opendata.tabular.exact_numbers import grid_of
from opendata.tabular.patterns import contains_pattern, folded_pattern, prefix_pattern
from opendata.tabular.query import Operator
from opendata.tabular.source import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.tabular.query import Condition, RowQuery, SortKey, Value
    from opendata.tabular.source import TableSource

_COMPARISONS: Final[Mapping[Operator, str]] = {
    Operator.LT: "<",
    Operator.LE: "<=",
    Operator.GT: ">",
    Operator.GE: ">=",
}


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    parameters: list[object]


def literal_path(path: str) -> str:
    """The path with glob characters made literal: read_parquet takes a pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def row_numbers(source: TableSource, query: RowQuery, types: Sequence[pa.DataType]) -> Statement:
    """The row numbers (from 0, in the file's order) of the result, in the order asked for."""
    return _statement("file_row_number::UINTEGER", source, query, types)


def row_values(source: TableSource, query: RowQuery, types: Sequence[pa.DataType]) -> Statement:
    """The chosen columns of every row of the result, in the order asked for."""
    return _statement(", ".join(f"c{column}" for column in query.columns), source, query, types)


def _statement(wanted: str, source: TableSource, query: RowQuery, types: Sequence[pa.DataType]) -> Statement:
    aliases = ", ".join(f"c{position}" for position in range(len(source.columns)))
    parameters: list[object] = [literal_path(str(source.path))]
    tests: list[str] = []
    for condition in query.conditions:
        kind = source.columns[condition.column].kind
        test, values = _condition(condition, kind, types[condition.column])
        tests.append(test)
        parameters += values
    for search in query.searches:
        test, values = _search(source, types, search)
        tests.append(test)
        parameters += values
    where = " WHERE " + " AND ".join(tests) if tests else ""
    keys = [_sort_key(key, source, types[key.column]) for key in query.sort]
    order = " ORDER BY " + ", ".join([*keys, "file_row_number"]) if keys else ""
    return Statement(f"SELECT {wanted} FROM read_parquet(?) AS t({aliases}){where}{order}", parameters)


def _condition(condition: Condition, kind: Kind, physical: pa.DataType) -> tuple[str, list[object]]:
    cell = _cell(condition.column, kind, physical)
    floating = pa.types.is_floating(physical)
    operator = condition.operator
    if operator is Operator.ISNULL:
        empty = f"({cell} IS NULL OR isnan({cell}))" if floating else f"{cell} IS NULL"
        return (empty if condition.values[0] else f"NOT ({empty})"), []
    if operator is Operator.CONTAINS:
        return f"regexp_matches({cell}, ?)", [contains_pattern(str(condition.values[0]))]
    if operator is Operator.STARTSWITH:
        return f"regexp_matches({cell}, ?)", [prefix_pattern(str(condition.values[0]))]
    if operator in {Operator.EQ, Operator.IN}:
        return _one_of(cell, condition.values, physical)
    if operator is Operator.NE:
        same, values = _one_of(cell, condition.values, physical)
        return f"({same}) IS NOT TRUE", values
    return _compared(cell, operator, condition.values[0], physical)


def _compared(cell: str, operator: Operator, value: Value, physical: pa.DataType) -> tuple[str, list[object]]:
    grid = grid_of(physical)
    if grid is not None and isinstance(value, int | Decimal):
        test, bound = grid.comparison(operator, Decimal(value))
        return f"{cell} {test}", bound
    test = f"{cell} {_COMPARISONS[operator]} ?"
    if pa.types.is_floating(physical):
        test = f"({test} AND NOT isnan({cell}))"
    return test, [_bound(value, physical)]


def _one_of(cell: str, values: Sequence[Value], physical: pa.DataType) -> tuple[str, list[object]]:
    grid = grid_of(physical)
    bound: dict[object, None] = {}
    for value in values:
        if grid is None or not isinstance(value, int | Decimal):
            bound[_bound(value, physical)] = None
        elif grid.holds(Decimal(value)):
            bound[grid.stored(Decimal(value))] = None
        if isinstance(value, str):
            bound[nfc(value)] = None
    if len(bound) == 1:
        return f"{cell} = ?", list(bound)
    return f"{cell} IN ({', '.join('?' * len(bound))})", list(bound)


def _search(source: TableSource, types: Sequence[pa.DataType], text: str) -> tuple[str, list[object]]:
    cells = [
        _cell(position, column.kind, types[position])
        for position, column in enumerate(source.columns)
        if column.kind is Kind.TEXT
    ]
    if not cells:
        return "false", []
    pattern = folded_pattern(text)
    return "(" + " OR ".join(f"regexp_matches({cell}, ?)" for cell in cells) + ")", [pattern] * len(cells)


def _sort_key(key: SortKey, source: TableSource, physical: pa.DataType) -> str:
    """Text in Vietnamese dictionary order (ICU collation `vi`); no value last in both directions."""
    kind = source.columns[key.column].kind
    cell = _cell(key.column, kind, physical)
    if kind is Kind.TEXT:
        cell = f"{cell} COLLATE vi"
    elif pa.types.is_floating(physical):
        cell = f"CASE WHEN isnan({cell}) THEN NULL ELSE {cell} END"
    return f"{cell} {'DESC' if key.descending else 'ASC'} NULLS LAST"


def _cell(column: int, kind: Kind, physical: pa.DataType) -> str:
    """A column queried as text but stored otherwise (lists, objects of a Parquet upload) is compared as text."""
    return f"CAST(c{column} AS VARCHAR)" if kind is Kind.TEXT and not _is_text(physical) else f"c{column}"


def _is_text(physical: pa.DataType) -> bool:
    if pa.types.is_dictionary(physical):
        return _is_text(physical.value_type)
    return bool(
        pa.types.is_string(physical)
        or pa.types.is_large_string(physical)
        or pa.types.is_string_view(physical)
    )


def _bound(value: Value, physical: pa.DataType) -> object:
    """The value in the type the column is stored in, so that the scan compares without casting the column."""
    if isinstance(value, str) or _is_text(physical):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return _moment(value, physical)
    return value


def _moment(value: dt.datetime, physical: pa.DataType) -> dt.datetime:
    """A moment with an offset is brought to UTC, which is what a column without offsets is taken to hold."""
    if pa.types.is_timestamp(physical) and physical.tz is not None:
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
