"""The files of an officer's datasets, all at once: what waits for a person is told in one query."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from opendata.accounts.policy import COMMAND_LINE, VISITOR, Actor, Role
from opendata.kernel.errors import InvalidInputError
from opendata.resources.service import Upload

if TYPE_CHECKING:
    from collections.abc import Iterator

EDITOR = Actor("e", "Biên tập", "web", roles={"BKHCN": Role.EDITOR})
AMBIGUOUS = b"ma,ngay\n01,01/07/2025\n02,02/07/2025\n"
PEOPLE = (
    "họ và tên,số căn cước\n" + "".join(f"Lê Thị {chr(65 + n)},0011900{n:05d}\n" for n in range(12))
).encode()


@pytest.fixture
def statements(shelf: Any) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(shelf.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(shelf.database.engine, "before_cursor_execute", note)


def taken(shelf: Any, dataset_id: str, content: bytes, name: str) -> Any:
    received = shelf.resources.add_resource(COMMAND_LINE, dataset_id, Upload(io.BytesIO(content), name))
    shelf.ingest_version(received)
    return received


def test_what_waits_in_many_datasets_is_one_query(shelf, statements) -> None:
    first, second, empty = (shelf.add_dataset(slug) for slug in ("a", "b", "c"))
    taken(shelf, first, AMBIGUOUS, "ngày.csv")
    plain = taken(shelf, first, b"a,b\n1,2\n", "thường.csv")
    shelf.ingest_version(shelf.replace(plain, PEOPLE))
    taken(shelf, second, b"%PDF-1.7\n", "x.pdf")
    statements.clear()
    files = shelf.queries.shelf_files(EDITOR, [first, second, empty])
    assert len(statements) == 1
    assert {key: [file.latest.state for file in found] for key, found in files.items()} == {
        first: ["published", "held"],
        second: ["published"],
        empty: [],
    }
    ambiguous, held = files[first]
    assert [bool(column.get("choices")) for column in ambiguous.tables[0].columns] == [False, True]
    assert (held.latest.number, len(held.latest.findings) > 0) == (2, True)
    assert [column["name"] for column in held.tables[0].columns] == ["a", "b"]
    assert files[second][0].tables == ()


def test_those_who_do_not_edit_are_told_nothing(shelf) -> None:
    dataset = shelf.add_dataset()
    taken(shelf, dataset, AMBIGUOUS, "ngày.csv")
    assert shelf.queries.shelf_files(VISITOR, [dataset]) == {dataset: ()}


def test_a_decision_that_is_none_changes_nothing(shelf) -> None:
    received = taken(shelf, shelf.add_dataset(), PEOPLE, "người.csv")
    with pytest.raises(InvalidInputError):
        shelf.resources.decide(COMMAND_LINE, received.resource_id, 1, "burn")
    assert shelf.latest(received).is_held
    shelf.resources.decide(COMMAND_LINE, received.resource_id, 1, "turn-down")
    assert shelf.latest(received).state == "failed"
