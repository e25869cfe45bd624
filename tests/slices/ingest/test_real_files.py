"""Real files of Vietnamese offices become what a person would expect of them."""

from __future__ import annotations

from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from opendata.resources.ingest.pipeline import ingest_file


@pytest.fixture
def real(real_data, tmp_path):
    """Ingest a file of the folder of real files."""

    def run(name: str, **options):
        work = tmp_path / name.replace("/", "-")
        work.mkdir()
        path = real_data / name
        return ingest_file(path, path.name, work, **options)

    return run


def types(table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


def notes(table) -> dict[str, list[str]]:
    return {column.name: [note.code for note in column.notes] for column in table.columns if column.notes}


def rows(table) -> list[dict]:
    return pq.read_table(table.parquet_path).to_pylist()


def test_wards_keep_their_codes(real) -> None:
    result = real("admin/gso_63_wards_2025-07-18.csv")
    (table,) = result.tables
    assert result.problems == ()
    assert (table.row_count, len(table.columns)) == (10_035, 8)
    assert set(types(table).values()) == {"string"}
    assert notes(table) == {"Mã": ["leading-zeros"], "Mã QH": ["leading-zeros"], "Mã TP": ["leading-zeros"]}
    assert rows(table)[0]["Mã"] == "00001"
    assert table.report["valid"]
    assert result.identification.evidence["mark_bytes"] == 3


def test_wards_with_coordinates(real) -> None:
    (table,) = real("admin/2025_34_province_ward_with_location.csv").tables
    assert table.row_count == 3321
    found = types(table)
    assert [found[name] for name in ("provinceCode", "wardCode", "wardLat", "wardLon", "wardAreaKm2")] == [
        "integer",
        "integer",
        "number",
        "number",
        "number",
    ]
    assert table.report["valid"]


def test_provinces_decide_decimals_by_column(real) -> None:
    (table,) = real("admin/sapnhap_34_provinces_2025-07-17.csv").tables
    fields = {field["name"]: field for field in table.table_schema["fields"]}
    comma = {"decimalChar": ",", "groupChar": "."}
    assert fields["dientichkm2"] == {"name": "dientichkm2", "type": "number", **comma}
    assert fields["dansonguoi"] == {"name": "dansonguoi", "type": "number", **comma}
    assert fields["kinhdo"] == {"name": "kinhdo", "type": "number"}
    first = rows(table)[0]
    assert (first["dientichkm2"], first["dansonguoi"], first["kinhdo"]) == (3359.8, 8_718_000, 105.698)
    assert table.row_count == 34


def test_units_as_json_records_and_the_list_in_each_as_a_table(real) -> None:
    provinces, wards = real("admin/vn_units_2026-07-25_simplified.json").tables
    assert (provinces.row_count, wards.row_count) == (34, 3321)
    assert [column.name for column in provinces.columns] == [
        "Code",
        "Name",
        "NameEn",
        "FullName",
        "FullNameEn",
        "CodeName",
    ]
    (list_note,) = [problem for problem in provinces.problems if problem.code == "json-list-as-table"]
    assert list_note.params == {"list": "Wards", "count": 3321, "key": "ProvinceCode"}
    assert notes(provinces) == {"Code": ["leading-zeros"]}
    assert notes(wards) == {"Code": ["leading-zeros"], "ProvinceCode": ["leading-zeros"]}
    codes = {row["Code"] for row in rows(provinces)}
    assert {row["ProvinceCode"] for row in rows(wards)} == codes
    assert rows(wards)[0]["FullName"] == "Phường Ba Đình"


def test_papi_has_a_table_a_year_with_both_names(real) -> None:
    result = real("indices/PAPI_2011-2016.xlsx")
    assert [table.name for table in result.tables] == [f"{year}-papi" for year in range(2011, 2017)]
    for table in result.tables:
        assert table.row_count == 64
        found = types(table)
        assert found["tinhid"] == "integer"
        assert list(found.values()).count("number") >= 28
        assert (
            next(column for column in table.columns if column.name == "Transparency").title
            == "Công khai, minh bạch"
        )
        assert table.report["valid"]
    exact = rows(result.tables[4])[0]["Participation at Local Levels"]
    assert Decimal(repr(exact)) == Decimal("5.054007053375244")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("derived/tinh_34_cp1258_semicolon.csv", "cp1258"),
        ("derived/tinh_34_nfd_utf8bom.csv", "utf-8"),
        ("derived/tinh_34_utf16_tab.txt", "utf-16-le"),
        ("derived/tinh_34_tcvn3_latin1.csv", "tcvn3"),
    ],
)
def test_one_table_in_four_encodings(name, encoding, real) -> None:
    result = real(name)
    (table,) = result.tables
    assert result.identification.encoding == encoding
    assert types(table) == {
        "STT": "integer",
        "Tên tỉnh, thành phố": "string",
        "Diện tích (km2)": "number",
        "Dân số (người)": "number",
        "Trung tâm hành chính": "string",
        "Ngày hiệu lực": "string",
    }
    assert notes(table) == {"Ngày hiệu lực": ["ambiguous-date"]}
    (other,) = real("admin/sapnhap_34_provinces_2025-07-17.csv").tables
    names = [row["tentinh"] for row in rows(other)]
    assert [row["Tên tỉnh, thành phố"] for row in rows(table)] == names


