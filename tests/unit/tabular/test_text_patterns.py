"""The patterns find what a reader means, judged by Python's own folding and casing instead of a pattern."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.kernel.text import fold
from opendata.tabular.patterns import contains_pattern, folded_pattern, prefix_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LETTERS = "aAăẮâẤầdDđĐeêỆiìoôộơỢuưỰyÝhnHN .*+?[](){}|\\^$-1"
texts = st.text(LETTERS, max_size=12)
needles = st.text(LETTERS, min_size=1, max_size=3)
Form = Literal["NFC", "NFD"]
forms: st.SearchStrategy[Form] = st.sampled_from(["NFC", "NFD"])


@pytest.fixture(scope="module")
def matches() -> Iterator[Callable[[str, str], bool]]:
    """Asked of RE2 inside DuckDB, where the patterns are used."""
    with duckdb.connect() as database:

        def ask(pattern: str, text: str) -> bool:
            found = database.execute("SELECT regexp_matches(?, ?)", [text, pattern]).fetchone()
            assert found is not None
            return bool(found[0])

        yield ask


@settings(max_examples=200, deadline=None)
@given(text=texts, needle=needles, form=forms)
def test_contains_minds_accents_but_not_capitals(
    matches: Callable[[str, str], bool], text: str, needle: str, form: Form
) -> None:
    stored = unicodedata.normalize(form, text)
    # In decomposed text a bare letter also matches the letter under an accent; there the composed form decides.
    expected = needle.lower() in text.lower()
    if form == "NFC" or unicodedata.normalize("NFD", needle) == needle == stored:
        assert matches(contains_pattern(needle), stored) == expected
    elif expected:
        assert matches(contains_pattern(needle), stored)


@settings(max_examples=200, deadline=None)
@given(text=texts, needle=needles)
def test_startswith(matches: Callable[[str, str], bool], text: str, needle: str) -> None:
    assert matches(prefix_pattern(needle), text) == text.lower().startswith(needle.lower())


@settings(max_examples=200, deadline=None)
@given(text=texts, needle=needles, form=forms)
def test_search_minds_neither(
    matches: Callable[[str, str], bool], text: str, needle: str, form: Form
) -> None:
    folded = fold(" ".join(needle.split()))
    expected = folded in re.sub(r"\s+", " ", fold(text))
    assert matches(folded_pattern(folded), unicodedata.normalize(form, text)) == expected


@pytest.mark.parametrize(
    ("asked", "text", "found"),
    [
        ("ha noi", "Thành phố Hà Nội", True),
        ("ha noi", "HÀ\n  NỘI", True),
        ("đà nẵng", "Da Nang", True),
        ("da nang", "Đa\u0300 Na\u0306\u0303ng", True),
        ("ha noi", "Hà Nam, Nội Bài", False),
        (".*", "a", False),
        ("\\d", "5", False),
    ],
)
def test_searches_people_make(
    matches: Callable[[str, str], bool], asked: str, text: str, *, found: bool
) -> None:
    assert matches(folded_pattern(fold(asked)), text) is found
