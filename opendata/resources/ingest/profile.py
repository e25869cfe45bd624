"""Stage four, profile: exact statistics of every column, by DuckDB over the Parquet file.

For the pictures and the data dictionary of a table's page. All values are counted, none sampled; DuckDB
spills to the work folder beyond its memory share. Values in the result are JSON values.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import duckdb

from opendata.resources.ingest.identify import silent
from opendata.resources.ingest.result import Column, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    ReportProgress = Callable[[Progress], None]

TOP_VALUES: Final = 10
BINS: Final = 20
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
LONGEST_VALUE: Final = 200
MEMORY: Final = "384MB"
# A small file is read once into memory: a workbook of six sheets otherwise opens a thousand times.
SMALL: Final = 4 << 20
_MEASURED: Final = frozenset({"integer", "number", "date", "datetime", "year"})


def profile(
    path: Path,
    columns: Sequence[Column],
    workdir: Path,
    *,
    memory: str = MEMORY,
    report: ReportProgress = silent,
) -> dict[str, Any]:
    """`{"rows", "columns": [{name, count, nulls, distinct, min, max, mean, quantiles, top, histogram}]}`.

    `count` are the values that are not null. `quantiles` map "0.25" to a value, `top` lists the ten most
    frequent as `{value, count}`, `histogram` bins of equal width as `{from, to, count}`, the last bin closed;
    what has no meaning for a type is null or empty. Progress counts cells as rows times columns done.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 2,
        "memory_limit": memory,
        "temp_directory": str(workdir / "duckdb"),
    }
    with duckdb.connect(config=config) as connection:
        # Columns by position: DuckDB takes names that differ in case for the same name.
        names = ", ".join(_name(position) for position in range(len(columns)))
        quoted = str(path).replace("'", "''")
        kept = "TEMP TABLE" if path.stat().st_size < SMALL else "VIEW"
        connection.execute(f"CREATE {kept} published({names}) AS SELECT * FROM read_parquet('{quoted}')")
        rows = _row(connection, "SELECT count(*) FROM published")[0]
        described = []
        for position, column in enumerate(columns):
            described.append(_describe(connection, _name(position), column, rows))
            report(Progress("profile", rows * (position + 1), rows * len(columns), "rows"))
    return {"rows": rows, "columns": described}


def _name(position: int) -> str:
    return f"c{position}"


def _describe(connection: duckdb.DuckDBPyConnection, name: str, column: Column, rows: int) -> dict[str, Any]:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE counted AS "
        f"SELECT {name} AS value, count(*) AS times FROM published WHERE {name} IS NOT NULL GROUP BY 1"
    )
    count, distinct, least, greatest = _row(
        connection, "SELECT coalesce(sum(times), 0)::BIGINT, count(*), min(value), max(value) FROM counted"
    )
    top = connection.execute(
        f"SELECT value, times FROM counted ORDER BY times DESC, value LIMIT {TOP_VALUES}"
    ).fetchall()
    result: dict[str, Any] = {
        "name": column.name,
        "count": count,
        "nulls": rows - count,
        "distinct": distinct,
        "min": _plain(least),
        "max": _plain(greatest),
        "mean": None,
        "quantiles": {},
        "top": [{"value": _plain(value), "count": times} for value, times in top],
        "histogram": [],
    }
    if count and column.type in _MEASURED and not isinstance(least, str):
        result |= _measure(connection, name, least, greatest)
    return result


def _measure(connection: duckdb.DuckDBPyConnection, name: str, least: Any, greatest: Any) -> dict[str, Any]:
    """Mean, quantiles and histogram of numbers, days or moments."""
    is_number = isinstance(least, int | float | Decimal)
    finite = f"isfinite({name})" if isinstance(least, float) else f"{name} IS NOT NULL"
    kind = "quantile_cont" if is_number else "quantile_disc"
    mean = f"avg({name})" if is_number else "NULL"
    average, *points = _row(
        connection,
        f"SELECT {mean}, {', '.join(f'{kind}({name}, {share})' for share in QUANTILES)} "
        f"FROM published WHERE {finite}",
    )
    return {
        "mean": _plain(average),
        "quantiles": {str(share): _plain(point) for share, point in zip(QUANTILES, points, strict=True)},
        "histogram": _histogram(connection, name, finite, least, greatest),
    }


def _histogram(
    connection: duckdb.DuckDBPyConnection, name: str, finite: str, least: Any, greatest: Any
) -> list[dict[str, Any]]:
    """Bins of equal width; whole numbers and days get whole widths, so that no bin looks emptier than others."""
    low, high = _position(least), _position(greatest)
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    is_whole = isinstance(least, int) or (isinstance(least, dt.date) and not isinstance(least, dt.datetime))
    span = high - low + 1 if is_whole else high - low
    width = math.ceil(span / BINS) if is_whole else span / BINS
    bins = math.ceil(span / width) if width else 1
    place = _place(name, least)
    index = f"least(floor(({place} - {low!r}) / {width!r}), {bins - 1})" if width else "0"
    found = connection.execute(
        f"SELECT CAST({index} AS INTEGER) AS bin, count(*) FROM published WHERE {finite} GROUP BY 1"
    ).fetchall()
    counts = dict(found)
    edges = [_edge(low + width * number, least) for number in range(bins)]
    edges.append(_edge(low + width * bins, least) if is_whole else _plain(greatest))
    return [
        {"from": edges[number], "to": edges[number + 1], "count": counts.get(number, 0)}
        for number in range(bins)
    ]


def _place(name: str, least: Any) -> str:
    """SQL for a value's place on the axis of `_position`."""
    if isinstance(least, dt.datetime):
        return f"epoch({name})"
    if isinstance(least, dt.date):
        return f"({name} - DATE '1970-01-01')"
    return f"CAST({name} AS DOUBLE)" if not isinstance(least, int) else name


def _position(value: Any) -> float:
    """Numbers as they are, days since 1970, moments as seconds since 1970."""
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return aware.timestamp()
    if isinstance(value, dt.date):
        return (value - dt.date(1970, 1, 1)).days
    return value if isinstance(value, int) else float(value)


def _edge(position: float, least: Any) -> Any:
    if isinstance(least, dt.datetime):
        moment = dt.datetime.fromtimestamp(position, dt.UTC)
        return _plain(moment.astimezone(least.tzinfo) if least.tzinfo else moment.replace(tzinfo=None))
    if isinstance(least, dt.date):
        day = dt.date(1970, 1, 1).toordinal() + int(position)
        return dt.date.fromordinal(min(day, dt.date.max.toordinal())).isoformat()
    return position


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    found = connection.execute(query).fetchone()
    if found is None:
        raise ValueError("an aggregate without a row")
    return tuple(found)


def _plain(value: Any) -> Any:
    """A JSON value: exact numbers as numbers where JSON keeps them, everything else as text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    text = value.isoformat() if isinstance(value, dt.date | dt.datetime | dt.time) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
