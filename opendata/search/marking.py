"""Where the words of a query stand in texts: what `highlight` shows marked.

All texts of a page are looked through at once. They are folded by a table, letter by letter, so that offsets stay and
what was typed bare is found in what is written with accents. Each word is a number made of its first eight letters
(Vietnamese syllables have seven at most), and all words are compared with those wanted as arrays: cutting the texts into
strings and looking up each took three times as long, a regular expression made for the query longer still.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.kernel.text import fold
from opendata.search.analysis import I_OR_Y, STEM_SIGN, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from opendata.search.query import Query

    Array = np.ndarray[Any, np.dtype[Any]]

_Y_OR_I: Final = {said: written for written, said in I_OR_Y.items()}
# Between two words of a phrase may stand so many characters that are neither letters nor digits.
_MOST_BETWEEN: Final = 3
# Two matches with nothing but these between them are shown as one.
_BESIDE_WORDS: Final = " -./:_"
# No phrase and no match reaches over it.
_BETWEEN_TEXTS: Final = "\n" * (_MOST_BETWEEN + 1)

_KEY_LETTERS: Final = 8
# A letter and those that follow it are read as one number, at the end of the last text too.
_AFTER_TEXTS: Final = "\n" * _KEY_LETTERS
# A folded character is a byte: one of these, or that of its letter or digit.
_NOT_MET, _PARTING, _BESIDE, _BEYOND_A_BYTE = 0x00, 0x1F, 0x20, 0xFF
# Memory is taken for those thousands of characters only that were met.
_FOLDS: Final = np.zeros(0x110000, np.uint8)
# Those bits of a number that are letters of a word so long.
_HELD: Final = np.array([(1 << 8 * length) - 1 for length in range(_KEY_LETTERS + 1)], "<u8")


class Page:
    """Texts as one, cut into words, some of them empty. `starts`: where each text begins; all offsets are in `text`."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.text = _BETWEEN_TEXTS.join(["", *texts, _AFTER_TEXTS])
        gap = len(_BETWEEN_TEXTS)
        self.starts = list(accumulate([gap, *[len(text) + gap for text in texts[:-1]]]))
        self._bytes = _folded(self.text)
        letters = self._bytes.tobytes()
        is_whole = _BEYOND_A_BYTE not in letters
        self.folded = letters.decode("latin-1") if is_whole else self.text.translate(_CHARACTERS)
        # A word stands between two separators that follow each other.
        separators = (self._bytes <= _BESIDE).nonzero()[0]
        self.begins = separators[:-_KEY_LETTERS] + 1
        self.ends = separators[1 : 1 - _KEY_LETTERS]
        numbers: Array = np.ndarray((len(letters) - _KEY_LETTERS + 1,), "<u8", letters, strides=(1,))
        self.keys = numbers.take(self.begins) & _HELD.take(self.ends - self.begins, mode="clip")

    def words(self, places: Array) -> Iterator[tuple[int, str]]:
        """Folded, with its place each."""
        spans = zip(self.begins[places].tolist(), self.ends[places].tolist(), strict=True)
        return zip(places.tolist(), [self.folded[begin:end] for begin, end in spans], strict=True)

    def parts(self, places: Array) -> Iterator[slice]:
        """Which of these places, in order, are in each text."""
        firsts = places.searchsorted(self.starts).tolist()
        return map(slice, firsts, [*firsts[1:], len(places)])

    def standing(self, words: Iterable[str]) -> Standing:
        """Where these folded words stand, in any way they are written."""
        ways = {way: word for word in words for way in _ways(word)}
        wanted = _Words(list(ways))
        numbers, places = wanted.found_in(self)
        order = places.argsort()
        places = places[order]
        begins, ends = self.begins[places], self.ends[places]
        spans = zip(begins.tolist(), ends.tolist(), strict=True)
        words_before = np.cumsum(self.keys != 0)[places]
        text = np.searchsorted(self.starts, begins, "right")
        is_next = (np.diff(words_before) == 1) & (np.diff(text) == 0)
        said = list(ways.values())
        return Standing(
            [said[number] for number in numbers[order].tolist()],
            [self.text[begin:end].lower() for begin, end in spans],
            np.flatnonzero(is_next).tolist(),
        )

    def are_beside(self, ends: Array, begins: Array) -> Array:
        """Whether nothing that matters stands from each end to each beginning."""
        is_space = self._bytes == _BESIDE
        gaps = begins - ends
        beside: Array = is_space[ends] & is_space[begins - 1] & (is_space[ends + 1] | (gaps == 1))
        for each in (beside & (gaps > 1)).nonzero()[0].tolist():
            beside[each] = is_space[ends[each] : begins[each]].all()
        return beside


@dataclass(frozen=True, slots=True)
class Standing:
    """Words of a page in order, folded and as they are written, and the numbers of those that the next one follows at once."""

    folded: list[str]
    written: list[str]
    followed: list[int]


@dataclass(frozen=True, slots=True)
class Marks:
    """Where matches stand in the text of a page, in order, none in another, and what was found there, folded."""

    begins: Array
    ends: Array
    words: list[str]


