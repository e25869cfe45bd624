"""Batches, positions, rebuilding, and an index that is missing, outdated or damaged."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from opendata.search.port import (
    IndexBusyError,
    IndexState,
    IndexUnusableError,
    SearchRequest,
    Sort,
    TextField,
)
from opendata.search.service import SearchService

from .conftest import EVERYONE, SCHEMA, catalogue, document, ids

if TYPE_CHECKING:
    from opendata.search.folder import FolderEngine


@pytest.fixture
def begun(service: SearchService) -> SearchService:
    """An index of nothing."""
    service.rebuild([], position=0)
    return service


def everything(service: SearchService) -> list[str]:
    response = service.search(SearchRequest(access=EVERYONE, limit=1000))
    assert response.total == len(response.hits) == service.count()
    return sorted(ids(response))


def folder_of(url: str) -> Path:
    return Path(url.partition("://")[2])


def generation_of(url: str) -> Path:
    return folder_of(url) / (folder_of(url) / "CURRENT").read_text()


def test_a_missing_index_answers_as_an_empty_one_and_writes_nothing(service, url):
    response = service.search(SearchRequest(access=EVERYONE, text="dân số", facets={"theme": 5}))
    assert (response.total, response.hits, response.facets) == (0, (), {"theme": ()})
    assert service.suggest("dân", 5, EVERYONE) == []
    assert (service.position(), service.count()) == (None, 0)
    assert service.status().state is IndexState.MISSING
    assert not folder_of(url).exists()


@pytest.mark.parametrize("sort", [None, Sort("modified"), Sort("title")])
def test_an_index_of_nothing_answers_in_any_order(begun, sort):
    response = begun.search(SearchRequest(access=EVERYONE, sort=sort, facets={"theme": 5}))
    assert (response.total, response.hits, response.facets) == (0, (), {"theme": ()})


def test_a_batch_does_not_begin_an_index_that_would_then_look_whole(service):
    with pytest.raises(IndexUnusableError) as caught:
        service.index([document("a", "Một")], [], position=12)
    assert caught.value.state is IndexState.MISSING
    assert service.status().state is IndexState.MISSING
    assert service.rebuild([document("a", "Một"), document("b", "Hai")], position=12) == 2
    assert everything(service) == ["a", "b"]
    status = service.status()
    assert (status.state, status.position, status.count) == (IndexState.READY, 12, 2)


def test_a_search_begun_after_a_commit_sees_it_however_soon(begun, url, monkeypatch):
    monkeypatch.setattr("opendata.search.folder._HOLDS_SECONDS", 60.0)
    reader = SearchService(url, SCHEMA)
    assert everything(reader) == []
    begun.index([document("a", "Một")], [], position=1)
    assert everything(reader) == ["a"]
    begun.index([document("b", "Hai")], [], position=2)
    assert reader.suggest("hai", 5, EVERYONE) == ["Hai"]
    begun.index([document("c", "Ba")], [], position=3)
    assert reader.position() == 3
    begun.rebuild([document("d", "Tư")], position=4)
    assert everything(reader) == ["d"]
    reader.close()


def test_tidying_changes_no_answer(begun):
    for position in range(1, 4):
        begun.index([document(f"d{position}", "Dân số")], [], position)
    while begun.tidy(threading.Event()):
        pass
    assert everything(begun) == ["d1", "d2", "d3"]
    assert begun.position() == 3


def test_a_batch_adds_replaces_and_removes_in_one_step(begun):
    begun.index([document("a", "Một"), document("b", "Hai")], [], position=1)
    begun.index([document("b", "Ba"), document("c", "Bốn")], ["a", "never-there"], position=2)
    assert everything(begun) == ["b", "c"]
    assert ids(begun.search(SearchRequest(access=EVERYONE, text="hai"))) == []
    assert ids(begun.search(SearchRequest(access=EVERYONE, text="ba"))) == ["b"]
    assert begun.position() == 2


def test_the_same_batch_twice_changes_nothing(begun):
    for _ in range(3):
        begun.index([document("a", "Một"), document("b", "Hai")], ["gone"], position=5)
        assert everything(begun) == ["a", "b"]
        assert begun.position() == 5


def test_the_last_of_two_documents_with_one_id_stays(begun):
    for write in (lambda both: begun.index(both, [], 1), lambda both: begun.rebuild(both, 1)):
        write([document("a", "Một"), document("a", "Hai")])
        assert everything(begun) == ["a"]
        assert ids(begun.search(SearchRequest(access=EVERYONE, text="hai"))) == ["a"]


def test_a_document_both_removed_and_written_stays(begun):
    begun.index([document("a", "Một")], [], 1)
    begun.index([document("a", "Hai")], ["a"], 2)
    assert everything(begun) == ["a"]


def test_an_empty_batch_moves_the_position(begun):
    begun.index([], [], 3)
    begun.index([], [], 4)
    assert (begun.position(), begun.count()) == (4, 0)


def test_many_small_commits_repeat_no_document(begun):
    """A refreshed Whoosh searcher repeats documents of merged segments."""
    for number in range(15):
        begun.index(
            [document(f"d{number}", f"Bộ số {number}"), document("same", f"Lần {number}")], [], number
        )
        assert begun.search(SearchRequest(access=EVERYONE, text="bộ số")).total == number + 1
    assert everything(begun) == sorted([*(f"d{number}" for number in range(15)), "same"])


def test_a_wrong_document_leaves_the_index_as_it_was(begun):
    begun.index([document("a", "Một")], [], 1)
    wrong = replace(document("b", "Hai"), facets={"colour": ("red",)})
    for write in (begun.index, lambda documents, _, position: begun.rebuild(documents, position)):
        with pytest.raises(ValueError, match="colour"):
            write([document("c", "Ba"), wrong], [], 2)
        assert everything(begun) == ["a"]
        assert begun.position() == 1
    with pytest.raises(ValueError, match="cannot be a document's id"):
        begun.index([document("\x00position", "Hai")], [], 2)
    begun.index([document("b", "Bốn")], [], 2)
    assert everything(begun) == ["a", "b"]


def test_a_rebuild_replaces_everything_and_leaves_no_old_files(begun, url):
    begun.index([document("old", "Cũ")], [], 9)
    assert begun.rebuild(catalogue(), 4) == len(catalogue())
    assert everything(begun) == sorted(each.id for each in catalogue())
    assert begun.position() == 4
    assert len(list(folder_of(url).glob("generation-*"))) == 1


def test_a_rebuild_that_fails_half_way_leaves_the_old_index(begun, url):
    begun.index([document("old", "Cũ")], [], 9)

    def documents():
        yield document("new", "Mới")
        raise OSError("the database went away")

    with pytest.raises(OSError, match="went away"):
        begun.rebuild(documents(), 10)
    assert everything(begun) == ["old"]
    assert begun.position() == 9
    assert len(list(folder_of(url).glob("generation-*"))) == 1


def test_readers_meet_no_empty_moment_while_the_index_is_replaced(service, url):
    service.rebuild(catalogue(), 1)
    reader = SearchService(url, SCHEMA)
    seen: list[int] = []
    failed: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                seen.append(reader.search(SearchRequest(access=EVERYONE, text="kim ngạch")).total)
        except BaseException as error:
            failed.append(error)
            raise

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    try:
        for number in range(6):
            service.rebuild(catalogue(), number)
            service.index([document("more", "Kim ngạch")], [], number)
            service.index([], ["more"], number)
    finally:
        done.set()
        for thread in readers:
            thread.join()
    assert not failed
    assert seen
    assert set(seen) <= {2, 3}


def test_one_writer_at_a_time_and_the_second_is_told(service, url):
    service.rebuild(catalogue(), 1)
    other = SearchService(url, SCHEMA)
    cast("FolderEngine", other._engine)._lock_seconds = 0.1

    def writing_inside(write):
        write()
        yield document("never", "Không")

    with pytest.raises(IndexBusyError):
        service.index(writing_inside(lambda: other.index([], [], 99)), [], 2)
    with pytest.raises(IndexBusyError):
        service.rebuild(writing_inside(lambda: other.rebuild([], 99)), 2)
    assert (service.position(), service.count()) == (1, len(catalogue()))


def test_batches_are_written_while_a_rebuild_is_under_way_and_count_as_not_done(service, url):
    service.rebuild(catalogue(), 1)
    other = SearchService(url, SCHEMA)

    def documents():
        other.index([document("meanwhile", "Trong lúc đó")], [], 3)
        assert other.position() == 3
        yield from catalogue()

    service.rebuild(documents(), 2)
    assert service.position() == 2  # so what came after it is written again
    assert service.count() == len(catalogue())


def test_an_index_of_another_schema_is_outdated_until_rebuilt(service, url):
    service.rebuild(catalogue(), 3)
    changed = replace(SCHEMA, texts=(*SCHEMA.texts, TextField("columns")))
    for schema in (changed, replace(SCHEMA, version=2)):
        other = SearchService(url, schema)
        assert other.status().state is IndexState.OUTDATED
        for action in (
            lambda other=other: other.search(SearchRequest(access=EVERYONE)),
            lambda other=other: other.index([], [], 4),
            other.position,
            other.count,
        ):
            with pytest.raises(IndexUnusableError) as caught:
                action()
            assert caught.value.state is IndexState.OUTDATED
    assert service.count() == len(catalogue())  # the old code still reads it
    other.rebuild(catalogue(), 4)
    assert other.status().position == 4
    assert service.status().state is IndexState.OUTDATED


def test_every_damaged_file_is_noticed_when_the_index_is_opened(service, url):
    service.rebuild(catalogue(), 3)
    service.index([document("a", "Một")], ["y-te"], 4)
    service.close()
    checked = 0
    for file in sorted(generation_of(url).iterdir()):
        content = file.read_bytes()
        if not content or file.name.startswith(".") or "lock" in file.name.lower():
            continue
        for damaged in (content[: len(content) // 2], _flipped(content)):
            file.write_bytes(damaged)
            opened = SearchService(url, SCHEMA)
            assert opened.status().state is IndexState.DAMAGED, file.name
            with pytest.raises(IndexUnusableError):
                opened.search(SearchRequest(access=EVERYONE))
            checked += 1
        file.write_bytes(content)
    assert checked >= 4
    assert SearchService(url, SCHEMA).status().state is IndexState.READY


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def test_missing_files_are_damage_and_a_rebuild_repairs(service, url):
    service.rebuild(catalogue(), 3)
    for file in generation_of(url).iterdir():
        if file.suffix in {".idx", ".seg"}:
            file.unlink()
    opened = SearchService(url, SCHEMA)
    assert opened.status().state is IndexState.DAMAGED
    opened.rebuild(catalogue(), 5)
    assert opened.status().state is IndexState.READY
    assert everything(opened) == sorted(each.id for each in catalogue())


@pytest.mark.parametrize("address", ["", "tantivy://", "elastic:///x", "/just/a/path", "tantivy"])
def test_an_address_without_engine_or_folder_is_refused(address):
    with pytest.raises(ValueError, match="is not a search address"):
        SearchService(address, SCHEMA)


def test_what_is_asked_again_is_answered_once_until_the_index_changes(service):
    service.rebuild([document("one", "Dân số")], position=1)
    request = SearchRequest(access=EVERYONE, text="dân số", facets={"theme": 5})
    first = service.search(request)
    assert service.search(replace(request)).hits is first.hits
    hidden = service.search(replace(request, access=frozenset({"agency-9"})))
    assert (hidden.total, hidden.hits) == (0, ())
    service.index([document("two", "Dân số Huế")], [], position=2)
    assert sorted(ids(service.search(request))) == ["one", "two"]
    service.rebuild([document("three", "Dân số")], position=2)
    assert ids(service.search(request)) == ["three"]
