"""Two people at once, on both databases: nobody's change is lost silently, nobody meets a server error."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from opendata.accounts.policy import COMMAND_LINE
from opendata.accounts.service import AccountService, AgencyEntry
from opendata.catalogue.queries import CatalogueQueries
from opendata.catalogue.service import RevisionConflictError
from opendata.kernel.db import Database
from opendata.kernel.errors import ConflictError, NotFoundError, PortalError
from tests.contract.postgres import postgres_server, postgres_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["postgres_server", "postgres_url"]

TITLE = {"title": "Dân số", "publisher": "BKHCN"}


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def database(request: pytest.FixtureRequest, prepared_folder: Path, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        shutil.copy(prepared_folder / "portal.sqlite", tmp_path / "portal.sqlite")
        opened = Database(f"sqlite:///{tmp_path / 'portal.sqlite'}")
    else:
        opened = Database(request.getfixturevalue("postgres_url"))
        AccountService(opened).add_agencies(COMMAND_LINE, [AgencyEntry("BKHCN", {"vi": "Bộ"}, "ministry")])
    yield opened
    opened.close()


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """What each of `count` threads got that began together: a value, or the PortalError raised."""
    start = threading.Barrier(count)

    def run(number: int) -> object:
        start.wait()
        try:
            return act(number)
        except PortalError as refused:
            return refused

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_one_of_many_who_saw_the_same_revision_saves(catalogue, database) -> None:
    dataset = catalogue.create_dataset(COMMAND_LINE, TITLE)
    outcomes = at_once(
        6,
        lambda number: catalogue.update_dataset(
            COMMAND_LINE, dataset.id, {"title": f"Tên {number}"}, seen_revision=1
        ),
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(refused) == 5
    assert all(isinstance(error, RevisionConflictError) for error in refused)
    assert [r.number for r in CatalogueQueries(database).revisions(COMMAND_LINE, dataset.id)] == [2, 1]


def test_changes_of_different_fields_are_all_kept(catalogue, database) -> None:
    """Without a revision seen, each change is merged with what is there by then."""
    dataset = catalogue.create_dataset(COMMAND_LINE, TITLE)
    changes: list[dict[str, object]] = [
        {"theme": "y-te"},
        {"keywords": ["một"]},
        {"description": "mô tả"},
        {"contact_name": "Lan"},
        {"legal_basis": "Luật"},
        {"issued": "2025-07-01"},
    ]
    at_once(6, lambda number: catalogue.update_dataset(COMMAND_LINE, dataset.id, changes[number]))
    view = CatalogueQueries(database).dataset(COMMAND_LINE, dataset.id)
    assert view.revision == 7
    assert {"theme", "keywords", "description", "contact_name", "legal_basis", "issued"} <= view.fields.keys()


def test_the_same_title_at_once_gives_different_addresses_or_a_conflict(catalogue, database) -> None:
    outcomes = at_once(6, lambda _number: catalogue.create_dataset(COMMAND_LINE, TITLE))
    made = [outcome.slug for outcome in outcomes if not isinstance(outcome, Exception)]  # type: ignore[attr-defined]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(set(made)) == len(made) >= 1
    assert all(isinstance(error, ConflictError) for error in refused)
    kept = CatalogueQueries(database).datasets_of(COMMAND_LINE, frozenset({"BKHCN"}))
    assert {view.slug for view in kept} == set(made)


def test_deleting_and_saving_at_once(catalogue, database) -> None:
    dataset = catalogue.create_dataset(COMMAND_LINE, TITLE)

    def act(number: int) -> None:
        if number == 0:
            catalogue.delete_draft(COMMAND_LINE, dataset.id)
        else:
            catalogue.update_dataset(COMMAND_LINE, dataset.id, {"title": f"Tên {number}"})

    outcomes = at_once(4, act)
    assert outcomes[0] is None
    assert all(outcome is None or isinstance(outcome, NotFoundError) for outcome in outcomes)
    with pytest.raises(NotFoundError):
        CatalogueQueries(database).dataset(COMMAND_LINE, dataset.id)


def test_counters_add_up(catalogue, database) -> None:
    ids = [catalogue.create_dataset(COMMAND_LINE, {**TITLE, "title": f"Tên {n}"}).id for n in range(4)]

    def count(number: int) -> None:
        order = ids if number % 2 else ids[::-1]
        for _ in range(5):
            catalogue.count_use(dict.fromkeys(order, 1), dict.fromkeys(order, 2))

    assert at_once(6, count) == [None] * 6
    views = [CatalogueQueries(database).dataset(COMMAND_LINE, key) for key in ids]
    assert [(view.view_count, view.download_count) for view in views] == [(30, 60)] * 4


def test_one_address_at_once_makes_one_person(database) -> None:
    accounts = AccountService(database)
    outcomes = at_once(
        4,
        lambda _number: accounts.add_person(
            COMMAND_LINE, email="lan@example.org", name="Lan", password="một mật khẩu dài"
        ),
    )
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 3
