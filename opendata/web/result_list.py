"""What a page of search results shows many times: its rows and the values of its facets, written.

Called by `results_page`. Twenty rows and three hundred values, each with its macros, its words and its address,
were four fifths of what the page cost. A row is written by its template once and kept with what search found: search
gives the same object again as long as nothing about the row changed. Everything is escaped here or by the template:
texts that came in are never Markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from markupsafe import Markup

from opendata.catalogue.freshness import freshness
from opendata.http.context import services, speak
from opendata.http.kept_texts import WrittenOf, hour
from opendata.kernel.errors import N_
from opendata.kernel.ids import utc_now
from opendata.web import addresses
from opendata.web.escaping import escape, foreign
from opendata.web.rendering import environment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opendata.catalogue.search import DatasetSummary, Editions, FacetOption
    from opendata.catalogue.search_form import DatasetSearchForm
    from opendata.search.port import Segment
    from opendata.web.ranking import Ranking

FACETS_SHOWN: Final = 7
FACET_TITLES: Final[Mapping[str, str]] = {
    "theme": N_("Theme"),
    "publisher": N_("Publisher"),
    "format": N_("Format"),
    "license": N_("Licence"),
    "frequency": N_("Updated"),
    "place": N_("Place"),
}
_UPDATED: Final = N_("updated %(day)s")
_NOTHING: Final = Markup()
_KEPT: Final = WrittenOf["DatasetSummary"](8 << 20)


@dataclass(frozen=True, slots=True)
class EditionOfRow:
    address: str
    label: str


@dataclass(frozen=True, slots=True)
class EditionsOfRow:
    """`rest`: how many are not shown; `address` lists all."""

    total: int
    shown: tuple[EditionOfRow, ...]
    rest: int
    address: str


@dataclass(frozen=True, slots=True)
class ResultRow:
    """`title_mark` and `summary_mark` are the lang attribute of a text in the other language, or nothing."""

    id: str
    state: str
    address: str
    title: Markup
    title_mark: Markup
    publisher: str
    updated: Markup
    freshness: str | None
    snippet: Markup
    summary_mark: Markup
    formats: tuple[str, ...]
    extent: str
    editions: EditionsOfRow | None


def written_rows(
    items: Iterable[DatasetSummary],
    search_address: Callable[[DatasetSearchForm], str],
    form: DatasetSearchForm,
) -> bytes:
    """`search_address` writes the address of another search; `form` is the search at hand."""
    maker = _RowMaker(search_address, form)
    # A row leads to all editions of its series, says in the reader's language what it says, and may be overdue
    # an hour from now; else it rests on vocabularies, which stay the same as long as a process runs.
    way = (search_address(form.of_series("")), addresses.page("datasets.search"), hour())
    return b"".join([_KEPT.of(item, way, maker.written) for item in items])


def explained_rows(
    items: Iterable[DatasetSummary],
    search_address: Callable[[DatasetSearchForm], str],
    form: DatasetSearchForm,
    why: Mapping[str, Ranking],
) -> bytes:
    """With what made up the score of each, by id."""
    maker = _RowMaker(search_address, form)
    return b"".join([maker.written(item, why[item.id]) for item in items])


def result_rows(
    items: Iterable[DatasetSummary],
    search_address: Callable[[DatasetSearchForm], str],
    form: DatasetSearchForm,
) -> list[ResultRow]:
    """What the template of a row is given."""
    maker = _RowMaker(search_address, form)
    return [maker.row(item) for item in items]


class _RowMaker:
    """What all rows of one page share is asked for once."""

    def __init__(self, search_address: Callable[[DatasetSearchForm], str], form: DatasetSearchForm) -> None:
        self._search_address = search_address
        self._form = form
        self._say = speak()
        self._now = utc_now()
        held = services().vocabularies
        self._agencies, self._frequencies = held.agencies, held.frequencies
        self._updated = self._say.gettext(_UPDATED)
        self._datasets = addresses.page("datasets.search") + "/"

    def written(self, item: DatasetSummary, why: Ranking | None = None) -> bytes:
        return str(_row_macro()(self.row(item), why)).encode()

    def row(self, item: DatasetSummary) -> ResultRow:
        pick = self._say.pick
        snippet = marked(item.snippet) if item.snippet else escape(pick(item.summary))
        return ResultRow(
            id=item.id,
            state=item.state,
            address=self._datasets + quote(item.slug, safe=""),
            title=marked(item.marked_title) if item.marked_title else escape(pick(item.title)),
            title_mark=foreign(item.title, self._say.language),
            publisher=self._agencies.label(item.publisher, self._say.language),
            updated=self._day(item.modified_at),
            freshness=self._freshness(item),
            snippet=snippet,
            summary_mark=foreign(item.summary, self._say.language) if snippet else _NOTHING,
            formats=tuple(map(str.upper, item.formats)),
            extent=self._extent(item) if item.formats and item.columns else "",
            editions=self._editions(item.editions, item.series) if item.editions else None,
        )

    def _day(self, moment: dt.datetime) -> Markup:
        day = f'<time datetime="{moment.isoformat()}">{self._say.date(moment)}</time>'
        return Markup(self._updated % {"day": day})  # noqa: S704 - our own message around a date

    def _freshness(self, item: DatasetSummary) -> str | None:
        known = self._frequencies.get(item.frequency or "")
        return freshness(known.expected_days, item.modified_at, self._now) if known else None

    def _extent(self, item: DatasetSummary) -> str:
        plural = self._say.ngettext
        rows = plural("%(count)s row", "%(count)s rows", item.rows)
        return f"{rows} × {plural('%(count)s column', '%(count)s columns', item.columns)}"

    def _editions(self, found: Editions, series: str) -> EditionsOfRow:
        say = self._say
        return EditionsOfRow(
            total=found.total,
            shown=tuple(
                [
                    EditionOfRow(
                        self._datasets + quote(one.slug, safe=""),
                        say.pick(one.label) or say.date(one.modified_at),
                    )
                    for one in found.shown
                ]
            ),
            rest=found.total - len(found.shown),
            address=self._search_address(self._form.of_series(series)),
        )


def marked(segments: Iterable[Segment]) -> Markup:
    """Shown text with what was searched for in `<mark>`."""
    pieces = [
        f"<mark>{escape(one.text)}</mark>" if one.is_match else str(escape(one.text)) for one in segments
    ]
    return Markup("".join(pieces))  # noqa: S704 - each piece is escaped


@cache
def _row_macro() -> Callable[[ResultRow, Ranking | None], str]:
    made: Callable[[ResultRow, Ranking | None], str] = (
        environment().get_template("datasets/result.html").module.result  # type: ignore[attr-defined]  # its macro
    )
    return made


def facet_lists(facets: Mapping[str, Sequence[FacetOption]]) -> bytes:
    """Each facet with what can be picked of it, the first few in sight; one in which nothing was found is left out."""
    return "".join([_facet_list(facet, options) for facet, options in facets.items() if options]).encode()


def _facet_list(facet: str, options: Sequence[FacetOption]) -> str:
    say = speak()
    legend = f"<fieldset>\n<legend>{escape(say.gettext(FACET_TITLES[facet]))}</legend>\n"
    first, others = options[:FACETS_SHOWN], options[FACETS_SHOWN:]
    if not others:
        return f"{legend}{ticks(facet, first)}\n</fieldset>\n\n"
    is_open = " open" if any(option.chosen for option in others) else ""
    more = escape(say.ngettext("%(count)s more", "%(count)s more", len(others)))
    return (
        f"{legend}{ticks(facet, first)}\n"
        f'<details class="more"{is_open}><summary>{more}</summary>\n{ticks(facet, others)}\n</details>\n</fieldset>\n\n'
    )


def ticks(facet: str, options: Iterable[FacetOption]) -> str:
    """The values of a facet as boxes to tick, one a line."""
    say = speak()
    tongue, pick, number = say.language, say.pick, say.number
    lines = []
    for value, label, count, chosen in options:
        head, tail = _tick(facet, value, label.get(tongue) or pick(label))
        lines.append(f"{head}{' checked' if chosen else ''}{tail}{number(count)}</span></label>")
    return "\n".join(lines)


@lru_cache(8192)
def _tick(facet: str, value: str, label: str) -> tuple[str, str]:
    """What stays the same of a value wherever it is shown."""
    return (
        f'<label class="tick"><input type="checkbox" name="{facet}" value="{escape(value)}"',
        f'><span>{escape(label)}</span><span class="count">',
    )
