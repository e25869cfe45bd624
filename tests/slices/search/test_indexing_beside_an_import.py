"""An import is indexed while it is stored: what is found, which outbox rows are ended, what happens when it cannot be."""

from __future__ import annotations

import json
import os
from functools import partial
from itertools import islice

import pytest
from sqlalchemy import select

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.catalogue import importing, indexing
from opendata.catalogue.events import DATASET_CHANGED
from opendata.catalogue.importing import ImportOptions
from opendata.catalogue.models import Dataset
from opendata.catalogue.search_form import read_form
from opendata.job_wiring import build_job_runner
from opendata.kernel.outbox import OutboxRow, count_waiting, last_position
from opendata.search.port import IndexBusyError


@pytest.fixture
def stored(portal, portal_agency, monkeypatch):
    """The batches of an import of seven datasets, two a batch, stored one by one as they are asked for."""
    monkeypatch.setattr(importing, "BATCH", 2)
    monkeypatch.setattr(indexing, "worthwhile_children", lambda: 1)
    build_job_runner(portal).run_batches()
    return batches(portal, portal_agency, 7)


def batches(portal, agency: str, datasets: int):
    lines = [
        json.dumps({"title": f"Lượng mưa {n}", "slug": f"mua-{n}", "publisher": agency}).encode()
        for n in range(datasets)
    ]
    sums = portal.catalogue_import.run(COMMAND_LINE, lines, ImportOptions(), pytest.fail)
    return (summary.last for summary in sums if summary.last is not None)


def waiting(portal) -> int:
    with portal.database.reading() as session:
        return count_waiting(session, DATASET_CHANGED)


def found(portal, text: str) -> int:
    return portal.catalogue_search.search(VISITOR, read_form([("q", text), ("group", "none")]), "vi").total


def test_what_is_stored_is_found_when_its_last_batch_is_there(portal, stored):
    assert portal.indexing.run_beside(stored)
    assert (found(portal, "lượng mưa"), waiting(portal)) == (7, 0)
    with portal.database.reading() as session:
        assert portal.search.position() == last_position(session)
    assert portal.indexing.ensure_index() is False


def test_a_change_that_comes_between_is_indexed_with_the_import(portal, stored):
    def disturbed():
        yield next(stored)
        portal.catalogue.update_dataset(COMMAND_LINE, "mua-0", {"title": "Độ ẩm"})
        yield from stored

    assert portal.indexing.run_beside(disturbed())
    assert (found(portal, "độ ẩm"), found(portal, "lượng mưa"), waiting(portal)) == (1, 6, 0)


def test_a_change_that_a_worker_indexed_between_two_commits_is_not_undone(portal, stored, monkeypatch):
    """The row of its batch is not ended by then."""
    write, written = portal.search.index, []

    def written_with_a_gap(documents, deletes, position):
        write(documents, deletes, position)
        written.append(position)
        if len(written) == 1:
            portal.catalogue.update_dataset(COMMAND_LINE, "mua-1", {"title": "Độ ẩm"})
            build_job_runner(portal).run_batches()
            assert found(portal, "độ ẩm") == 1

    monkeypatch.setattr(indexing, "BATCHES_A_COMMIT", 1)
    monkeypatch.setattr(portal.search, "index", written_with_a_gap)
    assert portal.indexing.run_beside(stored)
    assert len(written) > 4
    assert (found(portal, "độ ẩm"), found(portal, "lượng mưa"), waiting(portal)) == (1, 6, 0)


def test_whoever_publishes_during_an_import_does_not_wait_for_its_end(
    portal, portal_agency, stored, monkeypatch
):
    monkeypatch.setattr(importing, "BATCH", 1)
    monkeypatch.setattr(indexing, "FEWEST_A_COMMIT", 2)
    seen: list[int] = []

    def disturbed():
        for number, batch in enumerate(batches(portal, portal_agency, 14)):
            yield batch
            if number == 1:
                portal.catalogue.update_dataset(COMMAND_LINE, "mua-0", {"title": "Độ ẩm"})
            seen.append(found(portal, "độ ẩm"))

    assert portal.indexing.run_beside(disturbed())
    assert seen[-4:] == [1, 1, 1, 1]
    assert (found(portal, "lượng mưa"), waiting(portal)) == (13, 0)


@pytest.mark.parametrize("before", [0, 1])
def test_processes_that_die_leave_the_rest_to_be_stored_and_all_rows_waiting(
    portal, stored, before, monkeypatch
):
    monkeypatch.setattr(portal.indexing, "_open_source", partial(os._exit, 3))
    first = list(islice(stored, before))
    assert not portal.indexing.run_beside(stored)
    assert found(portal, "lượng mưa") == 0
    rest = list(stored)
    with portal.database.reading() as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.state == "pending")).all()
        assert len(session.scalars(select(Dataset.id)).all()) == 7
    assert len(rows) == 4
    assert {one.row_id for one in (*first, *rest)} <= {row.id for row in rows}
    build_job_runner(portal).run_batches()
    assert (found(portal, "lượng mưa"), waiting(portal)) == (7, 0)


def test_an_index_that_another_process_writes_to_is_left_alone(portal, stored, monkeypatch):
    def busy(*_arguments: object) -> None:
        raise IndexBusyError

    monkeypatch.setattr(portal.search, "index", busy)
    assert not portal.indexing.run_beside(stored)
    assert len(list(stored)) == 4
    assert waiting(portal) == 4
