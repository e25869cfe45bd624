"""The page of search results: an outline, which its template writes, filled with what is different each time.

Called by the view of the search page. While somebody publishes, most searches come again with nearly the same rows,
other numbers, and all else as it was: head, search box, filters to fill in, links to other orders and pages. That is
kept by the `Outline`, which is all that the template is given: what it does not name the page cannot say.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import request
from markupsafe import Markup

from opendata.catalogue.search_form import SORTS
from opendata.catalogue.ways_on import ways_on
from opendata.http.context import page_actor, services, speak
from opendata.kernel.errors import N_
from opendata.kernel.recent import MostRecent
from opendata.web import addresses
from opendata.web.escaping import escape
from opendata.web.ranking import ranking
from opendata.web.rendering import page_text
from opendata.web.result_list import FACET_TITLES, explained_rows, facet_lists, written_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.catalogue.search import DatasetResults
    from opendata.catalogue.search_form import DatasetSearchForm

PAGES_AROUND: Final = 2
_SHORTEST: Final = 0.001  # seconds
_MOST_BYTES: Final = 3 << 20
# Where the facets, the head and the rows go, in this order. Nobody outside knows it, so no text can contain it.
_GAP: Final = Markup(f"<!--{secrets.token_hex(16)}-->")  # noqa: S704 - made here
_GAPS: Final = 3


@dataclass(frozen=True, slots=True)
class ChosenValue:
    """A value of a facet that was picked; `text` names both."""

    facet: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Outline:
    """What a page says beside its numbers, its rows and the values of its facets, and where it is.

    `last_page` is None where that is not known; `joins_editions`: some rows stand for several datasets.
    """

    base_url: str
    root: str
    path: str
    query: bytes
    form: DatasetSearchForm
    chosen: tuple[ChosenValue, ...]
    suggestion: str | None
    shown_for: str | None
    is_empty: bool
    is_past_end: bool
    is_plain: bool
    is_relaxed: bool
    is_explained: bool
    has_several: bool
    joins_editions: bool
    pages: tuple[int, ...]
    last_page: int | None
    has_more: bool

    def search_address(self, other: DatasetSearchForm) -> str:
        """Of another search, with reasons where there are some here."""
        return addresses.page("datasets.search", other.parameters() + [("explain", "1")] * self.is_explained)


_KEPT: Final = MostRecent[Outline, tuple[bytes, ...]](_MOST_BYTES, lambda pieces: sum(map(len, pieces)))


def results_page(results: DatasetResults, status: int, *, grouped: bool) -> bytes:
    outline = _outline(results, grouped=grouped)
    pieces = _pieces(outline, status)
    fillings = (facet_lists(results.facets), _head(results), _rows(results, outline), b"")
    return b"".join([text for pair in zip(pieces, fillings, strict=True) for text in pair])


def _outline(results: DatasetResults, *, grouped: bool) -> Outline:
    form = results.form
    return Outline(
        base_url=services().settings.base_url,
        root=request.root_path,
        path=request.path,
        query=request.query_string,
        form=form,
        chosen=tuple(_chosen(form)),
        suggestion=results.suggestion,
        shown_for=results.shown_for,
        is_empty=not results.items,
        is_past_end=results.is_past_end,
        is_plain=results.is_plain,
        is_relaxed=results.relaxed,
        is_explained=results.why is not None,
        has_several=results.total > 1,
        joins_editions=grouped and (results.lines is None or results.lines < results.total),
        pages=_pages(results),
        last_page=results.pages,
        has_more=results.more,
    )


def _pieces(outline: Outline, status: int) -> tuple[bytes, ...]:
    """What stands around the gaps. What an empty page offers rests on other searches, and a person's page is theirs."""
    if page_actor().is_known or outline.is_empty or outline.is_explained:
        return _written(outline, status)
    known = _KEPT.get(outline)
    if known is None:
        known = _written(outline, status)
        _KEPT.put(outline, known)
    return known


def _written(outline: Outline, status: int) -> tuple[bytes, ...]:
    form = outline.form
    text = page_text(
        "datasets/search.html",
        status,
        outline=outline,
        form=form,
        gap=_GAP,
        ways=ways_on(services().catalogue_search, page_actor(), form)
        if outline.is_empty and not outline.is_past_end
        else (),
        sorts=[sort for sort in SORTS if sort != "relevance" or form.text],
    )
    pieces = tuple([piece.encode() for piece in text.split(_GAP)])
    if len(pieces) != _GAPS + 1:
        raise RuntimeError(f"the page of results has {len(pieces) - 1} gaps")
    return pieces


def _chosen(form: DatasetSearchForm) -> Iterator[ChosenValue]:
    say, label = speak(), services().catalogue_search.label
    for facet, values in form.chosen.items():
        for value in values:
            named = say.pick(label(facet, value))
            yield ChosenValue(facet, value, f"{say.gettext(FACET_TITLES[facet])}: {named}")


def _head(results: DatasetResults) -> bytes:
    say = speak()
    count = say.ngettext("%(count)s dataset", "%(count)s datasets", results.total)
    seconds = say.number(round(max(results.took_seconds, _SHORTEST), 3))
    took = say.gettext(N_("in %(seconds)s seconds"), seconds=seconds)
    return f'{escape(count)} <small class="soft">{escape(took)}</small>'.encode()


def _rows(results: DatasetResults, outline: Outline) -> bytes:
    if results.why is None:
        return written_rows(results.items, outline.search_address, results.form)
    why = {name: ranking(parts) for name, parts in results.why.items()}
    return explained_rows(results.items, outline.search_address, results.form, why)


def _pages(results: DatasetResults) -> tuple[int, ...]:
    """The numbers of the pager: the first, those around this one, and the last where it is known."""
    page, last = results.form.page, results.pages
    end = last if last is not None else page + results.more
    near = range(max(1, page - PAGES_AROUND), min(page + PAGES_AROUND, end) + 1)
    return tuple(sorted({1, *near, *((last,) if last else ())}))
