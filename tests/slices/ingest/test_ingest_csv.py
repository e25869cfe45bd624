"""CSV files as offices write them: what they become, and what is said about it."""

# ruff: noqa: DTZ001 - files hold moments without a zone

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.convert import ROW_GROUP, SCHEMA_KEY, SOURCE_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from opendata.resources.ingest.result import Progress


def codes(problems) -> list[str]:
    return [problem.code for problem in problems]


def test_typed_columns(ingest, rows_of) -> None:
    text = (
        "mã;tên;diện tích;dân số;ngày;lúc;đúng\n"
        '01;Hà Nội;"3.359,80";8.718.000;31/12/2024;2024-12-31T10:00:00;true\n'
        "02;;6.700,40;555.809;01/01/2025;2025-01-01 00:00:00;false\n"
        "04;Cao Bằng;;;;;\n"
    )
    result = ingest(text)
    table = result.tables[0]
    assert [(column.name, column.type, column.format) for column in table.columns] == [
        ("mã", "string", "default"),
        ("tên", "string", "default"),
        ("diện tích", "number", "default"),
        ("dân số", "number", "default"),
        ("ngày", "date", "%d/%m/%Y"),
        ("lúc", "datetime", "default"),
        ("đúng", "boolean", "default"),
    ]
    assert rows_of(result) == [
        {
            "mã": "01",
            "tên": "Hà Nội",
            "diện tích": 3359.8,
            "dân số": 8718000,
            "ngày": dt.date(2024, 12, 31),
            "lúc": dt.datetime(2024, 12, 31, 10),
            "đúng": True,
        },
        {
            "mã": "02",
            "tên": None,
            "diện tích": 6700.4,
            "dân số": 555809,
            "ngày": dt.date(2025, 1, 1),
            "lúc": dt.datetime(2025, 1, 1),
            "đúng": False,
        },
        {
            "mã": "04",
            "tên": "Cao Bằng",
            "diện tích": None,
            "dân số": None,
            "ngày": None,
            "lúc": None,
            "đúng": None,
        },
    ]
    assert table.table_schema["fields"][2] == {
        "name": "diện tích",
        "type": "number",
        "decimalChar": ",",
        "groupChar": ".",
    }
    assert table.report["valid"]
    assert result.problems == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_delimiters_line_ends_and_encodings_make_no_difference(
    delimiter, end, encoding, ingest, rows_of
) -> None:
    lines = ["mã,tên", "01,Hà Nội", "02,Đắk Lắk"]
    text = end.join(line.replace(",", delimiter) for line in lines) + end
    result = ingest(unicodedata.normalize("NFD", text).encode(encoding))
    assert result.identification.dialect.delimiter == delimiter
    assert rows_of(result) == [{"mã": "01", "tên": "Hà Nội"}, {"mã": "02", "tên": "Đắk Lắk"}]
    assert result.identification.format == ("tsv" if delimiter == "\t" else "csv")


def test_quoted_line_breaks_do_not_shift_row_numbers(ingest) -> None:
    text = 'tên,số\n"một\nhai",1\n"ba",2\nbốn,3\nnăm,x\n'
    (table,) = ingest(text).tables
    (note,) = table.columns[1].notes
    assert note.params["examples"] == [[5, "x"]]


def test_title_rows_are_skipped_and_said(ingest, rows_of) -> None:
    result = ingest("Bảng 1. Dân số các tỉnh\n\nĐơn vị: người,,\nmã,tên,số\n01,A,5\n02,B,6\n")
    (table,) = result.tables
    assert codes(table.problems) == ["title-rows-skipped", "unit-above-table"]
    assert table.problems[0].params == {"count": 3, "header_row": 4}
    assert table.title == "Bảng 1. Dân số các tỉnh"
    assert rows_of(result)[0] == {"mã": "01", "tên": "A", "số": 5}


def test_ragged_rows_are_kept_and_named(ingest, rows_of) -> None:
    result = ingest("a,b,c\n1,2,3\n4,5\n6,7,8,9,10\n11\n")
    (table,) = result.tables
    assert not result.failed
    assert rows_of(result) == [
        {"a": 1, "b": 2, "c": 3},
        {"a": 4, "b": 5, "c": None},
        {"a": 6, "b": 7, "c": 8},
        {"a": 11, "b": None, "c": None},
    ]
    extra, missing = table.problems
    assert (extra.code, extra.severity, extra.params) == (
        "extra-cells",
        "warning",
        {"count": 1, "examples": [[4, "9 | 10"]]},
    )
    assert missing.params == {"count": 2, "examples": [[3, "4 | 5"], [5, "11"]]}
    assert not table.report["valid"]
    assert [error["type"] for error in table.report["tasks"][0]["errors"]] == [
        "missing-cell",
        "extra-cell",
        "extra-cell",
        "missing-cell",
        "missing-cell",
    ]


def test_blank_rows_are_left_out_and_counted(ingest, rows_of) -> None:
    result = ingest("a,b\n\n1,2\n,\n3,4\n\n\n")
    (table,) = result.tables
    assert rows_of(result) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    (problem,) = table.problems
    assert (problem.code, problem.params, problem.row) == ("blank-rows", {"count": 4}, 2)


