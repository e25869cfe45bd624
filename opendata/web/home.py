"""The home page, and the doors without a language that lead to the page in the reader's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, redirect, request

from opendata.catalogue.search_form import DatasetSearchForm
from opendata.http.context import language, page_actor, services
from opendata.kernel.errors import UnavailableError
from opendata.kernel.i18n import choose_language
from opendata.web.access import open_to_all
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from opendata.catalogue.search import DatasetResults

SHOWN: Final = 5
# What people type: without diacritics, abbreviated, or an old name.
EXAMPLES: Final = {
    "vi": ("don vi hanh chinh", "chính phủ điện tử", "dân số"),
    "en": ("administrative units", "e-government", "population"),
}

blueprint = Blueprint("home", __name__)
entrances = Blueprint("entrances", __name__)


@blueprint.get("/")
@open_to_all
def home() -> Response:
    held = services()
    newest = _search("newest")
    return render_page(
        "home/home.html",
        figures=held.catalogue_queries.figures(),
        rows=held.resource_queries.row_total(),
        themes=held.vocabularies.themes.current(),
        counts={option.value: option.count for option in newest.facets["theme"]} if newest else {},
        newest=newest.items if newest else (),
        most_used=found.items if (found := _search("downloads")) else (),
        examples=EXAMPLES[language()],
    )


def _search(sort: str) -> DatasetResults | None:
    """The first datasets in that order; None while the index is being made, which must not hide this page."""
    form = DatasetSearchForm(sort=sort, per_page=SHOWN)
    facets = ("theme",) if sort == "newest" else ()
    try:
        return services().catalogue_search.search(page_actor(), form, language(), facets)
    except UnavailableError:
        return None


@entrances.get("/")
@entrances.get("/<any(datasets, publish, account):first>")
@entrances.get("/<any('datasets.json', 'datasets.csv', 'datasets.atom', 'requests/new'):first>")
@entrances.get("/<any(datasets, publish):first>/<path:rest>")
@entrances.get("/<any('sign-in'):first>")
@open_to_all
def enter(**_path: str) -> AnyResponse:
    """Addresses are written down without a language, too; the browser says which one to show."""
    chosen = choose_language(request.headers.get("Accept-Language", ""))
    query = request.query_string.decode("ascii", "replace")
    target = f"/{chosen}{request.path}"
    answer = redirect(f"{target}?{query}" if query else target)
    answer.vary.add("Accept-Language")
    return answer
