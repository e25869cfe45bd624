"""Postings as arrays: for each term the numbers of its documents, and how much each gains by holding it.

What a document gains is the part of BM25 that knows the text (how often the term stands in it, how long it is);
how rare the term is, is known only when a query asks. It is kept as one of 255 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.search.engines.columns.arrays_file import Array

# As most engines have them (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009).
K1: Final = 1.2
B: Final = 0.75
# So much of BM25 is one step; 255 of them are the most that any term can give.
GAIN_STEP: Final = (K1 + 1) / 255
# What an eighth of the documents hold is added up faster with an entry for each document, if there are many.
_FREQUENT: Final = 8
_WORTHWHILE: Final = 4096


@dataclass(frozen=True, slots=True)
class Postings:
    """(term, document) in order, each once; `gains` where the term scores."""

    terms: Array
    documents: Array
    gains: Array | None = None

    def arrays(self, name: str, count: int) -> dict[str, Array]:
        """For `count` terms in all."""
        return {
            f"{name}.at": starts_of(self.terms, count),
            f"{name}.documents": self.documents.astype(np.uint16),
        }

    def scored_arrays(self, name: str, count: int, documents: int) -> dict[str, Array]:
        """With gains, of `documents` in all: for frequent terms also with one entry for each of them."""
        made = self.arrays(name, count)
        gains = self.gains if self.gains is not None else np.zeros(0, np.uint8)
        at = made[f"{name}.at"].astype(np.int64)
        holding = at[1:] - at[:-1]
        frequent = (
            np.flatnonzero(holding * _FREQUENT >= documents) if documents >= _WORTHWHILE else holding[:0]
        )
        everywhere = np.zeros((len(frequent), documents), np.uint8)
        for row, term in enumerate(frequent):
            entries = slice(at[term], at[term + 1])
            everywhere[row, self.documents[entries]] = gains[entries]
        return {
            **made,
            f"{name}.gains": gains,
            f"{name}.frequent": frequent.astype(np.uint32),
            f"{name}.everywhere": everywhere.reshape(-1),
        }


def starts_of(terms: Array, count: int) -> Array:
    """Where the entries of each of `count` terms begin in a sorted list of terms, and where the last one ends."""
    held = np.bincount(terms, minlength=count)
    return np.concatenate([np.zeros(1, np.uint32), np.cumsum(held, dtype=np.uint32)])


def scored_postings(terms: Array, documents: Array, lengths: Array, average: float) -> Postings:
    """Of the words of texts: (term, document) in order, as often as the term is there. `lengths` of all texts."""
    if not len(terms):
        return Postings(terms, documents, np.zeros(0, np.uint8))
    is_first = np.ones(len(terms), bool)
    is_first[1:] = (terms[1:] != terms[:-1]) | (documents[1:] != documents[:-1])
    first = np.flatnonzero(is_first)
    times = np.diff(first, append=len(terms)).astype(np.float32)
    documents = documents[first]
    long = (K1 * (1 - B) + K1 * B / max(average, 1e-9) * lengths).astype(np.float32)[documents]
    gains = times * np.float32((K1 + 1) / GAIN_STEP) / (times + long)
    return Postings(terms[first], documents, np.clip(np.rint(gains), 1, 255).astype(np.uint8))


def sorted_pairs(terms: Array, documents: Array) -> Postings:
    """Without gains, from (term, document) in any order, each once."""
    keys = (terms.astype(np.uint64) << np.uint64(32)) | documents.astype(np.uint64)
    keys.sort()
    return Postings(
        (keys >> np.uint64(32)).astype(np.uint32), (keys & np.uint64(0xFFFF_FFFF)).astype(np.uint32)
    )


def of_term(arrays: Mapping[str, Array], name: str, number: int) -> slice:
    at = arrays[f"{name}.at"]
    return slice(int(at[number]), int(at[number + 1]))
