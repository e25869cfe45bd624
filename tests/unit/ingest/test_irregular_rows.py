"""Uneven and blank rows are kept whole as long as there is room for them, and counted beyond."""

from __future__ import annotations

from opendata.resources.formats import table
from opendata.resources.formats.table import Irregular


def test_any_number_of_small_rows_is_kept() -> None:
    irregular = Irregular()
    for row in range(20_000):
        irregular.add_ragged(row, ["x"], 2)
        irregular.add_blank(row, 3)
    assert (len(irregular.ragged), len(irregular.blank)) == (20_000, 20_000)


def test_what_is_kept_is_bounded_by_its_memory_and_is_what_came_first(monkeypatch) -> None:
    monkeypatch.setattr(table, "KEPT_BYTES", 1 << 20)
    irregular = Irregular()
    irregular.add_ragged(1, ["small"], 2)
    for row in range(2, 12):
        irregular.add_ragged(row, ["x" * 200_000, "", ""], 2)
    irregular.add_ragged(12, ["small"], 2)
    irregular.add_blank(13, 2)
    assert list(irregular.ragged) == [1, 2, 3, 4, 5, 6]
    assert (irregular.extra_count, irregular.missing_count) == (10, 2)
    assert (irregular.blank, irregular.blank_count) == ({}, 1)
