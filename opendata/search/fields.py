"""What every engine's index holds of a document, so that the engines differ only in how they keep it.

`all` decides whether a document matches: the folded words of all its texts, with positions. The views of
its texts only score, gathered by boost.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import orjson

from opendata.kernel.text import nfc
from opendata.search.analysis import View, joined_views, pairs
from opendata.search.completion import GAP_WORD, suggested
from opendata.search.port import RESERVED, PreparedDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opendata.search.port import IndexSchema, SearchDocument
    from opendata.search.query import Within

ALL: Final = "all"
# The words of the lines that complete what is being typed; see completion.
LINES: Final = "lines"
# The row that holds the position; it carries no access word, so nobody's search finds it.
POSITION_ID: Final = f"{RESERVED}position"
_GAP: Final = f" {GAP_WORD} "
_REPEATED: Final = 600  # shorter texts are analysed once: see _joined_once
_END: Final = "\0"
_END_BYTE: Final = _END.encode()


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
        kept=KeptForm(schema).written(document, lines.long),
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


class Kept:
    """What comes back with a document: `stored` as it was given, and the texts that snippets are cut from.

    Not to be written to. Read when it is looked at: of a hit that was shown before nobody does. `content`: a number of all
    this that no other content has in practice, of 64 bits.
    """

    __slots__ = ("_form", "_kept", "_read", "content")

    def __init__(self, form: KeptForm, kept: bytes) -> None:
        self._form = form
        self._kept = kept
        self._read: _Read | None = None
        self.content = hash(kept)

    @property
    def stored(self) -> Mapping[str, object]:
        return (self._read or self._now_read())[0]

    @property
    def texts(self) -> Mapping[str, str]:
        return (self._read or self._now_read())[1]

    def _now_read(self) -> _Read:
        self._read = read = self._form.read(self._kept)
        return read


_Read = tuple["Mapping[str, object]", "Mapping[str, str]"]


class KeptForm:
    """How an index keeps what comes back with a document: `stored` as JSON, each text, and the long lines to suggest.

    Most of what a hit costs is reading letters, so what `stored` repeats of a text (titles, summaries) is kept once:
    where all values of a mapping are how texts begin, it says of which text and how much.
    """

    def __init__(self, schema: IndexSchema) -> None:
        self._names = tuple(text.name for text in schema.texts if text.snippet)

    def written(self, document: SearchDocument, lines: Sequence[str]) -> str:
        texts = [nfc(document.texts.get(name, "")).replace(_END, " ") for name in self._names]
        stored = dict(document.stored)
        said = []
        for name, value in stored.items():
            beginnings = _beginnings(value, texts) if isinstance(value, dict) and value else None
            if beginnings is not None:
                stored[name] = beginnings
                said.append(name)
        return _END.join([orjson.dumps([said, stored]).decode(), *texts, *lines])

    def of(self, kept: bytes) -> Kept:
        """What was `written`, as bytes."""
        return Kept(self, kept)

    def read(self, kept: bytes) -> _Read:
        """`stored`, and the texts by name."""
        names = self._names
        parts = kept.split(_END_BYTE, len(names) + 1)
        said, stored = orjson.loads(parts[0])
        texts = list(map(bytes.decode, parts[1 : len(names) + 1]))
        for name in said:
            value = stored[name]
            for key, (number, length) in value.items():
                value[key] = texts[number][:length]
        return stored, dict(zip(names, texts, strict=True))

    def told(self, kept: bytes, names: Sequence[str]) -> Mapping[str, object]:
        """Some of what is `stored`, which spares the letters of the texts; all where nothing is named."""
        if not names:
            return self.read(kept)[0]
        said, stored = orjson.loads(kept[: kept.index(_END_BYTE)])
        if not set(said).isdisjoint(names):
            stored, _ = self.read(kept)
        return {name: stored[name] for name in names}

    def lines(self, kept: bytes) -> list[str]:
        return [line.decode() for line in kept.split(_END_BYTE)[len(self._names) + 1 :]]


def _beginnings(value: Mapping[str, object], texts: Sequence[str]) -> dict[str, tuple[int, int]] | None:
    """For each value the number of a text that begins so, and its length; None where one is no such beginning."""
    found: dict[str, tuple[int, int]] = {}
    for key, said in value.items():
        number = (
            next((number for number, text in enumerate(texts) if text.startswith(said)), None)
            if isinstance(said, str)
            else None
        )
        if number is None:
            return None
        found[key] = number, len(str(said))
    return found
