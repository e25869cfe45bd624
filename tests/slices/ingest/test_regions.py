"""Whatever a sheet looks like, every filled cell of it is data, a name, or said to be something else."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import python_calamine as calamine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.resources.formats.library_cells import library_cells
from opendata.resources.formats.regions import regions_of
from opendata.resources.formats.sheet_survey import SheetSurvey

WORDS = "Tỉnh|Số|STT|(1)|%|triệu đồng|Ghi chú: x|Tổng số|Đơn vị: người|Người lập biểu|a|1. b| "
VALUES: list[Any] = [None, None, None, 1, 2, 2024, 3.5, True]
CELL: st.SearchStrategy[Any] = st.one_of(st.sampled_from(VALUES), st.sampled_from(WORDS.split("|")))
ROW: st.SearchStrategy[Any] = st.lists(CELL, max_size=6)
SHEET: st.SearchStrategy[Any] = st.lists(
    st.one_of(ROW, st.just([]), st.just(["STT", "Tỉnh", "Số"])), max_size=14
)
MERGES = st.lists(
    st.tuples(st.integers(1, 8), st.integers(1, 5), st.integers(0, 2), st.integers(0, 2)), max_size=2
)


def _survey(rows: list[list[Any]], merges: list[tuple[int, int, int, int]]) -> SheetSurvey:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    for cells_of_row in rows:
        page.append(cells_of_row)
    taken: set[tuple[int, int]] = set()
    for row, column, down, right in merges:
        cells = {(row + i, column + j) for i in range(down + 1) for j in range(right + 1)}
        if len(cells) > 1 and not cells & taken:
            taken |= cells
            page.merge_cells(
                start_row=row, start_column=column, end_row=row + down, end_column=column + right
            )
    target = io.BytesIO()
    book.save(target)
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(target.getvalue()))
    return SheetSurvey(library_cells(book.get_sheet_by_index(0)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHEET, MERGES)
def test_no_filled_cell_is_lost(rows, merges) -> None:
    survey = _survey(rows, merges)
    regions = regions_of(survey)
    for row in range(len(survey)):
        for column, kind in enumerate(survey.shape(row)):
            if not kind:
                continue
            assert any(
                region.first <= row < region.data  # titles, names, units
                or (region.data <= row <= region.last and column in region.columns)
                or row in region.footers
                for region in regions
            ), (row, column)
    for region in regions:
        assert list(region.columns) == sorted(set(region.columns))
        assert region.header.rows
        assert all(region.first + row < region.data for row in region.header.rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHEET, MERGES)
def test_no_row_is_data_twice(rows, merges) -> None:
    survey = _survey(rows, merges)
    seen: set[tuple[int, int]] = set()
    for region in regions_of(survey):
        cells = {
            (row, column)
            for row in range(region.data, region.last + 1)
            for column in region.columns
            if column < len(survey.shape(row)) and survey.shape(row)[column]
        }
        assert not cells & seen
        seen |= cells
