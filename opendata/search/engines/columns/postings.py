"""Postings as arrays: for each term the numbers of its documents, and how much each gains by holding it.

What a document gains by a term is BM25 summed over its texts, each with its boost and with how rare the term is in
texts of that boost, beside how rare it is where it is rarest. So one list says what a list for each boost
would; how much that rarest is worth is known only when a query asks. Kept as one of 65,535 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from opendata.search.engines.columns.spilled import Column
from opendata.search.query import RARITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

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
class Texts:
    """What the texts of each boost are like: how much a word counts in each document by its length, for each boost."""

    boosts: Sequence[float]
    long: Array

    @classmethod
    def of(cls, lengths: Array, averages: Sequence[float], boosts: Sequence[float]) -> Texts:
        """`lengths` has a row for each boost: the words of each document. `averages`: over the whole index."""
        average = np.maximum(np.asarray(averages, np.float32), 1e-9)[:, None]
        return cls(
            boosts, np.float32(K1 * (1 - B)) + np.float32(K1 * B) * lengths.astype(np.float32) / average
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """(term, document, boost) in order, each once, and how often the term stands there."""

    terms: Array
    documents: Array
    fields: Array
    times: Array


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


class PostingsColumns:
    """The arrays of a segment of so many documents, range of terms by range of terms."""

    def __init__(self, name: str, documents: int, folder: Path) -> None:
        self._name = name
        self._documents = documents
        self._columns = {
            part: Column(dtype, folder)
            for part, dtype in (
                ("at", np.uint32), ("documents", np.uint16), ("gains", np.uint16), ("fields", np.uint8),
                ("rarest", np.uint32), ("frequent", np.uint32), ("everywhere", np.uint16),
            )
        }  # fmt: skip
        self._columns["at"].append(np.zeros(1, np.uint32))

    def add(self, postings: Postings) -> None:
        """Of the terms that come next, numbered from 0."""
        columns, first = self._columns, len(self._columns["rarest"])
        at = starts_of(postings.terms, len(postings.rarest)).astype(np.int64)
        columns["at"].append(len(columns["documents"]) + at[1:])
        columns["documents"].append(postings.documents)
        columns["gains"].append(postings.gains)
        columns["fields"].append(postings.fields)
        columns["rarest"].append(postings.rarest)
        if self._documents < _WORTHWHILE:
            return
        frequent = np.flatnonzero(counts_of(at) * _FREQUENT >= self._documents)
        columns["frequent"].append(first + frequent)
        for term in frequent:
            entries = slice(at[term], at[term + 1])
            everywhere = np.zeros(self._documents, np.uint16)
            everywhere[postings.documents[entries]] = postings.gains[entries]
            columns["everywhere"].append(everywhere)

    def arrays(self) -> Iterator[tuple[str, Column]]:
        for part, column in self._columns.items():
            yield f"{self._name}.{part}", column


def scored(rows: Rows, count: int, texts: Texts, total: int, usual: Array | None = None) -> Postings:
    """Postings of `count` terms. `total`: the documents of the index.

    `usual`: for each term and boost how many documents hold it elsewhere, which says more than a few documents
    do; without it those given here are counted.
    """
    boosts = len(texts.boosts)
    terms, fields = rows.terms, rows.fields
    times = rows.times.astype(np.float32)
    gains = times * np.float32(K1 + 1) / (times + texts.long[fields, rows.documents])
    kinds = terms * boosts + fields
    own = np.bincount(kinds, minlength=count * boosts).reshape(count, boosts)
    held: Array = own if usual is None else np.where(usual.any(axis=1, keepdims=True), usual + own, own)
    rarest = np.where(held > 0, held, np.iinfo(np.int64).max).min(axis=1)
    shares = np.asarray(texts.boosts) * worth(held, total) / worth(rarest, total)[:, None]
    gains *= shares.astype(np.float32).reshape(-1)[kinds]
    is_first = np.ones(len(terms), bool)
    is_first[1:] = (terms[1:] != terms[:-1]) | (rows.documents[1:] != rows.documents[:-1])
    start = np.flatnonzero(is_first)
    summed = np.add.reduceat(gains, start) if len(start) else gains
    bits = np.left_shift(1, fields, dtype=np.uint8, casting="unsafe")
    return Postings(
        terms[start],
        rows.documents[start],
        np.clip(np.rint(summed / np.float32(gain_step(texts.boosts))), 1, _STEPS).astype(np.uint16),
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


def entries_of_lists(firsts: Array, lengths: Array) -> Array:
    """Where the entries of some lists stand, list after list; of each where it begins and how many it has."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(lengths.sum()) + np.repeat(firsts - before, lengths))


def counts_of(starts: Array) -> Array:
    """How many entries each term has, from where they begin."""
    wide = starts.astype(np.int64)
    return np.asarray(wide[1:] - wide[:-1])
