"""Finding datasets: one search path for the pages, the API and the CLI.

A form and an actor go in, result rows with labelled facets come out, all from the index: no SQL per hit.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from opendata.catalogue.policy import visible_tokens
from opendata.catalogue.search_form import FACETS, DatasetSearchForm
from opendata.kernel.i18n import LANGUAGES
from opendata.search.port import SearchRequest, Segment, Sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opendata.accounts.policy import Actor
    from opendata.catalogue.vocabularies import Term, Vocabularies, Vocabulary
    from opendata.search.port import Hit
    from opendata.search.service import SearchService

SNIPPET_LENGTH = 220
FACET_VALUES = 50


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """A result row. `marked_title` and `snippet` are in the language asked for, or in the other one."""

    id: str
    slug: str
    state: str
    title: Mapping[str, str]
    summary: Mapping[str, str]
    publisher: str
    theme: str | None
    license: str | None
    frequency: str | None
    place: str | None
    formats: tuple[str, ...]
    rows: int
    columns: int
    modified_at: dt.datetime
    downloads: int
    marked_title: tuple[Segment, ...]
    snippet: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class FacetOption:
    value: str
    label: Mapping[str, str]
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class DatasetResults:
    """`total` is exact; `relaxed` when only some of the words were found anywhere."""

    form: DatasetSearchForm
    total: int
    items: tuple[DatasetSummary, ...]
    facets: Mapping[str, tuple[FacetOption, ...]]
    suggestion: str | None
    relaxed: bool
    took_seconds: float

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.form.per_page))


class CatalogueSearch:
    def __init__(self, search: SearchService, vocabularies: Vocabularies) -> None:
        self._search = search
        self._terms: dict[str, Vocabulary[Any]] = {
            "theme": vocabularies.themes,
            "publisher": vocabularies.agencies,
            "format": vocabularies.formats,
            "license": vocabularies.licences,
            "frequency": vocabularies.frequencies,
            "place": vocabularies.places,
        }

    def search(
        self, actor: Actor, form: DatasetSearchForm, language: str, facets: Iterable[str] = FACETS
    ) -> DatasetResults:
        """Raises IndexUnusableError while the index is being made again."""
        other = next(name for name in LANGUAGES if name != language)
        response = self._search.search(
            SearchRequest(
                access=visible_tokens(actor),
                text=form.text,
                filters=form.chosen,
                sort=_sort(form.order, language),
                offset=(form.page - 1) * form.per_page,
                limit=form.per_page,
                facets=dict.fromkeys(facets, FACET_VALUES),
                highlight={
                    name: length
                    for tongue in (language, other)
                    for name, length in ((f"title_{tongue}", 0), (f"description_{tongue}", SNIPPET_LENGTH))
                },
            )
        )
        return DatasetResults(
            form=form,
            total=response.total,
            items=tuple(_summary(hit, language, other) for hit in response.hits),
            facets={name: self._options(name, counts, form) for name, counts in response.facets.items()},
            suggestion=response.suggestion,
            relaxed=response.relaxed,
            took_seconds=response.took_seconds,
        )

    def suggest(self, actor: Actor, text: str, limit: int = 8) -> tuple[str, ...]:
        """Completions of what is being typed: titles, keywords, publishers."""
        return tuple(self._search.suggest(text, limit, visible_tokens(actor)))

    def label(self, facet: str, value: str) -> dict[str, str]:
        """What a facet's value is called; the value itself where the vocabulary does not know it."""
        term = cast("Term | None", self._terms[facet].get(value))
        return dict(term.labels) if term else {"vi": value, "en": value}

    def _options(
        self, facet: str, counts: Sequence[tuple[str, int]], form: DatasetSearchForm
    ) -> tuple[FacetOption, ...]:
        chosen = form.chosen.get(facet, ())
        listed = dict(counts) | {value: 0 for value in chosen if value not in dict(counts)}
        return tuple(
            FacetOption(value, self.label(facet, value), count, value in chosen)
            for value, count in listed.items()
        )


def _sort(order: str, language: str) -> Sort | None:
    return {
        "relevance": None,
        "newest": Sort("modified", descending=True),
        "downloads": Sort("downloads", descending=True),
        "title": Sort(f"title_{language}"),
    }[order]


def _summary(hit: Hit, language: str, other: str) -> DatasetSummary:
    stored = cast("dict[str, Any]", dict(hit.stored))
    return DatasetSummary(
        id=hit.id,
        slug=stored["slug"],
        state=stored["state"],
        title=stored["title"],
        summary=stored["summary"],
        publisher=stored["publisher"],
        theme=stored["theme"],
        license=stored["license"],
        frequency=stored["frequency"],
        place=stored["place"],
        formats=tuple(stored["formats"]),
        rows=stored["rows"],
        columns=stored["columns"],
        modified_at=dt.datetime.fromisoformat(stored["modified_at"]),
        downloads=stored["downloads"],
        marked_title=_marked(hit, "title", language, other),
        snippet=_marked(hit, "description", language, other),
    )


def _marked(hit: Hit, name: str, language: str, other: str) -> tuple[Segment, ...]:
    """The asked language's text, unless only the other one has a match or any text at all."""
    own = hit.snippets.get(f"{name}_{language}", ())
    foreign = hit.snippets.get(f"{name}_{other}", ())
    return own or foreign
