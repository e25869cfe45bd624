"""How many of some documents of a segment have each value of each facet, all facets at once.

What a document has of a facet (one value, several, none) is one number, its choice; what it has of several facets
is again one number, its combination. Of all that could be, few combinations come up: each is counted once, and
how many documents have a value is the sum over the combinations with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.engines.columns.listed import Some
from opendata.search.engines.columns.postings import entries_of_lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags, Listed

# Facets are counted together as long as no more combinations of what documents have of them come up.
_MOST_TOGETHER: Final = 8192
# So many numbers are put in order faster by a table than by sorting them.
_MOST_IN_TABLE: Final = 1 << 20
# Of more than one in so many documents the list is made only to count them.
_MANY: Final = 8
# A facet of so few values is counted alone with a bit a document for each: 8 KB a value in a segment of 65,536.
_MOST_ROWS: Final = 32


@dataclass(frozen=True, slots=True)
class _Choices:
    """For each document the number of what it has of a facet. The values of choice n stand in `held` from `at[n]` on."""

    name: str
    of: Array
    at: Array
    held: Array
    values: int

    @property
    def count(self) -> int:
        return len(self.at) - 1

    def values_of(self, choices: Array) -> tuple[Array, Array]:
        """The values of these choices, each with the place of its choice among them."""
        lengths = self.at[choices + 1] - self.at[choices]
        places = np.repeat(np.arange(len(choices)), lengths)
        return places, self.held[entries_of_lists(self.at[choices], lengths)]


@dataclass(frozen=True, slots=True)
class _Together:
    """Some facets, and for each document its combination. `choices` has a row a combination, a column a facet."""

    facets: Sequence[_Choices]
    of: Array
    choices: Array

    @classmethod
    def alone(cls, facet: _Choices) -> _Together:
        return cls([facet], facet.of, np.arange(facet.count)[:, None])

    def joined(self, facet: _Choices) -> _Together:
        found, of = _numbered(
            self.of.astype(np.int64) * facet.count + facet.of, len(self.choices) * facet.count
        )
        before, choice = np.divmod(found, facet.count)
        return _Together([*self.facets, facet], _narrow(of), np.column_stack([self.choices[before], choice]))


class _Sums:
    """Counts the values of all facets of some groups at once: combinations and values are numbered through."""

    def __init__(self, groups: Sequence[_Together]) -> None:
        firsts = np.cumsum([0, *(len(group.choices) for group in groups)])
        of = [group.of + first for group, first in zip(groups, firsts, strict=False)]
        numbers = _narrow(np.column_stack(of))
        self._kind = numbers.dtype
        self._of = _as_one(numbers)
        # No document has the combination after the last: every value has it, so that none is without any.
        self._count = int(firsts[-1]) + 1
        self._bounds: dict[str, slice] = {}
        values, combinations, known = [], [], 0
        for group, first in zip(groups, firsts, strict=False):
            for facet, choices in zip(group.facets, group.choices.T, strict=True):
                places, held = facet.values_of(choices)
                own = np.arange(facet.values)
                values += [held + known, own + known]
                combinations += [places + first, np.full(len(own), firsts[-1])]
                self._bounds[facet.name] = slice(known, known + len(own))
                known += len(own)
        value = np.concatenate(values)
        self._combinations = np.concatenate(combinations)[np.argsort(value, kind="stable")]
        lengths = np.bincount(value, minlength=known)
        self._starts = np.cumsum(lengths) - lengths

    def counts(self, among: Some | None) -> dict[str, Array]:
        """How many of these documents have each value of each facet; of all without any."""
        if among is None:
            of = self._of
        elif _MANY * among.count < len(self._of):
            of = self._of.take(among.documents, axis=0)
        else:  # without a list of them, which takes as long as the rest
            of = self._of.compress(among.flags, axis=0)
        held = np.bincount(of.view(self._kind).ravel(), minlength=self._count)
        sums = np.add.reduceat(held.take(self._combinations), self._starts)
        return {name: sums[bounds] for name, bounds in self._bounds.items()}


class _Bits:
    """Counts the few values of one facet: for each value a bit a document."""

    def __init__(self, name: str, listed: Listed) -> None:
        self._name = name
        self._rows = np.stack([_words(listed.any_of([value])) for value in listed.values])

    def counts(self, flags: Flags) -> dict[str, Array]:
        held = np.bitwise_count(self._rows & _words(flags))
        return {self._name: held.sum(axis=1, dtype=np.int64)}


class FacetCounts:
    def __init__(self, facets: Mapping[str, Listed], count: int) -> None:
        self._facets = facets
        self._documents = count
        self._single: dict[str, _Sums] = {}
        self._bits: dict[str, _Bits] = {}

    def counts(self, among: Some, facet: str | None = None) -> dict[str, Array]:
        """For each facet, or only for one, how many of these documents have each of its values."""
        if not self._facets:
            return {}
        if facet is not None and 0 < len(self._facets[facet].values) <= _MOST_ROWS:
            return self._bits_of(facet).counts(among.flags)
        sums = self._alone(facet) if facet is not None else self._together
        if 2 * among.count <= self._documents:
            return sums.counts(among)
        others = sums.counts(Some(~among.flags))
        return {name: self._all[name] - counts for name, counts in others.items()}

    @cached_property
    def _all(self) -> dict[str, Array]:
        return self._together.counts(None)

    def _bits_of(self, facet: str) -> _Bits:
        known = self._bits.get(facet)
        if known is None:
            known = self._bits[facet] = _Bits(facet, self._facets[facet])
        return known

    def _alone(self, facet: str) -> _Sums:
        known = self._single.get(facet)
        if known is None:
            known = self._single[facet] = _Sums([_Together.alone(self._choices[facet])])
        return known

    @cached_property
    def _choices(self) -> dict[str, _Choices]:
        return {name: _choices(name, listed, self._documents) for name, listed in self._facets.items()}

    @cached_property
    def _together(self) -> _Sums:
        groups: list[_Together] = []
        for each in sorted(self._choices.values(), key=lambda one: one.count):
            joined = groups[-1].joined(each) if groups else None
            if joined is not None and len(joined.choices) <= _MOST_TOGETHER:
                groups[-1] = joined
            else:
                groups.append(_Together.alone(each))
        return _Sums(groups)


def _choices(name: str, listed: Listed, documents: int) -> _Choices:
    """Documents with the same values have the same choice. Each value is a choice, nothing is one, then sets follow."""
    values, of = listed.entries()
    count = len(listed.values)
    entries = np.sort(of * max(count, 1) + values)
    values = (entries % max(count, 1)).astype(np.uint32)
    lengths = np.bincount(of, minlength=documents)
    firsts = np.cumsum(lengths) - lengths
    choice = np.full(documents, count, np.int64)
    single = lengths == 1
    choice[single] = values[firsts[single]]
    sets: dict[bytes, int] = {}
    several = np.flatnonzero(lengths > 1)
    content, width = values.tobytes(), values.itemsize
    begins = (firsts[several] * width).tolist()
    ends = ((firsts[several] + lengths[several]) * width).tolist()
    choice[several] = [
        count + 1 + sets.setdefault(content[begin:end], len(sets))
        for begin, end in zip(begins, ends, strict=True)
    ]
    sizes = [*[1] * count, 0, *(len(held) // width for held in sets)]
    flat = np.concatenate([np.arange(count), np.frombuffer(b"".join(sets), values.dtype)])
    return _Choices(name, _narrow(choice), np.cumsum([0, *sizes]), flat.astype(np.int64), count)


def _numbered(keys: Array, most: int) -> tuple[Array, Array]:
    """Which keys there are, in order, and of each key given its place among them. All are below `most`."""
    if most > _MOST_IN_TABLE:
        found, places = np.unique(keys, return_inverse=True)
        return found, places
    table = np.zeros(most, np.intp)
    table[keys] = 1
    found = np.flatnonzero(table)
    table[found] = np.arange(len(found))
    return found, table[keys]


def _words(flags: Flags) -> Array:
    """A bit a document, 64 in a number."""
    bits = np.zeros(-(-len(flags) // 64) * 8, np.uint8)
    bits[: -(-len(flags) // 8)] = np.packbits(flags)
    return bits.view(np.uint64)


def _narrow(numbers: Array) -> Array:
    return numbers.astype(np.uint16 if not numbers.size or numbers.max() < 1 << 16 else np.uint32)


def _as_one(rows: Array) -> Array:
    """Each row as one number where it has the size of one: so they are taken three times as fast."""
    kind = {2: np.uint16, 4: np.uint32, 8: np.uint64}.get(rows.shape[1] * rows.itemsize)
    return rows if kind is None else rows.view(kind)
