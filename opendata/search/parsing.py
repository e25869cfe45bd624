"""Reads what people type: words, "cụm từ", -từ, OR (HOẶC), prefix* and field:value; other signs only part words.

Whoosh's query parser, reduced to these, reads the line; each word is then analysed as documents
are. Anything typed is a query: length, words and prefixes are bounded here and nothing typed raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, Final

from whoosh import query as whoosh_query
from whoosh.qparser import OperatorsPlugin, PhrasePlugin, PrefixPlugin, QueryParser, TaggingPlugin, syntax

from opendata.kernel.recent import MostRecent
from opendata.kernel.text import clean_line, fold
from opendata.search.analysis import Chunk, View, chunks, is_syllable, pairs
from opendata.search.query import (
    WEIGHTS,
    AnyOf,
    Clause,
    Phrase,
    Prefix,
    Query,
    Scored,
    Side,
    Within,
    Word,
    required_words,
)
from opendata.search.query_fields import FieldQuery, FieldReader, FieldsPlugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LONGEST_TEXT: Final = 1000
MOST_WORDS: Final = 40
MOST_PREFIXES: Final = 4
SHORTEST_PREFIX: Final = 2
# An alias is a guess at what was meant: its words count a little less than the typed ones.
ALIAS_WEIGHT: Final = 0.8
MOST_FIELDS: Final = 8
_LONGEST_ASKING: Final = 6
_MOST_KNOWN: Final = 512  # of about 5 KB


class Parser:
    """Turns typed lines into queries.

    `aliases` maps a name to its other names (in both directions); `fields` the names of fields to what they
    make of a value; `asking` are phrases that only introduce what is asked for ("dữ liệu về").
    """

    def __init__(
        self,
        aliases: Mapping[str, Sequence[str]] | None = None,
        fields: Mapping[str, FieldReader] | None = None,
        asking: Iterable[str] = (),
    ) -> None:
        self._asking = frozenset(_spelled(tuple(chunks(phrase))) for phrase in asking)
        self._aliases = _alias_table(aliases or {})
        self._longest_aliases: dict[str, int] = {}
        for first, *rest in self._aliases:
            self._longest_aliases[first] = max(1 + len(rest), self._longest_aliases.get(first, 0))
        self._known = MostRecent[str, _Read](_MOST_KNOWN)
        self._grammar = QueryParser(
            "text",
            None,
            plugins=[
                FieldsPlugin(fields or {}),
                PhrasePlugin(),
                # Before the prefixes: at -từ* both would match, and the first one is asked first.
                OperatorsPlugin(
                    And=None, Or=None, AndNot=None, AndMaybe=None, Require=None, Not=r"(^|(?<=\s))-(?=[^\s-])"
                ),
                PrefixPlugin(),
                _SidesPlugin(),
            ],
        )

    def parse(self, text: str) -> Query:
        return self._read(clean(text)).query

    def plain_runs(self, line: str) -> tuple[tuple[int, int], ...]:
        """From where to where a cleaned line holds words alone, without any of the syntax; nowhere if it has an OR."""
        return self._read(line).plain_runs

    def _read(self, line: str) -> _Read:
        """A parser reads a line in the same way always: it is asked for again with filters, by pages, and by the speller."""
        known = self._known.get(line)
        if known is None:
            known = self._read_anew(line)
            self._known.put(line, known)
        return known

    def _read_anew(self, line: str) -> _Read:
        if line in ("", "*"):
            return _Read(Query(), ())
        draft = _Draft(self._aliases, self._longest_aliases, self._asking)
        if not _SYNTAX.search(line):
            draft.add_words(line)
            return _Read(draft.query(), ((0, len(line)),))
        sides = list(self._grammar.parse(line, normalize=False))
        for side in sides:
            draft.add_side(side)
        return _Read(draft.query(), tuple(_plain_runs(sides[0])) if len(sides) == 1 else ())


def clean(text: str) -> str:
    """A typed line as it is read: no longer than LONGEST_TEXT, with one kind of quotation mark."""
    return _clean(text[: LONGEST_TEXT * 2])


# The parser and the speller ask for the same line.
@lru_cache(maxsize=64)
def _clean(text: str) -> str:
    return clean_line(text.translate(_QUOTES))[:LONGEST_TEXT]


# Where a cleaned line may hold more than words: most lines do not, and the grammar reads them letter by letter.
_SYNTAX = re.compile(r'[":*]|(?:^| )-| (?:OR|HOẶC) ')
_LETTERS_THEN_DIGITS = re.compile(r"^([^\W\d_]+)(\d+)$")
_NO_JOINTS = str.maketrans(dict.fromkeys(".:/-,", None))
_QUOTES = str.maketrans(dict.fromkeys("“”„«»″", '"'))


@dataclass(frozen=True, slots=True)
class _Read:
    """What a line asks for, and where it holds words alone."""

    query: Query
    plain_runs: tuple[tuple[int, int], ...]


def _plain_runs(side: Iterable[Any]) -> Iterator[tuple[int, int]]:
    for is_plain, nodes in groupby(side, lambda node: isinstance(node, whoosh_query.Term)):
        if is_plain:
            places = [(int(node.startchar), int(node.endchar)) for node in nodes]
            yield places[0][0], places[-1][1]


class _Or(syntax.MarkerNode):  # type: ignore[misc]  # whoosh ships no types
    """Where the word OR stood."""


class _SidesPlugin(TaggingPlugin):  # type: ignore[misc]  # whoosh ships no types
    """Splits the whole line at OR (HOẶC).

    Vietnamese words are several syllables, so taking only the two neighbours of the operator, as Whoosh
    does, would cut words in half.
    """

    nodetype = _Or

    def __init__(self) -> None:
        TaggingPlugin.__init__(self, r"(?<=\s)(?:OR|HOẶC)(?=\s)")

    def filters(self, _parser: object) -> list[tuple[Any, int]]:
        return [(self._split, 700)]  # after white space (500) and operators (600) are dealt with

    def _split(self, _parser: object, group: Any) -> Any:
        sides = syntax.OrGroup([syntax.AndGroup()])
        for node in group:
            if isinstance(node, _Or):
                sides.append(syntax.AndGroup())
            else:
                sides[-1].append(node)
        return sides


_Aliases = Mapping[tuple[str, ...], tuple[tuple[Chunk, ...], ...]]


class _Draft:
    """Collects one query from Whoosh's tree and keeps it within the bounds."""

    def __init__(
        self, aliases: _Aliases, longest_aliases: Mapping[str, int], asking: frozenset[tuple[str, ...]]
    ) -> None:
        """`longest_aliases`: how many words the longest alias has that begins with a word."""
        self._aliases = aliases
        self._asking = asking
        self._fields_left = MOST_FIELDS
        self._longest_aliases = longest_aliases
        self._words_left = MOST_WORDS
        self._prefixes_left = MOST_PREFIXES
        self._prefixes: list[str] = []
        self._sides: list[Side] = []
        self._excluded: list[Clause] = []
        self._scored: dict[tuple[View, str], float] = {}
        self._marks: dict[tuple[str, ...], None] = {}
        self._stems: dict[str, None] = {}

    def query(self) -> Query:
        # Something was typed and no word came of it ("???"): that finds nothing, unlike an empty line.
        sides = self._sides or ([] if self._excluded else [Side((), (), 1)])
        scored = tuple(Scored(view, term, weight) for (view, term), weight in self._scored.items())
        excluded = tuple(dict.fromkeys(self._excluded))
        return Query(
            tuple(sides), excluded, scored, tuple(self._marks), tuple(self._prefixes), tuple(self._stems)
        )

    def add_words(self, line: str) -> None:
        """The only side of a line without any of the syntax."""
        self._add((), self._words(self._asked(self._take(line))))

    def add_side(self, nodes: Iterable[Any]) -> None:
        must: list[Clause] = []
        should: list[Clause] = []
        run: list[Chunk] = []
        for node in nodes:
            if isinstance(node, whoosh_query.Term):
                run += self._take(node.text)
                continue
            should += self._words(run if must or should else self._asked(run))
            run = []
            if isinstance(node, whoosh_query.Not):
                self._excluded += self._exclusion(node.query)
            elif isinstance(node, whoosh_query.Phrase):
                must += self._phrase(node)
            elif isinstance(node, FieldQuery):
                must += self._field(node)
            else:
                should += self._prefix(node.text)
        should += self._words(run if must or should else self._asked(run))
        self._add(must, should)

    def _add(self, must: Sequence[Clause], should: Sequence[Clause]) -> None:
        distinct = tuple(dict.fromkeys(should))
        if must or distinct:
            self._sides.append(Side(tuple(dict.fromkeys(must)), distinct, required_words(len(distinct))))

    def _take(self, text: str) -> list[Chunk]:
        """The words of `text`, as far as the bound on words allows."""
        taken: list[Chunk] = []
        for chunk in chunks(text):
            self._words_left -= len(chunk.folded)
            if self._words_left < 0:
                break
            taken.append(chunk)
        return taken

    def _asked(self, run: list[Chunk]) -> list[Chunk]:
        """Without the phrase that only says that something is asked for, unless that is all there is."""
        for end in range(min(len(run) - 1, _LONGEST_ASKING), 0, -1):
            if _spelled(run[:end]) in self._asking:
                return run[end:]
        return run

    def _field(self, node: Any) -> list[Clause]:
        self._fields_left -= 1
        if self._fields_left < 0:
            return []
        if isinstance(node.clause, Within):
            run = self._take(node.text)
            self._score(run, 1.0)
            self._mark(_spelled(run), *run)
        return [node.clause]

    def _words(self, run: Sequence[Chunk]) -> list[Clause]:
        """One clause for each word typed; the words of an alias are each met by its other names too."""
        self._score(run, 1.0)
        for chunk in run:
            self._mark(chunk.folded, chunk)
            self._stems.update(dict.fromkeys(filter(None, chunk.stems)))
        clauses = [_said(chunk) for chunk in run]
        self._join_codes(run, clauses)
        start = 0
        while start < len(run):
            longest = self._longest_aliases.get(run[start].folded[0], 0)
            for end in range(min(len(run), start + longest), start, -1):
                others = self._aliases.get(_spelled(run[start:end]))
                if others is not None:
                    for other in others:
                        # Of a name of several words only the pairs: its single words (thành, phố) would
                        # lift documents about something else.
                        self._score(other, ALIAS_WEIGHT, words=len(_spelled(other)) == 1)
                        self._mark(_spelled(other), *other)
                    meanings = tuple(_together(other) for other in others)
                    clauses[start:end] = [AnyOf((said, *meanings)) for said in clauses[start:end]]
                    start = end - 1
                    break
            start += 1
        return clauses

    def _join_codes(self, run: Sequence[Chunk], clauses: list[Clause]) -> None:
        """A code may be written apart (PM 2.5, H 55.242) or in one (QCVN102:2016) other than it was typed."""
        for place, (left, right) in enumerate(pairwise(run)):
            letters = left.folded[-1]
            if right.folded[0][0].isdigit() and letters.isalpha() and not is_syllable(letters):
                joined = letters + (right.code[1].translate(_NO_JOINTS) if right.code else right.folded[0])
                self._scored[View.FOLDED, joined] = WEIGHTS[View.FOLDED]
                for end in (place, place + 1):
                    clauses[end] = AnyOf((clauses[end], Word(joined)))
        for place, chunk in enumerate(run):
            if not any(word[-1].isdecimal() for word in chunk.folded):
                continue
            apart = tuple(
                part for word in chunk.folded for part in _LETTERS_THEN_DIGITS.sub(r"\1 \2", word).split()
            )
            if apart != chunk.folded:
                for pair in pairs(apart):
                    self._scored[View.PAIRS, pair] = WEIGHTS[View.PAIRS]
                self._mark(apart)
                clauses[place] = AnyOf((clauses[place], Phrase(apart)))

    def _phrase(self, node: Any) -> list[Clause]:
        run = self._take(" ".join(node.words))
        self._score(run, 1.0)
        self._mark(_spelled(run), *run)
        return [_together(run)] if run else []

    def _prefix(self, text: str) -> list[Clause]:
        run = self._take(text)
        beginning = self._beginning(run)
        if not beginning:
            return self._words(run)
        self._prefixes.append(beginning)
        clause: Clause = Prefix(beginning)
        whole = run[-1].folded[-1]
        if run[-1].code is None and not whole.startswith(beginning):
            # Words are indexed with i where y may stand (lý), so ly* has to ask for both.
            clause = AnyOf((clause, Word(whole)))
            self._mark((whole,))
        return [*self._words(run[:-1]), clause]

    def _exclusion(self, node: Any) -> list[Clause]:
        if isinstance(node, FieldQuery):
            self._fields_left -= 1
            return [node.clause] if self._fields_left >= 0 else []
        run = self._take(" ".join(node.words) if isinstance(node, whoosh_query.Phrase) else node.text)
        beginning = self._beginning(run) if isinstance(node, whoosh_query.Prefix) else ""
        if beginning:
            return [Prefix(beginning)]
        return [_together(run)] if run else []

    def _beginning(self, run: Sequence[Chunk]) -> str:
        """What stands before the star, of a code (H55.2*) all of it; empty where it is not taken as one."""
        if not run:
            return ""
        beginning = fold(run[-1].exact[-1] if run[-1].code is None else run[-1].code[0])
        if len(beginning) < SHORTEST_PREFIX or not self._prefixes_left:
            return ""
        self._prefixes_left -= 1
        return beginning

    def _score(self, run: Sequence[Chunk], weight: float, *, words: bool = True) -> None:
        folded = [word for chunk in run for word in chunk.folded]
        codes = [chunk.code for chunk in run if chunk.code is not None]
        terms = [(View.PAIRS, pair) for pair in pairs(folded)]
        for exact_code, folded_code in codes:
            terms += [(View.EXACT, exact_code), (View.FOLDED, folded_code)]
        if words:
            terms += [(View.EXACT, word) for chunk in run for word in chunk.exact]
            terms += [(View.FOLDED, word) for word in folded]
            terms += [(View.FOLDED, stem) for chunk in run for stem in chunk.stems if stem]
        for view, term in terms:
            self._scored[view, term] = max(weight * WEIGHTS[view], self._scored.get((view, term), 0.0))

    def _mark(self, words: tuple[str, ...], *chunks_: Chunk) -> None:
        for way in (words, *((chunk.code[1],) for chunk in chunks_ if chunk.code is not None)):
            if way:
                self._marks[way] = None


