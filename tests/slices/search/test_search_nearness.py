"""Words near a mistyped one: the array of a snapshot names just those that a plain walk with the distance names."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.search.nearness import WordList, WordLists

WORDS = st.text("abcdđtư1", min_size=1, max_size=6)


@cache
def edits(left: str, right: str) -> int:
    """Optimal string alignment, by the textbook's recursion."""
    if not left or not right:
        return len(left) + len(right)
    if left[-1] == right[-1]:
        return edits(left[:-1], right[:-1])
    ways = [edits(left[:-1], right), edits(left, right[:-1]), edits(left[:-1], right[:-1])]
    if len(left) > 1 and len(right) > 1 and left[-2:] == right[-2:][::-1]:
        ways.append(edits(left[:-2], right[:-2]))
    return 1 + min(ways)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(WORDS, st.integers(1, 9), max_size=8), WORDS, st.sampled_from((1, 2)))
def test_a_word_list_names_what_a_walk_names(held: dict[str, int], word: str, most: int) -> None:
    expected = {
        (other, edits(word, other), count)
        for other, count in held.items()
        if other.isalpha() and 0 < edits(word, other) <= most
    }
    assert set(WordList(held.items()).near(word, most)) == expected


@settings(deadline=None, max_examples=40)
@given(st.lists(st.dictionaries(WORDS, st.integers(1, 9), max_size=8), max_size=3), WORDS)
def test_several_lists_name_what_one_of_all_words_names(lists: list[dict[str, int]], word: str) -> None:
    added: dict[str, int] = {}
    for one in lists:
        for other, count in one.items():
            added[other] = added.get(other, 0) + count
    several = WordLists([WordList(one.items()) for one in lists])
    assert set(several.near(word, 2)) == set(WordList(added.items()).near(word, 2))
