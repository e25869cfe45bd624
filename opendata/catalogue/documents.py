"""What a dataset looks like to search: which of its words count how much, and what a result row shows.

A result row is drawn from `stored` alone, without asking the database. Capabilities above the catalogue
add what they know through contributors given by wiring.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from math import log10
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sqlalchemy import select

from opendata.catalogue.markdown_text import plain_text
from opendata.catalogue.models import Dataset
from opendata.catalogue.policy import document_tokens
from opendata.catalogue.search_form import FACETS
from opendata.catalogue.series import Edition, edition_of, key_text
from opendata.kernel.i18n import LANGUAGES
from opendata.kernel.text import sort_key
from opendata.search.port import IndexSchema, SearchDocument, TextField

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from opendata.catalogue.vocabularies import Vocabularies, Vocabulary

LONGEST_SUMMARY: Final = 400
_FRESHNESS_FROM: Final = dt.datetime(2010, 1, 1)  # noqa: DTZ001 - compared with moments stored in UTC
_FRESHNESS_YEARS: Final = 25
_MOST_DOWNLOADS: Final = 6  # powers of ten
_QUALITIES: Final = 4
# Each language with the name of its text.
_TITLES: Final = tuple((language, f"title_{language}") for language in LANGUAGES)
_DESCRIPTIONS: Final = tuple((language, f"description_{language}") for language in LANGUAGES)

INDEX_SCHEMA: Final = IndexSchema(
    texts=(
        TextField("title_vi", 3.0),
        TextField("title_en", 3.0),
        TextField("keywords", 2.0),
        TextField("publisher", 1.5, snippet=False),
        TextField("place", 1.5, snippet=False),
        TextField("theme", 1.0, snippet=False),
        TextField("description_vi", 1.0),
        TextField("description_en", 1.0),
        TextField("columns", 1.5, snippet=False),
        TextField("files", 1.0, snippet=False),
        TextField("values", 1.0, snippet=False),
        TextField("basis", 1.0, snippet=False),
    ),
    facets=FACETS,
    numbers=("modified", "downloads", "period_start", "period_end", "edition", "series"),
    sort_keys=("title_vi", "title_en"),
    group_keys=("series",),
    version=2,
)


@dataclass(slots=True)
class Contribution:
    """What a higher capability adds: file formats and names, words and usual values of the columns, sizes."""

    formats: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    column_texts: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    rows: int = 0
    columns: int = 0


class _Row(NamedTuple):
    """What is read of a dataset: an object of a session, and the database's own rows, take longer to be asked."""

    id: str
    slug: str
    state: str
    fields: dict[str, Any]
    agency_code: str
    modified_at: dt.datetime
    download_count: int


_READ: Final = select(*(getattr(Dataset, name) for name in _Row._fields))
Contributor = Callable[["Session", Sequence[str]], Mapping[str, Contribution]]


class DocumentBuilder:
    def __init__(self, vocabularies: Vocabularies, contributors: Iterable[Contributor] = ()) -> None:
        self._vocabularies = vocabularies
        self._contributors = tuple(contributors)
        # A few hundred names stand under all datasets of a nation.
        self._publisher_text = lru_cache(1024)(lambda code: ", ".join(vocabularies.agency_names(code)))
        self._around = lru_cache(1024)(vocabularies.around)
        self._publisher_labels = lru_cache(1024)(partial(_labels, vocabularies.agencies))
        self._theme_text = lru_cache(1024)(lambda code: ", ".join(_labels(vocabularies.themes, code)))
        self._place_text = lru_cache(1024)(lambda code: ", ".join(vocabularies.place_names(code)))

    def build(self, session: Session, dataset_ids: Sequence[str]) -> list[SearchDocument]:
        """Documents of those ids that are in the database; two queries and one per contributor."""
        told = [contribute(session, dataset_ids) for contribute in self._contributors]
        found = cast(
            "Iterable[Dataset]", map(_Row._make, session.execute(_READ.where(Dataset.id.in_(dataset_ids))))
        )
        return [
            self.document(dataset, [one[dataset.id] for one in told if dataset.id in one])
            for dataset in found
        ]

    def document(self, dataset: Dataset, contributions: Sequence[Contribution]) -> SearchDocument:
        """The document of a dataset of which `contributions` tell the rest; asks no database."""
        fields, agency = dataset.fields, dataset.agency_code
        title, keywords = fields.get("title") or {}, fields.get("keywords") or ()
        plain = {language: plain_text(text) for language, text in fields.get("description", {}).items()}
        moment = _moment(dataset.modified_at)
        edition = edition_of(title, agency)
        shown_title = title.get("vi") or title.get("en") or ""
        place = fields.get("place")
        formats = (
            tuple(dict.fromkeys(name for one in contributions for name in one.formats))
            if contributions
            else ()
        )
        return SearchDocument(
            id=dataset.id,
            access=document_tokens(dataset),
            texts=self._texts(dataset, plain, contributions),
            facets={
                **_coded(fields),
                "place": self._around(place) if place else (),
                "publisher": (agency,),
                "format": formats,
            },
            numbers={
                "modified": moment.seconds,
                "downloads": float(dataset.download_count),
                **_period(fields, edition),
                **_series(fields, moment, edition),
            },
            sort_keys={name: sort_key(title.get(language) or shown_title) for language, name in _TITLES},
            stored={
                "slug": dataset.slug,
                "state": dataset.state,
                "title": title,
                "summary": {language: text[:LONGEST_SUMMARY] for language, text in plain.items()},
                "publisher": agency,
                "theme": fields.get("theme"),
                "license": fields.get("license"),
                "frequency": fields.get("frequency"),
                "place": place,
                "formats": list(formats),
                "rows": sum([one.rows for one in contributions]),
                "columns": sum([one.columns for one in contributions]),
                "modified_at": moment.written,
                "downloads": dataset.download_count,
                "edition": dict(edition.labels),
                "series": key_text(edition.key) if edition.key else "",
            },
            suggestions=tuple(filter(None, (*title.values(), *keywords, *self._publisher_labels(agency)))),
            prior=_prior(dataset, moment, contributions),
        )

    def _texts(
        self, dataset: Dataset, plain: Mapping[str, str], contributions: Sequence[Contribution]
    ) -> dict[str, str]:
        fields = dataset.fields
        title = fields.get("title") or {}
        texts = {
            "keywords": ", ".join(fields.get("keywords") or ()),
            "publisher": self._publisher_text(dataset.agency_code),
            "place": self._place_text(fields.get("place", "")),
            "theme": self._theme_text(fields.get("theme", "")),
            "basis": fields.get("legal_basis"),
        }
        if contributions:
            texts["columns"] = ", ".join(text for one in contributions for text in one.column_texts)
            texts["files"] = ", ".join(name for one in contributions for name in one.files)
            texts["values"] = ", ".join(value for one in contributions for value in one.values)
        for language, name in _TITLES:
            texts[name] = title.get(language)
        for language, name in _DESCRIPTIONS:
            texts[name] = plain.get(language)
        return {name: text for name, text in texts.items() if text}


