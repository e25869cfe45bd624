"""What a query found in texts, as segments that a page escapes and marks itself; never HTML.

`marking` says where it stands, in all texts of a page at once. Whoosh's rule for the passage of a long text that is
shown is kept.
"""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any

import numpy as np

from opendata.search.analysis import I_OR_Y
from opendata.search.marking import Page, Wanted
from opendata.search.port import Marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opendata.search.marking import Marks
    from opendata.search.query import Query

    Array = np.ndarray[Any, np.dtype[Any]]


class Highlighter:
    """Marks texts (in canonical composition) for one query; lengths are in characters."""

    def __init__(self, query: Query) -> None:
        self._seen: set[str] = set()
        self._wanted = Wanted(query)

    def whole(self, text: str) -> Marked:
        return self.marked([(text, 0)])[0]

    def fragment(self, text: str, length: int) -> Marked:
        """The passage of about `length` with the most different words found; else the beginning."""
        return self.marked([(text, length)])[0]

    def marked(self, texts: Sequence[tuple[str, int]]) -> list[Marked]:
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


def _unmarked(text: str, length: int) -> Marked:
    """A text in which nothing was found."""
    if not length or len(text) <= length:
        return Marked(text)
    return Marked(text[: _back_to_space(text, length)], (), (False, True))


def _shown(page: Page, marks: Marks, texts: Sequence[tuple[str, int]]) -> list[Marked]:
    begins, ends = marks.begins.tolist(), marks.ends.tolist()
    first, last = _matches(page, marks)
    matches = list(zip(first.tolist(), last.tolist(), strict=True))
    parts = zip(texts, page.starts, page.parts(marks.begins), page.parts(first), strict=True)
    shown: list[Marked] = []
    for (text, length), start, marked, matched in parts:
        size = len(text)
        if not length or size <= length:
            shown.append(Marked(text, _bounds(matches[matched], start, start + size)))
            continue
        best = _best_run(begins[marked], ends[marked], marks.words[marked], length)
        begin, end = _passage(text, best and (best[0] - start, best[1] - start), length)
        bounds = _bounds(matches[matched], start + begin, start + end)
        shown.append(Marked(text[begin:end], bounds, (begin > 0, end < size)))
    return shown


def _matches(page: Page, marks: Marks) -> tuple[Array, Array]:
    """Where they begin and end: neighbouring marks become one match, with what stands between them."""
    parted = ~page.are_beside(marks.ends[:-1], marks.begins[1:])
    is_bound = np.ones(len(marks.words) + 1, bool)
    is_bound[1:-1] = parted
    return marks.begins[is_bound[:-1]], marks.ends[is_bound[1:]]


def _bounds(matches: Iterable[tuple[int, int]], start: int, end: int) -> tuple[int, ...]:
    """Where the matches between two places begin and end, counted from the first of them."""
    bounds: list[int] = []
    for first, last in matches:
        if last <= start:
            continue
        if first >= end:
            break
        bounds += (max(first, start) - start, min(last, end) - start)
    return tuple(bounds)


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
