"""Rows and exports over the API: the same table from every face, pages that hold still, honest failures."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opendata.api.streams import BROKEN_ENDINGS, ExportStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from opendata.kernel.jobs import JobRunner
    from opendata.wiring import Services

API = "/api/v1"
ROWS: list[list[Any]] = [
    ["00001", "Phường Ba Đình", "Hà Nội", 65023, "2025-07-01"],
    ["00004", "Phường Hoàn Kiếm", "Hà Nội", None, "2025-07-01"],
    ["26734", "Phường Sài Gòn", "Hồ Chí Minh", 47022, "2025-07-02"],
    ["20194", "Phường Hải Châu", "Đà Nẵng", 131427, None],
]


@pytest.fixture
def rows_url(wards: tuple[str, str]) -> str:
    return f"{API}/resources/{wards[1]}/rows"


def test_rows_with_types(library: Any) -> None:
    found = library.contract.check(library.get(f"/resources/{library.resource_id}/rows"))
    assert [(c["name"], c["type"]) for c in found["columns"]] == [
        ("mã", "string"),
        ("tên", "string"),
        ("tỉnh", "string"),
        ("dân số", "integer"),
        ("ngày", "date"),
    ]
    assert found["rows"] == ROWS
    assert found["total"] == 4
    assert found["next"] is None
    assert found["next_url"] is None


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("tỉnh=Hà Nội", ["00001", "00004"]),
        ("dân số__gt=50000", ["00001", "20194"]),
        ("dân số__isnull=true", ["00004"]),
        ("mã__in=00001,26734", ["00001", "26734"]),
        ("ngày__ge=2025-07-02", ["26734"]),
        ("q=ha noi", ["00001", "00004"]),
        ("sort=-dân số&dân số__isnull=false", ["20194", "00001", "26734"]),
        ("tên__contains=Hải", ["20194"]),
    ],
)
def test_filters_through_the_address(library: Any, query: str, codes: list[str]) -> None:
    found = library.contract.check(library.get(f"/resources/{library.resource_id}/rows?{query}"))
    assert [row[0] for row in found["rows"]] == codes
    assert found["total"] == len(codes)


def test_pages_are_pinned_to_their_version(  # noqa: PLR0917 - fixtures
    client: Any,
    rows_url: str,
    wards: tuple[str, str],
    bearer: dict[str, str],
    runner: JobRunner,
    contract: Any,
) -> None:
    first = client.get(f"{rows_url}?limit=1&select=mã&sort=mã")
    page = contract.check(first)
    seen = [row[0] for row in page["rows"]]
    assert first.headers["Link"] == f'<{page["next_url"]}>; rel="next"'
    assert first.headers["Cache-Control"] == "public, no-cache"
    client.put(f"{API}/resources/{wards[1]}/file", data=b"a\n1\n2\n", headers=bearer)
    runner.run_waiting()
    while page["next_url"]:
        answer = client.get(page["next_url"])
        page = contract.check(answer)
        assert "max-age" in answer.headers["Cache-Control"]
        seen += [row[0] for row in page["rows"]]
    assert seen == ["00001", "00004", "20194", "26734"]
    assert contract.check(client.get(rows_url))["rows"] == [[1], [2]]


def test_total_can_be_left_out(library: Any) -> None:
    answer = library.get(f"/resources/{library.resource_id}/rows?count=none")
    assert library.contract.check(answer)["total"] is None


def test_rows_have_a_validator(library: Any) -> None:
    address = f"/resources/{library.resource_id}/rows"
    tag = library.get(address).headers["ETag"]
    assert library.get(address, If_None_Match=tag).status_code == 304
    assert library.get(f"{address}?limit=1", If_None_Match=tag).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("colour=red", 400),
        ("mã__like=a", 400),
        ("select=không có", 400),
        ("select=", 400),
        ("sort=-không", 400),
        ("limit=-1", 400),
        ("limit=0", 400),
        ("limit=10001", 400),
        ("limit=99999999999999999999", 400),
        ("limit=1&limit=2", 400),
        ("dân số__gt=nhiều", 400),
        ("dân số__gt=9" + "9" * 400, 400),
        ("ngày__eq=31/02/2020", 400),
        ("cursor=garbage", 400),
        ("cursor=", 400),
        ("cursor=AAAA" + "A" * 500, 400),
        ("count=maybe", 400),
        ("table=không có", 404),
        ("table=a&table=b", 400),
        ("page=2", 400),
        ("tên__contains=%00", 400),
        ("tên=' OR 1=1 --", 200),
        ('tên=");DROP TABLE x', 200),
    ],
)
def test_wrong_questions(library: Any, query: str, status: int) -> None:
    answer = library.get(f"/resources/{library.resource_id}/rows?{query}")
    assert answer.status_code == status
    body = library.contract.check(answer)
    assert body["rows"] == [] if status == 200 else body["detail"]


def test_a_cursor_of_another_question(library: Any) -> None:
    address = f"/resources/{library.resource_id}/rows"
    cursor = library.get(f"{address}?limit=1").json["next"]
    assert library.get(f"{address}?limit=1&sort=mã&cursor={cursor}").status_code == 400
    assert library.get(f"{address}?limit=1&cursor={cursor[:-3]}").status_code == 400
    found = library.contract.check(library.get(f"{address}?limit=2&cursor={cursor}"))
    assert found["rows"] == ROWS[1:3]


def test_exports_agree(library: Any, tmp_path: Path) -> None:
    def get(name: str) -> bytes:
        answer = library.get(f"/resources/{library.resource_id}/export.{name}")
        assert answer.status_code == 200
        library.contract.check(answer)
        assert answer.headers["Content-Disposition"].endswith(f".{name}")
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        return bytes(answer.data)

    rows = list(csv.reader(io.StringIO(get("csv").decode())))
    assert rows[1] == ["00001", "Phường Ba Đình", "Hà Nội", "65023", "2025-07-01"]
    names: list[str] = rows[0]
    assert [[item[name] for name in names] for item in json.loads(get("json"))] == ROWS
    lines: list[Any] = [json.loads(line) for line in get("jsonl").decode().splitlines()]
    assert [[item[name] for name in names] for item in lines] == ROWS
    (tmp_path / "a.parquet").write_bytes(get("parquet"))
    assert pq.read_table(tmp_path / "a.parquet")["dân số"].to_pylist() == [65023, None, 47022, 131427]
    arrow: Any = pa.ipc.open_stream(get("arrow")).read_all()
    assert arrow.column("mã").to_pylist() == [row[0] for row in ROWS]
    assert pl.read_parquet(tmp_path / "a.parquet").height == 4
    assert pd.read_csv(io.BytesIO(get("csv")), dtype={"mã": str})["mã"].tolist() == [row[0] for row in ROWS]
    counted = duckdb.connect().execute(f"SELECT count(*) FROM '{tmp_path / 'a.parquet'}'").fetchall()
    assert counted == [(4,)]


def test_an_export_takes_the_same_filters(library: Any) -> None:
    client, contract = library.client, library.contract
    base = f"{API}/resources/{library.resource_id}/export"
    answer = client.get(f"{base}.csv?tỉnh=Hà Nội&select=mã&sort=-mã")
    assert answer.data == b"m\xc3\xa3\r\n00004\r\n00001\r\n"
    assert client.get(f"{base}.csv?bom=true&select=mã").data.startswith(b"\xef\xbb\xbf")
    for query in ("limit=5", "cursor=a", "colour=red", "bom=1"):
        refused = client.get(f"{base}.csv?{query}")
        assert refused.status_code == 400
        assert contract.check(refused)["detail"]
    filtered = client.get(f"{base}.parquet?mã=00001").data
    assert pq.read_table(io.BytesIO(filtered)).num_rows == 1


@pytest.mark.parametrize("name", ["xls", "xlsx", "CSV", "csv.gz", "", "a/b", "%00"])
def test_formats_that_are_not_there(library: Any, name: str) -> None:
    assert library.get(f"/resources/{library.resource_id}/export.{name}").status_code == 404


def test_a_whole_parquet_takes_ranges(library: Any) -> None:
    client, address = library.client, f"{API}/resources/{library.resource_id}/export.parquet"
    whole = client.get(address)
    tail = client.get(address, headers={"Range": "bytes=-4", "If-Range": whole.headers["ETag"]})
    assert (tail.status_code, tail.data) == (206, b"PAR1")
    assert client.head(address).headers["Content-Length"] == str(len(whole.data))


def test_conditions_and_head_of_a_streamed_export(library: Any) -> None:
    client, address = library.client, f"{API}/resources/{library.resource_id}/export.csv"
    head = client.head(address)
    assert head.status_code == 200
    assert head.data == b""
    assert client.get(address, headers={"If-None-Match": head.headers["ETag"]}).status_code == 304
    other = client.get(f"{address}?select=mã", headers={"If-None-Match": head.headers["ETag"]})
    assert other.status_code == 200


def test_exports_count_as_downloads(client: Any, wards: tuple[str, str], portal: Services) -> None:
    address = f"{API}/resources/{wards[1]}/export"
    assert client.get(f"{address}.csv").data
    assert client.get(f"{address}.parquet").data
    client.head(f"{address}.csv")
    portal.usage.flush()
    assert client.get(f"{API}/datasets/{wards[0]}").json["downloads"] == 2


def test_several_tables(
    client: Any, portal: Services, publish_file: Callable[..., tuple[str, str]], contract: Any
) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for name, values in (("Một", [1, 2]), ("Hai", [3])):
        sheet = book.create_sheet(name)
        sheet.append(["số"])
        for value in values:
            sheet.append([value])
    book.remove(book["Sheet"])
    buffer = io.BytesIO()
    book.save(buffer)
    _, resource_id = publish_file(portal, "Hai bảng", buffer.getvalue(), "hai.xlsx")
    address = f"{API}/resources/{resource_id}"
    tables = contract.check(client.get(address))["tables"]
    assert [table["rows"] for table in tables] == [2, 1]
    second = tables[1]["name"]
    assert contract.check(client.get(f"{address}/rows", query_string={"table": second}))["rows"] == [[3]]
    assert contract.check(client.get(f"{address}/rows"))["rows"] == [[1], [2]]
    for part in ("schema", "report", "profile"):
        assert contract.check(client.get(f"{address}/{part}", query_string={"table": second}))
    paged = client.get(f"{address}/rows", query_string={"table": tables[0]["name"], "limit": 1}).json
    assert client.get(paged["next_url"]).json["rows"] == [[2]]
    formats = client.get(address).json["formats"]
    wanted = next(f for f in formats if f["format"] == "csv" and f["table"] == second)
    assert client.get(wanted["url"]).data == "số\r\n3\r\n".encode()


# -- honest failures ----------------------------------------------------------------------


class Failing:
    """An export whose query dies after two pieces, and that knows whether it was closed."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = iter(pieces)
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces, None)
        if piece is None:
            raise OSError("the disk went away")
        return piece

    def close(self) -> None:
        self.closed = True


