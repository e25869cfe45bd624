"""The fields that can be named in a search line (`theme:giao-duc`, `cơ-quan:"Bộ Y tế"`) and what their values mean.

Wiring gives these readers to the search service. A value is a code, a label, an alias or a former name,
with or without diacritics, or some words of one label; what no vocabulary knows is left to be plain words.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, Final

from opendata.catalogue.documents import INDEX_SCHEMA
from opendata.catalogue.search_names import alias_key
from opendata.search.analysis import chunks
from opendata.search.parsing import Parser
from opendata.search.port import Range
from opendata.search.query import Between, Facet, Within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opendata.catalogue.vocabularies import Vocabularies, Vocabulary
    from opendata.search.query import Clause
    from opendata.search.query_fields import FieldReader

# The facet, then the names it goes by; hyphens and diacritics may be left out.
_FACETS: Final = {
    "theme": ("theme", "topic", "chu-de", "linh-vuc"),
    "publisher": ("publisher", "agency", "co-quan", "don-vi"),
    "format": ("format", "dinh-dang"),
    "license": ("license", "licence", "giay-phep"),
    "frequency": ("frequency", "tan-suat"),
    "place": ("place", "noi", "tinh", "dia-phuong", "dia-ban"),
}
_TEXTS: Final = {
    "title_vi": ("title", "ten", "tieu-de"),
    "keywords": ("keyword", "keywords", "tu-khoa"),
}
_YEAR_NAMES: Final = ("year", "nam")
_YEAR: Final = r"[12]\d{3}"
# A comma or semicolon may follow where the line goes on.
_YEARS: Final = re.compile(
    rf"(?P<only>{_YEAR})[,;]?|(?P<first>{_YEAR})?(?:[-–—]|\.\.)(?P<last>{_YEAR})?[,;]?", re.ASCII
)


def search_parser(vocabularies: Vocabularies) -> Parser:
    """Reads lines as people type them about datasets."""
    return Parser(vocabularies.search_aliases, query_fields(vocabularies), vocabularies.asking)


def query_fields(vocabularies: Vocabularies) -> dict[str, FieldReader]:
    """Each name that can stand before a colon, with what it makes of a value."""
    known = vocabularies.of_facets()
    readers: dict[str, FieldReader] = {}
    for facet, names in _FACETS.items():
        read_value = _facet_reader(facet, known[facet], vocabularies)
        readers |= dict.fromkeys(names, read_value)
    boosts = {text.name: text.boost for text in INDEX_SCHEMA.texts}
    for text, names in _TEXTS.items():
        readers |= dict.fromkeys(names, _text_reader(boosts[text]))
    return readers | dict.fromkeys(_YEAR_NAMES, _read_years)


def period_ranges(first: dt.date | None, last: dt.date | None) -> dict[str, Range]:
    """Data is about a time when its period overlaps it. None is open; without both nothing is asked."""
    if first is None and last is None:
        return {}
    return {
        "period_end": Range(low=float(first.toordinal()) if first else None),
        "period_start": Range(high=float(last.toordinal()) if last else None),
    }


def _read_years(text: str) -> Clause | None:
    """`2024`, `2019-2024`, `2019..2024`, `2019..` and `..2024`."""
    found = _YEARS.fullmatch(text.strip())
    if found is None:
        return None
    years = [
        int(year) if year else None
        for year in (found["only"] or found["first"], found["only"] or found["last"])
    ]
    if None not in years:
        years.sort()
    first, last = years
    asked = period_ranges(dt.date(first, 1, 1) if first else None, dt.date(last, 12, 31) if last else None)
    return Between(tuple(asked.items())) if asked else None


def _facet_reader(facet: str, vocabulary: Vocabulary[Any], vocabularies: Vocabularies) -> FieldReader:
    named: dict[str, dict[str, None]] = {}
    for term in vocabulary:
        for name in (term.code, *_names(facet, term, vocabularies)):
            named.setdefault(alias_key(name), {})[_in_force(term)] = None
    labels: Mapping[str, str] = {
        f" {alias_key(label)} ": _in_force(term) for term in vocabulary for label in term.labels.values()
    }

    def read(text: str) -> Clause | None:
        key = alias_key(text)
        codes = tuple(named.get(key, ()))
        if not codes and key:
            codes = tuple(dict.fromkeys(code for label, code in labels.items() if f" {key} " in label))
        return Facet(facet, codes) if codes else None

    return read


def _names(facet: str, term: Any, vocabularies: Vocabularies) -> tuple[str, ...]:
    if facet == "place":
        return vocabularies.place_names(term.code)
    if facet == "format":
        return (*term.labels.values(), *term.aliases, *term.extensions)
    return (*term.labels.values(), *term.aliases)


def _in_force(term: Any) -> str:
    """Datasets stand under the agency that took over."""
    return str(getattr(term, "successor", None) or term.code)


def _text_reader(boost: float) -> Callable[[str], Clause | None]:
    def read(text: str) -> Clause | None:
        words = tuple(word for chunk in chunks(text) for word in chunk.folded)
        return Within(boost, words) if words else None

    return read
