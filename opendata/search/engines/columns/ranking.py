"""What the documents found in a segment score.

Of the lists of terms one sum is made; what terms of very many documents give is added up for all of them. Where
little was found only that is scored, and where only the first are wanted only what can be among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.engines.columns.matching import counted
from opendata.search.engines.columns.ordering import Part, least_of_highest
from opendata.search.query import HELD_BONUS, PRIOR_WEIGHT

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
# What each document of the segment gains by a term, in steps; what a step adds; and the most that any gains by it.
_Row = tuple["Array", float, float]
# The documents of a term, what each of them gains, and what a step adds.
_List = tuple["Array", "Array", float]

_FEW: Final = 8
# Looking for a document among many takes as long as reading so many of them.
_SEARCHED: Final = 16
# Where the terms of very many documents give more than this share of what is needed, hardly a document is ruled out.
_DECIDED: Final = 0.9
# By as much single precision may be wrong in a sum of some dozens.
_ROUNDED: Final = 1 - 1e-5
_LIFTED: Final = 1 + PRIOR_WEIGHT


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found in a segment: by words and ranges (`matched`), and of that with the values chosen (`found`)."""

    segment: Segment
    matched: Matched
    found: Some


def scored(searched: Searched, query: Query, weighed: Sequence[Weighed], first: int | None = None) -> Part:
    """The documents found with what these terms give them; perhaps only those that can be among the `first`."""
    segment, found = searched.segment, searched.found
    if not found.count:
        return Part(segment, found, np.zeros(0, np.float32), few=found.documents)
    held = searched.matched.held
    if not query.held:
        held = None
    elif held is None or len(query.sides) > 1:
        held = counted(segment, query.held)
    rows, lists = _terms(segment, weighed)
    if found.count * _FEW <= segment.count:
        few = found.documents
        return Part(segment, found, _scores_of_few(segment, few, rows, lists, held), few=few)
    total = _listed_gains(lists, segment.count, held)
    likely = _likely(total, found, sum(most for _, _, most in rows), first) if rows and first else None
    if likely is not None:
        return Part(segment, found, _with_rows(segment, total.take(likely), rows, likely), few=likely)
    return Part(segment, found, _scores(segment, found, total, rows))


def _terms(segment: Segment, weighed: Sequence[Weighed]) -> tuple[list[_Row], list[_List]]:
    """Those of very many documents, and the others."""
    rows: list[_Row] = []
    lists: list[_List] = []
    for view, number, step in weighed:
        words = segment.words_of(view)
        row = words.row(number)
        if row is not None:
            rows.append((row, step, words.most(number) * step))
        else:
            lists.append((*words.gained(number), step))
    return rows, lists


def _likely(total: Array, found: Some, more: float, first: int) -> Array | None:
    """The documents found that can be among the first, where each gains up to `more` beside its total; of others that is set to 0.

    None where so much can still be gained that hardly one would be ruled out.
    Those with the highest totals are there whatever else is gained; who is below them by all that can be gained is not.
    """
    total *= found.flags
    least = float(least_of_highest(total, first))
    if more > _DECIDED * least:
        return None
    return np.flatnonzero(total >= np.float32(least / _LIFTED * _ROUNDED - more))


def _scores(segment: Segment, found: Some, total: Array, rows: Sequence[_Row]) -> Array:
    """What each document of the segment scores, those not found 0. `total`: without the rows; it is written to."""
    scratch = np.empty(segment.count, np.float32)
    for each, step, _ in rows:
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
    if held is not None:
        total += held.take(few) * np.float32(HELD_BONUS)
    return _with_rows(segment, total, rows, few)


def _with_rows(segment: Segment, total: Array, rows: Sequence[_Row], few: Array) -> Array:
    """What some documents score; `total` of each: without the rows."""
    for each, step, _ in rows:
        total += each.take(few) * np.float32(step)
    total *= segment.lifts.take(few)
    return total


def _listed_gains(lists: Sequence[_List], count: int, held: Array | None = None) -> Array:
    """What each of `count` documents gains by terms of which the documents are listed, and by what it holds."""
    total = np.zeros(count, np.float32) if held is None else held * np.float32(HELD_BONUS)
    for holding, gains, step in lists:  # one by one they stay in the fastest memory
        np.add.at(total, holding.astype(np.intp), gains * np.float32(step))
    return total


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
