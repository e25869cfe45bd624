"""Rows of hits that stay are made once, however often the answers around them are brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from opendata.accounts.policy import VISITOR
from opendata.catalogue import search as catalogue_search
from opendata.catalogue.search import CatalogueSearch
from opendata.catalogue.search_form import DatasetSearchForm
from opendata.catalogue.vocabularies import load_vocabularies
from opendata.kernel.bundled import bundled
from opendata.search.port import Hit, SearchRequest, SearchResponse

if TYPE_CHECKING:
    import pytest

    from opendata.search.service import SearchService

STORED = {
    "slug": "gia-dat", "state": "published", "title": {"vi": "Giá đất"}, "summary": {}, "publisher": "BTC",
    "theme": None, "license": None, "frequency": None, "place": None, "formats": ["CSV"], "rows": 1,
    "columns": 2, "modified_at": "2025-01-02T03:04:05+00:00", "downloads": 0, "edition": {}, "series": "",
}  # fmt: skip


class Changing:
    """A search service of which every answer differs from the one before in its first hit only."""

    def __init__(self) -> None:
        self._last: dict[str, SearchResponse] = {}

    def search(self, request: SearchRequest) -> SearchResponse:
        last = self._last.get(request.text)
        stays = last.hits[1] if last else Hit(f"{request.text}-stays", 1.0, STORED, {})
        hits = (Hit(f"{request.text}-new", 2.0, STORED, {}), stays)
        answer = SearchResponse(total=2, hits=hits, after=last and last.made)
        self._last[request.text] = answer
        return answer


def test_rows_stay_while_answers_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_search, "_MOST_KNOWN", 3)
    changing = cast("SearchService", Changing())
    found = CatalogueSearch(changing, load_vocabularies(bundled("catalog_schemas")))
    forms = [DatasetSearchForm(text=text) for text in ("a", "b", "c")]
    first = [found.search(VISITOR, form, "vi").items for form in forms]
    assert [[row.id for row in rows] for rows in first] == [[f"{x}-new", f"{x}-stays"] for x in "abc"]
    for _ in range(4):
        for form, before in zip(forms, first, strict=True):
            items = found.search(VISITOR, form, "vi").items
            assert items[1] is before[1]
            assert items[0] is not before[0]
