"""Finding datasets, and the page of one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, redirect, request

from opendata.catalogue.search_form import asks_why, read_form
from opendata.http.context import language, page_actor, services, speak
from opendata.http.kept_texts import written
from opendata.http.turns import in_turn
from opendata.web import addresses, dataset_lists
from opendata.web.access import open_to_all
from opendata.web.citation import cite
from opendata.web.dataset_page import all_fields, changes, further_fields
from opendata.web.linked_data import dataset_json_ld
from opendata.web.rendering import page, render_page
from opendata.web.results_page import results_page
from opendata.web.use_from import ways_to_use

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

COLUMNS_SHOWN: Final = 30

blueprint = Blueprint("datasets", __name__)


@blueprint.get("/datasets")
@open_to_all
def search() -> Response:
    kind = dataset_lists.wanted()
    if kind == "html":
        return _search_page()
    response = dataset_lists.LISTS[kind]()
    response.vary.add("Accept")
    return response


@blueprint.get("/datasets.<any(json, csv, atom):kind>")
@open_to_all
def listing(kind: str) -> Response:
    return dataset_lists.LISTS[kind]()


@blueprint.get("/datasets/<slug>")
@open_to_all
def dataset(slug: str) -> Response:
    held, actor = services(), page_actor()
    found = held.catalogue_queries.dataset(actor, slug)
    if found.slug != slug:
        return redirect(addresses.page("datasets.dataset", slug=found.slug))
    files = held.resource_queries.resources_of(actor, found.id)
    agency = held.account_queries.agency(found.agency_code)
    held.usage.view(found.id)
    return render_page(
        "datasets/dataset.html",
        dataset=found,
        fields=all_fields(found),
        other_fields=further_fields(found),
        files=files,
        publisher_name=speak().pick(agency.name) if agency else found.agency_code,
        frequency=held.vocabularies.frequencies.get(found.fields.get("frequency", "")),
        licence=held.vocabularies.licences.get(found.fields.get("license", "")),
        citation=cite(found, agency),
        ways=ways_to_use(found, files),
        json_ld=dataset_json_ld(found, files, agency),
        history=changes(held.catalogue_queries.revisions(actor, found.id)),
        columns_shown=COLUMNS_SHOWN,
        similar=held.catalogue_search.similar(actor, found.id),
    )


@in_turn(short=False)
def _search_page() -> Response:
    """Editions of a series are one row, unless the reader asked for each or for the editions of one."""
    form = read_form(request.args.items(multi=True), also=("explain",))
    actor, search = page_actor(), services().catalogue_search
    grouped = form.group != "none" and not form.series
    results = search.search(
        actor, form, language(), grouped=grouped, explain=asks_why(request.args.get("explain"))
    )
    if not (results.total or results.is_plain or form.is_narrowed):
        services().demand.found_nothing(form.text)
    status = HTTPStatus.NOT_FOUND if results.is_past_end else HTTPStatus.OK
    # What an empty page offers instead rests on other searches, and a person's page is theirs.
    made_of = None if actor.is_known or not results.total else results.made
    text = written(made_of, lambda: results_page(results, status, grouped=grouped))
    return page(text, status, vary="Cookie, Accept")
