"""The words of a segment's texts → their postings, and the places of neighbours, a range of words at a time.

The words of some documents are copied out (placed.read) and put as keys into ranges of words that are about as
large. A key holds the word, the document, the boost and, of a pair, the place, so that sorting keys sorts everything
there is to know. Called by the builder.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.analysis import View
from opendata.search.completion import GAP_WORD
from opendata.search.engines.columns.placed import pair_keys, pair_names, read
from opendata.search.engines.columns.postings import PostingsColumns, Rows, Texts, scored
from opendata.search.engines.columns.spilled import Buckets, Column
from opendata.search.engines.columns.strings import terms_arrays
from opendata.search.fields import scoring_field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.placed import PieceTable, Ragged
    from opendata.search.port import IndexSchema

Lengths = dict[str, int]
"""For each scoring field the number of its words in all documents of an index."""

# Pieces copied out, and keys sorted, at once: each about a hundred bytes of memory.
_READ_AT_ONCE: Final = 1 << 16
_SORTED_AT_ONCE: Final = 1 << 17
# The low end of a key: the document, the boost, and of pairs the place in the document.
_DOCUMENT: Final = np.uint64(0xFFFF)
_FIELD_BITS: Final = 3
_LOW_BITS: Final = 16 + _FIELD_BITS
_KEY_BITS: Final = 64


@dataclass(slots=True)
class Base:
    """The index that a segment comes to: its documents, and the words they have in each scoring field.

    `usual`: how many documents hold given terms of a view, in the texts of each boost.
    """

    documents: int = 0
    lengths: Lengths = field(default_factory=dict)
    usual: Callable[[View, Sequence[str]], Array] | None = None


class WordColumns:
    """`piece_counts`: for each document and boost how many of the pieces are its own."""

    def __init__(
        self, schema: IndexSchema, table: PieceTable, pieces: Column, piece_counts: Array, folder: Path
    ) -> None:
        self._boosts = tuple(schema.boosts())
        self._table = table
        self._pieces = pieces
        self._held = piece_counts.reshape(-1, len(self._boosts)).astype(np.int64)
        self._documents = len(self._held)
        self._folder = folder
        # Where the pieces of each document begin.
        self._begins = _begins(self._held.sum(axis=1))
        self.lengths: Lengths = {}

    def arrays(self, base: Base) -> Iterator[tuple[str, Array | Column]]:
        """Afterwards `lengths` says how many words each scoring field has here."""
        for view in (View.EXACT, View.FOLDED):
            yield from self._of_view(view, base)

    def _of_view(self, view: View, base: Base) -> Iterator[tuple[str, Array | Column]]:
        """Of the folded words those of the pairs as well."""
        ordered, words = self._table.in_order(view)
        yield from terms_arrays(str(view), ordered).items()
        lengths, times = self._counted(words, len(ordered))
        here = zip(self._boosts, lengths.sum(axis=0).tolist(), strict=True)
        own = {scoring_field(view, boost): count for boost, count in here}
        self.lengths |= own
        total = base.documents + self._documents
        averages = [(base.lengths.get(name, 0) + count) / total for name, count in own.items()]
        texts = Texts.of(lengths.T, averages, self._boosts)
        keys = _Keys(ordered, times, lengths, self._folder, has_pairs=view is View.FOLDED)
        for first, last in self._spans():
            keys.add(self._read(first, last, words), first, last)
        columns = PostingsColumns(str(view), self._documents, self._folder)
        for names, rows in keys.single():
            held = base.usual(view, names) if base.usual else None
            columns.add(scored(rows, len(names), texts, total, held))
        yield from columns.arrays()
        if view is not View.FOLDED:
            return
        columns = PostingsColumns(str(View.PAIRS), self._documents, self._folder)
        for pairs, rows in keys.paired():
            held = base.usual(View.PAIRS, pair_names(pairs, ordered)) if base.usual else None
            columns.add(scored(rows, len(pairs), texts, total, held))
        yield from columns.arrays()
        yield from keys.places()

    def _counted(self, words: Sequence[Ragged], count: int) -> tuple[Array, Array]:
        """How many terms each document has for each boost, and how often each of `count` terms stands anywhere."""
        in_piece = np.sum([one.counts for one in words], axis=0)
        pieces_seen = np.zeros(len(in_piece), np.int64)
        lengths = np.empty(self._held.shape, np.int64)
        for first, last in self._spans():
            pieces = self._pieces_of(first, last)
            pieces_seen += np.bincount(pieces, minlength=len(in_piece))
            sums = _begins(in_piece[pieces])
            lengths[first:last] = np.diff(sums[_begins(self._held[first:last].reshape(-1))]).reshape(
                -1, len(self._boosts)
            )
        times = np.zeros(count, np.int64)
        for one in words:
            weights = np.repeat(pieces_seen, one.counts)
            times += np.bincount(one.terms, weights, minlength=count)[:count].astype(np.int64)
        return lengths, times

    def _spans(self) -> Iterator[tuple[int, int]]:
        """Documents that are read at once: the first, and the one after the last."""
        first = 0
        while first < self._documents:
            room = self._begins[first] + _READ_AT_ONCE
            last = max(int(np.searchsorted(self._begins, room, side="right")) - 1, first + 1)
            yield first, last
            first = last

    def _pieces_of(self, first: int, last: int) -> Array:
        return self._pieces.between(int(self._begins[first]), int(self._begins[last])).astype(np.intp)

    def _read(self, first: int, last: int, words: Sequence[Ragged]) -> Array:
        return read(self._pieces_of(first, last), self._held[first:last].reshape(-1), words)


class _Keys:
    """The keys of a view in ranges of words. `times`: how often each word stands there; `lengths`: of each document and
    boost the number of its words.
    """

    def __init__(
        self, ordered: Sequence[str], times: Array, lengths: Array, folder: Path, *, has_pairs: bool
    ) -> None:
        self._ordered = ordered
        self._lengths = lengths
        self._boosts = lengths.shape[1]
        # The words of each boost are followed by a free place.
        self._starts = _begins(lengths.sum(axis=1) + self._boosts)
        self._offset_bits = int(np.diff(self._starts).max(initial=0)).bit_length()
        self._word_bits = len(ordered).bit_length()
        # The left word of a pair is counted from the first of its range, so that all of a key fits.
        widest = max(_KEY_BITS - _LOW_BITS - self._offset_bits - self._word_bits, 0)
        self._edges, self._range_of = _ranges(times, widest)
        self._single = Buckets(len(self._edges) - 1, folder)
        self._has_pairs = has_pairs
        if has_pairs:
            self._gap = bisect_left(ordered, GAP_WORD)
            if ordered[self._gap : self._gap + 1] != [GAP_WORD]:
                self._gap = -1
            self._paired = Buckets(len(self._edges) - 1, folder)
            self._pair_names = Column(np.uint64, folder)
            self._places_at = Column(np.uint32, folder)
            self._places = Column(np.uint32, folder)

    def add(self, terms: Array, first: int, last: int) -> None:
        """`terms`: the words of these documents in order of reading."""
        held = self._lengths[first:last].reshape(-1)
        documents = np.repeat(np.arange(first, last, dtype=np.uint64), self._boosts) << np.uint64(_FIELD_BITS)
        low = np.repeat(documents | np.tile(np.arange(self._boosts, dtype=np.uint64), last - first), held)
        ranges = self._range_of[terms]
        wide = terms.astype(np.uint64)
        self._single.add(ranges, (wide << np.uint64(_LOW_BITS)) | low)
        if not self._has_pairs:
            return
        is_pair = (low[1:] == low[:-1]) & (terms[1:] != self._gap) & (terms[:-1] != self._gap)
        left = np.flatnonzero(is_pair)
        ranges, low = ranges[left], low[left]
        places = left + np.repeat(np.arange(len(held)), held)[left]
        starts = self._starts[first:last] - self._starts[first]
        offsets = places - starts[(low >> np.uint64(_FIELD_BITS)).astype(np.intp) - first]
        keys = wide[left] - self._edges[ranges].astype(np.uint64)
        for bits, part in ((self._word_bits, wide[left + 1]), (_LOW_BITS, low), (self._offset_bits, offsets)):
            keys <<= np.uint64(bits)
            keys |= part.astype(np.uint64)
        self._paired.add(ranges, keys)

    def single(self) -> Iterator[tuple[Sequence[str], Rows]]:
        """The words of each range, and where they stand; words are numbered from the first of them."""
        for number, (low, high) in enumerate(pairwise(self._edges.tolist())):
            keys = self._single.sorted(number)
            first = np.flatnonzero(_is_first(keys))
            rows = _rows(
                keys[first], (keys[first] >> np.uint64(_LOW_BITS)).astype(np.intp) - low, first, len(keys)
            )
            yield self._ordered[low:high], rows

    def paired(self) -> Iterator[tuple[Array, Rows]]:
        """The same of pairs, by the numbers of their words."""
        for keys, low in self._sorted_pairs():
            pairs = keys >> np.uint64(_LOW_BITS + self._offset_bits)
            is_first = _is_first(pairs)
            begins = np.flatnonzero(is_first)
            known = pairs[begins]
            left = (known >> np.uint64(self._word_bits)) + np.uint64(low)
            names = pair_keys(left, known & np.uint64((1 << self._word_bits) - 1))
            of_documents = keys >> np.uint64(self._offset_bits)
            self._pair_names.append(names)
            self._places_at.append(len(self._places) + begins)
            documents = ((of_documents >> np.uint64(_FIELD_BITS)) & _DOCUMENT).astype(np.intp)
            self._places.append(
                self._starts[documents] + (keys & np.uint64((1 << self._offset_bits) - 1)).astype(np.int64)
            )
            first = np.flatnonzero(_is_first(of_documents))
            yield names, _rows(of_documents[first], (np.cumsum(is_first) - 1)[first], first, len(keys))

    def _sorted_pairs(self) -> Iterator[tuple[Array, int]]:
        """All keys of some pairs at a time, also of a word that begins very many, and the first word of their range."""
        within = np.uint64((1 << (_LOW_BITS + self._offset_bits)) - 1)
        for number, low in enumerate(self._edges[:-1].tolist()):
            keys, start = self._paired.sorted(number), 0
            while start < len(keys):
                last = min(start + _SORTED_AT_ONCE, len(keys)) - 1
                stop = int(np.searchsorted(keys, keys[last] | within, side="right"))
                yield keys[start:stop], low
                start = stop

    def places(self) -> Iterator[tuple[str, Array | Column]]:
        """Of the pairs, after they were read: their names, and where they stand."""
        yield f"{View.PAIRS}.keys", self._pair_names
        self._places_at.append(np.array([len(self._places)]))
        yield f"{View.PAIRS}.places_at", self._places_at
        yield f"{View.PAIRS}.places", self._places
        yield f"{View.PAIRS}.document_starts", self._starts.astype(np.uint32)


def _rows(low: Array, terms: Array, first: Array, count: int) -> Rows:
    """`low` ends with document and boost; `first`: where these rows begin among `count` keys."""
    return Rows(
        terms,
        ((low >> np.uint64(_FIELD_BITS)) & _DOCUMENT).astype(np.intp),
        (low & np.uint64((1 << _FIELD_BITS) - 1)).astype(np.intp),
        np.diff(first, append=count),
    )


def _ranges(times: Array, widest_bits: int) -> tuple[Array, Array]:
    """Of words that stand there so many times: the first of each range, and the range of each word."""
    parts = (np.cumsum(times) - times) // _SORTED_AT_ONCE
    starts = _is_first(parts) | _is_first(np.arange(len(times)) >> widest_bits)
    ranges = np.cumsum(starts) - 1
    edges = np.append(np.flatnonzero(starts), len(times))
    return edges, ranges.astype(np.uint16 if len(edges) <= 1 << 16 else np.uint32)


def _is_first(keys: Array) -> Array:
    """Where another key begins in sorted ones."""
    is_first = np.ones(len(keys), bool)
    is_first[1:] = keys[1:] != keys[:-1]
    return is_first


def _begins(counts: Array) -> Array:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
