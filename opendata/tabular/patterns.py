"""Text searches as RE2 patterns (github.com/google/re2/wiki/Syntax), called by `sql`.

Folding a million cells costs seconds; letting the pattern accept every accented form of each letter asked for
costs a tenth of one and needs no second copy of the text. RE2 runs in time linear in the text, so no pattern
made here can be turned against the server. Letters are written as code points: nothing typed is ever syntax.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from opendata.kernel.text import fold

# Every script whose letters fold to something shorter lies below; CJK and symbols fold to themselves.
_FOLDED_UP_TO: Final = 0x3000
# Combining Diacritical Marks, those of Latin, Greek and Cyrillic. All marks of Unicode, the ones `fold` drops,
# make a pattern of 100 letters outgrow RE2's cache: ten seconds over a million rows instead of 0.6.
_MARKS: Final = r"[\x{300}-\x{36f}]*"


def folded_pattern(folded: str) -> str:
    """Matches text whose folded form contains `folded` (itself folded); any white space matches a space."""
    return "".join(r"\s+" if char == " " else _any_accent(char) for char in folded)


def contains_pattern(text: str) -> str:
    """Matches text containing `text`, whatever its capitals, composed (NFC) or decomposed (NFD)."""
    return "(?i:" + "".join(map(_either_form, text)) + ")"


def prefix_pattern(text: str) -> str:
    return r"\A" + contains_pattern(text)


def _point(char: str) -> str:
    return f"\\x{{{ord(char):x}}}"


def _either_form(char: str) -> str:
    apart = unicodedata.normalize("NFD", char)
    if apart == char:
        return _point(char)
    return f"(?:{_point(char)}|{''.join(map(_point, apart))})"


def _any_accent(char: str) -> str:
    written = _variants().get(char, _point(char))
    return f"[{written}]{_MARKS}"


@cache
def _variants() -> dict[str, str]:
    """For every letter, the characters that fold to it, as the inside of a character class."""
    forms: dict[str, str] = {}
    for code in range(_FOLDED_UP_TO):
        letter = fold(chr(code))
        if len(letter) == 1:
            forms[letter] = forms.get(letter, "") + _point(chr(code))
    return forms
