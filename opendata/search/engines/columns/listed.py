"""Values of which each document of a segment has any number, and how many of some documents have each of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from opendata.search.engines.columns.postings import entries_of
from opendata.search.engines.columns.strings import Strings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.engines.columns.arrays_file import Array

# One entry a document.
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class Some:
    """Some documents of a segment, as flags and, where anybody asks, in a row."""

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        self.count = int(np.count_nonzero(flags))

    @cached_property
    def documents(self) -> Array:
        """In order."""
        return np.flatnonzero(self.flags)


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

    def entries(self) -> tuple[Array, Array]:
        """Each value of each document by its number, and the document; in no order that can be relied on."""
        values, of = self._arrays[f"{self._name}.values"], self._arrays[f"{self._name}.of"]
        return values.astype(np.intp), of.astype(np.intp)