def test_labels_become_unique_names(ingest, rows_of) -> None:
    result = ingest("tên, tên ,Tên,,tên_2\na,b,c,d,e\n")
    (table,) = result.tables
    names = [column.name for column in table.columns]
    assert (names[0], names[3], names[4]) == ("tên", "column_4", "tên_2")
    assert len({name.casefold() for name in names}) == 5
    assert set(codes(table.problems)) == {"duplicate-label", "blank-label"}
    assert list(rows_of(result)[0].values()) == ["a", "b", "c", "d", "e"]


def test_unnamed_last_column_is_not_lost(ingest, rows_of) -> None:
    """R writes row names without a label for them."""
    result = ingest("a,b\n1,2,3\n4,5,6\n")
    assert rows_of(result) == [{"a": 1, "b": 2, "column_3": 3}, {"a": 4, "b": 5, "column_3": 6}]
    assert "blank-label" in codes(result.tables[0].problems)


def test_a_file_without_header_is_suspected(ingest) -> None:
    assert codes(ingest("1,2\n3,4\n").tables[0].problems) == ["header-looks-like-data"]


def test_a_guessed_encoding_is_said(ingest) -> None:
    result = ingest("a;b\nÎle;Été\n".encode("cp1252"))
    (problem,) = result.problems
    assert (problem.code, problem.severity, problem.params["encoding"]) == (
        "encoding-guessed",
        "warning",
        "Windows-1252",
    )


def test_parquet_is_made_for_paging(ingest) -> None:
    text = "số,chữ\n" + "".join(f"{number},x{number % 7}\n" for number in range(40_000))
    result = ingest(text)
    (table,) = result.tables
    with pq.ParquetFile(table.parquet_path) as parquet:
        metadata = parquet.metadata
        groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        column = metadata.row_group(0).column(0)
        assert groups == [ROW_GROUP, ROW_GROUP, 40_000 - 2 * ROW_GROUP]
        assert column.compression == "ZSTD"
        assert column.is_stats_set
        assert column.has_column_index
        assert column.has_offset_index
        kept = parquet.schema_arrow.metadata
    assert json.loads(kept[SCHEMA_KEY.encode()]) == table.table_schema
    assert kept[SOURCE_KEY.encode()].decode() == result.identification.sha256
    assert table.parquet_size == table.parquet_path.stat().st_size


def test_progress_is_reported_by_stage(ingest) -> None:
    seen: list[Progress] = []
    text = "số,chữ\n" + "".join(f"{number},{'x' * 60}\n" for number in range(250_000))
    ingest(text, report=seen.append)
    stages = [progress.stage for progress in seen]
    assert list(dict.fromkeys(stages)) == ["identify", "validate", "convert", "profile"]
    assert stages.count("validate") >= 3
    assert stages.count("convert") >= 3
    assert all(0 <= progress.done <= progress.total for progress in seen)
    assert {progress.unit for progress in seen} == {"bytes", "rows"}


def test_only_results_stay_in_the_work_folder(ingest) -> None:
    path = ingest("a,b\n1,2\n").tables[0].parquet_path
    left = {found.name for found in path.parent.iterdir() if not found.name.startswith("stage-")}
    assert left == {path.name}


integers = st.integers(-(10**14), 10**14)
decimals = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=3)
words = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12
).filter(
    lambda text: not any(char.isdigit() for char in text) and text.strip().lower() not in {"true", "false"}
)
columns: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], str]]] = {
    "integer": (integers, str),
    "number": (decimals, str),
    "date": (st.dates(), dt.date.isoformat),
    "day first": (st.dates(min_value=dt.date(1900, 1, 13)), lambda day: day.strftime("%d/%m/%Y")),
    "datetime": (st.datetimes().map(lambda moment: moment.replace(microsecond=0)), dt.datetime.isoformat),
    "boolean": (st.booleans(), lambda value: "true" if value else "false"),
    "string": (words, str),
    "code": (st.integers(0, 999), lambda value: f"{value:05d}"),
}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_values_come_back_as_they_were(data, ingest, rows_of) -> None:
    """Typed columns written by Python's csv, read back from Parquet, equal the values written."""
    names = data.draw(st.lists(st.sampled_from(sorted(columns)), min_size=2, max_size=5, unique=True))
    count = data.draw(st.integers(1, 12))
    drawn = {
        name: data.draw(st.lists(st.none() | columns[name][0], min_size=count, max_size=count))
        for name in names
    }
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(names)
    written = [
        ["" if drawn[name][row] is None else columns[name][1](drawn[name][row]) for name in names]
        for row in range(count)
    ]
    writer.writerows(written)
    result = ingest(target.getvalue())
    kept = [row for row in range(count) if any(written[row])]
    if not kept:
        assert codes(result.problems) == ["no-rows"]
        return
    published = rows_of(result)
    assert len(published) == len(kept)
    for name in names:
        kind = next(column.type for column in result.tables[0].columns if column.name == name)
        for row, record in zip(kept, published, strict=True):
            value, text, found = drawn[name][row], written[row][names.index(name)], record[name]
            if value is None:
                assert found is None
            elif kind == "string":
                assert found == unicodedata.normalize("NFC", text)
            elif isinstance(value, Decimal):
                assert Decimal(str(found)) == value
            else:
                assert found == value
