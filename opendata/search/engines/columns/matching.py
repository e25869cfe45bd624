"""What a query matches in one segment, and with which score; nothing here knows of other segments but the weights.

Sums of arrays with one entry a document: a word held by very many costs no more than one held by some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from opendata.search.query import (
    HELD_BONUS,
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

    from opendata.search.analysis import View
    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.port import Range

# A term by its number in a segment, and what a step of gain adds.
Weighed = tuple["View", int, float]


def matching(segment: Segment, query: Query, visible: Flags) -> Flags:
    """Which visible documents `query` matches."""
    flags = visible
    if query.sides:
        flags = flags & _union(segment, (_side(segment, side) for side in query.sides))
    for clause in query.excluded:
        flags = flags & ~flags_of(segment, clause)
    return flags


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
            return _union(segment, (flags_of(segment, each) for each in clauses))
        case Facet(name, values):
            return segment.facets[name].any_of(values)
        case Within(boost, words):
            return segment.within(boost, words)
        case Between(ranges):
            return _between(segment, ranges)


def _between(segment: Segment, ranges: Iterable[tuple[str, Range]]) -> Flags:
    flags = np.ones(segment.count, bool)
    for name, asked in ranges:
        flags &= in_range(segment, name, asked)
    return flags


def scores(segment: Segment, query: Query, weighed: Sequence[Weighed], documents: Array | None) -> Array:
    """What each of these documents scores; without `documents`, each of the segment, matching or not."""
    total, scratch = np.zeros(segment.count, np.float32), np.empty(segment.count, np.float32)
    few = None if documents is None else np.zeros(len(documents), np.float32)
    for view, number, step in weighed:
        words = segment.words_of(view)
        if documents is None or few is None or not words.is_frequent(number):
            words.add(total, scratch, number, step)
        else:
            words.add_to(few, documents, number, step)
    if query.held:
        held = np.zeros(segment.count, np.uint16)
        for clause in query.held:
            held += flags_of(segment, clause)
        np.multiply(held, np.float32(HELD_BONUS), out=scratch)
        total += scratch
    if few is None:
        total *= segment.lifts
        return total
    return (total[documents] + few) * segment.lifts[documents]


def _side(segment: Segment, side: Side) -> Flags:
    found = np.ones(segment.count, bool)
    if side.should or not side.must:
        found = _at_least(segment, side.should, side.at_least)
    for clause in side.must:
        found = found & flags_of(segment, clause)
    return found


def _at_least(segment: Segment, clauses: Sequence[Clause], wanted: int) -> Flags:
    """Which documents match so many of the clauses."""
    if wanted <= 1:
        return _union(segment, (flags_of(segment, clause) for clause in clauses))
    counts = np.zeros(segment.count, np.uint16)
    for clause in clauses:
        counts += flags_of(segment, clause)
    return counts >= wanted


def _union(segment: Segment, all_flags: Iterable[Flags]) -> Flags:
    union = np.zeros(segment.count, bool)
    for flags in all_flags:
        union |= flags
    return union
