"""Archives and maps: every table in them is found, named, and what is left out is said."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opendata.resources.formats.corrections import Corrections
from opendata.resources.formats.readers import read_tables
from opendata.resources.formats.table import SourceTable
from opendata.resources.ingest.identify import identify

if TYPE_CHECKING:
    from collections.abc import Mapping

CSV = b"m\xc3\xa3,s\xe1\xbb\x91\nA,1\nB,2\n"


def zipped(members: Mapping[str, Any], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as container:
        for name, content in members.items():
            container.writestr(name, content)
    return target.getvalue()


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def parquet() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), target)
    return target.getvalue()


def said(result) -> dict[str, dict]:
    return {problem.code: dict(problem.params) for problem in result.problems}


def test_every_table_of_an_archive_is_read(ingest, rows_of) -> None:
    content = zipped(
        {
            "năm/2023.csv": CSV,
            "năm/2024.xlsx": workbook(Tỉnh=[["a", "b"], [1, "x"]], Xã=[["c", "d"], [2, "y"]]),
            "khác/điểm.json": '[{"a": 5}]',
            "khác/bảng.parquet": parquet(),
            "đọc.txt": "Xin chào",
            "ảnh/x.png": b"\x89PNG",
            "__MACOSX/._2023.csv": b"\0\0",
            "năm/.DS_Store": b"\0",
        }
    )
    result = ingest(content, "x.zip")
    assert not result.failed
    assert [(table.title, table.row_count) for table in result.tables] == [
        ("năm/2023", 2),
        ("năm/2024 / Tỉnh", 1),
        ("năm/2024 / Xã", 1),
        ("khác/điểm", 1),
        ("khác/bảng", 2),
    ]
    assert rows_of(result) == [{"mã": "A", "số": 1}, {"mã": "B", "số": 2}]
    assert rows_of(result, 4) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert said(result) == {"archive-members-kept": {"count": 2, "names": "đọc.txt, ảnh/x.png"}}
    assert result.identification.format == "zip"


def test_tables_of_one_folder_are_named_without_it(ingest) -> None:
    result = ingest(zipped({"dữ liệu/a.csv": CSV, "dữ liệu/b.csv": CSV}), "x.zip")
    assert [table.title for table in result.tables] == ["a", "b"]


def test_nothing_is_left_unpacked(tmp_path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"a.csv": CSV, "b.csv": CSV}))
    work = tmp_path / "work"
    work.mkdir()
    seen = [
        sum(each.stat().st_size for each in work.rglob("*") if each.is_file())
        for _ in read_tables(path, identify(path, "x.zip"), workdir=work)
    ]
    assert seen == [len(CSV), len(CSV)]
    assert list(work.iterdir()) == []


def test_corrections_reach_the_members(tmp_path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({"a.csv": "a;b\n1;2\n"}))
    corrections = Corrections.from_json({"delimiter": ","})
    (table,) = read_tables(path, identify(path, "x.zip"), corrections)
    assert isinstance(table, SourceTable)
    assert table.labels == ("a;b",)


@pytest.mark.parametrize("filename", ["x.csv.gz", "x.CSV.GZ", "x.csv", "x.gz"])
def test_a_packed_table_is_read(filename, ingest, rows_of) -> None:
    target = io.BytesIO()
    with gzip.GzipFile("bang.csv", "wb", fileobj=target) as packed:
        packed.write(CSV)
    result = ingest(target.getvalue(), filename)
    assert rows_of(result) == [{"mã": "A", "số": 1}, {"mã": "B", "số": 2}]
    assert result.tables[0].title
    assert result.identification.format == "gzip"


def test_a_gzip_of_several_parts_and_padding(ingest, rows_of) -> None:
    content = gzip.compress(CSV[:9]) + gzip.compress(CSV[9:]) + b"\0" * 100
    assert len(rows_of(ingest(content, "x.csv.gz"))) == 2


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (zipped({"đọc.txt": "x", "bản đồ.shp": b"\0"}), "x.zip"),
        (zipped({}), "x.zip"),
        (zipped({"a.zip": zipped({"b.csv": CSV})}), "x.zip"),
        (gzip.compress(b"x" * 600, mtime=0), "x.tar.gz"),
        (gzip.compress(b"x" * 600, mtime=0), "x.gz"),
    ],
)
def test_archives_without_tables_are_kept(content, filename, ingest) -> None:
    result = ingest(content, filename)
    assert not result.failed
    assert result.no_table_reason.code == "not-tabular"


def test_an_archive_in_an_archive_is_not_opened(ingest) -> None:
    result = ingest(zipped({"a.csv": CSV, "trong.zip": zipped({"b.csv": CSV})}), "x.zip")
    assert len(result.tables) == 1
    assert said(result)["archive-members-kept"]["names"] == "trong.zip"
    (problem,) = ingest(gzip.compress(gzip.compress(CSV)), "x.csv.gz").problems[-1:]
    assert problem.code == "archive-without-tables"


def test_members_without_rows_are_said(ingest) -> None:
    members = {"a.csv": CSV, "b.csv": "x,y\n", "c.csv": "", "d.json": "[]", "e.xlsx": workbook(Tỉnh=[])}
    result = ingest(zipped(members), "x.zip")
    assert [table.title for table in result.tables] == ["a"]
    empty = [dict(p.params)["member"] for p in result.problems if p.code == "archive-member-without-rows"]
    assert empty == ["b.csv", "c.csv", "d.json", "e.xlsx"]


def test_a_method_that_is_not_read_is_said(ingest) -> None:
    packed = zipped({"a.csv": CSV * 50}, zipfile.ZIP_LZMA)
    (problem,) = ingest(packed, "x.zip").problems
    assert (problem.code, problem.severity, problem.params) == (
        "archive-method",
        "error",
        {"member": "a.csv"},
    )
    target = io.BytesIO(packed)
    with zipfile.ZipFile(target, "a") as container:
        container.writestr("b.csv", CSV)
    result = ingest(target.getvalue(), "x.zip")
    assert [table.title for table in result.tables] == ["b"]
    assert said(result) == {"archive-method": {"member": "a.csv"}}


def test_a_broken_table_in_an_archive_stops_it_and_is_named(ingest) -> None:
    for member in ("b.csv", "b.xlsx", "b.json", "b.parquet"):
        result = ingest(zipped({"a.csv": CSV, member: b"%PDF-1.7\n\xe2\xe3"}), "x.zip")
        (problem,) = [problem for problem in result.problems if problem.severity == "error"]
        assert (problem.code, problem.table) == ("content-differs", member)
    result = ingest(zipped({"a.csv": CSV, "c.csv": 'a,b\n1,2\n3,"4\n'}), "x.zip")
    assert (result.problems[-1].code, result.problems[-1].table) == ("unclosed-quote", "c.csv")


def test_a_zip_of_one_table_may_be_named_like_it(ingest) -> None:
    result = ingest(zipped({"a.csv": CSV}), "x.csv")
    assert said(result) == {"read-by-content": {"claimed": "csv", "found": "zip"}}


def test_names_in_the_code_page_of_windows(ingest) -> None:
    content = zipped({"XXX.csv": CSV, "YYY.csv": CSV}).replace(b"XXX", "tư".encode("cp1258").ljust(3, b"_"))
    assert [table.title for table in ingest(content, "x.zip").tables] == ["tư_", "YYY"]


def package(resources: list[Any], **members: Any) -> bytes:
    return zipped({"datapackage.json": json.dumps({"resources": resources}), **members})


def test_a_data_package_gives_titles(ingest) -> None:
    resources = [
        {"name": "thu", "path": "data/a.csv", "title": "Thu ngân sách", "schema": "schema.json"},
        {"name": "chi", "path": ["data/b.csv"]},
    ]
    content = package(resources, **{"data/a.csv": CSV, "data/b.csv": CSV, "schema.json": '{"fields": []}'})
    result = ingest(content, "x.zip")
    assert [table.title for table in result.tables] == ["Thu ngân sách", "chi"]


@pytest.mark.parametrize(
    "resource",
    [
        {"path": "https://example.org/a.csv"},
        {"path": "/etc/passwd"},
        {"path": "../a.csv"},
        {"path": ["a.csv", "data/../../b.csv"]},
        {"path": "C:/a.csv"},
        {"path": "a.csv", "schema": "file:///etc/passwd"},
    ],
)
def test_a_data_package_that_points_elsewhere_is_refused(resource, ingest) -> None:
    result = ingest(package([resource], **{"a.csv": CSV}), "x.zip")
    assert [problem.code for problem in result.problems] == ["descriptor-unsafe-path"]


def test_a_broken_data_package(ingest) -> None:
    for text in ("{", "[" * 100_000, b"\xff\xfe"):
        result = ingest(zipped({"datapackage.json": text, "a.csv": CSV}), "x.zip")
        assert [problem.code for problem in result.problems] == ["descriptor-unreadable"]


def feature(geometry, **properties) -> dict:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(longitude, latitude) -> dict:
    return {"type": "Point", "coordinates": [longitude, latitude]}


def collection(*features: dict, **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", **more, "features": features}, ensure_ascii=False)


def test_a_map_is_a_table(ingest, rows_of) -> None:
    text = collection(
        feature(point(105.85, 21.02), tên="Hà Nội", mã="01", ghi={"a": 1}),
        feature({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}, tên="B", mã="02"),
        feature(None, tên="C", mã="03"),
    )
    for filename in ("x.geojson", "x.json"):
        result = ingest(text, filename)
        assert rows_of(result) == [
            {
                "tên": "Hà Nội",
                "mã": "01",
                "ghi.a": 1,
                "longitude": 105.85,
                "latitude": 21.02,
                "geometry": '{"type": "Point", "coordinates": [105.85, 21.02]}',
            },
            {
                "tên": "B",
                "mã": "02",
                "ghi.a": None,
                "longitude": None,
                "latitude": None,
                "geometry": '{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}',
            },
            {"tên": "C", "mã": "03", "ghi.a": None, "longitude": None, "latitude": None, "geometry": None},
        ]
        assert [problem.code for problem in result.tables[0].problems] == ["geometry-as-text"]


def test_a_map_with_its_own_coordinates_gets_no_others(ingest) -> None:
    result = ingest(collection(feature(point(1, 2), lat=2, Long=1)), "x.geojson")
    assert [column.name for column in result.tables[0].columns] == ["lat", "Long", "geometry"]


def test_a_map_in_another_system(ingest) -> None:
    crs: dict[str, Any] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3405"}}
    result = ingest(collection(feature(point(500000, 2300000), a=1), crs=crs), "x.geojson")
    assert [column.name for column in result.tables[0].columns] == ["a", "geometry"]
    assert "geojson-other-system" in {problem.code for problem in result.tables[0].problems}
    crs["properties"]["name"] = "urn:ogc:def:crs:OGC:1.3:CRS84"
    result = ingest(collection(feature(point(105, 21), a=1), crs=crs), "x.geojson")
    assert "longitude" in {column.name for column in result.tables[0].columns}


def test_one_feature_and_a_feature_a_line(ingest) -> None:
    one = json.dumps(feature(point(1, 2), a=1))
    assert ingest(one, "x.geojson").tables[0].row_count == 1
    assert ingest(f"{one}\n{one}\n", "x.geojson").tables[0].row_count == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"type": "Topology", "objects": {}}', "geojson-without-features"),
        ("[]", "geojson-without-features"),
        ('{"type": "FeatureCollection", "features": [1]}', "json-record-not-object"),
        ('{"type": "FeatureCollection", "features": [{"type": "Feature"', "json-invalid"),
        ('{"type": "FeatureCollection", "features": [{"geometry": ' + "[" * 100_000, "json-too-deep"),
    ],
)
def test_broken_maps(text, code, ingest) -> None:
    (problem,) = ingest(text, "x.geojson").problems
    assert problem.code == code


def test_a_large_map_is_read_in_parts(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("opendata.resources.formats.row_batches.BATCH_CHARACTERS", 1 << 20)
    ring = [[105 + number / 1e5, 21.0] for number in range(3_000)]
    shape = {"type": "Polygon", "coordinates": [ring]}
    path = Path(tmp_path / "x.geojson")
    path.write_text(collection(*(feature(shape, số=number) for number in range(40))))
    (table,) = read_tables(path, identify(path, path.name))
    assert isinstance(table, SourceTable)
    batches = list(table.readings[0](lambda *_: None))
    assert len(batches) > 1
    assert sum(len(batch.rows) for batch in batches) == 40