def test_the_four_encodings_hold_exactly_the_same(real) -> None:
    names = ("cp1258_semicolon.csv", "nfd_utf8bom.csv", "utf16_tab.txt", "tcvn3_latin1.csv")
    first, *others = (rows(real(f"derived/tinh_34_{name}").tables[0]) for name in names)
    assert len(first) == 34
    assert all(other == first for other in others)


def test_the_evidence_for_an_old_encoding_is_kept(real) -> None:
    found = real("derived/tinh_34_tcvn3_latin1.csv")
    words = found.identification.evidence["encoding_words"]
    assert words["tcvn3"]["words"] > 50
    assert words["tcvn3"]["share"] > 0.9
    assert [problem.code for problem in found.problems] == ["encoding-guessed"]
    assert "TCVN3 (ABC)" in found.problems[0].message()


def test_a_schema_settles_the_date(real) -> None:
    (table,) = real("derived/tinh_34_cp1258_semicolon.csv").tables
    fields = [dict(field) for field in table.table_schema["fields"]]
    fields[5] |= {"type": "date", "format": "%d/%m/%Y"}
    (settled,) = real("derived/tinh_34_nfd_utf8bom.csv", table_schema={"fields": fields}).tables
    assert {row["Ngày hiệu lực"].isoformat() for row in rows(settled)} == {"2025-07-01"}


def test_ragged_ministries_are_published_and_said(real) -> None:
    (table,) = real("vocab/ministries_2021.csv").tables
    assert table.row_count == 22
    (problem,) = table.problems
    assert (problem.code, problem.params["count"]) == ("extra-cells", 2)
    assert [row for row, _ in problem.params["examples"]] == [8, 18]


def test_bare_carriage_returns_end_lines(real) -> None:
    result = real("budget/Vietnam_National_Budget_Final.csv")
    assert result.identification.dialect.line_end == "\r"
    (table,) = result.tables
    assert table.row_count > 500
    assert types(table)["year"] == "integer"


@pytest.mark.parametrize(
    "name",
    [
        "budget/Final_2014.xls",
        "budget/Plan_2003.xls",
        "budget/Plan_2010.xls",
        "budget/Provinces.csv",
        "indices/PCI_2012.xlsx",
        "legacy-encodings/2005-KH2003-bieu.xls",
        "legacy-encodings/2007-bkqd1412006.dot.xls",
        "legacy-encodings/2009-20081202.257.xls",
        "legacy-encodings/2009-Channuoi_2007.xls",
        "questions/exams_vi.jsonl",
        "vocab/postal-codes.csv",
    ],
)
def test_everything_else_becomes_tables_too(name, real) -> None:
    result = real(name)
    assert not result.failed
    assert result.tables


def test_json_with_lists_in_lists_is_taken_apart_one_level(real) -> None:
    result = real("questions/xquad.vi.json")
    articles, paragraphs = result.tables
    assert (articles.row_count, paragraphs.row_count) == (48, 240)
    assert articles.title == "data"
    assert paragraphs.title == "data.paragraphs"
    assert notes(paragraphs)["qas"] == ["nested-values"]
    assert [problem.code for problem in result.problems] == ["json-members-left-out"]
