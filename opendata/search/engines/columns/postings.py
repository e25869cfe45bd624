"""Postings as arrays: for each term the numbers of its documents, and how much each gains by holding it.

What a document gains by a term is BM25 summed over its texts, each with its boost and with how rare the term is in
texts of that boost, beside how rare it is where it is rarest. So one list says what a list for each boost
would; how much that rarest is worth is known only when a query asks. Kept as one of 65,535 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.search.query import RARITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opendata.search.engines.columns.arrays_file import Array

# As most engines have them (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009).
K1: Final = 1.2
B: Final = 0.75
# In which texts a term stands is a bit for each boost.
MOST_BOOSTS: Final = 8
_STEPS: Final = 65_535
# What an eighth of the documents hold is added up faster with an entry for each document, if there are many.
_FREQUENT: Final = 8
_WORTHWHILE: Final = 4096


def gain_step(boosts: Sequence[float]) -> float:
    """The worth of one step: all of them are the most that a term can give to a document."""
    return (K1 + 1) * sum(boosts) / _STEPS


def worth(holding: Any, total: int) -> Any:
    """By what gains count for a term that `holding` documents have: BM25's rareness and `query.rarity`.

    As if there were one more document without it: in a small index a word of every document counts too.
    """
    holding = np.asarray(holding, np.float64)
    rare = np.log1p((np.maximum(total + 1 - holding, 0) + 0.5) / (holding + 0.5))
    return rare * np.log1p((np.maximum(total - holding, 0) + 0.5) / (holding + 0.5)) ** RARITY


@dataclass(frozen=True, slots=True)
class Words:
    """(term, document, boost) in order, as often as a word is there, and for each boost what its texts are like.

    `lengths` has a row for each boost: the words of each document.
    """

    terms: Array
    places: Array
    documents: Array
    fields: Array
    lengths: Array
    averages: Sequence[float]
    boosts: Sequence[float]


@dataclass(frozen=True, slots=True)
class Postings:
    """(term, document) in order, each once, what it gains in steps, and the bits of the boosts it is in.

    `rarest`: for each term how many documents hold it in the texts of the boost where it is rarest.
    """

    terms: Array
    documents: Array
    gains: Array
    fields: Array
    rarest: Array

    def arrays(self, name: str, documents: int) -> dict[str, Array]:
        """For a segment of so many documents."""
        at = starts_of(self.terms, len(self.rarest)).astype(np.int64)
        holding = counts_of(at)
        frequent = (
            np.flatnonzero(holding * _FREQUENT >= documents) if documents >= _WORTHWHILE else holding[:0]
        )
        everywhere = np.zeros((len(frequent), documents), np.uint16)
        for row, term in enumerate(frequent):
            entries = slice(at[term], at[term + 1])
            everywhere[row, self.documents[entries]] = self.gains[entries]
        return {
            f"{name}.at": at.astype(np.uint32),
            f"{name}.documents": self.documents.astype(np.uint16),
            f"{name}.gains": self.gains,
            f"{name}.fields": self.fields,
            f"{name}.rarest": self.rarest.astype(np.uint32),
            f"{name}.frequent": frequent.astype(np.uint32),
            f"{name}.everywhere": everywhere.reshape(-1),
        }


def scored(words: Words, count: int, total: int, usual: Array | None = None) -> Postings:
    """Postings of `count` terms. `total`: the documents of the index.

    `usual`: for each term and boost how many documents hold it elsewhere, which says more than a few documents
    do; without it those given here are counted.
    """
    boosts = len(words.boosts)
    first = _first_of_each(words.terms, words.documents, words.fields)
    times = np.diff(first, append=len(words.terms)).astype(np.float32)
    terms, documents, fields = words.terms[first], words.documents[first], words.fields[first]
    average = np.maximum(np.asarray(words.averages, np.float32), 1e-9)[fields]
    long = (
        np.float32(K1 * (1 - B))
        + np.float32(K1 * B) * words.lengths.astype(np.float32)[fields, documents] / average
    )
    gains = times * np.float32(K1 + 1) / (times + long)
    own = np.bincount(terms.astype(np.int64) * boosts + fields, minlength=count * boosts).reshape(
        count, boosts
    )
    held: Array = own if usual is None else np.where(usual.any(axis=1, keepdims=True), usual + own, own)
    rarest = np.where(held > 0, held, np.iinfo(np.int64).max).min(axis=1)
    shares = np.asarray(words.boosts) * worth(held, total) / worth(rarest, total)[:, None]
    gains *= shares.astype(np.float32)[terms, fields]
    start = _first_of_each(terms, documents)
    summed = np.add.reduceat(gains, start) if len(start) else gains
    bits = np.left_shift(1, fields, dtype=np.uint8, casting="unsafe")
    return Postings(
        terms[start],
        documents[start],
        np.clip(np.rint(summed / np.float32(gain_step(words.boosts))), 1, _STEPS).astype(np.uint16),
        np.bitwise_or.reduceat(bits, start) if len(start) else bits,
        np.where(own > 0, own, np.iinfo(np.int64).max).min(axis=1),
    )


def starts_of(terms: Array, count: int) -> Array:
    """Where the entries of each of `count` terms begin in a sorted list of terms, and where the last one ends."""
    held = np.bincount(terms, minlength=count)
    return np.concatenate([np.zeros(1, np.uint32), np.cumsum(held, dtype=np.uint32)])


def entries_of(starts: Array, first: int, last: int) -> slice:
    """Where the entries of the terms from `first` on stand, `last` left out."""
    return slice(int(starts[first]), int(starts[last]))


def counts_of(starts: Array) -> Array:
    """How many entries each term has, from where they begin."""
    wide = starts.astype(np.int64)
    return np.asarray(wide[1:] - wide[:-1])


def _first_of_each(*columns: Array) -> Array:
    """Where another row begins in sorted columns."""
    is_first = np.ones(len(columns[0]), bool)
    if len(is_first):
        is_first[1:] = False
        for column in columns:
            is_first[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(is_first)
