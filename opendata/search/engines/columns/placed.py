"""What stands between two spaces → words as numbers, in order of reading; and the pairs of neighbours.

A document arrives as the numbers of its pieces, which the interpreter's own loops look up in one pass. What words a piece
stands for is written down once, so that the words of thousands of documents are copied out by whole arrays.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from opendata.search.analysis import View, pieces_of, words_of_piece
from opendata.search.completion import GAP_WORD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.search.engines.columns.arrays_file import Array

_MOST_PIECES: Final = 65_536
_MOST_TEXTS: Final = 2048
_SHORT_TEXT: Final = 300
# Stands between two texts of the same boost; it is a text of its own.
GAP: Final = 0


_Text = TypeVar("_Text", str, bytes)


class Numbers(dict[_Text, int]):
    """Gives each string the next number when it first comes."""

    def __missing__(self, text: _Text) -> int:
        number = self[text] = len(self)
        return number


class Lists:
    """Some numbers for each document, one list after the other."""

    def __init__(self) -> None:
        self.numbers = array("I")
        self.lengths = array("I")

    def add(self, numbers: Sequence[int]) -> None:
        self.numbers.extend(numbers)
        self.lengths.append(len(numbers))

    def documents(self) -> Array:
        """For each number the document it stands in."""
        lengths = np.asarray(self.lengths)
        return np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)


@dataclass(frozen=True, slots=True)
class Ragged:
    """For each piece some terms: those of piece `n` begin at `starts[n]` and are `counts[n]`."""

    terms: Array
    starts: Array
    counts: Array


class PieceTable(dict[str, int]):
    """Pieces by number. Those that came last are known by their letters; one may get another number later."""

    def __init__(self) -> None:
        super().__init__()
        self.words = {View.EXACT: Numbers[str](), View.FOLDED: Numbers[str]()}
        # Of each view the words of a piece, then what comes at the end of its text: codes, and stems.
        self._held = {View.EXACT: (Lists(), Lists()), View.FOLDED: (Lists(), Lists(), Lists())}
        self._texts: dict[str, array[int]] = {}
        self._count = 0
        self.has_gap = False
        """Whether any text follows another of the same boost."""
        self._add((), (), (GAP_WORD,), (), ())

    def numbers_of(self, text: str) -> array[int]:
        """The numbers of its pieces. Names of publishers, places and themes stand under many documents."""
        known = self._texts.get(text)
        if known is None:
            known = array("I", list(map(self.__getitem__, pieces_of(text))))
            if len(text) < _SHORT_TEXT:
                if len(self._texts) >= _MOST_TEXTS:
                    self._texts.clear()
                self._texts[text] = known
        return known

    def __missing__(self, piece: str) -> int:
        exact, folded, codes, folded_codes, stems = words_of_piece(piece)
        number = self._add(exact, codes, folded, folded_codes, stems)
        if len(self) >= _MOST_PIECES:
            self.clear()
        self[piece] = number
        return number

    def _add(self, *told: Sequence[str]) -> int:
        """The number of the piece added. `told`: words and codes as written, then words, codes and stems folded."""
        every = [(view, lists) for view, held in self._held.items() for lists in held]
        for (view, lists), words in zip(every, told, strict=True):
            lists.add(list(map(self.words[view].__getitem__, words)))
        self._count += 1
        return self._count - 1

    def in_order(self, view: View) -> tuple[list[str], list[Ragged]]:
        """All words in order, and for each piece the places of its words among them; then of what ends its text."""
        numbers = self.words[view]
        ordered = sorted(numbers)
        ranks = ranks_of(numbers, ordered)
        if view is View.FOLDED and not self.has_gap:
            place = bisect_left(ordered, GAP_WORD)
            del ordered[place]
            ranks -= ranks > place
        made = []
        for lists in self._held[view]:
            counts = np.array(lists.lengths, np.int64)
            made.append(Ragged(ranks[np.asarray(lists.numbers)], np.cumsum(counts) - counts, counts))
        return ordered, made


def ranks_of(numbers: Mapping[Any, int], ordered: Sequence[Any]) -> Array:
    """For each number the place of its string among them all in order."""
    ranks = np.empty(len(ordered), np.uint32)
    ranks[np.fromiter(map(numbers.__getitem__, ordered), np.int64, len(ordered))] = np.arange(
        len(ordered), dtype=np.uint32
    )
    return ranks


def read(pieces: Array, held: Array, words: Sequence[Ragged]) -> Array:
    """The terms of some texts in order of reading.

    `held`: for each field the number of its pieces. In each text the words come first, then what ends it.
    """
    zero = np.zeros(1, np.int64)
    fields = np.concatenate([zero, np.cumsum(held)])
    is_first = np.zeros(len(pieces) + 1, bool)
    is_first[fields] = True
    is_gap = pieces == GAP
    is_first[:-1] |= is_gap
    is_first[1:] |= is_gap
    first = np.flatnonzero(is_first[:-1])
    text = np.cumsum(is_first[:-1]) - 1
    counts = [one.counts[pieces] for one in words]
    before = [np.concatenate([zero, np.cumsum(count)]) for count in counts]
    in_text = [np.diff(sums[np.append(first, len(pieces))]) for sums in before]
    room = np.sum(in_text, axis=0, dtype=np.int64)
    begins = np.cumsum(room) - room
    terms = np.empty(int(room.sum()), np.uint32)
    for one, count, sums, taken in zip(words, counts, before, in_text, strict=True):
        if sums[-1]:
            running = np.arange(sums[-1])
            to = running + np.repeat((begins - sums[first])[text], count)
            terms[to] = one.terms[running + np.repeat(one.starts[pieces] - sums[:-1], count)]
        begins += taken
    return terms


def pair_keys(left: Array, right: Array) -> Array:
    """Two words as one number: in order as the pairs of words are."""
    keys = left.astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= right
    return keys


def pair_names(keys: Array, words: Sequence[str]) -> list[str]:
    left, right = (keys >> np.uint64(32)).tolist(), (keys & np.uint64(0xFFFF_FFFF)).tolist()
    return [f"{words[one]}_{words[other]}" for one, other in zip(left, right, strict=True)]
