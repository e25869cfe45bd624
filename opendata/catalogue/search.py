"""Finding datasets: one search path for the pages, the API and the CLI.

A form and an actor go in, result rows with labelled facets come out, all from the index: no SQL per hit.
Grouped, the editions of a series (`catalogue.series`) are one row.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from opendata.catalogue.policy import visible_tokens
from opendata.catalogue.query_fields import period_ranges
from opendata.catalogue.search_form import FACETS, DatasetSearchForm
from opendata.kernel.errors import N_, ForbiddenError
from opendata.kernel.i18n import LANGUAGES, VIETNAM_TIME
from opendata.kernel.recent import MostRecent
from opendata.search.port import Grouping, IndexState, IndexUnusableError, Range, SearchRequest, Segment, Sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opendata.accounts.policy import Actor
    from opendata.catalogue.plain_search import PlainSearch
    from opendata.catalogue.vocabularies import Term, Vocabularies
    from opendata.search.port import Contribution, Hit, SearchResponse
    from opendata.search.service import SearchService

SNIPPET_LENGTH: Final = 220
FACET_VALUES: Final = 50
MOST_SIMILAR: Final = 6
EDITIONS_SHOWN: Final = 6
LONGEST_LIST: Final = 100_000
_MOST_KNOWN: Final = 350  # of about 20 KB
_ONE_DAY: Final = dt.timedelta(days=1)
_SERIES: Final = Grouping("series", "edition", EDITIONS_SHOWN, ("slug", "edition", "modified_at"))
# A page has up to three hundred options: called by its name, their class takes twice as long.
_option: Final = tuple.__new__


@dataclass(frozen=True, slots=True)
class EditionLink:
    """One dataset of a series; `label` is its period by language, empty where its title has none."""

    id: str
    slug: str
    label: Mapping[str, str]
    modified_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Editions:
    """What a grouped row stands for: `total` of those found, the newest of them first."""

    total: int
    shown: tuple[EditionLink, ...]


class DatasetSummary(NamedTuple):
    """A result row, of which each page has twenty. `marked_title` and `snippet` are in the language asked for, or in the other one.

    `series` is its key in addresses, empty where there is none; `editions` where the row stands for several.
    """

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
    edition: Mapping[str, str]
    series: str
    marked_title: Iterable[Segment] = ()
    snippet: Iterable[Segment] = ()
    editions: Editions | None = None


class FacetOption(NamedTuple):
    """A page has up to three hundred of them; a frozen dataclass takes three times as long to make."""

    value: str
    label: Mapping[str, str]
    count: int  # type: ignore[assignment]  # hides a method of tuples that nobody asks an option for
    chosen: bool


@dataclass(frozen=True, slots=True)
class DatasetResults:
    """`total` is exact, of datasets; `relaxed` when only some of the words were found anywhere.

    `form` names places as they are today. `lines`: rows of all pages of a grouped answer, None where that
    was not counted. `shown_for`: the better spelling that everything here was found for. `more`: there is a next
    page. `is_plain`: found without the index, so `total` is "at least". `why`: where it was asked for, what makes
    up the score of each dataset, by id.
    """

    form: DatasetSearchForm
    total: int
    items: tuple[DatasetSummary, ...]
    facets: Mapping[str, tuple[FacetOption, ...]]
    suggestion: str | None
    shown_for: str | None
    relaxed: bool
    took_seconds: float
    lines: int | None
    more: bool
    is_plain: bool = False
    made: object | None = None
    """The same object as long as the same results are given again, but for `took_seconds`; None where nobody knows."""
    why: Mapping[str, tuple[Contribution, ...]] | None = None

    @property
    def pages(self) -> int | None:
        """How many there are; None where a grouped answer was not counted to its end."""
        return None if self.lines is None else max(1, -(-self.lines // self.form.per_page))

    @property
    def is_past_end(self) -> bool:
        return not self.items and self.form.page > 1


@dataclass(frozen=True, slots=True)
class _Known:
    """Results, and the hits their items were made of, in the same order."""

    hits: Sequence[Hit]
    results: DatasetResults


class RankingIsForAdministratorsError(ForbiddenError):
    template = N_("Only administrators of the portal are told how results are ranked.")


class CatalogueSearch:
    """`plain` answers while the index cannot; without it such a search raises IndexUnusableError."""

    def __init__(
        self, search: SearchService, vocabularies: Vocabularies, plain: PlainSearch | None = None
    ) -> None:
        self._search = search
        self._plain = plain
        self._vocabularies = vocabularies
        self._terms = vocabularies.of_facets()
        self._labels: dict[str, dict[str, dict[str, str]]] = {facet: {} for facet in self._terms}
        self._known = MostRecent[object, _Known](_MOST_KNOWN)

    def search(
        self,
        actor: Actor,
        form: DatasetSearchForm,
        language: str,
        facets: Iterable[str] = FACETS,
        *,
        grouped: bool = False,
        explain: bool = False,
    ) -> DatasetResults:
        """While the index is being made again the answer is a plain one, `is_plain`.

        Raises RankingIsForAdministratorsError where others ask for explanations.
        """
        if explain and not actor.is_platform_admin:
            raise RankingIsForAdministratorsError
        form = self._named_today(form)
        other = next(name for name in LANGUAGES if name != language)
        asked = replace(
            _request(actor, form, language),
            offset=(form.page - 1) * form.per_page,
            limit=form.per_page,
            facets=dict.fromkeys(facets, FACET_VALUES),
            group=_SERIES if grouped else None,
            highlight={f"title_{language}": 0, f"description_{language}": SNIPPET_LENGTH},
            instead={f"{name}_{language}": f"{name}_{other}" for name in ("title", "description")},
        )
        response, is_plain = self._respond(asked)
        if not (explain or is_plain):
            return self._kept(form, response, language, grouped=grouped)
        made = self._results(form, response, language, grouped=grouped)
        why = self._search.explain(response, asked) if explain and not is_plain else None
        return replace(made, is_plain=is_plain, made=None, why=why)

    def _kept(
        self, form: DatasetSearchForm, response: SearchResponse, language: str, *, grouped: bool
    ) -> DatasetResults:
        """Those that were made of the same response, which is of one language and grouped or not."""
        known = self._known.get(response.made)
        if known is None or known.results.form != form:
            made = self._results(form, response, language, grouped=grouped)
            known = _Known(response.hits, made)
            self._known.drop(response.after)  # nobody is given that again, and it would push out others
            self._known.put(response.made, known)
        return replace(known.results, took_seconds=response.took_seconds)

    def _results(
        self, form: DatasetSearchForm, response: SearchResponse, language: str, *, grouped: bool
    ) -> DatasetResults:
        return DatasetResults(
            form=form,
            total=response.total,
            items=self._rows(response, language),
            facets={name: self._options(name, counts, form) for name, counts in response.facets.items()},
            suggestion=response.suggestion,
            shown_for=response.shown_for,
            relaxed=response.relaxed,
            took_seconds=response.took_seconds,
            lines=response.lines if grouped else response.total,
            more=response.more,
            made=response.made,
        )

    def _rows(self, response: SearchResponse, language: str) -> tuple[DatasetSummary, ...]:
        """Hits that were in this answer, or in the one before it, keep the rows made of them."""
        before = self._known.get(response.made) or self._known.get(response.after)
        made = (
            {id(hit): row for hit, row in zip(before.hits, before.results.items, strict=True)}
            if before
            else {}
        )
        return tuple(made.get(id(hit)) or _row(hit, language) for hit in response.hits)

    def similar(self, actor: Actor, dataset_id: str, limit: int = MOST_SIMILAR) -> tuple[DatasetSummary, ...]:
        """Datasets that share what is characteristic of this one; none while the index is being made again."""
        try:
            hits = self._search.similar(dataset_id, visible_tokens(actor), limit)
        except IndexUnusableError:
            return ()
        return tuple(summary(hit.id, hit.stored) for hit in hits)

    def _respond(self, request: SearchRequest) -> tuple[SearchResponse, bool]:
        """The answer, and whether it comes from the database because the index cannot give one."""
        try:
            response = self._search.search(request)
        except IndexUnusableError:
            if self._plain is None:
                raise
            return self._plain.search(request), True
        if response.total or self._plain is None or self._search.status().state is not IndexState.MISSING:
            return response, False
        return self._plain.search(request), True

    def everything(
        self, actor: Actor, form: DatasetSearchForm, language: str, limit: int = LONGEST_LIST
    ) -> tuple[int, Iterator[DatasetSummary]]:
        """The total, and the first `limit` rows whatever the page, read one by one, for the words as typed.

        Raises IndexUnusableError while the index is being made again: a list that looks whole has to be.
        """
        asked = replace(_request(actor, self._named_today(form), language), limit=limit)
        total, matches = self._search.scan(asked)
        state = IndexState.READY if total else self._search.status().state
        if state is not IndexState.READY:
            raise IndexUnusableError(state)
        return total, (summary(match.id, match.kept.stored) for match in matches)

    def count(self, actor: Actor, form: DatasetSearchForm, changed_after: dt.datetime | None = None) -> int:
        """How many datasets these very words would find, of those changed after a moment only."""
        asked = _request(actor, self._named_today(form), LANGUAGES[0])
        if changed_after is not None:
            given = asked.ranges.get("modified", Range())
            since = max(math.nextafter(changed_after.timestamp(), math.inf), given.low or -math.inf)
            asked = replace(asked, ranges={**asked.ranges, "modified": Range(since, given.high)})
        return self._respond(replace(asked, exact_text=True, limit=0, sort=None))[0].total

    def suggest(self, actor: Actor, text: str, limit: int = 8) -> tuple[str, ...]:
        """Completions of what is being typed: titles, keywords, publishers."""
        return tuple(self._search.suggest(text, limit, visible_tokens(actor)))

    def label(self, facet: str, value: str) -> dict[str, str]:
        """What a facet's value is called; the value itself where the vocabulary does not know it."""
        known = self._labels[facet].get(value)
        if known is not None:
            return known
        regions = self._vocabularies.regions if facet == "place" else None
        term = cast("Term | None", self._terms[facet].get(value) or (regions and regions.get(value)))
        if term is None:
            return {"vi": value, "en": value}
        return self._labels[facet].setdefault(value, dict(term.labels))  # as many as the vocabularies have

    def _named_today(self, form: DatasetSearchForm) -> DatasetSearchForm:
        """With the codes of today: an address may name a value as people do (CSV), or a place that is no more."""
        chosen = {
            facet: tuple(dict.fromkeys([self._code(facet, value) for value in values]))
            for facet, values in form.chosen.items()
        }
        return form if chosen == form.chosen else replace(form, chosen=chosen)

    def _code(self, facet: str, value: str) -> str:
        """`value` itself where the vocabulary does not know it by any name."""
        if facet == "place":
            return self._vocabularies.place_today(value)
        terms = self._terms[facet]
        meant = None if value in terms else terms.find(value)
        return value if meant is None else meant.code

    def _options(
        self, facet: str, counts: Sequence[tuple[str, int]], form: DatasetSearchForm
    ) -> tuple[FacetOption, ...]:
        chosen = form.chosen.get(facet, ())
        more = dict.fromkeys(chosen, 0)
        for value, _ in counts if more else ():
            more.pop(value, None)
        labels = self._labels[facet]
        return tuple(
            [
                _option(
                    FacetOption,
                    (value, labels.get(value) or self.label(facet, value), count, value in chosen),
                )
                for value, count in (*counts, *more.items())
            ]
        )