def broken(pieces: list[bytes], format_name: str) -> bytes:
    """What a client of a server that swallows errors receives."""
    stream = ExportStream(Failing(pieces), BROKEN_ENDINGS.get(format_name, b""))
    received = [next(stream) for _ in range(len(pieces) + 1)]
    with pytest.raises(OSError, match="disk"):
        next(stream)
    return b"".join(received)


def test_a_broken_csv_is_no_csv() -> None:
    received = broken([b"a,b\r\n", b"1,2\r\n3,4\r\n"], "csv")
    with pytest.raises(pd.errors.ParserError):
        pd.read_csv(io.BytesIO(received))
    with pytest.raises(pl.exceptions.ComputeError):
        pl.read_csv(io.BytesIO(received))
    with pytest.raises(csv.Error):
        list(csv.reader(io.StringIO(received.decode()), strict=True))


def test_a_broken_json_lines_is_none() -> None:
    received = broken([b'{"a":1}\n'], "jsonl")
    with pytest.raises(json.JSONDecodeError):
        [json.loads(line) for line in received.splitlines()]


def test_a_broken_json_is_none() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken([b"[\n", b'{"a":1}'], "json"))


def test_a_broken_arrow_stream_is_none() -> None:
    sink = io.BytesIO()
    table = pa.table({"a": [1, 2]})
    writer = pa.ipc.new_stream(sink, table.schema)
    writer.write_table(table)
    received = broken([sink.getvalue()], "arrow")
    with pytest.raises((pa.ArrowInvalid, OSError)):
        pa.ipc.open_stream(received).read_all()


def test_a_client_that_goes_away_closes_the_query() -> None:
    source = Failing([b"a", b"b", b"c"])
    stream = ExportStream(source, b"")
    assert next(stream) == b"a"
    stream.close()
    assert source.closed
