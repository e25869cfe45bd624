"""The words of an index that are near a mistyped one: found in arrays, so that few are looked at in Python.

Each snapshot keeps a `WordList` for each first letter it was asked for; the speller (`suggest`) asks it. A list
says nothing of rights: `held` counts all documents, so whoever shows a word counts the visible ones first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from whoosh.support.levenshtein import damerau_levenshtein

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LETTERS: Final = 64  # bits; letters that share one only let a word pass that then fails


class WordList:
    """Words with how many documents at most hold them."""

    def __init__(self, counted: Iterable[tuple[str, int]]) -> None:
        alphabetic = [(word, held) for word, held in counted if word.isalpha()]
        self._words = [word for word, _ in alphabetic]
        self._held = [held for _, held in alphabetic]
        self._lengths = np.fromiter(map(len, self._words), np.int64, len(self._words))
        self._letters = np.fromiter(map(_letters, self._words), np.uint64, len(self._words))

    def near(self, word: str, most: int) -> Iterator[tuple[str, int, int]]:
        """(word, distance, held) of all other words in which at most `most` letters are wrong or swapped."""
        differing = np.bitwise_count(self._letters ^ np.uint64(_letters(word)))
        fits = (np.abs(self._lengths - len(word)) <= most) & (differing <= 2 * most)
        for place in np.flatnonzero(fits):
            other = self._words[place]
            distance = damerau_levenshtein(word, other, limit=most)
            if 0 < distance <= most:
                yield other, distance, self._held[place]


def _letters(word: str) -> int:
    """The set of a word's letters as bits; two such sets differ in no more bits than the words in letters."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) % _LETTERS)
    return bits
