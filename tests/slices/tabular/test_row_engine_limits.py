"""What protects the server: bounded time, memory, places and disk; a database that reads nothing else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opendata.tabular.database import Database, Lane
from opendata.tabular.engine import Limits, TableEngine
from opendata.tabular.filters import parse_query
from opendata.tabular.orders import RowOrders
from opendata.tabular.problems import BusyError, QueryTooLargeError, QueryTooSlowError
from opendata.tabular.sql import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.tabular.source import TableSource
    from tests.slices.tabular.conftest import Tables

BIG = 60_000


@pytest.fixture(scope="module")
def big(tables: Tables) -> TableSource:
    """Rows whose order by text is far from their order in the file."""
    return tables.publish(
        pa.table({"n": range(BIG), "t": [f"{(place * 7919) % BIG:06d} dòng" for place in range(BIG)]}),
        row_group=1000,
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "data").mkdir()
    found = Database([tmp_path / "data"], tmp_path / "spill", memory="200MB", seconds=5)
    yield found
    found.close()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/opendata-should-not-exist.csv'",
        "ATTACH '/tmp/opendata-should-not-exist.db' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM 'https://example.org/x.parquet'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET memory_limit = '100GB'",
        "SET threads = 64",
    ],
)
def test_the_database_reads_nothing_else_and_cannot_be_reset(database: Database, text: str) -> None:
    with pytest.raises(duckdb.Error):
        database.table(Statement(text, []))


def test_the_database_reads_its_folder(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "data" / "a.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    assert database.table(Statement("SELECT * FROM read_parquet(?)", [str(path)])).num_rows == 1
    (tmp_path / "link").symlink_to(tmp_path / "data")
    linked = Database([tmp_path / "link"], tmp_path / "spill", memory="200MB", seconds=5)
    for way in (path, tmp_path / "link" / "a.parquet"):
        assert linked.table(Statement("SELECT * FROM read_parquet(?)", [str(way)])).num_rows == 1
    linked.close()


def test_a_slow_query_is_stopped_and_the_next_is_answered(tmp_path: Path) -> None:
    database = Database([tmp_path], tmp_path / "spill", memory="200MB", seconds=1)
    for _ in range(2):
        with pytest.raises(QueryTooSlowError) as stopped:
            database.table(Statement("SELECT max(sin(range)) FROM range(100_000_000_000)", []))
        assert "after 1 seconds" in stopped.value.message()
        assert database.table(Statement("SELECT 1", [])).num_rows == 1
    database.close()


def test_a_slow_page_is_refused(tables: Tables, tmp_path: Path, big: TableSource) -> None:
    with TableEngine([tables.folder], tmp_path, replace(Limits(), seconds=0.001, queries=1)) as engine:
        for _ in range(2):  # the second would be refused as busy, had the first kept its place
            with pytest.raises(QueryTooSlowError):
                engine.rows(big, parse_query(big, [("sort", "t")]))


def test_a_query_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    database = Database([tmp_path], tmp_path / "spill", memory="20MB", seconds=30)
    with pytest.raises(QueryTooLargeError):
        database.table(Statement("SELECT list(range) FROM range(100_000_000)", []))
    assert database.table(Statement("SELECT 1", [])).num_rows == 1
    database.close()


def test_large_sorts_spill_instead_of_failing(tables: Tables, tmp_path: Path) -> None:
    rows = 400_000
    source = tables.publish(
        pa.table({"t": [f"{(place * 7919) % rows:040d}" for place in range(rows)]}), row_group=16_384
    )
    with TableEngine([tables.folder], tmp_path, replace(Limits(), memory="48MB")) as engine:
        page = engine.rows(source, parse_query(source, [("sort", "-t"), ("limit", "2")]))
    assert page.rows() == [(f"{rows - 1:040d}",), (f"{rows - 2:040d}",)]


def test_a_full_lane_says_so_and_empties() -> None:
    lane = Lane(1, patience=0.01)
    with lane.place(), pytest.raises(BusyError):
        lane.enter()
    with lane.place():
        pass


def test_eight_readers_at_once_lose_nothing(tables: Tables, tmp_path: Path, big: TableSource) -> None:
    """Cold and warm at the same time: the copy appears while they read."""
    questions = [
        [("sort", "t")],
        [("sort", "-t")],
        [],
        [("n__ge", "1000")],
        [("t__contains", "9")],
        [("q", "DONG"), ("sort", "-n")],
        [("n__lt", "30000"), ("sort", "t")],
        [("sort", "t")],
    ]

    def everything(engine: TableEngine, asked: list[tuple[str, str]]) -> list[int]:
        numbers: list[int] = []
        cursor: str | None = None
        while True:
            at = [("cursor", cursor)] if cursor else []
            page = engine.rows(big, parse_query(big, [*asked, ("limit", "5000"), *at]))
            numbers += page.numbers
            assert [row[0] for row in page.rows()] == list(page.numbers)
            cursor = page.next_cursor
            if cursor is None:
                return numbers

    limits = replace(Limits(), hot_rows=1, patience=60)
    with TableEngine([tables.folder], tmp_path, limits) as engine, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda asked: everything(engine, asked), questions))
    by_text = sorted(range(BIG), key=lambda place: (place * 7919) % BIG)
    assert answers[0] == answers[7] == by_text
    assert answers[1] == by_text[::-1]
    assert answers[2] == list(range(BIG))
    assert answers[3] == list(range(1000, BIG))
    assert answers[4] == [place for place in range(BIG) if "9" in f"{(place * 7919) % BIG:06d}"]
    assert answers[5] == list(range(BIG))[::-1]
    assert answers[6] == [place for place in by_text if place < 30_000]


def test_one_scan_serves_all_who_wait_for_it() -> None:
    orders = RowOrders(10_000)
    began, go_on, scans = threading.Event(), threading.Event(), []

    def find() -> pa.Array:
        scans.append(1)
        began.set()
        assert go_on.wait(10)
        return pa.array([3, 1, 2], pa.uint32())

    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(orders.get, "same", find) for _ in range(4)]
        assert began.wait(10)
        go_on.set()
        assert [future.result().to_pylist() for future in waiting] == [[3, 1, 2]] * 4
    assert len(scans) == 1


def test_a_failed_scan_is_not_remembered() -> None:
    orders = RowOrders(10_000)

    def fail() -> pa.Array:
        raise QueryTooSlowError(seconds="1")

    for _ in range(2):
        with pytest.raises(QueryTooSlowError):
            orders.get("same", fail)
    assert orders.get("same", lambda: pa.array([1], pa.uint32())).to_pylist() == [1]


def test_orders_kept_stay_within_their_budget() -> None:
    orders = RowOrders(3 * (4 * 250 + 1024))
    scans: list[str] = []

    def ask(name: str) -> None:
        def find() -> pa.Array:
            scans.append(name)
            return pa.array([0] * 250, pa.uint32())

        orders.get(name, find)

    for name in "abcadab":
        ask(name)
    # b, the longest unused when d came, was dropped; a was not
    assert "".join(scans) == "abcdb"
    ask("a")
    assert "".join(scans) == "abcdb"


def test_an_order_beyond_the_budget_is_used_but_not_kept() -> None:
    orders = RowOrders(2_000)
    scans = []

    def find() -> pa.Array:
        scans.append(1)
        return pa.array(range(1000), pa.uint32())

    assert len(orders.get("a", find)) == len(orders.get("a", find)) == 1000
    assert len(scans) == 2
