"""Marks what a query found in a text, as segments that a page escapes and marks itself; never HTML.

Matching runs on a folded copy of the text with the same offsets, so what was typed bare marks what is
written with accents. Whoosh's fragmenter and scorer choose the passage. Its own token-by-token matching
is not used: it took 6 ms for a page of hits where one regular expression takes under 1 ms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from whoosh.highlight import BasicFragmentScorer, PinpointFragmenter

from opendata.kernel.text import fold
from opendata.search.analysis import I_OR_Y, STEM_SIGN, stem_of
from opendata.search.port import Segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.search.query import Query

_ELLIPSIS: Final = "…"
_SAID_EITHER_WAY = frozenset(I_OR_Y.values())
_BETWEEN_WORDS = r"[\W_]{1,3}"
_SEPARATOR = re.compile(r"[\W_]+")
_scorer = BasicFragmentScorer()


@dataclass(slots=True)
class _Mark:
    """A match; the names are those Whoosh's fragmenter and scorer read."""

    startchar: int
    endchar: int
    text: str
    boost: float = 1.0


class Highlighter:
    """Marks texts (in canonical composition) for one query; `length` is in characters."""

    def __init__(self, query: Query) -> None:
        self._seen: set[str] = set()
        ways = [_BETWEEN_WORDS.join(map(_written, words)) for words in query.marks]
        ways += [rf"{re.escape(prefix)}[^\W_]*" for prefix in query.prefixes]
        # A stem is not always how its words begin (citi: city, cities): its last letter is left open.
        self._stems = frozenset(query.stems)
        beginnings = {stem.removeprefix(STEM_SIGN)[:-1] for stem in query.stems}
        either = "|".join(sorted(ways, key=len, reverse=True))
        if beginnings:
            either += f"|(?P<stem>(?:{'|'.join(sorted(beginnings))})[a-z]+)"
        # Looking at the first letter first halves the time.
        said = (*(words[0] for words in query.marks), *query.prefixes, *beginnings)
        first = "".join({re.escape(way[0]) for way in said})
        self._pattern = re.compile(rf"(?=[{first}])(?<![^\W_])(?:{either})(?![^\W_])") if ways else None

    def whole(self, text: str) -> tuple[Segment, ...]:
        return tuple(_segments(text, self._marks(text), 0, len(text)))

    def fragment(self, text: str, length: int) -> tuple[Segment, ...]:
        """The passage of about `length` with the most different words found; else the beginning."""
        if len(text) <= length:
            return self.whole(text)
        marks = self._marks(text)
        start, end = _passage(text, marks, length)
        shown = list(_segments(text, marks, start, end))
        before = [Segment(_ELLIPSIS, is_match=False)] if start > 0 else []
        after = [Segment(_ELLIPSIS, is_match=False)] if end < len(text) else []
        return (*before, *shown, *after)

    def found_words(self) -> set[str]:
        """The folded words marked so far, in all texts."""
        words = {word for phrase in self._seen for word in _SEPARATOR.split(phrase)}
        return words | {I_OR_Y[word] for word in words & I_OR_Y.keys()}

    def _marks(self, text: str) -> list[_Mark]:
        if self._pattern is None:
            return []
        folded = text.lower() if text.isascii() else text.translate(_FOLDED)
        marks = [
            _Mark(*found.span(), found.group())
            for found in self._pattern.finditer(folded)
            if found.lastgroup is None or stem_of(found.group()) in self._stems
        ]
        self._seen.update(mark.text for mark in marks)
        return marks


def _passage(text: str, marks: list[_Mark], length: int) -> tuple[int, int]:
    """Where to cut, at white space where there is some near."""
    fragmenter = PinpointFragmenter(maxchars=length, surround=length // 4, charlimit=None)
    found = list(fragmenter.fragment_matches(text, marks))
    best = max(found, key=_scorer, default=None)
    if best is None:
        return 0, _back_to_space(text, length)
    first, last = best.matches[0].startchar, min(best.matches[-1].endchar, best.matches[0].startchar + length)
    start = max(0, min(first - (length - (last - first)) // 2, len(text) - length))
    if start:
        space = text.find(" ", start, first)
        start = space + 1 if space >= 0 else start
    return start, max(last, _back_to_space(text, start + length))


def _back_to_space(text: str, end: int) -> int:
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end // 2, end + 1)
    return space if space > 0 else end


def _segments(text: str, marks: list[_Mark], start: int, end: int) -> Iterator[Segment]:
    """`text[start:end]` in pieces; neighbouring matches become one, with what stands between them."""
    position = start
    for first, last in _merged(text, marks):
        if last <= start or first >= end:
            continue
        if first > position:
            yield Segment(text[position:first], is_match=False)
        yield Segment(text[max(first, start) : min(last, end)], is_match=True)
        position = min(last, end)
    if position < end:
        yield Segment(text[position:end], is_match=False)


def _merged(text: str, marks: list[_Mark]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for mark in marks:
        if spans and not text[spans[-1][1] : mark.startchar].strip(" -./:_"):
            spans[-1] = (spans[-1][0], mark.endchar)
        else:
            spans.append((mark.startchar, mark.endchar))
    return spans


def _written(word: str) -> str:
    escaped = re.escape(word)
    return f"{escaped[:-1]}[iy]" if word in _SAID_EITHER_WAY else escaped


class _CharFolds(dict[int, str]):
    """For str.translate: folds one character to one character, so that offsets stay."""

    def __missing__(self, code: int) -> str:
        folded = fold(chr(code))
        self[code] = folded if len(folded) == 1 else chr(code)
        return self[code]


_FOLDED = _CharFolds()
