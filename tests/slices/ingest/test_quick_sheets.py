"""A sheet read quickly holds exactly what the library gives, whatever writes it; or it is left to the library."""

from __future__ import annotations

import datetime as dt
import sys
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from opendata.resources.formats.quick_sheet import QuickWorkbook
from tests.slices.ingest.sheets_beside_the_library import LINKS, both, check, sheet_of, workbook_of

REAL = Path(__file__).parents[4] / "shared" / "data" / "vn"
FORMATS = (
    '<numFmts count="3"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/><numFmt numFmtId="165" formatCode="0.00&quot;d&quot;"/>'
    '<numFmt numFmtId="166" formatCode="[h]:mm:ss"/></numFmts><cellXfs count="8">'
    + "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 164, 165, 166, 22, 18, 2))
    + "</cellXfs>"
)
STRINGS = (
    "<si><t>Hà Nội</t></si>",
    '<si><t xml:space="preserve"> đầu và cuối </t></si>',
    "<si><t> không giữ </t></si>",
    "<si><r><rPr><b/></rPr><t>đậm </t></r><r><t>thường</t></r></si>",
    "<si><t>base</t><rPh sb='0' eb='1'><t>phonetic</t></rPh></si>",
    "<si><t/></si>",
    "<si><t></t></si>",
    "<si><t>  </t></si>",
    "<si><t>a &amp; b &lt; c &#65; &#x1EA1;</t></si>",
    "<si><t>x_x000D_y</t></si>",
    "<si><t>Tie\u0302\u0301ng</t></si>",
    "<si><t>dòng\r\nhai</t></si>",
)
NUMBERS = [
    "0",
    "1",
    "-1",
    "007",
    "1.0",
    "1.50",
    "-0",
    "-0.0",
    "0.1",
    "0.10000000000000001",
    "1e5",
    "1E-7",
    "2.5E+20",
    "123456789012345678",
    "1234567890.125",
    "0.0001",
    "0.00001",
    ".5",
    "5.",
    "9007199254740993",
    "1e308",
    "45000.123456789",
    "99999999",
    "99999999.5",
    "4.9E-324",
    "12345678.1234567",
]
DAYS = [
    "0",
    "0.5",
    "1",
    "59",
    "60",
    "61",
    "1.5",
    "45000",
    "45000.5",
    "45292.02083333334",
    "45292.999999999",
    "-1",
    "-0.25",
    "2958465",
    "2958466",
    "3e6",
    "0.999999",
]
TEXTS = (
    "x",
    " x ",
    "",
    "  ",
    "a &amp; b",
    "Tie\u0302\u0301ng",
    "\u00a0",
    "&#10;",
    "1.0",
    "a\r\nb",
    "a\nb",
    "x_x0041_",
    "…",
)
ERRORS = ["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"]

ANY_TEXT = st.one_of(st.sampled_from(TEXTS), st.text("ab_x0041 \t\n\u00a0\u0301ệ\u2003", max_size=12))
PLAIN = st.one_of(
    st.sampled_from(NUMBERS).map(lambda value: f"<v>{value}</v>"),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f"<v>{value!r}</v>"),
    st.integers(-(10**17), 10**17).map(lambda value: f"<v>{value}</v>"),
)
FORMULA = st.sampled_from(
    (
        "",
        "<f>A1+1</f>",
        '<f t="shared" si="0"/>',
        '<f t="shared" ref="A1:B9" si="0">A1&lt;2</f>',
        '<f ca="1">NOW()</f>',
    )
)
BODY = st.one_of(
    st.tuples(st.sampled_from(("", ' t="n"')), PLAIN),
    st.tuples(
        st.sampled_from((' s="1"', ' s="2"', ' s="3" t="n"', ' s="4"', ' s="5"', ' s="6"', ' s="77"')),
        st.sampled_from((*NUMBERS[:8], *DAYS)).map(lambda value: f"<v>{value}</v>"),
    ),
    st.tuples(st.just(' t="s"'), st.integers(0, len(STRINGS) - 1).map(lambda value: f"<v>{value}</v>")),
    st.tuples(st.just(' t="str"'), ANY_TEXT.map(lambda value: f"<v>{value}</v>")),
    st.tuples(st.just(' s="2" t="inlineStr"'), ANY_TEXT.map(lambda value: f"<is><t>{value}</t></is>")),
    st.tuples(
        st.just(' t="inlineStr"'),
        ANY_TEXT.map(lambda value: f'<is><t xml:space="preserve">{value}</t></is>'),
    ),
    st.tuples(st.just(' t="b"'), st.sampled_from(("<v>0</v>", "<v>1</v>"))),
    st.tuples(st.just(' t="e"'), st.sampled_from(ERRORS).map(lambda value: f"<v>{value}</v>")),
    st.tuples(
        st.sampled_from(("", ' s="1"', ' t="n"', ' t="s"', ' t="str"', ' t="b"')),
        st.sampled_from(("", "<v></v>", "<v/>", "<v />")),
    ),
)
COLUMNS = ("A", "B", "C", "D", "Z", "AA", "AB", "AZ")
ROWS = st.lists(
    st.tuples(
        st.integers(1, 4), st.dictionaries(st.sampled_from(COLUMNS), st.tuples(FORMULA, BODY), max_size=6)
    ),
    min_size=1,
    max_size=12,
)


