"""What every engine's index holds of a document, so that the engines differ only in how they keep it.

`all` decides whether a document matches: the folded words of all its texts, with positions. The views of
its texts only score, gathered by boost.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from opendata.kernel.text import nfc
from opendata.search.analysis import View, views
from opendata.search.port import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.search.port import IndexSchema, SearchDocument

ALL: Final = "all"
# The row that holds the position; it carries no access word, so nobody's search finds it.
POSITION_ID: Final = f"{RESERVED}position"
# Stands between two texts, so that no phrase reaches from one into the other.
_GAP: Final = " ¶ "


def scoring_fields(schema: IndexSchema) -> Iterator[tuple[View, float, str]]:
    """Each view of each boost, and the name of its field in the index."""
    for boost in schema.boosts():
        for view in View:
            yield view, boost, f"{view}@{boost:g}"


def indexed_words(schema: IndexSchema, document: SearchDocument) -> dict[str, str]:
    """Words to be split at spaces and indexed as they are, by field."""
    seen = {name: views(text) for name, text in document.texts.items()}
    fields = {ALL: _GAP.join(" ".join(words[View.FOLDED]) for words in seen.values())}
    groups = schema.boosts()
    for view, boost, name in scoring_fields(schema):
        fields[name] = " ".join(word for text in groups[boost] if text in seen for word in seen[text][view])
    return fields


def kept_json(schema: IndexSchema, document: SearchDocument) -> str:
    """What comes back with a hit: `stored` as given, and the texts that snippets are cut from."""
    texts = {text.name: nfc(document.texts.get(text.name, "")) for text in schema.texts if text.snippet}
    return json.dumps({"stored": document.stored, "texts": texts}, ensure_ascii=False)
