"""How many of some documents of a segment have each value of each facet, all facets at once.

What a document has of a facet (one value, several, none) is one number, its choice; what it has of several facets
is again one number. So all facets of few values are counted together, and each one's counts are sums of those.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Listed, Some

# Facets are counted together as long as there are no more combinations of what documents have of them.
_MOST_TOGETHER: Final = 4096


@dataclass(frozen=True, slots=True)
class _Choices:
    """For each document the number of what it has of a facet; `holding` has a row a choice, a column a value."""

    name: str
    of: Array
    holding: Array

    @property
    def count(self) -> int:
        return len(self.holding)


@dataclass(frozen=True, slots=True)
class _Together:
    """Some facets, and for each document what it has of all of them as one number."""

    facets: Sequence[_Choices]
    of: Array
    count: int

    def counts(self, documents: Array | None) -> dict[str, Array]:
        """How many of these documents have each value of each facet; of all without any."""
        held = np.bincount(
            self.of if documents is None else self.of.take(documents), minlength=self.count
        ).reshape([each.count for each in self.facets])
        counted = {}
        for place, each in enumerate(self.facets):
            others = tuple(other for other in range(len(self.facets)) if other != place)
            counted[each.name] = held.sum(axis=others) @ each.holding
        return counted


class FacetCounts:
    def __init__(self, facets: Mapping[str, Listed], count: int) -> None:
        self._facets = facets
        self._documents = count

    def counts(self, among: Some, facet: str | None = None) -> dict[str, Array]:
        """For each facet, or only for one, how many of these documents have each of its values."""
        groups = [self._alone(facet)] if facet is not None else self._groups
        if 2 * among.count <= self._documents:
            return _counts(groups, among.documents)
        others = _counts(groups, np.flatnonzero(~among.flags))
        return {name: self._all[name] - counts for name, counts in others.items()}

    @cached_property
    def _all(self) -> dict[str, Array]:
        return _counts(self._groups, None)

    def _alone(self, facet: str) -> _Together:
        each = self._choices[facet]
        return _Together([each], each.of, each.count)

    @cached_property
    def _choices(self) -> dict[str, _Choices]:
        return {name: _choices(name, listed, self._documents) for name, listed in self._facets.items()}

    @cached_property
    def _groups(self) -> list[_Together]:
        groups: list[_Together] = []
        for each in sorted(self._choices.values(), key=lambda one: one.count):
            last = groups[-1] if groups else None
            if last is not None and last.count * each.count <= _MOST_TOGETHER:
                joined = last.of.astype(np.uint32) * each.count + each.of
                groups[-1] = _Together([*last.facets, each], _narrow(joined), last.count * each.count)
            else:
                groups.append(_Together([each], each.of, each.count))
        return groups


def _counts(groups: Sequence[_Together], documents: Array | None) -> dict[str, Array]:
    counted: dict[str, Array] = {}
    for together in groups:
        counted |= together.counts(documents)
    return counted


def _choices(name: str, listed: Listed, documents: int) -> _Choices:
    """Documents with the same values have the same choice."""
    values, of = listed.entries()
    values = values[np.argsort(of, kind="stable")]
    lengths = np.bincount(of, minlength=documents)
    firsts = np.cumsum(lengths) - lengths
    choice = np.full(documents, len(listed.values), np.int64)
    single = lengths == 1
    choice[single] = values[firsts[single]]
    sets: dict[tuple[int, ...], int] = {}
    for document in np.flatnonzero(lengths > 1).tolist():
        held = tuple(sorted(values[firsts[document] : firsts[document] + lengths[document]].tolist()))
        choice[document] = len(listed.values) + 1 + sets.setdefault(held, len(sets))
    holding = np.zeros((len(listed.values) + 1 + len(sets), len(listed.values)), np.int64)
    np.fill_diagonal(holding, 1)
    for held, number in sets.items():
        holding[len(listed.values) + 1 + number, list(held)] = 1
    return _Choices(name, _narrow(choice), holding)


def _narrow(numbers: Array) -> Array:
    return numbers.astype(np.uint16 if not len(numbers) or numbers.max() < 1 << 16 else np.uint32)
