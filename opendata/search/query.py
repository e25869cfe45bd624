"""A query as one small tree that every engine translates; `parsing` makes it of what people type.

Which documents match is decided on folded words alone, so typing without diacritics finds everything;
how high they stand is the list `scored`, the same terms and weights for every engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from opendata.search.analysis import View

# Measured on XQuAD-vi (1,190 questions, 240 paragraphs, MRR@10, typed with | without diacritics):
# exact alone 0.949 | 0.476; with folded 0.949 | 0.800; with folded and pairs 0.958 | 0.950. A bonus for
# each distinct word matched changed nothing up to 0.5 and harmed above.
WEIGHTS: Final = {View.EXACT: 1.0, View.FOLDED: 0.5, View.PAIRS: 0.7}


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


Clause = Word | Phrase | Prefix | AnyOf


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

    @property
    def is_plain(self) -> bool:
        """Words alone, without any of the syntax."""
        return len(self.sides) == 1 and not (self.sides[0].must or self.excluded or self.prefixes)

    def relaxed(self) -> Query | None:
        """The same with one word of each side sufficing; None where that asks for nothing less."""
        sides = tuple(replace(side, at_least=min(1, side.at_least)) for side in self.sides)
        return replace(self, sides=sides) if sides != self.sides else None


def required_words(count: int) -> int:
    """How many of `count` words a document must hold: all of two, most of a few, a third of a question.

    On XQuAD-vi (mostly questions of 6 to 20 words) this costs 0.003 of MRR@10 against requiring one;
    half of the words costs 0.013, all of them nearly everything.
    """
    return count if count <= 2 else max(min(3, count - 1), ceil(count / 3))  # noqa: PLR2004 - see the docstring
