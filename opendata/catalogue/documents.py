"""What a dataset looks like to search: which of its words count how much, and what a result row shows.

A result row is drawn from `stored` alone, without asking the database. Capabilities above the catalogue
add what they know through contributors given by wiring.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import log10
from typing import TYPE_CHECKING, Any, Final, cast

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

    from opendata.catalogue.vocabularies import Vocabularies

LONGEST_SUMMARY: Final = 400
_FRESHNESS_FROM: Final = dt.datetime(2010, 1, 1)  # noqa: DTZ001 - compared with moments stored in UTC
_FRESHNESS_YEARS: Final = 25
_MOST_DOWNLOADS: Final = 6  # powers of ten

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


_READ: Final = select(
    Dataset.id, Dataset.slug, Dataset.state, Dataset.fields, Dataset.agency_code, Dataset.modified_at, Dataset.download_count
)  # fmt: skip
Contributor = Callable[["Session", Sequence[str]], Mapping[str, Contribution]]


class DocumentBuilder:
    def __init__(self, vocabularies: Vocabularies, contributors: Iterable[Contributor] = ()) -> None:
        self._vocabularies = vocabularies
        self._contributors = tuple(contributors)
        # A few hundred names stand under all datasets of a nation.
        self._publisher_text = lru_cache(1024)(lambda code: ", ".join(vocabularies.agency_names(code)))
        self._around = lru_cache(1024)(vocabularies.around)
        self._place_text = lru_cache(1024)(lambda code: ", ".join(vocabularies.place_names(code)))

    def build(self, session: Session, dataset_ids: Sequence[str]) -> list[SearchDocument]:
        """Documents of those ids that are in the database; two queries and one per contributor."""
        told = [contribute(session, dataset_ids) for contribute in self._contributors]
        # Rows with what is read of a dataset: as objects of a session they would take twice as long.
        found = cast("Iterable[Dataset]", session.execute(_READ.where(Dataset.id.in_(dataset_ids))))
        return [
            self.document(dataset, [one[dataset.id] for one in told if dataset.id in one])
            for dataset in found
        ]

    def document(self, dataset: Dataset, contributions: Sequence[Contribution]) -> SearchDocument:
        """The document of a dataset of which `contributions` tell the rest; asks no database."""
        fields = dataset.fields
        title, description = fields.get("title", {}), fields.get("description", {})
        plain = {language: plain_text(text) for language, text in description.items()}
        formats = tuple(dict.fromkeys(name for one in contributions for name in one.formats))
        publisher = self._vocabularies.agencies.get(dataset.agency_code)
        theme = self._vocabularies.themes.get(fields.get("theme", ""))
        keywords = tuple(fields.get("keywords", ()))
        texts = {
            "keywords": ", ".join(keywords),
            "publisher": self._publisher_text(dataset.agency_code),
            "place": self._place_text(fields.get("place", "")),
            "theme": ", ".join(theme.labels.values()) if theme else "",
            "columns": ", ".join(text for one in contributions for text in one.column_texts),
            "files": ", ".join(name for one in contributions for name in one.files),
            "values": ", ".join(value for one in contributions for value in one.values),
            "basis": fields.get("legal_basis", ""),
        }
        for language in LANGUAGES:
            texts[f"title_{language}"] = title.get(language, "")
            texts[f"description_{language}"] = plain.get(language, "")
        shown_title = title.get("vi") or title.get("en") or ""
        edition = edition_of(title, dataset.agency_code)
        place = fields.get("place")
        return SearchDocument(
            id=dataset.id,
            access=document_tokens(dataset),
            texts={name: text for name, text in texts.items() if text},
            facets={
                **_coded(fields),
                "place": self._around(place) if place else (),
                "publisher": (dataset.agency_code,),
                "format": formats,
            },
            numbers={
                "modified": dataset.modified_at.timestamp(),
                "downloads": float(dataset.download_count),
                **_period(fields, edition),
                **_series(dataset, edition),
            },
            sort_keys={
                f"title_{language}": sort_key(title.get(language) or shown_title) for language in LANGUAGES
            },
            stored={
                **_stored(dataset, plain, contributions, formats),
                "edition": dict(edition.labels),
                "series": key_text(edition.key) if edition.key else "",
            },
            suggestions=tuple(
                filter(None, (*title.values(), *keywords, *(publisher.labels.values() if publisher else ())))
            ),
            prior=_prior(dataset, contributions),
        )


def _prior(dataset: Dataset, contributions: Sequence[Contribution]) -> float:
    """How welcome a dataset is whatever was asked: two parts in five each freshness and quality, one part use.

    Freshness counts from a fixed day, not from today, so that an index needs no new reading as time goes by.
    """
    years = (dataset.modified_at.replace(tzinfo=None) - _FRESHNESS_FROM).days / 365
    fresh = min(max(years / _FRESHNESS_YEARS, 0.0), 1.0)
    quality = (
        bool(dataset.fields.get("description")),
        bool(dataset.fields.get("license")),
        any(one.files for one in contributions),
        any(one.rows for one in contributions),
    )
    use = min(log10(1 + dataset.download_count) / _MOST_DOWNLOADS, 1.0)
    return 0.4 * fresh + 0.4 * sum(quality) / len(quality) + 0.2 * use


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
    first = dt.date.fromisoformat(start) if start else None
    last = dt.date.fromisoformat(end) if end else None
    if titled and (first or dt.date.min) <= titled[1] and titled[0] <= (last or dt.date.max):
        first, last = first or titled[0], last or titled[1]
    return {
        "period_start": float((first or dt.date.min).toordinal()),
        "period_end": float((last or dt.date.max).toordinal()),
    }


def _series(dataset: Dataset, edition: Edition) -> dict[str, float]:
    """Which series, and which edition of it: by the period in the title, else the one of the record."""
    named = dataset.fields.get("period_end") or dataset.fields.get("period_start")
    day = dt.date.fromisoformat(named) if named else dataset.modified_at.date()
    order = edition.order or day.year * 10_000 + day.month * 100 + day.day
    known = {"series": float(edition.key)} if edition.key else {}
    return {"edition": float(order), **known}


def _stored(
    dataset: Dataset,
    plain: Mapping[str, str],
    contributions: Sequence[Contribution],
    formats: Sequence[str],
) -> dict[str, Any]:
    fields = dataset.fields
    return {
        "slug": dataset.slug,
        "state": dataset.state,
        "title": fields.get("title", {}),
        "summary": {language: text[:LONGEST_SUMMARY] for language, text in plain.items()},
        "publisher": dataset.agency_code,
        **{name: fields.get(name) for name in ("theme", "license", "frequency", "place")},
        "formats": list(formats),
        "rows": sum(one.rows for one in contributions),
        "columns": sum(one.columns for one in contributions),
        "modified_at": dataset.modified_at.isoformat(),
        "downloads": dataset.download_count,
    }
