"""Several people and several workers on one file, on both databases."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.accounts.service import AccountService, AgencyEntry
from opendata.kernel.db import Database
from opendata.kernel.errors import PortalError
from tests.contract.postgres import postgres_server, postgres_url
from tests.slices.resources.conftest import FIRST, upload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.slices.resources.conftest import Shelf

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def shelf(
    *,
    request: pytest.FixtureRequest,
    prepared_folder: Path,
    tmp_path: Path,
    make_shelf: Callable[[Database], Shelf],
) -> Shelf:
    if request.param == "sqlite":
        shutil.copy(prepared_folder / "portal.sqlite", tmp_path / "portal.sqlite")
        return make_shelf(Database(f"sqlite:///{tmp_path / 'portal.sqlite'}"))
    database = Database(request.getfixturevalue("postgres_url"))
    AccountService(database).add_agencies(COMMAND_LINE, [AgencyEntry("BKHCN", {"vi": "Bộ"}, "ministry")])
    return make_shelf(database)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each got that began together: a value, or the PortalError raised."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait()
        try:
            return act()
        except PortalError as refused:
            return refused

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def rows(number: int) -> bytes:
    return b"ma,ten\n" + b"".join(b"%d,x\n" % row for row in range(number))


def test_versions_handed_in_at_once_are_numbered_one_by_one(shelf) -> None:
    first = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    outcomes = at_once(*(lambda n=n: shelf.replace(first, rows(n)) for n in range(1, 6)))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    numbers = [version.number for version in shelf.queries.versions(COMMAND_LINE, first.resource_id)]
    assert numbers == [6, 5, 4, 3, 2, 1]


def test_files_handed_in_at_once_have_places_of_their_own(shelf) -> None:
    dataset = shelf.add_dataset()
    at_once(
        *(
            lambda n=n: shelf.resources.add_resource(COMMAND_LINE, dataset, upload(filename=f"{n}.csv"))
            for n in range(5)
        )
    )
    names = [resource.latest.filename for resource in shelf.queries.resources_of(COMMAND_LINE, dataset)]
    assert sorted(names) == ["0.csv", "1.csv", "2.csv", "3.csv", "4.csv"]


def test_whichever_worker_is_last_readers_get_the_newest(shelf) -> None:
    first = shelf.publish()
    received = [shelf.replace(first, rows(number)) for number in (1, 2, 3)]
    at_once(*(lambda r=r: shelf.ingest.run({"version_id": r.version_id}, FIRST) for r in received))
    view = shelf.queries.resource(VISITOR, first.resource_id)
    assert view.current is not None
    assert (view.current.number, view.tables[0].row_count) == (4, 3)
    states = {version.state for version in shelf.queries.versions(COMMAND_LINE, first.resource_id)}
    assert states == {"published"}


def test_two_workers_on_one_version_publish_it_once(shelf) -> None:
    """One lost its claim while it was working, and does not know."""
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    outcomes = at_once(*[lambda: shelf.ingest.run({"version_id": received.version_id}, FIRST)] * 3)
    assert outcomes == [None, None, None]
    assert [action for _, action, _ in shelf.trail()] == ["resource.upload", "resource.publish"]
    assert len(shelf.queries.resource(VISITOR, received.resource_id).tables) == 1


def test_one_gives_up_while_the_other_publishes(shelf) -> None:
    received = shelf.resources.add_resource(COMMAND_LINE, shelf.add_dataset(), upload())
    payload = {"version_id": received.version_id}
    at_once(lambda: shelf.ingest.run(payload, FIRST), lambda: shelf.ingest.give_up(payload, None))
    view = shelf.queries.resource(COMMAND_LINE, received.resource_id)
    actions = [action for _, action, _ in shelf.trail()]
    settled = {
        "published": ["resource.upload", "resource.publish"],
        "failed": ["resource.upload", "resource.fail"],
    }
    assert actions == settled[view.latest.state]
    assert (view.current is not None) == (view.latest.state == "published")


def test_deleting_while_replacing(shelf) -> None:
    first = shelf.publish()
    outcomes = at_once(
        lambda: shelf.resources.delete_resource(COMMAND_LINE, first.resource_id),
        *(lambda n=n: shelf.replace(first, rows(n)) for n in range(1, 4)),
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(error, PortalError) and error.status in {404, 409} for error in refused)
    assert outcomes[0] is None
    assert shelf.queries.resources_of(COMMAND_LINE, shelf.catalogue_queries.dataset(VISITOR, "bang").id) == ()
