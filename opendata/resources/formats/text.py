"""Text files: which encoding they are in.

`survey_text` reads a whole file once (a bad byte may be the last one) in bounded memory and decides by proof
where proof exists: a byte-order mark, or valid UTF-8 from end to end. Only for the rest is there a guess,
TCVN3 and VNI first, then the Vietnamese code page, and the guess is reported. `clean_text` then gives the same text to every reader.
"""

from __future__ import annotations

import codecs
import hashlib
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.resources.formats.encoding_evidence import evidence_of_bytes
from opendata.resources.formats.utf8_bytes import controls_among, is_surely_composed, is_utf8, rare_bytes
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MEGABYTE: Final = 1 << 20
CHUNK: Final = 4 * MEGABYTE
SAMPLE_BYTES: Final = MEGABYTE // 2
_UTF16_WINDOW: Final = 1 << 16

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Code page 1258 writes tones as separate bytes after the vowel: grave, hook, tilde, acute, dot below.
_TONES_1258: Final = frozenset(b"\xcc\xd2\xde\xec\xf2")
_VOWELS_1258: Final = frozenset(b"aeiouyAEIOUY\xe2\xea\xf4\xe3\xf5\xfd\xc2\xca\xd4\xc3\xd5\xdd")
_CERTAIN_TONES: Final = 0.9
_HIGH: Final = 0x80
_LEAD: Final = 0xC0
_CONTINUATIONS: Final = 3
_LONGEST_CHARACTER: Final = 4
# In text of a code page hardly any two bytes happen to form a character of UTF-8: three valid ones for each
# bad byte are no accident.
_VALID_FOR_BAD: Final = 3
_RETURN: Final = 0x0D
_FEED: Final = 0x0A
_DAMAGED: Final = Problem("archive-damaged", {"found": "text"})


@dataclass(frozen=True, slots=True)
class TextSurvey:
    r"""What one reading of the bytes showed. `encoding` is a Python codec name; `is_guess`: not proven.

    `is_plain`: the bytes after the mark are NFC UTF-8 already. `line_end`: `\n`, `\r\n`, `\r` or `mixed`.
    `longest_line` is exact to a chunk (4 MB): bytes of the longest line, which is line `longest_row`. `words`
    are those that speak for an old Vietnamese encoding, where one is guessed.
    """

    size: int
    sha256: str
    md5: str
    encoding: str
    mark_bytes: int
    is_guess: bool
    is_plain: bool
    line_end: str
    quotes: int
    longest_line: int
    longest_row: int
    words: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Counts:
    """What is added up while the bytes pass. Positions are byte offsets from the start of the file."""

    size: int = 0
    lines: int = 0
    line_run: int = 0
    longest_line: int = 0
    longest_row: int = 1
    last_byte: int = 0
    line_feeds: int = 0
    returns: int = 0
    pairs: int = 0
    quotes: int = 0
    controls: int = 0
    first_nul: int = -1
    is_utf8: bool = True
    is_nfc: bool = True
    bad_offset: int = -1
    bad_line: int = 0
    ending: bytes = b""


def survey_text(path: Path, claimed: str | None, report: Callable[[int], None]) -> TextSurvey:
    """Read the file once. Raises UnreadableError for what is not text; `claimed` is named in the reason.

    `report` gets the bytes read so far. Memory: a few chunks.
    """
    with path.open("rb") as source:
        head = source.read(_UTF16_WINDOW)
    encoding, mark = _proven_by_mark(head)
    wide = encoding if encoding not in {None, "utf-8"} else _wide_encoding(head)
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    counts = _Counts()
    decoder = codecs.getincrementaldecoder(wide or "utf-8")()
    with path.open("rb") as source, ThreadPoolExecutor(1) as pool:
        for chunk in _chunks(source, is_wide=wide is not None):
            hashed = pool.submit(_hash, chunk, sha256, md5)  # outside Python's lock, meanwhile
            _count(counts, chunk, decoder, is_wide=wide is not None)
            hashed.result()
            report(counts.size)
    _finish_decoding(counts, decoder, is_wide=wide is not None)
    is_guess = False
    words: Mapping[str, Any] = {}
    if wide or counts.is_utf8:
        found = wide or "utf-8"
        _refuse_controls(counts, claimed, is_wide=wide is not None)
    else:
        _refuse_controls(counts, claimed, is_wide=False)
        found, words = _legacy_encoding(path, counts, claimed)
        is_guess = True
    return TextSurvey(
        size=counts.size,
        sha256=sha256.hexdigest(),
        md5=md5.hexdigest(),
        encoding=found,
        mark_bytes=mark,
        is_guess=is_guess,
        is_plain=found == "utf-8" and counts.is_nfc,
        line_end=_line_end(counts),
        quotes=counts.quotes,
        longest_line=counts.longest_line,
        longest_row=counts.longest_row,
        words=words,
    )


