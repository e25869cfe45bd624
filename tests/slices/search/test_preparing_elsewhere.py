"""Documents made by other processes: the same ones, in order; a process that dies is told."""

from __future__ import annotations

import os
from functools import partial

import pytest
from sqlalchemy import select

from opendata.accounts.policy import COMMAND_LINE
from opendata.catalogue import indexing
from opendata.catalogue.documents import INDEX_SCHEMA
from opendata.catalogue.indexing import chunked
from opendata.catalogue.models import Dataset
from opendata.resources.documents import open_document_source
from opendata.search.fields import prepare
from opendata.search.preparing import Elsewhere, Preparer, PreparingError


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
