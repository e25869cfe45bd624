"""Downloads are read back by programs people use, and hold exactly the rows that pages show."""

from __future__ import annotations

import csv
import datetime as dt
import gc
import io
import json
import random
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

from opendata.tabular.engine import Limits, TableEngine
from opendata.tabular.export import FORMATS, Export, Options, export_rows
from opendata.tabular.filters import parse_query
from opendata.tabular.problems import BusyError, QueryTooSlowError, TableFileMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opendata.tabular.source import TableSource
    from tests.slices.tabular.conftest import Tables

ROWS = 20_000  # more than one batch of the export and several pieces of text
AWKWARD = [
    "",
    "a,b",
    '"',
    'say "x"',
    "hai\ndòng",
    "\r\n",
    " x ",
    "0012",
    "=1+1",
    "-",
    "null",
    "NaN",
    "true",
    "Đắk Lắk",
]
NAMES = ["mã, tên", 'số "lớn"', "thực", "tiền", "ngày", "lúc", "đúng", "trống"]


@pytest.fixture(scope="module", params=["cold", "warm"])
def engine(request: pytest.FixtureRequest) -> TableEngine:
    """Sorted downloads of big tables take another way than those of small ones."""
    found: TableEngine = request.getfixturevalue(f"{request.param}_engine")
    return found


@pytest.fixture(scope="module")
def published() -> pa.Table:
    chance = random.Random(20250701)

    def maybe(value: Any) -> Any:
        return None if chance.random() < 0.05 else value

    day = dt.date(1975, 4, 30)
    moment = dt.datetime(2025, 7, 1)  # noqa: DTZ001 - as stored
    columns = [
        pa.array([maybe(chance.choice(AWKWARD)) for _ in range(ROWS)], pa.string()),
        pa.array([maybe(chance.choice([1, -1, 2**53, -(2**63), place])) for place in range(ROWS)], pa.int64()),
        pa.array([maybe(chance.choice([chance.random(), 0.1, 1e300, -0.0, 5.0])) for _ in range(ROWS)]),
        pa.array([maybe(Decimal(chance.randrange(10**15)).scaleb(-2)) for _ in range(ROWS)], pa.decimal128(18, 2)),
        pa.array([maybe(day + dt.timedelta(chance.randrange(20_000))) for _ in range(ROWS)]),
        pa.array([maybe(moment + dt.timedelta(microseconds=chance.randrange(10) * 10**6)) for _ in range(ROWS)], pa.timestamp("us")),
        pa.array([maybe(chance.random() < 0.5) for _ in range(ROWS)]),
        pa.nulls(ROWS, pa.string()),
    ]  # fmt: skip
    return pa.table(columns, names=NAMES)


@pytest.fixture(scope="module")
def source(tables: Tables, published: pa.Table) -> TableSource:
    return tables.publish(published, row_group=3000)


@pytest.fixture(scope="module")
def download(engine: TableEngine, source: TableSource) -> Callable[..., bytes]:
    def make(name: str, *parameters: tuple[str, str], bom: bool = False) -> bytes:
        query = parse_query(source, parameters, paging=False)
        return b"".join(export_rows(engine, source, query, FORMATS[name], Options(bom=bom)))

    return make


def test_csv_by_the_standard_library(download: Callable[..., bytes], published: pa.Table) -> None:
    text = download("csv").decode()
    header, *records = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == NAMES
    assert [record[0] for record in records] == [value or "" for value in published.column(0).to_pylist()]
    assert [record[1] for record in records] == [
        "" if value is None else str(value) for value in published.column(1).to_pylist()
    ]
    assert [float(record[2]) if record[2] else None for record in records] == published.column(2).to_pylist()
    assert [record[5] for record in records] == [
        "" if value is None else value.isoformat() for value in published.column(5).to_pylist()
    ]
    assert not text.startswith("\ufeff")
    assert text.endswith("\r\n")


def test_csv_by_polars_which_tells_empty_text_from_no_value(
    download: Callable[..., bytes], published: pa.Table
) -> None:
    read = pl.read_csv(download("csv"), infer_schema=False)
    assert read[NAMES[0]].to_list() == published.column(0).to_pylist()


def test_csv_by_pandas_and_arrow(download: Callable[..., bytes], published: pa.Table) -> None:
    body = download("csv")
    by_pandas = pd.read_csv(io.BytesIO(body), dtype=str, keep_default_na=False)
    assert by_pandas[NAMES[0]].tolist() == [value or "" for value in published.column(0).to_pylist()]
    types = dict(zip(NAMES, published.schema.types, strict=True))
    by_arrow = pa_csv.read_csv(
        io.BytesIO(body),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )
    assert by_arrow.equals(published)


