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
# What each document of the segment gains by a term, in steps, and what a step adds.
_Row = tuple["Array", float]
# The documents of a term, what each of them gains, and what a step adds.
_List = tuple["Array", "Array", float]

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
        return Part(segment, found, np.zeros(0, np.float32), is_few=True)
    held = searched.matched.held
    if not query.held:
        held = None
    elif held is None or len(query.sides) > 1:
        held = counted(segment, query.held)
    rows, lists = _terms(segment, weighed)
    if found.count * _FEW <= segment.count:
        return Part(segment, found, _scores_of_few(segment, found.documents, rows, lists, held), is_few=True)
    return Part(segment, found, _scores(segment, found, rows, lists, held))


def _terms(segment: Segment, weighed: Sequence[Weighed]) -> tuple[list[_Row], list[_List]]:
    """Those of very many documents, and the others."""
    rows: list[_Row] = []
    lists: list[_List] = []
    for view, number, step in weighed:
        words = segment.words_of(view)
        row = words.row(number)
        if row is not None:
            rows.append((row, step))
        else:
            lists.append((*words.gained(number), step))
    return rows, lists


def _scores(
    segment: Segment, found: Some, rows: Sequence[_Row], lists: Sequence[_List], held: Array | None
) -> Array:
    """What each document of the segment scores, those not found 0."""
    total, scratch = _listed_gains(lists, segment.count), np.empty(segment.count, np.float32)
    for each, step in rows if held is None else [*rows, (held, HELD_BONUS)]:
        scratch[:] = each  # at once with the product numpy does it piece by piece
        scratch *= np.float32(step)
        total += scratch
    total *= segment.lifts
    total *= found.flags
    return total


def _scores_of_few(
    segment: Segment, few: Array, rows: Sequence[_Row], lists: Sequence[_List], held: Array | None
) -> Array:
    """What each of these documents scores."""
    total = _gains_of_few(lists, few, segment.count)
    for each, step in rows if held is None else [*rows, (held, HELD_BONUS)]:
        total += each.take(few) * np.float32(step)
    total *= segment.lifts.take(few)
    return total


def _listed_gains(lists: Sequence[_List], count: int) -> Array:
    """What each of `count` documents gains by terms of which the documents are listed."""
    total = np.zeros(count)
    for holding, gains, step in lists:  # one by one they stay in the fastest memory
        worth = gains.astype(np.float64)
        worth *= step
        np.add.at(total, holding.astype(np.intp), worth)
    return total.astype(np.float32)


def _gains_of_few(lists: Sequence[_List], few: Array, count: int) -> Array:
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
