"""A person's saved searches: kept under a name, with what is new in each."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from flask import Blueprint, redirect, request

from opendata.catalogue.search_form import read_form
from opendata.http.context import page_actor, services
from opendata.kernel.errors import InvalidInputError
from opendata.web import addresses
from opendata.web.access import signed_in
from opendata.web.form_fields import small_form
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("saved_searches", __name__)


@blueprint.get("/saved-searches")
@signed_in
def shelf() -> Response:
    return _shelf()


@blueprint.post("/saved-searches")
@signed_in
def save() -> Response:
    """`address` is the query string of the search that is being looked at."""
    form = small_form()
    wanted = read_form(parse_qsl(form.get("address", "")))
    try:
        services().saved_searches.save(page_actor(), form.get("name", ""), wanted)
    except InvalidInputError as error:
        return _shelf(error)
    return redirect(addresses.page("saved_searches.shelf", [("done", "saved")]), 303)


@blueprint.get("/saved-searches/<search_id>")
@signed_in
def look(search_id: str) -> Response:
    form = services().saved_searches.look(page_actor(), search_id)
    return redirect(addresses.page("datasets.search", form.parameters()))


@blueprint.post("/saved-searches/<search_id>/delete")
@signed_in
def delete(search_id: str) -> Response:
    services().saved_searches.delete(page_actor(), search_id)
    return redirect(addresses.page("saved_searches.shelf", [("done", "deleted")]), 303)


def _shelf(error: InvalidInputError | None = None) -> Response:
    return render_page(
        "saved/shelf.html",
        error.status if error else 200,
        error=error,
        searches=services().saved_searches.of(page_actor()),
        done=request.args.get("done", ""),
    )