def test_a_byte_order_mark_for_spreadsheets(download: Callable[..., bytes]) -> None:
    assert download("csv", bom=True) == b"\xef\xbb\xbf" + download("csv")


def test_json_lines(download: Callable[..., bytes], published: pa.Table) -> None:
    records = [json.loads(line) for line in download("jsonl").decode().split("\n")[:-1]]
    check_records(records, published)
    assert pl.read_ndjson(download("jsonl"), infer_schema_length=None)[NAMES[0]].to_list() == (
        published.column(0).to_pylist()
    )


def test_json(download: Callable[..., bytes], published: pa.Table) -> None:
    check_records(json.loads(download("json")), published)


def check_records(records: list[dict[str, Any]], published: pa.Table) -> None:
    assert len(records) == ROWS
    assert list(records[0]) == NAMES
    for record, row in zip(records, published.to_pylist(), strict=True):
        whole = row[NAMES[1]]
        safe = whole is None or abs(whole) < 2**53
        assert record[NAMES[0]] == row[NAMES[0]]
        assert record[NAMES[1]] == (whole if safe else str(whole))
        assert record["thực"] == row["thực"]
        assert record["tiền"] is row["tiền"] or Decimal(str(record["tiền"])) == row["tiền"]
        assert record["ngày"] == (row["ngày"] and row["ngày"].isoformat())
        assert record["lúc"] == (row["lúc"] and row["lúc"].isoformat())
        assert record["đúng"] is row["đúng"]
        assert record["trống"] is None


def test_arrow(download: Callable[..., bytes], published: pa.Table) -> None:
    read = ipc.open_stream(download("arrow")).read_all()
    assert read.equals(published)
    assert pl.read_ipc_stream(download("arrow"))[NAMES[4]].to_list() == published.column(4).to_pylist()


def test_parquet(download: Callable[..., bytes], published: pa.Table) -> None:
    body = download("parquet")
    assert pq.read_table(io.BytesIO(body)).equals(published)
    assert pl.read_parquet(io.BytesIO(body))[NAMES[3]].to_list() == published.column(3).to_pylist()
    assert pd.read_parquet(io.BytesIO(body))[NAMES[0]].isna().sum() == published.column(0).null_count
    metadata = pq.read_metadata(io.BytesIO(body))
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [16_384, 3_616]


@pytest.mark.parametrize(
    "parameters",
    [
        [("đúng", "true")],
        [("sort", '-thực,"mã, tên"')],
        [("col.mã, tên__contains", "ĐẮK"), ("sort", "ngày"), ("select", 'ngày,"mã, tên"')],
        [("q", "dak lak"), ("ngày__lt", "1990-01-01")],
        [("tiền__lt", "-1")],
    ],
)
def test_exports_hold_the_rows_of_the_pages(
    engine: TableEngine,
    source: TableSource,
    download: Callable[..., bytes],
    parameters: list[tuple[str, str]],
) -> None:
    shown: list[tuple[object, ...]] = []
    cursor: str | None = None
    while cursor or not shown:
        at = [("cursor", cursor)] if cursor else []
        page = engine.rows(source, parse_query(source, [*parameters, ("limit", "10000"), *at]))
        shown += page.json_rows()
        cursor = page.next_cursor
        if not shown:
            break
    records = [json.loads(line) for line in download("jsonl", *parameters).decode().split("\n")[:-1]]
    assert [tuple(record.values()) for record in records] == shown
    assert json.loads(download("json", *parameters)) == records
    assert len(list(csv.reader(io.StringIO(download("csv", *parameters).decode(), newline="")))) == 1 + len(
        shown
    )
    assert ipc.open_stream(download("arrow", *parameters)).read_all().num_rows == len(shown)
    assert pq.read_table(io.BytesIO(download("parquet", *parameters))).num_rows == len(shown)


def test_a_single_column_keeps_its_empty_lines(tables: Tables, engine: TableEngine) -> None:
    source = tables.publish(pa.table({"a": ["x", None, "y"]}))
    body = b"".join(export_rows(engine, source, parse_query(source, [], paging=False), FORMATS["csv"]))
    assert body == b'a\r\nx\r\n""\r\ny\r\n'


