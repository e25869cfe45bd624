"""Documents made by other processes: the same ones, in order; a process that dies is told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from typing import NoReturn

import pytest
from sqlalchemy import select

from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue import indexing
from opendata.catalogue.documents import INDEX_SCHEMA
from opendata.catalogue.indexing import chunked
from opendata.catalogue.models import Dataset
from opendata.resources.documents import open_document_source
from opendata.search.fields import prepare
from opendata.search.preparing import Elsewhere, Helpers, Preparer, PreparingError


@pytest.fixture
def ids(portal, portal_agency) -> list[str]:
    for number in range(7):
        metadata = {"title": f"Lượng mưa {number}", "publisher": portal_agency, "keywords": ["khí tượng"]}
        portal.catalogue.create_dataset(COMMAND_LINE, metadata)
    with portal.database.reading() as session:
        return list(session.scalars(select(Dataset.id).order_by(Dataset.id)))


def test_other_processes_make_the_same_documents_in_order(portal, ids):
    source = partial(open_document_source, portal.settings.database_url, {})
    made = list(Elsewhere(source, chunked(ids, 2), 2).made_by(partial(Preparer, INDEX_SCHEMA)))
    with portal.database.reading() as session:
        documents = {one.id: one for one in portal.indexing.builder.build(session, ids)}
    assert [one.id for one in made] == ids
    assert made == [prepare(INDEX_SCHEMA, documents[dataset_id]) for dataset_id in ids]


def test_copies_of_this_process_make_the_same_documents_in_order(portal, ids):
    source = partial(open_document_source, portal.settings.database_url, {})
    open_worker = partial(Preparer, INDEX_SCHEMA)
    elsewhere = list(Elsewhere(source, chunked(ids, 2), 1).made_by(open_worker))
    portal.database.close()
    with Helpers(source, 2, copied=True) as helpers:
        helpers.start()
        assert list(helpers.documents(chunked(ids, 2)).made_by(open_worker)) == elsewhere
        assert list(helpers.documents(chunked(ids[:3], 1)).made_by(open_worker)) == elsewhere[:3]


def test_no_copies_are_made_where_the_database_is_open(portal, monkeypatch):
    monkeypatch.setattr("opendata.catalogue.indexing.worthwhile_children", lambda: 2)
    with portal.database.reading() as session:
        session.scalar(select(Dataset.id))
        open_by_now = portal.indexing.helpers(copied=True)
    portal.database.close()
    closed = portal.indexing.helpers(copied=True)
    assert open_by_now is not None
    assert closed is not None
    assert (open_by_now.copied, closed.copied) == (False, threading.active_count() == 1)


_DYING = """
import os, signal
from opendata.search.preparing import Helpers
with Helpers(lambda: list, 2, copied=True) as helpers:
    print("held back", end="")
    helpers.start()
    {end}
"""


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "raise SystemExit(3)", "pass"])
def test_copies_end_with_their_parent_and_print_nothing_of_it(end):
    """They hold what the parent prints to, so that this would never end otherwise."""
    done = subprocess.run(
        [sys.executable, "-c", _DYING.format(end=end)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    assert (done.stdout, done.stderr) == ("" if "SIGKILL" in end else "held back", "")


def no_source() -> NoReturn:
    raise ValueError("no source")


def test_a_copy_that_fails_says_why_and_is_told(capfd):
    with Helpers(no_source, 1, copied=True) as helpers, pytest.raises(PreparingError):
        list(helpers.documents([["a"]]).made_by(partial(Preparer, INDEX_SCHEMA)))
    assert "ValueError: no source" in capfd.readouterr().err


def test_a_large_rebuild_uses_them_and_finds_everything(portal, ids, monkeypatch):
    monkeypatch.setattr(indexing, "WORTH_CHILDREN", 1)
    monkeypatch.setattr(indexing, "worthwhile_children", lambda: 1)
    assert portal.indexing.rebuild() == len(ids)


def test_a_process_that_dies_is_told_and_the_old_index_stays(portal, ids):
    with pytest.raises(PreparingError):
        list(Elsewhere(partial(os._exit, 3), chunked(ids, 1), 1).made_by(partial(Preparer, INDEX_SCHEMA)))
    before = portal.search.count()
    broken = Elsewhere(partial(os._exit, 3), chunked(ids, 1), 1)
    with pytest.raises(PreparingError):
        portal.search.rebuild(broken, 1)
    assert portal.search.count() == before
