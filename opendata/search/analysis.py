"""How text becomes words, the same for every engine, for documents and for queries.

One pattern cuts (within Whoosh's tokenizer it took twice as long); from its words three views are derived: exact (with
diacritics), folded (without, đ→d) and pairs (neighbouring folded syllables, which do the work of a
Vietnamese word segmenter). Words that cannot be Vietnamese syllables also get their English stem, under a
sign of its own so that it meets no syllable (cans → can, cần). Engines receive these words ready made,
joined by spaces, and only split them again: none of them folds Vietnamese right by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, cast

from whoosh.lang.snowball.english import EnglishStemmer

from opendata.kernel.text import fold, nfc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Part of every index's fingerprint: raise it when the words made of a text change, and every index is
# rebuilt by its owner.
ANALYSIS_VERSION: Final = 2

LONGEST_WORD: Final = 64
_LONGEST_CODE = 40
_MOST_PIECES: Final = 32_768
_LONGEST_KEPT: Final = 40
_JOINTS = ".:/-"
# Letters and digits; a mark that found no letter to compose with stays inside its word. Written with
# loops unrolled: half the time of the obvious pattern, and this is where indexing spends its time.
_WORD = r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*"
# A chunk is a word, or several joined as codes are: TP.HCM, H55.242, 2016-2020. A comma joins digits
# only (1,5); elsewhere it ends the chunk.
_CHUNK = rf"{_WORD}(?:(?:[{_JOINTS}]|(?<=\d),(?=\d)){_WORD})*"
_TOKENS = re.compile(_CHUNK)
_SPLIT = str.maketrans(dict.fromkeys(f"{_JOINTS},", " "))
_DROP = str.maketrans(dict.fromkeys(f"{_JOINTS},", None))
# Spelling allows i or y after these initials (quản lý, quản lí); folded words always say i.
I_OR_Y: Final = {f"{initial}y": f"{initial}i" for initial in ("h", "k", "l", "m", "s", "t")}
# What a Vietnamese syllable can look like without its marks: the written beginnings, vowels and endings,
# with the k of names (Đắk Lắk).
_SYLLABLE = re.compile(
    r"(?:b|ch?|d|gh?|gi|h|kh?|l|m|ngh?|nh?|ph?|qu|r|s|th?|tr|v|x)?"
    r"(?:[aeiouy]|ai|ao|au|ay|eo|eu|ia|ie|ieu|iu|oa|oai|oao|oay|oe|oeo|oi|oo|ua|uay|ue|ui|uo|uoi|uou|uu|uy|uya|uye|uyu|ye|yeu)"
    r"(?:ch?|k|m|ng?|nh|p|t)?"
)
STEM_SIGN: Final = "~"
_SHORTEST_STEMMED = 4
_VOWELS = frozenset("aeiouy")
_stem_english = EnglishStemmer().stem


class View(StrEnum):
    """The three ways a text is indexed."""

    EXACT = "exact"
    FOLDED = "folded"
    PAIRS = "pairs"


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stood together: its words in order, and for a code (TP.HCM) also the code as one word.

    `stems` holds one entry a word, empty where the word has none.
    """

    exact: tuple[str, ...]
    folded: tuple[str, ...]
    code: tuple[str, str] | None
    """The code exact and folded."""
    stems: tuple[str, ...]


def chunks(text: str) -> Iterator[Chunk]:
    """The words of a text in order, lower-cased, in canonical composition."""
    return map(_chunk, _TOKENS.findall(nfc(text).lower()))


def chunks_as_typed(text: str) -> Iterator[tuple[str, Chunk]]:
    """The same, each with how it stands in the text."""
    composed = nfc(text)
    lowered = composed.lower()
    is_in_step = len(lowered) == len(composed)  # İ becomes two characters
    for token in _TOKENS.finditer(lowered):
        yield composed[token.start() : token.end()] if is_in_step else token[0], _chunk(token[0])


def views(text: str) -> dict[View, list[str]]:
    """The words of a text as they are indexed; codes and stems come last, where they break no phrase."""
    exact: list[str] = []
    folded: list[str] = []
    codes: list[tuple[str, str]] = []
    stems: list[str] = []
    for chunk in chunks(text):
        exact += chunk.exact
        folded += chunk.folded
        if chunk.code is not None:
            codes.append(chunk.code)
        stems += filter(None, chunk.stems)
    neighbours = pairs(folded)
    for code, folded_code in codes:
        exact.append(code)
        folded.append(folded_code)
    folded += stems
    return {View.EXACT: exact, View.FOLDED: folded, View.PAIRS: neighbours}


def pairs(folded: Iterable[str]) -> list[str]:
    """Neighbouring folded words as single index terms."""
    return list(map("_".join, pairwise(folded)))


def joined_views(text: str) -> dict[View, str]:
    """The words of `views` joined by spaces, several times faster: for whole documents.

    What stands between two spaces is cut once and kept, since a catalogue repeats it; then all is done by
    the interpreter's own loops, one for each view.
    """
    pieces = list(map(_PIECES.__getitem__, nfc(text).lower().split()))
    if not pieces:
        return dict.fromkeys(View, "")
    written, bare, beginnings, ends = zip(*pieces, strict=True)
    exact, folded = "".join(written), "".join(bare)
    # "a a_b b_c c_" without the word before the first pair and the half pair after the last.
    doubled = "".join(beginnings)
    neighbours = doubled[doubled.find(" ") + 1 : max(doubled.rfind(" "), 0)]
    if any(ends):
        codes, folded_codes, stems = zip(*filter(None, ends), strict=True)
        exact = "".join([exact, *codes])
        folded = "".join([folded, *folded_codes, *stems])
    return {View.EXACT: exact[:-1], View.FOLDED: folded[:-1], View.PAIRS: neighbours}


