"""Which names stand for each other in a search: abbreviations, other names, and who took over whom.

Called by the loading of the vocabularies. Two mappings come out, both from an `alias_key` to whole phrases:
names that mean the same (what is no more also leads to its successor), and the way back from a successor to
what it replaced, which search may weigh lower: who asks for Bắc Giang wants Bắc Ninh too, less so the other
way round.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from opendata.kernel.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opendata.catalogue.vocabularies import Agency, Place, Vocabulary

    Names = dict[str, tuple[str, ...]]

_WORD = re.compile(r"\w+")
# One letter is a word of its own in Vietnamese writing ("y", "o") before it is an abbreviation.
_SHORTEST: Final = 2


def alias_key(text: str) -> str:
    """How names are compared: folded words with single spaces (`TP.HCM` → `tp hcm`)."""
    return " ".join(_WORD.findall(fold(text)))


def distinct(texts: Iterable[str]) -> tuple[str, ...]:
    """Without those that differ only in case, marks or punctuation; the first spelling stays."""
    kept: dict[str, str] = {}
    for text in texts:
        kept.setdefault(alias_key(text), text)
    return tuple(kept.values())


def search_names(
    groups: Iterable[tuple[str, ...]], places: Vocabulary[Place], agencies: Vocabulary[Agency]
) -> tuple[Names, Names]:
    """(names that mean the same, what a name replaced)."""
    same: Names = {}
    former: Names = {}
    for group in groups:
        _join(same, group)
    for place in places:
        _add_place(same, former, place)
    for agency in agencies:
        _add_agency(same, former, agency, agencies)
    return same, former


def _add_place(same: Names, former: Names, place: Place) -> None:
    name = place.labels["vi"]
    _join(same, (name, *place.aliases))
    for unit in place.predecessors:
        old = (unit.labels["vi"], *unit.aliases)
        _join(same, old)
        if alias_key(old[0]) != alias_key(name):
            _lead(same, old, name)
            _lead(former, (name,), old[0])


def _add_agency(same: Names, former: Names, agency: Agency, agencies: Vocabulary[Agency]) -> None:
    # A code with dots is an address within another agency, not something people write.
    abbreviation = () if "." in agency.code else (agency.code,)
    names = (agency.labels["vi"], *abbreviation, *agency.aliases)
    _join(same, names)
    successor = agencies.get(agency.successor) if agency.successor else None
    if successor is not None:
        _lead(same, names, successor.labels["vi"])
        _lead(former, (successor.labels["vi"],), agency.labels["vi"])


def _join(names: Names, group: Iterable[str]) -> None:
    """Each of the group leads to all others."""
    phrases = distinct(group)
    for name in phrases:
        for phrase in phrases:
            _lead(names, (name,), phrase)


def _lead(names: Names, terms: Iterable[str], phrase: str) -> None:
    for term in terms:
        key = alias_key(term)
        if len(key) >= _SHORTEST and key != alias_key(phrase):
            names[key] = distinct((*names.get(key, ()), phrase))
