"""Which documents of one segment a query matches; nothing here knows of other segments.

Arrays with one entry a document: a word held by very many costs no more than one held by some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.query import (
    AnyOf,
    Between,
    Clause,
    Facet,
    Phrase,
    Prefix,
    Query,
    Side,
    Within,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.port import Range

# Counts are kept in eight bits, which add up twice as fast as sixteen.
_MOST_COUNTED: Final = 255


@dataclass(frozen=True, slots=True)
class Matched:
    """What matches in a segment. `held`: of a query with one side, how many of its `should` each document holds."""

    flags: Flags
    held: Array | None = None


def matching(segment: Segment, query: Query, visible: Flags) -> Matched:
    """Which visible documents `query` matches."""
    if not query.sides:
        return Matched(_without(segment, visible, query.excluded))
    if len(query.sides) > 1:
        flags = _union(segment, [_side(segment, side).flags for side in query.sides])
        return Matched(_without(segment, flags & visible, query.excluded))
    found = _side(segment, query.sides[0])
    return Matched(_without(segment, found.flags & visible, query.excluded), found.held)


def in_range(segment: Segment, name: str, asked: Range) -> Flags:
    """Which documents have a number in a range; open on both sides, which have it at all."""
    numbers = segment.arrays[f"number.{name}"]
    flags = ~np.isnan(numbers)
    if asked.low is not None:
        flags &= numbers >= asked.low
    if asked.high is not None:
        flags &= numbers <= asked.high
    return flags


def flags_of(segment: Segment, clause: Clause) -> Flags:  # noqa: PLR0911 - one for each kind
    match clause:
        case Word(text):
            return segment.holding(text)
        case Phrase(words):
            return segment.phrase(words)
        case Prefix(text):
            return segment.beginning(text)
        case AnyOf(clauses):
            return _union(segment, [flags_of(segment, each) for each in clauses])
        case Facet(name, values):
            return segment.having(name, values)
        case Within(boost, words):
            return segment.within(boost, words)
        case Between(ranges):
            return _between(segment, ranges)


def _between(segment: Segment, ranges: Iterable[tuple[str, Range]]) -> Flags:
    flags = np.ones(segment.count, bool)
    for name, asked in ranges:
        flags &= in_range(segment, name, asked)
    return flags


def counted(segment: Segment, clauses: Sequence[Clause]) -> Array:
    """How many of some clauses each document matches."""
    if len(clauses) > _MOST_COUNTED:
        wide = np.zeros(segment.count, np.uint16)
        for clause in clauses:
            wide += flags_of(segment, clause)
        return wide
    counts = np.zeros(segment.count, np.uint8)
    for clause in clauses:
        counts += flags_of(segment, clause).view(np.uint8)
    return counts


def _without(segment: Segment, flags: Flags, excluded: Iterable[Clause]) -> Flags:
    for clause in excluded:
        flags = flags & ~flags_of(segment, clause)
    return flags


def _side(segment: Segment, side: Side) -> Matched:
    found, held = None, None
    if side.should or not side.must:
        if len(side.should) > 1:
            held = counted(segment, side.should)
            found = held >= max(side.at_least, 1)
        else:
            found = _union(segment, [flags_of(segment, clause) for clause in side.should])
    for clause in side.must:
        flags = flags_of(segment, clause)
        found = flags if found is None else found & flags
    return Matched(np.ones(segment.count, bool) if found is None else found, held)


def _union(segment: Segment, all_flags: Sequence[Flags]) -> Flags:
    """Not to be written to."""
    if not all_flags:
        return np.zeros(segment.count, bool)
    union = all_flags[0]
    for flags in all_flags[1:]:
        union = union | flags
    return union
