"""XML: regular files are tables, others are kept with the element named that is in the way, hostile ones refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from opendata.resources.formats.readers import read_tables
from opendata.resources.formats.table import SourceTable
from opendata.resources.ingest.identify import identify

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
PROVINCES = """<!-- xuất ngày 1/7/2025 -->
<ds:danhsach xmlns:ds="urn:x" xmlns:xsi="urn:y" nguồn="GSO">
  <mô-tả><tên>Tỉnh &amp; thành</tên></mô-tả>
  <tinhs>
    <ds:tinh ma="01" xsi:type="a"><ten>Hà Nội</ten><dan so="x">8718000</dan><ngay>01/07/2025</ngay></ds:tinh>
    <ds:tinh ma="04"><ten><![CDATA[Cao <Bằng>]]></ten><dan>567300</dan></ds:tinh>
    <ds:tinh ma="08"><ten/><ngay>13/07/2025</ngay></ds:tinh>
  </tinhs>
</ds:danhsach>
"""


def test_records_are_rows(ingest, rows_of) -> None:
    result = ingest(HEAD + PROVINCES, "x.xml")
    assert not result.failed
    assert result.identification.evidence["records"] == ["ds:danhsach/tinhs/ds:tinh"]
    rows = rows_of(result)
    assert [row["ma"] for row in rows] == ["01", "04", "08"]
    assert [row["ten"] for row in rows] == ["Hà Nội", "Cao <Bằng>", None]
    assert [row["dan"] for row in rows] == [8_718_000, 567_300, None]
    assert [row["dan.so"] for row in rows] == ["x", None, None]
    assert [column.type for column in result.tables[0].columns] == [
        "string",
        "string",
        "integer",
        "string",
        "date",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1258"])
def test_encodings_that_the_file_declares(encoding, ingest, rows_of) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a><b><c>é</c><d>1</d></b><b><c>x</c><d>2</d></b></a>'
    assert rows_of(ingest(text.encode(encoding), "x.xml"))[0] == {"c": "é", "d": 1}


def test_attributes_alone_values_alone_and_no_prolog(ingest, rows_of) -> None:
    assert rows_of(ingest('<a><b x="1"/><b x="2" y="k"/></a>', "x.xml")) == [
        {"x": 1, "y": None},
        {"x": 2, "y": "k"},
    ]
    assert rows_of(ingest("<a><b>1</b><b>2</b></a>", "x.xml")) == [{"b": 1}, {"b": 2}]
    assert rows_of(ingest('<a><b k="x">1</b><b>2</b></a>', "x.xml")) == [
        {"k": "x", "b": 1},
        {"k": None, "b": 2},
    ]


def test_two_kinds_of_records_are_two_tables(ingest) -> None:
    result = ingest(HEAD + "<a><x i='1'/><x i='2'/><g><y j='1'/><y j='2'/><y j='3'/></g></a>", "x.xml")
    assert [(table.title, table.row_count) for table in result.tables] == [("x", 2), ("y", 3)]


IRREGULAR = {
    "nested": ("<a><b><c><d>1</d></c></b><b/></a>", "b"),
    "list in a record": ("<a><b><c>1</c><c>2</c></b><b/></a>", "b"),
    "text between": ("<a><b>x<c>1</c></b><b/></a>", "b"),
    "records in several places": ("<a><p><b i='1'/><b i='2'/></p><p><b i='1'/></p></a>", "p"),
    "nothing repeats": ("<a><b>1</b></a>", ""),
    "too deep": ("<a>" * 60 + "</a>" * 60, "a"),
    "too many names": ("<a>" + "".join(f"<b{n}/>" for n in range(6000)) + "</a>", "b4999"),
}


@pytest.mark.parametrize(("text", "element"), IRREGULAR.values(), ids=IRREGULAR)
def test_irregular_xml_is_kept_with_what_is_in_the_way(text, element, ingest) -> None:
    result = ingest(HEAD + text, "x.xml")
    assert (result.failed, result.tables) == (False, ())
    if element:
        assert (result.no_table_reason.code, result.no_table_reason.params) == (
            "xml-irregular",
            {"element": element},
        )
    else:
        assert result.no_table_reason.code == "not-tabular"


@pytest.mark.parametrize(
    "text", ["<a><b></a>", "<a>&b;</a>", "<a><b/>", "<a/><a/>", "<a b='1' b='2'/>", "<a>\x01</a>"]
)
def test_broken_xml_is_kept(text, ingest) -> None:
    result = ingest(HEAD + text, "x.xml")
    assert not result.tables
    assert result.no_table_reason.code == "not-tabular"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a><b>&l11;</b><b/></a>',
    "quadratic": f'<!DOCTYPE a [<!ENTITY l "{"x" * 50_000}">]><a><b>{"&l;" * 50_000}</b><b/></a>',
    "external file": '<!DOCTYPE a [<!ENTITY l SYSTEM "file:///etc/passwd">]><a><b>&l;</b><b/></a>',
    "parameter entity": '<!DOCTYPE a [<!ENTITY % l SYSTEM "http://127.0.0.1/x.dtd"> %l;]><a><b/><b/></a>',
    "defaults": '<!DOCTYPE a [<!ATTLIST b x CDATA "1">]><a><b/><b/></a>',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_declarations_are_refused(text, ingest) -> None:
    for head in (HEAD, ""):
        (problem,) = ingest(head + text, "x.xml").problems
        assert problem.code == "xml-entities"


def test_a_document_type_that_declares_nothing_is_not_fetched(ingest, rows_of) -> None:
    text = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a><b x="1"/><b x="2"/></a>'
    assert rows_of(ingest(HEAD + text, "x.xml")) == [{"x": 1}, {"x": 2}]


def test_a_value_without_end_is_not_held(ingest) -> None:
    text = HEAD + "<a><b><c>" + "x" * (17 << 20) + "</c></b><b/></a>"
    result = ingest(text, "x.xml")
    assert [problem.code for problem in result.problems] == ["cell-too-long"]
    assert not ingest(HEAD + "<a " + "x" * (20 << 20), "x.xml").tables


def test_many_records_come_in_parts(tmp_path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(HEAD + "<a>" + "".join(f"<b i='{n}'><c>x{n}</c></b>" for n in range(40_000)) + "</a>")
    (table,) = read_tables(path, identify(path, "x.xml"))
    assert isinstance(table, SourceTable)
    batches = list(table.readings[0](lambda *_: None))
    assert sum(len(batch.rows) for batch in batches) == 40_000
    assert batches[-1].columns.column(1)[-1].as_py() == "x39999"
    assert len(batches) > 1


def test_xml_beside_a_table_in_an_archive(ingest) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as container:
        container.writestr("a.csv", "x,y\n1,2\n")
        container.writestr("b.xml", HEAD + PROVINCES)
        container.writestr("c.xml", HEAD + "<a/>")
        container.writestr("bản đồ.shp.xml", HEAD + "<a><b i='1'/><b i='2'/></a>")
    result = ingest(target.getvalue(), "x.zip")
    assert [table.title for table in result.tables] == ["a", "b"]
    assert [problem.params["names"] for problem in result.problems] == ["c.xml", "bản đồ.shp.xml"]
