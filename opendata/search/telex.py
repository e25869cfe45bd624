"""Vietnamese that was typed by Telex or VNI while the input method was off: `duwx lieeuj`, `du74 lie65u`.

Called by corrections for words that no visible document holds. A word is repaired only when it is no
Vietnamese syllable as it stands and becomes one, so plain bare typing is never touched. Pure; the work is
bounded by the longest syllable that can be typed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from opendata.kernel.text import fold, nfc
from opendata.search.analysis import is_syllable

_LONGEST: Final = 12  # nghieengsz and a little
_GRAVE, _HOOK, _TILDE, _ACUTE, _DOT = "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"
_TONES: Final = {"s": _ACUTE, "f": _GRAVE, "r": _HOOK, "x": _TILDE, "j": _DOT}
_VNI_TONES: Final = {"1": _ACUTE, "2": _GRAVE, "3": _HOOK, "4": _TILDE, "5": _DOT}
_ROOFED: Final = {"a": "â", "e": "ê", "o": "ô"}
_HORNED: Final = {"a": "ă", "o": "ơ", "u": "ư"}
_VOWELS: Final = "aeiouyăâêôơư"
_MARKED: Final = "ăâêôơư"
_SHAPE: Final = re.compile(rf"(qu|gi(?=[{_VOWELS}])|[^{_VOWELS}]*)([{_VOWELS}]+)([^{_VOWELS}]*)")
_AS_TYPED: Final = re.compile(r"[a-z]+|[a-z]+[a-z1-9]*")


def untyped(word: str) -> str | None:
    """The syllable that was meant, with its marks; None where the word is not such a left-over."""
    if len(word) > _LONGEST or not _AS_TYPED.fullmatch(word) or (is_syllable(word) and "oo" not in word):
        return None  # oo is ô in Telex and nearly never itself (xoong)
    letters, tone = _read_vni(word) if any(map(str.isdigit, word)) else _read_telex(word)
    letters = letters.replace("ưo", "ươ")  # as input methods do: ưo alone is in no syllable
    if not is_syllable(fold(letters)) or (letters == word and not tone):
        return None
    return _with_tone(letters, tone)


def has_tone(syllable: str) -> bool:
    return any(mark in _VNI_TONES.values() for mark in unicodedata.normalize("NFD", syllable))


def _read_telex(word: str) -> tuple[str, str]:
    letters, tone = "", ""
    for char in word:
        has_vowel = any(letter in _VOWELS for letter in letters)
        if char in _TONES and has_vowel:
            tone = _TONES[char]
        elif char == "z" and has_vowel:
            tone = ""
        elif char == "w":
            letters = _horned(letters) or letters + "ư"
        elif char == "d" and letters.startswith("d"):
            letters = f"đ{letters[1:]}"
        elif char in _ROOFED and char in letters:
            letters = letters.replace(char, _ROOFED[char], 1)
        else:
            letters += char
    return letters, tone


def _read_vni(word: str) -> tuple[str, str]:
    letters, tone = "", ""
    for char in word:
        if char in _VNI_TONES:
            tone = _VNI_TONES[char]
        elif char == "6":
            letters = "".join(_ROOFED.get(letter, letter) for letter in letters)
        elif char in "78":
            letters = _horned(letters) or letters + char
        elif char == "9" and letters.startswith("d"):
            letters = f"đ{letters[1:]}"
        else:
            letters += char
    return letters, tone


def _horned(letters: str) -> str:
    """With the horn or breve on the vowel that takes it (on both of uo); empty where none does."""
    if "uo" in letters:
        return letters.replace("uo", "ươ", 1)
    if "ưo" in letters:
        return letters.replace("ưo", "ươ", 1)
    for place in range(len(letters) - 1, -1, -1):
        if letters[place] in _HORNED and letters[place - 1 : place + 1] != "qu":
            return letters[:place] + _HORNED[letters[place]] + letters[place + 1 :]
    return ""


def _with_tone(letters: str, tone: str) -> str:
    shape = _SHAPE.fullmatch(letters)
    if not tone or shape is None:
        return letters
    vowels, ending = shape[2], shape[3]
    marked = [place for place, vowel in enumerate(vowels) if vowel in _MARKED]
    if marked:
        place = marked[-1]
    elif ending:
        place = len(vowels) - 1
    else:
        # hóa, của, mái, but thuý and xoáy: of two the first, of three the middle.
        place = {1: 0, 2: 1 if vowels == "uy" else 0}.get(len(vowels), 1)
    at = shape.start(2) + place + 1
    return nfc(letters[:at] + tone + letters[at:])
