"""SQLite and Arrow files: their tables as they are, and what is done to those that were made to do harm."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
import struct
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import ipc

from opendata.resources.ingest.limits import Limits, run_limited
from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.ingest.problems import Problem


def codes(problems) -> list[str]:
    return [problem.code for problem in problems]


@pytest.fixture
def database(tmp_path):
    """The bytes of a database made by these statements."""

    def make(*statements: str, writable_schema: bool = False) -> bytes:
        path = tmp_path / "made.sqlite"
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        if writable_schema:
            connection.execute("PRAGMA writable_schema=ON")
        for statement in statements:
            connection.execute(statement)
        connection.close()
        return path.read_bytes()

    return make


def test_every_table_is_read(database, ingest, rows_of) -> None:
    content = database(
        'CREATE TABLE "tỉnh" (mã TEXT PRIMARY KEY, "số ""dân""" INTEGER, diện_tích REAL, ngày DATE, ảnh BLOB)',
        "INSERT INTO \"tỉnh\" VALUES ('01', 8718000, 3359.8, '2025-07-01', x'00ff'), ('02', NULL, 5.0, NULL, NULL)",
        "CREATE TABLE trống (a)",
        "CREATE TABLE b (x) ",
        "INSERT INTO b VALUES (1), ('hai')",
        "CREATE VIEW xem AS SELECT * FROM b",
    )
    result = ingest(content, "x.db")
    assert not result.failed
    assert [(table.title, table.row_count) for table in result.tables] == [("tỉnh", 2), ("b", 2)]
    assert rows_of(result) == [
        {
            "mã": "01",
            'số "dân"': 8_718_000,
            "diện_tích": 3359.8,
            "ngày": dt.date(2025, 7, 1),
            "ảnh": "AP8=",
        },
        {"mã": "02", 'số "dân"': None, "diện_tích": 5.0, "ngày": None, "ảnh": None},
    ]
    assert [row["x"] for row in rows_of(result, 1)] == ["1", "hai"]
    assert codes(result.problems) == ["sqlite-left-out", "sqlite-table-without-rows"]
    assert "binary-values" in codes(result.tables[0].problems)
    assert result.problems[0].params == {"count": 1, "names": "xem"}


def test_virtual_tables_and_what_they_keep_are_not_read(database, ingest) -> None:
    content = database(
        "CREATE VIRTUAL TABLE tìm USING fts5(chữ)",
        "INSERT INTO tìm VALUES ('một')",
        "CREATE TABLE a (x)",
        "INSERT INTO a VALUES (1)",
    )
    result = ingest(content, "x.sqlite")
    assert [table.title for table in result.tables] == ["a"]
    assert result.problems[0].params["names"] == "tìm"


def test_a_geopackage_is_its_layers(database, ingest) -> None:
    content = database(
        "PRAGMA application_id = 1196444487",
        "CREATE TABLE gpkg_contents (table_name TEXT)",
        "INSERT INTO gpkg_contents VALUES ('xã')",
        'CREATE TABLE "xã" (fid INTEGER PRIMARY KEY, geom BLOB, tên TEXT)',
        "INSERT INTO \"xã\" VALUES (1, x'4750', 'A')",
    )
    result = ingest(content, "x.gpkg")
    assert [table.title for table in result.tables] == ["xã"]
    assert [column.name for column in result.tables[0].columns] == ["fid", "geom", "tên"]


def test_columns_that_are_computed_are_not_read(database, ingest) -> None:
    content = database(
        "CREATE TABLE a (x, y AS (hex(zeroblob(x))), z AS (x + 1) STORED)",
        "INSERT INTO a (x) VALUES (1)",
    )
    assert [column.name for column in ingest(content, "x.db").tables[0].columns] == ["x", "z"]


@pytest.mark.parametrize("filename", ["x.db", "x.sqlite", "x"])
def test_a_database_without_rows(filename, database, ingest) -> None:
    assert codes(ingest(database("CREATE TABLE a (x)"), filename).problems) == ["sqlite-without-tables"]


ENDLESS = "CREATE VIEW a AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT x FROM c"
CROSSED = "CREATE VIEW a AS SELECT b.x FROM b, b AS c, b AS d, b AS e, b AS f, b AS g WHERE b.x > 5"
CALLED = "CREATE VIEW a AS SELECT load_extension('x') AS x"


@pytest.mark.parametrize("view", [ENDLESS, CROSSED, CALLED])
def test_a_view_that_poses_as_a_table(view, database, ingest) -> None:
    content = database(
        "CREATE TABLE b (x)",
        "INSERT INTO b WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT 1 FROM c LIMIT 60) SELECT x FROM c",
        view,
        "UPDATE sqlite_schema SET type = 'table' WHERE name = 'a'",
        writable_schema=True,
    )
    result = ingest(content, "x.sqlite")
    assert codes(problem for problem in result.problems if problem.severity == "error") == [
        "sqlite-unreadable"
    ]


def test_triggers_never_run(database, ingest, tmp_path) -> None:
    content = database(
        "CREATE TABLE a (x)",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT load_extension('x'); END",
        "CREATE TABLE b (x)",
        "INSERT INTO b VALUES (1)",
    )
    assert [table.title for table in ingest(content, "x.sqlite").tables] == ["b"]


