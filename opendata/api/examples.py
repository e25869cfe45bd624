"""Names for the examples in the documentation: a dataset, a file and a column that are really published.

Examples can then be copied and run as they stand. On an empty portal the names say what to put there.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from opendata.accounts.policy import VISITOR
from opendata.api.addresses import PREFIX
from opendata.catalogue.search_form import DatasetSearchForm
from opendata.http.context import language, services
from opendata.kernel.errors import PortalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.catalogue.search import DatasetSummary
    from opendata.resources.queries import ResourceView

LOOKED_AT: Final = 20
PLACEHOLDERS: Final = {
    "words": "dữ liệu",
    "dataset": "DATASET",
    "resource": "RESOURCE_ID",
    "column": "COLUMN",
    "value": "VALUE",
    "publisher": "AGENCY",
    "new_slug": "vi-du-api",
    "new_resource": "$RESOURCE_ID",
}


def example_names() -> Mapping[str, str]:
    """Values for the names in braces of every operation's `curl`."""
    base = {**PLACEHOLDERS, "base": services().settings.base_url + PREFIX}
    try:
        found = _published_table()
    except PortalError:
        # The index is being made: documentation without real names is better than none.
        return base
    if found is None:
        return base
    dataset, resource = found
    column = next((c["name"] for c in resource.tables[0].columns if _is_plain(c["name"])), "COLUMN")
    words = " ".join((dataset.title.get("vi") or next(iter(dataset.title.values()))).split()[:4])
    return {
        **base,
        "words": shlex.quote(words)[1:-1] if "'" in words else words,
        "dataset": dataset.slug,
        "resource": resource.id,
        "column": column,
        "publisher": dataset.publisher,
    }


def _published_table() -> tuple[DatasetSummary, ResourceView] | None:
    """The first dataset by title with a table."""
    form = DatasetSearchForm(sort="title", per_page=LOOKED_AT)
    for dataset in services().catalogue_search.search(VISITOR, form, language(), ()).items:
        for resource in services().resource_queries.resources_of(VISITOR, dataset.id):
            if resource.tables:
                return dataset, resource
    return None


def _is_plain(name: str) -> bool:
    """Whether it needs no quoting in a shell or a query string."""
    return name.isascii() and name.replace("_", "a").isalnum()
