"""The words of an index that are near a mistyped one: found in arrays, so that few are looked at in Python.

Each snapshot keeps a `WordList` for each first letter it was asked for, or each segment of its files does and a
snapshot asks `Words` of all; the speller (`suggest`) asks it. A list says nothing of rights: `held` counts all
documents, so whoever shows a word counts the visible ones first.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Array = np.ndarray[Any, np.dtype[Any]]

_LETTERS: Final = 64  # bits; letters that share one only let a word pass that then fails


class Words(Protocol):
    """Words with how many documents at most hold them."""

    def near(self, word: str, most: int) -> Iterator[tuple[str, int, int]]:
        """(word, distance, held) of all other words in which at most `most` letters are wrong or swapped."""


class WordList:
    def __init__(self, counted: Iterable[tuple[str, int]]) -> None:
        alphabetic = [(word, held) for word, held in counted if word.isalpha()]
        self._words = [word for word, _ in alphabetic]
        self._held = [held for _, held in alphabetic]
        self._lengths = np.fromiter(map(len, self._words), np.int64, len(self._words))
        self._letters = _letters(self._words, self._lengths)

    def near(self, word: str, most: int) -> Iterator[tuple[str, int, int]]:
        return _nearest(word, most, self.alike(word, most))

    def alike(self, word: str, most: int) -> list[tuple[str, int]]:
        """(word, held) of those whose length and letters do not tell that more are wrong."""
        differing = np.bitwise_count(self._letters ^ _letters_of(word))
        fits = (np.abs(self._lengths - len(word)) <= most) & (differing <= 2 * most)
        return [(self._words[place], self._held[place]) for place in np.flatnonzero(fits).tolist()]


class WordLists:
    """Several lists as one: a word of more than one is held as often as they say together."""

    def __init__(self, lists: Sequence[WordList]) -> None:
        self._lists = lists

    def near(self, word: str, most: int) -> Iterator[tuple[str, int, int]]:
        alike = Counter[str]()
        for one in self._lists:
            for other, held in one.alike(word, most):
                alike[other] += held
        return _nearest(word, most, alike.items())


def _nearest(word: str, most: int, alike: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    for other, held in alike:
        distance = _distance(word, other, most)
        if 0 < distance <= most:
            yield other, distance, held


def _distance(word: str, other: str, most: int) -> int:
    """How many letters are wrong, too many, too few or swapped with the next; of more than `most` (1 or 2) only that.

    With so few mistakes to look for, trying each at the first letter that differs takes a quarter of the time of filling a
    table: letters that both begin with change no distance.
    """
    if abs(len(word) - len(other)) > most:
        return most + 1
    same = 0
    for letter, beside in zip(word, other, strict=False):
        if letter != beside:
            break
        same += 1
    rest, left = word[same:], other[same:]
    if not (rest and left):
        return len(rest) + len(left)
    swapped = rest[:2] == left[1::-1]
    if most == 1:
        is_one = rest[1:] in (left, left[1:]) or rest == left[1:] or (swapped and rest[2:] == left[2:])
        return 1 if is_one else 2
    return 1 + min(
        _distance(rest[1:], left[1:], most - 1),
        _distance(rest[1:], left, most - 1),
        _distance(rest, left[1:], most - 1),
        _distance(rest[2:], left[2:], most - 1) if swapped else most,
    )


def _letters_of(word: str) -> np.uint64:
    """As `_letters` has it, of one word."""
    bits = 0
    for letter in word:
        bits |= 1 << ord(letter) % _LETTERS
    return np.uint64(bits)


def _letters(words: Sequence[str], lengths: Array) -> Array:
    """The set of each word's letters as bits; two such sets differ in no more bits than the words in letters."""
    if not words:
        return np.zeros(0, np.uint64)
    letters = np.frombuffer("".join(words).encode("utf-32-le"), np.uint32)
    bits = np.left_shift(np.uint64(1), letters.astype(np.uint64) % np.uint64(_LETTERS))
    return np.asarray(np.bitwise_or.reduceat(bits, np.cumsum(lengths) - lengths))
