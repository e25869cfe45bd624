"""Documents → the arrays of one segment.

Words become numbers as they come, so that a document is a few calls of the interpreter's own loops; numbers are
put into the order of the words, sorted and counted as whole arrays at the end.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from opendata.search.analysis import View
from opendata.search.engines.columns.placed import Lists, in_order_of_reading, pair_names
from opendata.search.engines.columns.postings import scored, starts_of
from opendata.search.engines.columns.strings import strings_arrays, terms_arrays
from opendata.search.fields import GAP_WORD, LINES, scoring_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opendata.search.engines.columns.arrays_file import Array
    from opendata.search.port import IndexSchema, PreparedDocument

# Numbers of documents are kept in 16 bits.
MOST_DOCUMENTS: Final = 1 << 16

Lengths = dict[str, int]
"""For each scoring field the number of its words in all documents of an index."""
Usual = Callable[[View, Sequence[str]], "Array"]


class _Numbers(dict[str, int]):
    """Gives each string the next number when it first comes."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


_Found = tuple[_Numbers, list[tuple[str, Lists]]]


class SegmentBuilder:
    """Takes up to MOST_DOCUMENTS documents, each id once."""

    def __init__(self, schema: IndexSchema) -> None:
        self._schema = schema
        boosts = list(schema.boosts())
        self._ids: list[str] = []
        self._kept: list[bytes] = []
        self._priors = array("f")
        self._words: dict[View, _Found] = {
            view: (_Numbers(), [(scoring_field(view, boost), Lists()) for boost in boosts])
            for view in (View.EXACT, View.FOLDED)
        }
        self._lines = _Numbers(), Lists()
        self._listed = {name: (_Numbers(), Lists()) for name in ("access", "suggestions", *schema.facets)}
        self._numbers = {name: array("d") for name in schema.numbers}
        self._sort_keys: dict[str, list[str | None]] = {name: [] for name in schema.sort_keys}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, document: PreparedDocument) -> None:
        self._ids.append(document.id)
        self._kept.append(document.kept.encode())
        self._priors.append(document.prior)
        words = document.words
        for numbers, fields in self._words.values():
            for name, lists in fields:
                lists.add(list(map(numbers.__getitem__, words.get(name, "").split())))
        numbers, lists = self._lines
        lists.add(list(map(numbers.__getitem__, words.get(LINES, "").split())))
        self._add_listed("access", document.access)
        self._add_listed("suggestions", document.suggestions)
        for name in self._schema.facets:
            self._add_listed(name, document.facets.get(name, ()))
        for name, values in self._numbers.items():
            values.append(document.numbers.get(name, np.nan))
        for name, keys in self._sort_keys.items():
            keys.append(document.sort_keys.get(name))

    def _add_listed(self, name: str, values: Iterable[str]) -> None:
        numbers, lists = self._listed[name]
        lists.add([numbers[value] for value in dict.fromkeys(values)])

    def lengths(self) -> Lengths:
        """How many words each scoring field has here."""
        return {name: len(lists.numbers) for _, fields in self._words.values() for name, lists in fields}

    def arrays(
        self, averages: Mapping[str, float], total: int, usual: Usual | None = None
    ) -> Iterator[tuple[str, Array]]:
        """Each array with its name; the builder is empty afterwards, and takes no more than one view at a time.

        `averages`: the words a document has in each scoring field, over the whole index of `total` documents.
        `usual`: how many documents hold given terms of a view elsewhere, in the texts of each boost.
        """
        yield "prior", np.array(self._priors, np.float32)
        yield from ids_arrays([name.encode() for name in self._ids]).items()
        yield from strings_arrays("kept", self._kept).items()
        self._kept.clear()
        while self._words:
            yield from self._word_arrays(*self._words.popitem(), averages, total, usual)
        yield from self._line_arrays().items()
        while self._listed:
            name, (numbers, lists) = self._listed.popitem()
            yield from listed_arrays(name, numbers, np.asarray(lists.numbers), lists.documents()).items()
        for name, values in self._numbers.items():
            yield f"number.{name}", np.array(values, np.float64)
        for name, sort_keys in self._sort_keys.items():
            yield from sort_key_arrays(name, sort_keys).items()

    def _word_arrays(
        self, view: View, found: _Found, averages: Mapping[str, float], total: int, usual: Usual | None
    ) -> Iterator[tuple[str, Array]]:
        """Of the folded words those of the pairs as well."""
        numbers, fields = found
        documents = len(self)
        ordered = sorted(numbers)
        placed = in_order_of_reading([lists for _, lists in fields], _ranks(numbers, ordered), documents)
        known = [averages[name] for name, _ in fields], tuple(self._schema.boosts())
        numbers.clear()
        yield from terms_arrays(str(view), ordered).items()
        held = usual(view, ordered) if usual else None
        yield from (
            scored(placed.sorted(*known), len(ordered), total, held).arrays(str(view), documents).items()
        )
        if view is not View.FOLDED:
            return
        keys, paired = placed.pairs(bisect_left(ordered, GAP_WORD))
        held = usual(View.PAIRS, pair_names(keys, ordered)) if usual else None
        words = paired.sorted(*known)
        yield f"{View.PAIRS}.keys", keys
        yield from place_arrays(str(View.PAIRS), words.terms, words.places, placed.starts, len(keys)).items()
        yield from scored(words, len(keys), total, held).arrays(str(View.PAIRS), documents).items()

    def _line_arrays(self) -> dict[str, Array]:
        """The words of lines to suggest, with their places only."""
        numbers, lists = self._lines
        ordered = sorted(numbers)
        terms = _ranks(numbers, ordered)[np.asarray(lists.numbers)]
        order = np.argsort(terms, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.array(lists.lengths, np.int64) + 1)])
        places = order + lists.documents()[order]
        return terms_arrays(LINES, ordered) | place_arrays(LINES, terms[order], places, starts, len(ordered))


def _ranks(numbers: Mapping[str, int], ordered: Sequence[str]) -> Array:
    """For each number the place of its string among them all in order."""
    ranks = np.empty(len(ordered), np.uint32)
    ranks[np.fromiter(map(numbers.__getitem__, ordered), np.int64, len(ordered))] = np.arange(
        len(ordered), dtype=np.uint32
    )
    return ranks


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
    ranked = _ranks(numbers, ordered)[values]
    keys = (ranked.astype(np.uint64) << np.uint64(32)) | documents.astype(np.uint64)
    keys.sort()
    made = {
        f"listed.{name}.at": starts_of((keys >> np.uint64(32)).astype(np.int64), len(ordered)),
        f"listed.{name}.documents": (keys & np.uint64(0xFFFF_FFFF)).astype(np.uint16),
    }
    if name == "suggestions":
        return made | terms_arrays(f"listed.{name}", ordered)
    return {
        **made,
        **strings_arrays(f"listed.{name}", [text.encode() for text in ordered]),
        f"listed.{name}.values": ranked,
        f"listed.{name}.of": documents.astype(np.uint16),
    }


def sort_key_arrays(name: str, keys: Sequence[str | None]) -> dict[str, Array]:
    """The keys in order, and for each document the place of its own; -1 where it has none."""
    ordered = sorted({key for key in keys if key is not None})
    places = {key: place for place, key in enumerate(ordered)}
    return {
        f"key.{name}": np.array([-1 if key is None else places[key] for key in keys], np.int32),
        **strings_arrays(f"key.{name}", [key.encode() for key in ordered]),
    }
