"""Every error of a table for the rows that are set aside: complete, in order, and what frictionless finds."""

from __future__ import annotations

from typing import Any

import pytest

from opendata.resources.formats.readers import READERS
from opendata.resources.formats.table import SourceTable
from opendata.resources.ingest.checks import faulty_cells
from opendata.resources.ingest.draft import draft_table
from opendata.resources.ingest.identify import identify

INTEGERS: dict[str, Any] = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}


def drafted(path, workdir):
    identification = identify(path, path.name)
    (table,) = READERS[identification.format](path, identification)
    assert isinstance(table, SourceTable)
    return draft_table(table, workdir / "draft.arrow", lambda *_: None)


def found(text, schema, tmp_path) -> list[tuple[int, str, str, str]]:
    path = tmp_path / "x.csv"
    path.write_text(text)
    draft = drafted(path, tmp_path)
    return [(each.row, each.column, each.value, each.reason.code) for each in faulty_cells(draft, schema)]


def test_more_errors_than_any_report_lists(tmp_path) -> None:
    text = "a,b\n" + "x,1\n5,2\n" * 3000
    errors = found(text, INTEGERS, tmp_path)
    assert len(errors) == 3000
    assert errors[0] == (2, "a", "x", "cell-not-integer")
    assert errors[-1] == (6000, "a", "x", "cell-not-integer")


@pytest.mark.parametrize("more", [{}, {"primaryKey": ["b"]}], ids=["no key", "key"])
def test_rows_of_a_wrong_shape_are_named_as_a_whole(more, tmp_path) -> None:
    errors = found("a,b\n1,k\n,\n2,l,m\n3\n", INTEGERS | more, tmp_path)
    keyless = [(3, "", " | ", "row-blank"), (4, "", "m", "row-extra-cell"), (5, "b", "", "row-missing-cell")]
    assert [error for error in errors if error[3] != "row-key"] == keyless
    assert [error for error in errors if error[3] == "row-key"] == (
        [(3, "", " | ", "row-key"), (5, "", "3", "row-key")] if more else []
    )


def test_a_key_that_occurs_twice_is_an_error_of_the_row(tmp_path) -> None:
    errors = found("a,b\n1,k\n1,k\n1,l\n", INTEGERS | {"primaryKey": ["a", "b"]}, tmp_path)
    assert errors == [(3, "", "1 | k", "row-key")]


def test_errors_of_the_header_are_left_out(tmp_path) -> None:
    assert found("a,c\n1,2\n", INTEGERS, tmp_path) == []
