"""The best documents of several segments, in an order that is the same however many are asked for.

Equal ones stand as they stand in the index: by segment, then by number. A document without the number or key that
is sorted by comes last in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags, Some
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.port import Sort


# Scores are looked at as so many columns, of which the highest are found at once.
_COLUMNS: Final = 2048
_LOOKED_AT: Final = 1024
# Of more than so many times the number wanted the best are picked before they are put in order.
_MANY: Final = 4


@dataclass(frozen=True, slots=True)
class Part:
    """What was found in one segment; without `scores` nothing scores.

    `scores`: of `few` documents, the only ones that matter; without them of each of the segment, those not found 0.
    """

    segment: Segment
    found: Some
    scores: Array | None = None
    few: Array | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """The first documents: the number of the part, the number within it, and the score."""

    parts: Array
    documents: Array
    scores: Array


@dataclass(frozen=True, slots=True)
class First:
    """The first documents of one part in order, and what puts them so when it is sorted upwards."""

    documents: Array
    values: Array

    def upto(self, count: int) -> First:
        return First(self.documents[:count], self.values[:count])


def best(parts: Sequence[Part], count: int, sort: Sort | None) -> Ordered:
    """The first `count` of everything found."""
    return merged(
        [part.segment for part in parts], [first_of(part, count, sort) for part in parts], sort, count
    )


def first_of(part: Part, count: int, sort: Sort | None) -> First:
    if sort is None:
        return _highest(part, count)
    documents = _first_in(part.segment.order(sort.name, descending=sort.descending), part.found.flags, count)
    if sort.name in part.segment.keys:
        return First(documents, np.zeros(len(documents), np.int8))
    values = part.segment.arrays[f"number.{sort.name}"][documents]
    return First(documents, np.nan_to_num(-values if sort.descending else values, nan=np.inf))


def merged(segments: Sequence[Segment], firsts: Sequence[First], sort: Sort | None, count: int) -> Ordered:
    """The first `count` of the first of some segments, of which each gave so many or all it has."""
    if not firsts:  # the index of a portal without datasets
        return Ordered(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))
    if sort is not None and sort.name in segments[0].keys:
        return _merged_by_key(segments, firsts, sort, count)
    documents = np.concatenate([one.documents for one in firsts], dtype=np.intp)
    values = np.concatenate([one.values for one in firsts])
    where = np.repeat(np.arange(len(firsts)), [len(one.documents) for one in firsts])
    order = np.lexsort((documents, where, values))[:count]
    scores = np.zeros(len(order)) if sort else 0 - values[order]
    return Ordered(where[order], documents[order], scores)


def _highest(part: Part, count: int) -> First:
    """Up to `count` documents found with the highest scores, of equal ones the first."""
    if part.scores is None:
        documents = part.found.documents[:count]
        return First(documents, np.zeros(len(documents), np.float32))
    near = np.flatnonzero(part.scores >= least_of_highest(part.scores, count))
    if part.few is None:
        near = near[part.found.flags.take(near)]
    values = -part.scores.take(near)
    if len(near) > _MANY * count > 0:
        smallest = np.flatnonzero(values <= np.partition(values, count - 1)[count - 1])
        near, values = near.take(smallest), values.take(smallest)
    order = np.argsort(values, kind="stable")[:count]
    chosen = near.take(order)
    return First(chosen if part.few is None else part.few.take(chosen), values.take(order))


def least_of_highest(scores: Array, count: int) -> np.floating[Any] | float:
    """At least `count` scores are as high; minus infinity where finding more takes as long as ordering all."""
    rows = len(scores) // _COLUMNS
    if rows <= 1 or not 0 < count <= _COLUMNS // 2:
        return -np.inf
    # As many of the columns' highest are there as are wanted of all.
    highest = scores[: rows * _COLUMNS].reshape(rows, _COLUMNS).max(axis=0)
    least: np.floating[Any] = np.partition(highest, _COLUMNS - count)[_COLUMNS - count]
    return least


def _first_in(order: Array, found: Flags, count: int) -> Array:
    """The first `count` of an order that were found; as a rule they are near its beginning."""
    size = _LOOKED_AT
    while True:
        documents = order[:size]
        hits = documents[found[documents]]
        if len(hits) >= count or size >= len(order):
            return hits[:count].astype(np.intp)
        size *= 8


def _merged_by_key(segments: Sequence[Segment], firsts: Sequence[First], sort: Sort, count: int) -> Ordered:
    """Keys are numbered within each segment: so many of each were chosen by number and are put in order by the keys."""
    keyed: list[tuple[bytes, int, int]] = []
    without: list[tuple[int, int]] = []
    for number, (segment, first) in enumerate(zip(segments, firsts, strict=True)):
        places = segment.key_places(sort.name)[first.documents]
        keys = segment.keys[sort.name]
        for one, place in zip(first.documents.tolist(), places.tolist(), strict=True):
            if place >= 0:
                keyed.append((keys.at(place), number, one))
            else:
                without.append((number, one))
    keyed.sort(key=lambda entry: entry[0], reverse=sort.descending)
    chosen = ([(part, one) for _, part, one in keyed] + without)[:count]
    where = np.array([part for part, _ in chosen], int)
    return Ordered(where, np.array([one for _, one in chosen], int), np.zeros(len(chosen)))
