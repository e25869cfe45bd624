"""JSON as offices and programming interfaces write it: by record, by row, by column, wrapped, nested one level."""

from __future__ import annotations

import json

import pytest


def told(result) -> list[str]:
    return [problem.code for problem in (*result.problems, *(p for t in result.tables for p in t.problems))]


def labels(table) -> list[str]:
    return [column.name for column in table.columns]


EXPECTED = [{"mã": "x", "số": 1}, {"mã": "y", "số": None}, {"mã": "z", "số": 3}]
SHAPES = {
    "records": EXPECTED,
    "rows": [["mã", "số"], ["x", 1], ["y", None], ["z", 3]],
    "columns": {"mã": ["x", "y", "z"], "số": [1, None, 3]},
    "in data": {"data": EXPECTED, "count": 3},
    "in result.records": {"success": True, "result": {"records": EXPECTED, "total": 3}},
    "rows in data": {"data": [["mã", "số"], ["x", 1], ["y", None], ["z", 3]]},
    "split": {"columns": ["mã", "số"], "index": [0, 1, 2], "data": [["x", 1], ["y", None], ["z", 3]]},
    "described": {"fields": [{"id": "mã"}, {"id": "số"}], "records": EXPECTED},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_gives_the_same_table(shape, ingest, rows_of) -> None:
    result = ingest(json.dumps(shape), "x.json")
    assert rows_of(result) == EXPECTED
    assert [column.type for column in result.tables[0].columns] == ["string", "integer"]


def test_what_stands_in_no_table_is_said(ingest) -> None:
    result = ingest('{"data": [{"a": 1}, {"a": 2}], "nguồn": "x", "trang": {"sau": 2}}', "x.json")
    (problem,) = result.problems
    assert (problem.code, problem.params) == (
        "json-members-left-out",
        {"count": 2, "names": "nguồn, trang.sau"},
    )


def test_several_lists_are_several_tables(ingest) -> None:
    result = ingest('{"tỉnh": [{"a": 1}, {"a": 2}], "xã": [{"b": "x"}]}', "x.json")
    assert [(table.title, table.row_count) for table in result.tables] == [("tỉnh", 2), ("xã", 1)]


def test_an_object_in_a_record_becomes_columns(ingest, rows_of) -> None:
    text = '[{"tên": "A", "nơi": {"kinh": 105.8, "vĩ": 21.0, "sâu": {"x": 1}}}, {"tên": "B", "nơi": null}]'
    result = ingest(text, "x.json")
    assert rows_of(result) == [
        {"tên": "A", "nơi.kinh": 105.8, "nơi.vĩ": 21.0, "nơi.sâu": '{"x": 1}'},
        {"tên": "B", "nơi.kinh": None, "nơi.vĩ": None, "nơi.sâu": None},
    ]
    assert [note.code for note in result.tables[0].columns[3].notes] == ["nested-values"]


def test_an_object_used_as_a_map_stays_text(ingest) -> None:
    text = json.dumps([{"a": 1, "điểm": {f"học sinh {number}": number for number in range(500)}}])
    (table,) = ingest(text, "x.json").tables
    assert labels(table) == ["a", "điểm"]


def test_a_list_in_a_record_becomes_a_table_with_the_key(ingest, rows_of) -> None:
    records = [
        {"loại": "p", "mã": "01", "xã": [{"tên": "A", "mã": "1"}, {"tên": "B", "mã": "2"}]},
        {"loại": "p", "mã": "02", "xã": []},
        {"loại": "p", "mã": "03", "xã": [{"tên": "C", "sâu": [1]}]},
    ]
    result = ingest(json.dumps(records), "x.json")
    parent, child = result.tables
    assert labels(parent) == ["loại", "mã"]
    assert child.title == "xã"
    assert rows_of(result, 1) == [
        {"parent.mã": "01", "tên": "A", "mã": "1", "sâu": None},
        {"parent.mã": "01", "tên": "B", "mã": "2", "sâu": None},
        {"parent.mã": "03", "tên": "C", "mã": None, "sâu": "[1]"},
    ]
    assert "json-list-as-table" in told(result)


def test_records_without_a_key_are_counted(ingest, rows_of) -> None:
    result = ingest('[{"a": 1, "b": [{"c": 5}]}, {"a": 1, "b": [{"c": 6}, {"c": 7}]}]', "x.json")
    assert rows_of(result, 1) == [{"record": 1, "c": 5}, {"record": 2, "c": 6}, {"record": 2, "c": 7}]


def test_records_of_nothing_but_a_list(ingest, rows_of) -> None:
    result = ingest('[{"b": [{"c": 5}]}, {"b": [{"c": 6}]}]', "x.json")
    assert len(result.tables) == 1
    assert rows_of(result) == [{"record": 1, "c": 5}, {"record": 2, "c": 6}]


def test_json_lines_are_taken_apart_too(ingest) -> None:
    result = ingest('{"a": 1, "b": [{"c": 5}]}\n{"a": 2, "b": [{"c": 6}]}\n', "x.jsonl")
    assert [labels(table) for table in result.tables] == [["a"], ["a", "c"]]


BROKEN = {
    "columns of different length": ('{"a": [1, 2], "b": [1]}', "json-columns-differ"),
    "mixed": ('[{"a": 1}, [1]]', "json-record-not-object"),
    "rows without a header": ("[[1, 2], [3, 4]]", "json-record-not-object"),
    "member cut off": ('{"data": [{"a": 1}], "b": ', "json-invalid"),
    "name without quotes": ("{data: [1]}", "json-invalid"),
    "no colon": ('{"data" [1]}', "json-invalid"),
    "comma at the end": ('{"data": [{"a": 1}],}', "json-invalid"),
    "something after": ('{"data": [{"a": 1}]} x', "json-invalid"),
    "an object of values": ('{"a": 1}', "json-not-records"),
    "an empty object": ("{}", "no-rows"),
    "wide rows": (json.dumps([["a"], list(range(5000))]), "too-many-columns"),
    "wide columns": (json.dumps({f"c{number}": [1] for number in range(5000)}), "json-not-records"),
}


@pytest.mark.parametrize(("text", "code"), BROKEN.values(), ids=BROKEN)
def test_broken_shapes(text, code, ingest) -> None:
    result = ingest(text, "x.json")
    assert [problem.code for problem in result.problems if problem.severity == "error"] == [code]


def test_json_by_column_has_an_end(ingest, monkeypatch) -> None:
    monkeypatch.setattr("opendata.resources.formats.json_records.MOST_COLUMN_TEXT", 1000)
    (problem,) = ingest(json.dumps({"a": ["x" * 100] * 20}), "x.json").problems
    assert problem.code == "json-columns-too-large"
