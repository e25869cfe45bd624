"""Where words stand in texts: the arrays against a walk from word to word."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.kernel.text import fold
from opendata.search.analysis import I_OR_Y, chunks, stem_of
from opendata.search.marking import Page, Standing, Wanted
from opendata.search.query import Query

SEPARATORS = (" ", " ", "  ", ", ", "-", "    ", "\n")
# Some have the same first eight letters, and some letters fit into no byte.
LONG = ("populati", "population", "populated", "cities", "city", "đắk", "ẞ", "жизнь", "жизни", "𝒳")


def texts_of(words):
    """Words always with something between them, or phrases would be rare."""
    word_and_gap = st.tuples(st.sampled_from(words), st.sampled_from(SEPARATORS)).map("".join)
    return st.lists(st.lists(word_and_gap, max_size=12).map("".join), min_size=1, max_size=3)


def phrases_of(words, longest):
    return st.lists(
        st.lists(st.sampled_from(words), min_size=1, max_size=longest).map(tuple), max_size=4, unique=True
    )


def folded_alone(char: str) -> str:
    folded = fold(char) if len(fold(char)) == 1 else char
    return folded if re.fullmatch(r"[^\W_]", folded) else " "


def walked(query: Query, text: str) -> list[tuple[int, int, str]]:
    """The longest phrase at each word, else the word itself where it is wanted."""
    stood = [(m.start(), m.end(), m[0]) for m in re.finditer(r"\S+", "".join(map(folded_alone, text)))]
    said = [I_OR_Y.get(word, word) for _, _, word in stood]
    found, at = [], 0
    while at < len(stood):
        length = max(
            (
                len(phrase)
                for phrase in query.marks
                if len(phrase) > 1
                and tuple(said[at : at + len(phrase)]) == phrase
                and all(stood[k + 1][0] - stood[k][1] <= 3 for k in range(at, at + len(phrase) - 1))
            ),
            default=0,
        )
        word = stood[at][2]
        is_wanted = (
            (said[at],) in query.marks
            or (word,) in query.marks
            or word.startswith(query.prefixes)
            or (word.isascii() and stem_of(word) in query.stems)
        )
        if length or is_wanted:
            run = stood[at : at + (length or 1)]
            found.append((run[0][0], run[-1][1], " ".join(word for _, _, word in run)))
        at += length or 1
    return found


def is_as_walked(query: Query, texts: list[str]) -> None:
    page = Page(texts)
    marks = Wanted(query).marks(page)
    found = zip(marks.begins.tolist(), marks.ends.tolist(), marks.words, strict=True)
    assert list(found) == [
        (start + begin, start + end, words)
        for start, text in zip(page.starts, texts, strict=True)
        for begin, end, words in walked(query, text)
    ]


@given(marks=phrases_of(("a", "li"), 4), texts=texts_of(("a", "lý", "Li")))
def test_phrases_are_found_as_by_walking_from_word_to_word(marks, texts):
    shorter = [phrase[:-1] for phrase in marks if len(phrase) > 1]
    is_as_walked(Query(marks=tuple(dict.fromkeys([*shorter, *marks]))), texts)


@given(
    marks=phrases_of(tuple(map(fold, LONG)), 2),
    prefixes=st.lists(st.sampled_from(["po", "populatio", "жиз"]), max_size=2),
    stems=st.sampled_from([(), ("~citi",), ("~popul", "~citi")]),
    texts=texts_of(LONG),
)
def test_words_beginnings_and_stems_are_found_as_by_walking_from_word_to_word(marks, prefixes, stems, texts):
    is_as_walked(Query(marks=tuple(marks), prefixes=tuple(prefixes), stems=stems), texts)


@given(
    wanted=st.sets(st.sampled_from(["a", "li", "zn", "2025", "population"])),
    texts=texts_of(("a", "Á", "lý", "Li", "x", "Population", "populations", "2025", "A.Lý", "zn-a")),
)
def test_words_stand_where_the_analysis_has_them(wanted, texts):
    folded: list[str] = []
    written: list[str] = []
    followed: list[int] = []
    for text in texts:
        cut = [pair for chunk in chunks(text) for pair in zip(chunk.folded, chunk.exact, strict=True)]
        for place, (word, exact) in enumerate(cut):
            if word in wanted:
                if place + 1 < len(cut) and cut[place + 1][0] in wanted:
                    followed.append(len(folded))
                folded.append(word)
                written.append(exact)
    assert Page(texts).standing(wanted) == Standing(folded, written, followed)


@given(st.text(st.characters() | st.sampled_from("ĐđẾıİſßΣжẞ😀\ud83d\ude00\0")))
def test_folding_keeps_every_offset_and_leaves_spaces_between_words(text):
    page = Page([text])
    folded = page.folded[page.starts[0] : page.starts[0] + len(text)]
    assert re.sub(r"\s", " ", folded) == "".join(map(folded_alone, text))


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        (" ", True),
        ("-", True),
        (" - ", True),
        ("./:_", True),
        ("  ", True),
        ("\n", False),
        (", ", False),
        (" , ", False),
        (" x ", False),
        (" x", False),
    ],
)
def test_two_words_are_beside_each_other_unless_something_that_matters_is_between(between, expected):
    page = Page([f"a{between}b"])
    start = page.starts[0]
    beside = page.are_beside(np.array([start + 1]), np.array([start + 1 + len(between)]))
    assert beside.tolist() == [expected]


def test_the_last_word_of_one_text_is_not_beside_the_first_of_the_next():
    page = Page(["a", "b"])
    assert page.are_beside(np.array([page.starts[0] + 1]), np.array([page.starts[1]])).tolist() == [False]