def _chunks(source: io.BufferedReader, *, is_wide: bool) -> Iterator[bytes]:
    """The bytes in order; no character of UTF-8 is cut."""
    while chunk := source.read(CHUNK):
        rest = b""
        while not is_wide and len(rest) < _CONTINUATIONS and _continues(source.peek(1)[:1]):
            rest += source.read(1)
        yield chunk + rest


def _continues(byte: bytes) -> bool:
    return _HIGH <= byte[0] < _LEAD if byte else False


def _hash(chunk: bytes, *digests: Any) -> None:
    for digest in digests:
        digest.update(chunk)


def _proven_by_mark(head: bytes) -> tuple[str | None, int]:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return None, 0


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 without a mark: Western and Vietnamese text then has a NUL in most pairs, on one side."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    pairs = len(head) // 2
    if max(even, odd) * 2 < max(pairs, 1) or min(even, odd) * 4 > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _count(counts: _Counts, chunk: bytes, decoder: codecs.IncrementalDecoder, *, is_wide: bool) -> None:
    if counts.first_nul < 0 and b"\0" in chunk:
        counts.first_nul = counts.size + chunk.index(0)
    rare = rare_bytes(chunk)
    counts.controls += controls_among(rare)
    counts.quotes += _times(chunk, '"')
    _count_lines(counts, chunk, is_wide=is_wide)
    if is_wide or (counts.is_utf8 and (decoder.getstate()[0] or not is_utf8(chunk))):
        _decode(counts, chunk, decoder, is_wide=is_wide)
    elif counts.is_utf8 and counts.is_nfc and not is_surely_composed(chunk, rare):
        # A mark at the beginning joins the character that ended the chunk before.
        counts.is_nfc = _is_nfc((counts.ending + chunk).decode())
    counts.ending = _last_character(chunk) if counts.is_utf8 and not is_wide else b""
    counts.size += len(chunk)


def _decode(counts: _Counts, chunk: bytes, decoder: codecs.IncrementalDecoder, *, is_wide: bool) -> None:
    """Text that is not UTF-8, and the bytes of broken UTF-8, of which the place is wanted."""
    start = counts.size - len(decoder.getstate()[0])
    try:
        text = decoder.decode(chunk)
    except UnicodeDecodeError as error:
        counts.is_utf8 = False
        counts.bad_offset = start + error.start
        counts.bad_line = counts.lines - chunk[max(counts.bad_offset - counts.size, 0) :].count(b"\n") + 1
        if is_wide:
            raise UnreadableError(_DAMAGED) from error
    else:
        counts.is_nfc = counts.is_nfc and _is_nfc(text)


def _times(chunk: bytes, character: str) -> int:
    """As `bytes.count` in half the time."""
    return int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord(character)))


def _last_character(chunk: bytes) -> bytes:
    return chunk[-_LONGEST_CHARACTER:].decode("utf-8", "ignore")[-1:].encode()


