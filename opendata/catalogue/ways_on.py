"""What to offer where a search found nothing: the same with less asked, and how many each would find.

Called by the search page, only for an empty answer; at most MOST_COUNTED small searches. Offers that would
find nothing either are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opendata.catalogue.search_form import FACETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opendata.accounts.policy import Actor
    from opendata.catalogue.search import CatalogueSearch
    from opendata.catalogue.search_form import DatasetSearchForm

MOST_COUNTED: Final = 14
_MOST_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class WayOn:
    """`without`: the filter left out (a facet, "modified", "period", "series", "all"), empty where words are."""

    form: DatasetSearchForm
    count: int
    without: str = ""


def ways_on(search: CatalogueSearch, actor: Actor, form: DatasetSearchForm) -> tuple[WayOn, ...]:
    """Those with fewer filters first, then those with fewer words; of each the one that keeps most first."""
    offers: dict[tuple[tuple[str, str], ...], WayOn] = {}
    for without, looser in _looser(form):
        address = tuple(looser.parameters())
        if address in offers or len(offers) >= MOST_COUNTED:
            continue
        offers[address] = WayOn(looser, search.count(actor, looser), without)
    return tuple(offer for offer in offers.values() if offer.count)


def _looser(form: DatasetSearchForm) -> Iterator[tuple[str, DatasetSearchForm]]:
    filters = [name for name in FACETS if name in form.chosen]
    dates = [kind for kind in ("modified", "period") if any(name.startswith(kind) for name in form.dates)]
    if len(filters) + len(dates) + bool(form.series) > 1:
        for name in filters:
            yield name, form.without(name)
        for kind in dates:
            yield kind, form.without(f"{kind}_from", f"{kind}_to")
    if form.is_narrowed and form.text:
        yield "all", form.only_words()
    words = form.text.split()
    if len(words) > 1:
        for left_out in range(min(len(words), _MOST_WORDS)):
            yield "", form.with_text(" ".join(words[:left_out] + words[left_out + 1 :]))
        for word in words[:_MOST_WORDS]:
            yield "", form.with_text(word)
