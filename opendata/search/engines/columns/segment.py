"""One segment as it lies on disk: which documents hold a word, a phrase, a beginning, a value of a facet.

Answers are arrays with one entry a document (`bool`, written Flags below). A segment never changes, so what was
worked out for words that many documents hold is kept with it. Which of its documents were deleted since is
said by the commit, not here.
"""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from opendata.search.analysis import View, pairs
from opendata.search.engines.columns.arrays_file import open_arrays
from opendata.search.engines.columns.postings import of_term
from opendata.search.engines.columns.strings import Strings, Terms
from opendata.search.fields import LINES, scoring_field
from opendata.search.query import PRIOR_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.port import IndexSchema

T = TypeVar("T")
Flags = np.ndarray[Any, np.dtype[np.bool_]]

_MANY_IDS: Final = 1000
_MOST_KEPT: Final = 256
_WORTH_KEEPING: Final = 512  # postings
_MOST_GAINS: Final = 96
_FEW_VALUES: Final = 96
# A term in less than a sixteenth of the documents is added one by one.
_FEW: Final = 16
_ABOUT: Final = 0.001


class Segment:
    def __init__(self, schema: IndexSchema, name: str, arrays: dict[str, Array]) -> None:
        self.name = name
        self.arrays = arrays
        self.count = len(self.arrays["prior"])
        self.facets = {name: Listed(self.arrays, f"listed.{name}", self.count) for name in schema.facets}
        self.access = Listed(self.arrays, "listed.access", self.count)
        self._boosts = tuple(schema.boosts())
        self.terms = {view: Terms(self.arrays, str(view)) for view in View}
        self._kept_flags: dict[object, Flags] = {}
        self._kept_gains: dict[tuple[View, int], tuple[tuple[float, ...], Array]] = {}

    @classmethod
    def open(cls, schema: IndexSchema, path: Path) -> Segment:
        """DamagedIndexError, FileNotFoundError."""
        return cls(schema, path.stem, open_arrays(path))

    # Documents

    @cached_property
    def ids(self) -> Strings:
        return Strings(self.arrays, "ids")

    @cached_property
    def kept_texts(self) -> Strings:
        """Compressed."""
        return Strings(self.arrays, "kept")

    def id(self, document: int) -> str:
        return self.ids.at(document).decode()

    def kept(self, document: int) -> str:
        return zlib.decompress(self.kept_texts.at(document)).decode()

    def numbers_of(self, ids: Sequence[str]) -> list[int]:
        """The documents with these ids, of those that are here."""
        if len(ids) > _MANY_IDS:
            wanted_all = {name.encode() for name in ids}
            return [number for number, name in enumerate(self.ids.all()) if name in wanted_all]
        order = self.arrays["ids.order"]
        found = []
        for name in ids:
            wanted, low, high = name.encode(), 0, len(order)
            while low < high:
                middle = (low + high) // 2
                if self.ids.at(order[middle]) < wanted:
                    low = middle + 1
                else:
                    high = middle
            if low < len(order) and self.ids.at(order[low]) == wanted:
                found.append(int(order[low]))
        return found

    # Words

    def holding(self, word: str) -> Flags:
        """Which documents hold a folded word in any text."""
        return self._of_term(View.FOLDED, self.terms[View.FOLDED].find(word))

    def beginning(self, prefix: str) -> Flags:
        numbers = self.terms[View.FOLDED].beginning(prefix)
        flags = np.zeros(self.count, bool)
        if numbers:
            for boost in self._boosts:
                name = scoring_field(View.FOLDED, boost)
                at = self.arrays[f"{name}.at"]
                flags[self.arrays[f"{name}.documents"][at[numbers.start] : at[numbers.stop]]] = True
        return flags

    def phrase(self, words: Sequence[str]) -> Flags:
        """Which documents have these folded words one after the other in one text."""
        if len(words) == 1:
            return self.holding(words[0])
        known = self._kept_flags.get(tuple(words))
        if known is not None:
            return known
        numbers = [self.terms[View.PAIRS].find(pair) for pair in pairs(words)]
        if min(numbers) < 0:
            return np.zeros(self.count, bool)
        if len(numbers) == 1:
            return self._of_term(View.PAIRS, numbers[0])
        flags = np.zeros(self.count, bool)
        for boost in self._boosts:
            name = scoring_field(View.PAIRS, boost)
            flags[self._in_a_row(name, [of_places(self.arrays, name, number) for number in numbers])] = True
        return self._keep(tuple(words), flags)

    def within(self, boost: float, words: Sequence[str]) -> Flags:
        """Which documents hold all these words, neighbours as neighbours, in texts of one boost."""
        flags = np.ones(self.count, bool)
        wanted = [(View.FOLDED, word) for word in words] + [(View.PAIRS, pair) for pair in pairs(words)]
        for view, term in wanted:
            here = np.zeros(self.count, bool)
            number = self.terms[view].find(term)
            if number >= 0:
                name = scoring_field(view, boost)
                here[self.arrays[f"{name}.documents"][of_term(self.arrays, name, number)]] = True
            flags &= here
        return flags

    def listed(self, name: str) -> Listed:
        """A facet by its name, or `access`."""
        return self.access if name == "access" else self.facets[name]

    def find(self, view: View, term: str) -> int:
        return self.terms[view].find(term)

    def frequency(self, view: View, boost: float, number: int) -> int:
        """How many documents, deleted ones included, hold a term in the texts of a boost."""
        at = self.arrays[f"{scoring_field(view, boost)}.at"]
        return int(at[number + 1]) - int(at[number])

    def postings(self, view: View, boost: float, number: int) -> tuple[Array, Array]:
        """The documents of a term and their gains in steps."""
        name = scoring_field(view, boost)
        of = of_term(self.arrays, name, number)
        return self.arrays[f"{name}.documents"][of], self.arrays[f"{name}.gains"][of]

    def add_gains(
        self, total: Array, scratch: Array, view: View, number: int, weight: float, steps: tuple[float, ...]
    ) -> None:
        """Add to each document what it gains by a term; `steps`: how much a step is worth for each boost.

        What a term of very many documents gives to each of them is kept, as long as about the same is asked.
        """
        found = [
            (*self.postings(view, boost, number), np.float32(step))
            for boost, step in zip(self._boosts, steps, strict=True)
            if step
        ]
        if sum(len(documents) for documents, _, _ in found) * _FEW < self.count:
            for documents, gains, step in found:
                total[documents] += gains * (step * np.float32(weight))
            return
        known = self._kept_gains.get((view, number))
        if known is None or not np.allclose(known[0], steps, rtol=_ABOUT, atol=0.0):
            given = np.zeros(self.count, np.float32)
            for documents, gains, step in found:
                given[documents] += gains * step
            known = _kept(self._kept_gains, (view, number), (steps, given), _MOST_GAINS)
        np.multiply(known[1], np.float32(weight), out=scratch)
        total += scratch

    @cached_property
    def lifts(self) -> Array:
        """By what each document's prior multiplies its score: as `lifted` does."""
        return 1 + np.float32(PRIOR_WEIGHT) * self.arrays["prior"]

    def words(self, first: str) -> list[tuple[str, int]]:
        """All folded words that begin so, and how many documents at most hold them."""
        numbers = self.terms[View.FOLDED].beginning(first)
        held = np.zeros(len(numbers), np.int64)
        for boost in self._boosts if numbers else ():
            at = self.arrays[f"{scoring_field(View.FOLDED, boost)}.at"][numbers.start : numbers.stop + 1]
            held += at[1:].astype(np.int64) - at[:-1].astype(np.int64)
        return list(zip(self.terms[View.FOLDED].within(numbers), held.tolist(), strict=True))

    def _of_term(self, view: View, number: int) -> Flags:
        """Which documents hold the term in any text."""
        if number < 0:
            return np.zeros(self.count, bool)
        known = self._kept_flags.get((view, number))
        if known is not None:
            return known
        flags, counted = np.zeros(self.count, bool), 0
        for boost in self._boosts:
            name = scoring_field(view, boost)
            documents = self.arrays[f"{name}.documents"][of_term(self.arrays, name, number)]
            flags[documents] = True
            counted += len(documents)
        return self._keep((view, number), flags) if counted > _WORTH_KEEPING else flags

    def _keep(self, key: object, flags: Flags) -> Flags:
        """For the next who asks."""
        flags.flags.writeable = False
        return _kept(self._kept_flags, key, flags, _MOST_KEPT)

    def _in_a_row(self, name: str, places: list[Array]) -> Array:
        """The documents in which the n-th list has a place n after one of the first; the shortest list decides."""
        rarest = min(range(len(places)), key=lambda number: len(places[number]))
        first = places[rarest].astype(np.int64) - rarest
        for number, others in enumerate(places):
            if number != rarest and len(first):
                first = first[_are_in(first + number, others)]
        return np.searchsorted(self.arrays[f"{name}.document_starts"], first, side="right") - 1

    # Lines to suggest

    @cached_property
    def suggestions(self) -> Terms:
        return Terms(self.arrays, "listed.suggestions")

    def suggestion_counts(self, numbers: range, visible: Flags) -> Array:
        """For each of these terms how many visible documents have it."""
        at = self.arrays["listed.suggestions.at"][numbers.start : numbers.stop + 1].astype(np.int64)
        seen = visible[self.arrays["listed.suggestions.documents"][at[0] : at[-1]]]
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(seen)])
        counts: Array = before[at[1:] - at[0]] - before[at[:-1] - at[0]]
        return counts

    @cached_property
    def line_terms(self) -> Terms:
        return Terms(self.arrays, LINES)

    def lines_with(self, words: Sequence[str]) -> Array:
        """The documents with a long line in which these words follow each other, the last perhaps only begun."""
        *whole, last = words
        numbers = [self.line_terms.find(word) for word in whole]
        begun = self.line_terms.beginning(last)
        if not begun or min(numbers, default=0) < 0:
            return np.zeros(0, np.int64)
        at = self.arrays[f"{LINES}.places_at"]
        ends = self.arrays[f"{LINES}.places"][at[begun.start] : at[begun.stop]]
        places = [of_places(self.arrays, LINES, number) for number in numbers]
        return np.unique(self._in_a_row(LINES, [*places, np.sort(ends)]))

    # Orders

    def key_places(self, name: str) -> Array:
        """For each document the place of its sort key among all here, -1 where it has none."""
        return self.arrays[f"key.{name}"]

    @cached_property
    def keys(self) -> dict[str, Strings]:
        names = [name[4:-6] for name in self.arrays if name.startswith("key.") and name.endswith(".bytes")]
        return {name: Strings(self.arrays, f"key.{name}") for name in names}

    def with_number(self, name: str, value: float) -> Array:
        """The documents of which a number is exactly this one."""
        order, values = self._by_number(name)
        low, high = np.searchsorted(values, [value, np.nextafter(value, np.inf)])
        return order[low:high]

    def _by_number(self, name: str) -> tuple[Array, Array]:
        known = self._ordered.get(name)
        if known is None:
            values = self.arrays[f"number.{name}"]
            order = np.argsort(values, kind="stable")
            known = self._ordered[name] = (order, values[order])
        return known

    @cached_property
    def _ordered(self) -> dict[str, tuple[Array, Array]]:
        return {}


