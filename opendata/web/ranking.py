"""Why a search result has its place, in words: for administrators of the portal who ask with `explain=1`.

Used by the search page. What the engine tells is by view and boost; here it is by the parts of a dataset's
description, and the ways one word was met there are one line.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.catalogue.documents import INDEX_SCHEMA
from opendata.http.context import speak
from opendata.kernel.errors import N_
from opendata.kernel.text import fold
from opendata.search.analysis import STEM_SIGN, View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opendata.search.port import Contribution

LINES_SHOWN: Final = 8
_HELD: Final = "held"
_PARTS: Final[Mapping[str, str]] = {
    "title_vi": N_("title"),
    "title_en": N_("title"),
    "keywords": N_("keywords"),
    "publisher": N_("publisher"),
    "place": N_("place"),
    "theme": N_("theme"),
    "description_vi": N_("description"),
    "description_en": N_("description"),
    "columns": N_("columns"),
    "files": N_("file names"),
    "values": N_("values"),
    "basis": N_("legal basis"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """`part` is where the words were met, in the reader's language."""

    words: str
    part: str
    points: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The `reasons` that count most, and what the `others` add together."""

    points: float
    reasons: tuple[Reason, ...]
    others: float


def ranking(contributions: Sequence[Contribution]) -> Ranking:
    written = {fold(one.term): one.term for one in contributions if one.view == View.EXACT}
    points: dict[tuple[str, str], float] = defaultdict(float)
    for one in contributions:
        points[_words(one, written), _part(one)] += one.score
    reasons = [Reason(words, part, score) for (words, part), score in points.items()]
    reasons.sort(key=lambda reason: -reason.points)
    return Ranking(
        sum(points.values()),
        tuple(reasons[:LINES_SHOWN]),
        sum(reason.points for reason in reasons[LINES_SHOWN:]),
    )


def _words(one: Contribution, written: Mapping[str, str]) -> str:
    """With the accents met in this dataset; a pair as two words, a stem as the beginning it is."""
    if one.term.startswith(STEM_SIGN):
        return f"{one.term.removeprefix(STEM_SIGN)}…"
    return " ".join(written.get(fold(word), word) for word in one.term.split("_"))


def _part(one: Contribution) -> str:
    if one.view == _HELD:
        return speak().gettext(N_("anywhere"))
    names = dict.fromkeys(_PARTS[text.name] for text in INDEX_SCHEMA.texts if text.boost == one.boost)
    return ", ".join(map(speak().gettext, names))
