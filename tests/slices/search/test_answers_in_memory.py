"""Answers and completions kept in memory: what is asked again stays, others make room one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from opendata.search import service as service_module
from opendata.search.port import PUBLIC, IndexSchema, SearchDocument, SearchRequest, TextField
from opendata.search.service import SearchService

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYONE = frozenset({PUBLIC})


def document(number: int) -> SearchDocument:
    title = f"Trường học {number}"
    return SearchDocument(f"d{number}", (PUBLIC,), {"title": title}, suggestions=(title,))


@pytest.fixture
def service(tmp_path, monkeypatch) -> Iterator[SearchService]:
    monkeypatch.setattr(service_module, "_MOST_ANSWERS", 3)
    monkeypatch.setattr(service_module, "_MOST_COMPLETED", 3)
    monkeypatch.setattr(service_module, "_COSTLY_SECONDS", 0.0)
    made = SearchService(f"tantivy://{tmp_path}/index", IndexSchema((TextField("title"),)))
    made.rebuild(map(document, range(9)), 1)
    yield made
    made.close()


def test_a_full_table_forgets_the_oldest_only(service):
    def ask(number: int):
        return service.search(SearchRequest(access=EVERYONE, text=f"học {number}", exact_text=True)).hits

    first, second, third = ask(1), ask(2), ask(3)
    assert ask(1) is first
    ask(4)
    assert ask(1) is first
    assert ask(3) is third
    again = ask(2)
    assert again is not second
    assert again == second


def test_a_change_of_the_index_ends_them_all(service):
    request = SearchRequest(access=EVERYONE, text="học")
    assert service.search(request).total == 9
    service.index([document(9)], [], 2)
    assert service.search(request).total == 10


def test_completions_are_the_same_from_memory_and_after_others(service):
    typed = [f"truong hoc {number}" for number in range(9)]
    fresh = [service.suggest(text, 5, EVERYONE) for text in typed]
    assert fresh == [[f"Trường học {number}"] for number in range(9)]
    assert [service.suggest(text, 5, EVERYONE) for text in reversed(typed)] == fresh[::-1]
    fresh[-1].append("không phải của bảng")
    assert service.suggest(typed[-1], 5, EVERYONE) == ["Trường học 8"]