def xml_of(rows: Any) -> str:
    written = []
    number = 0
    for step, cells in rows:
        number += step
        inside = []
        for column in sorted(cells, key=lambda name: (len(name), name)):
            formula, (attributes, body) = cells[column]
            if "inlineStr" in attributes:
                formula = ""
            content = formula + body
            inside.append(
                f'<c r="{column}{number}"{attributes}>{content}</c>'
                if content
                else f'<c r="{column}{number}"{attributes}/>'
            )
        written.append(
            f'<row r="{number}" spans="1:4">{"".join(inside)}</row>' if inside else f'<row r="{number}"/>'
        )
    return "".join(written)


PLAIN_STRINGS = st.lists(
    st.tuples(st.sampled_from(("", ' xml:space="preserve"')), ANY_TEXT).map(
        lambda item: f"<si><t{item[0]}>{item[1]}</t></si>"
    ),
    min_size=len(STRINGS),
    max_size=len(STRINGS),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(ROWS, st.booleans(), st.one_of(st.just(list(STRINGS)), PLAIN_STRINGS))
def test_any_regular_sheet_is_read_as_the_library_reads_it(tmp_path, rows, date1904, strings) -> None:
    source = workbook_of(
        tmp_path / "x.xlsx",
        sheet_of(xml_of(rows), tail='<mergeCells count="1"><mergeCell ref="B2:D3"/></mergeCells>'),
        strings="".join(strings),
        formats=FORMATS,
        date1904=date1904,
    )
    assert check(source) == 1


REGULAR = '<row r="1"><c r="A1" t="str"><v>a</v></c><c r="B1"><v>1</v></c></row>'
LEFT_TO_THE_LIBRARY = {
    "comment": REGULAR + "<!-- x -->",
    "CDATA": '<row r="1"><c r="A1" t="str"><v><![CDATA[a]]></v></c></row>',
    "processing instruction": "<?x?>" + REGULAR,
    "white space between elements": REGULAR + "\n",
    "text between elements": '<row r="1">x<c r="A1"><v>1</v></c></row>',
    "row without number": '<row><c r="A1"><v>1</v></c></row>',
    "cell without reference": '<row r="1"><c><v>1</v></c></row>',
    "reference of another row": '<row r="1"><c r="A2"><v>1</v></c></row>',
    "reference of a longer row": '<row r="1"><c r="A11"><v>1</v></c></row>',
    "reference in small letters": '<row r="1"><c r="a1"><v>1</v></c></row>',
    "row numbers that begin with zero": '<row r="01"><c r="A01"><v>1</v></c></row>',
    "rows out of order": '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>',
    "a row twice": REGULAR + REGULAR,
    "cells out of order": '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
    "a cell twice": '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
    "columns beyond the last": '<row r="1"><c r="XFE1"><v>1</v></c></row>',
    "attributes in another order": '<row r="1"><c t="str" r="A1"><v>a</v></c></row>',
    "an attribute nobody knows": '<row r="1"><c r="A1" x="1"><v>1</v></c></row>',
    "an attribute with a tag in it": '<row r="1" x="<c>"><c r="A1"><v>1</v></c></row>',
    "a type twice": '<row r="1"><c r="A1" t="b" t="n"><v>1</v></c></row>',
    "single quotes": "<row r='1'><c r='A1'><v>1</v></c></row>",
    "two values": '<row r="1"><c r="A1"><v>1</v><v>2</v></c></row>',
    "value before formula": '<row r="1"><c r="A1"><v>1</v><f>2</f></c></row>',
    "value element with attributes": '<row r="1"><c r="A1"><v x="1">1</v></c></row>',
    "rich text in a cell": '<row r="1"><c r="A1" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c></row>',
    "inline text that says it is a number": '<row r="1"><c r="A1"><is><t>1</t></is></c></row>',
    "inline text as a value": '<row r="1"><c r="A1" t="inlineStr"><v>1</v></c></row>',
    "date as text": '<row r="1"><c r="A1" t="d"><v>2024-01-01T00:00:00</v></c></row>',
    "unknown type": '<row r="1"><c r="A1" t="x"><v>1</v></c></row>',
    "words as a number": '<row r="1"><c r="A1"><v>mười</v></c></row>',
    "number with spaces": '<row r="1"><c r="A1"><v> 1</v></c></row>',
    "not a number": '<row r="1"><c r="A1"><v>nan</v></c></row>',
    "number beyond doubles": '<row r="1"><c r="A1"><v>1e999</v></c></row>',
    "truth in words": '<row r="1"><c r="A1" t="b"><v>true</v></c></row>',
    "unknown error": '<row r="1"><c r="A1" t="e"><v>#SPILL!</v></c></row>',
    "string that does not exist": '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
    "string by a word": '<row r="1"><c r="A1" t="s"><v>x</v></c></row>',
    "entity nobody declared": '<row r="1"><c r="A1" t="str"><v>&x;</v></c></row>',
    "prefix": '<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row>',
    "row that is never closed": '<row r="1"><c r="A1"><v>1</v></c>',
    "cell cut off": '<row r="1"><c r="A1"><v>1</row>',
    "the end before the last row": REGULAR + '</sheetData><row r="2"><c r="A2"><v>1</v></c></row>',
    "less than sign in a tag": '<row r="1"><c r="A1" <t="n"><v>1</v></c></row>',
    "more than sign in place of a less than sign": '<row r="1"><c r="A1">>v><v>1</v></c></row>',
    "more than sign in a text": '<row r="1"><c r="A1" t="str"><v>a > b</v></c></row>',
}


@pytest.mark.parametrize("rows", LEFT_TO_THE_LIBRARY.values(), ids=LEFT_TO_THE_LIBRARY)
def test_whatever_is_unusual_is_left_to_the_library(tmp_path, rows) -> None:
    source = workbook_of(tmp_path / "x.xlsx", sheet_of(rows), strings=STRINGS[0], formats=FORMATS)
    assert QuickWorkbook(source, least_bytes=0).cells(0, "Bảng & 1") is None


@pytest.mark.parametrize(
    "sheet",
    [
        sheet_of(REGULAR).replace("worksheet", "x:worksheet"),
        "<!-- x -->" + sheet_of(REGULAR),
        '<?xml version="1.0" encoding="windows-1258"?>' + sheet_of(REGULAR),
        sheet_of(REGULAR, head="<!-- <sheetData> -->"),
        sheet_of(REGULAR)[:-40],
    ],
    ids=["prefix", "comment before", "another encoding", "comment in the head", "cut off"],
)
def test_a_sheet_around_the_cells_that_is_unusual_is_left_to_the_library(tmp_path, sheet) -> None:
    source = workbook_of(tmp_path / "x.xlsx", sheet)
    found = QuickWorkbook(source, least_bytes=0).cells(0, "Bảng & 1")
    assert found is None


def test_bytes_that_are_no_utf_8_are_left_to_the_library(tmp_path) -> None:
    source = workbook_of(tmp_path / "x.xlsx", "x")
    rows = b'<row r="1"><c r="A1" t="str"><v>\xff</v></c></row>'
    with zipfile.ZipFile(source) as container:
        members = {name: container.read(name) for name in container.namelist()}
    members["xl/worksheets/sheet1.xml"] = sheet_of("ROWS").encode().replace(b"ROWS", rows)
    with zipfile.ZipFile(source, "w") as container:
        for name, content in members.items():
            container.writestr(name, content)
    assert QuickWorkbook(source, least_bytes=0).cells(0, "Bảng & 1") is None


def test_another_sheet_than_the_one_asked_for_is_left_to_the_library(tmp_path) -> None:
    source = workbook_of(tmp_path / "x.xlsx", sheet_of(REGULAR))
    quick = QuickWorkbook(source, least_bytes=0)
    assert quick.cells(1, "Bảng & 1") is None
    assert quick.cells(0, "Bảng 1") is None
    assert quick.cells(0, "Bảng & 1") is not None


@pytest.mark.parametrize("least", [0, 10**9])
def test_only_large_sheets_are_read_quickly(tmp_path, least) -> None:
    source = workbook_of(tmp_path / "x.xlsx", sheet_of(REGULAR))
    assert (QuickWorkbook(source, least_bytes=least).cells(0, "Bảng & 1") is None) == (least > 0)


@pytest.mark.parametrize("write_only", [True, False])
def test_sheets_of_several_blocks_are_read_as_the_library_reads_them(
    tmp_path, write_only, monkeypatch
) -> None:
    """Blocks end within the sheet, rows are missing, a column is only filled at the end."""
    monkeypatch.setattr("opendata.resources.formats.quick_sheet.BLOCK_BYTES", 3000)
    book = openpyxl.Workbook(write_only=write_only)
    for name in ("Một", "Hai"):
        page = book.create_sheet(name)
        page.append([])
        for number in range(700):
            day = dt.datetime(2024, 1, 1) + dt.timedelta(hours=number * 7)  # noqa: DTZ001 - a workbook knows no zone
            page.append(
                [None, number, number / 7, f"Xã {number % 40} & <{name}>", day, day.date(), number % 3 == 0]
            )
            if number % 90 == 0:
                page.append([])
        page.append([None, "Tổng", None, None, None, None, None, None, "=1+1"])
        page.append([None, *[None] * 9, "xa", dt.time(7, 30), dt.timedelta(hours=30)])
    book.save(tmp_path / "x.xlsx")
    assert check(tmp_path / "x.xlsx") == len(book.sheetnames)


@pytest.mark.parametrize("piece", [1, 300, 1 << 18])
def test_a_block_is_read_alike_in_pieces_of_any_size(tmp_path, monkeypatch, piece) -> None:
    monkeypatch.setattr("opendata.resources.formats.sheet_xml._PIECE", piece)
    rows = "".join(
        f'<row r="{row}"/>'
        if row % 7 == 0
        else f'<row r="{row}"><c r="B{row}"><v>{row}</v></c><c r="D{row}" s="1"/></row>'
        for row in range(3, 60)
    )
    assert check(workbook_of(tmp_path / "x.xlsx", sheet_of(rows), formats=FORMATS)) == 1
    unordered = rows + '<row r="5"><c r="A5"><v>1</v></c></row>'
    source = workbook_of(tmp_path / "y.xlsx", sheet_of(unordered), formats=FORMATS)
    assert QuickWorkbook(source, least_bytes=0).cells(0, "Bảng & 1") is None


def test_columns_of_one_two_and_three_letters(tmp_path) -> None:
    names = ("A", "Z", "AA", "AZ", "ZZ", "AAA", "AAZ")
    row = "".join(f'<c r="{name}12"><v>{place}</v></c>' for place, name in enumerate(names))
    assert check(workbook_of(tmp_path / "x.xlsx", sheet_of(f'<row r="12">{row}</row>'))) == 1


@pytest.mark.parametrize("most", [0, 3, 1 << 16])
def test_moments_are_those_of_the_library_however_many_are_remembered(tmp_path, monkeypatch, most) -> None:
    monkeypatch.setattr("opendata.resources.formats.sheet_values._MOST_KNOWN", most)
    monkeypatch.setattr("opendata.resources.formats.quick_sheet.BLOCK_BYTES", 400)
    monkeypatch.setattr("opendata.resources.formats.quick_sheet._LEAST_ROWS", 0)
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" s="1"><v>{45_000 + row * row % 13}</v></c><c r="B{row}" s="{row % 7}">'
        f"<v>{row % 5}.25</v></c></row>"
        for row in range(1, 90)
    )
    assert check(workbook_of(tmp_path / "x.xlsx", sheet_of(rows), formats=FORMATS)) == 1


