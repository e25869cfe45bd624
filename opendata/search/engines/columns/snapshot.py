"""What a commit answers: each question is put to every segment, and what they say is added up."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from opendata.kernel.recent import MostRecent
from opendata.search.engines.columns.matching import flags_of
from opendata.search.engines.columns.ordering import Ordered, best, merged
from opendata.search.engines.columns.postings import gain_step
from opendata.search.engines.columns.told import (
    KEPT_FIRST,
    MOST_KEPT_FIRST,
    Asked,
    Told,
    asked_for,
    matched_in,
    packed,
    part_of,
    searched_in,
    told_by,
)
from opendata.search.engines.columns.weighing import Weighing
from opendata.search.engines.grouping import ArrayLines, Walk, array_lines, first_reach
from opendata.search.nearness import WordLists
from opendata.search.port import (
    Contribution,
    Counts,
    Found,
    Group,
    Grouping,
    IndexSchema,
    Match,
    SearchRequest,
    Vocabulary,
)
from opendata.search.query import HELD_BONUS, Query, Word, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from opendata.search.analysis import View
    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.query import Clause

_MOST_RIGHTS: Final = 64
# Where settled segments hold nearly all documents, they alone decide how rare a word is.
_NEARLY_ALL: Final = 15 / 16

_At = tuple[int, int]
"""The number of a segment and of a document in it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A segment in a commit: which of its documents are still there. `is_settled`: the next commit leaves it alone."""

    segment: Segment
    alive: Flags
    is_settled: bool


@dataclass(frozen=True, slots=True)
class _Values:
    """All values of some facets, facet by facet in order, and the number of the facet of each.

    `begins`: where those of each facet begin, and where the last ones end. `places`: for each segment where its own
    are among them.
    """

    values: Sequence[str]
    facets: Array
    begins: Sequence[int]
    places: Sequence[Array]

    @classmethod
    def of(cls, segments: Sequence[Segment], facets: Sequence[str]) -> _Values:
        values: list[str] = []
        begins = [0]
        places: list[list[int]] = [[] for _ in segments]
        for name in facets:
            lists = [segment.facets[name].values for segment in segments]
            own = sorted(set[str]().union(*lists))
            at = {value: place for place, value in enumerate(own, begins[-1])}
            for here, one in zip(places, lists, strict=True):
                here += [at[value] for value in one]
            values += own
            begins.append(len(values))
        numbers = np.repeat(np.arange(len(facets)), np.diff(begins))
        return cls(values, numbers, begins, [np.array(here, np.intp) for here in places])


class ColumnsSnapshot:
    """A Snapshot. Nothing in it changes but what it remembers, so threads may share it."""

    def __init__(self, schema: IndexSchema, held: Sequence[Held], position: int) -> None:
        self._held = tuple(held)
        self._segments = [one.segment for one in held]
        self.position = position
        self._alive = sum(int(np.count_nonzero(one.alive)) for one in held)
        settled = [one.segment for one in held if one.is_settled]
        is_settled = sum(one.count for one in settled) >= _NEARLY_ALL * max(1, self._alive)
        self._basis = tuple(one.name for one in settled) if is_settled else ()
        self._counted = sum(one.count for one in settled) if self._basis else self._alive
        self._telling = [not self._basis or one.is_settled for one in held]
        self._gone = [None if one.alive.all() else packed(~one.alive) for one in held]
        self._boosts = tuple(schema.boosts())
        self._step = gain_step(self._boosts)
        self._visible: MostRecent[frozenset[str], list[Flags]] = MostRecent(_MOST_RIGHTS)
        self._lost: MostRecent[frozenset[str], list[Flags | None]] = MostRecent(_MOST_RIGHTS)
        self._values: dict[tuple[str, ...], _Values] = {}

    def count(self) -> int:
        return self._alive

    def search(self, request: SearchRequest, query: Query) -> Found:
        reach = request.offset + request.limit
        told = self._told(request, query, first_reach(reach) if request.group else reach)
        total = sum(one.count for one in told)
        facets = self._facets(told, request)
        if request.group is None:
            ordered = self._merged(told, request, reach)
            hits = tuple(self._matches(ordered, request.offset)) if request.limit else ()
            return Found(total, hits, facets, more=request.offset + len(hits) < total)

        def walk(count: int) -> Ordered:
            far = told if all(one.reaches(count) for one in told) else self._told(request, query, count)
            return self._merged(far, request, count)

        lines, keys, speaking = self._lines(walk, total, request, request.group)
        groups = self._groups(keys, told, request.group)
        grouped = tuple(
            match._replace(group=groups[line]) if line in groups else match
            for line, match in enumerate(speaking)
        )
        return Found(total, grouped, facets, lines.count, lines.more)

    def scan(self, request: SearchRequest, query: Query) -> tuple[int, Iterator[Match]]:
        weighing, parts = self._weighing(query), []
        for number, visible in enumerate(self._visible_to(request.access)):
            searched = searched_in(self._segments[number], request, query, visible)
            weighed = weighing.here(number) if request.sort is None else None
            parts.append(part_of(searched, query, weighed))
        ordered = best(parts, request.offset + request.limit, request.sort)
        return sum(part.found.count for part in parts), self._matches(ordered, request.offset)

    def grounds(self, request: SearchRequest, query: Query) -> Hashable | None:
        """Settled segments never change: of these only documents count that match and were deleted.

        None while so much is new that each commit changes how rare words are.
        """
        if not self._basis:
            return None
        lost, few, prints = [], 0, 0
        visible, gone = self._visible_to(request.access), self._lost_to(request.access)
        for held, there, deleted in zip(self._held, visible, gone, strict=True):
            if not held.is_settled:
                found = matched_in(held.segment, request, query, there).flags
                few += int(np.count_nonzero(found))
                prints ^= int(np.bitwise_xor.reduce(held.segment.prints[found]))
            elif deleted is not None:
                found = matched_in(held.segment, request, query, deleted).flags
                lost.append((held.segment.name, int(np.count_nonzero(found))))
        return self._basis, tuple(lost), few, prints

    def terms(
        self, vocabulary: Vocabulary, prefix: str, access: frozenset[str], limit: int
    ) -> list[tuple[str, int]]:
        if vocabulary is Vocabulary.WORDS:
            words = list({word for segment in self._segments for word, _ in segment.words(prefix)})
            counted = dict(zip(words, self.counts(list(map(Word, words)), access), strict=True))
        else:
            counted = self._suggestions(prefix, self._visible_to(access), limit)
        return _most(counted, limit)

    def words(self, first: str) -> WordLists:
        return WordLists([segment.word_list(first) for segment in self._segments])

    def counts(self, clauses: Sequence[Clause], access: frozenset[str]) -> list[int]:
        among = list(zip(self._segments, self._visible_to(access), strict=True))
        return [
            sum(int(np.count_nonzero(flags_of(segment, clause) & visible)) for segment, visible in among)
            for clause in clauses
        ]

    def lines(self, words: Sequence[str], access: frozenset[str], documents: int) -> list[str]:
        found: list[str] = []
        left = documents
        for segment, visible in zip(self._segments, self._visible_to(access), strict=True):
            holding = segment.lines_with(words, visible, left) if left else []
            for document in holding:
                found += segment.lines_of(document)
            left -= len(holding)
        return found

    def document(self, document_id: str, access: frozenset[str]) -> Match | None:
        at = self._at(document_id)
        if at is None or not self._visible_to(access)[at[0]][at[1]]:
            return None
        return self._match(at, 0.0)

    def frequencies(self, view: View, terms: Sequence[str]) -> list[int]:
        held = [0] * len(terms)
        for segment in self._segments:
            frequency = segment.words_of(view).frequency
            for place, term in enumerate(terms):
                number = segment.find(view, term)
                if number >= 0:
                    held[place] += frequency(number)
        return held

    def explain(self, document_id: str, query: Query) -> tuple[Contribution, ...]:
        """What a term gives is kept as one sum: it is told shared out by the boosts of the texts that hold it."""
        at = self._at(document_id)
        if at is None:
            return ()
        segment, document = self._segments[at[0]], at[1]
        lift = float(segment.lifts[document])
        parts = []
        for term in query.scored:
            for _, number, step in self._weighing(Query(scored=(term,))).here(at[0]):
                documents, gains, fields = segment.words_of(term.view).entries(number)
                for entry in np.flatnonzero(documents == document):
                    held = [boost for bit, boost in enumerate(self._boosts) if fields[entry] & (1 << bit)]
                    score = float(gains[entry]) * step * lift
                    parts += [
                        Contribution(str(term.view), boost, term.term, score * boost / sum(held))
                        for boost in held
                    ]
        parts += [
            Contribution("held", 1.0, words_of(clause), HELD_BONUS * lift)
            for clause in query.held
            if flags_of(segment, clause)[document]
        ]
        return tuple(sorted(parts, key=lambda part: -part.score))

    # What is asked, segment by segment

    def _visible_to(self, access: frozenset[str]) -> list[Flags]:
        known = self._visible.get(access)
        if known is None:
            known = [one.alive & one.segment.allowing(access) for one in self._held]
            self._visible.put(access, known)
        return known

    def _lost_to(self, access: frozenset[str]) -> list[Flags | None]:
        """What was deleted of what they could see, None where nothing was deleted."""
        known = self._lost.get(access)
        if known is None:
            known = [
                None if gone is None else ~one.alive & one.segment.allowing(access)
                for one, gone in zip(self._held, self._gone, strict=True)
            ]
            self._lost.put(access, known)
        return known

    def _told(self, request: SearchRequest, query: Query, count: int) -> list[Told]:
        """What each segment says; at least its first `count` documents come along.

        Settled segments are asked again only where something that matched was deleted since. What they say of
        scores rests on how rare words are, which settled segments alone decide (`_basis`).
        """
        asked = asked_for(request, query, self._basis)
        told = [self._kept(number, asked, count) for number in range(len(self._held))]
        if None not in told:
            return cast("list[Told]", told)
        weighing = self._weighing(query, next((one.steps for one in told if one and one.steps), ()))
        visible = self._visible_to(request.access)
        by_score = request.sort is None and count > 0

        def made(number: int) -> Told:
            keeps = bool(self._basis) and self._held[number].is_settled
            reach = max(count, KEPT_FIRST) if keeps and count else count
            searched = searched_in(self._segments[number], request, query, visible[number])
            one = told_by(searched, request, query, weighing if by_score else None, place=number, count=reach)
            if keeps and reach <= MOST_KEPT_FIRST:
                self._segments[number].told.put(asked, one)
            return one

        return [one or made(number) for number, one in enumerate(told)]

    def _kept(self, number: int, asked: Asked, count: int) -> Told | None:
        """What a segment said last time, where that still holds."""
        known = self._segments[number].told.get(asked)
        gone = self._gone[number]
        if known is None or not known.reaches(count) or (gone is not None and known.lost_some(gone)):
            return None
        return known

    def _merged(self, told: Sequence[Told], request: SearchRequest, count: int) -> Ordered:
        return merged(self._segments, [one.first.upto(count) for one in told], request.sort, count)

    def _weighing(self, query: Query, steps: tuple[float, ...] = ()) -> Weighing:
        return Weighing(self._segments, self._telling, self._counted, self._step, query.scored, steps)

    # What is answered

    def _facets(self, told: Sequence[Told], request: SearchRequest) -> dict[str, Counts]:
        names = tuple(request.facets)
        if not names:
            return {}
        known = self._values_of(names)
        totals = np.zeros(len(known.values), np.int64)
        for one, here in zip(told, known.places, strict=True):
            totals[here] += one.facets
        order = np.lexsort((-totals, known.facets))
        places, counts = order.tolist(), totals.take(order).tolist()
        facets = {}
        for name, begin, end in zip(names, known.begins, known.begins[1:], strict=False):
            last = min(end, begin + request.facets[name])
            counted = zip(places[begin:last], counts[begin:last], strict=True)
            shown = tuple([(known.values[place], count) for place, count in counted if count])
            chosen = request.filters.get(name)
            if chosen:
                held = dict(zip(known.values[begin:end], totals[begin:end].tolist(), strict=True))
                shown = _with_chosen(shown, held, chosen)
            facets[name] = shown
        return facets

    def _values_of(self, facets: tuple[str, ...]) -> _Values:
        known = self._values.get(facets)
        if known is None:
            known = self._values[facets] = _Values.of(self._segments, facets)
        return known

    def _matches(self, ordered: Ordered, offset: int) -> Iterator[Match]:
        found = zip(
            ordered.parts[offset:].tolist(),
            ordered.documents[offset:].tolist(),
            ordered.scores[offset:].tolist(),
            strict=True,
        )
        return (self._match((part, document), score) for part, document, score in found)

    def _match(self, at: _At, score: float) -> Match:
        segment = self._segments[at[0]]
        return Match(segment.id(at[1]), score, segment.kept(at[1]))

    def _lines(
        self, ranked: Callable[[int], Ordered], total: int, request: SearchRequest, group: Grouping
    ) -> tuple[ArrayLines, Array, list[Match]]:
        """The lines of a page, their keys (NaN for none), and what speaks for each."""
        walked: list[tuple[Ordered, Walk]] = []

        def walk(count: int) -> Walk:
            ordered = ranked(count)
            keys, editions = np.full(len(ordered.parts), np.nan), np.full(len(ordered.parts), np.nan)
            for number, segment in enumerate(self._segments):
                here = np.flatnonzero(ordered.parts == number)
                documents = ordered.documents[here]
                keys[here] = segment.arrays[f"number.{group.key}"][documents]
                editions[here] = segment.arrays[f"number.{group.edition}"][documents]
            walked.append((ordered, Walk(ordered.scores, keys, np.nan_to_num(editions))))
            return walked[-1][1]

        lines = array_lines(walk, total, request.offset, request.limit)
        ordered, hits = walked[-1]
        at = lines.shown
        matches = self._matches(Ordered(ordered.parts[at], ordered.documents[at], ordered.scores[at]), 0)
        return lines, hits.keys[at], list(matches)

    def _groups(self, keys: Array, told: Sequence[Told], group: Grouping) -> dict[int, Group]:
        """What the lines with these keys stand for that stand for more than one document, by their number."""
        members: dict[int, list[tuple[float, int, int]]] = {}
        for number, (segment, one) in enumerate(zip(self._segments, told, strict=True)):
            places, documents = segment.with_numbers(group.key, keys)
            seen = np.flatnonzero(one.holds(documents))
            documents = documents[seen]
            editions = np.nan_to_num(segment.arrays[f"number.{group.edition}"][documents], nan=-np.inf)
            rows = zip(places[seen].tolist(), (-editions).tolist(), documents.tolist(), strict=True)
            for line, edition, document in rows:
                members.setdefault(line, []).append((edition, number, document))
        return {
            line: Group(
                len(held),
                tuple(
                    self._segments[number].told_of(document, group.told)
                    for _, number, document in nsmallest(group.members, held)
                ),
            )
            for line, held in members.items()
            if len(held) > 1
        }

    def _at(self, document_id: str) -> _At | None:
        for number, one in enumerate(self._held):
            for document in one.segment.numbers_of([document_id]):
                if one.alive[document]:
                    return number, document
        return None

    def _suggestions(self, prefix: str, visible: Sequence[Flags], limit: int) -> dict[str, int]:
        """Of a short beginning only those lines are counted that are among the most frequent of some segment."""
        totals: dict[str, int] = {}
        for segment, flags in zip(self._segments, visible, strict=True):
            for line, count in zip(*segment.suggested(prefix, flags, limit + limit // 2), strict=True):
                totals[line] = totals.get(line, 0) + count
        return totals


def _most(counted: Mapping[str, int], limit: int) -> list[tuple[str, int]]:
    """Those of most documents, equal ones by name; what is in no document is left out."""
    if limit <= 0:
        return []
    last = max([1, *sorted(counted.values(), reverse=True)[limit - 1 : limit]])
    most = sorted((-count, term) for term, count in counted.items() if count > last)
    # Of many lines nearly all are in one document: those are ordered by name alone.
    equal = sorted(term for term, count in counted.items() if count == last)
    return [(term, -count) for count, term in most] + [(term, last) for term in equal[: limit - len(most)]]


def _with_chosen(shown: Counts, held: Mapping[str, int], chosen: Iterable[str]) -> Counts:
    """With the values chosen, even where they are in no document."""
    more = set(chosen).difference(value for value, _ in shown)
    if not more:
        return shown
    counted = [*shown, *((value, held.get(value, 0)) for value in more)]
    return tuple(sorted(counted, key=lambda one: (-one[1], one[0])))
