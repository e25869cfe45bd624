"""The default engine: tantivy keeps postings, scores and counts; the words come ready made from analysis.

A document matches on one field of all its folded words, `all`, which keeps positions; the views of each
text only score. So a word of the query costs one posting list for matching and counting however many
texts there are. Permission is a required clause of every query made here, counts and vocabulary included.
"""

from __future__ import annotations

import json
import os
import re
import struct
import sys
import zlib
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import tantivy
from tantivy import FieldType, Occur, Order

from opendata.search.analysis import View
from opendata.search.engines.grouping import Candidate, Lines, read_lines
from opendata.search.engines.tantivy_groups import Members, find_members
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
    Range,
    SearchRequest,
    Vocabulary,
)
from opendata.search.preparing import Preparer
from opendata.search.query import (
    HELD_BONUS,
    PRIOR_WEIGHT,
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
    rarity,
    words_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from opendata.search.port import Documents, PreparedDocument

_HEAP_BYTES: Final = 64_000_000
# Counts are exact only when no segment cuts its list of values short.
_EVERY_VALUE: Final = 1_000_000
_MOST_COUNTED: Final = 256
_LARGEST: Final = sys.float_info.max
_FIELD_OF: Final = {Vocabulary.WORDS: ALL, Vocabulary.SUGGESTIONS: "suggestions"}
_SPLIT = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
_SPLIT_LINES = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(r"[^\n]+")).build()

_Clauses = list[tuple[Occur, tantivy.Query]]
_Chosen = Mapping[str, tuple[Occur, tantivy.Query]]


class TantivyFormat:
    """An IndexFormat. One writer at a time, which the folder's lock sees to."""

    name = "tantivy"

    def __init__(self, schema: IndexSchema) -> None:
        self.schema = schema
        self._fields = _fields(schema)

    def write(self, path: Path, upserts: Documents, deletes: Iterable[str], position: int) -> None:
        is_new = not (path / "meta.json").exists()
        _drop_left_deletes(path)
        writer = self._open(path).writer(_HEAP_BYTES, num_threads=1)
        gone, added = {POSITION_ID, *deletes}, set()
        try:
            for name in gone:
                writer.delete_documents_by_term("id", name)
            for document in upserts.made_by(partial(Preparer, self.schema)):
                # Each deletion is looked up in every segment: none for what cannot be there.
                if document.id in added or not (is_new or document.id in gone):
                    writer.delete_documents_by_term("id", document.id)
                added.add(document.id)
                writer.add_document(_document(document))
            writer.add_document(_position_document(position))
            writer.commit()
            writer.garbage_collect_files()
        except BaseException:
            writer.rollback()
            raise
        finally:
            # Readers see the commit already. Every seventh small commit merges segments of up to 10,000
            # documents (3 s of CPU at that size), and a merge not waited for would be begun again each time.
            writer.wait_merging_threads()

    def stamp(self, path: str) -> Hashable:
        status = os.stat(f"{path}/meta.json")  # noqa: PTH116 - see FolderEngine
        return status.st_ino, status.st_mtime_ns, status.st_size

    def verify(self, path: Path) -> None:
        """Every file of a segment ends with a footer that holds the CRC-32 of what stands before it."""
        for segment in json.loads((path / "meta.json").read_bytes())["segments"]:
            name = segment["segment_id"].replace("-", "")
            endings = ["idx", "pos", "term", "store", "fast", "fieldnorm"]
            if segment["deletes"]:
                endings.append(f"{segment['deletes']['opstamp']}.del")
            for ending in endings:
                _check_footer((path / f"{name}.{ending}").read_bytes())

    def snapshot(self, path: Path) -> TantivySnapshot:
        try:
            index = self._open(path)
            index.config_reader("manual")
            return TantivySnapshot(self.schema, self._fields, index.searcher())
        except BaseException as error:
            # A Rust panic arrives as a BaseException whose class cannot be imported.
            if type(error).__name__ == "PanicException":
                raise DamagedIndexError(str(error)) from error
            raise

    def _open(self, path: Path) -> tantivy.Index:
        index = tantivy.Index(self._fields, str(path))
        index.register_tokenizer("words", _SPLIT)
        index.register_tokenizer("lines", _SPLIT_LINES)
        return index


