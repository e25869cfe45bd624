"""The words of one view of a segment: who holds them, what each document gains by them, where they stand.

What a word of very many documents gives is kept a second time with one entry a document, which is added up ten
times faster than document by document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.engines.columns.postings import counts_of, entries_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opendata.search.engines.columns.arrays_file import Array

_READ_AT_ONCE: Final = 2048


class ScoredWords:
    def __init__(self, arrays: Mapping[str, Array], name: str) -> None:
        self._at = arrays[f"{name}.at"]
        self._starts = self._at.data  # which gives out plain numbers, twice as fast
        self._documents = arrays[f"{name}.documents"]
        self._gains = arrays[f"{name}.gains"]
        self._fields = arrays[f"{name}.fields"]
        self._rarest = arrays[f"{name}.rarest"].data
        frequent = arrays[f"{name}.frequent"].tolist()
        rows = arrays[f"{name}.everywhere"]
        self._everywhere = (
            dict(zip(frequent, rows.reshape(len(frequent), -1), strict=True)) if frequent else {}
        )
        self._most: dict[int, int] = {}

    def rarest(self, number: int) -> int:
        """How many documents hold a term in the texts of the boost where it is rarest."""
        rarest: int = self._rarest[number]
        return rarest

    def frequency(self, number: int) -> int:
        """How many documents, deleted ones included, hold a term."""
        return int(self._starts[number + 1] - self._starts[number])

    def frequencies(self, numbers: range) -> Array:
        return counts_of(self._at[numbers.start : numbers.stop + 1])

    def entries(self, number: int) -> tuple[Array, Array, Array]:
        """The documents of a term, in order, their gains in steps, and the bits of the boosts it stands in."""
        of = self._of(number)
        return self._documents[of], self._gains[of], self._fields[of]

    def gained(self, number: int) -> tuple[Array, Array]:
        """The documents of a term, in order, and their gains in steps."""
        of = self._of(number)
        return self._documents[of], self._gains[of]

    def _of(self, number: int) -> slice:
        return slice(self._starts[number], self._starts[number + 1])

    def mark(self, flags: Array, number: int) -> None:
        """True for each document of a term."""
        row = self._everywhere.get(number)
        if row is None:
            flags[self._documents[self._of(number)].astype(np.intp)] = (
                True  # as numpy wants it, twice as fast
            )
        else:
            np.logical_or(flags, row, out=flags)

    def mark_all(self, flags: Array, numbers: range) -> None:
        """True for each document of any of these terms, in time that grows with their entries."""
        documents = self._documents[entries_of(self._at, numbers.start, numbers.stop)]
        flags[documents.astype(np.intp)] = True

    def row(self, number: int) -> Array | None:
        """What each document of the segment gains by a frequent term, in steps; None for other terms."""
        return self._everywhere.get(number)

    def most(self, number: int) -> int:
        """The most steps that any document gains by a frequent term."""
        known = self._most.get(number)
        if known is None:
            known = self._most[number] = int(self._everywhere[number].max())
        return known


class Places:
    """Where each word stands, so that words in a row are found."""

    def __init__(self, arrays: Mapping[str, Array], name: str) -> None:
        self._at = arrays[f"{name}.places_at"]
        self._places = arrays[f"{name}.places"]
        self._document_starts = arrays[f"{name}.document_starts"]

    def of(self, number: int) -> Array:
        """In order."""
        return self._places[entries_of(self._at, number, number + 1)]

    def documents_with(self, places: Sequence[Array]) -> Array:
        """The documents in which the n-th list has a place n after one of the first."""
        return self._documents_at(_first_places(places))

    def documents_with_any(self, places: Sequence[Array], last: range) -> Iterator[Array]:
        """The same, any of these words coming last; some at a time, a document may come again."""
        found = self._places[entries_of(self._at, last.start, last.stop)]
        if places:
            first = _first_places(places)
            if len(last) == 1:
                found = first[_are_in(first + len(places), found)]
            else:
                # Sorting them would take longer than a table of all places.
                stands = np.zeros(int(self._document_starts[-1]) + len(places) + 1, bool)
                stands[found] = True
                found = first[stands[first + len(places)]]
        for start in range(0, len(found), _READ_AT_ONCE):
            yield self._documents_at(found[start : start + _READ_AT_ONCE])

    def _documents_at(self, places: Array) -> Array:
        return np.searchsorted(self._document_starts, places, side="right") - 1


def _first_places(places: Sequence[Array]) -> Array:
    """Those of the first list that a place of the n-th follows n places later; the shortest list decides."""
    rarest = min(range(len(places)), key=lambda number: len(places[number]))
    first = places[rarest].astype(np.int64) - rarest
    for number, others in enumerate(places):
        if number != rarest and len(first):
            first = first[_are_in(first + number, others)]
    return first


def _are_in(wanted: Array, ordered: Array) -> Array:
    """Which of these numbers are in an ordered list."""
    if not len(ordered):
        return np.zeros(len(wanted), bool)
    at = np.searchsorted(ordered, wanted)
    at[at == len(ordered)] = 0
    return np.asarray(ordered[at] == wanted)
