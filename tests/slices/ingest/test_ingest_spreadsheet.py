"""Workbooks: every sheet, exact numbers, dates in ISO, and what a cell states is believed."""

# ruff: noqa: DTZ001 - files hold moments without a zone

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest


def workbook(**sheets: Any) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def types(table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


def codes(problems) -> list[str]:
    return [problem.code for problem in problems]


def test_types_are_those_of_the_cells(ingest, rows_of) -> None:
    moment = dt.datetime(2024, 12, 31, 10, 30)
    result = ingest(
        workbook(
            Dữ_liệu=[
                ["mã", "số", "lẻ", "toạ độ", "ngày", "lúc", "đúng", "chữ số", "giờ"],
                ["01", 1, 0.1 + 0.2, 105.698, dt.date(2024, 12, 31), moment, True, "12", dt.time(8, 30)],
                ["02", 20, 2, 106.083, dt.date(2025, 1, 1), dt.datetime(2025, 1, 1), False, "7", dt.time(9)],
                ["10", None, 1e-7, 107.5, None, None, None, None, None],
            ]
        ),
        "x.xlsx",
    )
    (table,) = result.tables
    assert types(table) == {
        "mã": "string",
        "số": "integer",
        "lẻ": "number",
        "toạ độ": "number",
        "ngày": "date",
        "lúc": "datetime",
        "đúng": "boolean",
        "chữ số": "string",
        "giờ": "string",
    }
    assert rows_of(result)[1] == {
        "mã": "02",
        "số": 20,
        "lẻ": 2.0,
        "toạ độ": 106.083,
        "ngày": dt.date(2025, 1, 1),
        "lúc": dt.datetime(2025, 1, 1),
        "đúng": False,
        "chữ số": "7",
        "giờ": "09:00:00",
    }
    notes = {column.name: codes(column.notes) for column in table.columns if column.notes}
    assert notes == {"mã": ["leading-zeros"], "chữ số": ["text-in-source"]}
    assert (table.name, table.title) == ("du-lieu", "Dữ_liệu")


@pytest.mark.parametrize("value", [0.1 + 0.2, 1 / 3, 5.054007053375244, 1e-300, 123456789.123456789, -0.25])
def test_doubles_come_back_exactly(value, ingest, rows_of) -> None:
    import zipfile

    content = workbook(s=[["a", "b"], ["x", 0.5], ["y", 424242.5]])
    source = zipfile.ZipFile(io.BytesIO(content))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as changed:
        for member in source.namelist():
            changed.writestr(member, source.read(member).replace(b"424242.5", repr(value).encode()))
    result = ingest(target.getvalue(), "x.xlsx")
    assert rows_of(result)[1]["b"] == value


def test_every_sheet_with_data_becomes_a_table(ingest) -> None:
    content = workbook(
        **{"Năm 2023": [["a", "b"], [1, 2]], "trống": [], "Năm 2024": [["a"], [3]], "chỉ đầu": [["a", "b"]]}
    )
    result = ingest(content, "x.xlsx")
    assert [(table.name, table.row_count) for table in result.tables] == [("nam-2023", 1), ("nam-2024", 1)]
    assert codes(result.problems) == ["sheet-without-rows"]
    assert result.problems[0].params == {"sheet": "chỉ đầu"}
    assert result.identification.evidence["sheets"] == ["Năm 2023", "trống", "Năm 2024", "chỉ đầu"]


def test_sheets_of_the_same_slug_stay_apart(ingest) -> None:
    content = workbook(**{"Bảng 1": [["a"], [1]], "bang-1": [["a"], [2]], "!!!": [["a"], [3]]})
    result = ingest(content, "số liệu.xlsx")
    assert [table.name for table in result.tables] == ["bang-1", "bang-1-2", "table"]


def test_hidden_sheets_are_said(ingest) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a"])
    book.worksheets[0].append([1])
    hidden = book.create_sheet("riêng")
    hidden.sheet_state = "hidden"
    hidden.append(["b"])
    hidden.append([2])
    first, second = ingest(saved(book), "x.xlsx").tables
    assert codes(first.problems) == []
    assert codes(second.problems) == ["hidden-sheet"]


def test_title_rows_blank_rows_and_margins(ingest, rows_of) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["B2"] = "BÁO CÁO NĂM 2024"
    sheet["B4"], sheet["C4"] = "tên", "số"
    sheet["B5"], sheet["C5"] = "A", 1
    sheet["B7"], sheet["C7"] = "B", 2
    sheet["H40"].number_format = "0.00"
    result = ingest(saved(book), "x.xlsx")
    (table,) = result.tables
    assert rows_of(result) == [{"tên": "A", "số": 1}, {"tên": "B", "số": 2}]
    assert codes(table.problems) == ["title-rows-skipped", "blank-rows"]
    assert table.problems[1].row == 6


def test_a_second_row_of_names_becomes_titles(ingest, rows_of) -> None:
    result = ingest(
        workbook(
            s=[
                ["province", "population", "area"],
                ["tỉnh", "dân số", "diện tích"],
                ["Hà Nội", 8_718_000, 3359.8],
                ["Cao Bằng", 555_809, 6700.4],
                ["Lào Cai", 1_778_785, 13256.9],
            ]
        ),
        "x.xlsx",
    )
    (table,) = result.tables
    assert [column.title for column in table.columns] == ["tỉnh", "dân số", "diện tích"]
    assert types(table) == {"province": "string", "population": "integer", "area": "number"}
    assert len(rows_of(result)) == 3
    assert [(problem.code, problem.row) for problem in table.problems] == [("second-label-row", 2)]


def test_one_word_in_a_column_of_numbers_is_no_second_header(ingest) -> None:
    result = ingest(
        workbook(s=[["a", "b", "c"], ["x", "chưa có", 1], ["y", 2, 3], ["z", 4, 5], ["w", 6, 7]]), "x.xlsx"
    )
    (table,) = result.tables
    assert table.row_count == 4
    assert codes(table.columns[1].notes) == ["column-mixed"]
    assert table.columns[1].notes[0].params["examples"] == [[2, "chưa có"]]


def test_dates_at_midnight_among_moments_stay_moments(ingest, rows_of) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["lúc"])
    sheet.append([dt.datetime(2024, 1, 1, 8)])
    sheet.append([dt.datetime(2024, 1, 2)])
    result = ingest(saved(book), "x.xlsx")
    assert rows_of(result) == [{"lúc": dt.datetime(2024, 1, 1, 8)}, {"lúc": dt.datetime(2024, 1, 2)}]


def test_a_workbook_named_csv_is_read_by_its_content(ingest) -> None:
    result = ingest(workbook(s=[["a"], [1]]), "x.csv")
    assert result.identification.format == "xlsx"
    assert [(problem.code, problem.severity) for problem in result.problems] == [("read-by-content", "info")]
    assert result.tables


def test_text_is_normalised(ingest, rows_of) -> None:
    result = ingest(workbook(s=[["te\u0302n"], ["Ha\u0300 No\u0323\u0302i"]]), "x.xlsx")
    assert rows_of(result) == [{"tên": "Hà Nội"}]