def _fields(schema: IndexSchema) -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("kept", stored=True)
    builder.add_text_field("access", tokenizer_name="raw", index_option="basic")
    builder.add_text_field(ALL, tokenizer_name="words", index_option="position")
    builder.add_text_field(LINES, tokenizer_name="words", index_option="position")
    builder.add_text_field("suggestions", tokenizer_name="lines", index_option="basic")
    for _, _, name in scoring_fields(schema):
        builder.add_text_field(name, tokenizer_name="words", index_option="freq")
    for name in schema.facets:
        builder.add_text_field(f"facet.{name}", fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_float_field("prior", fast=True)
    for name in schema.numbers:
        builder.add_float_field(f"sort.{name}", fast=True, indexed=name in schema.group_keys)
    for name in schema.sort_keys:
        builder.add_text_field(f"sort.{name}", fast=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _document(document: PreparedDocument) -> tantivy.Document:
    made = tantivy.Document()
    made.add_text("id", document.id)
    for name, words in document.words.items():
        if words:
            made.add_text(name, words)
    for word in document.access:
        made.add_text("access", word)
    for name, values in document.facets.items():
        for value in values:
            made.add_text(f"facet.{name}", value)
    # tantivy multiplies by log2(2 + value).
    made.add_float("prior", 2 ** (1 + PRIOR_WEIGHT * document.prior) - 2)
    for name, number in document.numbers.items():
        made.add_float(f"sort.{name}", number)
    for name, key in document.sort_keys.items():
        made.add_text(f"sort.{name}", key)
    made.add_text("suggestions", "\n".join(document.suggestions))
    made.add_bytes("kept", document.kept.encode())
    return made


def _position_document(position: int) -> tantivy.Document:
    made = tantivy.Document()
    made.add_text("id", POSITION_ID)
    made.add_bytes("kept", str(position).encode())
    return made


def _drop_left_deletes(path: Path) -> None:
    """Remove lists of deleted documents that no commit holds: a killed writer's last one.

    They are named after the number of the commit, which the next writer uses again and then finds taken; every
    later commit would fail (seen: `FileAlreadyExists("….194.del")`).
    """
    try:
        segments = json.loads((path / "meta.json").read_bytes())["segments"]
    except FileNotFoundError:
        return
    held = {
        f"{segment['segment_id'].replace('-', '')}.{segment['deletes']['opstamp']}.del"
        for segment in segments
        if segment["deletes"]
    }
    for left in path.glob("*.del"):
        if left.name not in held:
            left.unlink(missing_ok=True)


def _check_footer(content: bytes) -> None:
    """Layout: body, footer as JSON, its length and a magic number (four bytes each, little-endian)."""
    try:
        length = struct.unpack("<I", content[-8:-4])[0]
        expected = json.loads(content[-8 - length : -8])["crc"]
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise DamagedIndexError("a file has no readable footer") from error
    if zlib.crc32(memoryview(content)[: -8 - length]) != expected:
        raise DamagedIndexError("a file is not what was written")


class TantivySnapshot:
    """A Snapshot: a searcher sees one commit and may be shared by threads."""

    def __init__(self, schema: IndexSchema, fields: tantivy.Schema, searcher: tantivy.Searcher) -> None:
        self._fields = fields
        self._form = KeptForm(schema)
        self._searcher = searcher
        self._counted: dict[Hashable, dict[str, Counts]] = {}
        self._words: dict[str, WordList] = {}
        self._group_keys = frozenset(schema.group_keys)
        self._boosted: dict[View, list[tuple[float, str]]] = {view: [] for view in View}
        for view, boost, field in scoring_fields(schema):
            self._boosted[view].append((boost, field))
        found = searcher.search(self._term("id", POSITION_ID), 1).hits
        if not found:
            raise DamagedIndexError("the row that holds the position is missing")
        self.position = int(_kept(searcher.doc(found[0][1])))

    def count(self) -> int:
        return self._searcher.num_docs - 1  # all but the row that holds the position

    def search(self, request: SearchRequest, query: Query) -> Found:
        matching, chosen = self._matching(request, query), self._chosen(request)
        filtered = [*matching, *chosen.values()]
        clauses = filtered if request.sort else [*filtered, *self._scores(query)]
        facets = self._facets_once(matching, chosen, request, query)
        if request.group is None:
            total, hits = self._ranked(clauses, request, request.offset, request.limit)
            matches = tuple(self._match(score, address) for score, address in hits)
            return Found(total, matches, facets, more=request.offset + len(matches) < total)
        lines = self._lines(clauses, request, request.group)
        keys = [candidate.key for candidate in lines.shown if isinstance(candidate.key, float)]
        members = find_members(self._searcher, self._fields, keys, filtered, request.group)
        shown = tuple(self._line(candidate, members, request.group) for candidate in lines.shown)
        return Found(lines.total, shown, facets, lines.count, lines.more)

    def scan(self, request: SearchRequest, query: Query) -> tuple[int, Iterator[Match]]:
        clauses = [*self._matching(request, query), *self._chosen(request).values()]
        clauses += () if request.sort else self._scores(query)
        total, hits = self._ranked(clauses, request, request.offset, request.limit)
        return total, (self._match(score, address) for score, address in hits)

    def terms(
        self, vocabulary: Vocabulary, prefix: str, access: frozenset[str], limit: int
    ) -> list[tuple[str, int]]:
        visible = tantivy.Query.boolean_query([_required(self._one_of("access", access))])
        return self._searcher.terms_with_prefix(_FIELD_OF[vocabulary], prefix, visible, limit)

    def words(self, first: str) -> WordList:
        known = self._words.get(first)
        if known is None:
            terms = self._searcher.terms_with_prefix(ALL, first, None, None)
            known = self._words[first] = WordList(terms)
        return known

    def counts(self, clauses: Sequence[Clause], access: frozenset[str]) -> list[int]:
        counted = SearchRequest(access=access, limit=0)
        return [self.search(counted, Query(sides=(Side((one,), (), 0),))).total for one in clauses]

    def lines(self, words: Sequence[str], access: frozenset[str], documents: int) -> list[str]:
        clauses = [
            _required(self._one_of("access", access)),
            _required(tantivy.Query.phrase_prefix_query(self._fields, LINES, list(words))),
        ]
        result = self._searcher.search(tantivy.Query.boolean_query(clauses), limit=documents, count=False)
        kept = (_kept(self._searcher.doc(address)) for _, address in result.hits)
        return [line for each in kept for line in self._form.lines(each)]

    def _ranked(
        self, clauses: _Clauses, request: SearchRequest, offset: int, limit: int
    ) -> tuple[int, list[tuple[float, tantivy.DocAddress]]]:
        # tantivy sets room aside for offset + limit hits, and takes no limit of 0.
        limit = min(limit, self._searcher.num_docs - offset)
        sort = request.sort
        result = self._searcher.search(
            tantivy.Query.boolean_query(clauses),
            limit=max(1, limit),
            offset=offset if limit > 0 else 0,
            count=True,
            order_by_field=f"sort.{sort.name}" if sort else None,
            order=Order.Asc if sort and not sort.descending else Order.Desc,
            weight_by_field=None if sort else "prior",
        )
        hits = result.hits if limit > 0 else []
        return _total(result), [(0.0 if sort else score, address) for score, address in hits]

    def _lines(self, clauses: _Clauses, request: SearchRequest, group: Grouping) -> Lines[tantivy.DocAddress]:
        def walk(count: int) -> tuple[int, Iterator[Candidate[tantivy.DocAddress]]]:
            total, hits = self._ranked(clauses, request, 0, count)
            addresses = [address for _, address in hits]
            keys = self._searcher.fast_field_values(f"sort.{group.key}", addresses)
            editions = self._searcher.fast_field_values(f"sort.{group.edition}", addresses)
            return total, (
                Candidate(address, score, key, edition or 0.0)
                for (score, address), key, edition in zip(hits, keys, editions, strict=True)
            )

        return read_lines(walk, request.offset, request.limit)

    def _line(self, candidate: Candidate[tantivy.DocAddress], members: Members, group: Grouping) -> Match:
        match = self._match(candidate.score, candidate.at)
        total, addresses = members.get(candidate.key, (1, []))
        if total == 1:
            return match
        found = map(self._searcher.doc, addresses[: group.members])
        told = tuple((str(one.get_first("id")), self._form.told(_kept(one), group.told)) for one in found)
        return match._replace(group=Group(total, told))

    def _match(self, score: float, address: tantivy.DocAddress) -> Match:
        document = self._searcher.doc(address)
        return Match(str(document.get_first("id")), score, self._form.of(_kept(document)))

    def _facets_once(
        self, matching: _Clauses, chosen: _Chosen, request: SearchRequest, query: Query
    ) -> dict[str, Counts]:
        """Kept while the snapshot lives: pages of one list, its orders and the empty list count the same."""
        asked = (
            request.access,
            query.sides,
            query.excluded,
            tuple(request.filters.items()),
            tuple(request.ranges.items()),
            tuple(request.facets.items()),
        )
        known = self._counted.get(asked)
        if known is None:
            known = self._facets(matching, chosen, request)
            if len(self._counted) >= _MOST_COUNTED:
                self._counted.clear()
            self._counted[asked] = known
        return known

    def _facets(self, matching: _Clauses, chosen: _Chosen, request: SearchRequest) -> dict[str, Counts]:
        """One pass counts all facets without a choice of their own; each with one needs a pass without it."""
        together = [name for name in request.facets if name not in chosen]
        alone = [[name] for name in request.facets if name in chosen]
        counts: dict[str, Counts] = {}
        for names in [together, *alone] if together else alone:
            clauses = [*matching, *(clause for name, clause in chosen.items() if name not in names)]
            counted = self._searcher.aggregate(
                tantivy.Query.boolean_query(clauses),
                {name: {"terms": _terms_aggregation(name, request.facets[name])} for name in names},
            )
            for name in names:
                shown = {bucket["key"]: bucket["doc_count"] for bucket in counted[name]["buckets"]}
                for value in request.filters.get(name, ()):
                    if value not in shown:
                        shown[value] = self._count([*clauses, _required(self._term(f"facet.{name}", value))])
                counts[name] = tuple(sorted(shown.items(), key=lambda counted: (-counted[1], counted[0])))
        return {name: counts[name] for name in request.facets}

    def _count(self, clauses: _Clauses) -> int:
        return _total(self._searcher.search(tantivy.Query.boolean_query(clauses), limit=1, count=True))

    def _matching(self, request: SearchRequest, query: Query) -> _Clauses:
        """What decides whether a document is in the answer, all but the filters."""
        clauses = [_required(self._one_of("access", request.access))]
        if query.sides:
            clauses.append(_required(_any_of(self._side(side) for side in query.sides)))
        clauses += [(Occur.MustNot, self._clause(clause)) for clause in query.excluded]
        clauses += [_required(self._within(name, asked)) for name, asked in request.ranges.items()]
        return clauses

    def _chosen(self, request: SearchRequest) -> dict[str, tuple[Occur, tantivy.Query]]:
        return {
            name: _required(self._one_of(f"facet.{name}", values)) for name, values in request.filters.items()
        }

    def _within(self, name: str, asked: Range) -> tantivy.Query:
        if asked.low is not None and asked.low == asked.high and name in self._group_keys:
            return tantivy.Query.term_query(self._fields, f"sort.{name}", asked.low, "basic")
        # Open on both sides still asks for the number to be there.
        low = asked.low if asked.low is not None else -_LARGEST
        high = asked.high if asked.high is not None else _LARGEST
        return tantivy.Query.range_query(self._fields, f"sort.{name}", FieldType.Float, low, high)

    def _side(self, side: Side) -> tantivy.Query:
        clauses = [(Occur.Must, self._clause(clause)) for clause in side.must]
        if side.should or not clauses:
            clauses.append((Occur.Must, _any_of(map(self._clause, side.should), at_least=side.at_least)))
        return tantivy.Query.boolean_query(clauses)

    def _clause(self, clause: Clause) -> tantivy.Query:  # noqa: PLR0911 - one for each kind
        match clause:
            case Word(text):
                return self._term(ALL, text)
            case Phrase(words):
                return tantivy.Query.phrase_query(self._fields, ALL, list(words))
            case Prefix(text):
                return tantivy.Query.regex_query(self._fields, ALL, f"{re.escape(text)}.*")
            case AnyOf(clauses):
                return _any_of(map(self._clause, clauses))
            case Facet(name, values):
                return self._one_of(f"facet.{name}", values)
            case Within():
                return tantivy.Query.boolean_query(
                    [(Occur.Must, self._term(field, term)) for field, term in within_terms(clause)]
                )
            case Between(ranges):
                return tantivy.Query.boolean_query([_required(self._within(*each)) for each in ranges])

    def _scores(
        self, query: Query, fields: Collection[str] | None = None
    ) -> Iterator[tuple[Occur, tantivy.Query]]:
        """What adds to the score, in the scoring fields named or in all."""
        total = self._searcher.num_docs
        for scored in query.scored:
            for boost, field in self._boosted[scored.view]:
                holding = self._searcher.doc_freq(field, scored.term)
                if holding and (fields is None or field in fields):
                    term = tantivy.Query.term_query(self._fields, field, scored.term, "freq")
                    weight = scored.weight * boost * rarity(holding, total)
                    yield Occur.Should, tantivy.Query.boost_query(term, weight)
        for clause in query.held:
            yield Occur.Should, tantivy.Query.const_score_query(self._clause(clause), HELD_BONUS)

    def document(self, document_id: str, access: frozenset[str]) -> Match | None:
        visible = [_required(self._one_of("access", access)), _required(self._term("id", document_id))]
        found = self._searcher.search(tantivy.Query.boolean_query(visible), limit=1).hits
        return self._match(0.0, found[0][1]) if found else None

    def frequencies(self, view: View, terms: Sequence[str]) -> list[int]:
        fields = [field for _, field in self._boosted[view]]
        return [max(self._searcher.doc_freq(field, term) for field in fields) for term in terms]

    def explain(self, document_id: str, query: Query) -> tuple[Contribution, ...]:
        only = _required(self._term("id", document_id))
        parts = []
        for scored in query.scored:
            for boost, field in self._boosted[scored.view]:
                clauses = self._scores(Query(scored=(scored,)), (field,))
                score = self._score([only, *clauses])
                if score:
                    parts.append(Contribution(str(scored.view), boost, scored.term, score))
        parts += [
            Contribution("held", 1.0, words_of(clause), score)
            for clause in query.held
            if (score := self._score([only, *self._scores(Query(sides=(Side((), (clause,), 1),)))]))
        ]
        return tuple(sorted(parts, key=lambda part: -part.score))

    def _score(self, clauses: _Clauses) -> float:
        hits = self._searcher.search(tantivy.Query.boolean_query(clauses), limit=1).hits
        return float(hits[0][0]) if hits else 0.0

    def _term(self, field: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._fields, field, value, "basic")

    def _one_of(self, field: str, values: Iterable[str]) -> tantivy.Query:
        return _any_of(self._term(field, value) for value in values)


def _any_of(queries: Iterable[tantivy.Query], *, at_least: int = 1) -> tantivy.Query:
    """Of no queries at all: one that nothing matches."""
    given = list(queries)
    if len(given) == 1:
        return given[0]
    if not given:
        return tantivy.Query.empty_query()
    return tantivy.Query.boolean_query([(Occur.Should, each) for each in given], at_least)


def _required(query: tantivy.Query) -> tuple[Occur, tantivy.Query]:
    """Must match and adds nothing to the score."""
    return Occur.Must, tantivy.Query.const_score_query(query, 0.0)


def _total(result: tantivy.SearchResult) -> int:
    return int(result.count)  # type: ignore[attr-defined]  # missing from tantivy's stubs


def _terms_aggregation(facet: str, limit: int) -> dict[str, Any]:
    return {"field": f"facet.{facet}", "size": limit, "segment_size": max(limit, _EVERY_VALUE)}


def _kept(document: tantivy.Document) -> bytes:
    return bytes(document.get_first("kept") or b"")
