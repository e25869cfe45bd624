"""What a commit answers: each question is put to every segment, and what they say is added up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import nsmallest
from math import log2
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.engines.columns.listed import Some
from opendata.search.engines.columns.matching import Matched, flags_of, in_range, matching
from opendata.search.engines.columns.ordering import Ordered, Part, best
from opendata.search.engines.columns.postings import gain_step, worth
from opendata.search.engines.columns.ranking import Searched, Weighed, scored
from opendata.search.engines.grouping import ArrayLines, Walk, array_lines
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
# Smaller segments are joined with others soon: what was found in them is told by the documents, not by the segment.
_SETTLED: Final = 1 << 10
# Of a catalogue that grew by a fiftieth.
_GROWTHS: Final = 32

_At = tuple[int, int]
"""The number of a segment and of a document in it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A segment in a commit: which of its documents are still there."""

    segment: Segment
    alive: Flags


class ColumnsSnapshot:
    """A Snapshot. Nothing in it changes but what it remembers, so threads may share it."""

    def __init__(self, schema: IndexSchema, held: Sequence[Held], position: int) -> None:
        self._held = tuple(held)
        self._segments = [one.segment for one in held]
        self.position = position
        self._alive = sum(int(np.count_nonzero(one.alive)) for one in held)
        self._boosts = tuple(schema.boosts())
        self._step = gain_step(self._boosts)
        self._visible: dict[frozenset[str], list[Flags]] = {}
        self._values: dict[str, tuple[list[str], list[Array]]] = {}

    def count(self) -> int:
        return self._alive

    def search(self, request: SearchRequest, query: Query) -> Found:
        chosen = self._chosen(request)
        searched = self._searched(request, query, chosen)
        total = sum(one.found.count for one in searched)
        facets = self._facets(searched, chosen, request)
        if not request.limit and request.group is None:
            return Found(total, (), facets, more=request.offset < total)
        ranked = self._ranked(searched, request, query)
        if request.group is None:
            ordered = ranked(request.offset + request.limit)
            hits = tuple(self._matches(ordered, request.offset))
            return Found(total, hits, facets, more=request.offset + len(hits) < total)
        lines, keys, speaking = self._lines(ranked, total, request, request.group)
        groups = self._groups(keys, [one.found.flags for one in searched], request.group)
        grouped = tuple(
            replace(match, group=groups[line]) if line in groups else match
            for line, match in enumerate(speaking)
        )
        return Found(total, grouped, facets, lines.count, lines.more)

    def scan(self, request: SearchRequest, query: Query) -> tuple[int, Iterator[Match]]:
        searched = self._searched(request, query, self._chosen(request))
        total = sum(one.found.count for one in searched)
        ordered = self._ranked(searched, request, query)(request.offset + request.limit)
        return total, self._matches(ordered, request.offset)

    def grounds(self, request: SearchRequest, query: Query) -> Hashable | None:
        """Settled segments never change: of these only documents count that match and were deleted."""
        settled, few, prints = [], 0, 0
        for held, visible, allowed in zip(
            self._held, self._visible_to(request.access), self._allowed(request.access), strict=True
        ):
            if held.segment.count <= _SETTLED:
                found = _found(held.segment, query, visible, request).flags
                few += int(np.count_nonzero(found))
                prints ^= int(np.bitwise_xor.reduce(held.segment.prints[found]))
            else:
                gone = allowed & ~held.alive
                found = _found(held.segment, query, gone, request).flags if gone.any() else gone
                settled.append((held.segment.name, int(np.count_nonzero(found))))
        return round(_GROWTHS * log2(self._alive + 1)), tuple(settled), few, prints

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
        return [
            sum(
                segment.words_of(view).frequency(number)
                for segment, number in zip(self._segments, self._find(view, term), strict=True)
                if number >= 0
            )
            for term in terms
        ]

    def explain(self, document_id: str, query: Query) -> tuple[Contribution, ...]:
        """What a term gives is kept as one sum: it is told shared out by the boosts of the texts that hold it."""
        at = self._at(document_id)
        if at is None:
            return ()
        segment, document = self._segments[at[0]], at[1]
        lift = float(segment.lifts[document])
        parts = []
        for term in query.scored:
            for place, (_, number, step) in self._weighed(Query(scored=(term,))):
                documents, gains, fields = segment.words_of(term.view).entries(number)
                for entry in np.flatnonzero(documents == document) if place == at[0] else ():
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
            known = [one.alive & flags for one, flags in zip(self._held, self._allowed(access), strict=True)]
            if len(self._visible) >= _MOST_RIGHTS:
                self._visible.clear()
            self._visible[access] = known
        return known

    def _allowed(self, access: frozenset[str]) -> list[Flags]:
        """Deleted documents included."""
        return [segment.allowing(access) for segment in self._segments]

    def _chosen(self, request: SearchRequest) -> dict[str, list[Flags]]:
        return {
            name: [segment.having(name, values) for segment in self._segments]
            for name, values in request.filters.items()
        }

    def _searched(
        self, request: SearchRequest, query: Query, chosen: Mapping[str, Sequence[Flags]]
    ) -> list[Searched]:
        searched = []
        for number, visible in enumerate(self._visible_to(request.access)):
            segment = self._segments[number]
            matched = _found(segment, query, visible, request)
            found = matched.flags
            for flags in chosen.values():
                found = found & flags[number]
            searched.append(Searched(segment, matched, Some(found)))
        return searched

    def _ranked(
        self, searched: Sequence[Searched], request: SearchRequest, query: Query
    ) -> Callable[[int], Ordered]:
        """Gives the first so many of what was found."""
        if request.sort is not None or not (query.scored or query.held):
            parts = [Part(one.segment, one.found) for one in searched]
            return lambda count: best(parts, count, request.sort)
        weighed: list[list[Weighed]] = [[] for _ in searched]
        for place, term in self._weighed(query):
            weighed[place].append(term)
        parts = [scored(one, query, terms) for one, terms in zip(searched, weighed, strict=True)]
        return lambda count: best(parts, count, None)

    def _weighed(self, query: Query) -> Iterator[tuple[int, Weighed]]:
        """Each scored term in each segment that holds it, with the number of the segment."""
        found = [self._find(term.view, term.term) for term in query.scored]
        rarest = [
            sum(
                segment.words_of(term.view).rarest(number)
                for segment, number in zip(self._segments, numbers, strict=True)
                if number >= 0
            )
            for term, numbers in zip(query.scored, found, strict=True)
        ]
        worths = worth(rarest, self._alive).tolist()
        for term, numbers, each in zip(query.scored, found, worths, strict=True):
            for place, number in enumerate(numbers):
                if number >= 0:
                    yield place, (term.view, number, term.weight * self._step * each)

    def _find(self, view: View, term: str) -> list[int]:
        return [segment.find(view, term) for segment in self._segments]

    # What is answered

    def _facets(
        self, searched: Sequence[Searched], chosen: Mapping[str, Sequence[Flags]], request: SearchRequest
    ) -> dict[str, Counts]:
        """Counts within a facet leave out what was chosen of it."""
        if not request.facets:
            return {}
        values = {name: self._values_of(name) for name in request.facets}
        totals = {name: np.zeros(len(known), np.int64) for name, (known, _) in values.items()}
        for number, one in enumerate(searched):
            facets = one.segment.facet_counts
            together = facets.counts(one.found)
            for name, total in totals.items():
                counts = together
                if name in chosen:
                    without = one.matched.flags
                    for other, flags in chosen.items():
                        if other != name:
                            without = without & flags[number]
                    counts = facets.counts(Some(without), name)
                total[values[name][1][number]] += counts[name]
        return {
            name: _top(values[name][0], totals[name], limit, request.filters.get(name, ()))
            for name, limit in request.facets.items()
        }

    def _values_of(self, facet: str) -> tuple[list[str], list[Array]]:
        """All values of a facet in order, and for each segment where its own are among them."""
        known = self._values.get(facet)
        if known is None:
            lists = [segment.facets[facet].values for segment in self._segments]
            values = sorted(set[str]().union(*lists))
            places = {value: place for place, value in enumerate(values)}
            numbers = [np.array([places[value] for value in one], np.intp) for one in lists]
            known = self._values[facet] = (values, numbers)
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
        name, stored, texts = self._segments[at[0]].hit(at[1])
        return Match(name, score, stored, texts)

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

    def _groups(self, keys: Array, found: Sequence[Flags], group: Grouping) -> dict[int, Group]:
        """What the lines with these keys stand for that stand for more than one document, by their number."""
        members: dict[int, list[tuple[float, int, int]]] = {}
        for number, (segment, flags) in enumerate(zip(self._segments, found, strict=True)):
            places, documents = segment.with_numbers(group.key, keys)
            seen = np.flatnonzero(flags[documents])
            documents = documents[seen]
            editions = np.nan_to_num(segment.arrays[f"number.{group.edition}"][documents], nan=-np.inf)
            rows = zip(places[seen].tolist(), (-editions).tolist(), documents.tolist(), strict=True)
            for line, edition, document in rows:
                members.setdefault(line, []).append((edition, number, document))
        return {
            line: Group(
                len(held),
                tuple(
                    self._segments[number].shown(document)
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
            for line, count in zip(*segment.suggested(prefix, flags, 2 * limit), strict=True):
                totals[line] = totals.get(line, 0) + count
        return totals


def _found(segment: Segment, query: Query, visible: Flags, request: SearchRequest) -> Matched:
    """By words and ranges, whatever was chosen."""
    matched = matching(segment, query, visible)
    found = matched.flags
    for name, asked in request.ranges.items():
        found = found & in_range(segment, name, asked)
    return Matched(found, matched.held)


def _most(counted: Mapping[str, int], limit: int) -> list[tuple[str, int]]:
    """Those of most documents, equal ones by name; what is in no document is left out."""
    if limit <= 0:
        return []
    last = max([1, *sorted(counted.values(), reverse=True)[limit - 1 : limit]])
    most = sorted((-count, term) for term, count in counted.items() if count > last)
    # Of many lines nearly all are in one document: those are ordered by name alone.
    equal = sorted(term for term, count in counted.items() if count == last)
    return [(term, -count) for count, term in most] + [(term, last) for term in equal[: limit - len(most)]]


def _top(values: Sequence[str], totals: Array, limit: int, chosen: Iterable[str]) -> Counts:
    """The most frequent values, and those chosen even where they are in no document. `values` in order."""
    first = np.argsort(-totals, kind="stable")[:limit]
    shown = [
        (values[place], count)
        for place, count in zip(first.tolist(), totals[first].tolist(), strict=True)
        if count
    ]
    more = set(chosen).difference(value for value, _ in shown)
    if not more:
        return tuple(shown)
    held = dict(zip(values, totals.tolist(), strict=True))
    shown += [(value, held.get(value, 0)) for value in more]
    return tuple(sorted(shown, key=lambda counted: (-counted[1], counted[0])))
