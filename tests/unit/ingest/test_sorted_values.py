"""Statistics read off sorted values are those that counting every value gives."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.resources.ingest.sorted_values import sorted_values

whole = st.lists(st.one_of(st.integers(-9, 9), st.integers(-(2**60), 2**60)), min_size=1, max_size=40)


@settings(deadline=None)
@given(whole, st.integers(1, 7))
def test_every_value_is_counted_in_its_bin(numbers, bins) -> None:
    column = pa.chunked_array([pa.array(numbers[:1]), pa.array([*numbers[1:], None], pa.int64())])
    found = sorted_values(column, None)
    assert found is not None
    low = min(numbers)
    width = (max(numbers) - low) // bins + 1
    counted = Counter(min((number - low) // width, bins - 1) for number in numbers)
    assert found.histogram(low, width, bins, 1) == [counted[number] for number in range(bins)]
    assert found.distinct == len(set(numbers))
    assert found.mean() == sum(numbers) / len(numbers)
    expected = sorted(Counter(numbers).items(), key=lambda pair: (-pair[1], pair[0]))[:10]
    assert found.top(10) == expected


def test_the_column_itself_is_not_sorted() -> None:
    column = pa.chunked_array([pa.array([3.5, -0.0, 1.25])])
    found = sorted_values(column, None)
    assert found is not None
    assert (found.least, found.greatest) == (0.0, 3.5)
    assert column.to_pylist() == [3.5, 0.0, 1.25]
    assert found.histogram(0.0, 1.75, 2, 1) == [2, 1]
