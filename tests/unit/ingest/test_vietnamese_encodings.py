"""TCVN3 and VNI: the tables against the standard's own letters, and nothing proper is ever converted."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.resources.formats.encoding_evidence import EncodingEvidence, evidence_of_bytes
from opendata.resources.formats.vietnamese_encodings import TABLES, decode_text
from opendata.resources.formats.vietnamese_syllables import is_syllable

LETTERS = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"

WESTERN = {
    "French": "Société générale|Région Île-de-France|Été|où|Données|Côte d'Azur|thé|né|Préfecture|même|à côté|"
    "Année|Chômage|Hôpital|François|Crèche|Numéro|Département|Intérêt|créé|Très élevé",
    "German": "Straße|Grün|für|über|Mädchen|Größe|Übersicht|Württemberg|Köln|Süd|schön|Bevölkerung|Höhe",
    "Spanish": "año|población|más|sí|está|qué|tú|niños|Málaga|León|Cádiz|También|razón|Región|días|mí|té|sé",
    "Portuguese": "São Paulo|Não|água|você|três|mês|avó|há|já|lã|mãe|põe|pé|só|nós|Município|Educação",
    "Swedish": "Malmö|Göteborg|år|kön|ålder|Västra Götaland|på|själv|för|län|Örebro",
    "English": "Total|Café Zoë|naïve|£5 per m²|25 °C|§ 4|5 µg|© 2024|façade|résumé",
    "Vietnamese": "Cá|Tôm|Gà|không|tôi|Bà|và|có|là|thì|Xã|Hà Nội|Tỷ lệ|tổng số|thoát|chú|phí đã|mìn|ô tô|Cô Tô",
    "Vietnamese of few marks": "Cá|Tôm|Gà|không|Bà|và|có|là|thì|Xã|chú|sông|núi|tên|mã|bò|chó|dê|thú|chè",
}

TCVN3 = ["Tæng sè", "n\xadíc th¶i vµ tho¸t n\xadíc", "§¬n vÞ tÝnh: TriÖu ®ång", "Hå ChÝ Minh"]
VNI = ["Toång soá lao ñoäng", "Ngöôøi bò naïn vi phaïm", "Ñieàu kieän laøm vieäc", "Hoà Chí Minh"]


def vni_of(letter: str) -> str:
    """VNI as its keyboard driver writes it: a letter, then one character for its marks."""
    whole = {"đ": "ñ", "ơ": "ô", "ư": "ö", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î", "ì": "ì", "í": "í"}
    if letter in whole:
        return whole[letter]
    parts = unicodedata.normalize("NFD", letter)
    marks = parts[1:]
    base = parts[0]
    if "\u031b" in marks:
        base, marks = whole[unicodedata.normalize("NFC", base + "\u031b")], marks.replace("\u031b", "")
    # circumflex, breve or neither × nothing, grave, hook, tilde, acute, dot below
    rows = {"\u0302": "âàåãáä", "\u0306": "êèúüéë", "": " øûõùï"}
    shape = next((mark for mark in ("\u0302", "\u0306") if mark in marks), "")
    tone = marks.replace(shape, "")
    place = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"].index(tone)
    return base + rows[shape][place].strip()


@pytest.mark.parametrize("letter", LETTERS)
def test_every_letter_of_vni(letter) -> None:
    assert decode_text(vni_of(letter), "vni") == letter


def test_every_letter_of_tcvn3_has_one_code() -> None:
    decoded = [decode_text(chr(code), "tcvn3") for code in TABLES["tcvn3"]]
    letters = [letter for letter in decoded if letter in LETTERS]
    assert sorted(letters) == sorted(LETTERS)
    capitals = [letter for letter in decoded if letter.isupper() and letter.lower() in LETTERS]
    assert "".join(capitals) == "ĂÂÊÔƠƯĐ"


def test_codecs_read_bytes_as_tables_do() -> None:
    assert "\n".join(TCVN3).encode("latin-1").decode("tcvn3") == decode_text("\n".join(TCVN3), "tcvn3")
    read = "\n".join(VNI).encode("latin-1").decode("vni")
    assert unicodedata.normalize("NFC", read).startswith("Tổng số lao động\nNgười bị nạn vi phạm\nĐiều kiện")
    with pytest.raises(UnicodeEncodeError):
        "ô".encode("tcvn3")


@pytest.mark.parametrize(("texts", "encoding"), [(TCVN3, "tcvn3"), (VNI, "vni")])
def test_old_text_is_found_and_read(texts, encoding) -> None:
    evidence = EncodingEvidence()
    evidence.add(texts)
    assert evidence.decide() == (encoding,)
    assert evidence.to_json()[encoding]["words"] >= 8
    assert evidence.read(texts[-1]) == "Hồ Chí Minh"
    assert evidence_of_bytes("\n".join(texts).encode("latin-1")).encodings == (encoding,)


@pytest.mark.parametrize("texts", WESTERN.values(), ids=WESTERN)
def test_proper_text_is_never_converted(texts) -> None:
    evidence = EncodingEvidence()
    evidence.add(texts.split("|"))
    assert evidence.decide() == ()
    assert [evidence.read(text) for text in texts.split("|")] == texts.split("|")


def test_each_cell_of_a_mixed_sheet_is_read_as_what_it_is() -> None:
    proper = ["Ủy ban nhân dân", "Ban hành kèm theo", "thành phố", "tháng 9 năm 2006"]
    evidence = EncodingEvidence()
    evidence.add([*TCVN3 * 2, *VNI, *proper])
    assert set(evidence.decide()) == {"tcvn3", "vni"}
    assert [evidence.read(text) for text in proper] == proper
    assert evidence.read("Tæng sè") == evidence.read("Toång soá") == "Tổng số"
    assert evidence.read("Trung t©m ĐiÒu khiÓn") == "Trung tâm Điều khiển"


def test_one_word_is_too_little_unless_the_rest_of_the_file_says_the_same() -> None:
    evidence = EncodingEvidence()
    evidence.add(["Tæng"])
    assert evidence.decide() == ()
    assert evidence.decide(["tcvn3"]) == ("tcvn3",)


def test_a_publisher_may_say_it() -> None:
    evidence = EncodingEvidence()
    evidence.force("tcvn3")
    assert evidence.read("Bé") == "Bộ"
    evidence.force(None)
    assert evidence.read("Tæng sè") == "Tæng sè"


def test_capital_fonts() -> None:
    assert decode_text("TæNG CéNG Bé Tµi chÝnh, UBND x·", "tcvn3") == "TỔNG CỘNG Bộ Tài chính, UBND xã"


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_stays(text) -> None:
    assert decode_text(text, "vni") == text
    assert decode_text(text, "tcvn3") == text


@pytest.mark.parametrize("word", ["nghiêng", "Nguyễn", "QUYẾT", "giếng", "quốc", "yêu", "khuya", "ở"])
def test_syllables(word) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", ["Tæng", "phòng\u0301", "straße", "xyz", "cat", "tróg", "générale"])
def test_no_syllables(word) -> None:
    assert not is_syllable(word)


@pytest.mark.parametrize(
    ("name", "words"),
    [("2009-20081202.257", 488), ("2009-Channuoi_2007", 2315), ("2005-KH2003-bieu", 1515)],
)
def test_words_of_real_workbooks(name, words, real_data) -> None:
    """Right words against the transcripts; those of KH2003 hold 22 wrong ones (`TriƯu` where Triệu stands)."""
    import difflib

    import python_calamine as calamine

    folder = real_data / "legacy-encodings"
    expected = re.findall(r"[^\W\d_]+", (folder / f"{name}.expected.txt").read_text())
    found: list[str] = []
    workbook = calamine.CalamineWorkbook.from_path(folder / f"{name}.xls")
    for sheet in workbook.sheet_names:
        texts = [
            str(cell) for row in workbook.get_sheet_by_name(sheet).iter_rows() for cell in row if cell != ""
        ]
        evidence = EncodingEvidence()
        evidence.add(texts)
        evidence.decide()
        for text in texts:
            found += re.findall(r"[^\W\d_]+", evidence.read(text))
    same = difflib.SequenceMatcher(None, found, expected, autojunk=False).get_matching_blocks()
    assert sum(block.size for block in same) >= words
    assert len(expected) - words in {0, 22}
