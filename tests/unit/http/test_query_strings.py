"""Links are read back as they were meant, by whoever reads query strings as the standard says."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from opendata.http.query_text import query_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(st.lists(st.tuples(TEXTS, TEXTS | st.integers())))
def test_written_as_the_standard_library_does_and_read_back(pairs: list[tuple[str, str | int]]) -> None:
    for _ in range(2):  # the second time from memory
        text = query_text(pairs)
        assert text == urlencode(pairs)
    assert parse_qsl(text, keep_blank_values=True) == [(name, str(value)) for name, value in pairs]
