"""Words as they are indexed, said by hand; and properties that hold for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opendata.search.analysis import (
    LONGEST_WORD,
    STEM_SIGN,
    View,
    chunks,
    folded_words,
    is_syllable,
    joined_views,
    stem_of,
    views,
)


@pytest.mark.parametrize(
    ("text", "exact", "folded"),
    [
        ("Dữ liệu Đắk Lắk", ["dữ", "liệu", "đắk", "lắk"], ["du", "lieu", "dak", "lak"]),
        ("năm 2024", ["năm", "2024"], ["nam", "2024"]),
        ("TP.HCM", ["tp", "hcm", "tphcm"], ["tp", "hcm", "tphcm"]),
        ("TPHCM", ["tphcm"], ["tphcm"]),
        ("H55.242", ["h55", "242", "h55242"], ["h55", "242", "h55242"]),
        ("000.00.00.H41", ["000", "00", "00", "h41", "0000000h41"], ["000", "00", "00", "h41", "0000000h41"]),
        ("QCVN 102:2016", ["qcvn", "102", "2016", "102:2016"], ["qcvn", "102", "2016", "102:2016"]),
        (
            "194/2025/NĐ-CP",
            ["194", "2025", "nđ", "cp", "1942025nđcp"],
            ["194", "2025", "nd", "cp", "1942025ndcp"],
        ),
        (
            "1,5 hoặc 3.5",
            ["1", "5", "hoặc", "3", "5", "1,5", "3.5"],
            ["1", "5", "hoac", "3", "5", "1,5", "3.5"],
        ),
        ("một,hai", ["một", "hai"], ["mot", "hai"]),
        ("ma_xa", ["ma", "xa"], ["ma", "xa"]),
        ("quản lý kỹ sư Mỹ", ["quản", "lý", "kỹ", "sư", "mỹ"], ["quan", "li", "ki", "su", "mi"]),
        ("Hòa hoà", ["hòa", "hoà"], ["hoa", "hoa"]),
        ("... !? ¶ 🎉", [], []),
        ("", [], []),
    ],
)
def test_the_words_of_a_text(text, exact, folded):
    seen = views(text)
    assert seen[View.EXACT] == exact
    assert seen[View.FOLDED] == folded


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("population", "~popul"),
        ("populations", "~popul"),
        ("city", "~citi"),
        ("cities", "~citi"),
        ("statistics", "~statist"),
        ("nghiêng", ""),
        ("nghieng", ""),  # Vietnamese typed bare stays what it is
        ("than", ""),
        ("gas", ""),
        ("tphcm", ""),
        ("h55", ""),
        ("qcvn", ""),
        ("café", ""),
    ],
)
def test_only_what_can_be_no_vietnamese_syllable_has_an_english_stem(word, stem):
    assert stem_of(word) == stem


def test_stems_come_last_and_make_no_pairs():
    seen = views("Average prices of TP.HCM")
    assert seen[View.FOLDED] == ["average", "prices", "of", "tp", "hcm", "tphcm", "~averag", "~price"]
    assert seen[View.PAIRS] == ["average_prices", "prices_of", "of_tp", "tp_hcm"]


VIETNAMESE = """
    dữ liệu mở quốc gia nghiêng ngả khuỷu khuya thuở xuống giường quyển sách rượu hươu bưởi chuyện tuyết xoong
    yêu yếm ngoẹo khoáy loay hoay quạnh quẽ giếng gìn gửi trường ngoằn khuếch nguyệt thuế ỉa đặc biệt phương
"""


def test_vietnamese_syllables_are_known_with_their_marks_gone():
    for word in views(VIETNAMESE)[View.FOLDED]:
        assert is_syllable(word), word
    for word in ("population", "price", "data", "wage", "railway", "telex", "zip", "schools"):
        assert not is_syllable(word), word


def test_pairs_are_neighbours_and_leave_codes_out():
    assert views("Ủy ban TP.HCM")[View.PAIRS] == ["uy_ban", "ban_tp", "tp_hcm"]
    assert views("một")[View.PAIRS] == []


@given(st.text(max_size=300))
@example("a\u0301\u0301 \u0301b İ ß ŉ ͅ")
@example("\ud800x")
def test_any_text_gives_words_that_engines_split_as_we_do(text):
    seen = views(text)
    plain = [word for word in seen[View.FOLDED] if not word.startswith(STEM_SIGN)]
    assert len(seen[View.EXACT]) == len(plain)
    for word in seen[View.EXACT] + seen[View.FOLDED] + seen[View.PAIRS]:
        assert word
        assert word.split() == [word]
        assert "¶" not in word
        word.encode()


@given(st.text(alphabet="aăâbdđeêioôơuưyàáảãạ ÀĐƯỜNG.-/0123", max_size=80))
def test_composition_and_case_make_no_difference(text):
    expected = views(text)
    assert views(unicodedata.normalize("NFD", text)) == expected
    assert views(text.upper())[View.FOLDED] == expected[View.FOLDED]


def test_words_are_bounded():
    chunk = next(chunks("x" * 5000))
    assert chunk.exact == ("x" * LONGEST_WORD,)
    assert all(len(word) <= LONGEST_WORD for word in views(".".join(["abc"] * 900))[View.FOLDED])


@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(
                [
                    "TP.HCM",
                    "H55.242,",
                    "1,5",
                    "2016-2020",
                    "Quản lý",
                    "TỔNG ΣΑΣ",
                    "o\u0302\u0323",
                    "cans",
                    "–",
                    "\u0301",
                    "so-lieu-dan-so-2024-theo-tinh-thanh-pho.csv",
                    "(https://congbao.chinhphu.vn/van-ban/H55.242,2024-statistics)",
                    "đ" * 70,
                ]
            ),
        )
    ).flatmap(lambda parts: st.sampled_from(("", " ")).map(lambda between: between.join(parts)))
)
def test_words_joined_for_documents_are_the_words_of_queries(text: str) -> None:
    expected = {view: " ".join(words) for view, words in views(text).items()}
    assert joined_views(text) == expected
    assert folded_words(text) == [word for chunk in chunks(text) for word in chunk.folded]
