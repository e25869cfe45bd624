"""Marks in texts: by hand, and against a word-by-word search for any text."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whoosh.highlight import BasicFragmentScorer, PinpointFragmenter

from opendata.kernel.text import fold, nfc
from opendata.search import highlight
from opendata.search.highlight import Highlighter
from opendata.search.parsing import Parser

PARSER = Parser({"Sài Gòn": ("Thành phố Hồ Chí Minh",)})


def shown(segments) -> str:
    return "".join(f"[{segment.text}]" if segment.is_match else segment.text for segment in segments)


@pytest.mark.parametrize(
    ("typed", "text", "expected"),
    [
        ("dan so", "Dân số Hà Nội", "[Dân số] Hà Nội"),
        ("dân số", "DAN SO, dân cư, số dân", "[DAN SO], [dân] cư, [số dân]"),
        ("dan", "dandan dân-số ma_dan", "dandan [dân]-số ma_[dan]"),
        ("đất", "đất Đất dat da", "[đất Đất dat] da"),
        ('"dân số"', "số dân số và dân", "số [dân số] và dân"),
        ("TP.HCM", "ở TP.HCM, TPHCM và TP HCM; HCM", "ở [TP.HCM], [TPHCM] và [TP HCM]; HCM"),
        ("sai gon", "Thành phố Hồ Chí Minh, thành phố Huế", "[Thành phố Hồ Chí Minh], thành phố Huế"),
        ("quan ly", "quản lí, quản lý", "[quản lí], [quản lý]"),
        ("popul*", "Population, popular", "[Population], [popular]"),
        ("cities", "City, cities, citizen, citadel", "[City], [cities], citizen, citadel"),
        ("x -số", "dân số x", "dân số [x]"),
        ("", "dân số", "dân số"),
        ("???", "dân số", "dân số"),
        ("a.b (c", "a.b (c", "[a.b] ([c]"),
        ("b", "<b>b</b>", "<[b]>[b]</[b]>"),
    ],
)
def test_marks_in_a_whole_text(typed, text, expected):
    assert shown(Highlighter(PARSER.parse(typed)).whole(text)) == expected


def test_a_fragment_is_the_passage_with_the_most_different_words_found():
    text = "Số liệu chung. " * 20 + "Giá đất ở tại Đà Nẵng năm 2023. " + "Số liệu khác. " * 20
    segments = tuple(Highlighter(PARSER.parse("gia dat o da nang so")).fragment(text, 80))
    assert "[Giá đất ở] tại [Đà Nẵng]" in shown(segments)
    assert segments[0].text == segments[-1].text == "…"


def test_without_a_match_the_fragment_is_the_beginning_cut_at_a_word():
    segments = Highlighter(PARSER.parse("zzz")).fragment("một hai ba bốn năm sáu", 12)
    assert shown(segments) == "một hai ba…"


def test_found_words_are_told_in_their_indexed_form():
    highlighter = Highlighter(PARSER.parse('"quản lý" đất zzz'))
    highlighter.whole("Quản Lý, đất")
    assert {"quan", "li", "dat"} <= highlighter.found_words()
    assert "zzz" not in highlighter.found_words()


vietnamese = st.text(alphabet="aàăâbdđeêioôơuưyáảãạ xH.,-_ \n0", max_size=120).map(nfc)


@given(text=vietnamese, typed=vietnamese, length=st.integers(1, 60))
def test_fragments_are_cut_from_the_text_and_bounded(text, typed, length):
    highlighter = Highlighter(PARSER.parse(typed))
    assert "".join(segment.text for segment in highlighter.whole(text)) == text
    segments = highlighter.fragment(text, length)
    cut = [segment.text for segment in segments]
    if cut and len(text) > length:
        body = "".join(cut).removeprefix("…").removesuffix("…")
        assert body in text
        assert len(body) <= 2 * length + max((len(word) for word in text.split()), default=0)
    assert all(segment.text for segment in segments)


@given(texts=st.lists(vietnamese, max_size=4), typed=vietnamese, length=st.integers(0, 60))
def test_texts_marked_at_once_are_those_marked_one_by_one(texts, typed, length):
    query = PARSER.parse(typed)
    together, alone = Highlighter(query), Highlighter(query)
    assert together.marked([(text, length) for text in texts]) == [
        alone.fragment(text, length) if length else alone.whole(text) for text in texts
    ]
    assert together.found_words() == alone.found_words()


def test_no_phrase_is_found_across_two_texts():
    shown_ = Highlighter(PARSER.parse('"dân số"')).marked([("x dân", 0), ("số", 0), ("", 0), ("dân số", 0)])
    assert [shown(segments) for segments in shown_] == ["x dân", "số", "", "[dân số]"]


@given(
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.sampled_from("abcd")), max_size=12),
    length=st.integers(1, 60),
)
def test_the_passage_is_the_one_of_whooshs_fragmenter(steps, length):
    marks, end = [], 0
    for gap, width, word in steps:
        marks.append((end + gap, end + gap + width, word))
        end += gap + width
    tokens = [
        SimpleNamespace(startchar=first, endchar=last, text=word, boost=1.0) for first, last, word in marks
    ]
    fragmenter = PinpointFragmenter(maxchars=length, surround=length // 4, charlimit=None)
    best = max(fragmenter.fragment_matches("x" * end, tokens), key=BasicFragmentScorer(), default=None)
    expected = (best.matches[0].startchar, best.matches[-1].endchar) if best else None
    begins, ends, words = zip(*marks, strict=True) if marks else ((), (), ())
    assert highlight._best_run(begins, ends, words, length) == expected


@given(text=vietnamese, word=st.sampled_from(["a", "da", "hoa", "đu", "x0"]))
def test_exactly_the_words_equal_when_folded_are_marked(text, word):
    segments = Highlighter(PARSER.parse(word)).whole(text)
    marked = "".join(segment.text if segment.is_match else " " * len(segment.text) for segment in segments)
    position, separators = 0, " \n.,-_"
    for part in _split_keeping(text, separators):
        if part not in separators:
            expected = fold(part) == fold(word)
            assert (marked[position : position + len(part)] == part) == expected
        position += len(part)


def _split_keeping(text: str, separators: str) -> list[str]:
    parts: list[str] = []
    for char in text:
        if parts and char not in separators and parts[-1] not in separators:
            parts[-1] += char
        else:
            parts.append(char)
    return parts
