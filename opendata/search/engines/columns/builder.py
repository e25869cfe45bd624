"""Documents → the arrays of one segment.

A document is taken in as numbers and bytes and costs a few calls of the interpreter's own loops. At the end all words
are copied out, sorted and scored as arrays, a range of words at a time (word_columns), so that the memory taken depends
little on the number of documents.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.completion import suggested
from opendata.search.engines.columns.placed import GAP, Lists, Numbers, PieceTable, ranks_of
from opendata.search.engines.columns.postings import starts_of
from opendata.search.engines.columns.spilled import Column, SpilledLists
from opendata.search.engines.columns.strings import lines_arrays, strings_arrays, terms_arrays
from opendata.search.engines.columns.word_columns import WordColumns
from opendata.search.fields import LINES, KeptForm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.word_columns import Base, Lengths
    from opendata.search.port import IndexSchema, SearchDocument

# Numbers of documents are kept in 16 bits.
MOST_DOCUMENTS: Final = 1 << 16


class SegmentBuilder:
    """Takes up to MOST_DOCUMENTS documents, each id once. `folder`: where it may keep files without a name."""

    def __init__(self, schema: IndexSchema, folder: Path) -> None:
        self._schema = schema
        self._known = schema.names()
        self._form = KeptForm(schema)
        self._folder = folder
        self._ids: list[bytes] = []
        self._kept = Column(np.uint8, folder)
        self._kept_lengths = array("I")
        self._priors = array("f")
        self._table = PieceTable()
        self._pieces = Column(np.uint32, folder)
        self._piece_counts = array("I")
        self._texts = tuple(schema.boosts().values())
        self._lines = Numbers[str](), Lists()
        self._listed = {name: (Numbers[str](), Lists()) for name in ("access", *schema.facets)}
        self._suggestions = SpilledLists(folder)
        self._numbers = {name: array("d") for name in schema.numbers}
        self._sort_keys = {name: SpilledLists(folder) for name in schema.sort_keys}
        self.lengths: Lengths = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, document: SearchDocument) -> None:
        """ValueError where the document does not fit the schema."""
        document.check(self._known)
        lines = suggested(document.suggestions)
        self._ids.append(document.id.encode())
        kept = self._form.written(document, lines.long).encode()
        self._kept.append(np.frombuffer(kept, np.uint8))
        self._kept_lengths.append(len(kept))
        self._priors.append(document.prior)
        self._add_words(document.texts)
        numbers, lists = self._lines
        lists.add(list(map(numbers.__getitem__, lines.words)))
        self._add_listed("access", document.access)
        self._suggestions.add(lines.terms)
        for name in self._schema.facets:
            self._add_listed(name, document.facets.get(name, ()))
        for name, values in self._numbers.items():
            values.append(document.numbers.get(name, np.nan))
        for name, keys in self._sort_keys.items():
            keys.add([document.sort_keys[name]] if name in document.sort_keys else ())

    def _add_words(self, texts: Mapping[str, str]) -> None:
        every = array("I")
        numbers_of = self._table.numbers_of
        for names in self._texts:
            begun = len(every)
            is_first = True
            for name in names:
                if name in texts:
                    if not is_first:
                        every.append(GAP)
                        self._table.has_gap = True
                    is_first = False
                    every.extend(numbers_of(texts[name]))
            self._piece_counts.append(len(every) - begun)
        self._pieces.append(np.asarray(every))

    def _add_listed(self, name: str, values: Sequence[str]) -> None:
        numbers, lists = self._listed[name]
        lists.add(list(map(numbers.__getitem__, dict.fromkeys(values) if len(values) > 1 else values)))

    def arrays(self, base: Base) -> Iterator[tuple[str, Array | Column]]:
        """Each array with its name; the builder is empty afterwards, and `lengths` says how many words there were.

        `base`: the index that the segment comes to.
        """
        yield "prior", np.array(self._priors, np.float32)
        yield from ids_arrays(self._ids).items()
        yield "kept.bytes", self._kept
        yield (
            "kept.starts",
            np.concatenate([np.zeros(1, np.int64), np.cumsum(self._kept_lengths, dtype=np.int64)]),
        )
        del self._kept
        words = WordColumns(
            self._schema, self._table, self._pieces, np.asarray(self._piece_counts), self._folder
        )
        del self._table, self._pieces
        yield from words.arrays(base)
        self.lengths = words.lengths
        del words
        yield from self._line_arrays().items()
        yield from self._suggestion_arrays().items()
        while self._listed:
            name, (numbers, lists) = self._listed.popitem()
            yield from listed_arrays(name, numbers, np.asarray(lists.numbers), lists.documents()).items()
        for name, values in self._numbers.items():
            yield f"number.{name}", np.array(values, np.float64)
        for name, kept_keys in self._sort_keys.items():
            keys = [held[0] if held else None for held in kept_keys.lists()]
            yield from sort_key_arrays(name, keys).items()

    def _suggestion_arrays(self) -> dict[str, Array]:
        """Lines are many and long: only here are they in memory."""
        numbers, lists = Numbers[bytes](), Lists()
        for terms in self._suggestions.lists():
            lists.add(list(map(numbers.__getitem__, terms)))
        return suggestion_arrays(numbers, np.asarray(lists.numbers), lists.documents())

    def _line_arrays(self) -> dict[str, Array]:
        """The words of lines to suggest, with their places only."""
        numbers, lists = self._lines
        ordered = sorted(numbers)
        terms = ranks_of(numbers, ordered)[np.asarray(lists.numbers)]
        order = np.argsort(terms, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.array(lists.lengths, np.int64) + 1)])
        places = order + lists.documents()[order]
        return terms_arrays(LINES, ordered) | place_arrays(LINES, terms[order], places, starts, len(ordered))


def place_arrays(name: str, terms: Array, places: Array, starts: Array, count: int) -> dict[str, Array]:
    """Where each of `count` words stands, in order of the words, and where the places of each document begin."""
    return {
        f"{name}.places_at": starts_of(terms, count),
        f"{name}.places": places.astype(np.uint32),
        f"{name}.document_starts": starts.astype(np.uint32),
    }


def ids_arrays(ids: Sequence[bytes]) -> dict[str, Array]:
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), np.uint32)
    return strings_arrays("ids", ids) | {"ids.order": order}


def listed_arrays(name: str, numbers: Mapping[str, int], values: Array, documents: Array) -> dict[str, Array]:
    """Values of which a document has any number: by value, and by document."""
    ordered = sorted(numbers)
    ranked = ranks_of(numbers, ordered)[values]
    return {
        **_by_value(f"listed.{name}", ranked, documents, len(ordered)),
        **strings_arrays(f"listed.{name}", [text.encode() for text in ordered]),
        f"listed.{name}.values": ranked,
        f"listed.{name}.of": documents.astype(np.uint16),
    }


def suggestion_arrays(numbers: Mapping[bytes, int], values: Array, documents: Array) -> dict[str, Array]:
    """Terms of lines to suggest: by term only."""
    ordered = sorted(numbers)
    held = _by_value("listed.suggestions", ranks_of(numbers, ordered)[values], documents, len(ordered))
    return held | lines_arrays("listed.suggestions", ordered)


def _by_value(name: str, ranked: Array, documents: Array, count: int) -> dict[str, Array]:
    keys = (ranked.astype(np.uint64) << np.uint64(32)) | documents.astype(np.uint64)
    keys.sort()
    return {
        f"{name}.at": starts_of((keys >> np.uint64(32)).astype(np.int64), count),
        f"{name}.documents": (keys & np.uint64(0xFFFF_FFFF)).astype(np.uint16),
    }


def sort_key_arrays(name: str, keys: Sequence[bytes | None]) -> dict[str, Array]:
    """The keys in order, and for each document the place of its own; -1 where it has none."""
    ordered = sorted({key for key in keys if key is not None})
    places = {key: place for place, key in enumerate(ordered)}
    return {
        f"key.{name}": np.array([-1 if key is None else places[key] for key in keys], np.int32),
        **strings_arrays(f"key.{name}", ordered),
    }