def test_more_formats_of_dates_than_any_office_has_are_left_to_the_library(tmp_path) -> None:
    formats = '<cellXfs count="200">' + '<xf numFmtId="14"/>' * 200 + "</cellXfs>"
    for count, expected in ((128, True), (129, False)):
        rows = "".join(
            f'<row r="{row}"><c r="A{row}" s="{row - 1}"><v>45000</v></c></row>'
            for row in range(1, count + 1)
        )
        source = workbook_of(tmp_path / "x.xlsx", sheet_of(rows), formats=formats)
        assert (check(source) == 1) == expected


def test_white_space_of_any_kind_around_a_text_is_that_of_the_library(tmp_path) -> None:
    spaces = [
        chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith("Z")
    ]
    texts = ["", "à", "Ấp", *spaces, *(f"{space}à" for space in spaces), *(f"ạ{space}" for space in spaces)]
    bodies = {
        ' t="inlineStr"': "<is><t>%s</t></is>",
        ' t="str"': "<v>%s</v>",
        ' t="inlineStr" s="1"': '<is><t xml:space="preserve">%s</t></is>',
    }
    rows = "".join(
        f'<row r="{row}">'
        + "".join(
            f'<c r="{column}{row}"{attributes}>{body % text}</c>'
            for column, (attributes, body) in zip("ABC", bodies.items(), strict=True)
        )
        + "</row>"
        for row, text in enumerate(texts, start=1)
    )
    assert check(workbook_of(tmp_path / "x.xlsx", sheet_of(rows), formats=FORMATS)) == 1
    for row, text in enumerate(texts, start=1):  # each by itself too: what is plain is decided on all at once
        one = sheet_of(f'<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>{text}</t></is></c></row>')
        assert check(workbook_of(tmp_path / "y.xlsx", one)) == 1


