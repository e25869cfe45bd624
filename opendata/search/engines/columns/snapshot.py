"""What a commit answers: each question is put to every segment, and what they say is added up."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.engines.columns.listed import packed
from opendata.search.engines.columns.matching import flags_of, in_range, matching, scores
from opendata.search.engines.columns.ordering import Ordered, Part, best
from opendata.search.engines.columns.postings import gain_step, worth
from opendata.search.engines.grouping import Candidate, Lines, read_lines
from opendata.search.fields import stored_of
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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opendata.search.analysis import View
    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.matching import Weighed
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.query import Clause

_MOST_RIGHTS: Final = 64
# Where no more than an eighth of a segment is found, only that is scored.
_FEW: Final = 8

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
        matched = self._matched(request, query)
        chosen = self._chosen(request)
        parts = self._parts(matched, chosen, request, query)
        total = sum(int(np.count_nonzero(part.found)) for part in parts)
        facets = self._facets(matched, chosen, parts, request)
        if not request.limit and request.group is None:
            return Found(total, (), facets, more=request.offset < total)
        if request.group is None:
            ordered = best(parts, request.offset + request.limit, request.sort)
            matches = tuple(self._matches(ordered, request.offset))
            return Found(total, matches, facets, more=request.offset + len(matches) < total)
        lines = _lines(parts, total, request, request.group)
        shown = tuple(self._line(line, parts, request.group) for line in lines.shown)
        return Found(total, shown, facets, lines.count, lines.more)

    def scan(self, request: SearchRequest, query: Query) -> tuple[int, Iterator[Match]]:
        parts = self._parts(self._matched(request, query), self._chosen(request), request, query)
        total = sum(int(np.count_nonzero(part.found)) for part in parts)
        return total, self._matches(best(parts, request.offset + request.limit, request.sort), request.offset)

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
        for number, visible in enumerate(self._visible_to(access)):
            holding = self._segments[number].lines_with(words) if left else np.zeros(0, int)
            for document in holding[visible[holding]][:left]:
                found += json.loads(self._segments[number].kept(int(document)))["lines"]
                left -= 1
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
        for scored in query.scored:
            for place, (view, number, step) in self._weighed(Query(scored=(scored,))):
                documents, gains, fields = segment.words_of(view).entries(number)
                for entry in np.flatnonzero(documents == document) if place == at[0] else ():
                    held = [boost for bit, boost in enumerate(self._boosts) if fields[entry] & (1 << bit)]
                    score = float(gains[entry]) * step * lift
                    parts += [
                        Contribution(str(view), boost, scored.term, score * boost / sum(held))
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
            names = sorted(access)
            known = [one.alive & one.segment.access.any_of(names) for one in self._held]
            if len(self._visible) >= _MOST_RIGHTS:
                self._visible.clear()
            self._visible[access] = known
        return known

    def _matched(self, request: SearchRequest, query: Query) -> list[Flags]:
        """By words and ranges, whatever values of facets were chosen."""
        found = []
        for segment, visible in zip(self._segments, self._visible_to(request.access), strict=True):
            flags = matching(segment, query, visible)
            for name, asked in request.ranges.items():
                flags = flags & in_range(segment, name, asked)
            found.append(flags)
        return found

    def _chosen(self, request: SearchRequest) -> dict[str, list[Flags]]:
        return {
            name: [segment.facets[name].any_of(values) for segment in self._segments]
            for name, values in request.filters.items()
        }

    def _parts(
        self,
        matched: Sequence[Flags],
        chosen: Mapping[str, Sequence[Flags]],
        request: SearchRequest,
        query: Query,
    ) -> list[Part]:
        is_scored = request.sort is None and request.limit > 0 and bool(query.scored or query.held)
        weighed: list[list[Weighed]] = [[] for _ in self._segments]
        for place, term in self._weighed(query) if is_scored else ():
            weighed[place].append(term)
        parts = []
        for number, segment in enumerate(self._segments):
            found = matched[number]
            for flags in chosen.values():
                found = found & flags[number]
            if not (is_scored and found.any()):
                parts.append(Part(segment, found))
                continue
            few = np.flatnonzero(found) if np.count_nonzero(found) * _FEW <= segment.count else None
            parts.append(Part(segment, found, scores(segment, query, weighed[number], few), few))
        return parts

    def _weighed(self, query: Query) -> Iterator[tuple[int, Weighed]]:
        """Each scored term in each segment that holds it, with the number of the segment."""
        for scored in query.scored:
            numbers = self._find(scored.view, scored.term)
            rarest = sum(
                segment.words_of(scored.view).rarest(number)
                for segment, number in zip(self._segments, numbers, strict=True)
                if number >= 0
            )
            step = scored.weight * self._step * float(worth(rarest, self._alive)) if rarest else 0.0
            for place, number in enumerate(numbers):
                if number >= 0:
                    yield place, (scored.view, number, step)

    def _find(self, view: View, term: str) -> list[int]:
        return [segment.find(view, term) for segment in self._segments]

    # What is answered

    def _facets(
        self,
        matched: Sequence[Flags],
        chosen: Mapping[str, Sequence[Flags]],
        parts: Sequence[Part],
        request: SearchRequest,
    ) -> dict[str, Counts]:
        values = {name: self._values_of(name) for name in request.facets}
        totals = {name: np.zeros(len(known), np.int64) for name, (known, _) in values.items()}
        for number, (segment, part) in enumerate(zip(self._segments, parts, strict=True)):
            found = part.found, packed(part.found)
            for name, (_, places) in values.items():
                if name in chosen:
                    without = matched[number]
                    for other, flags in chosen.items():
                        if other != name:
                            without = without & flags[number]
                    counts = segment.facets[name].counts(without, packed(without))
                else:
                    counts = segment.facets[name].counts(*found)
                totals[name][places[number]] += counts
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
        segment = self._segments[at[0]]
        kept = json.loads(segment.kept(at[1]))
        return Match(segment.id(at[1]), score, kept["stored"], kept["texts"])

    def _line(self, line: Candidate[_At], parts: Sequence[Part], group: Grouping) -> Match:
        match = self._match(line.at, line.score)
        if not isinstance(line.key, float):
            return match
        members: list[tuple[float, int, int]] = []
        for number, part in enumerate(parts):
            documents = part.segment.with_number(group.key, line.key)
            documents = documents[part.found[documents]]
            editions = np.nan_to_num(part.segment.arrays[f"number.{group.edition}"][documents], nan=-np.inf)
            members += zip((-editions).tolist(), [number] * len(documents), documents.tolist(), strict=True)
        if len(members) <= 1:
            return match
        newest = tuple(
            (segment.id(document), stored_of(segment.kept(document)))
            for _, number, document in sorted(members)[: group.members]
            for segment in (self._segments[number],)
        )
        return replace(match, group=Group(len(members), newest))

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


def _lines(parts: Sequence[Part], total: int, request: SearchRequest, group: Grouping) -> Lines[_At]:
    def walk(count: int) -> tuple[int, Iterator[Candidate[_At]]]:
        ordered = best(parts, count, request.sort)
        keys, editions = np.full(len(ordered.parts), np.nan), np.full(len(ordered.parts), np.nan)
        for number, part in enumerate(parts):
            here = ordered.parts == number
            keys[here] = part.segment.arrays[f"number.{group.key}"][ordered.documents[here]]
            editions[here] = part.segment.arrays[f"number.{group.edition}"][ordered.documents[here]]
        rows = zip(
            ordered.parts.tolist(),
            ordered.documents.tolist(),
            ordered.scores.tolist(),
            keys.tolist(),
            np.nan_to_num(editions).tolist(),
            strict=True,
        )
        return total, (
            Candidate((part, document), score, None if key != key else key, edition)  # noqa: PLR0124 - NaN
            for part, document, score, key, edition in rows
        )

    return read_lines(walk, request.offset, request.limit)