def test_a_damaged_database_is_read_or_refused(database, ingest) -> None:
    whole = database(
        "CREATE TABLE a (x, y)",
        "INSERT INTO a WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 500) SELECT x, 'y' FROM c",
    )
    dice = random.Random(5)
    for _ in range(12):
        broken = bytearray(whole)
        for _ in range(6):
            broken[dice.randrange(100, len(broken))] = dice.randrange(256)
        for content in (bytes(broken), whole[: dice.randrange(100, len(whole))]):
            result = ingest(content, "x.sqlite")
            assert result.tables or result.failed


def arrow(table: pa.Table, kind: str, compression: str | None = None, rows: int | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = ipc.IpcWriteOptions(compression=compression)
    make = ipc.new_file if kind == "file" else ipc.new_stream
    with make(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue().to_pybytes()


TABLE = pa.table(
    {
        "mã": ["01", "e\u0302"],
        "số": pa.array([2**62, None], pa.int64()),
        "tiền": pa.array([Decimal("12.30"), None], pa.decimal128(20, 2)),
        "ngày": [dt.date(2024, 1, 2), None],
        "lúc": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC), None], pa.timestamp("us", "UTC")),
        "đúng": [True, None],
        "loại": pa.array(["a", "b"]).dictionary_encode(),
        "con": [[1, 2], None],
        "byte": [b"\x00\xff", None],
    }
)


@pytest.mark.parametrize("kind", ["file", "stream"])
@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_an_arrow_file_is_a_table(kind, compression, ingest, rows_of) -> None:
    content = arrow(TABLE, kind, compression, rows=1)
    for filename in ("x.arrow", "x.feather", "x"):
        result = ingest(content, filename)
        first, second = rows_of(result)
        assert first == {
            "mã": "01",
            "số": 2**62,
            "tiền": Decimal("12.30"),
            "ngày": dt.date(2024, 1, 2),
            "lúc": dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
            "đúng": True,
            "loại": "a",
            "con": "[1, 2]",
            "byte": "AP8=",
        }
        assert second["mã"] == "ê"
        notes = {column.name: codes(column.notes) for column in result.tables[0].columns if column.notes}
        assert notes["con"] == ["nested-values"]
        assert notes["byte"] == ["binary-values"]


def test_an_arrow_file_without_rows(ingest) -> None:
    assert codes(ingest(arrow(TABLE.slice(0, 0), "file"), "x.arrow").problems) == ["no-rows"]


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_that_claims_to_unpack_to_terabytes(kind, ingest) -> None:
    """The eight bytes before a packed buffer say what it unpacks to, and are believed by the library."""
    content = arrow(pa.table({"a": ["x" * 4000] * 500}), kind, "zstd")
    size = struct.pack("<q", 4000 * 500)
    assert content.count(size) == 1
    for lie in (1 << 40, 1 << 62, -5):
        result = ingest(content.replace(size, struct.pack("<q", lie)), "x.arrow")
        assert result.failed
        assert codes(result.problems)[0] in {"archive-bomb", "arrow-unreadable"}


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_bombs_are_not_unpacked(kind, ingest) -> None:
    content = arrow(pa.table({"a": pa.array([0] * 10_000_000, pa.int64())}), kind, "zstd")
    assert len(content) < 100_000
    assert codes(ingest(content, "x.arrow").problems) == ["archive-bomb"]


def test_an_arrow_file_cut_off_is_refused(ingest) -> None:
    whole = arrow(TABLE, "file", rows=1)
    for length in range(40, len(whole) - 1, 97):
        assert ingest(whole[:length], "x.arrow").failed


def test_damaged_arrow_and_parquet_files_are_read_or_refused_in_a_child(tmp_path) -> None:
    """In a child: native code that crashes must not take this process along, and must be a Problem."""
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(TABLE, sink)
    dice = random.Random(11)
    for filename, whole in (
        ("x.arrow", arrow(TABLE, "file", "zstd")),
        ("x.arrow", arrow(TABLE, "stream")),
        ("x.parquet", sink.getvalue().to_pybytes()),
    ):
        for number in range(8):
            broken = bytearray(whole)
            for _ in range(4):
                broken[dice.randrange(len(broken))] = dice.randrange(256)
            source = tmp_path / f"{filename}-{len(whole)}-{number}"
            source.write_bytes(broken)
            work = source.with_name(source.name + "-work")
            work.mkdir()
            result = run_limited(ingest_file, (source, filename, work), limits=Limits(wall_seconds=60))
            assert isinstance(result, Problem) or result.tables or result.failed or result.no_table_reason


def test_a_parquet_footer_that_lies(ingest) -> None:
    """A footer longer than the file, and one whose Thrift lists say they hold billions."""
    lie = struct.pack("<I", 0x7FFFFFFF)
    assert codes(ingest(b"PAR1" + b"\0" * 100 + lie + b"PAR1", "x.parquet").problems) == [
        "parquet-unreadable"
    ]
    thrift = b"\x15\x04\x19\xfc\xff\xff\xff\xff\x0f" + b"\x48\x01a" * 20
    content = b"PAR1" + thrift + struct.pack("<I", len(thrift)) + b"PAR1"
    assert codes(ingest(content, "x.parquet").problems) == ["parquet-unreadable"]
