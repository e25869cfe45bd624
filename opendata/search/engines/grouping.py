"""Lines of a grouped answer: walks the hits in their order and joins those with the same key.

Called by all engines: hit by hit, or (`array_lines`) with arrays of them. How far it walks grows with the page asked for, so a first page reads some hundred
keys; what no walk reaches (beyond MOST_WALKED hits) is not on any page. Since a longer walk begins with the
shorter one, every document is on exactly one line over all pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sized

T = TypeVar("T")
Joined = TypeVar("Joined", bound="Sized")
Array = np.ndarray[Any, np.dtype[Any]]

MOST_WALKED: Final = 100_000
_FIRST_WALK: Final = 500
_STEP: Final = 4
# Editions of one series differ in a word or two, and so does their score in the last digits.
_EQUALLY_GOOD: Final = 0.995


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """A hit before it is read: `key` None where the document belongs to no group."""

    at: T
    score: float
    key: Hashable
    edition: float


@dataclass(frozen=True, slots=True)
class Lines(Generic[T]):
    """`count` is None where the walk ended before the hits did."""

    total: int
    shown: tuple[Candidate[T], ...]
    count: int | None
    more: bool


def read_lines(
    walk: Callable[[int], tuple[int, Iterable[Candidate[T]]]], offset: int, limit: int
) -> Lines[T]:
    """`walk(n)` gives the total and the first n hits."""

    def joined(reach: int) -> tuple[int, list[Candidate[T]]]:
        total, candidates = walk(reach)
        return total, _joined(candidates)

    total, lines, count = _far_enough(joined, offset + limit)
    return Lines(total, tuple(lines[offset : offset + limit]), count, len(lines) > offset + limit)


@dataclass(frozen=True, slots=True)
class Walk:
    """The first hits in order, as arrays: scores, keys (NaN for none) and editions."""

    scores: Array
    keys: Array
    editions: Array


@dataclass(frozen=True, slots=True)
class ArrayLines:
    """`shown`: the places of the hits in the walk that stand for the lines of the page; `count` as in Lines."""

    shown: Array
    count: int | None
    more: bool


def array_lines(walk: Callable[[int], Walk], total: int, offset: int, limit: int) -> ArrayLines:
    """The same lines as `read_lines`; `walk(n)` gives the first n of `total` hits."""
    _, lines, count = _far_enough(lambda reach: (total, _joined_arrays(walk(reach))), offset + limit)
    return ArrayLines(lines[offset : offset + limit], count, len(lines) > offset + limit)


def first_reach(wanted: int) -> int:
    """How many hits the first walk for so many lines takes."""
    return min(max(_FIRST_WALK, _STEP * wanted), MOST_WALKED)


def _far_enough(joined: Callable[[int], tuple[int, Joined]], wanted: int) -> tuple[int, Joined, int | None]:
    """The total of hits, lines of so many of them that more than `wanted` are there, and the count of all lines.

    `joined(n)` gives the total and the lines of the first n hits.
    """
    reach = first_reach(wanted)
    while True:
        total, lines = joined(reach)
        if len(lines) > wanted or reach >= min(total, MOST_WALKED):
            return total, lines, len(lines) if reach >= total else None
        reach = min(reach * _STEP, MOST_WALKED)


def _joined_arrays(walk: Walk) -> Array:
    """Which hit speaks for each line: the first of the highest edition among those as good as the line's first."""
    hits = np.arange(len(walk.keys))
    # A hit without a key is a line of its own: keys are whole numbers from 0.
    names = np.where(np.isnan(walk.keys), -1.0 - hits, walk.keys)
    _, first, lines = np.unique(names, return_index=True, return_inverse=True)
    best = walk.scores[first][lines]
    good = np.flatnonzero(((best > 0) & (best * _EQUALLY_GOOD <= walk.scores)) | (first[lines] == hits))
    order = good[np.lexsort((good, -walk.editions[good], lines[good]))]
    speakers = order[np.flatnonzero(np.diff(lines[order], prepend=-1))]
    return speakers[np.argsort(first, kind="stable")]


def _joined(candidates: Iterable[Candidate[T]]) -> list[Candidate[T]]:
    lines: dict[Hashable, Candidate[T]] = {}
    best: dict[Hashable, float] = {}
    for number, candidate in enumerate(candidates):
        name = (candidate.key,) if candidate.key is not None else number
        held = lines.get(name)
        if held is None:
            lines[name] = candidate
            best[name] = candidate.score
        elif 0 < best[name] * _EQUALLY_GOOD <= candidate.score and candidate.edition > held.edition:
            lines[name] = candidate
    return list(lines.values())
