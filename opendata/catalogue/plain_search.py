"""The search that answers while the index cannot: a walk through the database, newest datasets first.

Used by `CatalogueSearch` when the index is missing, damaged or written for another version, until the worker has made
it again. It knows whole words of titles and keywords, with or without diacritics, every filter and every right;
no ranking, correction or marks. It stops after a time, so its totals are "at least", and the answer says so.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from opendata.catalogue.models import Dataset
from opendata.catalogue.policy import document_tokens
from opendata.kernel.text import fold
from opendata.search.analysis import chunks
from opendata.search.port import Hit, Marked, SearchResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from opendata.catalogue.documents import DocumentBuilder
    from opendata.kernel.db import Database
    from opendata.search.port import Counts, SearchDocument, SearchRequest

BUDGET_SECONDS: Final = 1.5
MOST_FOUND: Final = 2000
_CHUNK: Final = 200


class PlainSearch:
    def __init__(
        self, database: Database, builder: DocumentBuilder, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._builder = builder
        self._clock = clock

    def search(self, request: SearchRequest) -> SearchResponse:
        """Like SearchService.search, without grouping and suggestion; `total` counts what was seen in time."""
        started = self._clock()
        wanted = [word for chunk in chunks(request.text) for word in chunk.folded]
        found: list[SearchDocument] = []
        with self._database.reading() as session:
            for documents in self._visible(session, request, wanted):
                found += [document for document in documents if _passes(document, request)]
                if self._clock() - started > BUDGET_SECONDS or len(found) >= MOST_FOUND:
                    break
        page = _ordered(found, request)[request.offset : request.offset + request.limit]
        return SearchResponse(
            total=len(found),
            hits=tuple(_hit(document, request) for document in page),
            facets={name: _counts(found, name, limit) for name, limit in request.facets.items()},
            took_seconds=self._clock() - started,
            lines=len(found),
            more=request.offset + len(page) < len(found),
        )

    def _visible(
        self, session: Session, request: SearchRequest, wanted: Sequence[str]
    ) -> Iterator[list[SearchDocument]]:
        """Chunk by chunk, the documents of those that hold all words wanted."""
        chosen = select(Dataset).order_by(Dataset.modified_at.desc(), Dataset.id)
        for datasets in session.scalars(chosen.execution_options(yield_per=_CHUNK)).partitions():
            ids = [
                dataset.id
                for dataset in datasets
                if request.access.intersection(document_tokens(dataset)) and _holds(dataset, wanted)
            ]
            yield self._builder.build(session, ids) if ids else []


def _holds(dataset: Dataset, wanted: Sequence[str]) -> bool:
    if not wanted:
        return True
    fields = dataset.fields
    text = " ".join((*fields.get("title", {}).values(), *fields.get("keywords", ())))
    folded = fold(text)
    if not all(word[:-1] in folded for word in wanted):  # a last i may be written y
        return False
    held = {word for chunk in chunks(text) for word in chunk.folded}
    return held.issuperset(wanted)


def _passes(document: SearchDocument, request: SearchRequest) -> bool:
    return all(
        not set(values).isdisjoint(document.facets.get(name, ())) for name, values in request.filters.items()
    ) and all(asked.holds(document.numbers.get(name)) for name, asked in request.ranges.items())


def _ordered(found: list[SearchDocument], request: SearchRequest) -> list[SearchDocument]:
    sort = request.sort
    if sort is None:
        return found
    valued = [one for one in found if sort.name in one.numbers or sort.name in one.sort_keys]
    if any(sort.name in one.numbers for one in valued):
        valued.sort(key=lambda one: one.numbers[sort.name], reverse=sort.descending)
    else:
        valued.sort(key=lambda one: one.sort_keys[sort.name], reverse=sort.descending)
    placed = {one.id for one in valued}
    return [*valued, *(one for one in found if one.id not in placed)]


def _counts(found: Sequence[SearchDocument], facet: str, limit: int) -> Counts:
    counted = Counter(value for document in found for value in set(document.facets.get(facet, ())))
    return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:limit])


def _hit(document: SearchDocument, request: SearchRequest) -> Hit:
    snippets = {
        name: Marked(text[:length] if length else text)
        for name, length in request.highlight.items()
        if (text := document.texts.get(name) or document.texts.get(request.instead.get(name, "")))
    }
    return Hit(document.id, 0.0, document.stored, snippets)
