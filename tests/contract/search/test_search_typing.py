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
        ("bảng giá đât nôngg", "bảng giá đât nông"),
        ("H55.242 hành chinhs", "H55.242 hành chính"),
        ("QCVN 102:2016 xuaat khau", "QCVN 102:2016 xuất khẩu"),
        ("HÀ NỘI dan soo", "HÀ NỘI dân số"),
        ("xuất nhạp khaau", "xuất nhạp khẩu"),
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


@pytest.mark.parametrize("typed", ["học phí", "hoc phi", "bão lụt", "lut", "Gia Lai", "vé tàu"])
def test_a_syllable_that_no_document_has_is_not_taken_for_any_other_near_it(find, typed):
    response = find(typed)
    assert (response.suggestion, response.shown_for) == (None, None)


def test_a_syllable_that_no_document_has_is_corrected_to_what_stands_beside_its_neighbours(find):
    assert find("nông nghiẹm").shown_for == find("nong nghiem").shown_for == "nông nghiệp"


def test_a_wrong_syllable_that_exists_elsewhere_is_corrected_when_nothing_was_found(find):
    # "việc" stands in "việc làm", never after "bệnh"; "viện" does.
    response = find("bệnh việc")
    assert response.suggestion == response.shown_for == "bệnh viện"
    assert ids(response) == ["y-te"]
    typed = find("bệnh việc", exact_text=True)
    assert typed.relaxed
    assert typed.suggestion == "bệnh viện"
    assert typed.shown_for is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("daan soos haf nooij", "dân số hà nội"),
        ("da6n so61 ha2 no6i5", "dân số hà nội"),
        ("gias ddaats ddawsk lawks", "giá đất đắk lắk"),
        ("chaats luwowngj khoong khis", "chất lượng không khí"),
        ("thur tucj hanhf chinhs", "thủ tục hành chính"),
    ],
)
def test_what_was_typed_without_the_input_method_is_read_and_shown(find, typed, meant):
    response = find(typed)
    assert response.shown_for == meant
    assert ids(response) == ids(find(meant))


def test_later_pages_of_a_correction_show_the_same_correction(find):
    first = find("daan soos", limit=1)
    second = find("daan soos", limit=1, offset=1)
    assert first.shown_for == second.shown_for == "dân số"
    assert first.total == second.total
    assert ids(first) != ids(second)


@pytest.mark.parametrize(
    ("typed", "meant", "first"),
    [
        ("bang gia dat tinnh", "bảng giá đất tỉnh", "dat-dai"),
        ("kim ngach xuat khauu", "kim ngạch xuất khẩu", "xuat-khau"),
        ("dân soos hà nội", "dân số hà nội", "dan-so-hn"),
        ("average populatoin of provinces", "average population of provinces", "population"),
    ],
)
def test_one_wrong_word_among_right_ones_is_mended_where_a_document_then_holds_more(
    find, typed, meant, first
):
    as_typed = find(typed, exact_text=True)
    assert as_typed.total
    assert not as_typed.relaxed
    assert as_typed.shown_for is None
    assert as_typed.suggestion == meant
    response = find(typed)
    assert response.shown_for == response.suggestion == meant
    assert ids(response) == ids(find(meant))
    assert ids(response)[0] == first
    assert find(typed, limit=1, offset=1).shown_for == meant


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        # The right word finds nothing more than the wrong one: no document is about both.
        ("dân số populatoin", "dân số population"),
        # All these words exist, though nowhere together.
        ("dân số khẩu hàng", None),
        ("dân số xuất", None),
    ],
)
def test_what_finds_as_much_is_not_replaced(find, typed, offered):
    response = find(typed)
    assert response.total
    assert response.shown_for is None
    assert response.suggestion == offered


def test_a_correction_is_not_shown_for_words_of_hidden_documents(service):
    service.rebuild(
        [
            document("open", "Chỉ số phát triển"),
            document("hidden", "Chỉ số giá tiêu dùng", access=("agency:X",)),
        ],
        1,
    )
    typed = "chi so phat tieu dunng"
    for access, shown in ((EVERYONE, None), (frozenset({"agency:X"}), "chỉ số phat tiêu dùng")):
        response = service.search(SearchRequest(access=access, text=typed))
        assert (response.shown_for, response.suggestion) == (shown, shown)


@pytest.mark.parametrize(
    ("typed", "meant", "first"),
    [
        ("theme:SOCI dan soo ha noi", "theme:SOCI dân số hà nội", "dan-so-hn"),
        ("kim ngach xuat khauu -nhập", "kim ngạch xuất khẩu -nhập", "xuat-khau"),
        ('populatoin "by province" -theme:ENVI', 'population "by province" -theme:ENVI', "population"),
        ("thu tcu hanh chinh ngh* theme:SOCI", "thủ tục hành chính ngh* theme:SOCI", "thu-tuc"),
    ],
)
def test_beside_fields_phrases_and_exclusions_only_the_words_are_corrected(find, typed, meant, first):
    response = find(typed)
    assert response.shown_for == meant
    assert ids(response) == ids(find(meant))
    assert ids(response)[0] == first


@pytest.mark.parametrize(
    "typed", ['"dan soo"', "dan -soo", "theme:SOCI -populatoin", "dan OR xuaat", "populatoi*"]
)
def test_what_stands_in_phrases_exclusions_beginnings_and_alternatives_stays_as_typed(find, typed):
    response = find(typed)
    assert response.suggestion is None
    assert response.shown_for is None


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
    "theme:" * 200,
    "theme:SOCI " * 200,
    "-theme:SOCI " * 200,
    "title:dân " * 200,
    'title:"' + "dân " * 300,
    'theme:"' * 300,
    "theme:* -title:* keyword:",
    "a:" * 500,
    "-" * 3 + "theme:SOCI",
    "x" * 30 + ":" + "y" * 900,
    "duwx" * 250,
    "lieeuj " * 150,
    "z1z2z3" * 100,
    "1.2.3-4/5:" * 90,
    "h55" * 300,
    "~popul ~ ~~",
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
