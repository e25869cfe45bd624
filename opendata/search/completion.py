"""Lines completed while someone types: titles, keywords, publishers, bare or accented.

Short lines (keywords, names) are terms of the index: one for every word a line can be entered by, folded,
followed by the line itself, so that a prefix scan finds and counts them. A long line is a term by its beginning
only; by its other words it is found as a phrase in a field of its own and read from the document. (All
terms for all lines were more than half of the index and a third of the time to build it.) Both sides see only
documents that the asking person may see, so no completion gives away a word of a hidden one.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from opendata.kernel.text import clean_line, fold, nfc
from opendata.search.analysis import folded_words
from opendata.search.port import SearchEngine, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable

SEPARATOR: Final = "\x1f"
LONGEST_KEY: Final = 48
# Stands between two texts, so that no phrase reaches from one into the other.
GAP_WORD: Final = "¶"
_LONGEST_LINE: Final = 160
_FEW_WORDS: Final = 5
_FEW_LETTERS: Final = 2
_MOST_TERMS: Final = 200
_MOST_DOCUMENTS: Final = 40
_MOST_WORDS: Final = 12


@dataclass(frozen=True, slots=True)
class Suggested:
    """What an index holds of a document's lines: the terms of all, and the long ones, which are not found by all their
    words in the terms. `words` of these: a text to be indexed with positions.
    """

    terms: list[str]
    long: list[str]
    words: list[str]


def suggested(lines: Iterable[str]) -> Suggested:
    """Index terms are the folded words of a line from each word on, and the line."""
    terms: list[str] = []
    long: list[str] = []
    words: list[str] = []
    for line in dict.fromkeys(map(_as_line, lines)):
        if line is None:
            continue
        terms += line.terms
        if line.is_long:
            if long:
                words.append(GAP_WORD)
            long.append(line.text)
            words += line.words
    return Suggested(terms, long, words)


def complete(engine: SearchEngine, typed: str, limit: int, access: frozenset[str]) -> list[str]:
    """Lines with a word from which on they begin as typed.

    Those with the same accents first, then those that begin so, then those of most documents. One or
    two letters are completed to what begins so, where there is any.
    """
    written = nfc(typed).lower()
    words = _words(written)[:_MOST_WORDS]
    beginning = " ".join(words)[:LONGEST_KEY]
    if not beginning:
        return []
    is_whole_word = written[-1].isspace()
    if is_whole_word and len(beginning) < LONGEST_KEY:
        beginning += " "
    counts: dict[str, int] = {}
    for term, count in engine.terms(Vocabulary.SUGGESTIONS, beginning, access, _MOST_TERMS):
        counts.setdefault(term.partition(SEPARATOR)[2], count)
    if len(beginning) > _FEW_LETTERS or not counts:
        found = Counter(engine.lines(words, access, _MOST_DOCUMENTS))
        for line, count in found.items():
            if f" {beginning}" in f" {' '.join(_words(line))} ":
                counts.setdefault(line, count)
    shown = " ".join(written.split())
    folded = fold(shown)

    bare = _without_marks(shown)

    def rank(suggestion: str) -> tuple[int, bool, int, int]:
        """How far it is from what was written: 0 with the same accents, 1 with other tones or marks, 2 with đ for d."""
        line, unmarked, plain = _written_ways(suggestion)
        difference = 0 if f" {shown}" in line else 1 if f" {bare}" in unmarked else 2
        return difference, not plain.startswith(folded), -counts[suggestion], len(line)

    return sorted(counts, key=rank)[:limit]


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    words: tuple[str, ...]
    terms: tuple[str, ...]

    @property
    def is_long(self) -> bool:
        return len(self.words) > _FEW_WORDS


# Keywords and publishers stand under many documents.
@lru_cache(maxsize=8192)
def _as_line(given: str) -> _Line | None:
    """None where it is too long to be suggested."""
    text = clean_line(given)
    if len(text) > _LONGEST_LINE:
        return None
    words = tuple(folded_words(text))
    starts = range(len(words) if len(words) <= _FEW_WORDS else 1)
    keys = [" ".join(words[start:])[:LONGEST_KEY] for start in starts]
    return _Line(text, words, tuple(dict.fromkeys(f"{key}{SEPARATOR}{text}" for key in keys)))


@lru_cache(maxsize=4096)
def _words(line: str) -> tuple[str, ...]:
    return tuple(folded_words(line))


@lru_cache(maxsize=8192)
def _written_ways(suggestion: str) -> tuple[str, str, str]:
    """In small letters after a space, the same without marks, and folded: a line is ranked for many beginnings."""
    line = suggestion.lower()
    return f" {line}", f" {_without_marks(line)}", fold(line)


def _without_marks(text: str) -> str:
    """While typing, đa is on its way to đà and đất, but no longer to da."""
    return text if text.isascii() else unicodedata.normalize("NFD", text).translate(_MARKS)


class _Marks(dict[int, int | None]):
    """For `str.translate`: what combines with a letter is left out."""

    def __missing__(self, code: int) -> int | None:
        kept = self[code] = None if unicodedata.combining(chr(code)) else code
        return kept


_MARKS: Final = _Marks()