@pytest.mark.parametrize(("name", "expected"), [("csv", b"a,b\r\n"), ("json", b"[\n\n]\n"), ("jsonl", b"")])
def test_an_empty_table_is_still_a_file(
    tables: Tables, engine: TableEngine, name: str, expected: bytes
) -> None:
    source = tables.publish(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.int64())}))
    query = parse_query(source, [], paging=False)
    assert b"".join(export_rows(engine, source, query, FORMATS[name])) == expected


def test_column_names_are_kept_whatever_they_are(tables: Tables, engine: TableEngine) -> None:
    names = ["A", "a", "file_row_number", 'x"y', "x.y", "x"]
    source = tables.publish(pa.table([pa.array([place]) for place in range(6)], names=names))
    query = parse_query(source, [], paging=False)

    def made(name: str) -> bytes:
        return b"".join(export_rows(engine, source, query, FORMATS[name]))

    assert ipc.open_stream(made("arrow")).read_all().column_names == names
    assert pq.read_table(io.BytesIO(made("parquet"))).column_names == names
    assert json.loads(made("jsonl")) == dict(zip(names, range(6), strict=True))
    assert next(csv.reader(io.StringIO(made("csv").decode()))) == names


def test_sorting_changes_no_type(tables: Tables, engine: TableEngine) -> None:
    moment = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
    table = pa.table(
        {
            "zoned": pa.array([moment, None], pa.timestamp("us", "Asia/Ho_Chi_Minh")),
            "large": pa.array(["x", None], pa.large_string()),
            "kinds": pa.array(["x", None]).dictionary_encode(),
            "small": pa.array([1, 2], pa.int16()),
            "money": pa.array([Decimal("1.50"), None], pa.decimal128(20, 2)),
            "time": pa.array([dt.time(8, 30), None], pa.time64("us")),
        }
    )
    source = tables.publish(table, {"kinds": "string"})

    def made(*parameters: tuple[str, str]) -> pa.Table:
        query = parse_query(source, parameters, paging=False)
        return ipc.open_stream(b"".join(export_rows(engine, source, query, FORMATS["arrow"]))).read_all()

    assert made(("sort", "small")).equals(made())
    assert made(("sort", "-small")).equals(made().take([1, 0]))


@pytest.fixture
def narrow(tables: Tables, tmp_path: Path) -> Iterator[TableEngine]:
    """Room for one export at a time, and no patience."""
    limits = replace(Limits(), exports=1, patience=0.01, hot_rows=1)
    with TableEngine([tables.folder], tmp_path, limits) as engine:
        yield engine


@pytest.mark.parametrize("parameters", [[], [("sort", "lúc")]])
@pytest.mark.parametrize("leave", ["close", "drop", "read", "fail", "never begun"])
def test_a_reader_that_leaves_makes_room(
    narrow: TableEngine, source: TableSource, leave: str, parameters: list[tuple[str, str]]
) -> None:
    query = parse_query(source, parameters, paging=False)

    def start() -> Export:
        return export_rows(narrow, source, query, FORMATS["csv"])

    held = start()
    with pytest.raises(BusyError):
        start()
    if leave == "close":
        next(held)
        held.close()
        assert list(held) == []
    elif leave == "drop":
        next(held)
        del held
        gc.collect()
    elif leave == "read":
        assert sum(map(len, held)) > 0
    elif leave == "fail":
        held._pieces = (bytes(1 // 0) for _ in range(1))
        with pytest.raises(ZeroDivisionError):
            list(held)
    else:
        held.close()
    start().close()
    start().close()


def test_what_can_be_refused_is_refused_before_the_first_byte(
    tables: Tables, source: TableSource, tmp_path: Path
) -> None:
    limits = replace(Limits(), exports=1, patience=0.01, seconds=0.001)
    with TableEngine([tables.folder], tmp_path, limits) as hurried:
        query = parse_query(source, [("sort", 'ngày,"mã, tên"')], paging=False)
        for _ in range(2):  # the second would be refused as busy, had the first not made room
            with pytest.raises(QueryTooSlowError):
                export_rows(hurried, source, query, FORMATS["csv"])


def test_a_missing_file_is_said_so(tables: Tables, engine: TableEngine) -> None:
    source = tables.publish(pa.table({"a": [1]}))
    source.path.unlink()
    query = parse_query(source, [], paging=False)
    with pytest.raises(TableFileMissingError):
        export_rows(engine, source, query, FORMATS["csv"])
    with pytest.raises(TableFileMissingError):
        engine.rows(source, query)
