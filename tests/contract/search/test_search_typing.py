"""Completions while typing, corrections after, and anything at all typed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from opendata.search.port import SearchRequest

from .conftest import EVERYONE, ROWS, document, ids


@pytest.mark.parametrize(
    "typed", ["giá đ", "gia d", "GIA D", "bảng giá đ", "bang gia d", "đất tỉnh", "dat tinh d"]
)
def test_any_word_of_a_title_can_begin_it(shelf, typed):
    assert shelf.suggest(typed, 5, EVERYONE) == ["Bảng giá đất tỉnh Đắk Lắk"]


def test_completions_prefer_the_accents_typed_then_what_more_documents_hold(service):
    service.rebuild(
        [
            document("a", "Đào tạo nghề"),
            document("b", "Đảo và quần đảo"),
            document("c", "Dao động", keywords="đạo đức"),
            document("d", "x", keywords="đạo đức"),
        ],
        1,
    )
    assert service.suggest("dao", 9, EVERYONE)[0] == "Dao động"
    assert service.suggest("đảo", 9, EVERYONE)[0] == "Đảo và quần đảo"
    assert service.suggest("đao", 9, EVERYONE)[0] == "đạo đức"
    assert set(service.suggest("dao", 9, EVERYONE)) == {
        "Dao động",
        "Đào tạo nghề",
        "Đảo và quần đảo",
        "đạo đức",
    }
    assert len(service.suggest("dao", 2, EVERYONE)) == 2


@pytest.mark.parametrize("typed", ["", " ", "?", "zzzz", "\x00", "🎉", "ệ" * 5000])
def test_typing_nothing_known_completes_nothing(shelf, typed):
    assert shelf.suggest(typed, 5, EVERYONE) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dan soo", "dân số"),
        ("xuaat khau", "xuất khẩu"),
        ("thu tcu hanh chinh", "thủ tục hành chính"),
        ("khongkhi", "không khí"),
        ("populatoin of provinces", "population of provinces"),
        ("bảnng giá đất", "bảng giá đất"),
    ],
)
def test_what_was_meant_is_offered_as_the_catalogue_writes_it(find, typed, meant):
    assert find(typed).suggestion == meant


@pytest.mark.parametrize(
    "typed",
    ["dân số", "dan so ha noi", "gia dat", "TP.HCM", "H55.242 2024", "zzzzzzz", "", "dân số xyzw 12345"],
)
def test_what_seems_right_or_hopeless_is_left_alone(find, typed):
    assert find(typed).suggestion is None


def test_a_wrong_syllable_that_exists_elsewhere_is_corrected_when_nothing_was_found(find):
    # "việc" stands in "việc làm", never after "bệnh"; "viện" does.
    response = find("bệnh việc")
    assert response.relaxed
    assert response.suggestion == "bệnh viện"


HOSTILE = [
    "a" * 10_000,
    "dân số " * 2_000,
    "a* " * 500,
    "*" * 500,
    '"' * 999,
    '"dân số',
    "-" * 999,
    "OR OR OR",
    "dân OR",
    '-OR -"" -*',
    "((((((((((",
    "title:dân AND (số OR",
    "dân~2 số^9 [a TO b] {x}",
    "'; DROP TABLE datasets; --",
    "<script>alert(1)</script>",
    "\u202eנתונים\u202c بيانات",
    "\x00\x01\x1f¶_\x7f",
    "🎉🇻🇳👨‍👩‍👧",
    "\ud800 dân",
    "%s %(x)s {0}",
    "ﬃ ß İ ǅ ͅ",
]


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_typed_is_a_query(shelf, typed):
    response = shelf.search(
        SearchRequest(
            access=EVERYONE, text=typed, facets={"theme": 3}, highlight={"title": 0, "description": 40}
        )
    )
    assert response.total <= len(ROWS)
    assert isinstance(shelf.suggest(typed, 5, EVERYONE), list)


words = st.sampled_from(
    ["dân", "số", "-", '"', "*", "OR", " ", "giá", "đất", "TP.HCM", "2*", "ly*", "\u0301", "_", ":", "/"]
)


@given(
    typed=st.one_of(
        st.text(max_size=60),
        st.lists(words, max_size=12).map("".join),
        st.lists(words, max_size=8).map(" ".join),
    )
)
@example(typed='"a" -"b" c*')
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gives_an_answer_within_the_catalogue(shelf, typed):
    response = shelf.search(
        SearchRequest(access=EVERYONE, text=typed, limit=50, highlight={"title": 0, "description": 30})
    )
    known = {row[0]: row for row in ROWS}
    assert response.total == len(response.hits)
    assert len(set(ids(response))) == response.total
    for hit in response.hits:
        assert "".join(segment.text for segment in hit.snippets["title"]) == known[hit.id][1]
