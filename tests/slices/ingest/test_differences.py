"""Differences between two versions: applied to the old rows, they give the new ones; counts are what is listed."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.differences import Differences, compare_tables

cells = st.sampled_from(["a", "b", "", None, "Hà Nội", "x,y", 'q"q', "dòng\nhai"])
whole_rows = st.lists(st.tuples(cells, cells), min_size=1, max_size=8)
keyed_rows = st.dictionaries(
    st.sampled_from([f"{n:02d}" for n in range(12)]), st.tuples(cells, cells), max_size=8
)


def compared(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], names: list[str], key: tuple[str, ...] = ()
) -> tuple[Differences, list[list[str]]]:
    folder = Path(tempfile.mkdtemp())
    try:
        for name, rows in (("before", before), ("after", after)):
            columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
            arrays = [pa.array(list(column), pa.string()) for column in columns]
            pq.write_table(pa.table(arrays, names=names), folder / f"{name}.parquet")
        found = compare_tables(folder / "before.parquet", folder / "after.parquet", folder, key)
        assert Differences.from_json(found.to_json()) == found
        if found.path is None:
            return found, []
        with found.path.open(newline="", encoding="utf-8") as source:
            head, *lines = csv.reader(source)
        assert head == ["_change", *names]
        return found, lines
    finally:
        shutil.rmtree(folder)


def applied(before: list[tuple[Any, ...]], lines: list[list[str]]) -> Counter[tuple[str, ...]]:
    """The old rows after these changes; an empty cell of the CSV is no value or an empty text."""
    rows = Counter(tuple(cell or "" for cell in row) for row in before)
    for kind, *row in lines:
        rows[tuple(row)] += 1 if kind in {"added", "after"} else -1
    return +rows


@settings(max_examples=40, deadline=None)
@given(whole_rows, whole_rows)
def test_changes_of_whole_rows_lead_from_the_old_to_the_new(before, after) -> None:
    before = [(*row, "same") for row in before] * 2  # no column has values of its own
    after = [(*row, "same") for row in after] * 2
    found, lines = compared(before, after, ["x", "y", "z"])
    wanted, had = Counter(after), Counter(before)
    assert (found.key, found.changed) == ((), 0)
    assert (found.added, found.removed) == (sum((wanted - had).values()), sum((had - wanted).values()))
    assert applied(before, lines) == Counter(tuple(cell or "" for cell in row) for row in after)
    assert found.is_same == (wanted == had)


@settings(max_examples=40, deadline=None)
@given(keyed_rows, keyed_rows)
def test_changes_by_key_lead_from_the_old_to_the_new(before, after) -> None:
    old = [(key, *row) for key, row in before.items()]
    new = [(key, *row) for key, row in after.items()]
    found, lines = compared(old, new, ["mã", "x", "y"], ("mã",))
    assert found.key == ("mã",)
    assert found.added == len(after.keys() - before.keys())
    assert found.removed == len(before.keys() - after.keys())
    assert found.changed == sum(before[key] != after[key] for key in before.keys() & after.keys())
    for position, name in enumerate(("x", "y")):
        differ = sum(before[key][position] != after[key][position] for key in before.keys() & after.keys())
        assert found.changed_columns.get(name, 0) == differ
    assert applied(old, lines) == Counter(tuple(cell or "" for cell in row) for row in new)


def test_a_running_number_is_not_taken_for_the_key() -> None:
    before = [(str(n), f"{n:03d}", "a") for n in range(1, 20)]
    after = [("1", "000", "new"), *((str(n + 1), f"{n:03d}", "a") for n in range(1, 20))]
    found, _ = compared(before, after, ["stt", "mã", "tên"])
    assert found.key == ("mã",)
    assert (found.added, found.removed, found.changed_columns) == (1, 0, {"stt": 19})


@pytest.mark.parametrize("key", [("không có",), ("y",), ("x", "y")])
def test_a_declared_key_that_does_not_hold_is_not_used(key) -> None:
    found, _ = compared([("1", "a"), ("2", "a")], [("1", "b"), ("2", "b")], ["x", "y"], key)
    assert found.key == (("x", "y") if key == ("x", "y") else ("x",))


def test_columns_that_come_go_or_change_their_type_are_said(tmp_path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "a": [1, 2], "gone": ["x", "y"]}), tmp_path / "old.parquet")
    pq.write_table(pa.table({"id": [1, 2], "a": ["1", "z"], "_change": [0, 0]}), tmp_path / "new.parquet")
    found = compare_tables(tmp_path / "old.parquet", tmp_path / "new.parquet", tmp_path)
    assert found.columns_added == ("_change",)
    assert found.columns_removed == ("gone",)
    assert found.retyped == {"a": ("int64", "string")}
    assert (found.changed, found.changed_columns) == (1, {"a": 1})
    assert found.path is not None
    assert found.path.read_text().splitlines()[0] == "__change,id,a,_change,gone"


def test_tables_without_a_common_column_differ_in_every_row(tmp_path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "old.parquet")
    pq.write_table(pa.table({"b": [3]}), tmp_path / "new.parquet")
    found = compare_tables(tmp_path / "old.parquet", tmp_path / "new.parquet", tmp_path)
    assert (found.key, found.added, found.removed) == ((), 1, 2)