class Listed:
    """Values of which each document has any number: the choices of a facet, or who may see it."""

    def __init__(self, arrays: dict[str, Array], name: str, count: int) -> None:
        self._arrays = arrays
        self._name = name
        self._documents = count
        self.values = [value.decode() for value in Strings(arrays, name).all()]
        self._numbers = {value: number for number, value in enumerate(self.values)}

    def any_of(self, values: Sequence[str]) -> Flags:
        """Which documents have one of these values."""
        flags = np.zeros(self._documents, bool)
        for value in values:
            number = self._numbers.get(value)
            if number is not None:
                flags[self._arrays[f"{self._name}.documents"][of_term(self._arrays, self._name, number)]] = (
                    True
                )
        return flags

    def counts(self, among: Flags, packed: Array) -> Array:
        """How many of these documents have each value; `packed`: the same flags, eight to a byte."""
        if len(self.values) <= _FEW_VALUES:
            return np.bitwise_count(self._packed & packed.view(np.uint64)).sum(axis=1, dtype=np.uint32)
        values, of = self._entries
        return np.bincount(values[among[of]], minlength=len(self.values))

    @cached_property
    def _packed(self) -> Array:
        """For each value the documents that have it, eight to a byte."""
        made = np.zeros((len(self.values), packed_bytes(self._documents)), np.uint8)
        for number, value in enumerate(self.values):
            made[number] = packed(self.any_of((value,)))
        return made.view(np.uint64)

    @cached_property
    def _entries(self) -> tuple[Array, Array]:
        """Each value of each document, as numpy wants them for counting."""
        values, of = self._arrays[f"{self._name}.values"], self._arrays[f"{self._name}.of"]
        return values.astype(np.intp), of.astype(np.intp)


def packed_bytes(documents: int) -> int:
    return -(-documents // 64) * 8


def packed(flags: Flags) -> Array:
    """Flags, eight to a byte, up to a multiple of eight bytes."""
    made = np.zeros(packed_bytes(len(flags)), np.uint8)
    made[: -(-len(flags) // 8)] = np.packbits(flags)
    return made


def _kept(memory: dict[Any, T], key: object, value: T, most: int) -> T:
    """Remembers; of more than `most` the oldest goes."""
    memory[key] = value
    while len(memory) > most:
        memory.pop(next(iter(memory)), None)
    return value


def of_places(arrays: dict[str, Array], name: str, number: int) -> Array:
    at = arrays[f"{name}.places_at"]
    return arrays[f"{name}.places"][int(at[number]) : int(at[number + 1])]


def _are_in(wanted: Array, ordered: Array) -> Flags:
    """Which of these numbers are in an ordered list."""
    if not len(ordered):
        return np.zeros(len(wanted), bool)
    at = np.searchsorted(ordered, wanted)
    at[at == len(ordered)] = 0
    return np.asarray(ordered[at] == wanted)
