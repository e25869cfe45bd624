"""How wide one JSON value is and where it ends, seen on its bytes before anything of it is decoded.

Used by `json_text` and `json_items` for values of more than some pages. Decoded, 300,000 names take twenty times
their length in memory, only to be refused. An outline counts colons, commas and brackets outside of strings, in
memory of a piece. Of broken JSON it says where a value may end, and the decoder then where it is broken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.resources.formats.table import MOST_COLUMNS, check_width
from opendata.resources.ingest.problems import Problem, UnreadableError

if TYPE_CHECKING:
    Signs = np.ndarray[tuple[int], np.dtype[np.uint8]]
    Steps = np.ndarray[tuple[int], np.dtype[np.int8]]
    Depths = np.ndarray[tuple[int], np.dtype[np.int32]]

# Values of fewer characters are decoded unseen.
SHORT: Final = 1 << 17
# Names of an object inside a record, which may be the keys of a map; more are columns turned the wrong way.
MOST_NAMES: Final = 1 << 16
_PIECE: Final = 1 << 18
_QUOTE, _COMMA, _COLON = b'",:'
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)
_STEPS: Final = np.zeros(256, np.int8)
_STEPS[[*b"[{"]] = 1
_STEPS[[*b"]}"]] = -1


class Outline:
    """Counts in one value, whose text is shown to it piece by piece from the beginning."""

    def __init__(self) -> None:
        self.is_whole = False
        self._is_list = False
        self._length = 0
        self._is_in_string = False
        self._is_escaping = False
        self._depth = 0
        self._entries = 0
        self._names = 0
        self._inner_names = 0
        self._flat_names = 0
        self._most_flat_names = 0

    def read(self, text: str) -> None:
        """Go on with the next piece; what follows the value is not looked at."""
        for start in range(0, len(text), _PIECE):
            if self.is_whole:
                return
            self._read(text[start : start + _PIECE].encode("utf-8", "surrogatepass"))

    def is_too_wide(self, *, as_row: bool) -> bool:
        """Whether it has more columns than a table may have, or an object in it more names than any map."""
        return (as_row and self._columns > MOST_COLUMNS) or self._most_inside > MOST_NAMES

    def check(self, *, as_row: bool) -> None:
        """Raises UnreadableError for what `is_too_wide`."""
        if as_row:
            check_width(self._columns)
        if self._most_inside > MOST_NAMES:
            raise UnreadableError(
                Problem("too-many-columns", {"columns": self._most_inside, "limit": MOST_NAMES})
            )

    @property
    def _columns(self) -> int:
        return self._entries + 1 if self._is_list else self._names

    @property
    def _most_inside(self) -> int:
        names = 0 if self._is_list else max(self._names, self._inner_names)
        return max(names, self._most_flat_names)

    def _read(self, raw: bytes) -> None:
        if not self._length:
            self._is_list = raw[:1] == b"["
        self._length += len(raw)
        signs = np.frombuffer(self._without_escapes(raw), np.uint8)
        if not len(signs):
            return
        inside = np.logical_xor.accumulate(signs == _QUOTE)
        if self._is_in_string:
            inside = ~inside
        self._is_in_string = bool(inside[-1])
        signs = signs[~inside]
        steps = _STEPS[signs]
        depth = np.cumsum(steps, dtype=np.int32) + self._depth
        ends = np.flatnonzero((depth <= 0) & ((steps < 0) | (signs == _COMMA)))
        if len(ends):
            self.is_whole = True
            end = int(ends[0])
            signs, steps, depth = signs[:end], steps[:end], depth[:end]
        if len(depth):
            self._depth = int(depth[-1])
        self._count(signs, steps, depth)

    def _without_escapes(self, raw: bytes) -> bytes:
        """The same with every escaped character, which may be a quotation mark, taken out."""
        if self._is_escaping:
            raw = raw[1:]
        if b"\\" in raw:
            raw = _ESCAPE.sub(b"", raw)
        self._is_escaping = raw.endswith(b"\\")
        return raw

    def _count(self, signs: Signs, steps: Steps, depth: Depths) -> None:
        colons = signs == _COLON
        self._names += int(np.count_nonzero(colons & (depth == 1)))
        self._entries += int(np.count_nonzero((signs == _COMMA) & (depth == 1)))
        self._inner_names += int(np.count_nonzero(colons & (depth == 2)))  # noqa: PLR2004 - one level deep
        # Names between two brackets belong to one object, however deep it lies.
        so_far = np.concatenate(([0], np.cumsum(colons, dtype=np.int32)[steps != 0], [int(colons.sum())]))
        runs = np.diff(so_far)
        runs[0] += self._flat_names
        self._most_flat_names = max(self._most_flat_names, int(runs.max()))
        self._flat_names = int(runs[-1])


def check_line(line: str) -> None:
    """Raises UnreadableError for a line of JSON Lines that is too wide for a row."""
    if len(line) > SHORT:
        outline = Outline()
        outline.read(line.lstrip())
        outline.check(as_row=True)
