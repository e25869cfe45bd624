"""Marks what a query found in texts, as segments that a page escapes and marks itself; never HTML.

Matching runs on a folded copy of the texts with the same offsets, so what was typed bare marks what is
written with accents. All texts of a page are folded at once, by a table, cut into words and looked through once: the
token-by-token matching of Whoosh took ten times as long, a regular expression made for the query twice. Whoosh's
rule for the passage is kept.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import compress, repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.kernel.text import fold
from opendata.search.analysis import I_OR_Y, STEM_SIGN, stem_of
from opendata.search.port import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from opendata.search.query import Query

    Array = np.ndarray[Any, np.dtype[Any]]

_ELLIPSIS: Final = Segment("…", is_match=False)
_Y_OR_I: Final = {said: written for written, said in I_OR_Y.items()}
# Between two words of a phrase may stand so many characters that are neither letters nor digits.
_MOST_BETWEEN: Final = 3
# No phrase reaches over it.
_BETWEEN_TEXTS: Final = " " * (_MOST_BETWEEN + 1)
_BESIDE_WORDS: Final = " -./:_"
# The hottest line of a page: called by its name, the class takes twice as long.
_segment: Final = tuple.__new__

# From where to where, and what was found there, folded.
_Mark = tuple[int, int, str]


class Highlighter:
    """Marks texts (in canonical composition) for one query; lengths are in characters."""

    def __init__(self, query: Query) -> None:
        self._seen: set[str] = set()
        self._wanted = _Wanted(query)

    def whole(self, text: str) -> tuple[Segment, ...]:
        return self.marked([(text, 0)])[0]

    def fragment(self, text: str, length: int) -> tuple[Segment, ...]:
        """The passage of about `length` with the most different words found; else the beginning."""
        return self.marked([(text, length)])[0]

    def marked(self, texts: Sequence[tuple[str, int]]) -> list[tuple[Segment, ...]]:
        """Each text whole where its length is 0, else its `fragment` of that length; many at once cost less."""
        if self._wanted.is_nothing:
            return [_shown(text, [], length) for text, length in texts]
        joined = _BETWEEN_TEXTS.join([*[text for text, _ in texts], ""])
        marks = self._wanted.marks(_folded(joined))
        self._seen.update([words for _, _, words in marks])
        begins = [begin for begin, _, _ in marks]
        shown: list[tuple[Segment, ...]] = []
        start = at = 0
        for text, length in texts:
            end = start + len(text)
            last = bisect_left(begins, end, at)
            if not length or len(text) <= length:
                shown.append(tuple(_segments(joined, marks[at:last], start, end)))
            else:
                inside = [(begin - start, stop - start, words) for begin, stop, words in marks[at:last]]
                shown.append(_shown(text, inside, length))
            start, at = end + len(_BETWEEN_TEXTS), last
        return shown

    def found_words(self) -> set[str]:
        """The folded words marked so far, in all texts."""
        words = {word for phrase in self._seen for word in phrase.split()}
        return words | {I_OR_Y[word] for word in words & I_OR_Y.keys()}


class _Wanted:
    """What a query marks: words and words in a row, all that begins in a way, all with an English stem."""

    def __init__(self, query: Query) -> None:
        self._single: set[str] = set()
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        for words in sorted(query.marks, key=len, reverse=True):
            for first in {words[0], _Y_OR_I.get(words[0], words[0])}:
                if len(words) == 1:
                    self._single.add(first)
                else:
                    self._phrases.setdefault(first, []).append(words)
        self._first = self._single.union(self._phrases)
        self._stems = frozenset(query.stems)
        # A stem is not always how its words begin (citi: city, cities): its last letter is left open.
        self._beginnings = (*query.prefixes, *(stem.removeprefix(STEM_SIGN)[:-1] for stem in query.stems))
        self._prefixes = query.prefixes
        self.is_nothing = not (query.marks or query.prefixes)

    def marks(self, folded: str) -> list[_Mark]:
        """Where the words wanted stand in a folded text, in order; none stands in another.

        A page has thousands of words: what is done with each is done by the interpreter's own loops.
        """
        words = folded.split(" ")
        at = list(compress(range(len(words)), map(self._first.__contains__, words)))
        begun = set[int]()
        if self._beginnings:
            like = compress(range(len(words)), map(str.startswith, words, repeat(self._beginnings)))
            begun.update(number for number in like if self._is_meant(words[number]))
            at = sorted(begun.union(at))
        letters = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), "<u4")
        ends = np.append(np.flatnonzero(letters == ord(" ")), len(folded))
        here = [words[number] for number in at]
        stops = ends[at]
        begins = stops - np.fromiter(map(len, here), np.int64, len(here))
        found = list(zip(begins.tolist(), stops.tolist(), here, strict=True))
        if self._phrases.keys().isdisjoint(here):
            return found
        return list(self._with_phrases(found, at, words, ends, begun))

    def _with_phrases(
        self, found: Iterable[_Mark], at: Iterable[int], words: Sequence[str], ends: Array, begun: set[int]
    ) -> Iterator[_Mark]:
        free = 0
        for mark, number in zip(found, at, strict=True):
            if number < free:
                continue
            last = self._last_of_phrase(words, number) if mark[2] in self._phrases else None
            if last is not None:
                yield mark[0], int(ends[last]), " ".join(filter(None, words[number : last + 1]))
                free = last + 1
            elif mark[2] in self._single or number in begun:
                yield mark

    def _is_meant(self, word: str) -> bool:
        return word.startswith(self._prefixes) or (word.isascii() and stem_of(word) in self._stems)

    def _last_of_phrase(self, words: Sequence[str], number: int) -> int | None:
        """The number of the last word of the longest phrase that begins here."""
        for phrase in self._phrases[words[number]]:
            at = number
            for wanted in phrase[1:]:
                following = range(at + 1, min(at + 1 + _MOST_BETWEEN, len(words)))
                at = next((place for place in following if words[place]), -1)
                if at < 0 or I_OR_Y.get(words[at], words[at]) != wanted:
                    break
            else:
                return at
        return None


def _shown(text: str, marks: list[_Mark], length: int) -> tuple[Segment, ...]:
    if not length or len(text) <= length:
        return tuple(_segments(text, marks, 0, len(text)))
    start, end = _passage(text, marks, length)
    shown = _segments(text, marks, start, end)
    if start > 0:
        shown.insert(0, _ELLIPSIS)
    if end < len(text):
        shown.append(_ELLIPSIS)
    return tuple(shown)


def _passage(text: str, marks: list[_Mark], length: int) -> tuple[int, int]:
    """Where to cut, at white space where there is some near."""
    if not marks:
        return 0, _back_to_space(text, length)
    first, last = _best_run(marks, length)
    last = min(last, first + length)
    start = max(0, min(first - (length - (last - first)) // 2, len(text) - length))
    if start:
        space = text.find(" ", start, first)
        start = space + 1 if space >= 0 else start
    return start, max(last, _back_to_space(text, start + length))


def _best_run(marks: list[_Mark], length: int) -> tuple[int, int]:
    """The stretch with the most marks × different ones among them, the first of equals.

    As Whoosh's PinpointFragmenter and BasicFragmentScorer have it: a mark joins those before it when it ends
    within a quarter of `length` after them and within `length` of where they begin.
    """
    near = length // 4
    best, best_score, at = (0, 0), 0, 0
    while at < len(marks):
        first, last, words = marks[at]
        count, different, covered = 1, {words}, last - first
        at += 1
        while at < len(marks) and covered < length:
            start, end, words = marks[at]
            if end - last > near or end - first > length:
                break
            last = end
            covered += end - start
            count += 1
            different.add(words)
            at += 1
        score = count * len(different)
        if score > best_score:
            best, best_score = (first, last), score
    return best


def _back_to_space(text: str, end: int) -> int:
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end // 2, end + 1)
    return space if space > 0 else end


def _segments(text: str, marks: list[_Mark], start: int, end: int) -> list[Segment]:
    """`text[start:end]` in pieces; neighbouring matches become one, with what stands between them."""
    segments: list[Segment] = []
    position = start
    at = 0
    while at < len(marks):
        first, last, _ = marks[at]
        at += 1
        while at < len(marks) and _are_beside(text, last, marks[at][0]):
            last = marks[at][1]
            at += 1
        if last <= start:
            continue
        if first >= end:
            break
        if first > position:
            segments.append(_segment(Segment, (text[position:first], False)))
        position = min(last, end)
        segments.append(_segment(Segment, (text[max(first, start) : position], True)))
    if position < end:
        segments.append(Segment(text[position:end], is_match=False))
    return segments


def _are_beside(text: str, end: int, begin: int) -> bool:
    """Whether nothing that matters stands between two matches."""
    return text[end] in _BESIDE_WORDS if begin == end + 1 else not text[end:begin].strip(_BESIDE_WORDS)


class _CharFolds(dict[int, str]):
    """For str.translate: folds one character to one character, so that offsets stay; no letter or digit is a space."""

    def __missing__(self, code: int) -> str:
        folded = fold(chr(code))
        if len(folded) != 1:
            folded = chr(code)
        self[code] = folded if folded.isalnum() else " "
        return self[code]


_FOLDED = _CharFolds()
_ASCII: Final = bytes(ord(_FOLDED[code]) if code < 0x80 else code for code in range(0x100))  # noqa: PLR2004
# The same for the first 65,536 characters, 0 where a character was not met yet.
_TABLE: Final = np.zeros(0x10000, dtype="<u2")


def _folded(text: str) -> str:
    """Words without marks between spaces, with the offsets of the text; a third of the time of str.translate."""
    if text.isascii():
        return text.encode().translate(_ASCII).decode()
    codes = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2")
    folded = _TABLE[codes]
    if not folded.all():
        for code in set(codes[folded == 0].tolist()):
            _TABLE[code] = ord(_FOLDED[code])
        folded = _TABLE[codes]
    written = folded.tobytes().decode("utf-16-le", "surrogatepass")
    # Beyond the table a character takes two places.
    return written if len(codes) == len(text) == len(written) else text.translate(_FOLDED)