def test_rich_shared_strings_are_read_as_the_library_reads_them(tmp_path) -> None:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page["B2"] = CellRichText("đơn vị: ", TextBlock(InlineFont(b=True), "triệu "), "đồng")
    page["B3"], page["C3"] = "x", " x "
    page.merge_cells("B5:C6")
    book.save(tmp_path / "x.xlsx")
    assert check(tmp_path / "x.xlsx") in (0, 1)  # the writer decides where it puts rich text


def test_merged_cells_are_counted_as_the_columns_are(tmp_path) -> None:
    """The library leaves out blank columns at the left, but counts merged cells from the sheet's corner."""
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page["C3"], page["D3"], page["E3"] = "Tỉnh", "Dân số", "Hộ"
    for merged in ("A1:B1", "C3:C4", "D3:D4"):
        page.merge_cells(merged)
    book.save(tmp_path / "x.xlsx")
    ((quick, library),) = both(tmp_path / "x.xlsx")
    assert quick == library
    assert sorted(library[3]) == [(2, 0, 3, 0), (2, 1, 3, 1)]


def test_real_workbooks_are_read_as_the_library_reads_them() -> None:
    sources = sorted(REAL.rglob("*.xlsx"))
    if not sources:
        pytest.skip("the real files are not on this machine")
    assert sum(check(source) for source in sources) > 0


