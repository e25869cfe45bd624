"""What one segment says to a search: how many documents, of which values, and the first of them in order.

A large segment never changes, and the catalogue's common searches come again and again while small ones do: so what
it said is kept in a few kilobytes, and holds until a document that matched is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.engines.columns.listed import Some
from opendata.search.engines.columns.matching import Matched, in_range, matching
from opendata.search.engines.columns.ordering import First, Part, first_of
from opendata.search.engines.columns.ranking import Searched, scored

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.ranking import Weighed
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.engines.columns.weighing import Weighing
    from opendata.search.port import SearchRequest
    from opendata.search.query import Query

# So many are kept at least, for the first pages; of answers with more nothing is kept.
KEPT_FIRST: Final = 60
MOST_KEPT_FIRST: Final = 2000
_BITS: Final = 8


@dataclass(frozen=True, slots=True)
class Told:
    """`found` has a bit a document, `matched` too, before values were chosen. `first`: as many as were asked for.

    `facets`: for each facet asked for how many documents have each of its values, without what was chosen of it; in a row.
    Numbers are as narrow as they can be, since some hundreds of these are kept.
    `steps`: what each scored term adds for a step of gain.
    """

    count: int
    found: Array
    matched: Array
    facets: Array
    first: First
    steps: tuple[float, ...] = ()

    def reaches(self, count: int) -> bool:
        """Whether the first so many are there."""
        return len(self.first.documents) >= min(count, self.count)

    def holds(self, documents: Array) -> Flags:
        """Which of these were found."""
        places = documents.astype(np.intp)
        return (self.found[places // _BITS] >> (places % _BITS).astype(np.uint8) & 1).astype(bool)

    def lost_some(self, gone: Array) -> bool:
        """Whether something that matched is among the documents gone, a bit each."""
        return bool((self.matched & gone).any())


class Asked:
    """What `told_by` depends on, besides the segment; hashed once, since a query is many small objects."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, *parts: Hashable) -> None:
        self._parts = parts
        self._hash = hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asked) and self._hash == other._hash and self._parts == other._parts


def asked_for(request: SearchRequest, query: Query, basis: Hashable) -> Asked:
    """`basis`: what the rareness of words was counted in. How many rows are wanted, and in which lines, is left open."""
    return Asked(
        basis,
        query,
        request.access,
        tuple(request.filters.items()),
        tuple(request.ranges.items()),
        tuple(request.facets),
        request.sort,
    )


def packed(flags: Flags) -> Array:
    """A bit a document, the first in the lowest."""
    return np.packbits(flags, bitorder="little")


def searched_in(segment: Segment, request: SearchRequest, query: Query, visible: Flags) -> Searched:
    matched = matched_in(segment, request, query, visible)
    found = matched.flags
    for name, values in request.filters.items():
        found = found & segment.having(name, values)
    return Searched(segment, matched, Some(found))


def matched_in(segment: Segment, request: SearchRequest, query: Query, visible: Flags) -> Matched:
    """By words and ranges, whatever was chosen."""
    matched = matching(segment, query, visible)
    if not request.ranges:
        return matched
    found = matched.flags
    for name, asked in request.ranges.items():
        found = found & in_range(segment, name, asked)
    return Matched(found, matched.held)


def part_of(
    searched: Searched, query: Query, weighed: Sequence[Weighed] | None, first: int | None = None
) -> Part:
    """What was found, with scores where these decide: then the scored terms here are given. `first`: see `scored`."""
    if weighed is not None and (query.scored or query.held):
        return scored(searched, query, weighed, first)
    return Part(searched.segment, searched.found)


def told_by(
    searched: Searched,
    request: SearchRequest,
    query: Query,
    weighing: Weighing | None,
    *,
    place: int,
    count: int,
) -> Told:
    """`weighing`: for an answer by score. `place`: of the segment. The first `count` documents come along."""
    part = part_of(searched, query, weighing.here(place) if weighing else None, count)
    first = first_of(part, count, request.sort)
    found = packed(searched.found.flags)
    is_narrowed = searched.found.flags is not searched.matched.flags
    return Told(
        searched.found.count,
        found,
        packed(searched.matched.flags) if is_narrowed else found,
        _facets(searched, request),
        First(first.documents.astype(np.uint16), first.values),
        weighing.steps if weighing else (),
    )


def _facets(searched: Searched, request: SearchRequest) -> Array:
    """Counts within a facet leave out what was chosen of it."""
    if not request.facets:
        return np.zeros(0, np.uint32)
    segment = searched.segment
    counts = segment.facet_counts.counts(searched.found)
    for name in request.facets:
        if name in request.filters:
            without = searched.matched.flags
            for other, values in request.filters.items():
                if other != name:
                    without = without & segment.having(other, values)
            counts[name] = segment.facet_counts.counts(Some(without), name)[name]
    return np.concatenate([counts[name] for name in request.facets]).astype(np.uint32)
