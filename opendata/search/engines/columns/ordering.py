"""The best documents of several segments, in an order that is the same however many are asked for.

Equal ones stand as they stand in the index: by segment, then by number. A document without the number or key that
is sorted by comes last in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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


@dataclass(frozen=True, slots=True)
class Part:
    """What was found in one segment, with the score of each document found; None where nothing scores."""

    segment: Segment
    found: Some
    scores: Array | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """The first documents: the number of the part, the number within it, and the score."""

    parts: Array
    documents: Array
    scores: Array


def best(parts: Sequence[Part], count: int, sort: Sort | None) -> Ordered:
    """The first `count` of everything found."""
    if not parts:  # the index of a portal without datasets
        return Ordered(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))
    if sort is not None and sort.name in parts[0].segment.keys:
        return _by_key(parts, count, sort)
    chosen, keys, numbers = [], [], []
    limit = np.inf
    for number, part in enumerate(parts):
        if sort is None:
            documents, values = _highest(part, count, limit)
            if len(documents) == count > 0:
                limit = min(limit, values.max())
        else:
            documents, values = _first(part, count, sort)
        chosen.append(documents)
        keys.append(values)
        numbers.append(np.full(len(documents), number))
    documents, values, where = np.concatenate(chosen), np.concatenate(keys), np.concatenate(numbers)
    order = np.lexsort((documents, where, values))[:count]
    scores = np.zeros(len(order)) if sort else 0 - values[order]
    return Ordered(where[order], documents[order], scores)


def _highest(part: Part, count: int, limit: float) -> tuple[Array, Array]:
    """Up to `count` documents found with the highest scores, and what puts these first when it is sorted upwards.

    Those beyond `limit`, of which others are known to be enough, may be left out.
    """
    if part.scores is None:
        documents = part.found.documents[:count]
        return documents, np.zeros(len(documents), np.float32)
    # As many of the columns' highest are there as are wanted of all.
    rows = len(part.scores) // _COLUMNS
    if rows > 1 and count <= _COLUMNS // 2:
        highest = part.scores[: rows * _COLUMNS].reshape(rows, _COLUMNS).max(axis=0)
        limit = min(limit, -float(np.partition(highest, _COLUMNS - count)[_COLUMNS - count]))
    near = np.flatnonzero(part.scores >= -limit)
    values = -part.scores[near]
    first = _smallest(values, count)
    return part.found.documents[near[first]], values[first]


def _first(part: Part, count: int, sort: Sort) -> tuple[Array, Array]:
    """The first `count` documents found in the order of a number, and what puts them so when it is sorted upwards."""
    documents = _first_in(part.segment.order(sort.name, descending=sort.descending), part.found.flags, count)
    values = part.segment.arrays[f"number.{sort.name}"][documents]
    return documents, np.nan_to_num(-values if sort.descending else values, nan=np.inf)


def _first_in(order: Array, found: Flags, count: int) -> Array:
    """The first `count` of an order that were found; as a rule they are near its beginning."""
    size = _LOOKED_AT
    while True:
        documents = order[:size]
        hits = documents[found[documents]]
        if len(hits) >= count or size >= len(order):
            return hits[:count].astype(np.intp)
        size *= 8


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
        documents = _first_in(
            part.segment.order(sort.name, descending=sort.descending), part.found.flags, count
        )
        places = part.segment.key_places(sort.name)[documents]
        keys = part.segment.keys[sort.name]
        for one, place in zip(documents.tolist(), places.tolist(), strict=True):
            if place >= 0:
                keyed.append((keys.at(place), number, one))
            else:
                without.append((number, one))
    keyed.sort(key=lambda entry: entry[0], reverse=sort.descending)
    first = ([(part, one) for _, part, one in keyed] + without)[:count]
    where = np.array([part for part, _ in first], int)
    return Ordered(where, np.array([one for _, one in first], int), np.zeros(len(first)))
