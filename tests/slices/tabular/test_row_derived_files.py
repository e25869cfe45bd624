"""Copies and orders on disk: shared, rebuilt when damaged, dropped by size, never needed for a right answer."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from opendata.tabular.database import Database
from opendata.tabular.engine import Limits, TableEngine
from opendata.tabular.filters import parse_query
from opendata.tabular.hot import HotFiles
from opendata.tabular.published import PublishedFile, published_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opendata.tabular.source import TableSource
    from tests.slices.tabular.conftest import Tables

ROWS = 30
EVERY = replace(Limits(), hot_rows=1)


@pytest.fixture
def source(tables: Tables) -> TableSource:
    return tables.publish(pa.table({"n": range(ROWS), "t": [f"{place:02d}" for place in range(ROWS)]}))


def sorted_page(engine: TableEngine, source: TableSource) -> list[object]:
    page = engine.rows(source, parse_query(source, [("sort", "-t"), ("limit", "4")]))
    return [row[0] for row in page.rows()]


EXPECTED: list[object] = [29, 28, 27, 26]


def test_a_scattered_page_has_the_copy_made_in_the_background(
    tables: Tables, source: TableSource, tmp_path: Path
) -> None:
    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        engine.rows(source, parse_query(source, [("limit", "4")]))
        assert not list((tmp_path / "hot").glob("rows-*"))
        assert engine.rows(source, parse_query(source, [("t__in", "29,02,11")])).numbers == (2, 11, 29)
        engine.prepare(source)  # waits for it
    assert len(list((tmp_path / "hot").glob("rows-*"))) == 1


def test_small_tables_need_none(tables: Tables, source: TableSource, tmp_path: Path) -> None:
    with TableEngine([tables.folder], tmp_path, replace(Limits(), hot_rows=ROWS + 1)) as engine:
        engine.prepare(source)
        assert sorted_page(engine, source) == EXPECTED
    assert not list((tmp_path / "hot").iterdir())


def test_another_process_finds_copy_and_order(
    tables: Tables, source: TableSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        engine.prepare(source)
        assert sorted_page(engine, source) == EXPECTED

    def never(*_: object) -> pa.Table:
        pytest.fail("nothing is left to be found")

    monkeypatch.setattr(Database, "table", never)
    monkeypatch.setattr("opendata.tabular.published.PublishedFile._group", never)
    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        assert sorted_page(engine, source) == EXPECTED


@pytest.mark.parametrize("damage", ["emptied", "cut", "overwritten", "removed"])
def test_damaged_copies_are_made_anew(
    tables: Tables, source: TableSource, tmp_path: Path, damage: str
) -> None:
    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        engine.prepare(source)
    (copy,) = (tmp_path / "hot").glob("rows-*")
    whole = copy.read_bytes()
    if damage == "removed":
        copy.unlink()
    else:
        copy.write_bytes(
            {"emptied": b"", "cut": whole[: len(whole) // 2], "overwritten": b"\x00" * 5000}[damage]
        )
    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        assert sorted_page(engine, source) == EXPECTED
        engine.prepare(source)
        assert sorted_page(engine, source) == EXPECTED
    assert copy.read_bytes() == whole


@pytest.mark.parametrize("damage", [b"", b"\x00" * 16, b"\xff" * 4 * ROWS])
def test_damaged_orders_are_found_anew(
    tables: Tables, source: TableSource, tmp_path: Path, damage: bytes
) -> None:
    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        sorted_page(engine, source)
    (order,) = (tmp_path / "hot").glob("order-*")
    order.write_bytes(damage)
    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        assert sorted_page(engine, source) == EXPECTED


def test_a_copy_removed_under_a_running_engine_is_not_missed(
    tables: Tables, source: TableSource, tmp_path: Path
) -> None:
    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        engine.prepare(source)
        sorted_page(engine, source)
        for path in (tmp_path / "hot").iterdir():
            path.unlink()
        assert sorted_page(engine, source) == EXPECTED


def test_a_file_replaced_under_the_same_version_is_read_anew(
    tables: Tables, source: TableSource, tmp_path: Path
) -> None:
    """A retried conversion may write the file again before the version is published."""
    import pyarrow.parquet as pq

    with TableEngine([tables.folder], tmp_path, EVERY) as engine:
        engine.prepare(source)
        assert sorted_page(engine, source) == EXPECTED
        pq.write_table(pa.table({"n": range(100, 100 + ROWS), "t": ["x"] * ROWS}), source.path)
        os.utime(source.path, (1, 1))
        assert sorted_page(engine, source) == [100, 101, 102, 103]


def test_the_longest_unused_files_go_first(tables: Tables, tmp_path: Path) -> None:
    sources = [tables.publish(pa.table({"n": range(1000)}), row_group=1000) for _ in range(3)]
    hot = HotFiles(tmp_path, 10**9)
    hot.prepare(published_file(sources[0]))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    hot.close()
    hot = HotFiles(tmp_path, size * 5 // 2)
    hot.prepare(published_file(sources[1]))
    for path in tmp_path.iterdir():
        os.utime(path, (time.time() - 60, time.time() - 60))
    assert hot.table(published_file(sources[0]), make=False) is not None  # used, therefore kept
    hot.prepare(published_file(sources[2]))
    assert hot.table(published_file(sources[1]), make=False) is None
    assert hot.table(published_file(sources[0]), make=False) is not None
    assert hot.table(published_file(sources[2]), make=False) is not None
    hot.close()


def test_a_table_larger_than_the_budget_gets_no_copy(tables: Tables, tmp_path: Path) -> None:
    source = tables.publish(pa.table({"n": range(1000)}))
    hot = HotFiles(tmp_path, 100)
    hot.prepare(published_file(source))
    assert hot.table(published_file(source), make=True) is None
    hot.close()
    assert not list(tmp_path.iterdir())


def test_a_table_that_grows_beyond_the_budget_while_copied_is_tried_once(
    tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeated long text takes next to nothing in Parquet."""
    source = tables.publish(pa.table({"t": ["x" * 1000] * 1000}), row_group=1000)
    tries = []
    groups = PublishedFile.groups

    def counted(file: PublishedFile) -> Iterator[pa.Table]:
        tries.append(file)
        return groups(file)

    monkeypatch.setattr(PublishedFile, "groups", counted)
    hot = HotFiles(tmp_path, 100_000)
    assert published_file(source).memory_bytes < 50_000
    for _ in range(2):
        hot.prepare(published_file(source))
    hot.close()
    assert len(tries) == 1
    assert not list(tmp_path.iterdir())


def test_leavings_of_a_killed_process_are_cleared(tmp_path: Path) -> None:
    old, fresh = tmp_path / "rows-a.1.part", tmp_path / "rows-b.2.part"
    old.write_bytes(b"x")
    fresh.write_bytes(b"x")
    os.utime(old, (1, 1))
    HotFiles(tmp_path, 1000).close()
    assert not old.exists()
    assert fresh.exists()


def test_a_file_that_is_not_what_its_version_says_is_a_fault_not_an_answer(
    tables: Tables, source: TableSource, tmp_path: Path
) -> None:
    wrong = replace(source, row_count=ROWS + 1)
    query = parse_query(wrong, [])
    with TableEngine([tables.folder], tmp_path) as engine, pytest.raises(ValueError, match="not the"):
        engine.rows(wrong, query)