class _Moment(NamedTuple):
    """When a dataset changed last: as a number, a day and a text, and how fresh that is from 0 to 1."""

    seconds: float
    day: int
    written: str
    freshness: float


@lru_cache(maxsize=4096)  # a catalogue that was loaded names days
def _moment(at: dt.datetime) -> _Moment:
    years = (at.replace(tzinfo=None) - _FRESHNESS_FROM).days / 365
    return _Moment(
        at.timestamp(), _as_number(at), at.isoformat(), min(max(years / _FRESHNESS_YEARS, 0.0), 1.0)
    )


def _as_number(day: dt.date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _prior(dataset: Dataset, moment: _Moment, contributions: Sequence[Contribution]) -> float:
    """How welcome a dataset is whatever was asked: two parts in five each freshness and quality, one part use.

    Freshness counts from a fixed day, not from today, so that an index needs no new reading as time goes by.
    """
    fields = dataset.fields
    quality = bool(fields.get("description")) + bool(fields.get("license"))
    if contributions:
        quality += any(one.files for one in contributions) + any(one.rows for one in contributions)
    use = min(log10(1 + dataset.download_count) / _MOST_DOWNLOADS, 1.0)
    return 0.4 * moment.freshness + 0.4 * quality / _QUALITIES + 0.2 * use


def _labels(vocabulary: Vocabulary[Any], code: str) -> tuple[str, ...]:
    term = vocabulary.get(code)
    return tuple(term.labels.values()) if term else ()


def _coded(fields: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: (str(fields[name]),) for name in ("theme", "license", "frequency") if fields.get(name)}


def _period(fields: Mapping[str, Any], edition: Edition) -> dict[str, float]:
    """The days the data is about, as ordinals: those the record names, else those of its title.

    Where the record names one end, the title may tell the other; if it does not, the data goes on there.
    """
    start, end = fields.get("period_start"), fields.get("period_end")
    titled = edition.days
    if not (start or end or titled):
        return {}
    if start and end:
        return {"period_start": _ordinal(start), "period_end": _ordinal(end)}
    first = dt.date.fromisoformat(start) if start else None
    last = dt.date.fromisoformat(end) if end else None
    if titled and (first or dt.date.min) <= titled[1] and titled[0] <= (last or dt.date.max):
        first, last = first or titled[0], last or titled[1]
    return {
        "period_start": float((first or dt.date.min).toordinal()),
        "period_end": float((last or dt.date.max).toordinal()),
    }


@lru_cache(maxsize=4096)
def _ordinal(day: str) -> float:
    return float(dt.date.fromisoformat(day).toordinal())


def _series(fields: Mapping[str, Any], moment: _Moment, edition: Edition) -> dict[str, float]:
    """Which series, and which edition of it: by the period in the title, else the one of the record."""
    order = edition.order
    if not order:
        named = fields.get("period_end") or fields.get("period_start")
        order = _as_number(dt.date.fromisoformat(named)) if named else moment.day
    return (
        {"edition": float(order), "series": float(edition.key)} if edition.key else {"edition": float(order)}
    )
