"""What is written of a value can be read back as that value, by readers that are not ours."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.tabular.cells import csv_texts, json_cells, json_texts, page_cells

moments = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59))  # noqa: DTZ001 - as stored
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), st.text(st.characters(codec="utf-8"), max_size=20)),
    "large text": (pa.large_string(), st.text(st.characters(codec="utf-8"), max_size=20)),
    "categories": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["a", "", '"', ","])),
    "int64": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "uint64": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "int8": (pa.int8(), st.integers(-128, 127)),
    "double": (pa.float64(), st.floats()),
    "decimal": (pa.decimal128(20, 6), st.decimals(-(10**13), 10**13, places=6)),
    "wide decimal": (pa.decimal128(38, 0), st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal)),
    "boolean": (pa.bool_(), st.booleans()),
    "date": (pa.date32(), st.dates()),
    "moment": (pa.timestamp("us"), moments),
    "moment with zone": (
        pa.timestamp("us", "Asia/Ho_Chi_Minh"),
        st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    ),
    "time": (pa.time64("us"), st.times()),
    "nothing": (pa.null(), st.none()),
}  # fmt: skip


def written(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_pages_and_exports_write_the_same_json(name: str, data: st.DataObject) -> None:
    kind, values = COLUMNS[name]
    array = pa.array(data.draw(st.lists(st.none() | values, max_size=6)), kind)
    texts = json_texts(array).to_pylist()
    page = json.loads(json.dumps(json_cells(pa.chunked_array([array]))))
    assert [json.loads(text, parse_constant=pytest.fail) for text in texts] == page


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_csv_is_read_back(name: str, data: st.DataObject) -> None:
    kind, values = COLUMNS[name]
    sent = data.draw(st.lists(st.none() | values, max_size=6))
    line = ",".join(["x", *csv_texts(pa.array(sent, kind)).to_pylist()])
    (fields,) = written(line + "\r\n")
    assert len(fields) == len(sent) + 1
    for value, field in zip(sent, fields[1:], strict=True):
        if value is None:
            assert field == ""
        elif isinstance(value, str):
            assert field == value
        elif isinstance(value, bool):
            assert field == str(value).lower()
        elif isinstance(value, float):
            assert float(field) == value or (math.isnan(value) and field == "NaN")
        elif isinstance(value, int | Decimal):
            assert Decimal(field) == value
        elif isinstance(value, dt.datetime):
            assert dt.datetime.fromisoformat(field) == value
            assert " " not in field
        else:
            assert type(value).fromisoformat(field) == value


def test_no_value_and_empty_text_stay_apart() -> None:
    assert csv_texts(pa.array([None, "", "a"])).to_pylist() == ["", '""', "a"]


def test_a_slice_is_written_as_itself() -> None:
    array = pa.array(['"quoted"', "a,b", "plain", "", None, "x"])
    assert csv_texts(array.slice(2, 3)).to_pylist() == ["plain", '""', ""]
    assert json_texts(array.slice(1, 2)).to_pylist() == ['"a,b"', '"plain"']


@pytest.mark.parametrize(
    ("value", "kind", "json_text", "csv_text"),
    [
        (2**53 - 1, pa.int64(), "9007199254740991", "9007199254740991"),
        (2**53, pa.int64(), '"9007199254740992"', "9007199254740992"),
        (-(2**53), pa.int64(), '"-9007199254740992"', "-9007199254740992"),
        (Decimal("123456789012.345"), pa.decimal128(18, 3), "123456789012.345", "123456789012.345"),
        (Decimal("1234567890123.456"), pa.decimal128(18, 3), '"1234567890123.456"', "1234567890123.456"),
        (Decimal("0.000"), pa.decimal128(18, 3), "0.000", "0.000"),
        (math.inf, pa.float64(), "null", "INF"),
        (-math.inf, pa.float64(), "null", "-INF"),
        (math.nan, pa.float64(), "null", "NaN"),
        (0.1, pa.float64(), "0.1", "0.1"),
        (0.1, pa.float32(), "0.1", "0.1"),
        ("=1+1", pa.string(), '"=1+1"', "=1+1"),
        ("0084", pa.string(), '"0084"', "0084"),
        ("a\nb", pa.string(), '"a\\nb"', '"a\nb"'),
        ("Hà Nội", pa.string(), '"Hà Nội"', "Hà Nội"),
        (True, pa.bool_(), "true", "true"),
        (dt.date(945, 9, 2), pa.date32(), '"0945-09-02"', "0945-09-02"),
        (dt.datetime(2025, 7, 1, 8, 30), pa.timestamp("s"), '"2025-07-01T08:30:00"', "2025-07-01T08:30:00"),  # noqa: DTZ001
        (
            dt.datetime(2025, 7, 1, 1, 30, 0, 500_000, dt.UTC),
            pa.timestamp("us", "Asia/Ho_Chi_Minh"),
            '"2025-07-01T01:30:00.500000Z"',
            "2025-07-01T01:30:00.500000Z",
        ),
        (dt.time(8, 30), pa.time32("s"), '"08:30:00"', "08:30:00"),
        (b"\x00\xff", pa.binary(), '"AP8="', "AP8="),
        ([1, 2], pa.list_(pa.int64()), '"[1, 2]"', '"[1, 2]"'),
    ],
)
def test_the_documented_forms(value: object, kind: pa.DataType, json_text: str, csv_text: str) -> None:
    array = pa.array([value, None], kind)
    assert json_texts(array).to_pylist() == [json_text, "null"]
    assert csv_texts(array).to_pylist() == [csv_text, ""]
    assert json_cells(pa.chunked_array([array])) == [json.loads(json_text), None]


def test_dates_beyond_python_are_shown_as_text() -> None:
    column = pa.chunked_array([pa.array([4_000_000, None], pa.int32()).cast(pa.date32())])
    shown = page_cells(column)
    assert shown[1] is None
    assert "12921" in str(shown[0])
    assert json_cells(column) == shown


def test_nanoseconds_need_no_other_library() -> None:
    column = pa.chunked_array([pa.array([1_700_000_000_123_456_789], pa.timestamp("ns"))])
    assert page_cells(column) == [dt.datetime(2023, 11, 14, 22, 13, 20, 123456)]  # noqa: DTZ001 - as stored
