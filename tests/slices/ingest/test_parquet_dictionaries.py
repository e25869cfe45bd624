"""Columns are stored as dictionaries where their values repeat, and only there; the values are the same."""

from __future__ import annotations

import pyarrow.parquet as pq

from opendata.resources.ingest.pipeline import ingest_file


def test_only_what_repeats_gets_a_dictionary(tmp_path) -> None:
    source = tmp_path / "bang.csv"
    names = [f"Xã {number % 7}" for number in range(1000)]
    source.write_text("ma,ten\n" + "".join(f"{number},{name}\n" for number, name in enumerate(names)))
    (table,) = ingest_file(source, source.name, tmp_path).tables
    group = pq.read_metadata(table.parquet_path).row_group(0)
    stored = {group.column(place).path_in_schema: group.column(place) for place in range(2)}
    assert not stored["ma"].has_dictionary_page
    assert stored["ten"].has_dictionary_page
    kept = pq.read_table(table.parquet_path)
    assert kept["ma"].to_pylist() == list(range(1000))
    assert kept["ten"].to_pylist() == names
