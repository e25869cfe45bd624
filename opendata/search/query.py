"""A query as one small tree that every engine translates; `parsing` makes it of what people type.

Which documents match is decided on folded words alone, so typing without diacritics finds everything;
how high they stand is the list `scored`, the same terms and weights for every engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log
from typing import TYPE_CHECKING, Final

from opendata.search.analysis import View

if TYPE_CHECKING:
    from opendata.search.port import Range

# What was tried and what it gave is the table of docs/decisions/0008-search-language.md.
WEIGHTS: Final = {View.EXACT: 0.8, View.FOLDED: 0.6, View.PAIRS: 0.7}
# Rare words say more about what is meant than BM25 alone gives them; the words of asking (là, nào, bao
# nhiêu) less. Between 0.2 and 0.4 it makes no difference.
RARITY: Final = 0.3
# Each of few words that a document holds anywhere adds this, so that more words win over one word in a title.
# Among the many words of a question it harms (XQuAD-vi 0.962 → 0.950).
HELD_BONUS: Final = 5.0
_FEW_WORDS: Final = 5
# How far the prior lifts a document at most: less than any one word does.
PRIOR_WEIGHT: Final = 0.05


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Folded words one after the other within one text."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word that begins so, folded."""

    text: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Different ways to say one thing."""

    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """Any of these values of a facet."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """All these folded words in the texts of one boost, neighbours as neighbours where the text has them so."""

    boost: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Each of these numbers of the schema is there and in its range."""

    ranges: tuple[tuple[str, Range], ...]


Clause = Word | Phrase | Prefix | AnyOf | Facet | Within | Between


@dataclass(frozen=True, slots=True)
class Side:
    """One side of OR. A document matches with all of `must` and at least `at_least` of `should`."""

    must: tuple[Clause, ...]
    should: tuple[Clause, ...]
    at_least: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A term that adds its BM25 score × `weight` × the boost, for each boost of the schema, to a document."""

    view: View
    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Query:
    """A document matches any of `sides` (all documents when there is none) and nothing of `excluded`."""

    sides: tuple[Side, ...] = ()
    excluded: tuple[Clause, ...] = ()
    scored: tuple[Scored, ...] = ()
    marks: tuple[tuple[str, ...], ...] = ()
    """Folded words, or several in a row, to be marked where hits are shown."""
    prefixes: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    """English stems under their sign, whose words are marked as well."""

    @property
    def is_plain(self) -> bool:
        """Words alone, without any of the syntax."""
        return len(self.sides) == 1 and not (self.sides[0].must or self.excluded or self.prefixes)

    @property
    def held(self) -> tuple[Clause, ...]:
        """What adds HELD_BONUS to each document that matches it."""
        return tuple(
            clause for side in self.sides if len(side.should) <= _FEW_WORDS for clause in side.should
        )

    def relaxed(self) -> Query | None:
        """The same with one word of each side sufficing; None where that asks for nothing less."""
        sides = tuple(replace(side, at_least=min(1, side.at_least)) for side in self.sides)
        return replace(self, sides=sides) if sides != self.sides else None


def words_of(clause: Clause) -> str:
    """How a clause can be shown; of several ways to say it the first."""
    match clause:
        case Word(text):
            return text
        case Phrase(words) | Within(_, words):
            return " ".join(words)
        case Prefix(text):
            return f"{text}*"
        case AnyOf(clauses):
            return words_of(clauses[0])
        case Facet(name, values):
            return f"{name}:{','.join(values)}"
        case Between(ranges):
            return " ".join(f"{name}:{asked.low}..{asked.high}" for name, asked in ranges)


def rarity(holding: int, total: int) -> float:
    """The factor by which a term's BM25 score counts that `holding` documents of `total` have.

    Engines still count deleted documents among the holding ones.
    """
    return float(log(1 + (max(total - holding, 0) + 0.5) / (holding + 0.5)) ** RARITY)


def lifted(score: float, prior: float) -> float:
    """A score with the document's prior (0 to 1), which decides between documents that are about equal."""
    return score * (1 + PRIOR_WEIGHT * prior)


def required_words(count: int) -> int:
    """How many of `count` words a document must hold: all of two, two of a few, a quarter of a question.

    It keeps the total meaningful; who holds more words stands higher anyway. On XQuAD-vi (mostly questions
    of 6 to 20 words) this costs nothing against requiring one; a third of the words costs 0.003 of MRR@10,
    half 0.013, all of them nearly everything.
    """
    return count if count <= 2 else max(2, ceil(count / 4))  # noqa: PLR2004 - see the docstring
