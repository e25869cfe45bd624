"""Some segments of a commit → the arrays of one, without what was deleted from them.

Words keep their gains, which were worked out with the averages of the time when they were written; a rebuild
works them out anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from opendata.search.analysis import View
from opendata.search.engines.columns.builder import (
    ids_arrays,
    listed_arrays,
    place_arrays,
    sort_key_arrays,
    suggestion_arrays,
)
from opendata.search.engines.columns.placed import pair_keys
from opendata.search.engines.columns.postings import Postings, PostingsColumns, counts_of
from opendata.search.engines.columns.strings import Strings, Terms, strings_arrays, terms_arrays
from opendata.search.fields import LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.engines.columns.listed import Flags
    from opendata.search.engines.columns.segment import Segment
    from opendata.search.engines.columns.spilled import Column
    from opendata.search.port import IndexSchema


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
    kept = [each for one in sources for each in _left(one.segment.kept_texts, one)]
    yield from strings_arrays("kept", kept).items()
    del kept
    yield from _merged_words(sources, folder)
    yield from _merged_lines(sources).items()
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

    def keep(self, held: Sequence[Array]) -> tuple[list[str], Array]:
        """The terms that are still held, and for each the new number."""
        is_used, numbers = _renumbered(len(self.terms), held)
        kept = [term for term, stays in zip(self.terms, is_used.tolist(), strict=True) if stays]
        return kept, numbers


def _renumbered(count: int, held: Sequence[Array]) -> tuple[Flags, Array]:
    """Which of `count` terms are still held, and for each its number among those."""
    is_used = np.zeros(count, bool)
    for terms in held:
        is_used[terms] = True
    return is_used, np.cumsum(is_used) - 1


def _merged_words(sources: Sequence[Source], folder: Path) -> Iterator[tuple[str, Array | Column]]:
    for view in (View.EXACT, View.FOLDED):
        vocabulary = _Vocabulary([list(_all(one.segment.terms[view])) for one in sources])
        held, columns = _merged_postings(
            sources, str(view), vocabulary.numbers, len(vocabulary.terms), folder
        )
        terms, words = vocabulary.keep([held])
        yield from terms_arrays(str(view), terms).items()
        yield from columns.arrays()
    # What is left of the pairs consists of words that are left.
    renamed = [
        _renamed(one, words[numbers]) for one, numbers in zip(sources, vocabulary.numbers, strict=True)
    ]
    known = np.unique(np.concatenate(renamed))
    numbers = [np.searchsorted(known, keys) for keys in renamed]
    held, columns = _merged_postings(sources, str(View.PAIRS), numbers, len(known), folder)
    is_used, left = _renumbered(len(known), [held])
    yield f"{View.PAIRS}.keys", known[is_used]
    yield from columns.arrays()
    del held, columns
    yield from _merged_places(sources, str(View.PAIRS), numbers, left).items()


def _renamed(source: Source, words: Array) -> Array:
    """The pairs of a segment by the new numbers of their words; what is gone may become any pair."""
    keys = source.segment.arrays[f"{View.PAIRS}.keys"]
    left, right = (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFF_FFFF)).astype(np.int64)
    return pair_keys(np.maximum(words[left], 0), np.maximum(words[right], 0).astype(np.uint64))


def _merged_postings(
    sources: Sequence[Source], name: str, numbers: Sequence[Array], count: int, folder: Path
) -> tuple[Array, PostingsColumns]:
    """Which of `count` terms are still held, each as often as it is, and the postings of those. `numbers`: what the terms of each segment are now."""
    found = [_postings(one, name, own) for one, own in zip(sources, numbers, strict=True)]
    held, documents, gains, fields = (np.concatenate(column) for column in zip(*found, strict=True))
    is_used, left = _renumbered(count, [held])
    keys = left[held].astype(np.uint64) << np.uint64(40)
    keys |= (documents.astype(np.uint64) << np.uint64(24)) | (gains.astype(np.uint64) << np.uint64(8))
    keys |= fields.astype(np.uint64)
    keys.sort()
    rarest = np.zeros(count, np.int64)
    for one, own in zip(sources, numbers, strict=True):
        np.add.at(rarest, own, one.segment.arrays[f"{name}.rarest"])
    postings = Postings(
        (keys >> np.uint64(40)).astype(np.uint32),
        ((keys >> np.uint64(24)) & np.uint64(0xFFFF)).astype(np.uint16),
        ((keys >> np.uint64(8)) & np.uint64(0xFFFF)).astype(np.uint16),
        (keys & np.uint64(0xFF)).astype(np.uint8),
        rarest[is_used],
    )
    columns = PostingsColumns(name, sum(int(one.alive.sum()) for one in sources), folder)
    columns.add(postings)
    return held, columns


def _merged_lines(sources: Sequence[Source]) -> dict[str, Array]:
    vocabulary = _Vocabulary([list(_all(one.segment.line_terms)) for one in sources])
    held = [_places(one, LINES, vocabulary.numbers[place])[0] for place, one in enumerate(sources)]
    terms, numbers = vocabulary.keep(held)
    return terms_arrays(LINES, terms) | _merged_places(sources, LINES, vocabulary.numbers, numbers)


def _merged_places(
    sources: Sequence[Source], name: str, own: Sequence[Array], numbers: Array
) -> dict[str, Array]:
    lengths = np.concatenate(
        [counts_of(one.segment.arrays[f"{name}.document_starts"])[one.alive] for one in sources]
    )
    starts = np.concatenate([[0], np.cumsum(lengths)])
    keys = []
    for place, one in enumerate(sources):
        terms, documents, offsets = _places(one, name, own[place])
        places = (starts[documents] + offsets).astype(np.uint64)
        keys.append((numbers[terms].astype(np.uint64) << np.uint64(32)) | places)
    joined = np.concatenate(keys)
    joined.sort()
    ordered, count = (joined >> np.uint64(32)).astype(np.int64), int(numbers[-1]) + 1 if len(numbers) else 0
    return place_arrays(name, ordered, joined & np.uint64(0xFFFF_FFFF), starts, count)


def _merged_list(sources: Sequence[Source], name: str) -> dict[str, Array]:
    lists = [
        list(_all(one.segment.suggestions)) if name == "suggestions" else one.segment.listed(name).values
        for one in sources
    ]
    vocabulary = _Vocabulary(lists)
    found = [_entries(one, f"listed.{name}", vocabulary.numbers[place]) for place, one in enumerate(sources)]
    held, documents = (np.concatenate(column) for column in zip(*found, strict=True))
    values, numbers = vocabulary.keep([held])
    if name == "suggestions":
        lines = {value.encode(): place for place, value in enumerate(values)}
        return suggestion_arrays(lines, numbers[held], documents)
    return listed_arrays(name, {value: place for place, value in enumerate(values)}, numbers[held], documents)


def _postings(source: Source, name: str, numbers: Array) -> tuple[Array, ...]:
    terms, documents, left = _entries_left(source, name, numbers)
    arrays = source.segment.arrays
    return terms, documents, arrays[f"{name}.gains"][left], arrays[f"{name}.fields"][left]


def _entries(source: Source, name: str, numbers: Array) -> tuple[Array, Array]:
    terms, documents, _ = _entries_left(source, name, numbers)
    return terms, documents


def _entries_left(source: Source, name: str, numbers: Array) -> tuple[Array, Array, Flags]:
    arrays = source.segment.arrays
    terms = np.repeat(numbers, counts_of(arrays[f"{name}.at"]))
    documents = arrays[f"{name}.documents"]
    left = source.alive[documents]
    return terms[left], source.numbers[documents[left]], left


def _places(source: Source, name: str, numbers: Array) -> tuple[Array, Array, Array]:
    """Of each word left: its number, its document and how far from the document's start it stands."""
    arrays = source.segment.arrays
    terms = np.repeat(numbers, counts_of(arrays[f"{name}.places_at"]))
    places, starts = (
        arrays[f"{name}.places"].astype(np.int64),
        arrays[f"{name}.document_starts"].astype(np.int64),
    )
    documents = np.searchsorted(starts, places, side="right") - 1
    left = source.alive[documents]
    documents = documents[left]
    return terms[left], source.numbers[documents], places[left] - starts[documents]


def _all(terms: Terms) -> Iterator[str]:
    return terms.within(range(len(terms)))
