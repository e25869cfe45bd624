"""How to cite a dataset, as one line of text: who, when, what, where (DataCite's recommended order)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opendata.http.context import speak
from opendata.kernel.ids import utc_now
from opendata.web import addresses

if TYPE_CHECKING:
    from opendata.accounts.models import Agency
    from opendata.catalogue.queries import DatasetView


def cite(dataset: DatasetView, publisher: Agency | None) -> str:
    tongue = speak()
    since = dataset.published_at or dataset.created_at
    return tongue.gettext(
        "%(publisher)s (%(year)s). %(title)s [dataset], as of %(version)s. %(portal)s. %(address)s (read on %(today)s).",
        publisher=tongue.pick(publisher.name) if publisher else dataset.agency_code,
        year=since.year,
        title=tongue.pick(dataset.text("title")),
        version=tongue.date(dataset.modified_at),
        portal=tongue.gettext("Open data portal"),
        address=addresses.absolute(addresses.page("datasets.dataset", slug=dataset.slug)),
        today=tongue.date(utc_now()),
    )
