"""Formats that state their types: JSON records, JSON Lines, Parquet."""

# ruff: noqa: DTZ001 - files hold moments without a zone

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def codes(problems) -> list[str]:
    return [problem.code for problem in problems]


def types(table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


RECORDS = [
    {"mã": "01", "số": 1, "lẻ": 0.5, "đúng": True, "con": [{"a": 1}], "ngày": "2024-12-31", "chữ số": "12"},
    {"mã": "02", "số": None, "lẻ": 2, "đúng": False, "con": {}, "thêm": "x"},
]


@pytest.mark.parametrize("filename", ["x.json", "x.jsonl", "x.ndjson"])
def test_records(filename, ingest, rows_of) -> None:
    lines = [json.dumps(record, ensure_ascii=False) for record in RECORDS]
    text = "[" + ",\n".join(lines) + "]" if filename == "x.json" else "\n".join(lines)
    result = ingest(text, filename)
    (table,) = result.tables
    assert types(table) == {
        "mã": "string",
        "số": "integer",
        "lẻ": "number",
        "đúng": "boolean",
        "con": "string",
        "ngày": "date",
        "chữ số": "string",
        "thêm": "string",
    }
    assert rows_of(result) == [
        {
            "mã": "01",
            "số": 1,
            "lẻ": 0.5,
            "đúng": True,
            "con": '[{"a": 1}]',
            "ngày": dt.date(2024, 12, 31),
            "chữ số": "12",
            "thêm": None,
        },
        {
            "mã": "02",
            "số": None,
            "lẻ": 2.0,
            "đúng": False,
            "con": "{}",
            "ngày": None,
            "chữ số": None,
            "thêm": "x",
        },
    ]
    notes = {column.name: codes(column.notes) for column in table.columns if column.notes}
    assert notes == {"mã": ["leading-zeros"], "con": ["nested-values"], "chữ số": ["text-in-source"]}
    assert result.identification.format == ("json" if filename == "x.json" else "jsonl")


def test_digits_are_kept_as_written(ingest, rows_of) -> None:
    text = '[{"a": 0.1000, "b": 1234567890123456.78, "c": [1.10, {"x": 12345678901234567890}]}]'
    result = ingest(text, "x.json")
    assert rows_of(result) == [
        {"a": 0.1, "b": Decimal("1234567890123456.78"), "c": '[1.10, {"x": 12345678901234567890}]'}
    ]


def test_json_lines_named_json_are_read_as_lines(ingest) -> None:
    result = ingest('{"a": 1}\n{"a": 2}\n{"a": 3}\n', "x.json")
    assert result.identification.format == "jsonl"
    assert codes(result.problems) == ["read-by-content"]
    assert result.tables[0].row_count == 3


def test_rows_are_records_or_lines(ingest) -> None:
    values = [1, 2, 3, 4, "x", 5]
    lines = [json.dumps({"a": value}) for value in values]
    (table,) = ingest("[" + ",".join(lines) + "]", "x.json").tables
    assert table.columns[0].notes[0].params["examples"] == [[5, "x"]]
    (table,) = ingest("\n\n" + "\n".join(lines), "x.jsonl").tables
    assert table.columns[0].notes[0].params["examples"] == [[7, "x"]]


def test_escaped_letters_are_normalised(ingest, rows_of) -> None:
    result = ingest('[{"te\\u0302n": "Ha\\u0300 No\\u0323\\u0302i", "hỏng": "\\ud800x"}]', "x.json")
    assert rows_of(result) == [{"tên": "Hà Nội", "hỏng": "?x"}]


def test_long_arrays_are_streamed(ingest) -> None:
    """Records far longer than the window that is read at a time."""
    records = [{"số": number, "chữ": "đ" * (number * 1000)} for number in range(80)]
    (table,) = ingest(json.dumps(records, ensure_ascii=False, indent=1), "x.json").tables
    assert table.row_count == 80
    texts = table.profile["columns"][1]
    assert texts["distinct"] == 79


def test_json_in_other_encodings(ingest, rows_of) -> None:
    text = json.dumps([{"tên": "Hà Nội"}], ensure_ascii=False)
    for encoding in ("utf-8-sig", "utf-16"):
        assert rows_of(ingest(text.encode(encoding), "x.json")) == [{"tên": "Hà Nội"}]


def parquet(**columns: pa.Array) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def test_parquet_types_are_kept(ingest, rows_of) -> None:
    moment = dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    content = parquet(
        nhỏ=pa.array([1, None], pa.int8()),
        lớn=pa.array([2**62, -1], pa.int64()),
        lẻ=pa.array([0.1, None], pa.float32()),
        tiền=pa.array([Decimal("12.30"), None], pa.decimal128(20, 2)),
        mã=pa.array(["01", "e\u0302"], pa.large_string()),
        loại=pa.array(["a", "b"]).dictionary_encode(),
        ngày=pa.array([dt.date(2024, 1, 2), None]),
        lúc=pa.array([moment, None], pa.timestamp("us", "UTC")),
        giờ=pa.array([dt.time(8, 30), None], pa.time64("us")),
        đúng=pa.array([True, None]),
        con=pa.array([[1, 2], None], pa.list_(pa.int64())),
        byte=pa.array([b"\x00\xff", None]),
        rỗng=pa.nulls(2),
    )
    result = ingest(content, "x.parquet")
    (table,) = result.tables
    assert types(table) == {
        "nhỏ": "integer",
        "lớn": "integer",
        "lẻ": "number",
        "tiền": "number",
        "mã": "string",
        "loại": "string",
        "ngày": "date",
        "lúc": "datetime",
        "giờ": "time",
        "đúng": "boolean",
        "con": "string",
        "byte": "string",
        "rỗng": "string",
    }
    first, second = rows_of(result)
    assert first["lớn"] == 2**62
    assert first["tiền"] == Decimal("12.30")
    assert first["lúc"] == moment
    assert (first["con"], first["byte"], first["loại"]) == ("[1, 2]", "AP8=", "a")
    assert second["mã"] == "ê"
    assert pq.read_schema(table.parquet_path).field("nhỏ").type == pa.int8()
    assert {column.name: codes(column.notes) for column in table.columns if column.notes} == {
        "con": ["nested-values"],
        "byte": ["binary-values"],
    }
    assert table.report["valid"]
    assert table.report["tasks"][0]["stats"]["rows"] == 2


def test_parquet_with_wide_types(ingest, rows_of) -> None:
    content = parquet(
        ns=pa.array([1_700_000_000_123_456_789], pa.timestamp("ns")),
        zoned=pa.array([1_700_000_000_123], pa.timestamp("ms", "Asia/Ho_Chi_Minh")),
        narrow=pa.array([Decimal("1.50")], pa.decimal256(10, 2)),
        wide=pa.array([Decimal("1.5")], pa.decimal256(60, 1)),
        big=pa.array([2**63 + 5], pa.uint64()),
        half=pa.array([1.5], pa.float16()),
        long=pa.array([dt.timedelta(seconds=5)]),
    )
    result = ingest(content, "x.parquet")
    assert rows_of(result)[0]["wide"] == "1.5"
    assert rows_of(result)[0]["narrow"] == Decimal("1.50")
    schema = pq.read_schema(result.tables[0].parquet_path)
    assert schema.field("zoned").type == pa.timestamp("ms", "Asia/Ho_Chi_Minh")
    assert schema.field("narrow").type == pa.decimal128(10, 2)
    assert rows_of(result)[0]["big"] == 2**63 + 5


def test_parquet_without_rows(ingest) -> None:
    result = ingest(parquet(a=pa.array([], pa.int64())), "x.parquet")
    assert codes(result.problems) == ["no-rows"]


def test_parquet_against_a_schema(ingest) -> None:
    content = parquet(
        số=pa.array([1, 20]), lúc=pa.array([dt.datetime(2024, 1, 1, 8)] * 2, pa.timestamp("ns"))
    )
    fields = [
        {"name": "số", "type": "integer", "constraints": {"maximum": 9}},
        {"name": "lúc", "type": "datetime"},
    ]
    result = ingest(content, "x.parquet", table_schema={"fields": fields})
    (problem,) = result.problems
    assert (problem.code, problem.row, problem.column) == ("cell-constraint", 2, "số")
    fields[0] = {"name": "số", "type": "integer"}
    assert ingest(content, "x.parquet", table_schema={"fields": fields}).tables[0].report["valid"]
