"""The bytes of a text file as every reader wants them: UTF-8 without a mark, NFC.

Code page 1258 yields letter and tone as two characters, and some systems save decomposed text; joined here,
no later step has to think of encodings. Read forward once, in memory of a chunk.
"""

from __future__ import annotations

import codecs
import io
import unicodedata
from typing import TYPE_CHECKING, Final

from opendata.resources.formats.vietnamese_encodings import TCVN3, raise_capitals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

MEGABYTE: Final = 1 << 20
_LOOK_BACK: Final = 4096


class CleanText(io.RawIOBase):
    """The bytes of a text file as NFC UTF-8 without a mark, read forward once.

    `tail` is added after the last line, which is ended first if it is not. `done` counts source bytes; those
    from `until` on are not read.
    """

    def __init__(
        self,
        path: Path,
        encoding: str,
        *,
        mark_bytes: int,
        is_plain: bool,
        tail: bytes = b"",
        until: int | None = None,
    ) -> None:
        super().__init__()
        self.done = mark_bytes
        self._until = until
        self._source = path.open("rb")
        self._source.seek(mark_bytes)
        self._pieces = self._plain(tail) if is_plain else self._recoded(encoding, tail)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

    def _chunks(self) -> Iterator[bytes]:
        while chunk := self._source.read(self._next_size()):
            self.done += len(chunk)
            yield chunk

    def _next_size(self) -> int:
        return MEGABYTE if self._until is None else min(MEGABYTE, max(0, self._until - self.done))

    def _plain(self, tail: bytes) -> Iterator[bytes]:
        last = b"\n"
        for chunk in self._chunks():
            last = chunk[-1:]
            yield chunk
        if tail:
            yield tail if last in b"\r\n" else b"\n" + tail

    def _recoded(self, encoding: str, tail: bytes) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)()
        held = ""
        last = "\n"
        for chunk in self._chunks():
            text = held + decoder.decode(chunk)
            cut = _safe_cut(text)
            held = text[cut:]
            if cut:
                last = text[cut - 1]
                yield _finished(text[:cut], encoding)
        held += decoder.decode(b"", final=True)
        if held:
            last = held[-1]
            yield _finished(held, encoding)
        if tail:
            yield tail if last in "\r\n" else b"\n" + tail


def _finished(text: str, encoding: str) -> bytes:
    joined = unicodedata.normalize("NFC", text)
    return (raise_capitals(joined) if encoding == TCVN3 else joined).encode()


def _safe_cut(text: str) -> int:
    """Where text may be cut before normalising: right before an ASCII character, which never joins its
    predecessor; between words, if it can be, for what is decided by whole words.
    """
    ascii_at = 0
    for position in range(len(text) - 1, max(0, len(text) - _LOOK_BACK), -1):
        char = text[position]
        if char < "\x80":
            if not char.isalpha():
                return position
            ascii_at = ascii_at or position
    return ascii_at
