"""Vietnamese text: normal form, folding without diacritics, slugs and sort keys.

Called by every layer that compares, searches or orders text. All functions are pure and accept any
Unicode string; None is never accepted or returned.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_D_STROKE = str.maketrans({"đ": "d", "Đ": "D", "ð": "d", "Ð": "D"})
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
# Control characters, line separators, and halves of surrogate pairs: JSON can spell the last ones
# ("\\ud800"), and no database, index or answer can carry them as UTF-8. None of them can be printed, which
# str.isprintable sees ten times as fast as this pattern.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ud800-\udfff]")

# The Vietnamese alphabet orders ă â đ ê ô ơ ư as letters of their own, after their plain form;
# f j w z, absent from it, keep their Latin places. Tones order syllables that are otherwise equal:
# none, huyền, hỏi, ngã, sắc, nặng (the order of Vietnamese dictionaries).
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_LETTER_RANK = {letter: f"{rank:02d}" for rank, letter in enumerate(_ALPHABET, start=40)}
_TONE_RANK = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
_NUMBER_OR_CHARACTER = re.compile(r"\d+|.", re.DOTALL)
_LONGEST_NUMBER = 999
_SPACE = re.compile(r"\s")
_SPACE_KEY = "10"


class _Folds(dict[int, str]):
    """For str.translate: each character folded by itself, when it is first met."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.normalize("NFD", chr(code).translate(_D_STROKE).casefold())
        self[code] = "".join(c for c in decomposed if not unicodedata.combining(c))
        return self[code]


_FOLDED = _Folds()


def nfc(text: str) -> str:
    """Canonical composition (UAX #15); NFD input otherwise falls apart in search and comparison."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Lower case without any diacritic, đ included: `Dữ liệu Đắk Lắk` → `du lieu dak lak`."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.translate(_FOLDED))


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

    Syllable by syllable: first the letters, then the tone, so `tuân thủ` comes before `tuần chay`. White
    space, punctuation, numbers (by value), letters and other writing follow each other in this order.
    """
    folded = nfc(text).casefold()
    return _SPACE_KEY.join(
        map(_chunk_key, folded.split(" ") if folded.isprintable() else _SPACE.split(folded))
    )


def clean_line(text: str) -> str:
    """One line as people type it: NFC, control characters dropped, white space collapsed and trimmed."""
    line = nfc(text)
    if "  " not in line and line.isprintable():  # the only white space that can be printed is the plain space
        return line.strip()
    line = " ".join(line.split())
    return line if line.isprintable() else " ".join(_CONTROL.sub(" ", line).split())


def clean_text(text: str) -> str:
    """Several lines as people type them: NFC, LF line ends, control characters dropped, ends trimmed."""
    composed = nfc(text)
    if " \n" not in composed and composed.replace("\n", "").isprintable():
        return composed.strip()
    unified = composed.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line if line.isprintable() else _CONTROL.sub("", line) for line in unified.split("\n")]
    return "\n".join([line.rstrip() for line in lines]).strip()


@lru_cache(maxsize=16_384)
def _chunk_key(chunk: str) -> str:
    """The key of what stands between two spaces. No syllable and no number reaches over a space, and the
    syllables of a catalogue are the same few thousand.
    """
    key: list[str] = []
    tones: list[str] | None = None  # of the syllable that is being read
    for part in _NUMBER_OR_CHARACTER.findall(chunk):
        letter, tone = _letter_and_tone(part)
        if letter.isalpha() or not letter:
            tones = [*(tones or ()), tone]
        elif tones is not None:
            key.append(_syllable_end(tones))
            tones = None
        key.append(_rank(letter))
    if tones is not None:
        key.append(_syllable_end(tones))
    return "".join(key)


def _letter_and_tone(part: str) -> tuple[str, str]:
    """`ệ` → (`ê`, nặng's digit); a combining mark on its own has no letter; numbers stay as they are."""
    if part.isascii():
        return part, ""
    marks = unicodedata.normalize("NFD", part)
    tone = "".join(_TONE_RANK.get(mark, "") for mark in marks)
    letter = nfc("".join(mark for mark in marks if mark not in _TONE_RANK))
    return ("" if unicodedata.combining(letter[:1] or "\u0300") else letter), tone


def _syllable_end(tones: list[str]) -> str:
    """Sorts before any further letter."""
    return "0" + ("".join(tones) or "0")


def _rank(letter: str) -> str:
    if not letter:
        return ""
    rank = _LETTER_RANK.get(letter) or _LETTER_RANK.get(fold(letter))  # ü stands with u
    if rank is not None:
        return rank
    if letter.isdecimal():
        value = "".join(str(unicodedata.decimal(digit)) for digit in letter).lstrip("0")[:_LONGEST_NUMBER]
        return f"3{len(value):03d}{value}"
    if letter.isspace():
        return "10"
    return f"{8 if letter.isalpha() else 2}{ord(letter[0]):07d}"
