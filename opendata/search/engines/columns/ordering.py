"""The best documents of several segments, in an order that is the same however many are asked for.

Equal ones stand as they stand in the index: by segment, then by number. A document without the number or key that
is sorted by comes last in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.port import Sort


@dataclass(frozen=True, slots=True)
class Part:
    """What was found in one segment. `scores` of all its documents, or of those named; None where nothing scores."""

    segment: Segment
    found: Flags
    scores: Array | None = None
    documents: Array | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """The first documents: the number of the part, the number within it, and the score."""

    parts: Array
    documents: Array
    scores: Array


def best(parts: Sequence[Part], count: int, sort: Sort | None) -> Ordered:
    """The first `count` of everything found."""
    if sort is not None and parts and sort.name in parts[0].segment.keys:
        return _by_key(parts, count, sort)
    chosen, keys, numbers = [], [], []
    limit = np.inf
    for number, part in enumerate(parts):
        documents, values = _candidates(part, sort, limit)
        first = _smallest(values, count)
        if len(first) == count:
            limit = min(limit, values[first].max(initial=-np.inf))
        chosen.append(documents[first])
        keys.append(values[first])
        numbers.append(np.full(len(first), number))
    if not chosen:
        return Ordered(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    documents, values, where = np.concatenate(chosen), np.concatenate(keys), np.concatenate(numbers)
    order = np.lexsort((documents, where, values))[:count]
    scores = np.zeros(len(order)) if sort else -values[order]
    return Ordered(where[order], documents[order], scores)


def _candidates(part: Part, sort: Sort | None, limit: float) -> tuple[Array, Array]:
    """The documents found, in order, and what puts the best first when it is sorted upwards.

    Those beyond `limit`, of which others are known to be enough, may be left out.
    """
    if sort is None and part.scores is not None:
        near = part.scores >= -limit
        if part.documents is not None:
            return part.documents[near], -part.scores[near]
        documents = np.flatnonzero(part.found & near)
        return documents, -part.scores[documents]
    documents = np.flatnonzero(part.found)
    if sort is None:
        return documents, np.zeros(len(documents), np.float32)
    values = part.segment.arrays[f"number.{sort.name}"][documents]
    return documents, np.nan_to_num(-values if sort.descending else values, nan=np.inf)


def _smallest(values: Array, count: int) -> Array:
    """The places of the `count` smallest; of equal ones the first."""
    if len(values) <= count:
        return np.arange(len(values))
    if count == 0:
        return np.zeros(0, int)
    limit = np.partition(values, count - 1)[count - 1]
    below = np.flatnonzero(values < limit)
    equal = np.flatnonzero(values == limit)[: count - len(below)]
    return np.concatenate([below, equal])


def _by_key(parts: Sequence[Part], count: int, sort: Sort) -> Ordered:
    """Keys are numbered within each segment: so many of each are chosen by number, then put in order by the keys."""
    keyed: list[tuple[bytes, int, int]] = []
    without: list[tuple[int, int]] = []
    for number, part in enumerate(parts):
        places = part.segment.key_places(sort.name)
        documents = np.flatnonzero(part.found)
        held = documents[places[documents] >= 0]
        order = places[held]
        chosen = held[_smallest(-order if sort.descending else order, count)]
        keys = part.segment.keys[sort.name]
        keyed += [(keys.at(int(places[one])), number, int(one)) for one in sorted(chosen.tolist())]
        without += [(number, int(one)) for one in documents[places[documents] < 0][:count]]
    keyed.sort(key=lambda entry: entry[0], reverse=sort.descending)
    first = ([(part, one) for _, part, one in keyed] + without)[:count]
    where = np.array([part for part, _ in first], int)
    return Ordered(where, np.array([one for _, one in first], int), np.zeros(len(first)))
