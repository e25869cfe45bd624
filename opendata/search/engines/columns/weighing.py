"""What the scored terms of a query are worth, and where each stands in each segment: found when a segment is asked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from opendata.search.engines.columns.postings import worth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.engines.columns.ranking import Weighed
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.query import Scored


class Weighing:
    """`telling`: the segments that decide how rare a word is, with `documents` in all. `step`: of gains.

    `steps` are given where these were asked the same before.
    """

    def __init__(  # noqa: PLR0917 - what a snapshot knows and one query
        self,
        segments: Sequence[Segment],
        telling: Sequence[bool],
        documents: int,
        step: float,
        terms: Sequence[Scored],
        steps: tuple[float, ...] = (),
    ) -> None:
        self._segments = segments
        self._telling = telling
        self._documents = documents
        self._step = step
        self._terms = terms
        self._known = steps
        self._found: list[list[int] | None] = [None] * len(segments)

    @cached_property
    def steps(self) -> tuple[float, ...]:
        """What each term adds for a step of gain."""
        if self._known:
            return self._known
        rarest = [0] * len(self._terms)
        for place, segment in enumerate(self._segments):
            if self._telling[place]:
                for at, (term, number) in enumerate(zip(self._terms, self._numbers(place), strict=True)):
                    if number >= 0:
                        rarest[at] += segment.words_of(term.view).rarest(number)
        worths = worth(rarest, self._documents).tolist()
        return tuple(term.weight * self._step * each for term, each in zip(self._terms, worths, strict=True))

    def here(self, place: int) -> list[Weighed]:
        """The terms that a segment holds, with its number for each."""
        return [
            (term.view, number, step)
            for term, number, step in zip(self._terms, self._numbers(place), self.steps, strict=True)
            if number >= 0
        ]

    def _numbers(self, place: int) -> list[int]:
        known = self._found[place]
        if known is None:
            find = self._segments[place].find
            known = self._found[place] = [find(term.view, term.term) for term in self._terms]
        return known
