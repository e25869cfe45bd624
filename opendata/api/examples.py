"""Names for the examples in the documentation: a dataset, a file and a column that are really published.

Examples can then be copied and run as they stand. On an empty portal the names say what to put there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from opendata.accounts.policy import VISITOR
from opendata.api.addresses import PREFIX
from opendata.catalogue.search_form import DatasetSearchForm
from opendata.http.context import language, services
from opendata.kernel.errors import PortalError
from opendata.tabular.query import Operator
from opendata.tabular.syntax import filter_parameter, select_parameter, sort_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opendata.catalogue.search import DatasetSummary
    from opendata.resources.queries import ResourceView
    from opendata.tabular.source import TableSource

LOOKED_AT: Final = 20
PLACEHOLDERS: Final = {
    "words": "dữ liệu",
    "dataset": "DATASET",
    "resource": "RESOURCE_ID",
    "select": "COLUMN",
    "sort": "-COLUMN",
    "filter": "COLUMN__isnull",
    "publisher": "AGENCY",
    "new_slug": "vi-du-api",
    "new_resource": "$RESOURCE_ID",
}


def example_names() -> Mapping[str, str]:
    """Values for the names in braces of every operation's `curl`."""
    names = {**PLACEHOLDERS, "base": services().settings.base_url + PREFIX}
    try:
        found = _published_table()
    except PortalError:
        # The index is being made: documentation without real names is better than none.
        return names
    if found is None:
        return names
    dataset, resource = found
    title = dataset.title.get("vi") or next(iter(dataset.title.values()))
    return {
        **names,
        **_column_names(services().tables.source(VISITOR, resource.id, None)),
        "words": " ".join(re.findall(r"\w+", title)[:4]),  # a minus or a quotation mark would mean something
        "dataset": dataset.slug,
        "resource": resource.id,
        "publisher": dataset.publisher,
    }


def _column_names(source: TableSource) -> dict[str, str]:
    """The first column as `select` and `sort` take it, and as the name of a filter, which curl does not encode."""
    column = source.columns[0].name
    return {
        "select": _in_quotes(select_parameter([column])),
        "sort": _in_quotes(sort_parameter([(column, True)])),
        "filter": quote(filter_parameter(source, column, Operator.ISNULL), safe=""),
    }


def _in_quotes(text: str) -> str:
    """As it stands between single quotes in a shell."""
    return text.replace("'", "'\\''")


def _published_table() -> tuple[DatasetSummary, ResourceView] | None:
    """The first dataset by title with a table."""
    form = DatasetSearchForm(sort="title", per_page=LOOKED_AT)
    for dataset in services().catalogue_search.search(VISITOR, form, language(), ()).items:
        for resource in services().resource_queries.resources_of(VISITOR, dataset.id):
            if resource.tables:
                return dataset, resource
    return None
