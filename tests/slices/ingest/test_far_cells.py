"""Cells far away from each other: refused before room is made for all between them, read where only formats are far."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from opendata.resources.formats.sheet_extent import MOST_EMPTY, check_open_document, check_sheet_xml
from opendata.resources.ingest.limits import Limits, run_limited
from opendata.resources.ingest.pipeline import ingest_file
from opendata.resources.ingest.problems import UnreadableError
from opendata.resources.ingest.result import IngestResult

XMLNS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
OPEN = "urn:oasis:names:tc:opendocument:xmlns"
TABLE = '<row r="1"><c r="A1" t="str"><v>a</v></c><c r="B1" t="str"><v>b</v></c></row><row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>'


def limited(folder, content: bytes, filename: str) -> IngestResult:
    """Ingest in a child that may take little more than it begins with."""
    (folder / "work").mkdir()
    (folder / "source").write_bytes(content)
    limits = Limits(memory_bytes=400 << 20, cpu_seconds=30, wall_seconds=120)
    found = run_limited(ingest_file, (folder / "source", filename, folder / "work"), limits=limits)
    assert isinstance(found, IngestResult), found
    return found


def xlsx(sheet: str) -> bytes:
    book = openpyxl.Workbook()
    plain = io.BytesIO()
    book.save(plain)
    target = io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        for name in source.namelist():
            own = f'<worksheet xmlns="{XMLNS}"><sheetData>{sheet}</sheetData></worksheet>'.encode()
            container.writestr(name, own if name.endswith("sheet1.xml") else source.read(name))
    return target.getvalue()


def ods(rows: str) -> bytes:
    text = (
        f'<office:document-content xmlns:office="{OPEN}:office:1.0" xmlns:table="{OPEN}:table:1.0" xmlns:text="{OPEN}:text:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="Bảng">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("mimetype", ODS)
        container.writestr("content.xml", text)
        container.writestr("META-INF/manifest.xml", "<m/>")
    return target.getvalue()


def cell(text: str, repeated: int = 1) -> str:
    often = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    return f'<table:table-cell office:value-type="string"{often}><text:p>{text}</text:p></table:table-cell>'


def row(cells: str, repeated: int = 1) -> str:
    often = f' table:number-rows-repeated="{repeated}"' if repeated > 1 else ""
    return f"<table:table-row{often}>{cells}</table:table-row>"


ODS_TABLE = row(cell("a") + cell("b")) + row(cell("1") + cell("2"))
BLANK = "<table:table-cell table:number-columns-repeated='%d'/>"
FAR = {
    "far corner": (xlsx(TABLE + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "x.xlsx"),
    "far corner, not written as usual": (
        xlsx(TABLE + "<row  r = '1048576'>\n<c s='0' r= 'XFD1048576' t='str' ><v >1</v></c></row>"),
        "x.xlsx",
    ),
    "far corner in a namespace": (
        xlsx(TABLE + f'<x:row xmlns:x="{XMLNS}" r="1048576"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>'),
        "x.xlsx",
    ),
    "far column and far row": (
        xlsx('<row r="1"><c r="XFD1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
        "x.xlsx",
    ),
    "far away by their order": (
        xlsx(
            '<row r="1048575"><c r="A1048575"><v>1</v></c></row><row><c r="XFC1048576"/><c><v>1</v></c></row>'
        ),
        "x.xlsx",
    ),
    "reference hidden behind another attribute": (
        xlsx(TABLE + """<row r="1048576"><c x=" r='A1'" r="XFD1048576"><v>1</v></c></row>"""),
        "x.xlsx",
    ),
    "dimension that lies": (
        xlsx(TABLE + '<row r="900000"><c r="XFA900000" t="inlineStr"><is><t>x</t></is></c></row>'),
        "x.xlsx",
    ),
    "a row repeated": (ods(row(cell("x") * 40, 1_048_576)), "x.ods"),
    "a cell repeated in every row": (ods(row(cell("x", 16_384)) * 4000), "x.ods"),
    "both repeated": (ods(ODS_TABLE + row(cell("x", 16_384), 1_048_576)), "x.ods"),
    "far corner of open documents": (
        ods(ODS_TABLE + row(BLANK % 9, 1_000_000) + row(BLANK % 16_000 + cell("x"))),
        "x.ods",
    ),
    "blank cells before a cell, over and over": (
        ods(ODS_TABLE + row(BLANK % 16_000 + BLANK % 2) * 3000),
        "x.ods",
    ),
}


@pytest.mark.parametrize(("content", "filename"), FAR.values(), ids=FAR)
def test_cells_far_apart_are_refused_in_little_memory(tmp_path, content, filename) -> None:
    result = limited(tmp_path, content, filename)
    (problem,) = [problem for problem in result.problems if problem.severity == "error"]
    assert problem.code == "cells-far-apart"
    assert problem.params["rows"] * problem.params["columns"] > MOST_EMPTY or problem.params["cells"] < 10_000
    assert not result.tables


def test_spaces_repeated_without_end_are_refused(tmp_path) -> None:
    spaces = row(
        '<table:table-cell office:value-type="string"><text:p><text:s text:c="2000000000"/></text:p></table:table-cell>'
    )
    result = limited(tmp_path, ods(ODS_TABLE + spaces), "x.ods")
    assert [problem.code for problem in result.problems] == ["workbook-unreadable"]


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (xlsx(TABLE + '<row r="1048576"><c r="XFD1048576" s="0"/></row>'), "x.xlsx"),
        (xlsx(TABLE + '<row r="1048576"><c r="XFD1048576" s="0"></c></row>'), "x.xlsx"),
        (xlsx(TABLE + "\n" + '<row r="1048576"><c r="XFD1048576" s="0"/></row>'), "x.xlsx"),
        (ods(ODS_TABLE + row(BLANK % 16_384, 1_048_574)), "x.ods"),
        (
            ods(row(cell("a") + cell("b") + BLANK % 16_382) + row(cell("1") + cell("2") + BLANK % 16_382)),
            "x.ods",
        ),
    ],
    ids=["format of a cell", "a cell without value", "irregular", "rows to the last", "columns to the last"],
)
def test_formats_that_reach_the_last_cell_are_no_obstacle(tmp_path, content, filename) -> None:
    (table,) = limited(tmp_path, content, filename).tables
    assert (table.row_count, len(table.columns)) == (1, 2)


def test_an_empty_area_that_can_be_held_is_read(tmp_path) -> None:
    result = limited(tmp_path, xlsx(TABLE + '<row r="60000"><c r="B60000"><v>7</v></c></row>'), "x.xlsx")
    assert sum(table.row_count for table in result.tables) >= 1


def test_what_is_checked_does_not_depend_on_where_pieces_end() -> None:
    sheet = f"<sheetData>{TABLE}<row r='1048576'><c r='XFD1048576'><v>1</v></c></row></sheetData>".encode()
    document = (ODS_TABLE + row(cell("x", 16_384), 1_048_576)).encode()
    for size in (1, 7, 64, 1000):
        for check, text in (
            (lambda pieces: check_sheet_xml(pieces, "x"), sheet),
            (check_open_document, document),
        ):
            with pytest.raises(UnreadableError):
                check(text[start : start + size] for start in range(0, len(text), size))


def test_tags_that_never_end_are_refused_at_once() -> None:
    for check in (lambda pieces: check_sheet_xml(pieces, "x"), check_open_document):
        with pytest.raises(UnreadableError):
            check([b'<c r="A1" x="' * 100_000 + b'<table:table-row x="' * 100_000])
