"""What a query found in texts, as segments that a page escapes and marks itself; never HTML.

`marking` says where it stands, in all texts of a page at once. Whoosh's rule for the passage of a long text that is
shown is kept.
"""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.search.analysis import I_OR_Y
from opendata.search.marking import Page, Wanted
from opendata.search.port import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opendata.search.marking import Marks
    from opendata.search.query import Query

    Array = np.ndarray[Any, np.dtype[Any]]

_ELLIPSIS: Final = Segment("…", is_match=False)
# The hottest line of a page: called by its name, the class takes twice as long.
_segment: Final = tuple.__new__


class Highlighter:
    """Marks texts (in canonical composition) for one query; lengths are in characters."""

    def __init__(self, query: Query) -> None:
        self._seen: set[str] = set()
        self._wanted = Wanted(query)

    def whole(self, text: str) -> tuple[Segment, ...]:
        return self.marked([(text, 0)])[0]

    def fragment(self, text: str, length: int) -> tuple[Segment, ...]:
        """The passage of about `length` with the most different words found; else the beginning."""
        return self.marked([(text, length)])[0]

    def marked(self, texts: Sequence[tuple[str, int]]) -> list[tuple[Segment, ...]]:
        """Each text whole where its length is 0, else its `fragment` of that length; many at once cost less."""
        if self._wanted.is_nothing:
            return list(starmap(_unmarked, texts))
        page = Page([text for text, _ in texts])
        marks = self._wanted.marks(page)
        if not marks.words:
            return list(starmap(_unmarked, texts))
        self._seen.update(marks.words)
        return _shown(page, marks, texts)

    def found_words(self) -> set[str]:
        """The folded words marked so far, in all texts."""
        words = {word for phrase in self._seen for word in phrase.split()}
        return words | {I_OR_Y[word] for word in words & I_OR_Y.keys()}


def _unmarked(text: str, length: int) -> tuple[Segment, ...]:
    """A text in which nothing was found."""
    if not length or len(text) <= length:
        return (Segment(text, is_match=False),) if text else ()
    return Segment(text[: _back_to_space(text, length)], is_match=False), _ELLIPSIS


def _shown(page: Page, marks: Marks, texts: Sequence[tuple[str, int]]) -> list[tuple[Segment, ...]]:
    begins, ends = marks.begins.tolist(), marks.ends.tolist()
    first, last = _matches(page, marks)
    matches = list(zip(first.tolist(), last.tolist(), strict=True))
    parts = zip(texts, page.starts, page.parts(marks.begins), page.parts(first), strict=True)
    shown: list[tuple[Segment, ...]] = []
    for (text, length), start, marked, matched in parts:
        size = len(text)
        if not length or size <= length:
            shown.append(tuple(_segments(page.text, matches[matched], start, start + size)))
            continue
        best = _best_run(begins[marked], ends[marked], marks.words[marked], length)
        begin, end = _passage(text, best and (best[0] - start, best[1] - start), length)
        segments = _segments(page.text, matches[matched], start + begin, start + end)
        if begin > 0:
            segments.insert(0, _ELLIPSIS)
        if end < size:
            segments.append(_ELLIPSIS)
        shown.append(tuple(segments))
    return shown


def _matches(page: Page, marks: Marks) -> tuple[Array, Array]:
    """Where they begin and end: neighbouring marks become one match, with what stands between them."""
    parted = ~page.are_beside(marks.ends[:-1], marks.begins[1:])
    is_bound = np.ones(len(marks.words) + 1, bool)
    is_bound[1:-1] = parted
    return marks.begins[is_bound[:-1]], marks.ends[is_bound[1:]]


def _segments(text: str, matches: Iterable[tuple[int, int]], start: int, end: int) -> list[Segment]:
    """`text[start:end]` in pieces."""
    segments: list[Segment] = []
    position = start
    for first, last in matches:
        if last <= start:
            continue
        if first >= end:
            break
        if first > position:
            segments.append(_segment(Segment, (text[position:first], False)))
            position = first
        segments.append(_segment(Segment, (text[position:last] if last <= end else text[position:end], True)))
        position = last
    if position < end:
        segments.append(_segment(Segment, (text[position:end], False)))
    return segments


def _passage(text: str, best: tuple[int, int] | None, length: int) -> tuple[int, int]:
    """Where to cut, at white space where there is some near."""
    if best is None:
        return 0, _back_to_space(text, length)
    first, last = best
    last = min(last, first + length)
    start = max(0, min(first - (length - (last - first)) // 2, len(text) - length))
    if start:
        space = text.find(" ", start, first)
        start = space + 1 if space >= 0 else start
    return start, max(last, _back_to_space(text, start + length))


def _best_run(
    begins: Sequence[int], ends: Sequence[int], words: Sequence[str], length: int
) -> tuple[int, int] | None:
    """The stretch with the most marks × different ones among them, the first of equals.

    As Whoosh's PinpointFragmenter and BasicFragmentScorer have it: a mark joins those before it when it ends
    within a quarter of `length` after them and within `length` of where they begin.
    """
    near = length // 4
    best, best_score, at, count = None, 0, 0, len(words)
    while at < count:
        first, begin, last = at, begins[at], ends[at]
        at += 1
        while at < count and (end := ends[at]) - last <= near and end - begin <= length:
            last = end
            at += 1
        score = (at - first) * len(set(words[first:at]))
        if score > best_score:
            best, best_score = (begin, last), score
    return best


def _back_to_space(text: str, end: int) -> int:
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end // 2, end + 1)
    return space if space > 0 else end
