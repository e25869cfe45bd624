"""`theme:…`, `chủ-đề:"…"` and the like: how a field named in a typed line becomes a part of the query.

The caller says which names there are and what each makes of a value; the parser asks here. A name or a
value that nobody knows is no error: the line then simply holds those words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from whoosh import query as whoosh_query
from whoosh.qparser import TaggingPlugin, syntax

from opendata.kernel.text import fold

if TYPE_CHECKING:
    import re

    from opendata.search.query import Clause

# What a value as typed asks for; None where the field knows no such value.
FieldReader = Callable[[str], "Clause | None"]


def field_key(name: str) -> str:
    """`chủ-đề`, `chu_de` and `chude` are one name."""
    return fold(name).replace("-", "").replace("_", "")


class FieldQuery(whoosh_query.Query):  # type: ignore[misc]  # whoosh ships no types
    """What Whoosh's tree holds where a field was named."""

    def __init__(self, clause: Clause, text: str) -> None:
        self.clause = clause
        self.text = text


class _FieldNode(syntax.SyntaxNode):  # type: ignore[misc]  # whoosh ships no types
    def __init__(self, clause: Clause, text: str) -> None:
        self._clause = clause
        self._text = text

    def query(self, _parser: object) -> FieldQuery:
        return FieldQuery(self._clause, self._text)


class FieldsPlugin(TaggingPlugin):  # type: ignore[misc]  # whoosh ships no types
    """Takes `name:value` and `name:"several words"` out of the line."""

    def __init__(self, readers: Mapping[str, FieldReader]) -> None:
        TaggingPlugin.__init__(
            self,
            r'(?:^|(?<=\s)|(?<=\s-)|(?<=^-))(?P<name>[^\W\d][\w-]{1,30}):(?:"(?P<words>[^"]{1,200})"|(?P<word>[^\s"]{1,200}))',
        )
        self._readers = {field_key(name): reader for name, reader in readers.items()}

    def create(self, _parser: object, match: re.Match[str]) -> Any:
        reader = self._readers.get(field_key(match["name"]))
        if reader is None:
            return None
        text = match["words"] or match["word"] or ""
        clause = reader(text)
        return None if clause is None else _FieldNode(clause, text)