def _request(actor: Actor, form: DatasetSearchForm, language: str) -> SearchRequest:
    return SearchRequest(
        access=visible_tokens(actor),
        text=form.text,
        exact_text=form.exact,
        filters=form.chosen,
        ranges=_ranges(form),
        sort=_sort(form.order, language),
    )


def _ranges(form: DatasetSearchForm) -> dict[str, Range]:
    """Days of change are those of Viet Nam's clock."""
    ranges: dict[str, Range] = {}
    first, last = form.day("modified_from"), form.day("modified_to")
    if first or last:
        ranges["modified"] = Range(
            _midnight(first) if first else None,
            math.nextafter(_midnight(last + _ONE_DAY), 0) if last else None,
        )
    ranges |= period_ranges(form.day("period_from"), form.day("period_to"))
    if form.series:
        key = float(int(form.series, 16))
        ranges["series"] = Range(key, key)
    return ranges


def _midnight(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time(), VIETNAM_TIME).timestamp()


def _sort(order: str, language: str) -> Sort | None:
    return {
        "relevance": None,
        "newest": Sort("modified", descending=True),
        "downloads": Sort("downloads", descending=True),
        "title": Sort(f"title_{language}"),
    }[order]


def _row(hit: Hit, language: str) -> DatasetSummary:
    group = hit.group
    return summary(
        hit.id,
        hit.stored,
        marked_title=hit.snippets.get(f"title_{language}", ()),
        snippet=hit.snippets.get(f"description_{language}", ()),
        editions=Editions(group.total, tuple(map(_edition, group.members))) if group else None,
    )


def summary(
    dataset_id: str,
    kept: Mapping[str, object],
    *,
    marked_title: Iterable[Segment] = (),
    snippet: Iterable[Segment] = (),
    editions: Editions | None = None,
) -> DatasetSummary:
    """A row from what the index keeps of a dataset (`documents._stored`)."""
    stored = cast("Mapping[str, Any]", kept)
    return DatasetSummary(
        id=dataset_id,
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
        edition=stored["edition"],
        series=stored["series"],
        marked_title=marked_title,
        snippet=snippet,
        editions=editions,
    )


def _edition(member: tuple[str, Mapping[str, object]]) -> EditionLink:
    dataset_id, kept = member
    stored = cast("Mapping[str, Any]", kept)
    modified_at = dt.datetime.fromisoformat(stored["modified_at"])
    return EditionLink(dataset_id, stored["slug"], stored["edition"], modified_at)
