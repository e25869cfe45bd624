"""Asking for data that is not there: a form for everyone, without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, redirect, request

from opendata.catalogue.requests import LONGEST_NEED, LONGEST_QUERY, TooManyRequestsError
from opendata.http.context import page_actor, services
from opendata.kernel.errors import InvalidInputError
from opendata.web import addresses
from opendata.web.access import open_to_all
from opendata.web.form_fields import small_form
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Response

    from opendata.kernel.errors import PortalError

FIELDS: Final = ("need", "contact")

blueprint = Blueprint("requests", __name__)


@blueprint.get("/requests/new")
@open_to_all
def new() -> Response:
    return _form_page({"query": request.args.get("q", "")[:LONGEST_QUERY]})


@blueprint.post("/requests/new")
@open_to_all
def send() -> Response:
    form = small_form()
    # People do not see this field; what fills in everything is told that all is well, and nothing is kept.
    if not form.get("homepage"):
        try:
            services().data_requests.send(
                page_actor(),
                need=form.get("need", ""),
                query=form.get("query", ""),
                contact=form.get("contact", ""),
            )
        except (InvalidInputError, TooManyRequestsError) as error:
            return _form_page(form, error)
    return redirect(addresses.page("requests.thanks"), 303)


@blueprint.get("/requests/thanks")
@open_to_all
def thanks() -> Response:
    return render_page("requests/thanks.html")


def _form_page(form: Mapping[str, str], error: PortalError | None = None) -> Response:
    points = error.errors if isinstance(error, InvalidInputError) else ()
    return render_page(
        "requests/new.html",
        error.status if error else 200,
        form=form,
        error=error,
        points=points,
        wrong={name: next((point for point in points if point.field == name), None) for name in FIELDS},
        longest=LONGEST_NEED,
    )
