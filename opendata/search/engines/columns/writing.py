"""Documents → segments, each finished as soon as it is full: here, or in the processes of a large load.

What the writer of a commit has to know of a segment comes back with it; the segment itself, unless it is small,
is in its file already and is read where it lies. A writer that dies leaves files that no commit lists.
"""

from __future__ import annotations

import uuid
import weakref
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.engines.columns.arrays_file import write_arrays
from opendata.search.engines.columns.builder import SegmentBuilder
from opendata.search.engines.columns.segment import Segment
from opendata.search.engines.columns.spilled import Column
from opendata.search.engines.columns.word_columns import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from opendata.search.analysis import View
    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.word_columns import Lengths
    from opendata.search.port import IndexSchema, SearchDocument

# A process that builds a segment of 57,344 documents takes 260 MB.
BUILT_AT_ONCE: Final = 51_200
# Segments of so few documents are joined with each commit, so most are never written as they came.
SMALL: Final = 256
# From so many documents it is seen in which texts a word is rare; fewer ask a larger segment.
TELLING: Final = 256


@dataclass(frozen=True, slots=True)
class Before:
    """An index to which segments are added: its documents, the words of its scoring fields, its largest segment
    with the number of documents in it.
    """

    documents: int
    lengths: Lengths
    largest: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Written:
    """A segment. `arrays` of a small one, which is in no file; `chunks`: for each document the number of its chunk.

    `gone`: the documents of which another one with the same id came later.
    """

    name: str
    arrays: dict[str, Array] | None
    count: int
    lengths: Lengths
    chunks: Array
    gone: list[int]


class SegmentWriter:
    """A port.Worker: makes as large segments as it can."""

    def __init__(self, schema: IndexSchema, path: Path, before: Before) -> None:
        self._schema = schema
        self._path = path
        self._documents = before.documents
        self._lengths = dict(before.lengths)
        self._largest = before.largest
        self._begin()

    def take(self, number: int, documents: Iterable[SearchDocument]) -> Iterator[Written]:
        for document in documents:
            if document.id in self._inside:
                self._gone.append(self._inside[document.id])
            self._inside[document.id] = len(self._builder)
            self._builder.add(document)
            self._chunks.append(number)
            if len(self._builder) >= BUILT_AT_ONCE:
                yield self._written()

    def finish(self) -> Iterator[Written]:
        if len(self._builder):
            yield self._written()

    def _begin(self) -> None:
        self._builder = SegmentBuilder(self._schema, self._path)
        self._inside: dict[str, int] = {}
        self._gone: list[int] = []
        self._chunks = array("I")

    def _written(self) -> Written:
        name, builder, count = uuid.uuid4().hex, self._builder, len(self._builder)
        made = builder.arrays(Base(self._documents, self._lengths, self._usual(count)))
        arrays = None
        if count <= SMALL:
            arrays = in_memory(made)
        else:
            write_arrays(self._path / f"{name}.seg", made)
        self._documents += count
        for each, words in builder.lengths.items():
            self._lengths[each] = self._lengths.get(each, 0) + words
        self._largest = max(self._largest, (name, count), key=lambda one: one[1])
        written = Written(name, arrays, count, builder.lengths, np.array(self._chunks), self._gone)
        self._begin()
        return written

    def _usual(self, count: int) -> Callable[[View, Sequence[str]], Array] | None:
        name, largest = self._largest
        if count < TELLING < largest:
            return open_segment(self._schema, self._path / f"{name}.seg").usual
        return None


def in_memory(made: Iterable[tuple[str, Array | Column]]) -> dict[str, Array]:
    return {name: values.whole() if isinstance(values, Column) else values for name, values in made}


# A new commit keeps most segments of the one before it.
_OPENED: Final = weakref.WeakValueDictionary[Path, Segment]()


def open_segment(schema: IndexSchema, path: Path) -> Segment:
    """The same object for the same file, as long as anybody has it. DamagedIndexError, FileNotFoundError."""
    segment = _OPENED.get(path)
    if segment is None:
        segment = _OPENED[path] = Segment.open(schema, path)
    return segment