class Wanted:
    """What a query marks: words and words in a row, all that begins in a way, all with an English stem."""

    def __init__(self, query: Query) -> None:
        self._single = _Words([way for words in query.marks if len(words) == 1 for way in _ways(words[0])])
        # A stem is not always how its words begin (citi: city, cities): its last letter is left open.
        stems = [stem.removeprefix(STEM_SIGN)[:-1] for stem in query.stems]
        self._beginnings = _Words([*query.prefixes, *stems]) if query.prefixes or stems else None
        self._prefixes = query.prefixes
        self._stems = frozenset(query.stems)
        phrases = [words for words in query.marks if len(words) > 1]
        self._phrases = _Phrases(phrases) if phrases else None
        self.is_nothing = not (query.marks or query.prefixes)

    def marks(self, page: Page) -> Marks:
        numbers, places = self._single.found_in(page)
        order = places.argsort()
        places = lasts = places[order]
        words = list(map(self._single.words.__getitem__, numbers[order].tolist()))
        begun = self._begun_in(page, self._beginnings) if self._beginnings else {}
        phrases = self._phrases.found_in(page) if self._phrases else {}
        if begun or phrases:
            found = dict(zip(places.tolist(), words, strict=True)) | begun
            for place, (last, run) in phrases.items():
                for within in range(place, last + 1):
                    found.pop(within, None)
                found[place] = run
            firsts = sorted(found)
            places = np.array(firsts)
            lasts = np.array([phrases[place][0] if place in phrases else place for place in firsts])
            words = list(map(found.__getitem__, firsts))
        return Marks(page.begins[places], page.ends[lasts], words)

    def _begun_in(self, page: Page, beginnings: _Words) -> dict[int, str]:
        begun = dict(page.words(beginnings.begun_in(page)))
        meant = set(filter(self._is_meant, set(begun.values())))
        return {place: word for place, word in begun.items() if word in meant}

    def _is_meant(self, word: str) -> bool:
        return word.startswith(self._prefixes) or (word.isascii() and stem_of(word) in self._stems)


class _Phrases:
    """Several words in a row, with few other characters between them."""

    def __init__(self, phrases: Iterable[tuple[str, ...]]) -> None:
        longest_first = sorted(phrases, key=len, reverse=True)
        ways = [(way, words) for words in longest_first for way in _ways(words[0])]
        self._first = _Words([way for way, _ in ways])
        self._phrases = [(way, *words[1:]) for way, words in ways]
        self._then = np.array([_letters(words[1])[0] for words in self._phrases], "<u8")

    def found_in(self, page: Page) -> dict[int, tuple[int, str]]:
        """The longest from each place on, none in another: the place of its last word, and its words."""
        numbers, places = self._first.found_in(page)
        # Few of the words that follow begin as they should; an empty one says nothing.
        then = page.keys.take(places + 1, mode="clip") & _HELD[1]
        likely = (then == self._then[numbers]) | (then == 0)
        found: dict[int, tuple[int, str]] = {}
        for number, place in zip(numbers[likely].tolist(), places[likely].tolist(), strict=True):
            run = _run(page, place, self._phrases[number]) if place not in found else None
            if run is not None:
                found[place] = run
        free = 0
        for place in sorted(found):
            if place < free:
                del found[place]
            else:
                free = found[place][0] + 1
        return found


class _Words:
    """Words to be compared with those of a page."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        letters = list(map(_letters, words))
        self._keys = np.array(letters, f"S{_KEY_LETTERS}").view("<u8")[:, np.newaxis]
        self._lengths = list(map(len, letters))
        # Another word may have the same number.
        self._vague = [
            number
            for number, each in enumerate(letters)
            if len(each) >= _KEY_LETTERS or _BEYOND_A_BYTE in each
        ]

    def found_in(self, page: Page) -> tuple[Array, Array]:
        """The number of a word and a place where it stands, word by word."""
        equal = self._keys == page.keys
        for number in self._vague:
            for place, word in page.words(np.flatnonzero(equal[number])):
                equal[number, place] = word == self.words[number]
        return np.divmod(equal.ravel().nonzero()[0], len(page.keys))

    def begun_in(self, page: Page) -> Array:
        """The places of all words that may begin with one of these."""
        held = _HELD.take(self._lengths, mode="clip")[:, np.newaxis]
        return np.flatnonzero(((page.keys & held) == self._keys).any(axis=0))


def _letters(word: str) -> bytes:
    """As in the bytes of a page."""
    return word.encode() if word.isascii() else bytes([min(ord(letter), _BEYOND_A_BYTE) for letter in word])


def _ways(word: str) -> tuple[str, ...]:
    """How a word may stand in a text: queries say i where y may be written."""
    return (word, _Y_OR_I[word]) if word in _Y_OR_I else (word,)


def _run(page: Page, place: int, phrase: Sequence[str]) -> tuple[int, str] | None:
    """The place of the last word of a phrase whose first word stands here, and its words; None where it goes on otherwise."""
    written = " ".join(phrase)
    begin, end = int(page.begins[place]), int(page.ends[place])
    if page.folded.startswith(f"{written} ", begin):
        return place + len(phrase) - 1, written
    words = [phrase[0]]
    for wanted in phrase[1:]:
        between = page.folded[end : end + _MOST_BETWEEN + 1]
        gap = len(between) - len(between.lstrip())
        begin, end = end + gap, end + gap + len(wanted)
        word = page.folded[begin:end]
        if gap > _MOST_BETWEEN or I_OR_Y.get(word, word) != wanted or not page.folded[end].isspace():
            return None
        words.append(word)
        place += gap
    return place, " ".join(words)


class _Characters(dict[int, str]):
    """For str.translate: folds one character to one character; what is no letter or digit parts words."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = fold(char)
        if len(folded) != 1:
            folded = char
        if not folded.isalnum():
            folded = chr(_BESIDE if char in _BESIDE_WORDS else _PARTING)
        self[code] = folded
        return folded


_CHARACTERS: Final = _Characters()


def _folded(text: str) -> Array:
    """A byte for each character."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    folded = _FOLDS.take(codes)
    if not folded.all():
        for code in set(codes[folded == _NOT_MET].tolist()):
            _FOLDS[code] = min(ord(_CHARACTERS[code]), _BEYOND_A_BYTE)
        folded = _FOLDS.take(codes)
    return folded
