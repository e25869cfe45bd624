"""What every engine's index holds of a document, so that the engines differ only in how they keep it.

`all` decides whether a document matches: the folded words of all its texts, with positions. The views of
its texts only score, gathered by boost.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from opendata.kernel.text import nfc
from opendata.search.analysis import View, joined_views, pairs
from opendata.search.completion import GAP_WORD, suggested
from opendata.search.port import RESERVED, PreparedDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opendata.search.port import IndexSchema, SearchDocument
    from opendata.search.query import Within

ALL: Final = "all"
# The words of the lines that complete what is being typed; see completion.
LINES: Final = "lines"
# The row that holds the position; it carries no access word, so nobody's search finds it.
POSITION_ID: Final = f"{RESERVED}position"
_GAP: Final = f" {GAP_WORD} "
_REPEATED: Final = 600  # shorter texts are analysed once: see _joined_once


def scoring_fields(schema: IndexSchema) -> Iterator[tuple[View, float, str]]:
    """Each view of each boost, and the name of its field in the index."""
    for boost in schema.boosts():
        for view in View:
            yield view, boost, scoring_field(view, boost)


def scoring_field(view: View, boost: float) -> str:
    return f"{view}@{boost:g}"


def within_terms(clause: Within) -> list[tuple[str, str]]:
    """(field, term) that a document must all hold."""
    folded, neighbours = scoring_field(View.FOLDED, clause.boost), scoring_field(View.PAIRS, clause.boost)
    return [(folded, word) for word in clause.words] + [(neighbours, pair) for pair in pairs(clause.words)]


def prepare(schema: IndexSchema, document: SearchDocument) -> PreparedDocument:
    """ValueError where the document does not fit the schema."""
    document.check(schema.names())
    lines = suggested(document.suggestions)
    return PreparedDocument(
        id=document.id,
        access=document.access,
        words={**indexed_words(schema, document), LINES: " ".join(lines.words)},
        facets={name: tuple(dict.fromkeys(values)) for name, values in document.facets.items()},
        numbers=document.numbers,
        sort_keys=document.sort_keys,
        suggestions=lines.terms,
        prior=document.prior,
        kept=kept_json(schema, document, lines.long),
    )


def indexed_words(schema: IndexSchema, document: SearchDocument) -> dict[str, str]:
    """Words to be split at spaces and indexed as they are, by field."""
    seen = {
        name: _joined_once(text) if len(text) < _REPEATED else joined_views(text)
        for name, text in document.texts.items()
    }
    fields = {ALL: _GAP.join([words[View.FOLDED] for words in seen.values()])}
    for name, view, texts in _gathered(schema):
        gap = _GAP if view is View.FOLDED else " "
        fields[name] = gap.join([seen[text][view] for text in texts if text in seen])
    return fields


@lru_cache(maxsize=4)
def _gathered(schema: IndexSchema) -> list[tuple[str, View, tuple[str, ...]]]:
    """Each scoring field, its view, and the texts whose words it holds."""
    groups = schema.boosts()
    return [(name, view, groups[boost]) for view, boost, name in scoring_fields(schema)]


# Names of publishers, places and themes, and the columns of a series, stand under many documents.
_joined_once = lru_cache(maxsize=2048)(joined_views)


def kept_json(schema: IndexSchema, document: SearchDocument, lines: Sequence[str]) -> str:
    """What comes back with a hit: `stored` as given, the texts that snippets are cut from, and long lines."""
    texts = {text.name: nfc(document.texts.get(text.name, "")) for text in schema.texts if text.snippet}
    return orjson.dumps({"stored": document.stored, "texts": texts, "lines": lines}).decode()


def read_kept(kept: bytes | str) -> dict[str, Any]:
    """What `kept_json` made, by the same names."""
    read: dict[str, Any] = orjson.loads(kept)
    return read
