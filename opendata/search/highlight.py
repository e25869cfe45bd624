"""Marks what a query found in texts, as segments that a page escapes and marks itself; never HTML.

Matching runs on a folded copy of the texts with the same offsets, so what was typed bare marks what is
written with accents. All texts of a page are folded at once, by a table, cut into words and looked through once: the
token-by-token matching of Whoosh took ten times as long, a regular expression made for the query twice. Whoosh's
rule for the passage is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.kernel.text import fold
from opendata.search.analysis import I_OR_Y, STEM_SIGN, stem_of
from opendata.search.port import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.query import Query

_ELLIPSIS: Final = Segment("…", is_match=False)
_Y_OR_I: Final = {said: written for written, said in I_OR_Y.items()}
# Between two words of a phrase may stand so many characters that are neither letters nor digits.
_MOST_BETWEEN: Final = 3
# No phrase reaches over it.
_BETWEEN_TEXTS: Final = " " * (_MOST_BETWEEN + 1)
_BESIDE_WORDS: Final = " -./:_"

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
        folded = _folded(_BETWEEN_TEXTS.join([*[text for text, _ in texts], ""]))
        marks = iter(self._wanted.marks(folded))
        mark = next(marks, None)
        start = 0
        shown: list[tuple[Segment, ...]] = []
        for text, length in texts:
            end = start + len(text)
            inside: list[_Mark] = []
            while mark is not None and mark[0] < end:
                inside.append((mark[0] - start, mark[1] - start, mark[2]))
                self._seen.add(mark[2])
                mark = next(marks, None)
            shown.append(_shown(text, inside, length))
            start = end + len(_BETWEEN_TEXTS)
        return shown

    def found_words(self) -> set[str]:
        """The folded words marked so far, in all texts."""
        words = {word for phrase in self._seen for word in phrase.split()}
        return words | {I_OR_Y[word] for word in words & I_OR_Y.keys()}


class _Wanted:
    """What a query marks: words and words in a row, all that begins in a way, all with an English stem."""

    def __init__(self, query: Query) -> None:
        self._phrases: dict[str, list[tuple[str, ...]]] = {}
        for words in sorted(query.marks, key=len, reverse=True):
            for first in {words[0], _Y_OR_I.get(words[0], words[0])}:
                self._phrases.setdefault(first, []).append(words)
        self._stems = frozenset(query.stems)
        # A stem is not always how its words begin (citi: city, cities): its last letter is left open.
        self._beginnings = (*query.prefixes, *(stem.removeprefix(STEM_SIGN)[:-1] for stem in query.stems))
        self._prefixes = query.prefixes
        self.is_nothing = not (query.marks or query.prefixes)

    def marks(self, folded: str) -> list[_Mark]:
        """Where the words wanted stand in a folded text, in order; none stands in another."""
        words = folded.split(" ")
        at = [number for number, word in enumerate(words) if word in self._phrases]
        begun = set[int]()
        if self._beginnings:
            like = (number for number, word in enumerate(words) if word.startswith(self._beginnings))
            begun.update(number for number in like if self._is_meant(words[number]))
            at = sorted(begun.union(at))
        letters = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), "<u4")
        ends = np.append(np.flatnonzero(letters == ord(" ")), len(folded))
        found: list[_Mark] = []
        free = 0
        for number, end in zip(at, ends[at].tolist(), strict=True):
            if number < free:
                continue
            last = self._last_of_phrase(words, number)
            if last is None:
                if number not in begun:
                    continue
                last = number
            if last == number:
                found.append((end - len(words[number]), end, words[number]))
            else:
                phrase = " ".join(filter(None, words[number : last + 1]))
                found.append((end - len(words[number]), int(ends[last]), phrase))
            free = last + 1
        return found

    def _is_meant(self, word: str) -> bool:
        return word.startswith(self._prefixes) or (word.isascii() and stem_of(word) in self._stems)

    def _last_of_phrase(self, words: Sequence[str], number: int) -> int | None:
        """The number of the last word of the longest of what is wanted that begins here."""
        for phrase in self._phrases.get(words[number], ()):
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
        while at < len(marks) and not text[last : marks[at][0]].strip(_BESIDE_WORDS):
            last = marks[at][1]
            at += 1
        if last <= start:
            continue
        if first >= end:
            break
        if first > position:
            segments.append(Segment(text[position:first], False))  # noqa: FBT003 - the hottest line of a page
        position = min(last, end)
        segments.append(Segment(text[max(first, start) : position], True))  # noqa: FBT003 - see above
    if position < end:
        segments.append(Segment(text[position:end], is_match=False))
    return segments


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
