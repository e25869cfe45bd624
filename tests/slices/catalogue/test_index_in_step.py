"""The index beside the database: proof that they agree, a search without it, and a second index that follows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from opendata.accounts.policy import COMMAND_LINE, VISITOR
from opendata.catalogue.documents import INDEX_SCHEMA
from opendata.catalogue.index_comparison import compare_index
from opendata.catalogue.index_follower import IndexFollower
from opendata.catalogue.indexing import IndexDatasets
from opendata.catalogue.models import Dataset
from opendata.catalogue.search_form import read_form
from opendata.kernel.outbox import OutboxRow
from opendata.search.service import SearchService


@pytest.fixture
def publish(portal, runner, portal_agency):
    def make(title: str, **more: object) -> str:
        metadata = {"title": title, "publisher": portal_agency, **more}
        made = portal.catalogue.create_dataset(COMMAND_LINE, metadata)
        portal.catalogue.publish_dataset(COMMAND_LINE, made.id)
        runner.run_waiting()
        return made.id

    return make


def found(portal, text: str, **chosen: str) -> list[str]:
    pairs = [("q", text), *chosen.items()]
    results = portal.catalogue_search.search(VISITOR, read_form(pairs), "vi")
    return [item.id for item in results.items]


def test_an_index_in_step_is_equal_and_every_difference_is_named(portal, publish):
    one, two, three = (publish(f"Bộ dữ liệu {n}") for n in range(3))
    assert compare_index(portal.database, portal.search).is_equal
    with portal.database.bookkeeping() as unit:
        unit.session.execute(delete(Dataset).where(Dataset.id == one))
        unit.session.execute(update(Dataset).where(Dataset.id == two).values(download_count=99))
    portal.search.index([], [three], portal.search.position() or 0)
    seen = compare_index(portal.database, portal.search)
    assert (seen.surplus, seen.different, seen.missing) == ((one,), (two,), (three,))
    assert not seen.is_equal
    assert all(name in str(seen) for name in (one, two, three))


def test_what_waits_in_the_outbox_is_on_its_way_and_no_difference(portal, portal_agency):
    portal.catalogue.create_dataset(COMMAND_LINE, {"title": "Chờ", "publisher": portal_agency})
    seen = compare_index(portal.database, portal.search)
    assert (seen.is_equal, seen.waiting) == (True, 1)


def broken(portal) -> None:
    folder = Path(portal.settings.search_url.partition("://")[2])
    for path in folder.glob("generation-*/*.seg"):
        path.write_bytes(b"x" * 100)
    (folder / "CURRENT").touch()
    portal.search.close()


@pytest.mark.parametrize("damage", ["broken", "lost"])
def test_without_an_index_the_database_answers_and_says_so(portal, publish, portal_agency, damage, client):
    rain = publish("Lượng mưa năm 2020", keywords=["khí tượng"])
    publish("Dân số")
    draft = portal.catalogue.create_dataset(
        COMMAND_LINE, {"title": "Lượng mưa nháp", "publisher": portal_agency}
    )
    if damage == "broken":
        broken(portal)
    else:
        shutil.rmtree(portal.settings.search_url.partition("://")[2])
    results = portal.catalogue_search.search(VISITOR, read_form([("q", "luong mua")]), "vi")
    assert results.is_plain
    assert [item.id for item in results.items] == [rain]
    assert dict(results.facets)["publisher"][0].count == 1
    assert found(portal, "khí tượng") == [rain]
    assert found(portal, "khi tuong", publisher="NOSUCH") == []
    assert found(portal, "muaxyz") == []
    everyone = portal.catalogue_search.search(COMMAND_LINE, read_form([("q", "mưa")]), "vi")
    assert {item.id for item in everyone.items} == {rain, draft.id}
    answer = client.get("/api/v1/datasets?q=luong+mua").get_json()
    assert (answer["degraded"], answer["total"]) == (True, 1)
    assert "nguyên từ" in client.get("/vi/datasets?q=luong+mua").text
    portal.indexing.rebuild()
    answer = client.get("/api/v1/datasets?q=luong+mua").get_json()
    assert ("degraded" in answer, answer["total"]) == (False, 1)


def replica_of(portal, tmp_path) -> tuple[SearchService, IndexFollower]:
    search = SearchService(f"tantivy://{tmp_path}/replica", INDEX_SCHEMA)
    indexing = IndexDatasets(portal.database, portal.indexing.builder, search)
    return search, IndexFollower(portal.database, search, indexing)


def test_a_second_index_follows_the_outbox_that_the_worker_has_done(portal, publish, tmp_path):
    publish("Một")
    search, follower = replica_of(portal, tmp_path)
    while follower.follow_once():
        pass
    assert search.count() == 1
    two = publish("Hai")
    assert follower.follow_once()
    assert not follower.follow_once()
    assert compare_index(portal.database, search).is_equal
    portal.catalogue.withdraw_dataset(COMMAND_LINE, two)
    assert follower.follow_once()  # rows that the worker has not done yet are followed as well
    assert search.position() == portal.search.position() + 1


def test_a_row_that_appears_below_one_seen_already_is_still_taken(portal, publish, tmp_path):
    one = publish("Một")
    search, follower = replica_of(portal, tmp_path)
    while follower.follow_once():
        pass
    search.index([], [one], (search.position() or 0) + 5)  # as if rows with higher ids had been first
    publish("Hai")
    assert follower.follow_once()
    assert search.count() == 1
    assert (search.position() or 0) >= (portal.search.position() or 0)


def test_a_follower_that_was_away_too_long_makes_its_index_again(portal, publish, tmp_path):
    publish("Một")
    search, follower = replica_of(portal, tmp_path)
    while follower.follow_once():
        pass
    for n in range(3):
        publish(f"Sau {n}")
    with portal.database.bookkeeping() as unit:
        last = portal.search.position()
        unit.session.execute(delete(OutboxRow).where(OutboxRow.id < last))
    assert follower.follow_once()
    assert search.count() == 4
    assert compare_index(portal.database, search).is_equal
