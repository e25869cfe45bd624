"""Search as the rest of the portal uses it: one object that parses, asks the engine, marks and corrects.

Made once per process in wiring from `OPENDATA_SEARCH_URL` and the catalogue's schema; pages, the API and
the command line ask it, the worker writes through it. The index is a cache of the database: whoever owns
the documents looks at `status()` when starting, calls `rebuild` unless it is ready, and otherwise indexes
what came after `position()`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from opendata.search.completion import complete
from opendata.search.engines import open_engine
from opendata.search.highlight import Highlighter
from opendata.search.parsing import Parser
from opendata.search.port import (
    Found,
    Hit,
    IndexSchema,
    IndexState,
    Match,
    SearchRequest,
    SearchResponse,
    Segment,
)
from opendata.search.preparing import prepared
from opendata.search.suggest import correct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opendata.search.port import Indexable, PreparedDocument
    from opendata.search.preparing import OpenSource
    from opendata.search.query import Query


@dataclass(frozen=True, slots=True)
class SearchStatus:
    """`position` and `count` are None unless the index is ready."""

    engine: str
    state: IndexState
    position: int | None
    count: int | None


class SearchService:
    """`aliases` maps a name to its other names, each of which finds all: {"UBND": ("Ủy ban nhân dân",)}."""

    def __init__(
        self, engine_url: str, schema: IndexSchema, aliases: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._name = engine_url.partition(":")[0]
        self._schema = schema
        self._engine = open_engine(engine_url, schema)
        self._parser = Parser(aliases)

    def search(self, request: SearchRequest) -> SearchResponse:
        """Never fails for what was typed. IndexUnusableError; ValueError for names the schema lacks."""
        started = time.perf_counter()
        request.check(self._schema)
        query = self._parser.parse(request.text)
        found, relaxed = self._find(request, query)
        highlighter = Highlighter(query)
        hits = tuple(_hit(match, highlighter, request.highlight) for match in found.matches)
        suggestion = None
        if query.is_plain and not request.offset:
            suggestion = correct(
                self._engine,
                self._parser,
                request,
                found=highlighter.found_words(),
                found_nothing=relaxed or not found.total,
            )
        took = time.perf_counter() - started
        return SearchResponse(
            found.total, hits, found.facets, suggestion, relaxed, took, found.lines, found.more
        )

    def scan(self, request: SearchRequest) -> tuple[int, Iterator[Match]]:
        """The total and the first `request.limit` hits, read one by one from the index as it is now.

        For long lists: nothing is marked, counted or grouped. The same documents in the same order as `search`.
        """
        request.check(self._schema)
        query = self._parser.parse(request.text)
        total, matches = self._engine.scan(request, query)
        relaxed = query.relaxed()
        if total or relaxed is None or (request.is_narrowed and self._matches_unfiltered(request, query)):
            return total, matches
        return self._engine.scan(request, relaxed)

    def suggest(self, text: str, limit: int, access: frozenset[str]) -> list[str]:
        """Lines that complete what is being typed, best first."""
        return complete(self._engine, text, limit, access)

    def index(self, upserts: Iterable[Indexable], deletes: Iterable[str], position: int) -> None:
        """Writes one batch; seen by every process at its next search. IndexBusyError, IndexUnusableError.

        Doing the same batch twice changes nothing. A missing index is rebuilt first, not begun with a batch.
        """
        self._engine.apply(upserts, deletes, position)

    def rebuild(self, documents: Iterable[Indexable], position: int) -> int:
        """A fresh index of all documents as of `position`, swapped in when whole; the number indexed.

        The old index answers meanwhile. What is written to it during the rebuild has to be written again
        (from `position` on), which `position()` then says. IndexBusyError while another rebuild runs.
        """
        return self._engine.rebuild(documents, position)

    def prepared(
        self, open_source: OpenSource, chunks: Iterable[Sequence[str]], children: int
    ) -> Iterator[PreparedDocument]:
        """Documents for `index` and `rebuild`, made by other processes: see `preparing.prepared`."""
        return prepared(self._schema, open_source, chunks, children)

    def position(self) -> int | None:
        return self._engine.position()

    def count(self) -> int:
        return self._engine.count()

    def status(self) -> SearchStatus:
        """Raises nothing."""
        state = self._engine.state()
        if state is not IndexState.READY:
            return SearchStatus(self._name, state, None, None)
        return SearchStatus(self._name, state, self._engine.position(), self._engine.count())

    def close(self) -> None:
        self._engine.close()

    def _find(self, request: SearchRequest, query: Query) -> tuple[Found, bool]:
        """What matches; if even without filters nothing does, what holds any of the words."""
        found = self._engine.search(request, query)
        relaxed = query.relaxed()
        if (
            found.total
            or relaxed is None
            or (request.is_narrowed and self._matches_unfiltered(request, query))
        ):
            return found, False
        loosely = self._engine.search(request, relaxed)
        return loosely, loosely.total > 0

    def _matches_unfiltered(self, request: SearchRequest, query: Query) -> bool:
        return (
            self._engine.search(
                replace(request, filters={}, ranges={}, facets={}, group=None, limit=0), query
            ).total
            > 0
        )


def _hit(match: Match, highlighter: Highlighter, wanted: Mapping[str, int]) -> Hit:
    snippets: dict[str, tuple[Segment, ...]] = {}
    for name, length in wanted.items():
        text = match.texts.get(name, "")
        snippets[name] = highlighter.fragment(text, length) if length else highlighter.whole(text)
    return Hit(match.id, match.score, match.stored, snippets, match.group)
