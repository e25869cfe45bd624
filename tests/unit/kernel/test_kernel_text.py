"""Vietnamese text against lists written by hand and against an order built from the parts of syllables."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.kernel.text import clean_line, clean_text, fold, nfc, slugify, sort_key

# As Vietnamese dictionaries order them: a ă â … d đ e ê … o ô ơ … u ư, then none huyền hỏi ngã sắc nặng,
# syllable by syllable (what a tone tells apart comes before any later syllable).
DICTIONARY = """
ba | ba ba | ba hoa | bà | bà con | bả | bã | bá | bạ | bác | bạc | bai | bài | băng | bằng | bân | bần
da | dạ | dân | dân số | dân tộc | dần | đa | đà | đất | em | én | ếch | êm | gà | ho | họ | hoa
hòa bình | hoài | hô | hồ | hơ | hờ | tuân thủ | tuần chay | ưa | ương | y tế | ý kiến
"""
PROVINCES = """
An Giang | Bà Rịa - Vũng Tàu | Bạc Liêu | Bắc Giang | Bắc Kạn | Bắc Ninh | Bến Tre | Bình Dương | Bình Định
Bình Phước | Bình Thuận | Cà Mau | Cao Bằng | Cần Thơ | Đà Nẵng | Đắk Lắk | Đắk Nông | Điện Biên | Đồng Nai
Đồng Tháp | Gia Lai | Hà Giang | Hà Nam | Hà Nội | Hà Tĩnh | Hải Dương | Hải Phòng | Hậu Giang | Hòa Bình
Hưng Yên | Khánh Hòa | Kiên Giang | Kon Tum | Lai Châu | Lạng Sơn | Lào Cai | Lâm Đồng | Long An | Nam Định
Nghệ An | Ninh Bình | Ninh Thuận | Phú Thọ | Phú Yên | Quảng Bình | Quảng Nam | Quảng Ngãi | Quảng Ninh
Quảng Trị | Sóc Trăng | Sơn La | Tây Ninh | Thái Bình | Thái Nguyên | Thanh Hóa | Thành phố Hồ Chí Minh
Thừa Thiên Huế | Tiền Giang | Trà Vinh | Tuyên Quang | Vĩnh Long | Vĩnh Phúc | Yên Bái
"""
LETTERS = {
    "a": "aàảãáạăằẳẵắặâầẩẫấậ",
    "d": "dđ",
    "e": "eèẻẽéẹêềểễếệ",
    "i": "iìỉĩíị",
    "o": "oòỏõóọôồổỗốộơờởỡớợ",
    "u": "uùủũúụưừửữứự",
    "y": "yỳỷỹýỵ",
}
TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
ONSETS = (
    "",
    "b",
    "ch",
    "d",
    "đ",
    "g",
    "gi",
    "h",
    "kh",
    "l",
    "ng",
    "ngh",
    "ph",
    "qu",
    "s",
    "th",
    "tr",
    "v",
    "x",
)
VOWELS = ("a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y")
CODAS = ("", "c", "ch", "i", "m", "n", "ng", "nh", "o", "p", "t", "u")
ORDER = [
    "a",
    "ă",
    "â",
    "b",
    "c",
    "d",
    "đ",
    "e",
    "ê",
    "g",
    "h",
    "i",
    "k",
    "l",
    "m",
    "n",
    "o",
    "ô",
    "ơ",
    "p",
    "q",
    "r",
    "s",
    "t",
    "u",
    "ư",
    "v",
    "x",
    "y",
]


def words(text: str) -> list[str]:
    return [word.strip() for line in text.strip().splitlines() for word in line.split("|")]


@pytest.mark.parametrize("listed", [words(DICTIONARY), words(PROVINCES)], ids=["dictionary", "provinces"])
def test_order_is_that_of_vietnamese_dictionaries(listed: list[str]) -> None:
    backwards = listed[::-1]  # so that two equal keys would show
    assert sorted(backwards, key=sort_key) == listed


def test_order_does_not_depend_on_form_or_case() -> None:
    for word in words(DICTIONARY) + words(PROVINCES):
        assert sort_key(unicodedata.normalize("NFD", word)) == sort_key(word) == sort_key(word.upper())


syllables = st.tuples(
    st.sampled_from(ONSETS), st.sampled_from(VOWELS), st.integers(0, 5), st.sampled_from(CODAS)
)


def spell(parts: list[tuple[str, str, int, str]], form: Literal["NFC", "NFD"]) -> str:
    text = " ".join(f"{onset}{vowel}{TONES[tone]}{coda}" for onset, vowel, tone, coda in parts)
    return unicodedata.normalize(form, text)


def place(parts: list[tuple[str, str, int, str]]) -> list[tuple[list[int], int]]:
    return [
        ([ORDER.index(letter) for letter in f"{onset}{vowel}{coda}"], tone)
        for onset, vowel, tone, coda in parts
    ]


@given(
    st.lists(syllables, min_size=1, max_size=4),
    st.lists(syllables, min_size=1, max_size=4),
    st.sampled_from(["NFC", "NFD"]),
)
def test_order_follows_letters_then_tone_of_each_syllable(one, other, form) -> None:
    first, second = sort_key(spell(one, form)), sort_key(spell(other, "NFC"))
    assert (first < second, first == second) == (place(one) < place(other), place(one) == place(other))


@given(st.text())
def test_sort_keys_are_digits_which_every_collation_orders_alike(text: str) -> None:
    key = sort_key(text)
    assert key == "" or (key.isascii() and key.isdigit())


@given(st.lists(st.integers(0, 10**15), min_size=2, max_size=2, unique=True))
def test_numbers_order_by_value(numbers: list[int]) -> None:
    titled = [f"Nghị định {number}/NĐ-CP" for number in numbers]
    assert sorted(titled, key=sort_key) == [f"Nghị định {number}/NĐ-CP" for number in sorted(numbers)]


def test_classes_of_characters_follow_each_other() -> None:
    listed = ["", "a", "a b", "a-b", "a1", "a2", "a10", "ab", "über", "vé", "zoo", "αβγ", "数据"]
    backwards = listed[::-1]  # so that two equal keys would show
    assert sorted(backwards, key=sort_key) == listed


@pytest.mark.parametrize(
    ("letter", "base"),
    [(letter, base) for base, letters in LETTERS.items() for letter in letters],
)
def test_every_vietnamese_letter_folds(letter: str, base: str) -> None:
    for cased in (letter, letter.upper()):
        assert fold(unicodedata.normalize("NFC", cased)) == base
        assert fold(unicodedata.normalize("NFD", cased)) == base


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folded_text_has_no_marks(text: str) -> None:
    assert not any(unicodedata.combining(char) for char in unicodedata.normalize("NFD", fold(text)))


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Dân số Đắk Lắk (2025)", "dan-so-dak-lak-2025"),
        (unicodedata.normalize("NFD", "Tỷ lệ hộ nghèo"), "ty-le-ho-ngheo"),
        ("  --- ", ""),
        ("数据", ""),
        ("a" * 100, "a" * 80),
        ("a" * 79 + " bcd", "a" * 79),
        ("a" * 80 + " bcd", "a" * 80),
        ("a" * 40 + " " + "b" * 39 + " c", "a" * 40 + "-" + "b" * 39),
    ],
)
def test_slugs(text: str, slug: str) -> None:
    assert slugify(text) == slug


@given(st.text(), st.integers(1, 60))
def test_slugs_fit_and_are_their_own_slug(text: str, limit: int) -> None:
    slug = slugify(text, limit=limit)
    assert len(slug) <= limit
    assert slugify(slug, limit=limit) == slug
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not slug.startswith("-")
    assert not slug.endswith("-")


any_text = st.text(alphabet=st.characters(exclude_categories=()))


@given(any_text)
def test_clean_text_can_be_kept_everywhere(text: str) -> None:
    for cleaned in (clean_line(text), clean_text(text)):
        cleaned.encode("utf-8")  # no half of a surrogate pair
        assert "\x00" not in cleaned
        assert nfc(cleaned) == cleaned


@given(any_text)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean_line(clean_line(text)) == clean_line(text)
    assert clean_text(clean_text(text)) == clean_text(text)
    assert "\n" not in clean_line(text)


@given(st.text(st.sampled_from("aộ \t\r\n\x00\x85\xa0\u0323\u2028\ud800"), max_size=12))
def test_clean_text_is_clean_line_by_line(text):
    """Letter by letter, as it is meant."""
    lines = [""]
    for letter in unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n"):
        if letter == "\n":
            lines.append("")
        elif letter not in "\x00\u2028\ud800":
            lines[-1] += letter
    assert clean_text(text) == "\n".join(line.rstrip() for line in lines).strip()


def test_clean_text_keeps_paragraphs() -> None:
    assert clean_text("\r\n một \r\nhai\rba\x07\n\n") == "một\nhai\nba"
    assert clean_line(" một\t hai\nba\x00 ") == "một hai ba"
