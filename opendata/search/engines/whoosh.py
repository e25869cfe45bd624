"""The pure-Python engine, for places without native wheels: correct, and quick up to a few thousand documents.

Whoosh keeps postings and weighs terms; sets, facets, sorting and permission are a plain loop over rows
held in memory, because Whoosh's own ways there are unsafe: `filter=set()` means no filter, the length of
a result whose filter matches nothing is the unfiltered total, and a refreshed searcher repeats documents.
A snapshot is a copy of the files in memory. Whoosh unpickles its files: trust the folder as you trust code.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial
from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from whoosh.analysis import RegexTokenizer, SpaceSeparatedTokenizer
from whoosh.fields import ID, STORED, TEXT, Schema
from whoosh.filedb.filestore import FileStorage, RamStorage
from whoosh.index import exists_in
from whoosh.query import Phrase as WhooshPhrase
from whoosh.scoring import BM25F

from opendata.search.engines.grouping import Candidate, read_lines
from opendata.search.fields import ALL, LINES, POSITION_ID, KeptForm, scoring_fields, within_terms
from opendata.search.folder import DamagedIndexError
from opendata.search.nearness import WordList
from opendata.search.port import (
    Contribution,
    Counts,
    Found,
    Group,
    Grouping,
    IndexSchema,
    Match,
    SearchRequest,
    Vocabulary,
)
from opendata.search.preparing import Preparer
from opendata.search.query import (
    HELD_BONUS,
    AnyOf,
    Between,
    Clause,
    Facet,
    Phrase,
    Prefix,
    Query,
    Side,
    Within,
    Word,
    lifted,
    rarity,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from whoosh.matching import Matcher

    from opendata.search.analysis import View
    from opendata.search.port import Documents, PreparedDocument, Range

_CHECKSUMS: Final = "checksums.json"
_FIELD_OF: Final = {Vocabulary.WORDS: ALL, Vocabulary.SUGGESTIONS: "suggestions"}


class WhooshFormat:
    """An IndexFormat. One writer at a time, which the folder's lock sees to."""

    name = "whoosh"

    def __init__(self, schema: IndexSchema) -> None:
        self.schema = schema

    def write(self, path: Path, upserts: Documents, deletes: Iterable[str], position: int) -> None:
        storage = FileStorage(str(path))
        index = storage.open_index() if exists_in(str(path)) else storage.create_index(_fields(self.schema))
        # A writer does not see what it just added.
        last = {one.id: one for one in upserts.made_by(partial(Preparer, self.schema))}
        writer = index.writer()
        try:
            for name in {POSITION_ID, *deletes, *last}:
                writer.delete_by_term("id", name)
            for document in last.values():
                writer.add_document(**_document(document))
            writer.add_document(id=POSITION_ID, kept=str(position))
        except BaseException:
            writer.cancel()
            raise
        writer.commit()
        _write_checksums(path)

    def stamp(self, path: str) -> Hashable:
        commits = [int(toc.stem.rpartition("_")[2]) for toc in Path(path).glob("_MAIN_*.toc")]
        if not commits:
            raise FileNotFoundError(path)
        return max(commits)

    def verify(self, path: Path) -> None:
        """Whoosh keeps no checksums; ours are written after each commit. Merged files are gone by then."""
        try:
            expected = json.loads((path / _CHECKSUMS).read_bytes()).items()
        except (ValueError, AttributeError) as error:
            raise DamagedIndexError("the list of checksums cannot be read") from error
        for name, checksum in expected:
            file = path / name
            if file.exists() and zlib.crc32(file.read_bytes()) != checksum:
                raise DamagedIndexError(f"{name} is not what was written")

    def snapshot(self, path: Path) -> WhooshSnapshot:
        memory = RamStorage()
        memory.files = {file.name: file.read_bytes() for file in _files(path)}
        return WhooshSnapshot(self.schema, memory.open_index().searcher(weighting=BM25F()))


def _fields(schema: IndexSchema) -> Schema:
    words = SpaceSeparatedTokenizer()
    fields = Schema(
        id=ID(unique=True, stored=True),
        kept=STORED,
        row=STORED,
        suggestions=TEXT(analyzer=RegexTokenizer(r"[^\n]+"), phrase=False),
    )
    fields.add(ALL, TEXT(analyzer=words, phrase=True))
    fields.add(LINES, TEXT(analyzer=words, phrase=False))
    for _, _, name in scoring_fields(schema):
        fields.add(name, TEXT(analyzer=words, phrase=False))
    return fields


