"""One segment as it lies on disk: which documents hold a word, a phrase, a beginning, a value of a facet.

Answers are arrays with one entry a document (`bool`, written Flags below). A segment never changes, so what was
worked out for words that many documents hold is kept with it. Which of its documents were deleted since is
said by the commit, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.kernel.recent import MostRecent
from opendata.search.analysis import View, pairs
from opendata.search.engines.columns.arrays_file import open_arrays
from opendata.search.engines.columns.facets import FacetCounts
from opendata.search.engines.columns.listed import Listed
from opendata.search.engines.columns.postings import counts_of, entries_of_lists
from opendata.search.engines.columns.scored_words import Places, ScoredWords
from opendata.search.engines.columns.strings import PairNumbers, Strings, Terms
from opendata.search.fields import LINES, Kept, KeptForm
from opendata.search.nearness import WordList
from opendata.search.query import PRIOR_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.told import Asked, Told
    from opendata.search.port import IndexSchema


_MANY_IDS: Final = 1000
_MOST_KEPT: Final = 512  # of 8 KB in a segment of 65,536
_MOST_READ: Final = 256  # of about 4 KB: the first page of a subject is asked for again and again
_MOST_TOLD: Final = 288  # of about 16 KB, and the query
_WORTH_KEEPING: Final = 512  # postings
# Of a beginning of more lines than these the most frequent are kept, for so many beginnings.
_MANY_LINES: Final = 8192
_MOST_FREQUENT: Final = 64


@dataclass(frozen=True, slots=True)
class _Frequent:
    """The lines of one beginning that most documents have, in order, and the documents of all of them in a row.

    `at`: where those of each line begin. `others`: no other line of this beginning has more documents.
    """

    lines: list[str]
    documents: Array
    at: Array
    others: int


class Segment:
    def __init__(self, schema: IndexSchema, name: str, arrays: dict[str, Array]) -> None:
        self.name = name
        self.arrays = arrays
        self.count = len(self.arrays["prior"])
        self.facets = {name: Listed(self.arrays, f"listed.{name}", self.count) for name in schema.facets}
        self.facet_counts = FacetCounts(self.facets, self.count)
        self.access = Listed(self.arrays, "listed.access", self.count)
        self.terms = {view: Terms(self.arrays, str(view)) for view in (View.EXACT, View.FOLDED)}
        self._pairs = PairNumbers(arrays[f"{View.PAIRS}.keys"])
        self._kept_flags: MostRecent[object, Array] = MostRecent(_MOST_KEPT)
        self._bits = {boost: 1 << place for place, boost in enumerate(schema.boosts())}
        self._form = KeptForm(schema)
        self._read: MostRecent[int, Kept] = MostRecent(_MOST_READ)
        self._words = {view: ScoredWords(arrays, str(view)) for view in View}
        self._places = Places(arrays, str(View.PAIRS))
        self.told: MostRecent[Asked, Told] = MostRecent(_MOST_TOLD)
        """What it said to searches: of use as long as the segment is; see `told`."""

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
        return Strings(self.arrays, "kept")

    def id(self, document: int) -> str:
        return self.ids.at(document).decode()

    def kept(self, document: int) -> Kept:
        known = self._read.get(document)
        if known is None:
            known = self._form.of(self.kept_texts.at(document))
            self._read.put(document, known)
        return known

    def told_of(self, document: int, names: Sequence[str]) -> tuple[str, Mapping[str, object]]:
        """The id of a document and some of what comes back with it, all where nothing is named."""
        return self.id(document), self._form.told(self.kept_texts.at(document), names)

    def lines_of(self, document: int) -> list[str]:
        """The long lines to suggest that a document has."""
        return self._form.lines(self.kept_texts.at(document))

    def numbers_of(self, ids: Sequence[str]) -> list[int]:
        """All documents with these ids, deleted ones included."""
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
            # An id comes again where one load named it twice.
            while low < len(order) and self.ids.at(order[low]) == wanted:
                found.append(int(order[low]))
                low += 1
        return found

    def listed(self, name: str) -> Listed:
        """A facet by its name, or `access`."""
        return self.access if name == "access" else self.facets[name]

    # Words

    def holding(self, word: str) -> Flags:
        """Which documents hold a folded word in any text."""
        return self._of_term(View.FOLDED, self.terms[View.FOLDED].find(word))

    def beginning(self, prefix: str) -> Flags:
        """Which documents hold a folded word that begins so."""
        known = self._kept((View.FOLDED, prefix))
        if known is not None:
            return known
        numbers = self.terms[View.FOLDED].beginning(prefix)
        flags = np.zeros(self.count, bool)
        if numbers:
            self._words[View.FOLDED].mark_all(flags, numbers)
        return self._keep((View.FOLDED, prefix), flags)

    def having(self, facet: str, values: Sequence[str]) -> Flags:
        """Which documents have one of these values of a facet."""
        key = ("facet", facet, tuple(values))
        known = self._kept(key)
        return self._keep(key, self.facets[facet].any_of(values)) if known is None else known

    def allowing(self, access: frozenset[str]) -> Flags:
        """Which documents somebody with these rights may see."""
        known = self._kept(access)
        return self._keep(access, self.access.any_of(sorted(access))) if known is None else known

    def phrase(self, words: Sequence[str]) -> Flags:
        """Which documents have these folded words one after the other in one text."""
        if len(words) == 1:
            return self.holding(words[0])
        known = self._kept(tuple(words))
        if known is not None:
            return known
        numbers = [self.find(View.PAIRS, pair) for pair in pairs(words)]
        if min(numbers) < 0:
            return np.zeros(self.count, bool)
        if len(numbers) == 1:
            return self._of_term(View.PAIRS, numbers[0])
        flags = np.zeros(self.count, bool)
        flags[self._places.documents_with([self._places.of(number) for number in numbers])] = True
        return self._keep(tuple(words), flags)

    def within(self, boost: float, words: Sequence[str]) -> Flags:
        """Which documents hold all these words, neighbours as neighbours, in texts of one boost."""
        flags = np.ones(self.count, bool)
        wanted = [(View.FOLDED, word) for word in words] + [(View.PAIRS, pair) for pair in pairs(words)]
        for view, term in wanted:
            here = np.zeros(self.count, bool)
            number = self.find(view, term)
            if number >= 0:
                documents, _, fields = self._words[view].entries(number)
                here[documents[(fields & self._bits[boost]) > 0]] = True
            flags &= here
        return flags

    def find(self, view: View, term: str) -> int:
        """The number of a term, -1 where it is none."""
        if view is not View.PAIRS:
            return self.terms[view].find(term)
        left, right = map(self.terms[View.FOLDED].find, term.split("_"))
        return self._pairs.find(left, right) if left >= 0 and right >= 0 else -1

    def words_of(self, view: View) -> ScoredWords:
        return self._words[view]

    def usual(self, view: View, terms: Sequence[str]) -> Array:
        """For each term, and each boost, how many documents hold it in such texts."""
        held = np.zeros((len(terms), len(self._bits)), np.int64)
        for row, term in enumerate(terms):
            number = self.find(view, term)
            if number >= 0:
                fields = self._words[view].entries(number)[2]
                held[row] = [np.count_nonzero(fields & bit) for bit in self._bits.values()]
        return held

    def words(self, first: str) -> list[tuple[str, int]]:
        """All folded words that begin so, and how many documents hold them."""
        numbers = self.terms[View.FOLDED].beginning(first)
        if not numbers:
            return []
        held = self._words[View.FOLDED].frequencies(numbers)
        return list(zip(self.terms[View.FOLDED].within(numbers), held.tolist(), strict=True))

    def word_list(self, first: str) -> WordList:
        """The same, to be searched for near ones; made once, since the segment never changes."""
        known = self._word_lists.get(first)
        if known is None:
            known = self._word_lists[first] = WordList(self.words(first))
        return known

    @cached_property
    def _word_lists(self) -> dict[str, WordList]:
        return {}

    @cached_property
    def prints(self) -> Array:
        """A number for each document that another one, or the same after a change, hardly has."""
        shown = zip(self.ids.all(), self.kept_texts.all(), self.arrays["prior"].tolist(), strict=True)
        return np.fromiter(map(hash, shown), np.int64, self.count)

    @cached_property
    def lifts(self) -> Array:
        """By what each document's prior multiplies its score: as `lifted` does."""
        return 1 + np.float32(PRIOR_WEIGHT) * self.arrays["prior"]

    def _of_term(self, view: View, number: int) -> Flags:
        """Which documents hold the term in any text."""
        if number < 0:
            return np.zeros(self.count, bool)
        known = self._kept((view, number))
        if known is not None:
            return known
        flags = np.zeros(self.count, bool)
        self._words[view].mark(flags, number)
        is_frequent = self._words[view].frequency(number) > _WORTH_KEEPING
        return self._keep((view, number), flags) if is_frequent else flags

    def _kept(self, key: object) -> Flags | None:
        known = self._kept_flags.get(key)
        return None if known is None else np.unpackbits(known, count=self.count).view(bool)

    def _keep(self, key: object, flags: Flags) -> Flags:
        """For the next who asks, a bit a document."""
        self._kept_flags.put(key, np.packbits(flags))
        return flags

    # Lines to suggest

    @cached_property
    def suggestions(self) -> Terms:
        return Terms(self.arrays, "listed.suggestions")

    def suggested(self, prefix: str, visible: Flags, most: int) -> tuple[list[str], list[int]]:
        """Lines that begin so and how many visible documents have each: all of few, of many those of most documents."""
        numbers = self.suggestions.beginning(prefix)
        if len(numbers) <= most:
            return list(self.suggestions.within(numbers)), self.suggestion_counts(numbers, visible).tolist()
        if len(numbers) <= _MANY_LINES:
            return self._most_seen(numbers, visible, most)
        key = prefix, most
        frequent = self._frequent.get(key)
        if frequent is None:
            frequent = self._most_frequent(numbers, most + most // 4)  # some of which may be hidden
            self._frequent.put(key, frequent)
        counts = np.add.reduceat(visible[frequent.documents], frequent.at, dtype=np.int64)
        best = np.argsort(-counts, kind="stable")[:most]
        if counts[best[-1]] >= frequent.others:
            return [frequent.lines[place] for place in best.tolist()], counts[best].tolist()
        # So much of what is frequent is hidden that other lines may be seen more often.
        return self._most_seen(numbers, visible, most)

    def _most_seen(self, numbers: range, visible: Flags, most: int) -> tuple[list[str], list[int]]:
        counts = self.suggestion_counts(numbers, visible)
        best = np.argsort(-counts, kind="stable")[:most]
        return self.suggestions.some(numbers, best), counts[best].tolist()

    def _most_frequent(self, numbers: range, most: int) -> _Frequent:
        at = self.arrays["listed.suggestions.at"][numbers.start : numbers.stop + 1].astype(np.int64)
        held = counts_of(at)
        least = np.partition(held, -most)[-most]
        above, equal = np.flatnonzero(held > least), np.flatnonzero(held == least)
        left = most - len(above)
        places = np.sort(np.concatenate([above, equal[:left]]))
        others = least if len(equal) > left else held[held < least].max(initial=0)
        held = held[places]
        begins = np.cumsum(held) - held
        entries = entries_of_lists(at[places], held)
        documents = self.arrays["listed.suggestions.documents"].take(entries)
        return _Frequent(self.suggestions.some(numbers, places), documents, begins, int(others))

    @cached_property
    def _frequent(self) -> MostRecent[tuple[str, int], _Frequent]:
        return MostRecent(_MOST_FREQUENT)

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

    def lines_with(self, words: Sequence[str], visible: Flags, most: int) -> list[int]:
        """Up to `most` visible documents with a long line in which these words follow each other, the last perhaps only begun."""
        *whole, last = words
        numbers = [self.line_terms.find(word) for word in whole]
        begun = self.line_terms.beginning(last)
        if not begun or min(numbers, default=0) < 0:
            return []
        found: dict[int, None] = {}
        for documents in self._line_places.documents_with_any(
            list(map(self._line_places.of, numbers)), begun
        ):
            found |= dict.fromkeys(documents[visible[documents]].tolist())
            if len(found) >= most:
                break
        return list(found)[:most]

    @cached_property
    def _line_places(self) -> Places:
        return Places(self.arrays, LINES)

    # Orders

    def key_places(self, name: str) -> Array:
        """For each document the place of its sort key among all here, -1 where it has none."""
        return self.arrays[f"key.{name}"]

    @cached_property
    def keys(self) -> dict[str, Strings]:
        names = [name[4:-6] for name in self.arrays if name.startswith("key.") and name.endswith(".bytes")]
        return {name: Strings(self.arrays, f"key.{name}") for name in names}

    def order(self, name: str, *, descending: bool) -> Array:
        """All documents by a number or a sort key, those without it last, equal ones as they stand."""
        known = self._orders.get((name, descending))
        if known is None:
            if f"number.{name}" in self.arrays:
                values = self.arrays[f"number.{name}"]
                values = -values if descending else values
            else:
                places = self.key_places(name).astype(np.int64)
                values = np.where(places < 0, len(self.keys[name]), -places if descending else places)
            order = np.argsort(values, kind="stable").astype(np.uint16)
            known = self._orders[name, descending] = order
        return known

    @cached_property
    def _orders(self) -> dict[tuple[str, bool], Array]:
        return {}

    def with_numbers(self, name: str, wanted: Array) -> tuple[Array, Array]:
        """The documents of which a number is exactly one of these (NaN for none), and the place of each one's number."""
        order, values = self._by_number(name)
        first = np.searchsorted(values, wanted)
        held = np.where(np.isnan(wanted), 0, np.searchsorted(values, np.nextafter(wanted, np.inf)) - first)
        places = np.repeat(np.arange(len(wanted)), held)
        return places, order[entries_of_lists(first, held)]

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
