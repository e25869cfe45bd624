"""Files that claim to be tables and are broken: one clear coded error each, quickly, and no table."""

from __future__ import annotations

import gzip
import io
import zipfile

import openpyxl
import pytest

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in members.items():
            container.writestr(name.replace("__", "/"), content)
    return target.getvalue()


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def ole(*streams: str) -> bytes:
    """The start of an OLE container with a directory that names these streams."""
    content = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0"))
    for stream in streams:
        content += f"{stream}\0".encode("utf-16-le").ljust(128, b"\0")
    return bytes(content)


HEADER_OF_200 = ",".join(f"cột {number}" for number in range(200)).encode() + b"\n"
WORKBOOK = workbook([["a", "b"], [1, 2]])

BROKEN = {
    "empty": (b"", "x.csv", "empty-file"),
    "empty xlsx": (b"", "x.xlsx", "empty-file"),
    "only line ends": (b"\n\r\n\n", "x.csv", "no-data"),
    "only commas": (b",,,\n,,,\n", "x.csv", "no-data"),
    "nuls": (b"\0" * 100_000, "x.csv", "holds-nul"),
    "header without rows": (HEADER_OF_200, "x.csv", "no-rows"),
    "header without rows and blank lines": (HEADER_OF_200 + b"\n\n,,\n", "x.csv", "no-rows"),
    "too many columns": (
        b",".join(b"c%d" % number for number in range(5000)) + b"\n1\n",
        "x.csv",
        "too-many-columns",
    ),
    "zip renamed csv": (zipped(a=b"1"), "x.csv", "content-differs"),
    "pdf renamed csv": (PDF, "x.csv", "content-differs"),
    "png renamed xlsx": (PNG, "x.xlsx", "content-differs"),
    "docx renamed xlsx": (
        zipped(word__document=b"", **{"word__document.xml": b"<w/>"}),
        "x.xlsx",
        "content-differs",
    ),
    "gzip of text renamed xlsx": (gzip.compress(b"x y\n"), "x.xlsx", "content-differs"),
    "geojson without features": (
        b'{"type": "FeatureCollection", "features": []}',
        "x.geojson",
        "geojson-without-features",
    ),
    "empty map named json": (
        b'{"type": "FeatureCollection", "features": []}',
        "x.json",
        "geojson-without-features",
    ),
    "web page renamed csv": (
        b"\n<!DOCTYPE html><html><body>404, not found</body>",
        "x.csv",
        "content-differs",
    ),
    "web page renamed xls": (b"<html><table><tr><td>1</td></tr></table>", "x.xls", "content-differs"),
    "prose renamed xlsx": ("Kính gửi ông bà.\nTrân trọng.\n".encode(), "x.xlsx", "content-differs"),
    "truncated xlsx": (WORKBOOK[: len(WORKBOOK) // 2], "x.xlsx", "archive-damaged"),
    "xlsx without sheets": (zipped(**{"xl__workbook.xml": b"<workbook/>"}), "x.xlsx", "workbook-unreadable"),
    "xlsx of a header": (workbook([["a", "b"]]), "x.xlsx", "no-rows"),
    "xlsx of nothing": (workbook([]), "x.xlsx", "no-data"),
    "encrypted workbook": (ole("Root Entry", "EncryptedPackage"), "x.xlsx", "workbook-locked"),
    "xls of zeros": (ole("Workbook"), "x.xls", "workbook-unreadable"),
    "binary named xlsx": (bytes(range(256)) * 9, "x.xlsx", "workbook-unreadable"),
    "sqlite head only": (b"SQLite format 3\x00" + b"\0" * 90, "x.db", "sqlite-unreadable"),
    "binary named sqlite": (bytes(range(256)) * 9, "x.sqlite", "sqlite-unreadable"),
    "binary named arrow": (bytes(range(256)) * 9, "x.feather", "arrow-unreadable"),
    "arrow head only": (b"ARROW1\0\0" + b"\xff" * 40, "x.arrow", "arrow-unreadable"),
    "binary named parquet": (bytes(range(256)) * 9, "x.parquet", "parquet-unreadable"),
    "parquet head only": (b"PAR1" + b"\x15\x04" * 40, "x.parquet", "parquet-unreadable"),
    "invalid utf-8": ("tên\nHà Nội, Đắk Lắk\n".encode() * 9 + b"\xff\n", "x.csv", "invalid-utf8"),
    "no encoding": (b"a,b\n\x81\x8d,\x8f\x90\n", "x.csv", "not-text"),
    "unclosed quote": (b'a,b\n1,2\n3,"4\n5,6\n', "x.csv", "unclosed-quote"),
    "json object": (b'{"a": 1, "b": [1, 2]}', "x.json", "json-not-records"),
    "json scalar": (b"42", "x.json", "json-not-records"),
    "json of numbers": (b"[1, 2]", "x.json", "json-record-not-object"),
    "json of lists": (b"[[1, 2], [3, 4]]", "x.json", "json-record-not-object"),
    "json of nothing": (b"[]", "x.json", "no-rows"),
    "json of empty records": (b"[{}, {}]", "x.json", "no-rows"),
    "json cut off": (b'[{"a": 1}, {"a": ', "x.json", "json-invalid"),
    "json with a trailing comma": (b'[{"a": 1},]', "x.json", "json-invalid"),
    "json with something after": (b'[{"a": 1}] x', "x.json", "json-invalid"),
    "json with NaN": (b'[{"a": NaN}]', "x.json", "json-invalid"),
    "json too deep": (b'[{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "x.json", "json-too-deep"),
    "json lines with a list": (b'{"a": 1}\n[1]\n', "x.jsonl", "json-record-not-object"),
    "json lines broken": (b'{"a": 1}\n{"a": \n', "x.jsonl", "json-invalid"),
    "csv named json": (b"a,b\n1,2\n", "x.json", "json-not-records"),
}


@pytest.mark.parametrize(("content", "filename", "code"), BROKEN.values(), ids=BROKEN)
def test_broken_files_fail_with_a_reason(content, filename, code, ingest) -> None:
    result = ingest(content, filename)
    assert result.failed
    assert result.tables == ()
    assert result.no_table_reason is None
    (problem,) = [problem for problem in result.problems if problem.severity == "error"]
    assert problem.code == code
    assert problem.message()
    assert result.identification.size == len(content)


def test_a_zip_renamed_csv_is_named_as_both(ingest) -> None:
    (problem,) = ingest(zipped(a=b"1"), "ngân sách.csv").problems
    assert problem.params == {"claimed": "csv", "found": "zip"}
    assert problem.sentence() == "The file is named as CSV text, but its content is a ZIP archive."


def test_a_line_without_end_is_refused(ingest) -> None:
    (problem,) = ingest(b"a,b\n" + b"x" * (20 << 20), "x.csv").problems
    assert (problem.code, problem.row) == ("line-too-long", 2)


def test_a_hundred_megabytes_without_line_end(ingest) -> None:
    (problem,) = ingest(b"x" * (100 << 20), "x.csv").problems
    assert (problem.code, problem.row) == ("line-too-long", 1)


def test_broken_json_names_line_and_position(ingest) -> None:
    text = '[\n {"a": 1, "b": "x"},\n {"a": 2, "b" "y"}\n]\n'
    (problem,) = ingest(text, "x.json").problems
    assert (problem.code, problem.row, problem.params) == ("json-invalid", 3, {"position": 15})


def test_broken_json_deep_in_a_long_file_is_found_where_it_is(ingest) -> None:
    records = [f'{{"số": {number}, "chữ": "{"x" * 50}"}}' for number in range(20_000)]
    records[15_000] = '{"số": 15000, "chữ": }'
    (problem,) = ingest("[\n" + ",\n".join(records) + "\n]", "x.json").problems
    assert (problem.code, problem.row, problem.params) == ("json-invalid", 15_002, {"position": 22})


def test_an_unclosed_quote_names_the_row_where_it_opens(ingest) -> None:
    text = "a,b\n" + "1,2\n" * 50 + '3,"4\n' + "5,6\n" * 50
    (problem,) = ingest(text).problems
    assert (problem.code, problem.row) == ("unclosed-quote", 52)


def test_an_endless_cell_is_refused(ingest) -> None:
    text = 'a,b\n1,"' + "dòng\n" * (4 << 20) + '"\n'
    (problem,) = ingest(text).problems
    assert (problem.code, problem.row) == ("cell-too-long", 2)


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread(ingest, monkeypatch) -> None:
    monkeypatch.setattr("opendata.resources.formats.signature.MOST_UNPACKED", 5 << 20)
    bomb = zipped(**{"xl__workbook.xml": b"<workbook/>", "xl__worksheets__sheet1.xml": b"0" * (6 << 20)})
    assert len(bomb) < 20_000
    (problem,) = ingest(bomb, "x.xlsx").problems
    assert (problem.code, problem.params) == ("workbook-too-large", {"size": 6, "limit": 5})


NO_TABLE = {
    "pdf": (PDF, "x.pdf", "not-tabular", "pdf"),
    "png": (PNG, "x.png", "not-tabular", "png"),
    "zip": (zipped(a=b"1"), "x.zip", "not-tabular", "zip"),
    "broken zip": (b"PK\x03\x04 and then nothing", "x.zip", "not-tabular", "zip"),
    "docx": (zipped(**{"word__document.xml": b"<w/>"}), "x.docx", "not-tabular", "docx"),
    "old word": (ole("Root Entry", "WordDocument"), "x.doc", "not-tabular", "office"),
    "odt": (zipped(mimetype=b"application/vnd.oasis.opendocument.text"), "x.odt", "not-tabular", "odt"),
    "html": (b"<!doctype html><p>x", "x.html", "not-tabular", "html"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "x.svg", "not-tabular", "svg"),
    "xml": (b'<?xml version="1.0"?><a/>', "x.xml", "not-tabular", "xml"),
    "prose": ("Kính gửi ông bà.\nTrân trọng cảm ơn.\n".encode(), "thư.txt", "text-without-table", "text"),
    "broken prose": (b"\xff\xfe" * 3 + b"\0", "x.txt", "not-tabular", "binary"),
    "binary": (bytes(range(256)) * 4, "x.bin", "not-tabular", "binary"),
    "no ending": (bytes(range(256)) * 4, "x", "not-tabular", "binary"),
    "notes in brackets": (b"[see the minutes]\n", "x.txt", "text-without-table", "text"),
    "video": (b"\0\0\0\x20ftypisom" + b"\0" * 30, "x.mp4", "not-tabular", "video"),
}


@pytest.mark.parametrize(("content", "filename", "code", "found"), NO_TABLE.values(), ids=NO_TABLE)
def test_what_is_no_table_is_kept_with_a_reason(content, filename, code, found, ingest) -> None:
    result = ingest(content, filename)
    assert not result.failed
    assert result.tables == ()
    assert result.no_table_reason is not None
    assert (result.no_table_reason.code, result.identification.format) == (code, found)
