"""Counting values of facets and choosing the best of a segment, beside what plain Python says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.search.engines.columns import facets, ordering
from opendata.search.engines.columns.builder import listed_arrays
from opendata.search.engines.columns.facets import FacetCounts
from opendata.search.engines.columns.listed import Listed, Some
from opendata.search.engines.columns.ordering import Part, first_of

if TYPE_CHECKING:
    from opendata.search.engines.columns.segment import Segment

VALUES = {"theme": "ABC", "format": "cjpx", "place": "0123456789"}
DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {name: st.lists(st.sampled_from(values), unique=True, max_size=3) for name, values in VALUES.items()}
        | {"found": st.booleans()}
    ),
    max_size=140,
)


def listed(name: str, held: list[list[str]]) -> Listed:
    numbers = {value: number for number, value in enumerate(VALUES[name])}
    values = [numbers[value] for one in held for value in one]
    documents = [document for document, one in enumerate(held) for _ in one]
    arrays = listed_arrays(name, numbers, np.array(values, np.int64), np.array(documents, np.int64))
    return Listed(arrays, f"listed.{name}", len(held))


@pytest.mark.parametrize("together", [10, 4096])
@pytest.mark.parametrize("rows", [0, 3])
def test_values_are_counted_as_one_by_one(monkeypatch: pytest.MonkeyPatch, together: int, rows: int) -> None:
    monkeypatch.setattr(facets, "_MOST_TOGETHER", together)
    monkeypatch.setattr(facets, "_MOST_ROWS", rows)
    monkeypatch.setattr(facets, "_MOST_IN_TABLE", rows * together)

    @given(DOCUMENTS)
    def same(documents: list[dict[str, Any]]) -> None:
        counts = FacetCounts(
            {name: listed(name, [one[name] for one in documents]) for name in VALUES}, len(documents)
        )
        flags = np.array([one["found"] for one in documents], bool)
        for among in (flags, ~flags, flags | True):
            found = [one for one, is_among in zip(documents, among, strict=True) if is_among]
            for name, values in VALUES.items():
                wanted = Counter(value for one in found for value in one[name])
                for facet in (None, name):
                    got = counts.counts(Some(among), facet)[name].tolist()
                    assert got == [wanted[value] for value in values]

    same()


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=60),
    st.integers(0, 8),
    st.booleans(),
    st.sampled_from([2, 4, 2048]),
)
def test_the_best_are_the_first_of_all_in_order(
    held: list[tuple[bool, int]], count: int, is_few: bool, columns: int
) -> None:
    found = Some(np.array([is_found for is_found, _ in held], bool))
    scores = np.array([is_found * score for is_found, score in held], np.float32)
    part = Part(
        cast("Segment", None),
        found,
        scores[found.documents] if is_few else scores,
        few=found.documents if is_few else None,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "_COLUMNS", columns)
        patch.setattr(ordering, "_MANY", 1)
        first = first_of(part, count, None)
    wanted = sorted(found.documents.tolist(), key=lambda document: (-held[document][1], document))[:count]
    assert first.documents.tolist() == wanted
    assert (-first.values).tolist() == [held[document][1] for document in wanted]
