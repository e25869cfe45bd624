"""Words of a column's name, as Vietnamese offices write them: `Mã TP`, `ma_tinh`, `provinceCode`, `Tỷ lệ (%)`.

A label with diacritics is compared with diacritics, so that `hợp đồng` is no `đồng` and `lao động` neither;
one without is compared without. Phrases are whole words, in order; the longest found counts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from opendata.kernel.text import fold, nfc

if TYPE_CHECKING:
    from collections.abc import Sequence

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_A_WORD = re.compile(r"[\W_]+")
_SIGNS = {"%": " phần trăm ", "₫": " đồng "}
WHOLE = "="
MARKED = "~"


@lru_cache(maxsize=4096)
def words_of(label: str) -> tuple[str, bool]:
    """` mã tp `: lower case words with one space around each; and whether the label has no diacritics."""
    text = nfc(label)
    for sign in _SIGNS:
        text = text.replace(sign, f" {sign} ")
    is_bare = "".join(character for character in text if character not in _SIGNS).isascii()
    parted = text if " " in text.strip() and not is_bare else _CAMEL.sub(" ", text)
    for sign, word in _SIGNS.items():
        parted = parted.replace(sign, fold(word) if is_bare else word)
    return f" {_NOT_A_WORD.sub(' ', parted.casefold()).strip()} ", is_bare


def names_match(label: str, names: Sequence[str], not_names: Sequence[str] = ()) -> int:
    """How many words the longest of `names` in the label has; 0 where none is in it.

    `=lat` is the whole label or nothing; `~đồng` counts only in a label with diacritics (`dong_nam_a`). What stands in `not_names` is taken out of the label first.
    """
    words, is_bare = words_of(label)
    for phrase in not_names:
        words = words.replace(f" {_as_written(phrase, is_bare=is_bare)} ", " | ")
    longest = 0
    for name in names:
        if name.startswith(MARKED) and is_bare:
            continue
        phrase = _as_written(name.removeprefix(WHOLE).removeprefix(MARKED), is_bare=is_bare)
        found = words.strip() == phrase if name.startswith(WHOLE) else f" {phrase} " in words
        if found:
            longest = max(longest, phrase.count(" ") + 1)
    return longest


@lru_cache(maxsize=4096)
def _as_written(phrase: str, *, is_bare: bool) -> str:
    return fold(phrase) if is_bare else phrase
