"""Corrections: JSON there and back, and nothing hostile gets in."""

from __future__ import annotations

import json

import pytest

from opendata.resources.formats.corrections import Corrections, TableCorrections

WHOLE = Corrections(
    encoding="tcvn3",
    delimiter=";",
    header_rows=(3, 4),
    last_row=40,
    columns={"Ngày": {"type": "date", "format": "%d/%m/%Y"}},
    tables={"Biểu 1": TableCorrections((2,), 9, {"Số": {"type": "number", "decimalChar": ","}})},
)


def test_json_there_and_back() -> None:
    assert Corrections.from_json(json.loads(json.dumps(WHOLE.to_json()))) == WHOLE
    assert Corrections.from_json(Corrections().to_json()) == Corrections()
    assert Corrections.from_json({}) == Corrections()


def test_a_table_has_its_own_before_those_of_the_file() -> None:
    of_one = WHOLE.of_table("Biểu 1")
    assert (of_one.header_rows, of_one.last_row) == ((2,), 9)
    assert set(of_one.columns) == {"Ngày", "Số"}
    assert WHOLE.of_table("Biểu 2") == TableCorrections((3, 4), 40, WHOLE.columns)
    by_name = Corrections(tables={"bieu-1": TableCorrections((5,))})
    assert by_name.of_table("Biểu 1").header_rows == (5,)


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        [],
        "x",
        {"encoding": "utf-7"},
        {"encoding": []},
        {"delimiter": ""},
        {"delimiter": ";;"},
        {"delimiter": "\n"},
        {"delimiter": '"'},
        {"delimiter": "a"},
        {"delimiter": "ư"},
        {"header_rows": []},
        {"header_rows": 3},
        {"header_rows": [0]},
        {"header_rows": [True]},
        {"header_rows": [1.0]},
        {"header_rows": [2, 1]},
        {"header_rows": [1, 1]},
        {"header_rows": list(range(1, 12))},
        {"header_rows": [1001]},
        {"last_row": 1 << 40},
        {"header_rows": [3], "last_row": 3},
        {"last_row": 0},
        {"last_row": "9"},
        {"columns": []},
        {"columns": {"": {"type": "date"}}},
        {"columns": {"\ud800": {"type": "date"}}},
        {"columns": {"a": []}},
        {"columns": {"a": {"type": "object"}}},
        {"columns": {"a": {"type": ["date"]}}},
        {"columns": {"a": {"pattern": "(a+)+$"}}},
        {"columns": {"a": {"decimalChar": "5"}}},
        {"columns": {"a": {"bareNumber": 1}}},
        {"columns": {"a": {"format": "x" * 101}}},
        {"columns": {str(number): {} for number in range(5000)}},
        {"tables": ["a"]},
        {"tables": {"a": None}},
        {"tables": {"a": {"encoding": "vni"}}},
        {"tables": {"a": {"tables": {}}}},
        {"anything": 1},
    ],
)
def test_hostile_json_is_refused(hostile) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Corrections.from_json(hostile)
