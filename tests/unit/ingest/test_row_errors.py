"""Errors of single rows: worded from frictionless's own templates they are what its `Row` and its errors say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from frictionless import errors as theirs
from frictionless.table import Row, create_cell_handlers

from opendata.resources.ingest.frictionless_checks import Check
from opendata.resources.ingest.keys import Findings, Repeats
from opendata.resources.ingest.row_errors import QuickRow, Wording

FIELDS: list[dict[str, Any]] = [
    {"name": "mã", "type": "integer", "constraints": {"minimum": 5, "unique": True}},
    {
        "name": "tên {x}",
        "type": "string",
        "constraints": {"required": True, "maxLength": 3, "enum": ["a", "bcd"]},
    },
    {"name": "ngày", "type": "date"},
]
SCHEMA: dict[str, Any] = {
    "fields": FIELDS,
    "primaryKey": ["mã"],
    "foreignKeys": [{"fields": ["ngày"], "reference": {"resource": "lịch", "fields": ["d"]}}],
    "missingValues": ["", "-"],
}
LABELS = [field["name"] for field in FIELDS]
ROWS = {
    "right": ["7", "a", "2024-01-31"],
    "wrong types": ["x", "a", "31/01/2024"],
    "two rules of one cell": ["7", "quá dài", ""],
    "a rule and a missing cell": ["3", "", "-"],
    "braces": ["{cell}", "a", "{note} {0} {"],
    "blank": ["", "-", ""],
    "nothing at all": [],
    "too short": ["x"],
    "too long": ["x", "a", "", "{rowNumber}", ""],
    "blank and too long": ["", "", "", ""],
}


def frictionless_errors(check: Check, cells: list[str], number: int = 9) -> list[dict[str, Any]]:
    row = Row(list(cells), handlers=create_cell_handlers(check.fields), row_number=number)
    return [error.to_descriptor() for error in row.errors]


@pytest.mark.parametrize("cells", ROWS.values(), ids=ROWS)
def test_the_errors_of_a_row(cells: list[str]) -> None:
    check = Check(SCHEMA, LABELS, 1)
    wording = Wording(create_cell_handlers(check.fields))
    for number in (9, 10):  # made by frictionless first, filled in afterwards
        expected = frictionless_errors(check, cells, number)
        found = QuickRow(wording, number, cells, None).described()
        assert json.dumps(found) == json.dumps(expected)  # the order of keys as well


def test_only_cells_in_doubt_are_read() -> None:
    check = Check(SCHEMA, LABELS, 1)
    wording = Wording(create_cell_handlers(check.fields))
    read: list[int] = []

    def watched(position: int, reader: Any) -> Any:
        def read_it(cell: Any) -> Any:
            read.append(position)
            return reader(cell)

        return read_it

    wording.readers = [watched(position, reader) for position, reader in enumerate(wording.readers)]
    cells = ["7", "quá dài", "2024-01-31"]
    assert QuickRow(wording, 9, cells, [1]).described() == frictionless_errors(check, cells)
    assert read == [1]


def test_the_errors_of_keys_come_after_those_of_cells() -> None:
    check = Check(SCHEMA, LABELS, 1)
    repeats = Repeats(np.array([9, 10]), np.array([4, 9]))
    findings = Findings({"mã": repeats}, repeats, np.array([11]), [np.array([9, 10])])
    for number in (9, 10):
        cells = ["3", "quá dài", "2024-01-31"]
        row = Row(list(cells), handlers=create_cell_handlers(check.fields), row_number=number)
        note = f"the same as in the row at position {number - 5 if number == 9 else 9}"
        lost = 'for "ngày": values "2024-01-31" not found in the lookup table "lịch" as "d"'
        _ = row.errors
        row.errors.append(theirs.UniqueError.from_row(row, note=note, field_name="mã"))
        row.errors.append(theirs.PrimaryKeyError.from_row(row, note=note))
        error = theirs.ForeignKeyError.from_row(
            row, note=lost, field_names=["ngày"], field_values=[row["ngày"]], reference_name="lịch",
            reference_field_names=["d"],
        )  # fmt: skip
        row.errors.append(error)
        found = check.row_errors(number, cells, findings, [0, 1])
        assert json.dumps(found) == json.dumps([each.to_descriptor() for each in row.errors])
    assert [error["type"] for error in check.row_errors(11, ["x", "a", ""], findings, [0])] == [
        "type-error",
        "primary-key",
    ]


def test_frictionless_words_the_first_row_of_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check(SCHEMA, LABELS, 1)
    asked: list[int] = []
    alone = check._frictionless_errors

    def counted(number: int, *rest: Any) -> list[dict[str, Any]]:
        asked.append(number)
        return alone(number, *rest)

    monkeypatch.setattr(check, "_frictionless_errors", counted)
    for number in range(2, 6):
        check.row_errors(number, ["x", "a", ""])
    check.row_errors(6, ["x", "quá dài", ""])
    check.row_errors(7, ["3", "", "y"])
    check.row_errors(8, ["3", "quá dài", "y"])
    assert asked == [2, 6, 7]


def test_a_kind_that_frictionless_words_otherwise_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    describe = Wording.describe
    monkeypatch.setattr(
        Wording, "describe", lambda *given: {**describe(*given), "message": "not what it says"}
    )
    check = Check(SCHEMA, LABELS, 1)
    for number in range(2, 5):
        cells = ["x", "quá dài", "y"]
        assert check.row_errors(number, cells) == frictionless_errors(check, cells, number)
