"""Some segments of a commit → the arrays of one, without what was deleted from them.

Words keep their gains, which were worked out with the averages of the time when they were written; a rebuild
works them out anew.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.analysis import View
from opendata.search.engines.columns.builder import (
    ids_arrays,
    listed_arrays,
    sort_key_arrays,
    suggestion_arrays,
)
from opendata.search.engines.columns.placed import pair_keys
from opendata.search.engines.columns.postings import Postings, PostingsColumns, counts_of, entries_of
from opendata.search.engines.columns.spilled import Column
from opendata.search.engines.columns.strings import Strings, Terms, terms_arrays
from opendata.search.fields import LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.port import IndexSchema


# Entries of an array that are joined at once, each about sixty bytes of memory.
_MOST_AT_ONCE: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Source:
    """A segment, what is left of it, and the new number of each of its documents."""

    segment: Segment
    alive: Flags
    numbers: Array


def merged_arrays(
    schema: IndexSchema, held: Sequence[tuple[Segment, Flags]], folder: Path
) -> Iterator[tuple[str, Array | Column]]:
    """One after the other, for segments with at most MOST_DOCUMENTS left in all."""
    sources, count = [], 0
    for segment, alive in held:
        numbers = count + np.cumsum(alive) - 1
        sources.append(Source(segment, alive, numbers))
        count += int(np.count_nonzero(alive))
    yield "prior", _joined(sources, "prior")
    yield from ids_arrays([each for one in sources for each in _left(one.segment.ids, one)]).items()
    yield from _merged_kept(sources, folder)
    yield from _merged_words(sources, folder)
    yield from _merged_lines(sources, folder)
    for name in ("access", "suggestions", *schema.facets):
        yield from _merged_list(sources, name).items()
    for name in schema.numbers:
        yield f"number.{name}", _joined(sources, f"number.{name}")
    for name in schema.sort_keys:
        yield from sort_key_arrays(name, [key for one in sources for key in _keys(one, name)]).items()


def _joined(sources: Sequence[Source], name: str) -> Array:
    return np.concatenate([one.segment.arrays[name][one.alive] for one in sources])


def _left(strings: Strings, source: Source) -> Iterator[bytes]:
    return (value for value, alive in zip(strings.all(), source.alive.tolist(), strict=True) if alive)


def _merged_kept(sources: Sequence[Source], folder: Path) -> Iterator[tuple[str, Array | Column]]:
    """Most of a segment, so only some of it is in memory."""
    content, lengths = Column(np.uint8, folder), array("I")
    for one in sources:
        for document in np.flatnonzero(one.alive).tolist():
            kept = one.segment.kept_texts.at(document)
            content.append(np.frombuffer(kept, np.uint8))
            lengths.append(len(kept))
    yield "kept.bytes", content
    yield "kept.starts", np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _keys(source: Source, name: str) -> Iterator[bytes | None]:
    keys = source.segment.keys[name].all()
    places = source.segment.key_places(name)[source.alive].tolist()
    return (keys[place] if place >= 0 else None for place in places)


class _Vocabulary:
    """The terms of several segments as one sorted list, and for each segment what its numbers become."""

    def __init__(self, lists: Sequence[Sequence[str]]) -> None:
        self.terms = sorted(set[str]().union(*lists))
        places = {term: place for place, term in enumerate(self.terms)}
        self.numbers = [np.fromiter(map(places.__getitem__, one), np.int64, len(one)) for one in lists]

    def kept(self, is_used: Flags) -> list[str]:
        return [term for term, stays in zip(self.terms, is_used.tolist(), strict=True) if stays]


def _merged_words(sources: Sequence[Source], folder: Path) -> Iterator[tuple[str, Array | Column]]:
    for view in (View.EXACT, View.FOLDED):
        vocabulary = _Vocabulary([list(_all(one.segment.terms[view])) for one in sources])
        words, columns = _merged_postings(
            sources, str(view), vocabulary.numbers, len(vocabulary.terms), folder
        )
        yield from terms_arrays(str(view), vocabulary.kept(words)).items()
        yield from columns.arrays()
    renamed = [_renamed(one, numbers) for one, numbers in zip(sources, vocabulary.numbers, strict=True)]
    known = np.unique(np.concatenate(renamed))
    numbers = [np.searchsorted(known, keys) for keys in renamed]
    is_used, columns = _merged_postings(sources, str(View.PAIRS), numbers, len(known), folder)
    # What is left of the pairs consists of words that are left.
    left, right = _both(known[is_used])
    numbered = np.cumsum(words) - 1
    yield f"{View.PAIRS}.keys", pair_keys(numbered[left], numbered[right].astype(np.uint64))
    yield from columns.arrays()
    yield from _merged_places(sources, str(View.PAIRS), numbers, len(known), folder)[1]


def _renamed(source: Source, numbers: Array) -> Array:
    """The pairs of a segment by what the numbers of its words are now; their order stays."""
    left, right = _both(source.segment.arrays[f"{View.PAIRS}.keys"])
    return pair_keys(numbers[left], numbers[right].astype(np.uint64))


def _both(pairs: Array) -> tuple[Array, Array]:
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFF_FFFF)).astype(np.int64)


def _merged_postings(
    sources: Sequence[Source], name: str, numbers: Sequence[Array], count: int, folder: Path
) -> tuple[Flags, PostingsColumns]:
    """Which of `count` terms are still held, and the postings of those. `numbers`: what the terms of each segment are
    now, in their order.
    """
    columns = PostingsColumns(name, sum(int(np.count_nonzero(one.alive)) for one in sources), folder)
    is_used, rarest = np.zeros(count, bool), np.zeros(count, np.int64)
    for one, own in zip(sources, numbers, strict=True):
        rarest[own] += one.segment.arrays[f"{name}.rarest"]
    for span in _spans(sources, f"{name}.at", numbers, count):
        found = [_postings(one, name, own, span) for one, own in zip(sources, numbers, strict=True)]
        held, documents, gains, fields = (np.concatenate(column) for column in zip(*found, strict=True))
        is_used[held] = True
        keys = _numbered(held, is_used, span) << np.uint64(40)
        keys |= (documents.astype(np.uint64) << np.uint64(24)) | (gains.astype(np.uint64) << np.uint64(8))
        keys |= fields.astype(np.uint64)
        keys.sort()
        columns.add(
            Postings(
                (keys >> np.uint64(40)).astype(np.uint32),
                ((keys >> np.uint64(24)) & np.uint64(0xFFFF)).astype(np.uint16),
                ((keys >> np.uint64(8)) & np.uint64(0xFFFF)).astype(np.uint16),
                (keys & np.uint64(0xFF)).astype(np.uint8),
                rarest[span.start : span.stop][is_used[span.start : span.stop]],
            )
        )
    return is_used, columns


def _spans(sources: Sequence[Source], at: str, numbers: Sequence[Array], count: int) -> Iterator[range]:
    """Terms that are joined at once: so many that their entries are about _MOST_AT_ONCE."""
    held = np.zeros(count, np.int64)
    for one, own in zip(sources, numbers, strict=True):
        held[own] += counts_of(one.segment.arrays[at])
    parts = (np.cumsum(held) - held) // _MOST_AT_ONCE
    edges = np.append(np.flatnonzero(np.diff(parts, prepend=-1)), count)
    return (range(low, high) for low, high in pairwise(edges.tolist()))


def _numbered(held: Array, is_used: Flags, span: range) -> Array:
    """The terms found of a span by their numbers among those of it that are used."""
    left = np.cumsum(is_used[span.start : span.stop]) - 1
    return np.asarray(left[held - span.start].astype(np.uint64))


def _merged_lines(sources: Sequence[Source], folder: Path) -> Iterator[tuple[str, Array | Column]]:
    vocabulary = _Vocabulary([list(_all(one.segment.line_terms)) for one in sources])
    is_used, arrays = _merged_places(sources, LINES, vocabulary.numbers, len(vocabulary.terms), folder)
    yield from terms_arrays(LINES, vocabulary.kept(is_used)).items()
    yield from arrays


def _merged_places(
    sources: Sequence[Source], name: str, numbers: Sequence[Array], count: int, folder: Path
) -> tuple[Flags, list[tuple[str, Array | Column]]]:
    lengths = [counts_of(one.segment.arrays[f"{name}.document_starts"])[one.alive] for one in sources]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])
    places_at, places = Column(np.uint32, folder), Column(np.uint32, folder)
    places_at.append(np.zeros(1))
    is_used = np.zeros(count, bool)
    for span in _spans(sources, f"{name}.places_at", numbers, count):
        found = [_places(one, name, own, span) for one, own in zip(sources, numbers, strict=True)]
        held, documents, offsets = (np.concatenate(column) for column in zip(*found, strict=True))
        is_used[held] = True
        keys = _numbered(held, is_used, span) << np.uint64(32)
        keys |= (starts[documents] + offsets).astype(np.uint64)
        keys.sort()
        ends = np.cumsum(np.bincount((keys >> np.uint64(32)).astype(np.int64)))
        places_at.append(len(places) + ends)
        places.append(keys & np.uint64(0xFFFF_FFFF))
    return is_used, [
        (f"{name}.places_at", places_at),
        (f"{name}.places", places),
        (f"{name}.document_starts", starts.astype(np.uint32)),
    ]


def _merged_list(sources: Sequence[Source], name: str) -> dict[str, Array]:
    lists = [
        list(_all(one.segment.suggestions)) if name == "suggestions" else one.segment.listed(name).values
        for one in sources
    ]
    vocabulary = _Vocabulary(lists)
    every = range(len(vocabulary.terms))
    found = [
        _entries(one, f"listed.{name}", own, every)[:2]
        for one, own in zip(sources, vocabulary.numbers, strict=True)
    ]
    held, documents = (np.concatenate(column) for column in zip(*found, strict=True))
    is_used = np.zeros(len(every), bool)
    is_used[held] = True
    values, numbers = vocabulary.kept(is_used), np.cumsum(is_used) - 1
    if name == "suggestions":
        lines = {value.encode(): place for place, value in enumerate(values)}
        return suggestion_arrays(lines, numbers[held], documents)
    return listed_arrays(name, {value: place for place, value in enumerate(values)}, numbers[held], documents)


def _postings(source: Source, name: str, numbers: Array, span: range) -> tuple[Array, ...]:
    terms, documents, left = _entries(source, name, numbers, span)
    arrays = source.segment.arrays
    return terms, documents, arrays[f"{name}.gains"][left], arrays[f"{name}.fields"][left]


def _within(numbers: Array, at: Array, span: range) -> tuple[Array, slice]:
    """Of a segment's entries those of terms that are in the span: their terms, and where they are."""
    low, high = np.searchsorted(numbers, [span.start, span.stop]).tolist()
    return np.repeat(numbers[low:high], counts_of(at[low : high + 1])), entries_of(at, low, high)


def _entries(source: Source, name: str, numbers: Array, span: range) -> tuple[Array, Array, Array]:
    """Of each entry left: its term, its document, and where it is."""
    arrays = source.segment.arrays
    terms, where = _within(numbers, arrays[f"{name}.at"], span)
    documents = arrays[f"{name}.documents"][where]
    left = np.flatnonzero(source.alive[documents])
    return terms[left], source.numbers[documents[left]], left + where.start


def _places(source: Source, name: str, numbers: Array, span: range) -> tuple[Array, Array, Array]:
    """Of each word left: its number, its document and how far from the document's start it stands."""
    arrays = source.segment.arrays
    starts = arrays[f"{name}.document_starts"].astype(np.int64)
    terms, where = _within(numbers, arrays[f"{name}.places_at"], span)
    places = arrays[f"{name}.places"][where].astype(np.int64)
    documents = np.searchsorted(starts, places, side="right") - 1
    left = source.alive[documents]
    documents = documents[left]
    return terms[left], source.numbers[documents], places[left] - starts[documents]


def _all(terms: Terms) -> Iterator[str]:
    return terms.within(range(len(terms)))
