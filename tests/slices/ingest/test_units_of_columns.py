"""A unit that the file states describes its columns of amounts, and nothing else."""

from __future__ import annotations


def test_a_unit_above_the_table_describes_amounts_only(ingest) -> None:
    text = "Bảng thu ngân sách\nĐơn vị tính: triệu đồng,,,,\nSTT,Tỉnh,Thu,Tỷ lệ %,Năm\n1,Hà Nội,120,40,2024\n2,Huế,90,35,2024\n"
    (table,) = ingest(text).tables
    assert {column.name: column.description for column in table.columns} == {
        "STT": None,
        "Tỉnh": None,
        "Thu": "triệu đồng",
        "Tỷ lệ %": None,
        "Năm": None,
    }
    assert [field.get("description") for field in table.table_schema["fields"]].count("triệu đồng") == 1