def pieces_of(text: str) -> list[str]:
    """What stands between two spaces, in small letters. What is long comes as what it is made of: names of files and
    addresses do not come again, but their words do.
    """
    pieces = nfc(text).lower().split()
    if not pieces or max(map(len, pieces)) <= _LONGEST_KEPT:
        return pieces
    return [part for piece in pieces for part in ((piece,) if len(piece) <= _LONGEST_KEPT else _parts(piece))]


def words_of_piece(piece: str) -> tuple[list[str], ...]:
    """Of one of `pieces_of`: its words exact and folded, its codes exact and folded, and its stems.

    Those of all pieces of a text, codes and stems last, are the words of `views`.
    """
    exact, folded, _, ends = _PIECES.get(piece) or _written(piece)
    return tuple(text.split() for text in (exact, folded, *(ends or ("", "", ""))))


def folded_words(text: str) -> list[str]:
    """The folded words of a text in order, without codes and stems."""
    return "".join([_PIECES[piece][1] for piece in nfc(text).lower().split()]).split()


def fold_word(word: str) -> str:
    """One lower-case word without diacritics and with one spelling of i and y."""
    folded = fold(word)[:LONGEST_WORD]
    return I_OR_Y.get(folded, folded)


def is_syllable(folded: str) -> bool:
    """Whether a folded word is spelled as a Vietnamese syllable can be."""
    return _SYLLABLE.fullmatch(folded) is not None


def stem_of(word: str) -> str:
    """The English stem under its sign; empty for what is no English word: with marks or digits, short, a syllable."""
    if (
        len(word) < _SHORTEST_STEMMED
        or not (word.isascii() and word.isalpha())
        or is_syllable(word)
        or _VOWELS.isdisjoint(word)
    ):
        return ""
    return f"{STEM_SIGN}{_stem_english(word)}"


@lru_cache(maxsize=16_384)
def _folded_and_stem(word: str) -> tuple[str, str]:
    return fold_word(word), stem_of(word)


# The codes of a piece, exact and folded, and its stems, each followed by a space; they come last in a text.
_Ends = tuple[str, str, str]
# Words exact and folded, each followed by a space, the beginnings of their pairs ("b b_": the end of one pair and
# the beginning of the next), and what comes at the end of the text.
_Written = tuple[str, str, str, _Ends | None]


class _Pieces(dict[str, _Written]):
    """What stands between two spaces → how it is indexed, kept unless it is long."""

    def __missing__(self, piece: str) -> _Written:
        if len(piece) > _LONGEST_KEPT:
            return self._long(piece)
        written = _written(piece)
        if len(self) >= _MOST_PIECES:
            self.clear()
        self[piece] = written
        return written

    def _long(self, piece: str) -> _Written:
        """Written by what it is made of: names of files and addresses do not come again, but their words do."""
        parts = _parts(piece)
        if parts == [piece] or not parts:
            return _written(piece)
        exact, folded, beginnings, ends = zip(*[self[part] for part in parts], strict=True)
        last = tuple(map("".join, zip(*filter(None, ends), strict=True))) if any(ends) else None
        return "".join(exact), "".join(folded), "".join(beginnings), cast("_Ends | None", last)


_PIECES: Final = _Pieces()


def _parts(piece: str) -> list[str]:
    """What a long piece is made of: words, and what is joined as codes are and short."""
    return [
        part
        for token in _TOKENS.findall(piece)
        for part in (token.translate(_SPLIT).split() if len(token) > _LONGEST_CODE else (token,))
    ]


def _written(piece: str) -> _Written:
    cut = list(map(_cut, _TOKENS.findall(piece)))
    words = [word for _, folded, _, _ in cut for word in folded]
    codes = [code for _, _, code, _ in cut if code is not None]
    stems = "".join([f"{stem} " for _, _, _, stems in cut for stem in stems if stem])
    return (
        "".join([f"{word} " for exact, _, _, _ in cut for word in exact]),
        "".join([f"{word} " for word in words]),
        "".join([f"{word} {word}_" for word in words]),
        ("".join([f"{code} " for code, _ in codes]), "".join([f"{code} " for _, code in codes]), stems)
        if codes or stems
        else None,
    )


_Words = tuple[str, ...]


def _cut(text: str) -> tuple[_Words, _Words, tuple[str, str] | None, _Words]:
    """What `Chunk` holds, in its order."""
    exact = tuple([word[:LONGEST_WORD] for word in text.translate(_SPLIT).split()])
    folded, stems = zip(*map(_folded_and_stem, exact), strict=True) if exact else ((), ())
    if len(exact) == 1 or len(text) > _LONGEST_CODE:
        return exact, folded, None, stems
    # TP.HCM and TPHCM are one code, but 3.5 is not 35.
    code = text.translate(_DROP) if any(char.isalpha() for char in text) else text
    return exact, folded, (code, fold_word(code)), stems


@lru_cache(maxsize=4096)
def _chunk(text: str) -> Chunk:
    return Chunk(*_cut(text))
