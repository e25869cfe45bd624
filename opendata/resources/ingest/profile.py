"""Stage four, profile: exact statistics of every column of the Parquet file.

For the pictures and the data dictionary of a table's page. All values are counted, none sampled. Numbers, days
and moments are sorted in memory, a column at a time (`sorted_values`); the rest is counted by DuckDB, which
spills to the work folder beyond its memory share. Values in the result are JSON values.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from opendata.resources.ingest.identify import silent
from opendata.resources.ingest.result import Column, Progress
from opendata.resources.ingest.sorted_values import MOST_VALUES, SortedValues, sorted_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    ReportProgress = Callable[[Progress], None]

TOP_VALUES: Final = 10
BINS: Final = 20
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
LONGEST_VALUE: Final = 200
MEMORY: Final = "256MB"
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
        "autoinstall_known_extensions": False,
    }
    types = pq.read_schema(path).types
    with duckdb.connect(config=config) as connection:
        # Columns by position: DuckDB takes names that differ in case for the same name.
        names = ", ".join(f"c{position}" for position in range(len(columns)))
        quoted = str(path).replace("'", "''")
        kept = "TEMP TABLE" if path.stat().st_size < SMALL else "VIEW"
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE {kept} published({names}) AS SELECT * FROM read_parquet('{quoted}')")
        (rows,) = connection.execute("SELECT count(*) FROM published").fetchall()[0]
        described = []
        source = pq.ParquetFile(path)
        for position, (column, stored) in enumerate(zip(columns, types, strict=True)):
            zone = _zone(stored)
            ordered = None
            if column.type in _MEASURED and _is_sortable(stored) and rows <= MOST_VALUES:
                ordered = sorted_values(source.reader.read_column(position), zone)
            if ordered is not None:
                described.append(_describe_ordered(column, ordered, rows))
            else:
                described.append(_Measured(connection, f"c{position}", zone).describe(column, rows))
            report(Progress("profile", rows * (position + 1), rows * len(columns), "rows"))
    return {"rows": rows, "columns": described}


def _zone(stored: pa.DataType) -> dt.tzinfo | None:
    """The zone a column of moments is kept in; DuckDB itself gives every moment in one zone."""
    name = stored.tz if pa.types.is_timestamp(stored) else None
    if not name:
        return None
    return dt.datetime.strptime(name, "%z").tzinfo if name[0] in "+-" else ZoneInfo(name)


def _is_sortable(stored: pa.DataType) -> bool:
    kinds = (pa.types.is_int64, pa.types.is_float64, pa.types.is_date32, pa.types.is_timestamp)
    return any(is_kind(stored) for is_kind in kinds)


def _describe_ordered(column: Column, ordered: SortedValues, rows: int) -> dict[str, Any]:
    """The same as `_Measured.describe`, from values that were sorted."""
    least, greatest = ordered.least, ordered.greatest
    is_number = isinstance(least, int | float)
    return {
        "name": column.name,
        "count": ordered.count,
        "nulls": rows - ordered.count,
        "distinct": ordered.distinct,
        "min": _plain(least),
        "max": _plain(greatest),
        "mean": _plain(ordered.mean()) if is_number else None,
        "quantiles": {str(share): _plain(ordered.quantile(share, between=is_number)) for share in QUANTILES},
        "top": [{"value": _plain(value), "count": times} for value, times in ordered.top(TOP_VALUES)],
        "histogram": _bins(least, greatest, ordered.histogram),
    }


def _bins(
    least: Any, greatest: Any, count: Callable[[float, float, int, float], Sequence[int]]
) -> list[dict[str, Any]]:
    """Bins of equal width; whole numbers and days get whole widths, so that no bin looks emptier.

    `count` gives the values in each bin from the place of the first edge, the width, the number of bins and the
    scale of places (see `_position`: moments are kept in microseconds, their places are seconds).
    """
    low, high = _position(least), _position(greatest)
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    is_whole = isinstance(least, int) or type(least) is dt.date
    span = high - low + 1 if is_whole else high - low
    width = math.ceil(span / BINS) if is_whole else span / BINS
    bins = math.ceil(span / width) if width else 1
    counts = count(low, width, bins, 1_000_000 if isinstance(least, dt.datetime) else 1)
    edges = [_edge(low + width * number, least) for number in range(bins)]
    edges.append(_edge(low + width * bins, least) if is_whole else _plain(greatest))
    return [
        {"from": edges[number], "to": edges[number + 1], "count": counts[number]} for number in range(bins)
    ]


class _Measured:
    """One column of the view `published` in DuckDB."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str, zone: dt.tzinfo | None) -> None:
        self._connection = connection
        self._name = name
        self._zone = zone

    def describe(self, column: Column, rows: int) -> dict[str, Any]:
        name = self._name
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE counted AS "
            f"SELECT {name} AS value, count(*) AS times FROM published WHERE {name} IS NOT NULL GROUP BY 1"
        )
        [(count, distinct, least, greatest)] = self._rows(
            "SELECT coalesce(sum(times), 0)::BIGINT, count(*), min(value), max(value) FROM counted"
        )
        top = self._rows(f"SELECT value, times FROM counted ORDER BY times DESC, value LIMIT {TOP_VALUES}")
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
            result |= self._measure(least, greatest)
        return result

    def _measure(self, least: Any, greatest: Any) -> dict[str, Any]:
        """Mean, quantiles and histogram of numbers, days or moments."""
        name = self._name
        is_number = isinstance(least, int | float | Decimal)
        finite = f"isfinite({name})" if isinstance(least, float) else f"{name} IS NOT NULL"
        kind = "quantile_cont" if is_number else "quantile_disc"
        mean = f"avg({name})" if is_number else "NULL"
        points = ", ".join(f"{kind}({name}, {share})" for share in QUANTILES)
        [(average, *found)] = self._rows(f"SELECT {mean}, {points} FROM published WHERE {finite}")
        return {
            "mean": _plain(average),
            "quantiles": {str(share): _plain(point) for share, point in zip(QUANTILES, found, strict=True)},
            "histogram": self._histogram(finite, least, greatest),
        }

    def _histogram(self, finite: str, least: Any, greatest: Any) -> list[dict[str, Any]]:
        def count(low: float, width: float, bins: int, _scale: float) -> list[int]:
            place = _place(self._name, least)
            index = f"least(floor(({place} - {low!r}) / {width!r}), {bins - 1})" if width else "0"
            found = dict(
                self._rows(
                    f"SELECT CAST({index} AS INTEGER), count(*) FROM published WHERE {finite} GROUP BY 1"
                )
            )
            return [found.get(number, 0) for number in range(bins)]

        return _bins(least, greatest, count)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        found = self._connection.execute(query).fetchall()
        if self._zone is None:
            return found
        return [tuple(self._local(value) for value in row) for row in found]

    def _local(self, value: Any) -> Any:
        return value.astimezone(self._zone) if isinstance(value, dt.datetime) else value


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


def _plain(value: Any) -> Any:
    """A JSON value: exact numbers as numbers where JSON keeps them, everything else as text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    text = value.isoformat() if isinstance(value, dt.date | dt.datetime | dt.time) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
