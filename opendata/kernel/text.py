"""Vietnamese text: normal form, folding without diacritics, slugs and sort keys.

Called by every layer that compares, searches or orders text. All functions are pure and accept any
Unicode string; None is never accepted or returned.
"""

from __future__ import annotations

import re
import unicodedata

_D_STROKE = str.maketrans({"đ": "d", "Đ": "D", "ð": "d", "Ð": "D"})
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")

# The Vietnamese alphabet orders ă â đ ê ô ơ ư as letters of their own, after their plain form;
# f j w z, absent from it, keep their Latin places. Tones order words that are otherwise equal:
# none, huyền, hỏi, ngã, sắc, nặng (the order of Vietnamese dictionaries).
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_LETTER_RANK = {letter: f"{rank:02d}" for rank, letter in enumerate(_ALPHABET, start=40)}
_TONE_RANK = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
_DIGITS = re.compile(r"\d+")


def nfc(text: str) -> str:
    """Canonical composition (UAX #15); NFD input otherwise falls apart in search and comparison."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Lower case without any diacritic, đ included: `Dữ liệu Đắk Lắk` → `du lieu dak lak`."""
    decomposed = unicodedata.normalize("NFD", text.translate(_D_STROKE).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def slugify(text: str, *, limit: int = 80) -> str:
    """Address form: folded ASCII words joined by hyphens, cut at a word, at most `limit` characters.

    Empty when nothing of the text can be written in ASCII; the caller then chooses another name.
    """
    slug = _NOT_SLUG.sub("-", fold(text)).strip("-")
    if len(slug) <= limit:
        return slug
    return slug[: limit + 1].rpartition("-")[0] or slug[:limit]


def sort_key(text: str) -> str:
    """Digits whose order is Vietnamese dictionary order, the same under every database collation.

    Letters first, then tones as a tie-break over the whole string; runs of digits order by value.
    """
    letters: list[str] = []
    tones: list[str] = []
    padded = _DIGITS.sub(lambda run: run.group().zfill(12)[-12:], nfc(text).casefold())
    for char in unicodedata.normalize("NFD", padded):
        if char in _TONE_RANK:
            tones.append(f"{len(letters):03d}{_TONE_RANK[char]}")
        elif unicodedata.combining(char):
            letters[-1:] = [unicodedata.normalize("NFC", "".join(letters[-1:]) + char)]
        else:
            letters.append(char)
    return "".join(_rank(letter) for letter in letters) + "00" + "".join(tones)


def clean_line(text: str) -> str:
    """One line as people type it: NFC, control characters dropped, white space collapsed and trimmed."""
    return " ".join(_CONTROL.sub(" ", nfc(text)).split())


def clean_text(text: str) -> str:
    """Several lines as people type them: NFC, LF line ends, control characters dropped, ends trimmed."""
    unified = nfc(text).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_CONTROL.sub("", line).rstrip() for line in unified.split("\n")).strip()


def _rank(letter: str) -> str:
    rank = _LETTER_RANK.get(letter)
    if rank is not None:
        return rank
    if letter.isdigit():
        return f"3{unicodedata.digit(letter, 0)}"
    if letter.isspace():
        return "10"
    return f"2{min(ord(letter[0]), 0xFFFF):05d}"
