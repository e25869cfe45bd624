"""Which texts of a file are really TCVN3 or VNI: by the share of words that are Vietnamese in each reading.

Fed with the texts of a sheet, or a sample of a text file. A word counts where it holds one of the characters
in question (U+0080 to U+00FF). Text that is proper already, in whatever language, gives no support: Vietnamese
because it is spelt right as it stands, French or Spanish because it is Vietnamese in no reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from opendata.resources.formats.vietnamese_encodings import TABLES, decode_text
from opendata.resources.formats.vietnamese_syllables import is_syllable

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_TEXTS: Final = 5000
_LEAST_SUPPORT: Final = 3
_SURE_SHARE: Final = 0.75
# Letters in any of the readings; spaces, digits and punctuation, also those beyond ASCII, separate.
_WORD: Final = re.compile("[^\x00-\x40\x5b-\x60\x7b-\xa0\u2000-\u206f]+")
_IN_QUESTION: Final = re.compile("[\x80-\xff]")
_BEYOND: Final = re.compile("[\u0100-\u01b0\u1ea0-\u1eff]")
_PIECE: Final = 1 << 16


@dataclass(slots=True)
class _Votes:
    """Words that only this reading makes Vietnamese, in texts that it suits best; and words of no reading."""

    support: int = 0
    against: int = 0

    @property
    def share(self) -> float:
        return self.support / max(1, self.support + self.against)


class EncodingEvidence:
    """Add texts, then ask. `encodings` are those that are proven, the likelier first."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._votes = {encoding: _Votes() for encoding in TABLES}
        self._proper = 0
        self._readings: dict[str, str] = {}
        self.encodings: tuple[str, ...] = ()

    def add(self, texts: Iterable[str]) -> None:
        """Texts as they stand; each counts once, and no more than 5,000 are weighed."""
        for text in texts:
            if len(self._seen) >= MOST_TEXTS:
                return
            if text not in self._seen and not text.isascii():
                self._seen.add(text)
                self._weigh(text)

    def decide(self, known: Iterable[str] = ()) -> tuple[str, ...]:
        """The encodings found. Of one `known` from elsewhere in the file a single word is enough."""
        known = tuple(known)
        found = {
            encoding: votes.support
            for encoding, votes in self._votes.items()
            if votes.share >= _SURE_SHARE and votes.support >= (1 if encoding in known else _LEAST_SUPPORT)
        }
        self.encodings = tuple(sorted(found, key=lambda encoding: -found[encoding]))
        return self.encodings

    def force(self, encoding: str | None) -> None:
        """Take every text as of that encoding, or none as of any."""
        self.encodings = (encoding,) if encoding else ()
        self._proper = -1

    def read(self, text: str) -> str:
        """The text in the reading that suits it best. Where several do, that of most of the sheet."""
        if not self.encodings or text.isascii() or _IN_QUESTION.search(text) is None:
            return text
        known = self._readings.get(text)
        if known is None:
            known = self._readings[text] = self._best(text)
        return known

    def to_json(self) -> dict[str, Any]:
        """Words for and against each reading, for people who ask why."""
        return {
            "proper_words": max(self._proper, 0),
            **{
                encoding: {"words": votes.support, "share": round(votes.share, 3)}
                for encoding, votes in self._votes.items()
                if votes.support
            },
        }

    def _best(self, text: str) -> str:
        words = _words_in_question(text)
        before = sum(map(is_syllable, words))
        if before == len(words) and _BEYOND.search(text):
            return text  # a letter that only Unicode has, and no word is wrong
        best, most = "", before
        for place, encoding in enumerate(self.encodings):
            after = sum(_becomes_syllable(word, encoding) for word in words)
            is_usual = place == 0 and self._votes[encoding].support > self._proper
            if after > most or (after == most and is_usual):
                best, most = encoding, after
        return decode_text(text, best) if best else text

    def _weigh(self, text: str) -> None:
        proper, support, against = _weight(tuple(_words_in_question(text)))
        self._proper += proper
        for encoding, count in support.items():
            self._votes[encoding].support += count
        for encoding, count in against.items():
            self._votes[encoding].against += count


def evidence_of_bytes(sample: bytes) -> EncodingEvidence:
    """The evidence in a sample of a text file; a line is weighed at a time."""
    evidence = EncodingEvidence()
    evidence.add(sample.decode("latin-1").splitlines())
    evidence.decide()
    return evidence


@lru_cache(maxsize=8192)  # texts of a column often differ only in their numbers
def _weight(words: tuple[str, ...]) -> tuple[int, dict[str, int], dict[str, int]]:
    """Of the words in question of a text: proper ones, those for each reading, those against it."""
    if not words:
        return 0, {}, {}
    before = [is_syllable(word) for word in words]
    after = {encoding: [_becomes_syllable(word, encoding) for word in words] for encoding in TABLES}
    best = max(after, key=lambda encoding: sum(after[encoding]))
    is_better = sum(after[best]) > sum(before)
    against = {
        encoding: sum(1 for was, now in zip(before, after[encoding], strict=True) if not was and not now)
        for encoding in TABLES
        if encoding == best or not is_better
    }
    return (0, {best: sum(after[best])}, against) if is_better else (sum(before), {}, against)


@lru_cache(maxsize=8192)  # the words of a column come again and again
def _becomes_syllable(word: str, encoding: str) -> bool:
    """Every character in question has to be a letter of the encoding."""
    table = TABLES[encoding]
    known = all(ord(char) in table for char in _IN_QUESTION.findall(word))
    return known and is_syllable(decode_text(word, encoding))


def _words_in_question(text: str) -> list[str]:
    words = _WORD.findall(text[:_PIECE])
    return [word for word in words if not word.isascii() and _IN_QUESTION.search(word)]
