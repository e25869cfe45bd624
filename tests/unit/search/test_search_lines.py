"""Lines of a grouped answer, made of arrays: as they are made hit by hit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from opendata.search.engines.grouping import Candidate, Walk, array_lines, read_lines

HITS = st.lists(
    st.tuples(
        st.sampled_from([10.0, 9.96, 9.9, 5.0, 0.0]),
        st.none() | st.integers(0, 4).map(float),
        st.sampled_from([0.0, 2019.0, 2020.0]),
    ),
    max_size=40,
)


@given(hits=HITS, offset=st.integers(0, 12), limit=st.integers(0, 9))
def test_arrays_give_the_lines_that_single_hits_give(hits, offset, limit):
    hits = sorted(hits, key=lambda hit: -hit[0])
    scores, keys, editions = (list(column) for column in zip(*hits, strict=True)) if hits else ([], [], [])

    def candidates(count):
        return len(hits), [Candidate(at, *hit) for at, hit in enumerate(hits[:count])]

    def walk(count):
        numbers = [np.nan if key is None else key for key in keys[:count]]
        return Walk(np.array(scores[:count]), np.array(numbers, float), np.array(editions[:count]))

    expected = read_lines(candidates, offset, limit)
    found = array_lines(walk, len(hits), offset, limit)
    assert found.shown.tolist() == [line.at for line in expected.shown]
    assert (found.count, found.more) == (expected.count, expected.more)
