"""The controlled vocabularies: themes, licences, frequencies, places, regions, agencies, file formats.

Read once from `catalog_schemas/vocabularies/*.json` by wiring; asked by the metadata profile, the pages,
the index and the feeds. Everything here is frozen. What is well formed is stated in
`catalog_schemas/json_schemas/` and tested there; loading refuses only what could not be looked up.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from opendata.catalogue.search_names import distinct, search_names
from opendata.kernel.errors import N_, PortalError
from opendata.kernel.text import nfc, sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path


class BrokenVocabularyError(PortalError):
    """A file of `catalog_schemas/` that an operator changed and that cannot be used."""

    code = "broken-vocabulary"
    status = 500
    template = N_("The file %(path)s cannot be used: %(reason)s. Restore it, or mend that point.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One entry. `valid_to` is the last day in force; None where it still is."""

    code: str
    labels: Mapping[str, str]
    aliases: tuple[str, ...] = ()
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @property
    def is_current(self) -> bool:
        return self.valid_to is None

    def label(self, language: str) -> str:
        """In that language, else in any other."""
        return self.labels.get(language) or next(iter(self.labels.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme(Term):
    """`eu`: data-theme code, shared by several themes; `icon`: the name of a drawing of the pages;
    `native`: one of the twelve themes of data.gov.vn.
    """

    eu: str
    icon: str
    description: Mapping[str, str]
    native: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence(Term):
    """`is_open`: anyone may take and reuse the data, also commercially, without asking."""

    spdx: str | None
    eu: str | None
    url: str | None
    is_open: bool
    requires_attribution: bool
    share_alike: bool
    note: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency(Term):
    """`expected_days`: the longest time between two updates; None where nothing can be overdue."""

    eu: str
    expected_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerPlace(Term):
    """A unit that is no more, kept inside the place that took it over. Its code may be in use again."""

    kind: str
    full_labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Term):
    """`kind`: country, city or province; `full_labels` with the kind in words ("Tỉnh Cao Bằng")."""

    kind: str
    full_labels: Mapping[str, str]
    predecessors: tuple[FormerPlace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Region(Term):
    """Several provinces under one name; `parts` are their codes."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency(Term):
    """A publisher, also one that is no more (`successor` names who took over). Codes are the portal's own."""

    kind: str
    place: str
    parent: str | None = None
    successor: str | None = None
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat(Term):
    """`tabular`: the portal can read it as a table; extensions are lower case without the dot."""

    description: Mapping[str, str]
    eu: str | None
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    machine_readable: bool
    open_format: bool
    tabular: bool


T = TypeVar("T", bound=Term)


class Vocabulary(Generic[T]):
    """Terms in the order of the file, looked up by code, or by any name a person or a feed may use."""

    def __init__(self, name: str, terms: Iterable[T], authority: str | None = None) -> None:
        self.name = name
        self.authority = authority
        self.terms = tuple(terms)
        self._by_code = {term.code: term for term in self.terms}
        self._by_name: dict[str, T] = {}
        # What is in force answers first: "Bắc Ninh" is the province of today.
        for term in sorted(self.terms, key=lambda term: not term.is_current):
            for text in (term.code, *term.labels.values(), *term.aliases):
                self._by_name.setdefault(_exact_key(text), term)
        for term in self.terms:
            for text in _former_names(term):
                self._by_name.setdefault(_exact_key(text), term)

    def __iter__(self) -> Iterator[T]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def get(self, code: str) -> T | None:
        """By exact code."""
        return self._by_code.get(code)

    def find(self, text: str) -> T | None:
        """By code, label, alias or address in the authority table, whatever the case; former place names too."""
        if self.authority:
            text = text.removeprefix(self.authority)
        return self._by_code.get(text) or self._by_name.get(_exact_key(text))

    def label(self, code: str, language: str) -> str:
        """The code itself where it is not known, so that old records can still be shown."""
        term = self._by_code.get(code)
        return term.label(language) if term else code

    def current(self) -> tuple[T, ...]:
        """What may still be chosen, in the order of the file."""
        return tuple(term for term in self.terms if term.is_current)

    def by_label(self, language: str) -> tuple[T, ...]:
        """What may still be chosen, in dictionary order of the labels."""
        return tuple(sorted(self.current(), key=lambda term: sort_key(term.label(language))))


@dataclass(frozen=True, slots=True)
class Vocabularies:
    """All of them. `search_aliases` maps an `alias_key` (see search_names) to the phrases that mean the same: other names and
    abbreviations, and the successor of a unit or agency that is no more. `former_names` goes the other way,
    from what is in force to what it replaced; search may weigh that lower. `asking` are openings that ask
    for nothing by themselves ("dữ liệu về").
    """

    themes: Vocabulary[Theme]
    licences: Vocabulary[Licence]
    frequencies: Vocabulary[Frequency]
    places: Vocabulary[Place]
    regions: Vocabulary[Region]
    agencies: Vocabulary[Agency]
    formats: Vocabulary[FileFormat]
    search_aliases: Mapping[str, tuple[str, ...]]
    former_names: Mapping[str, tuple[str, ...]]
    asking: tuple[str, ...]

    def named(self, name: str) -> Vocabulary[Any]:
        """The vocabulary a field of the profile names. Raises KeyError."""
        known: dict[str, Vocabulary[Any]] = {
            "themes": self.themes,
            "licences": self.licences,
            "frequencies": self.frequencies,
            "places": self.places,
            "regions": self.regions,
            "agencies": self.agencies,
            "formats": self.formats,
        }
        return known[name]

    def of_facets(self) -> dict[str, Vocabulary[Any]]:
        """For each facet of the search the vocabulary of its values."""
        return {
            "theme": self.themes,
            "publisher": self.agencies,
            "format": self.formats,
            "license": self.licences,
            "frequency": self.frequencies,
            "place": self.places,
        }

    def place_on(self, code: str, day: dt.date) -> Place | FormerPlace | None:
        """Who held a province code on that day: seven codes changed owner on 1 July 2025."""
        units: list[Place | FormerPlace] = [
            *self.places,
            *(old for place in self.places for old in place.predecessors),
        ]
        return next((unit for unit in units if unit.code == code and _in_force(unit, day)), None)

    def place_today(self, text: str) -> str:
        """The code of the place or region in force that is meant by a code or any name; `text` where none is.

        What is no more leads to what took it over ("Hà Giang" and its old code 02 to Tuyên Quang). A code in
        use today means today's province, whoever held it before.
        """
        known = self.places.find(text) or self.regions.find(text)
        if known is not None:
            return known.code
        heirs = (place.code for place in self.places for old in place.predecessors if old.code == text)
        return next(heirs, text)

    def around(self, code: str) -> tuple[str, ...]:
        """The place itself and the regions that it is part of."""
        return (code, *(region.code for region in self.regions if code in region.parts))

    def place_names(self, code: str) -> tuple[str, ...]:
        """Every name a place is searched by: labels, aliases and those of the units it took over."""
        place = self.places.get(code)
        if place is None:
            return ()
        units: tuple[Term, ...] = (place, *place.predecessors)
        return distinct(name for unit in units for name in (*unit.labels.values(), *unit.aliases))

    def agency_names(self, code: str) -> tuple[str, ...]:
        """Every name a publisher is searched by, those of the agencies it took over included."""
        if code not in self.agencies:
            return ()
        heirs = (agency for agency in self.agencies if code in {agency.code, agency.successor})
        return distinct(name for agency in heirs for name in (*agency.labels.values(), *agency.aliases))

    def format_of(self, extension: str) -> FileFormat | None:
        """By file name ending, with or without the dot."""
        wanted = extension.lower().removeprefix(".")
        return next((kind for kind in self.formats if wanted in kind.extensions), None)


@cache
def load_vocabularies(folder: Path) -> Vocabularies:
    """From `folder/vocabularies`. Raises BrokenVocabularyError naming the file and the point."""
    places = _read(folder, "places", Place, _place)
    agencies = _read(folder, "agencies", Agency)
    groups, asking = _read_aliases(folder)
    aliases, former = search_names(groups, places, agencies)
    return Vocabularies(
        themes=_read(folder, "themes", Theme),
        licences=_read(folder, "licences", Licence),
        frequencies=_read(folder, "frequencies", Frequency),
        places=places,
        regions=_read(folder, "regions", Region),
        agencies=agencies,
        formats=_read(folder, "formats", FileFormat),
        search_aliases=aliases,
        former_names=former,
        asking=asking,
    )


def _read(
    folder: Path,
    name: str,
    kind: type[T],
    convert: Callable[[dict[str, Any]], dict[str, Any]] = lambda entry: entry,
) -> Vocabulary[T]:
    path = folder / "vocabularies" / f"{name}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        terms = [kind(**_values(convert(entry))) for entry in data["terms"]]
        authority = data.get("authority")
    except KeyError as error:
        raise BrokenVocabularyError(path=path, reason=f"{error} is missing") from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BrokenVocabularyError(path=path, reason=str(error)) from error
    codes = [term.code for term in terms]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise BrokenVocabularyError(path=path, reason=f"the code {twice[0]} is there twice")
    return Vocabulary(name, terms, authority)


def _read_aliases(folder: Path) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    path = folder / "vocabularies" / "aliases.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        groups = [tuple(str(term) for term in group) for group in data["groups"]]
        return groups, tuple(str(phrase) for phrase in data["asking"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BrokenVocabularyError(path=path, reason=str(error)) from error


def _values(entry: dict[str, Any]) -> dict[str, Any]:
    """JSON to what the dataclasses hold: days as dates, lists as tuples, text in NFC."""
    values: dict[str, Any] = {}
    for name, value in entry.items():
        if name in {"valid_from", "valid_to"} and value is not None:
            values[name] = dt.date.fromisoformat(value)
        elif isinstance(value, list):
            values[name] = tuple(value)
        elif isinstance(value, dict):
            values[name] = {key: nfc(text) for key, text in value.items()}
        else:
            values[name] = value
    return values


def _place(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"predecessors": [FormerPlace(**_values(unit)) for unit in entry["predecessors"]]}


def _former_names(term: Term) -> Iterator[str]:
    for unit in getattr(term, "predecessors", ()):
        yield from (*unit.labels.values(), *unit.full_labels.values(), *unit.aliases)


def _exact_key(text: str) -> str:
    return " ".join(nfc(text).casefold().split())


def _in_force(unit: Term, day: dt.date) -> bool:
    return (unit.valid_from is None or unit.valid_from <= day) and (
        unit.valid_to is None or day <= unit.valid_to
    )
