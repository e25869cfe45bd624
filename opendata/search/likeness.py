"""What is characteristic of a document, as a query for others like it ("similar datasets").

Called by the search service. The words that stand in the texts the index keeps are weighed by how often
they stand there and how few documents hold them; the best of them are asked for. Which documents may be
shown is, as always, the engine's affair.
"""

from __future__ import annotations

from collections import defaultdict
from math import ceil, log
from typing import TYPE_CHECKING, Final

from opendata.search.analysis import View, views
from opendata.search.query import WEIGHTS, Query, Scored, Side, Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.search.port import IndexSchema, SearchEngine

_LONGEST_TEXT: Final = 600
_MOST_LOOKED_AT: Final = 60
_MOST_TERMS: Final = 12
# Of the characteristic words a similar document holds this share.
_SHARE: Final = 0.25


def query_for_similar(engine: SearchEngine, schema: IndexSchema, texts: Mapping[str, str]) -> Query | None:
    """None where nothing in these texts is shared with any other document."""
    words = _characteristic(engine, schema, texts, View.FOLDED)
    if not words:
        return None
    neighbours = _characteristic(engine, schema, texts, View.PAIRS)
    scored = [Scored(View.FOLDED, term, weight * WEIGHTS[View.FOLDED]) for term, weight in words.items()]
    scored += [Scored(View.PAIRS, term, weight * WEIGHTS[View.PAIRS]) for term, weight in neighbours.items()]
    side = Side((), tuple(map(Word, words)), min(len(words), max(2, ceil(len(words) * _SHARE))))
    return Query(sides=(side,), scored=tuple(scored))


def _characteristic(
    engine: SearchEngine, schema: IndexSchema, texts: Mapping[str, str], view: View
) -> dict[str, float]:
    """The best terms with their weight, at most 1."""
    said: dict[str, float] = defaultdict(float)
    for field in schema.texts:
        for term in views(texts.get(field.name, "")[:_LONGEST_TEXT])[view]:
            said[term] += field.boost
    total = engine.count()
    weighed: dict[str, float] = {}
    looked_at = sorted(said.items(), key=lambda counted: -counted[1])[:_MOST_LOOKED_AT]
    frequencies = engine.frequencies(view, [term for term, _ in looked_at])
    for (term, times), holding in zip(looked_at, frequencies, strict=True):
        if holding > 1:  # what only this document holds finds no other
            weighed[term] = log(1 + times) * log(1 + total / holding)
    best = sorted(weighed.items(), key=lambda counted: (-counted[1], counted[0]))[:_MOST_TERMS]
    return {term: weight / best[0][1] for term, weight in best}
