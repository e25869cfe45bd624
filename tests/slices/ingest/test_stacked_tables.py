"""Tables below each other without a caption and with one column of numbers; and one table with blank rows in it."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from opendata.resources.formats.readers import read_tables
from opendata.resources.formats.table import SourceTable
from opendata.resources.ingest.identify import identify

if TYPE_CHECKING:
    from pathlib import Path

FIRST: list[list[Any]] = [["Tỉnh", "Số trạm"], ["Hà Nội", 3], ["Huế", 5], ["Cà Mau", 7]]
BLANK: list[Any] = []


def labels(tmp_path: Path, rows: list[list[Any]]) -> list[tuple[str, ...]]:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    target = io.BytesIO()
    book.save(target)
    path = tmp_path / "a.xlsx"
    path.write_bytes(target.getvalue())
    found = [*read_tables(path, identify(path, "a.xlsx"), None)]
    return [table.labels for table in found if isinstance(table, SourceTable)]


@pytest.mark.parametrize(
    "second",
    [
        [["Huyện", "Số giường"], ["Ba Vì", 10], ["Phú Lộc", 20]],
        [["Tỉnh", "Bác sĩ"], ["Hà Nội", 10], ["Huế", 20], ["Cà Mau", 8]],
        [["Bệnh viện", "Diện tích (m2)"], ["Bạch Mai", 1.5], ["Chợ Rẫy", 2.5]],
        [["Kỳ họp", "Ngày họp"], ["một", dt.date(2025, 1, 2)], ["hai", dt.date(2025, 3, 4)]],
        [["City", "Population"], ["Huế", 400_000], ["Vinh", 300_000]],
        [["Tỉnh", "Số trạm"], ["Vinh", 400], ["Hạ Long", 300]],
    ],
)
@pytest.mark.parametrize("blanks", [1, 2])
def test_names_over_numbers_begin_a_table(tmp_path: Path, second: list[list[Any]], blanks: int) -> None:
    found = labels(tmp_path, [*FIRST, *[BLANK] * blanks, *second])
    assert found == [tuple(FIRST[0]), tuple(second[0])]


@pytest.mark.parametrize(
    "block",
    [
        [["Miền Bắc"], ["Vinh", 3], ["Hạ Long", 4]],
        [["Miền Bắc", 7], ["Vinh", 3], ["Hạ Long", 4]],
        [["Cần Thơ", "chưa có số liệu"], ["Vinh", 3], ["Hạ Long", 4]],
        [["Cần Thơ", "đã sáp nhập"], ["Vinh", 3], ["Hạ Long", 4]],
        [["Cần Thơ", "-"], ["Vinh", 3], ["Hạ Long", 4]],
        [["Cần Thơ", "Số liệu đang cập nhật"], ["Vinh", 3], ["Hạ Long", 4]],
        [["Miền Nam", "người"], ["Vinh", 3], ["Hạ Long", 4]],
        [["Cần Thơ", "Số trạm"], ["Vinh", "không"], ["Hạ Long", 4]],
        [["Cần Thơ", "Số trạm"], ["Vinh", 4]],
        [["Tổng cộng", 15]],
    ],
)
@pytest.mark.parametrize("blanks", [1, 2])
def test_headings_remarks_and_totals_behind_a_blank_row_do_not(
    tmp_path: Path, block: list[list[Any]], blanks: int
) -> None:
    assert labels(tmp_path, [*FIRST, *[BLANK] * blanks, *block]) == [tuple(FIRST[0])]


def test_a_table_of_words_and_one_number(tmp_path: Path) -> None:
    first: list[list[Any]] = [["Mã", "Tên", "Số hộ"], ["A1", "Ba Vì", 3], ["A2", "Phú Lộc", 4]]
    second: list[list[Any]] = [["Mã", "Tên xã", "Số trẻ em"], ["B1", "Vân Hòa", 3], ["B2", "Lộc An", 4]]
    remark: list[list[Any]] = [["A3", "Cần Giờ", "chưa báo cáo"], ["A4", "Nhà Bè", 3], ["A5", "Hóc Môn", 4]]
    assert labels(tmp_path, [*first, BLANK, *remark]) == [tuple(first[0])]
    assert labels(tmp_path, [*first, BLANK, BLANK, *second]) == [tuple(first[0]), tuple(second[0])]
