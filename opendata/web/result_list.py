"""What a page of search results shows many times: its rows and the values of its facets, written.

Called by `results_page`. Twenty rows and three hundred values, each with its macros, its words and its address,
were four fifths of what the page cost. A row is written once and kept with what search found: search gives the same
object again as long as nothing about the row changed. Everything is escaped here: texts that came in are never Markup.
"""

from __future__ import annotations

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
from opendata.web.words import word

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from opendata.catalogue.freshness import Freshness
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
_GROUPED: Final = 1000  # the least number that a language writes in groups
_UPDATED: Final = N_("updated %(day)s")
_ALL_IN_ONE: Final = N_("all in one list")
_KEPT: Final = WrittenOf["DatasetSummary"](5 << 20)


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


class _RowMaker:
    """What all rows of one page share is asked for once."""

    def __init__(self, search_address: Callable[[DatasetSearchForm], str], form: DatasetSearchForm) -> None:
        self._search_address = search_address
        self._form = form
        self._say = speak()
        self._now = utc_now()
        held = services().vocabularies
        self._agencies, self._frequencies = held.agencies, held.frequencies
        self._datasets = addresses.page("datasets.search") + "/"

    def written(self, item: DatasetSummary, why: Ranking | None = None) -> bytes:
        say = self._say
        pick, tongue = say.pick, say.language
        title = marked(item.marked_title) if item.marked_title else escape(pick(item.title))
        snippet = marked(item.snippet) if item.snippet else escape(pick(item.summary))
        publisher = escape(self._agencies.label(item.publisher, tongue))
        labels = f"{self._state(item.state)}{self._freshness(item)}"
        lines = [
            '<article class="result">',
            f'<h3{foreign(item.title, tongue)}><a href="{self._address(item.slug)}">{title}</a></h3>',
            f'<p class="meta"><span>{publisher}</span><span>{self._updated(item.modified_at)}</span>{labels}</p>',
        ]
        if snippet:
            lines.append(f'<p class="snippet"{foreign(item.summary, tongue)}>{snippet}</p>')
        if item.formats:
            lines.append(f'<p class="labels">{self._formats(item)}</p>')
        if item.editions:
            lines += self._editions(item.editions, item.series)
        if why and why.reasons:
            lines.append(_macro("datasets/why.html", "place_of")(why))
        lines.append("</article>\n")
        return "\n".join(lines).encode()

    def _address(self, slug: str) -> str:
        return self._datasets + quote(slug, safe="")

    def _updated(self, moment: dt.datetime) -> str:
        day = f'<time datetime="{moment.isoformat()}">{self._say.date(moment)}</time>'
        return self._say.gettext(_UPDATED, day=day)

    def _state(self, state: str) -> str:
        return "" if state == "published" else f'<span class="label">{escape(word("dataset", state))}</span>'

    def _freshness(self, item: DatasetSummary) -> str:
        known = self._frequencies.get(item.frequency or "")
        state = freshness(known.expected_days, item.modified_at, self._now) if known else None
        return _freshness_label(self._say.language, state) if state else ""

    def _formats(self, item: DatasetSummary) -> str:
        formats = "".join(
            [f'<span class="label format">{escape(code.upper())}</span>' for code in item.formats]
        )
        if not item.columns:
            return formats
        plural = self._say.ngettext
        rows = plural("%(count)s row", "%(count)s rows", item.rows)
        columns = plural("%(count)s column", "%(count)s columns", item.columns)
        return f'{formats}<span class="small soft">{escape(f"{rows} × {columns}")}</span>'

    def _editions(self, found: Editions, series: str) -> Iterator[str]:
        say = self._say
        count = say.ngettext("%(count)s edition:", "%(count)s editions:", found.total)
        yield f'<div class="editions"><span class="soft">{escape(count)}</span>'
        yield '<ul class="plain">'
        for one in found.shown:
            label = escape(say.pick(one.label) or say.date(one.modified_at))
            yield f'<li><a href="{self._address(one.slug)}">{label}</a></li>'
        rest = found.total - len(found.shown)
        more = (
            say.ngettext("and %(count)s more", "and %(count)s more", rest)
            if rest
            else say.gettext(_ALL_IN_ONE)
        )
        every = escape(self._search_address(self._form.of_series(series)))
        yield f'<li class="all"><a href="{every}">{escape(more)}</a></li>'
        yield "</ul></div>"


@cache
def _macro(template: str, name: str) -> Callable[..., str]:
    made: Callable[..., str] = getattr(environment().get_template(template).module, name)
    return made


@cache
def _freshness_label(language: str, state: Freshness) -> str:
    """In the language of the request, which `language` is."""
    del language
    return _macro("layout/parts.html", "freshness_label")(state)


def marked(segments: Iterable[Segment]) -> Markup:
    """Shown text with what was searched for in `<mark>`."""
    pieces = [
        f"<mark>{escape(text)}</mark>" if is_match else str(escape(text)) for text, is_match in segments
    ]
    return Markup("".join(pieces))  # noqa: S704 - each piece is escaped


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
        shown = count if 0 <= count < _GROUPED else number(count)
        lines.append(f"{head}{' checked' if chosen else ''}{tail}{shown}</span></label>")
    return "\n".join(lines)


@lru_cache(8192)
def _tick(facet: str, value: str, label: str) -> tuple[str, str]:
    """What stays the same of a value wherever it is shown."""
    return (
        f'<label class="tick"><input type="checkbox" name="{facet}" value="{escape(value)}"',
        f'><span>{escape(label)}</span><span class="count">',
    )
