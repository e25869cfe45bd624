"""Search as the rest of the portal uses it: one object that parses, asks the engine, marks and corrects.

Made once per process in wiring from `OPENDATA_SEARCH_URL` and the catalogue's schema; pages, the API and
the command line ask it, the worker writes through it. The index is a cache of the database: whoever owns
the documents looks at `status()` when starting, calls `rebuild` unless it is ready, and otherwise indexes
what came after `position()`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from opendata.kernel.recent import MostRecent
from opendata.search.completion import complete
from opendata.search.engines import open_engine
from opendata.search.highlight import Highlighter
from opendata.search.likeness import query_for_similar
from opendata.search.parsing import Parser
from opendata.search.port import (
    Found,
    Hit,
    IndexSchema,
    IndexState,
    Match,
    SearchRequest,
    SearchResponse,
)
from opendata.search.suggest import correct, holds_more, is_mistyped

if TYPE_CHECKING:
    import threading
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from opendata.search.port import Contribution, Upserts
    from opendata.search.query import Query

_COMPLETED_SECONDS: Final = 2.0
_COSTLY_SECONDS: Final = 0.01
_MOST_COMPLETED: Final = 512
_MOST_ANSWERS: Final = 350
_LONGEST_ANSWER: Final = 50  # hits, of about 2 KB each


@dataclass(frozen=True, slots=True)
class SearchStatus:
    """`position` and `count` are None unless the index is ready."""

    engine: str
    state: IndexState
    position: int | None
    count: int | None


@dataclass(frozen=True, slots=True)
class _Answer:
    found: Found
    hits: tuple[Hit, ...]
    relaxed: bool = False
    marked: AbstractSet[str] = frozenset()
    """The folded words of the query that were seen in the hits."""
    suggestion: str | None = None
    shown_for: str | None = None

    @property
    def found_nothing(self) -> bool:
        """Nothing, or nothing that holds enough of the words."""
        return self.relaxed or not self.found.total


@dataclass(frozen=True, slots=True)
class _Kept:
    """A response, and the moment it was last known to hold.

    It holds as long as what `queries` find of `about` has the same `grounds`. `mistyped`: the request of which a word
    was in no document at all, so that another line is shown; as long as that is so.
    """

    response: SearchResponse
    moment: Hashable
    about: SearchRequest
    queries: tuple[Query, ...]
    mistyped: SearchRequest | None = None
    grounds: tuple[Hashable | None, ...] = ()

    @property
    def stands_alone(self) -> bool:
        """Whether it is what one query found."""
        return len(self.queries) == 1 and self.response.total > 0


@dataclass(frozen=True, slots=True)
class _Completed:
    lines: tuple[str, ...]
    position: int | None
    at: float


class SearchService:
    """`parser` reads what is typed; without one a line holds words, phrases and no aliases."""

    def __init__(self, engine_url: str, schema: IndexSchema, parser: Parser | None = None) -> None:
        self._name = engine_url.partition(":")[0]
        self._schema = schema
        self._engine = open_engine(engine_url, schema)
        self._parser = parser or Parser()
        self._answers: MostRecent[Hashable, _Kept] = MostRecent(_MOST_ANSWERS)
        self._completed = MostRecent[tuple[str, int, frozenset[str]], _Completed](_MOST_COMPLETED)

    def search(self, request: SearchRequest) -> SearchResponse:
        """Never fails for what was typed. IndexUnusableError; ValueError for names the schema lacks.

        What many ask (the first page without words, a subject of the day) is answered once as long as no
        change of the index concerns it.
        """
        started = time.perf_counter()
        asked = _named(request)
        moment = self._engine.moment()
        kept = self._answers.get(asked)
        if kept is None or kept.moment != moment:
            kept = self._holding(kept, moment) or self._again(kept, moment) or self._made(request, moment)
            if request.limit <= _LONGEST_ANSWER:
                self._answers.put(asked, kept)
        return replace(kept.response, took_seconds=time.perf_counter() - started)

    def _holding(self, kept: _Kept | None, moment: Hashable) -> _Kept | None:
        """An earlier answer where nothing that it rests on has changed since."""
        if kept is None or None in kept.grounds or self._grounds(kept) != kept.grounds:
            return None
        return replace(kept, moment=moment)

    def _grounds(self, kept: _Kept) -> tuple[Hashable | None, ...]:
        found = tuple(self._engine.grounds(kept.about, query) for query in kept.queries)
        return (*found, self._is_still_mistyped(kept))

    def _is_still_mistyped(self, kept: _Kept) -> bool:
        if kept.mistyped is None:
            return False
        return is_mistyped(self._engine, self._parser, kept.mistyped, self._parser.parse(kept.mistyped.text))

    def _again(self, kept: _Kept | None, moment: Hashable) -> _Kept | None:
        """An earlier answer brought up to date: only hits that are new to it are marked.

        None where it rests on more than what one query finds. Whether another correction has become the likelier
        one, or one is needed since the last document with a word has gone, is looked at when the answer is made anew.
        """
        if kept is None or not kept.stands_alone or bool(kept.mistyped) != self._is_still_mistyped(kept):
            return None
        (query,) = kept.queries
        found = self._engine.search(kept.about, query)
        if not found.total:
            return None
        before = kept.response
        hits = _hits(found.matches, Highlighter(query), kept.about, before.hits)
        answer = _Answer(found, hits, suggestion=before.suggestion, shown_for=before.shown_for)
        return self._rested(
            replace(kept, response=replace(_response(answer), after=before.made), moment=moment)
        )

    def _made(self, request: SearchRequest, moment: Hashable) -> _Kept:
        """What one query found rests on what it matches; any other answer on what has any of the words."""
        request.check(self._schema)
        query = self._parser.parse(request.text)
        answer = self._answer(request, query)
        meant = self._parser.parse(answer.suggestion) if answer.suggestion else query
        made = _Kept(_response(answer), moment, request, (query,))
        if answer.shown_for and is_mistyped(self._engine, self._parser, request, query):
            shown = replace(request, text=answer.shown_for)
            made = replace(made, about=shown, queries=(meant,), mistyped=request)
        elif answer.relaxed or answer.suggestion:
            queries = (query.relaxed() or query, meant.relaxed() or meant)
            made = replace(made, about=replace(request, ranges={}), queries=queries)
        return self._rested(made)

    def _rested(self, made: _Kept) -> _Kept:
        """With what it rests on, which nobody knows of an answer begun before a change and ended after it."""
        grounds = self._grounds(made)
        grounds = grounds if self._engine.moment() == made.moment else (None,)
        return _Kept(made.response, made.moment, made.about, made.queries, made.mistyped, grounds)

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

    def explain(
        self, response: SearchResponse, request: SearchRequest
    ) -> dict[str, tuple[Contribution, ...]]:
        """Why each hit of the answer to `request` stands where it does: what adds to its score, most first.

        Costs about a search for each word and hit, so it is for people who tend the catalogue.
        """
        query = self._parser.parse(response.shown_for or request.text)
        return {hit.id: self._engine.explain(hit.id, query) for hit in response.hits}

    def similar(self, document_id: str, access: frozenset[str], limit: int) -> tuple[Hit, ...]:
        """Documents that share what is characteristic of this one, most alike first; only visible ones.

        Empty where the document itself is not visible.
        """
        document = self._engine.document(document_id, access)
        query = query_for_similar(self._engine, self._schema, document.kept.texts) if document else None
        if query is None:
            return ()
        found = self._engine.search(SearchRequest(access=access, limit=limit + 1), query)
        others = [match for match in found.matches if match.id != document_id][:limit]
        return tuple(Hit(match.id, match.score, match.kept.stored, {}) for match in others)

    def suggest(self, text: str, limit: int, access: frozenset[str]) -> list[str]:
        """Lines that complete what is being typed, best first.

        One letter of a large catalogue costs a walk through a sixth of its lines: such an answer holds as long as
        the index does not change, and for two seconds in any case, the time a change may take to be seen.
        """
        key = (text, limit, access)
        position, now = self._engine.position(), time.monotonic()
        known = self._completed.get(key)
        if known is not None and (known.position == position or now - known.at < _COMPLETED_SECONDS):
            return list(known.lines)
        spent = time.thread_time()
        lines = complete(self._engine, text, limit, access)
        if time.thread_time() - spent > _COSTLY_SECONDS:
            self._completed.put(key, _Completed(tuple(lines), position, now))
        return lines

    def index(self, upserts: Upserts, deletes: Iterable[str], position: int) -> None:
        """Writes one batch; seen by every process at its next search. IndexBusyError, IndexUnusableError.

        Doing the same batch twice changes nothing. A missing index is rebuilt first, not begun with a batch.
        """
        self._engine.apply(upserts, deletes, position)

    def rebuild(self, documents: Upserts, position: int) -> int:
        """A fresh index of all documents as of `position`, swapped in when whole; the number indexed.

        The old index answers meanwhile. What is written to it during the rebuild has to be written again
        (from `position` on), which `position()` then says. IndexBusyError while another rebuild runs.
        """
        return self._engine.rebuild(documents, position)

    def tidy(self, stopping: threading.Event) -> bool:
        """Joins small parts of the index beside those who write, see the port; whether there may be more to do.

        IndexBusyError where another process is at it; PreparingError.
        """
        return self._engine.tidy(stopping)

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

    def _answer(self, request: SearchRequest, query: Query) -> _Answer:
        """For the words as typed, or for a better spelling where that serves better.

        Of a line with a word that no document holds only a number is asked for first: its hits are rarely shown.
        """
        typed = None
        if request.exact_text or not is_mistyped(self._engine, self._parser, request, query):
            typed = self._shown(request, query)
        counted = typed or self._shown(replace(request, limit=0, offset=0, facets={}, group=None), query)
        suggestion = correct(
            self._engine,
            self._parser,
            request,
            query,
            found=counted.marked,
            found_nothing=counted.found_nothing,
        )
        if suggestion and not request.exact_text:
            meant = self._meant(request, query, suggestion, found_nothing=counted.found_nothing)
            if meant is not None:
                return meant
        return replace(typed or self._shown(request, query), suggestion=suggestion)

    def _meant(
        self, request: SearchRequest, query: Query, suggestion: str, *, found_nothing: bool
    ) -> _Answer | None:
        """The answer for the better spelling where it serves better than the one for the words as typed.

        With hits for the typed words a correction concerns only words that no visible document holds.
        """
        meant = self._parser.parse(suggestion)
        if not found_nothing and not holds_more(self._engine, request, query, meant):
            return None
        answer = self._shown(replace(request, text=suggestion), meant)
        return None if answer.found_nothing else replace(answer, suggestion=suggestion, shown_for=suggestion)

    def _shown(self, request: SearchRequest, query: Query) -> _Answer:
        found, relaxed = self._find(request, query)
        highlighter = Highlighter(query)
        hits = _hits(found.matches, highlighter, request)
        return _Answer(found, hits, relaxed, highlighter.found_words())

    def _find(self, request: SearchRequest, query: Query) -> tuple[Found, bool]:
        """What matches; if even without filters nothing does, what holds any of the words."""
        found = self._engine.search(request, query)
        relaxed = None if found.total else query.relaxed()
        if relaxed is None or (request.is_narrowed and self._matches_unfiltered(request, query)):
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


def _response(answer: _Answer) -> SearchResponse:
    found = answer.found
    return SearchResponse(
        total=found.total,
        hits=answer.hits,
        facets=found.facets,
        suggestion=answer.suggestion,
        shown_for=answer.shown_for,
        relaxed=answer.relaxed,
        lines=found.lines,
        more=found.more,
    )


def _named(request: SearchRequest) -> Hashable:
    """Equal for equal requests only. Filters in another order count as another request."""
    return (
        request.access,
        request.text,
        request.exact_text,
        tuple(request.filters.items()),
        tuple(request.ranges.items()),
        request.group,
        request.sort,
        request.offset,
        request.limit,
        tuple(request.facets.items()),
        tuple(request.highlight.items()),
        tuple(request.instead.items()),
    )


def _hits(
    matches: Sequence[Match], highlighter: Highlighter, request: SearchRequest, before: Iterable[Hit] = ()
) -> tuple[Hit, ...]:
    """The texts of all hits are marked at once, but for those of hits of an earlier answer to the same words."""
    known = {hit.id: hit for hit in before}
    fresh = [match for match in matches if not _is_same(known.get(match.id), match)]
    shown = [(name, request.instead.get(name, ""), length) for name, length in request.highlight.items()]
    texts = [
        (held.get(name) or held.get(instead, ""), length)
        for held in [match.kept.texts for match in fresh]
        for name, instead, length in shown
    ]
    marked = iter(highlighter.marked(texts) if texts else ())
    for match in fresh:
        snippets = {name: next(marked) for name in request.highlight}
        kept = match.kept
        known[match.id] = Hit(match.id, match.score, kept.stored, snippets, match.group, kept.content)
    return tuple(known[match.id] for match in matches)


def _is_same(hit: Hit | None, match: Match) -> bool:
    return (
        hit is not None
        and hit.content == match.kept.content
        and hit.score == match.score
        and hit.group == match.group
    )