def _count_lines(counts: _Counts, chunk: bytes, *, is_wide: bool) -> None:
    feeds = _times(chunk, "\n")
    counts.line_feeds += feeds
    if b"\r" in chunk:
        counts.returns += chunk.count(b"\r")
        counts.pairs += chunk.count(b"\r\0\n") if is_wide else chunk.count(b"\r\n")
    counts.pairs += counts.last_byte == _RETURN and chunk[0] == _FEED
    counts.last_byte = chunk[-1]
    last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
    counts.line_run = counts.line_run + len(chunk) if last < 0 else len(chunk) - last - 1
    counts.lines += feeds
    if counts.line_run > counts.longest_line:
        counts.longest_line, counts.longest_row = counts.line_run, counts.lines + 1


def _finish_decoding(counts: _Counts, decoder: codecs.IncrementalDecoder, *, is_wide: bool) -> None:
    """A character cut off by the end of the file is a bad byte like any other."""
    pending = len(decoder.getstate()[0])
    if not counts.is_utf8 or not pending:
        return
    if is_wide:
        raise UnreadableError(_DAMAGED)
    counts.is_utf8 = False
    counts.bad_offset, counts.bad_line = counts.size - pending, counts.lines + 1


def _refuse_controls(counts: _Counts, claimed: str | None, *, is_wide: bool) -> None:
    if is_wide:
        return
    if counts.first_nul >= 0:
        raise UnreadableError(Problem("holds-nul", {"offset": counts.first_nul}))
    if counts.controls * 1000 > counts.size:
        raise UnreadableError(Problem("not-text", {"claimed": claimed or "text"}))


def _is_nfc(text: str) -> bool:
    return text.isascii() or unicodedata.is_normalized("NFC", text)


def _line_end(counts: _Counts) -> str:
    lone_feeds, lone_returns = counts.line_feeds - counts.pairs, counts.returns - counts.pairs
    kinds = [end for end, seen in (("\r\n", counts.pairs), ("\n", lone_feeds), ("\r", lone_returns)) if seen]
    return kinds[0] if len(kinds) == 1 else "mixed" if kinds else "\n"


def _legacy_encoding(path: Path, counts: _Counts, claimed: str | None) -> tuple[str, Mapping[str, Any]]:
    """The encoding of text that is not UTF-8, with the words that speak for it, or UnreadableError.

    Mostly valid UTF-8 with a few bad bytes is broken UTF-8, not a code page: reading it as one would turn
    every Vietnamese letter into two wrong ones.
    """
    with path.open("rb") as source:
        source.seek(max(0, counts.bad_offset - SAMPLE_BYTES // 4))
        sample = source.read(SAMPLE_BYTES)
    text = sample.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    letters = sum(1 for char in text if ord(char) >= _HIGH) - damaged
    if letters >= damaged * _VALID_FOR_BAD:
        where = {"offset": counts.bad_offset}
        raise UnreadableError(Problem("invalid-utf8", where, row=counts.bad_line))
    evidence = evidence_of_bytes(sample)
    if evidence.encodings:
        return evidence.encodings[0], evidence.to_json()
    order = ("cp1258", "cp1252") if _looks_vietnamese(sample) else ("cp1252", "cp1258")
    for encoding in order:
        if decodes(path, encoding):
            return encoding, {}
    high = sum(1 for byte in sample if byte >= _HIGH)
    unnamed = sum(1 for byte in sample if _HIGH <= byte < 0xA0)  # noqa: PLR2004 - C1 controls, no letters
    if unnamed * 100 <= high:
        return "latin-1", {}
    raise UnreadableError(Problem("not-text", {"claimed": claimed or "text"}))


def _looks_vietnamese(sample: bytes) -> bool:
    """Whether the tone bytes of code page 1258 stand where tones stand: after a vowel."""
    tones = placed = 0
    previous = 0
    for byte in sample:
        if byte in _TONES_1258:
            tones += 1
            placed += previous in _VOWELS_1258
        previous = byte
    return tones > 0 and placed >= tones * _CERTAIN_TONES


def decodes(path: Path, encoding: str) -> bool:
    """Whether the whole file is text in that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as source:
        try:
            while chunk := source.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
