"""Scores of a segment, where only what can be among the first is scored, beside sums of every document."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from opendata.search.analysis import View
from opendata.search.engines.columns.listed import Some
from opendata.search.engines.columns.matching import Matched
from opendata.search.engines.columns.ordering import first_of
from opendata.search.engines.columns.ranking import Searched, scored
from opendata.search.query import HELD_BONUS, PRIOR_WEIGHT, Query, Side, Word

if TYPE_CHECKING:
    from opendata.search.engines.columns.segment import Segment

DOCUMENTS = 6000
FIRST = 60
QUERY = Query(sides=(Side(must=(), should=(Word("a"), Word("b")), at_least=1),))


class Words:
    """Terms by their number: of the first `frequent` there are rows, of the others lists."""

    def __init__(self, gains: np.ndarray[Any, Any], frequent: int) -> None:
        self._gains = gains
        self._frequent = frequent

    def row(self, number: int) -> np.ndarray[Any, Any] | None:
        return self._gains[number] if number < self._frequent else None

    def most(self, number: int) -> int:
        return int(self._gains[number].max())

    def gained(self, number: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        holding = np.flatnonzero(self._gains[number]).astype(np.uint16)
        return holding, self._gains[number][holding]


def case(seed: int, frequent: int, rare: int) -> tuple[Searched, list[tuple[View, int, float]], list[float]]:
    """What was found, the terms, and what each document scores by plain sums."""
    rng = np.random.default_rng(seed)
    holding = rng.random((frequent + rare, DOCUMENTS)) < np.array([0.6] * frequent + [0.02] * rare)[:, None]
    gains = (holding * rng.integers(1, 60_000, holding.shape)).astype(np.uint16)
    steps = [0.001] * frequent + [0.003] * rare
    prior = rng.random(DOCUMENTS).astype(np.float32)
    flags = rng.random(DOCUMENTS) < rng.choice([0.3, 0.9])
    held = rng.integers(0, 3, DOCUMENTS).astype(np.uint8)
    segment = SimpleNamespace(
        count=DOCUMENTS,
        lifts=1 + np.float32(PRIOR_WEIGHT) * prior,
        words_of=lambda _: Words(gains, frequent),
    )
    weighed = [(View.FOLDED, number, step) for number, step in enumerate(steps)]
    sums = (gains.astype(float) * np.array(steps)[:, None]).sum(axis=0) + HELD_BONUS * held
    expected = np.where(flags, sums * (1 + PRIOR_WEIGHT * prior.astype(float)), 0)
    return Searched(cast("Segment", segment), Matched(flags, held), Some(flags)), weighed, expected.tolist()


@pytest.mark.parametrize(("frequent", "rare"), [(2, 8), (1, 3), (6, 2), (3, 0), (0, 4)])
@pytest.mark.parametrize("seed", range(4))
def test_the_first_are_those_with_the_highest_sums(seed: int, frequent: int, rare: int) -> None:
    searched, weighed, expected = case(seed, frequent, rare)
    first = first_of(scored(searched, QUERY, weighed, FIRST), FIRST, None)
    wanted = sorted(searched.found.documents.tolist(), key=lambda document: -expected[document])[:FIRST]
    assert (-first.values).tolist() == pytest.approx([expected[document] for document in wanted], rel=1e-5)
    assert len(set(first.documents.tolist())) == FIRST
    assert [expected[document] for document in first.documents.tolist()] == pytest.approx(
        [expected[document] for document in wanted], rel=1e-5
    )


def test_few_are_scored_where_rare_terms_decide() -> None:
    searched, weighed, _ = case(7, frequent=1, rare=8)
    few = scored(searched, QUERY, weighed, FIRST).few
    assert few is not None
    assert FIRST <= len(few) < searched.found.count / 4


def test_all_are_scored_where_nobody_says_how_many_are_wanted() -> None:
    searched, weighed, expected = case(7, frequent=1, rare=8)
    part = scored(searched, QUERY, weighed)
    assert part.few is None
    assert part.scores is not None
    assert part.scores.tolist() == pytest.approx(expected, rel=1e-5)
