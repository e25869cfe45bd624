"""What people who mistyped probably meant, as the catalogue writes it.

Only documents that the asking person may see are looked at, so no correction gives away a word of a hidden
one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from opendata.search.analysis import Chunk, View, chunks_as_typed, fold_word, is_syllable
from opendata.search.completion import LONGEST_KEY, SEPARATOR
from opendata.search.marking import Page
from opendata.search.parsing import Parser, clean
from opendata.search.port import SearchEngine, SearchRequest, Vocabulary
from opendata.search.query import AnyOf, Clause, Phrase, Query, Word
from opendata.search.telex import has_tone, untyped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

_MOST_WORDS: Final = 12
_MOST_CANDIDATES: Final = 10
_LONG_WORD: Final = 5  # from here on two letters may be wrong


def correct(
    engine: SearchEngine,
    parser: Parser,
    request: SearchRequest,
    query: Query,
    *,
    found: AbstractSet[str],
    found_nothing: bool,
) -> str | None:
    """The line that was probably meant, as the visible documents write it; None where it seems right.

    Words that no visible document holds are replaced by what they say when read as Telex or VNI, else by
    near ones that are; when `found_nothing`, also words that exist but never beside their neighbours (a wrong
    syllable is often another syllable). Phrases, exclusions, fields and beginnings stay as typed, and so does
    a line with OR. `query` is what `request.text` was read as; `found` are words known to be in some hit, which
    spares looking them up.
    """
    line, runs = _runs(parser, request, query)
    typed = [_words_of(line[start:end]) for start, end in runs]
    if sum(map(len, typed)) > _MOST_WORDS:
        return None
    meant, done = "", 0
    for (start, end), run in zip(runs, typed, strict=True):
        if not found_nothing and all(_is_found(chunk, found) for _, chunk in run):
            continue
        speller = _Speller(engine, parser, request.access, run)
        better = speller.correct(found, found_nothing=found_nothing)
        if better is not None:
            meant += line[done:start] + better
            done = end
    return meant + line[done:] if done else None


def is_mistyped(engine: SearchEngine, parser: Parser, request: SearchRequest, query: Query) -> bool:
    """Whether some word of the line is in no document at all, so that `correct` is likely to find a better one.

    Costs a look-up for each word and counts nothing; False also where only hidden documents hold the word.
    """
    line, runs = _runs(parser, request, query)
    asked = [_ways(chunk) for start, end in runs for _, chunk in _words_of(line[start:end])]
    asked = [ways for ways in asked[:_MOST_WORDS] if ways]
    words = list(chain(*asked))
    held = dict(zip(words, engine.frequencies(View.FOLDED, words), strict=True))
    return not all(any(held[way] for way in ways) for ways in asked)


def _runs(parser: Parser, request: SearchRequest, query: Query) -> tuple[str, Sequence[tuple[int, int]]]:
    """The line, and the parts of it that are plain words."""
    line = clean(request.text)
    return line, [(0, len(line))] if query.is_plain else parser.plain_runs(line)


# A line is read to see whether it is mistyped, and again to correct it.
@lru_cache(maxsize=64)
def _words_of(text: str) -> tuple[tuple[str, Chunk], ...]:
    """Each as it was typed, and as it is read."""
    return tuple(chunks_as_typed(text))


def _ways(chunk: Chunk) -> tuple[str, ...]:
    """How a word can stand in the index, in English in any form; nothing for a code."""
    return (chunk.folded[0], *filter(None, chunk.stems)) if len(chunk.folded) == 1 else ()


def holds_more(engine: SearchEngine, request: SearchRequest, typed: Query, meant: Query) -> bool:
    """Whether some document lacks fewer words of `meant` than the best one does of `typed`.

    Both are lines without OR, `typed` one with hits. Costs a count for each word lacking, and one more.
    """
    lacking = next(
        (count for count in range(_most_lacking(typed) + 1) if _lacks_only(engine, request, typed, count)), 0
    )
    return lacking > 0 and _lacks_only(engine, request, meant, lacking - 1)


def _most_lacking(query: Query) -> int:
    return len(query.sides[0].should) - query.sides[0].at_least


def _lacks_only(engine: SearchEngine, request: SearchRequest, query: Query, lacking: int) -> bool:
    """Whether some document lacks no more than so many words."""
    side = query.sides[0]
    fuller = replace(side, at_least=max(min(1, len(side.should)), len(side.should) - lacking))
    counted = replace(request, limit=0, offset=0, facets={}, group=None, sort=None)
    return engine.search(counted, replace(query, sides=(fuller,), scored=())).total > 0


@dataclass(frozen=True, slots=True)
class _Candidate:
    words: tuple[str, ...]
    distance: int
    count: int


class _Speller:
    def __init__(
        self,
        engine: SearchEngine,
        parser: Parser,
        access: frozenset[str],
        typed: Sequence[tuple[str, Chunk]],
    ) -> None:
        self._engine = engine
        self._parser = parser
        self._access = access
        self._as_typed = [text for text, _ in typed]
        self._typed = [chunk for _, chunk in typed]
        self._repaired: dict[str, str] = {}
        self._counts: dict[Clause, int] = {}

    def correct(self, found: AbstractSet[str], *, found_nothing: bool) -> str | None:
        meant = [chunk.folded for chunk in self._typed]
        looked_up = [_any_way(chunk) for chunk in self._typed if not _is_found(chunk, found)]
        self._look_up(looked_up)
        known = [_is_found(chunk, found) or self._count(_any_way(chunk)) > 0 for chunk in self._typed]
        for place, chunk in enumerate(self._typed):
            if not known[place] and self._repair_typing(chunk):
                meant[place] = (fold_word(self._repaired[chunk.exact[0]]),)
                known[place] = True
        for place, words in enumerate(meant):
            if len(words) != 1 or not words[0].isalpha():
                continue  # a code or a number
            before = meant[place - 1][-1:] if place else ()
            after = meant[place + 1][:1] if place + 1 < len(meant) else ()
            if known[place] and not (
                found_nothing and (before or after) and not self._beside(words, before, after)
            ):
                continue
            # Which of the syllables near another one is meant only its neighbours tell.
            must_fit = known[place] or is_syllable(words[0])
            meant[place] = self._best(words[0], before, after, must_fit=must_fit) or words
        changed = any(words != chunk.folded for words, chunk in zip(meant, self._typed, strict=True))
        return self._written(meant) if changed else None

    def _repair_typing(self, chunk: Chunk) -> bool:
        """Notes what the word says when it was typed without the input method, if some document has it."""
        meant = untyped(chunk.exact[0])
        if meant is None or not self._count(Word(fold_word(meant))):
            return False
        self._repaired[chunk.exact[0]] = meant
        return True

    def _best(
        self, word: str, before: tuple[str, ...], after: tuple[str, ...], *, must_fit: bool
    ) -> tuple[str, ...] | None:
        """The candidate that stands beside the neighbours, then the nearest, then the most used."""
        ranked = []
        candidates = self._candidates(word)
        self._look_up([Phrase(side) for each in candidates for side in _sides(each.words, before, after)])
        for candidate in candidates:
            fit = self._beside(candidate.words, before, after)
            if fit or not must_fit:
                ranked.append(((fit > 0, -candidate.distance, fit, candidate.count), candidate.words))
        return max(ranked)[1] if ranked else None

    def _candidates(self, word: str) -> list[_Candidate]:
        """Near words with the same first letter, or with the first two swapped; and the word in two."""
        most = 2 if len(word) >= _LONG_WORD else 1
        found = [
            near
            for beginning in {word[:1], word[1::-1]}
            for near in self._engine.words(beginning[0]).near(word, most)
            if near[0].startswith(beginning)
        ]
        near = self._most_used(found)
        halves = [(word[:cut], word[cut:]) for cut in range(2, len(word) - 1)]
        self._look_up(list(map(Phrase, halves)))
        split = [_Candidate(words, 1, self._count(Phrase(words))) for words in halves]
        return near + [candidate for candidate in split if candidate.count]

    def _most_used(self, found: Iterable[tuple[str, int, int]]) -> list[_Candidate]:
        """The nearest ten that visible documents hold, of equally near ones those that most do.

        No more documents can see a word than hold it: so few words have to be counted.
        """
        best: list[_Candidate] = []
        for distance, group in groupby(sorted(found, key=_likely_first), key=itemgetter(1)):
            wanted, equally = _MOST_CANDIDATES - len(best), list(group)
            self._look_up([Word(word) for word, _, _ in equally[:wanted]])
            counted: list[_Candidate] = []
            for word, _, held in equally:
                if len(counted) >= wanted and counted[wanted - 1].count >= held:
                    break
                count = self._count(Word(word))
                if count:
                    counted.append(_Candidate((word,), distance, count))
                    counted.sort(key=lambda candidate: (-candidate.count, candidate.words))
            best += counted[:wanted]
        return best

    def _beside(self, words: tuple[str, ...], before: tuple[str, ...], after: tuple[str, ...]) -> int:
        """In how many visible documents the words stand next to one of their neighbours."""
        return max((self._count(Phrase(side)) for side in _sides(words, before, after)), default=0)

    def _count(self, clause: Clause) -> int:
        """How many visible documents match."""
        if clause not in self._counts:
            self._look_up((clause,))
        return self._counts[clause]

    def _look_up(self, clauses: Sequence[Clause]) -> None:
        """Several at once: the engine then looks only once whether its index is still the newest."""
        asked = [clause for clause in dict.fromkeys(clauses) if clause not in self._counts]
        if asked:
            self._counts.update(zip(asked, self._engine.counts(asked, self._access), strict=True))

    def _written(self, meant: Sequence[tuple[str, ...]]) -> str | None:
        """The folded words as visible documents write them; None where a corrected word is not shown."""
        changed = [words for words, chunk in zip(meant, self._typed, strict=True) if words != chunk.folded]
        spellings = self._spellings([word for words in meant for word in words], changed)
        line: list[str] = []
        for words, chunk, as_typed in zip(meant, self._typed, self._as_typed, strict=True):
            repaired = self._repaired.get(chunk.exact[0], "")
            if has_tone(repaired):  # without one (soo) a letter may simply be there twice
                line.append(repaired)
            elif words != chunk.folded:
                if not all(word in spellings for word in words):
                    return None
                line += [spellings[word] for word in words]
            else:
                line.append(spellings.get(chunk.exact[0], as_typed) if chunk.code is None else as_typed)
        return " ".join(line)

    def _spellings(self, folded: Sequence[str], changed: Iterable[tuple[str, ...]]) -> dict[str, str]:
        """Each word as it is written most, above all beside the neighbours it has here."""
        neighbours = set(pairwise(folded))
        votes: dict[str, Counter[str]] = {word: Counter() for word in folded}
        texts = (*self._best_texts(folded), *self._lines(folded), *chain(*map(self._lines, changed)))
        stood = Page(texts).standing(votes)
        words = list(zip(stood.folded, stood.written, strict=True))
        for (word, written), count in Counter(words).items():
            votes[word][written] += count * _weight(written, word)
        for place in stood.followed:
            if (stood.folded[place], stood.folded[place + 1]) in neighbours:
                for word, written in words[place : place + 2]:
                    votes[word][written] += 5 * _weight(written, word)
        return {word: votes[word].most_common(1)[0][0] for word in folded if votes[word]}

    def _best_texts(self, folded: Sequence[str]) -> list[str]:
        request = SearchRequest(access=self._access, limit=5)
        found = self._engine.search(request, self._parser.parse(" ".join(folded)))
        return [text for match in found.matches for text in match.kept.texts.values()]

    def _lines(self, folded: Sequence[str]) -> list[str]:
        """Lines to suggest that go on from these words: keywords and names that no shown text may hold."""
        terms = self._engine.terms(Vocabulary.SUGGESTIONS, " ".join(folded)[:LONGEST_KEY], self._access, 5)
        return [term.partition(SEPARATOR)[2] for term, _ in terms]


def _any_way(chunk: Chunk) -> Clause:
    return AnyOf(tuple(map(Word, _ways(chunk))))


def _is_found(chunk: Chunk, found: AbstractSet[str]) -> bool:
    """Whether it needs no looking up: a code, or a word known to be in a hit."""
    return len(chunk.folded) != 1 or chunk.folded[0] in found


def _sides(words: tuple[str, ...], before: tuple[str, ...], after: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The words with each of their neighbours."""
    return [side for side in ((*before, *words), (*words, *after)) if len(side) > len(words)]


def _likely_first(near: tuple[str, int, int]) -> tuple[int, int, str]:
    word, distance, held = near
    return distance, -held, word


def _weight(exact: str, folded: str) -> int:
    """File and column names write bare what is accented everywhere else."""
    return 1 if exact == folded else 3
