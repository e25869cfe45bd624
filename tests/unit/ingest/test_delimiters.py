"""Which separator, which header row."""

from __future__ import annotations

import pytest

from opendata.resources.formats.delimited import best_delimiter, judge_delimiters, rows_of
from opendata.resources.formats.headers import find_header, grid_of_text

SAMPLES = {
    "comma": ("a,b\n1,2\n3,4\n", ","),
    "semicolon with decimal commas": ("tên;số\nA;3,5\nB;4,25\nC;1,0\n", ";"),
    "semicolon, comma in the header too": ("tên, mã;số\nA;3,5\nB;4,25\n", ";"),
    "tab with commas in text": ("a\tb\nx, y\t1\nz, w\t2\n", "\t"),
    "pipe": ("a|b|c\n1|2|3\n", "|"),
    "quoted separators": ('a,b\n"x;y;z",1\n"p;q;r",2\n', ","),
    "title with trailing separators": ("Bảng 1;;\nmã;tên;số\n01;A;1,5\n02;B;2,5\n03;C;3,5\n", ";"),
    "ragged": ("a,b,c\n1,2,3\n4,5\n6,7,8\n", ","),
    "one column": ("tên\nan\nbình\n", None),
    "blank": ("\n\n", None),
}


@pytest.mark.parametrize(("sample", "delimiter"), SAMPLES.values(), ids=SAMPLES)
def test_the_separator_that_makes_an_even_table_is_chosen(sample, delimiter) -> None:
    assert best_delimiter(judge_delimiters(sample)) == delimiter


@pytest.mark.parametrize(
    ("text", "position", "labels", "titles", "width"),
    [
        ("a,b\n1,2\n", 0, ("a", "b"), (), 2),
        ("\n\na,b\n1,2\n", 2, ("a", "b"), (), 2),
        ("Bảng 1\n\nĐơn vị: người,,\na,b,c\n1,2,3\n", 3, ("a", "b", "c"), ("Bảng 1", "Đơn vị: người"), 3),
        ("a\n1\n2\n", 0, ("a",), (), 1),
        ("a,b\n1,2,3\n4,5,6\n", 0, ("a", "b", ""), (), 2),
        (" a , b\n1,2\n", 0, ("a", "b"), (), 2),
    ],
)
def test_header(text, position, labels, titles, width) -> None:
    header = find_header(grid_of_text(rows_of(text, ",")))
    assert header is not None
    assert (header.position, header.labels, header.titles, header.width) == (position, labels, titles, width)


def test_no_header_in_nothing() -> None:
    assert find_header(grid_of_text(rows_of("\n,\n , \n", ","))) is None
