"""Whether bytes are UTF-8 text that is composed already (NFC), told without making text of them.

Called by `text` for every chunk of a file. Nearly all Vietnamese files hold nothing but ASCII, Latin letters below
U+0300 and U+1E00 to U+1EFF, none of which ever changes or joins its neighbour (Unicode, annex 15, quick check): that
is told by the bytes alone. Chunks with any other character are decoded and asked properly.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

# Control characters that text never holds; \t \n \v \f \r and the old end-of-file mark 0x1A do occur.
CONTROLS: Final = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1A}) + b"\x7f"
_LATIN_EXTENDED: Final = 0xE1  # with a second byte from 0xB8 to 0xBB
_FIRST_SECOND: Final = 0xB8
_SECONDS: Final = 4
_LEADS_BEYOND: Final = bytes({*range(0xCC, 0x100)} - {_LATIN_EXTENDED})
_ORDINARY: Final = bytes({*range(0x100)} - {*CONTROLS} - {*_LEADS_BEYOND})


def is_utf8(chunk: bytes) -> bool:
    """Of whole characters."""
    if chunk.isascii():
        return True
    edges = pa.py_buffer(np.array([0, len(chunk)], np.int32))
    try:
        pa.StringArray.from_buffers(1, edges, pa.py_buffer(chunk)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def rare_bytes(chunk: bytes) -> bytes:
    """The control characters of a chunk, and the first bytes of characters that might not be composed."""
    return chunk.translate(None, _ORDINARY)


def controls_among(rare: bytes) -> int:
    """How many of the rare bytes are control characters."""
    return len(rare) - len(rare.translate(None, CONTROLS))


def is_surely_composed(chunk: bytes, rare: bytes) -> bool:
    """Whether valid UTF-8 is NFC by its bytes alone; `rare` are its rare bytes. False: nobody knows yet."""
    if chunk.isascii():
        return True
    if len(rare) != controls_among(rare):
        return False
    held = np.frombuffer(chunk, np.uint8)
    seconds = held[1:][held[:-1] == _LATIN_EXTENDED]
    return not (seconds - np.uint8(_FIRST_SECOND) >= _SECONDS).any()
