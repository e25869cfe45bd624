"""Strings as arrays: sorted terms that are found by name or beginning, and strings that are read by number.

Terms are kept one a line with the places of every 64th, so that a look-up is a bisection of those and a search
within a few hundred bytes, both done by the interpreter's own loops. A term holds no line break.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opendata.search.engines.columns.arrays_file import Array

_BLOCK: Final = 64
_MOST_FOUND: Final = 4096


def terms_arrays(name: str, ordered: Sequence[str]) -> dict[str, Array]:
    """`ordered` by code point, each once."""
    return lines_arrays(name, [term.encode() for term in ordered])


def lines_arrays(name: str, lines: Sequence[bytes]) -> dict[str, Array]:
    """The same of terms as bytes, which are in the same order."""
    lengths = np.fromiter(map(len, lines), np.int64, len(lines)) + 1
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1] if lines else np.zeros(0, np.int64)
    text = b"".join([b"\n".join(lines), b"\n"]) if lines else b""
    return {
        f"{name}.terms": _bytes(text),
        f"{name}.blocks": starts[::_BLOCK].astype(np.uint32),
        f"{name}.count": np.array([len(lines)], np.uint32),
    }


class Terms:
    """Sorted terms; a term's number is its place among them."""

    def __init__(self, arrays: Mapping[str, Array], name: str) -> None:
        self._text = arrays[f"{name}.terms"].data
        self._found: dict[str, int] = {}  # a word of a query is asked about several times
        self._count = int(arrays[f"{name}.count"][0])
        self._starts = [*arrays[f"{name}.blocks"].tolist(), len(self._text)]
        self._firsts = [self._first_of(block) for block in range(len(self._starts) - 1)]

    def __len__(self) -> int:
        return self._count

    def find(self, term: str) -> int:
        """Its number, -1 where it is none."""
        known = self._found.get(term)
        if known is None:
            if len(self._found) >= _MOST_FOUND:
                self._found.clear()
            known = self._found[term] = self._find(term.encode())
        return known

    def _find(self, wanted: bytes) -> int:
        block = bisect_right(self._firsts, wanted) - 1
        if block < 0:
            return -1
        content = b"\n" + self._block(block)
        place = content.find(b"\n%b\n" % wanted)
        return block * _BLOCK + content.count(b"\n", 0, place) if place >= 0 else -1

    def beginning(self, prefix: str) -> range:
        """The numbers of all terms that begin so."""
        first = prefix.encode()
        # No character has the byte 0xff, so that this stands after all that begin so.
        return range(self._place(first), self._place(first + b"\xff"))

    def at(self, number: int) -> str:
        block, line = divmod(number, _BLOCK)
        return self._block(block).split(b"\n", line + 1)[line].decode()

    def within(self, numbers: range) -> Iterator[str]:
        """Those of a range of numbers, in order."""
        if not numbers:
            return
        first, last = numbers[0] // _BLOCK, numbers[-1] // _BLOCK
        content = bytes(self._text[self._starts[first] : self._starts[last + 1]])
        lines = content.decode().split("\n")
        yield from lines[numbers[0] - first * _BLOCK : numbers[-1] + 1 - first * _BLOCK]

    def some(self, numbers: range, places: Array) -> list[str]:
        """Those at these places of a range of numbers."""
        first, last = numbers[0] // _BLOCK, numbers[-1] // _BLOCK
        start = self._starts[first]
        content = self._text[start : self._starts[last + 1]]
        ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n"))
        lines = places + (numbers[0] - first * _BLOCK)
        starts = np.where(lines > 0, ends[lines - 1] + 1, 0)
        found = zip(starts.tolist(), ends[lines].tolist(), strict=True)
        return [str(content[begin:end], "utf-8") for begin, end in found]

    def _place(self, wanted: bytes) -> int:
        block = bisect_left(self._firsts, wanted) - 1
        if block < 0:
            return 0
        lines = self._block(block)[:-1].split(b"\n")
        return block * _BLOCK + bisect_left(lines, wanted)

    def _block(self, block: int) -> bytes:
        return bytes(self._text[self._starts[block] : self._starts[block + 1]])

    def _first_of(self, block: int) -> bytes:
        return self._block(block).partition(b"\n")[0]


class PairNumbers:
    """Pairs of words by the words' numbers, in order; a pair's number is its place among them."""

    def __init__(self, keys: Array) -> None:
        self._keys = keys.data  # which gives out plain numbers: bisecting costs a third

    def find(self, left: int, right: int) -> int:
        """Its number, -1 where it is none."""
        key = left << 32 | right
        place = bisect_left(self._keys, key)
        return place if place < len(self._keys) and self._keys[place] == key else -1


def strings_arrays(name: str, values: Iterable[bytes]) -> dict[str, Array]:
    """Any bytes, to be read by number."""
    kept = list(values)
    ends = np.cumsum(np.fromiter(map(len, kept), np.int64, len(kept)), dtype=np.int64)
    return {
        f"{name}.bytes": _bytes(b"".join(kept)),
        f"{name}.starts": np.concatenate([np.zeros(1, np.int64), ends]),
    }


class Strings:
    def __init__(self, arrays: Mapping[str, Array], name: str) -> None:
        self._text = arrays[f"{name}.bytes"].data
        self._starts = arrays[f"{name}.starts"].data  # which gives out plain numbers, twice as fast

    def __len__(self) -> int:
        return len(self._starts) - 1

    def at(self, number: int) -> bytes:
        return bytes(self._text[self._starts[number] : self._starts[number + 1]])

    def all(self) -> list[bytes]:
        content, starts = bytes(self._text), self._starts.tolist()
        return [content[start:end] for start, end in pairwise(starts)]


def _bytes(content: bytes) -> Array:
    return np.frombuffer(content, np.uint8) if content else np.zeros(0, np.uint8)
