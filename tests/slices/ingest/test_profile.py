"""Statistics are exact: counted again here with Python alone."""

# ruff: noqa: DTZ001 - files hold moments without a zone

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from collections import Counter
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.profile import BINS, QUANTILES, profile
from opendata.resources.ingest.result import Column


def profiled(tmp_path, values, kind: str, stored: pa.DataType | None = None) -> dict:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"v": pa.array(values, stored)}), path)
    result = profile(path, [Column("v", kind)], tmp_path)
    assert result["rows"] == len(values)
    return result["columns"][0]


def check_counts(found, values, plain) -> list:
    filled = [value for value in values if value is not None]
    assert found["count"] == len(filled)
    assert found["nulls"] == len(values) - len(filled)
    assert found["distinct"] == len(set(filled))
    expected = sorted(Counter(filled).items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    assert [(entry["value"], entry["count"]) for entry in found["top"]] == [
        (plain(v), n) for v, n in expected
    ]
    if filled:
        assert (found["min"], found["max"]) == (plain(min(filled)), plain(max(filled)))
    return filled


def check_bins(found, filled, position) -> None:
    """Every value lies in the bin that counts it; bins touch and are of one width."""
    bins = found["histogram"]
    assert sum(entry["count"] for entry in bins) == len(filled)
    assert 1 <= len(bins) <= BINS
    for one, following in itertools.pairwise(bins):
        assert one["to"] == following["from"]
    for index, entry in enumerate(bins):
        low, high = position(entry["from"]), position(entry["to"])
        last = index == len(bins) - 1
        inside = [
            value for value in filled if low <= position(value) < high or (last and position(value) == high)
        ]
        assert entry["count"] == len(inside)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.none() | st.integers(-500, 500), min_size=1, max_size=40))
def test_whole_numbers(values, tmp_path) -> None:
    found = profiled(tmp_path, values, "integer", pa.int64())
    filled = check_counts(found, values, lambda value: value)
    if not filled:
        assert found["mean"] is None
        assert found["histogram"] == []
        return
    assert found["mean"] == pytest.approx(statistics.fmean(filled))
    assert found["quantiles"]["0.5"] == pytest.approx(statistics.median(filled))
    check_bins(found, filled, lambda value: value)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.none() | st.dates(), min_size=1, max_size=30))
def test_dates(values, tmp_path) -> None:
    found = profiled(tmp_path, values, "date", pa.date32())
    filled = check_counts(found, values, lambda value: value.isoformat())
    if filled:
        ordered = sorted(filled)
        for share in QUANTILES:
            assert found["quantiles"][str(share)] in {value.isoformat() for value in ordered}

        def position(value) -> int:
            day = value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
            return day.toordinal()

        if max(filled) < dt.date(9990, 1, 1):
            check_bins(found, filled, position)


def test_numbers(tmp_path) -> None:
    filled = [number / 8 for number in range(1000)]
    values = [*filled, *[None] * 5]
    found = profiled(tmp_path, values, "number", pa.float64())
    check_counts(found, values, lambda value: value)
    cuts = statistics.quantiles(filled, n=20, method="inclusive")
    assert found["quantiles"] == pytest.approx(
        {"0.05": cuts[0], "0.25": cuts[4], "0.5": cuts[9], "0.75": cuts[14], "0.95": cuts[18]}
    )
    assert len(found["histogram"]) == BINS
    check_bins(found, filled, lambda value: value)


def test_decimals_and_one_value(tmp_path) -> None:
    found = profiled(tmp_path, [Decimal("1.50")] * 3, "number", pa.decimal128(5, 2))
    assert (found["min"], found["mean"], found["distinct"]) == (1.5, 1.5, 1)
    assert found["histogram"] == [{"from": 1.5, "to": 1.5, "count": 3}]


def test_infinite_numbers_do_not_break_the_rest(tmp_path) -> None:
    found = profiled(tmp_path, [1.0, 2.0, float("inf"), float("nan")], "number", pa.float64())
    assert found["mean"] == 1.5
    assert found["histogram"] == []
    assert found["max"] is None


def test_moments(tmp_path) -> None:
    start = dt.datetime(2024, 1, 1)
    values = [start + dt.timedelta(hours=number) for number in range(100)]
    found = profiled(tmp_path, values, "datetime", pa.timestamp("us"))
    check_counts(found, values, lambda value: value.isoformat())
    assert found["quantiles"]["0.5"] == (start + dt.timedelta(hours=49)).isoformat()
    assert [entry["count"] for entry in found["histogram"]] == [5] * BINS
    aware = profiled(tmp_path, [value.replace(tzinfo=dt.UTC) for value in values], "datetime")
    assert sum(entry["count"] for entry in aware["histogram"]) == 100
    assert aware["min"].endswith("+00:00")


@pytest.mark.parametrize("zone", ["+07:00", "Asia/Ho_Chi_Minh", "-03:30"])
def test_moments_are_shown_in_their_own_zone(zone, tmp_path) -> None:
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    values = [start + dt.timedelta(hours=number) for number in range(40)]
    found = profiled(tmp_path, values, "datetime", pa.timestamp("us", zone))
    offset = "-03:30" if zone == "-03:30" else "+07:00"
    shown = [
        found["min"],
        *found["quantiles"].values(),
        found["top"][0]["value"],
        found["histogram"][1]["from"],
    ]
    assert all(text.endswith(offset) for text in shown)
    assert dt.datetime.fromisoformat(found["min"]) == start
    assert [entry["count"] for entry in found["histogram"]] == [2] * BINS


def test_text_and_booleans_have_top_values_only(tmp_path) -> None:
    values = ["Hà Nội", "Huế", "Hà Nội", None, "x" * 500]
    found = profiled(tmp_path, values, "string")
    assert (found["count"], found["nulls"], found["distinct"]) == (4, 1, 3)
    assert found["top"][0] == {"value": "Hà Nội", "count": 2}
    assert len(found["max"]) == 200
    assert (found["mean"], found["histogram"], found["quantiles"]) == (None, [], {})
    flags = profiled(tmp_path, [True, False, True], "boolean")
    assert flags["top"] == [{"value": True, "count": 2}, {"value": False, "count": 1}]
    assert flags["histogram"] == []


def test_names_that_sql_cannot_tell_apart(tmp_path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table([pa.array([1, 2]), pa.array([3, 4])], names=['a "b"', 'A "B"']), path)
    found = profile(path, [Column('a "b"', "integer"), Column('A "B"', "integer")], tmp_path)
    assert [column["min"] for column in found["columns"]] == [1, 3]
