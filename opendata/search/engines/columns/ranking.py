"""What the documents found in a segment score.

What terms of very many documents give is added up for all of them; of the others' lists one sum is made. Where
little was found only that is scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.engines.columns.matching import counted
from opendata.search.engines.columns.ordering import Part
from opendata.search.query import HELD_BONUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.analysis import View
    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Some
    from opendata.search.engines.columns.matching import Matched
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.query import Query

# A term by its number in a segment, and what a step of gain adds.
Weighed = tuple["View", int, float]

_FEW: Final = 8
# Looking for a document among many takes as long as reading so many of them.
_SEARCHED: Final = 16


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found in a segment: by words and ranges (`matched`), and of that with the values chosen (`found`)."""

    segment: Segment
    matched: Matched
    found: Some


def scored(searched: Searched, query: Query, weighed: Sequence[Weighed]) -> Part:
    """The documents found with what these terms give them."""
    segment, found = searched.segment, searched.found
    if not found.count:
        return Part(segment, found, np.zeros(0, np.float32))
    held = searched.matched.held
    if not query.held:
        held = None
    elif held is None or len(query.sides) > 1:
        held = counted(segment, query.held)
    documents = found.documents
    total = _gains(segment, weighed, documents)
    if held is not None:
        total += held.take(documents) * np.float32(HELD_BONUS)
    total *= segment.lifts.take(documents)
    return Part(segment, found, total)


def _gains(segment: Segment, weighed: Sequence[Weighed], documents: Array) -> Array:
    """What each of these documents gains by all terms. Those of many are picked out of the sums for all documents."""
    rows: list[tuple[Array, float]] = []
    lists: list[tuple[Array, Array, float]] = []
    for view, number, step in weighed:
        words = segment.words_of(view)
        row = words.row(number)
        if row is not None:
            rows.append((row, step))
        else:
            holding, gains, _ = words.entries(number)
            lists.append((holding, gains, step))
    if len(documents) * _FEW <= segment.count:
        few = _gains_of_few(lists, documents, segment.count)
        for row, step in rows:
            few += row.take(documents) * np.float32(step)
        return few
    total, scratch = _listed_gains(lists, segment.count), np.empty(segment.count, np.float32)
    for row, step in rows:
        scratch[:] = row  # at once with the product numpy does it piece by piece
        scratch *= np.float32(step)
        total += scratch
    return total.take(documents)


def _listed_gains(lists: Sequence[tuple[Array, Array, float]], count: int) -> Array:
    """What each of `count` documents gains by terms of which the documents are listed."""
    if not lists:
        return np.zeros(count, np.float32)
    holding, gains, steps = zip(*lists, strict=True)
    worth = np.concatenate(gains) * np.repeat(np.array(steps), list(map(len, holding)))
    return np.bincount(np.concatenate(holding), worth, count).astype(np.float32)


def _gains_of_few(lists: Sequence[tuple[Array, Array, float]], few: Array, count: int) -> Array:
    """The same of some documents. Of long lists only these are looked for."""
    long = [entry for entry in lists if len(entry[0]) > _SEARCHED * len(few)]
    short = [entry for entry in lists if 0 < len(entry[0]) <= _SEARCHED * len(few)]
    total = _listed_gains(short, count).take(few) if short else np.zeros(len(few), np.float32)
    narrow = few.astype(np.uint16)
    for holding, gains, step in long:
        places = holding.searchsorted(narrow)
        places[places == len(holding)] = 0
        total += (holding.take(places) == narrow) * gains.take(places) * np.float32(step)
    return total
