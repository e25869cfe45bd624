"""Sheets and delimited text as offices write them: what they become, and that nothing is lost unsaid."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from opendata.resources.formats.corrections import Corrections, TableCorrections
from opendata.resources.formats.readers import read_tables
from opendata.resources.formats.table import SourceTable
from opendata.resources.ingest.identify import identify
from opendata.resources.ingest.problems import Problem, UnreadableError


def sheet(rows: Any, *merged: str, title: str = "Biểu") -> bytes:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.title = title
    for row in rows:
        page.append(row)
    for cells in merged:
        page.merge_cells(cells)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def codes(table: Any) -> list[str]:
    return [problem.code for problem in table.problems]


def names(table: Any) -> list[str]:
    return [column.name for column in table.columns]


def problem(table: Any, code: str) -> Problem:
    return next(found for found in table.problems if found.code == code)


def read(tmp_path, content: bytes, filename: str, corrections: Corrections | None = None) -> list[Any]:
    """Every table with all its rows, read by the reader alone."""
    path = tmp_path / filename
    path.write_bytes(content)
    tables = []
    for found in read_tables(path, identify(path, filename), corrections):
        assert isinstance(found, SourceTable)
        for reading in found.readings[-1:]:
            rows = [
                list(cells)
                for batch in reading(lambda *_: None)
                for cells in zip(*(column.to_pylist() for column in batch.columns.columns), strict=True)
            ]
        tables.append((found, rows))
    return tables


# Headers ------------------------------------------------------------------------------------------------


def test_merged_groups_become_one_label_a_column(ingest, rows_of) -> None:
    rows = [
        ["STT", "Tỉnh", "Dân số", None, "Diện tích\n(km2)"],
        [None, None, "Nam", "Nữ", None],
        [1, "Hà Nội", 4, 5, 3359.8],
        [2, "Cao Bằng", 1, 2, 6700.4],
    ]
    result = ingest(sheet(rows, "A1:A2", "B1:B2", "C1:D1", "E1:E2"), "x.xlsx")
    (table,) = result.tables
    assert names(table) == ["STT", "Tỉnh", "Dân số / Nam", "Dân số / Nữ", "Diện tích (km2)"]
    assert codes(table) == ["header-rows-joined"]
    assert problem(table, "header-rows-joined").params["rows"] == "1–2"
    assert [row["Dân số / Nữ"] for row in rows_of(result)] == [5, 2]


def test_groups_of_years_below_a_merged_label(ingest) -> None:
    rows = [["Tỉnh", "Năm", None], [None, 2023, 2024], ["Hà Nội", 1.5, 2], ["Huế", 3, 4.5]]
    (table,) = ingest(sheet(rows, "A1:A2", "B1:C1"), "x.xlsx").tables
    assert names(table) == ["Tỉnh", "Năm / 2023", "Năm / 2024"]
    assert table.row_count == 2


def test_words_split_over_rows_above_a_row_of_numbers(ingest) -> None:
    rows = [
        ["BỘ TÀI CHÍNH", None, None, "Mẫu số 06"],
        [],
        ["DỰ TOÁN THU, CHI"],
        [None, None, None, "Đơn vị: Triệu đồng."],
        ["S", None, "tổng thu", "Tỷ lệ"],
        ["T", "tỉnh, thành phố", "NSNN", "phân chia"],
        ["T", None, "trên địa bàn", None],
        ["A", "B", 1, 2],
        [None, "Tổng số", 30, 40],
        [1, "Hà Nội", 10, 20],
        [2, "Hải Phòng", 20, 20],
    ]
    (table,) = ingest(sheet(rows), "x.xlsx").tables
    assert names(table) == ["STT", "tỉnh, thành phố", "tổng thu NSNN trên địa bàn", "Tỷ lệ phân chia"]
    assert codes(table) == [
        "title-rows-skipped",
        "header-rows-joined",
        "unit-above-table",
        "column-numbers-skipped",
        "total-rows",
    ]
    assert problem(table, "unit-above-table").params == {"unit": "Triệu đồng"}
    assert problem(table, "column-numbers-skipped").row == 8
    assert problem(table, "total-rows").params["examples"] == [[9, "Tổng số"]]
    assert table.row_count == 3


def test_bare_numbers_over_numbers_are_data(ingest) -> None:
    (table,) = ingest("a,b,c,d\n1,2,3,4\n5,6,7,8\n").tables
    assert (table.row_count, codes(table)) == (2, [])


@pytest.mark.parametrize("numbers", ["(1),(2),(3)", "A,1,2=3+4", "1,2,3"])
def test_a_row_that_numbers_the_columns_is_no_data(numbers, ingest) -> None:
    (table,) = ingest(f"mã,tên,số\n{numbers}\n01,An,5\n02,Bình,6\n03,Chi,7\n").tables
    assert (table.row_count, codes(table)) == (3, ["column-numbers-skipped"])


def test_groups_in_delimited_text(ingest, rows_of) -> None:
    result = ingest("STT;Tỉnh;Dân số;;Diện tích\n;;Nam;Nữ;\n1;Hà Nội;4;5;3,5\n2;Huế;1;2;6,4\n")
    (table,) = result.tables
    assert names(table) == ["STT", "Tỉnh", "Dân số / Nam", "Dân số / Nữ", "Diện tích"]
    assert [row["Dân số / Nữ"] for row in rows_of(result)] == [5, 2]


def test_a_row_of_units_is_said_and_no_data(ingest) -> None:
    (table,) = ingest("Tỉnh,Dân số,Diện tích,Tỷ lệ\n,(người),km2,%\nHà Nội,5,6,7\nHuế,8,9,10\n").tables
    assert (table.row_count, codes(table)) == (2, ["units-row"])
    assert problem(table, "units-row").params == {"units": "(người), km2, %"}


def test_three_rows_of_names_are_titles(ingest) -> None:
    rows = [
        ["Mã", "Tỉnh", "Chỉ số", "Chi phí"],
        ["Mã", "Tỉnh", "chỉ số 1", "c_moi"],
        [None, "pci_id", "sub1", "c_new"],
        [1, "Hà Nội", 5.5, 0.4],
        [2, "Hải Phòng", 6.5, 0.2],
    ]
    (table,) = ingest(sheet(rows), "x.xlsx").tables
    assert table.row_count == 2
    assert [column.title for column in table.columns][2:] == ["chỉ số 1 / sub1", "c_moi / c_new"]
    assert [found.row for found in table.problems] == [2, 3]


# Below the table ----------------------------------------------------------------------------------------


def test_notes_and_signatures_below_a_table_are_left_out_and_said(ingest) -> None:
    rows = [
        ["STT", "Tỉnh", "Thu", "Chi"],
        [1, "Hà Nội", 10, 20],
        [2, "Huế", 30, 40],
        [None, "Tổng số", 40, 60],
        [],
        ["Ghi chú: (1) Số liệu sơ bộ."],
        ["(2) Không gồm bổ sung."],
        [None, None, "Hà Nội, ngày 5 tháng 6 năm 2024", None],
        ["Người lập biểu", None, "Giám đốc"],
        ["Nguyễn Văn A"],
    ]
    (table,) = ingest(sheet(rows), "x.xlsx").tables
    assert table.row_count == 3
    assert codes(table) == ["footer-left-out", "total-rows"]
    assert problem(table, "footer-left-out").params["rows"] == "6–10"
    assert problem(table, "footer-left-out").params["count"] == 5


@pytest.mark.parametrize("padding", ["", ",,"])
@pytest.mark.parametrize("size", [3, 40_000])
def test_notes_below_delimited_text(padding, size, ingest) -> None:
    data = "".join(f"{number},An,{number}\n" for number in range(size))
    result = ingest(f"mã,tên,số\n{data}\nNguồn: Tổng cục Thống kê{padding}\n")
    (table,) = result.tables
    assert (table.row_count, codes(table)) == (size, ["footer-left-out"])
    left_out = problem(table, "footer-left-out")
    assert left_out.row == size + 3
    assert left_out.params["examples"] == [[size + 3, "Nguồn: Tổng cục Thống kê"]]


@pytest.mark.parametrize(
    "last",
    ["x,Nguồn: GSO,5", "Nguồn thu,An,5", "Tổng số,,9", "9,,", "An", '"(1)","Nguồn: b",7'],
)
def test_a_last_row_with_data_stays(last, ingest) -> None:
    (table,) = ingest(f"mã,tên,số\n1,An,5\n2,Bình,6\n3,Chi,7\n{last}\n").tables
    assert table.row_count == 4
    assert "footer-left-out" not in codes(table)


def test_numbered_rows_right_below_the_data_stay(ingest) -> None:
    (table,) = ingest("mục,giá trị,số\n(1) Thu,a,5\n(2) Chi,b,6\n(3) Khác,,\n(4) Còn lại,,\n").tables
    assert table.row_count == 4


def test_a_list_of_texts_has_no_footer(ingest) -> None:
    (table,) = ingest("ý kiến\nTốt\nGhi chú: đã sửa\nNguồn: báo\n").tables
    assert table.row_count == 3


def test_summary_rows_after_a_blank_row_stay(ingest) -> None:
    rows = [["Tỉnh", "Số", "Tỷ lệ"], ["An", 1, 2], ["Bình", 3, 4], [], ["Median", 2, 3], ["Max", 3, 4]]
    (table,) = ingest(sheet(rows), "x.xlsx").tables
    assert table.row_count == 4
    assert codes(table) == ["total-rows", "blank-rows"]


# Several tables on a sheet ------------------------------------------------------------------------------


def test_tables_below_each_other(ingest, rows_of) -> None:
    rows = [
        ["Giá trị sản xuất"],
        ["STT", "Danh mục", "Giá trị"],
        [1, "Gia súc", 5],
        [2, "Gia cầm", 6],
        [],
        ["Số lượng con"],
        ["STT", "Danh mục", "Số lượng"],
        [1, "Trâu", 7],
        [2, "Bò", 8],
        [3, "Heo", 9],
    ]
    result = ingest(sheet(rows), "x.xlsx")
    assert [(table.title, table.row_count) for table in result.tables] == [
        ("Biểu – Giá trị sản xuất", 2),
        ("Biểu – Số lượng con", 3),
    ]
    assert [row["Số lượng"] for row in rows_of(result, 1)] == [7, 8, 9]


def test_a_table_without_rows_beside_others_is_said(ingest) -> None:
    rows = [
        ["STT", "Tên", "Tuổi"],
        [1, "An", 30],
        [],
        [],
        ["STT", "Tên", "Tuổi"],
        ["Ghi chú: không có số liệu"],
    ]
    result = ingest(sheet(rows), "x.xlsx")
    assert [table.row_count for table in result.tables] == [1]
    assert [(found.code, found.row) for found in result.problems] == [("table-without-rows", 5)]


def test_a_table_of_other_columns_below(ingest) -> None:
    rows = [
        ["Tỉnh", "Thu", "Chi", "Dư"],
        ["An", 1, 2, 3],
        ["Bình", 4, 5, 6],
        [],
        [],
        ["Năm", "Nam", "Nữ"],
        [2023, 1, 2],
        [2024, 3, 4],
    ]
    result = ingest(sheet(rows), "x.xlsx")
    assert [names(table) for table in result.tables] == [["Tỉnh", "Thu", "Chi", "Dư"], ["Năm", "Nam", "Nữ"]]


def test_a_numbered_table_with_one_measured_column_below(ingest) -> None:
    rows = [
        ["Bảng 1: Trường học"],
        ["Tên trường", "Số lớp"],
        ["An", 1],
        ["Bình", 2],
        [],
        ["Bảng 2: Trạm y tế"],
        ["Tên trạm", "Số giường", "Ngày mở"],
        ["Chi", 3, "x"],
        ["Dung", 4, "y"],
    ]
    result = ingest(sheet(rows), "x.xlsx")
    assert [names(table) for table in result.tables] == [rows[1], rows[6]]
    without_number = [["Trường học"], *rows[1:5], ["Khối hai"], ["Chưa rõ", "chưa có"], *rows[7:]]
    assert len(ingest(sheet(without_number), "x.xlsx").tables) == 1, (
        "a wrong cell below a heading begins no table"
    )


def test_tables_side_by_side(ingest, rows_of) -> None:
    rows = [
        ["Nam", None, None, None, "Nữ"],
        ["STT", "Tên", "Tuổi", None, "STT", "Tên", "Tuổi"],
        [1, "An", 30, None, 1, "Chi", 40],
        [2, "Bình", 31, None, 2, "Dung", 41],
        [None, None, None, None, 3, "Giang", 42],
    ]
    result = ingest(sheet(rows), "x.xlsx")
    assert [(table.title, table.row_count) for table in result.tables] == [
        ("Biểu – Nam", 2),
        ("Biểu – Nữ", 3),
    ]
    assert [row["Tên"] for row in rows_of(result, 1)] == ["Chi", "Dung", "Giang"]


def test_columns_that_end_early_beyond_a_blank_one_are_no_table_of_their_own(ingest) -> None:
    rows: list[list[Any]] = [["STT", "Tên", None, "Thu", "Chi"], [1, "An", None, 5, 6]]
    rows += [[number, "Bình", None, None, None] for number in range(2, 9)]
    (table,) = ingest(sheet(rows), "x.xlsx").tables
    assert table.row_count == 8


def test_a_blank_column_alone_parts_no_table(ingest) -> None:
    rows = [["STT", "Tên", None, "Thu", "Chi"], [1, "An", None, 5, 6], [2, "Bình", None, 7, 8]]
    (table,) = ingest(sheet(rows), "x.xlsx").tables
    assert names(table) == ["STT", "Tên", "Thu", "Chi"]


def test_blank_rows_and_section_rows_part_no_table(ingest) -> None:
    rows = [
        ["STT", "Tên", "Thu"],
        [1, "An", 5],
        [],
        ["II. Miền Trung"],
        [2, "Bình", 7],
        [],
        [None, "Khác", "chưa có"],
        [3, "Chi", 9],
    ]
    (table,) = ingest(sheet(rows), "x.xlsx").tables
    assert table.row_count == 5


# Old fonts and lost dates -------------------------------------------------------------------------------


def test_old_fonts_in_a_workbook_that_says_unicode(ingest, rows_of) -> None:
    rows = [
        ["Sè TT", "Tªn chØ tiªu", "Ghi chó"],
        [1, "Tæng s¶n phÈm trong n\xadíc", "Ủy ban nhân dân"],
        [2, "Toång soá lao ñoäng bò tai naïn", "kèm theo Quyết định"],
        [3, "§Çu t\xad ph¸t triÓn c«ng nghiÖp, giao th«ng vËn t¶i", None],
    ]
    result = ingest(sheet(rows, title="NNghiÖp"), "x.xlsx")
    (table,) = result.tables
    assert names(table) == ["Số TT", "Tên chỉ tiêu", "Ghi chú"]
    assert [row["Tên chỉ tiêu"] for row in rows_of(result)] == [
        "Tổng sản phẩm trong nước",
        "Tổng số lao động bị tai nạn",
        "Đầu tư phát triển công nghiệp, giao thông vận tải",
    ]
    assert [row["Ghi chú"] for row in rows_of(result)][:2] == ["Ủy ban nhân dân", "kèm theo Quyết định"]
    said = problem(table, "font-encoding-read").params
    assert (said["before"], said["after"]) == ("Sè TT", "Số TT")
    assert "VNI-Windows" in said["encoding"]
    assert "TCVN3 (ABC)" in said["encoding"]
    assert table.title == "NNghiệp"


def test_french_stays_french(ingest, rows_of) -> None:
    rows = [["Département", "Numéro", "où"], ["Côte-d'Or", 21, "thé"], ["Hérault", 34, "né"]]
    result = ingest(sheet(rows), "x.xlsx")
    assert rows_of(result)[0] == {"Département": "Côte-d'Or", "Numéro": 21, "où": "thé"}
    assert codes(result.tables[0]) == []


def test_day_numbers_in_a_column_of_dates_are_said(ingest) -> None:
    rows = [["Tên", "Ngày sinh"], ["An", 45292], ["Bình", 32874]]
    (table,) = ingest(sheet(rows), "x.xlsx").tables
    said = problem(table, "day-numbers")
    assert said.params == {"label": "Ngày sinh", "value": "45292", "date": "2024-01-01"}
    assert table.columns[1].type == "integer"


def test_results_of_formulas_are_read(ingest, rows_of) -> None:
    content = sheet([["a", "b"], [1, "=A2*2"]])
    source = zipfile.ZipFile(io.BytesIO(content))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as changed:
        for member in source.namelist():
            changed.writestr(
                member,
                source.read(member)
                .replace(b"<f>A2*2</f><v></v>", b"<f>A2*2</f><v>2</v>")
                .replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>")
                .replace(b"<f>A2*2</f><v/>", b"<f>A2*2</f><v>2</v>"),
            )
    assert rows_of(ingest(target.getvalue(), "x.xlsx")) == [{"a": 1, "b": 2}]


# Corrections --------------------------------------------------------------------------------------------

CSV = "tiêu đề\nnhóm,x,x\nmã,tên,số\n01,An,5\n02,Bình,6\n03,Chi,7\n".encode()


def test_header_rows_and_last_row_of_delimited_text(tmp_path) -> None:
    said = Corrections(header_rows=(2, 3), last_row=5)
    ((table, rows),) = read(tmp_path, CSV, "x.csv", said)
    assert table.labels == ("nhóm mã", "x tên", "x số")
    assert rows == [["01", "An", "5"], ["02", "Bình", "6"]]
    assert (table.header_rows, table.header_row, table.last_row) == ((2, 3), 3, 5)
    assert codes(table)[-1] == "footer-left-out"
    assert problem(table, "footer-left-out").params["examples"] == [[6, "03 Chi 7"]]


@pytest.mark.parametrize("filename", ["x.csv", "x.xlsx"])
def test_a_header_far_down(filename, tmp_path) -> None:
    rows: list[list[Any]] = [["lời nói đầu", "x" * 2000]] * 700 + [["mã", "số"], ["a", 1], ["b", 2]]
    text = "\n".join(",".join(map(str, row)) for row in rows)
    content = sheet(rows) if filename == "x.xlsx" else text.encode()
    ((table, data),) = read(tmp_path, content, filename, Corrections(header_rows=(701,)))
    assert (table.labels, data) == (("mã", "số"), [["a", "1"], ["b", "2"]])


def test_encoding_and_delimiter_of_delimited_text(tmp_path) -> None:
    ((table, rows),) = read(
        tmp_path, b"T\xaan|S\xe8\nB\xe9|1,5\n", "x.csv", Corrections(encoding="tcvn3", delimiter="|")
    )
    assert (table.labels, rows) == (("Tên", "Số"), [["Bộ", "1,5"]])


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Corrections(header_rows=(99,)), "correction-row-missing"),
        (Corrections(last_row=99), "correction-row-missing"),
        (Corrections(header_rows=(3,), last_row=3), "correction-row-missing"),
        (Corrections(encoding="utf-16-le"), "correction-encoding-fails"),
    ],
)
def test_wrong_corrections_of_delimited_text(said, code, tmp_path) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(tmp_path, CSV + b"x", "x.csv", said)
    assert caught.value.problem.code == code
    assert "%" not in caught.value.problem.message()


ROWS = [["ghi chú", "x"], ["Nhóm", "y"], ["Mã", "Số"], ["a", 1], ["b", 2], ["c", 3]]


def test_header_rows_and_last_row_of_a_sheet(tmp_path) -> None:
    said = Corrections(tables={"Biểu": TableCorrections(header_rows=(2, 3), last_row=5)})
    ((table, rows),) = read(tmp_path, sheet(ROWS), "x.xlsx", said)
    assert table.labels == ("Nhóm Mã", "y Số")
    assert rows == [["a", "1"], ["b", "2"]]
    assert problem(table, "footer-left-out").params["rows"] == "6"


def test_one_of_several_tables_is_corrected_by_its_title(tmp_path) -> None:
    rows = [["STT", "Tên"], [1, "An"], [], ["STT", "Tên"], ["x", "y"], [2, "Bình"], [3, "Chi"]]
    said = Corrections(tables={"Biểu – 2": TableCorrections(header_rows=(4, 5), last_row=6)})
    first, second = read(tmp_path, sheet(rows), "x.xlsx", said)
    assert first[1] == [["1", "An"]]
    assert (second[0].labels, second[1]) == (("STT x", "Tên y"), [["2", "Bình"]])


def test_the_encoding_of_a_workbook_is_said(tmp_path) -> None:
    rows = [["Tên", "Số"], ["Bé", 1]]
    assert read(tmp_path, sheet(rows), "x.xlsx")[0][1] == [["Bé", "1"]]
    assert read(tmp_path, sheet(rows), "x.xlsx", Corrections(encoding="tcvn3"))[0][1] == [["Bộ", "1"]]
    old = [["Tªn chØ tiªu"], ["Tæng s¶n phÈm"], ["§¬n vÞ tÝnh"]]
    assert read(tmp_path, sheet(old), "x.xlsx", Corrections(encoding="utf-8"))[0][1][0] == ["Tæng s¶n phÈm"]


@pytest.mark.parametrize(
    "own", [TableCorrections(header_rows=(99,)), TableCorrections(last_row=99), TableCorrections(last_row=1)]
)
def test_wrong_corrections_of_a_sheet(own, tmp_path) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(tmp_path, sheet(ROWS), "x.xlsx", Corrections(tables={"Biểu": own}))
    assert caught.value.problem.code == "correction-row-missing"


def test_a_correction_for_all_sheets_leaves_a_short_one_as_it_is(tmp_path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(sheet(ROWS)))
    page = book.create_sheet("ngắn")
    page.append(["a"])
    page.append([1])
    target = io.BytesIO()
    book.save(target)
    long, short = read(tmp_path, target.getvalue(), "x.xlsx", Corrections(header_rows=(3,)))
    assert long[0].labels == ("Mã", "Số")
    assert [(found.code, found.severity) for found in short[0].problems] == [
        ("correction-row-missing", "warning")
    ]