@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        ("<si><t>a</t></si><si><t>b &amp; c</t></si><si><t> d </t></si>", ["a", "b & c", "d"]),
        ("<si><t>a</t></si><si><t xml:space='preserve'> b </t></si><si><t>c</t></si>", ["a", " b ", "c"]),
        ("<si><t>a</t></si>\n<si><t>b</t></si>\n<si><t>c</t></si>", ["a", "b", "c"]),
        ("<si><t>a</t></si><si><r><t>b</t></r><r><t>c</t></r></si><si><t>d</t></si>", ["a", "bc", "d"]),
        ("<si><t>a</t></si><si><t>Tie\u0302\u0301ng</t></si><si><t>c</t></si>", ["a", "Tiếng", "c"]),
    ],
    ids=["entities", "quotes", "lines", "rich", "decomposed"],
)
def test_shared_strings_are_those_of_the_library(tmp_path, strings, expected) -> None:
    cells = "".join(f'<c r="{column}1" t="s"><v>{number}</v></c>' for number, column in enumerate("ABC"))
    source = workbook_of(tmp_path / "x.xlsx", sheet_of(f'<row r="1">{cells}</row>'), strings=strings)
    assert check(source) == 1
    found = QuickWorkbook(source, least_bytes=0).cells(0, "Bảng & 1")
    assert found is not None
    assert next(found.texts(0, 0))[1] == expected


def test_strings_in_another_part_than_usual_are_left_to_the_library(tmp_path) -> None:
    """The part of the usual name is there as well, with other strings."""
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    source = workbook_of(tmp_path / "x.xlsx", sheet_of(cells), strings="<si><t>usual</t></si>")
    with zipfile.ZipFile(source) as container:
        members = {name: container.read(name) for name in container.namelist()}
    link = f'<Relationship Id="rId2" Type="{LINKS}/sharedStrings" Target="other.xml"/></Relationships>'
    links = "xl/_rels/workbook.xml.rels"
    members[links] = members[links].replace(b"</Relationships>", link.encode())
    members["xl/other.xml"] = members["xl/sharedStrings.xml"].replace(b"usual", b"other")
    with zipfile.ZipFile(source, "w") as container:
        for name, content in members.items():
            container.writestr(name, content)
    check(source)