def _document(document: PreparedDocument) -> dict[str, object]:
    row = {
        "access": document.access,
        "facets": document.facets,
        "sort": {**document.numbers, **document.sort_keys},
        "prior": document.prior,
    }
    return {
        "id": document.id,
        "kept": document.kept,
        **document.words,
        "suggestions": "\n".join(document.suggestions),
        "row": json.dumps(row),
    }


def _files(path: Path) -> list[Path]:
    return [file for file in path.iterdir() if file.suffix in {".seg", ".toc"}]


def _write_checksums(path: Path) -> None:
    fresh = path / f"{_CHECKSUMS}.new"
    fresh.write_text(json.dumps({file.name: zlib.crc32(file.read_bytes()) for file in _files(path)}))
    fresh.replace(path / _CHECKSUMS)


@dataclass(frozen=True, slots=True)
class _Row:
    """What decides about a document without reading its words."""

    id: str
    access: frozenset[str]
    facets: Mapping[str, tuple[str, ...]]
    sort: Mapping[str, Any]
    prior: float
    kept: str


class WhooshSnapshot:
    """A Snapshot. Whoosh's readers keep a place in their files, hence the lock."""

    def __init__(self, schema: IndexSchema, searcher: Any) -> None:
        self._scoring_fields = list(scoring_fields(schema))
        self._form = KeptForm(schema)
        self._searcher = searcher
        self._lock = threading.Lock()
        self._rows: dict[int, _Row] = {}
        self._held: dict[tuple[str, str], frozenset[int]] = {}
        position = None
        for number, stored in searcher.reader().iter_docs():
            if stored["id"] == POSITION_ID:
                position = int(stored["kept"])
            else:
                row = json.loads(stored["row"])
                facets = {name: tuple(values) for name, values in row["facets"].items()}
                self._rows[number] = _Row(
                    stored["id"],
                    frozenset(row["access"]),
                    facets,
                    row["sort"],
                    row["prior"],
                    stored["kept"],
                )
        self._numbers = {row.id: number for number, row in self._rows.items()}
        if position is None:
            raise DamagedIndexError("the row that holds the position is missing")
        self.position = position

    def count(self) -> int:
        return len(self._rows)

    def search(self, request: SearchRequest, query: Query) -> Found:
        with self._lock:
            found, facets = self._filtered(self._in_range(request, query), request)
            if request.group is not None:
                return self._grouped(found, facets, request, query, request.group)
            ordered = self._ordered(found, request, query, request.offset + request.limit)
        page = ordered[request.offset : request.offset + request.limit]
        matches = tuple(self._match(number, score) for number, score in page)
        return Found(len(found), matches, facets, more=request.offset + len(page) < len(found))

    def scan(self, request: SearchRequest, query: Query) -> tuple[int, Iterator[Match]]:
        with self._lock:
            found, _ = self._filtered(self._in_range(request, query), request)
            ordered = self._ordered(found, request, query, request.offset + request.limit)
        page = ordered[request.offset : request.offset + request.limit]
        return len(found), (self._match(number, score) for number, score in page)

    def terms(
        self, vocabulary: Vocabulary, prefix: str, access: frozenset[str], limit: int
    ) -> list[tuple[str, int]]:
        field = _FIELD_OF[vocabulary]
        with self._lock:
            visible = self._visible(access)
            terms = [term.decode() for term in self._searcher.reader().expand_prefix(field, prefix)]
            counts = {term: len(visible & self._holding(field, term)) for term in terms}
        present = [(term, count) for term, count in counts.items() if count]
        return sorted(present, key=lambda counted: (-counted[1], counted[0]))[:limit]

    def words(self, first: str) -> WordList:
        with self._lock:
            reader = self._searcher.reader()
            terms = [term.decode() for term in reader.expand_prefix(ALL, first)]
            return WordList((term, len(self._holding(ALL, term))) for term in terms)

    def counts(self, clauses: Sequence[Clause], access: frozenset[str]) -> list[int]:
        counted = SearchRequest(access=access, limit=0)
        return [self.search(counted, Query(sides=(Side((one,), (), 0),))).total for one in clauses]

    def lines(self, words: Sequence[str], access: frozenset[str], documents: int) -> list[str]:
        """Whoosh has no phrase with a beginning of a word: those that hold all words, the last one begun."""
        with self._lock:
            begun = self._searcher.reader().expand_prefix(LINES, words[-1])
            holding = set[int]().union(*(self._holding(LINES, term.decode()) for term in begun))
            holding &= self._visible(access)
            for word in words[:-1]:
                holding &= self._holding(LINES, word)
        kept = (self._rows[number].kept.encode() for number in sorted(holding)[:documents])
        return [line for each in kept for line in self._form.lines(each)]

    def _visible(self, access: frozenset[str]) -> set[int]:
        return {number for number, row in self._rows.items() if row.access & access}

    def _filtered(self, matching: set[int], request: SearchRequest) -> tuple[list[int], dict[str, Counts]]:
        """Documents that pass every filter; those failing one only still count in that one's facet."""
        chosen = {name: frozenset(values) for name, values in request.filters.items()}
        counters: dict[str, Counter[str]] = {name: Counter() for name in request.facets}
        found = []
        for number in sorted(matching):
            facets = self._rows[number].facets
            failed = [name for name, values in chosen.items() if values.isdisjoint(facets.get(name, ()))]
            if not failed:
                found.append(number)
            for name, counter in counters.items():
                if not failed or failed == [name]:
                    counter.update(facets.get(name, ()))
        return found, {
            name: _top(counter, limit, request.filters.get(name, ()))
            for (name, counter), limit in zip(counters.items(), request.facets.values(), strict=True)
        }

    def _in_range(self, request: SearchRequest, query: Query) -> set[int]:
        return {
            number
            for number in self._visible(request.access) & self._matching(query)
            if _is_between(self._rows[number], request.ranges.items())
        }

    def _grouped(
        self,
        found: list[int],
        facets: dict[str, Counts],
        request: SearchRequest,
        query: Query,
        group: Grouping,
    ) -> Found:
        def candidate(number: int, score: float) -> Candidate[int]:
            sort = self._rows[number].sort
            return Candidate(number, score, sort.get(group.key), sort.get(group.edition, 0.0))

        def walk(count: int) -> tuple[int, Iterator[Candidate[int]]]:
            ordered = self._ordered(found, request, query, count)[:count]
            return len(found), (candidate(number, score) for number, score in ordered)

        lines = read_lines(walk, request.offset, request.limit)
        shown = tuple(self._line(line, found, group) for line in lines.shown)
        return Found(len(found), shown, facets, lines.count, lines.more)

    def _line(self, line: Candidate[int], found: list[int], group: Grouping) -> Match:
        match = self._match(line.at, line.score)
        same = [number for number in found if self._rows[number].sort.get(group.key) == line.key]
        if line.key is None or len(same) == 1:
            return match
        same.sort(key=lambda number: self._rows[number].sort.get(group.edition, 0.0), reverse=True)
        members = (self._rows[number] for number in same[: group.members])
        told = tuple((row.id, self._form.told(row.kept.encode(), group.told)) for row in members)
        return match._replace(group=Group(len(same), told))

    def _ordered(
        self, found: list[int], request: SearchRequest, query: Query, count: int
    ) -> list[tuple[int, float]]:
        """The first `count` at least."""
        sort = request.sort
        if sort is None:
            scores = self._scores(query, frozenset(found))
            best = nlargest(count, found, key=lambda number: (scores[number], -number))
            return [(number, scores[number]) for number in best]
        valued = [number for number in found if sort.name in self._rows[number].sort]
        valued.sort(key=lambda number: self._rows[number].sort[sort.name], reverse=sort.descending)
        missing = [number for number in found if sort.name not in self._rows[number].sort]
        return [(number, 0.0) for number in (*valued, *missing)]

    def _scores(self, query: Query, found: frozenset[int]) -> Mapping[int, float]:
        scores: dict[int, float] = defaultdict(float)
        for _, _, amounts in self._contributions(query):
            for number, amount in amounts:
                if number in found:
                    scores[number] += amount
        return defaultdict(
            float, {number: lifted(score, self._rows[number].prior) for number, score in scores.items()}
        )

    def _contributions(
        self, query: Query
    ) -> Iterator[tuple[tuple[str, float], str, Iterable[tuple[int, float]]]]:
        """((view, boost), what was found, (document number, what it adds)) of everything that scores."""
        for scored in query.scored:
            for view, boost, field in self._scoring_fields:
                if view is scored.view:
                    weight = scored.weight * boost * self._rarity(field, scored.term)
                    postings = self._postings(field, scored.term)
                    yield (str(view), boost), scored.term, ((n, score * weight) for n, score in postings)
        for clause in query.held:
            yield ("held", 1.0), words_of(clause), ((n, HELD_BONUS) for n in self._clause(clause))

    def document(self, document_id: str, access: frozenset[str]) -> Match | None:
        with self._lock:
            number = self._numbers.get(document_id)
            visible = number is not None and self._rows[number].access & access
            return self._match(number, 0.0) if number is not None and visible else None

    def frequencies(self, view: View, terms: Sequence[str]) -> list[int]:
        with self._lock:
            reader = self._searcher.reader()
            fields = [field for one, _, field in self._scoring_fields if one is view]
            return [max(int(reader.doc_frequency(field, term)) for field in fields) for term in terms]

    def explain(self, document_id: str, query: Query) -> tuple[Contribution, ...]:
        with self._lock:
            number = self._numbers.get(document_id)
            if number is None:
                return ()
            prior = lifted(1.0, self._rows[number].prior)
            parts = [
                Contribution(view, boost, term, amount * prior)
                for (view, boost), term, amounts in self._contributions(query)
                for other, amount in amounts
                if other == number and amount
            ]
        return tuple(sorted(parts, key=lambda part: -part.score))

    def _rarity(self, field: str, term: str) -> float:
        reader = self._searcher.reader()
        return rarity(reader.doc_frequency(field, term), reader.doc_count_all())

    def _matching(self, query: Query) -> set[int]:
        sides = [self._side(side) for side in query.sides]
        matching = set[int]().union(*sides) if sides else set(self._rows)
        return matching.difference(*map(self._clause, query.excluded))

    def _side(self, side: Side) -> set[int]:
        counts = Counter(number for clause in side.should for number in self._clause(clause))
        if side.should or not side.must:
            found = {number for number, count in counts.items() if count >= side.at_least}
        else:
            found = set(self._rows)
        return found.intersection(*map(self._clause, side.must))

    def _clause(self, clause: Clause) -> AbstractSet[int]:  # noqa: PLR0911 - one for each kind
        match clause:
            case Word(text):
                return self._holding(ALL, text)
            case Phrase(words):
                return set(WhooshPhrase(ALL, list(words)).docs(self._searcher))
            case Prefix(text):
                terms = self._searcher.reader().expand_prefix(ALL, text)
                return set[int]().union(*(self._holding(ALL, term.decode()) for term in terms))
            case AnyOf(clauses):
                return set[int]().union(*map(self._clause, clauses))
            case Facet(name, values):
                wanted = frozenset(values)
                return {n for n, row in self._rows.items() if not wanted.isdisjoint(row.facets.get(name, ()))}
            case Within():
                held = [self._holding(field, term) for field, term in within_terms(clause)]
                return frozenset(self._rows).intersection(*held)
            case Between(ranges):
                return {n for n, row in self._rows.items() if _is_between(row, ranges)}

    def _holding(self, field: str, term: str) -> frozenset[int]:
        """Kept once read: a snapshot does not change, and decoding a posting list is what costs here."""
        held = self._held.get((field, term))
        if held is None:
            held = frozenset(number for number, _ in self._postings(field, term))
            if held:
                self._held[field, term] = held
        return held

    def _postings(self, field: str, term: str) -> Iterator[tuple[int, float]]:
        """Document numbers and the BM25 score of the term in them."""
        if (field, term) not in self._searcher.reader():
            return
        matcher: Matcher = self._searcher.postings(field, term)
        while matcher.is_active():
            yield matcher.id(), matcher.score()
            matcher.next()

    def _match(self, number: int, score: float) -> Match:
        row = self._rows[number]
        return Match(row.id, score, self._form.of(row.kept.encode()))


def _is_between(row: _Row, ranges: Iterable[tuple[str, Range]]) -> bool:
    return all(asked.holds(row.sort.get(name)) for name, asked in ranges)


def _top(counter: Counter[str], limit: int, chosen: Iterable[str]) -> Counts:
    ordered = sorted(counter.items(), key=lambda counted: (-counted[1], counted[0]))
    shown = dict(ordered[:limit]) | {value: counter[value] for value in chosen}
    return tuple(sorted(shown.items(), key=lambda counted: (-counted[1], counted[0])))