def _said(chunk: Chunk) -> Clause:
    """A word, in English in any of its forms; or a code, also written apart (TP.HCM, TPHCM, TP HCM)."""
    apart: Clause = Word(chunk.folded[0]) if len(chunk.folded) == 1 else Phrase(chunk.folded)
    if chunk.stems[0] and len(chunk.folded) == 1:
        return AnyOf((apart, Word(chunk.stems[0])))
    return apart if chunk.code is None else AnyOf((Word(chunk.code[1]), apart))


def _together(run: Sequence[Chunk]) -> Clause:
    """Several words in this order, as in quotation marks."""
    if len(run) == 1 and run[0].code is not None:
        return _said(run[0])
    if len(run) == 1 and len(run[0].folded) == 1:
        return Word(run[0].folded[0])  # in quotation marks a word means itself alone
    return Phrase(_spelled(run))


def _alias_table(aliases: Mapping[str, Sequence[str]]) -> _Aliases:
    """Every name of a group, as folded words, to the group's other names."""
    table: dict[tuple[str, ...], tuple[tuple[Chunk, ...], ...]] = {}
    for name, others in aliases.items():
        group = {_spelled(run): run for run in (tuple(chunks(each)) for each in (name, *others)) if run}
        for spelled, run in group.items():
            rest = tuple(other for key, other in group.items() if key != spelled)
            keys = {spelled, (run[0].code[1],)} if len(run) == 1 and run[0].code else {spelled}
            for key in keys:
                known = {_spelled(other): other for other in (*table.get(key, ()), *rest)}
                table[key] = tuple(known.values())
    return {key: others for key, others in table.items() if others}


def _spelled(run: Sequence[Chunk]) -> tuple[str, ...]:
    return tuple(word for chunk in run for word in chunk.folded)
