"""Marks what a query found in texts, as segments that a page escapes and marks itself; never HTML.

Matching runs on a folded copy of the texts with the same offsets, so what was typed bare marks what is
written with accents. All texts of a page are folded at once, by a table, and searched with one regular
expression: the token-by-token matching of Whoosh took ten times as long. Its rule for the passage is kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.kernel.text import fold
from opendata.search.analysis import I_OR_Y, STEM_SIGN, stem_of
from opendata.search.port import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.query import Query

_ELLIPSIS: Final = Segment("…", is_match=False)
_SAID_EITHER_WAY = frozenset(I_OR_Y.values())
_BETWEEN_WORDS = " {1,3}"
# No match reaches over it: it is longer than what may stand between two words.
_BETWEEN_TEXTS: Final = " " * 4
_BESIDE_WORDS: Final = " -./:_"

# From where to where, and what was found there, folded.
_Mark = tuple[int, int, str]


class Highlighter:
    """Marks texts (in canonical composition) for one query; lengths are in characters."""

    def __init__(self, query: Query) -> None:
        self._seen: set[str] = set()
        self._stems = frozenset(query.stems)
        self._pattern = _pattern_of(query)

    def whole(self, text: str) -> tuple[Segment, ...]:
        return self.marked([(text, 0)])[0]

    def fragment(self, text: str, length: int) -> tuple[Segment, ...]:
        """The passage of about `length` with the most different words found; else the beginning."""
        return self.marked([(text, length)])[0]

    def marked(self, texts: Sequence[tuple[str, int]]) -> list[tuple[Segment, ...]]:
        """Each text whole where its length is 0, else its `fragment` of that length; many at once cost less."""
        if self._pattern is None:
            return [_shown(text, [], length) for text, length in texts]
        folded = _folded(_BETWEEN_TEXTS.join(["", *[text for text, _ in texts], ""]))
        start = len(_BETWEEN_TEXTS)
        shown: list[tuple[Segment, ...]] = []
        for text, length in texts:
            end = start + len(text)
            marks = [
                (found.start() + 1 - start, found.end() - start, found.group()[1:])
                for found in self._pattern.finditer(folded, start - 1, end + 1)
                if found.lastindex is None or stem_of(found.group()[1:]) in self._stems
            ]
            self._seen.update([words for _, _, words in marks])
            shown.append(_shown(text, marks, length))
            start = end + len(_BETWEEN_TEXTS)
        return shown

    def found_words(self) -> set[str]:
        """The folded words marked so far, in all texts."""
        words = {word for phrase in self._seen for word in phrase.split()}
        return words | {I_OR_Y[word] for word in words & I_OR_Y.keys()}


def _pattern_of(query: Query) -> re.Pattern[str] | None:
    """What is to be marked in a folded text, with the space before it, which the search looks for first.

    Where a group matched, the word has to have one of the query's stems. Every query is compiled anew, which takes
    as long as the search does: the pattern stays simple.
    """
    ways = [_BETWEEN_WORDS.join(map(_written, words)) for words in query.marks]
    ways += [rf"{re.escape(prefix)}[^ ]*" for prefix in query.prefixes]
    if not ways:
        return None
    ways.sort(key=len, reverse=True)
    # A stem is not always how its words begin (citi: city, cities): its last letter is left open.
    beginnings = sorted({stem.removeprefix(STEM_SIGN)[:-1] for stem in query.stems})
    if beginnings:
        ways.append(f"((?:{'|'.join(beginnings)})[a-z]+)")
    # Most words begin with no letter that is looked for.
    starts = [*(words[0] for words in query.marks), *query.prefixes, *beginnings]
    first = f"(?=[{re.escape(''.join(sorted({start[:1] for start in starts})))}])" if all(starts) else ""
    return re.compile(f" {first}(?:{'|'.join(ways)})(?= )")


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


def _written(word: str) -> str:
    escaped = re.escape(word)
    return f"{escaped[:-1]}[iy]" if word in _SAID_EITHER_WAY else escaped


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
