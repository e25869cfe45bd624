"""Values of which each document of a segment has any number, and how many of some documents have each of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.search.engines.columns.postings import entries_of
from opendata.search.engines.columns.strings import Strings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.engines.columns.arrays_file import Array

# One entry a document.
Flags = np.ndarray[Any, np.dtype[np.bool_]]

_FEW_VALUES: Final = 96


class Listed:
    """Values of which each document has any number: the choices of a facet, or who may see it."""

    def __init__(self, arrays: dict[str, Array], name: str, count: int) -> None:
        self._arrays = arrays
        self._name = name
        self._documents = count
        self.values = [value.decode() for value in Strings(arrays, name).all()]
        self._numbers = {value: number for number, value in enumerate(self.values)}

    def any_of(self, values: Sequence[str]) -> Flags:
        """Which documents have one of these values."""
        flags = np.zeros(self._documents, bool)
        at, documents = self._arrays[f"{self._name}.at"], self._arrays[f"{self._name}.documents"]
        for value in values:
            number = self._numbers.get(value)
            if number is not None:
                flags[documents[entries_of(at, number, number + 1)]] = True
        return flags

    def counts(self, among: Flags, packed: Array) -> Array:
        """How many of these documents have each value; `packed`: the same flags, eight to a byte."""
        if len(self.values) <= _FEW_VALUES:
            held: Array = np.bitwise_count(self._packed & packed.view(np.uint64))
            return np.asarray(held.sum(axis=1, dtype=np.uint32))
        values, of = self._entries
        return np.bincount(values[among[of]], minlength=len(self.values))

    @cached_property
    def _packed(self) -> Array:
        """For each value the documents that have it, eight to a byte."""
        made = np.zeros((len(self.values), packed_bytes(self._documents)), np.uint8)
        for number, value in enumerate(self.values):
            made[number] = packed(self.any_of((value,)))
        return made.view(np.uint64)

    @cached_property
    def _entries(self) -> tuple[Array, Array]:
        """Each value of each document, as numpy wants them for counting."""
        values, of = self._arrays[f"{self._name}.values"], self._arrays[f"{self._name}.of"]
        return values.astype(np.intp), of.astype(np.intp)


def packed_bytes(documents: int) -> int:
    return -(-documents // 64) * 8


def packed(flags: Flags) -> Array:
    """Flags, eight to a byte, up to a multiple of eight bytes."""
    made = np.zeros(packed_bytes(len(flags)), np.uint8)
    made[: -(-len(flags) // 8)] = np.packbits(flags)
    return made
