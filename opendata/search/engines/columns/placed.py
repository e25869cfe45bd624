"""The words of a view as they follow each other in the documents of a segment, and the pairs of neighbours.

Every word has a place. Places count on over all texts of a document and over all documents, with a free one after
the texts of each boost, so that no pair and no phrase reaches from one into the next. A pair is no string: it is
the numbers of its two words in one.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from opendata.search.engines.columns.postings import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.engines.columns.arrays_file import Array


class Lists:
    """Some numbers for each document, one list after the other."""

    def __init__(self) -> None:
        self.numbers = array("I")
        self.lengths = array("I")

    def add(self, numbers: Sequence[int]) -> None:
        self.numbers.extend(numbers)
        self.lengths.append(len(numbers))

    def documents(self) -> Array:
        """For each number the document it stands in."""
        lengths = np.asarray(self.lengths)
        return np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)


@dataclass(frozen=True, slots=True)
class Placed:
    """`terms` at `places`, by boost, then by document, then as they are read.

    `lengths` has a row for each boost: the words of each document. `starts`: where the places of each document
    begin, and the last ones end. `document_of` and `field_of` a place: its document, and the number of its boost.
    """

    terms: Array
    places: Array
    lengths: Array
    starts: Array
    document_of: Array
    field_of: Array

    def sorted(self, averages: Sequence[float], boosts: Sequence[float]) -> Words:
        """By term, then by place."""
        keys = self.terms.astype(np.uint64)
        keys <<= np.uint64(32)
        keys |= self.places
        keys.sort()
        terms = (keys >> np.uint64(32)).astype(np.uint32)
        keys &= np.uint64(0xFFFF_FFFF)
        places = keys.view(np.int64)
        return Words(
            terms, places, self.document_of[places], self.field_of[places], self.lengths, averages, boosts
        )

    def pairs(self, gap: int) -> tuple[Array, Placed]:
        """Neighbours: the pairs there are, in order, and each of them where its first word stands.

        `gap`: the number of the word that parts two texts of the same boost.
        """
        beside = np.diff(self.places) == 1
        beside &= (self.terms[1:] != gap) & (self.terms[:-1] != gap)
        first = np.flatnonzero(beside)
        keys = pair_keys(self.terms[first], self.terms[first + 1])
        known = np.sort(keys)
        known = known[np.concatenate([np.ones(min(len(known), 1), bool), known[1:] != known[:-1]])]
        terms = np.searchsorted(known, keys)
        placed = Placed(
            terms.astype(np.uint32),
            self.places[first],
            self.lengths,
            self.starts,
            self.document_of,
            self.field_of,
        )
        return known, placed


def in_order_of_reading(fields: Sequence[Lists], ranks: Array, documents: int) -> Placed:
    """The words of each boost's texts, by their place among all words in order (`ranks`)."""
    lengths = np.array([lists.lengths for lists in fields], np.int64).reshape(len(fields), documents)
    room = lengths + 1
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(room.sum(axis=0))])
    field_starts = starts[:-1] + np.cumsum(room, axis=0) - room
    places = []
    for held, begins in zip(lengths, field_starts, strict=True):
        before = np.cumsum(held) - held
        places.append((np.repeat(begins - before, held) + np.arange(held.sum())).astype(np.uint32))
    terms = np.concatenate([ranks[np.asarray(lists.numbers)] for lists in fields])
    fields_of_documents = np.tile(np.arange(len(fields), dtype=np.uint8), documents)
    return Placed(
        terms,
        np.concatenate(places),
        lengths,
        starts,
        np.repeat(np.arange(documents, dtype=np.uint16), room.sum(axis=0)),
        np.repeat(fields_of_documents, room.T.reshape(-1)),
    )


def pair_keys(left: Array, right: Array) -> Array:
    """Two words as one number: in order as the pairs of words are."""
    keys = left.astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= right
    return keys


def pair_names(keys: Array, words: Sequence[str]) -> list[str]:
    left, right = (keys >> np.uint64(32)).tolist(), (keys & np.uint64(0xFFFF_FFFF)).tolist()
    return [f"{words[one]}_{words[other]}" for one, other in zip(left, right, strict=True)]
