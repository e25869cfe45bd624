"""What administrators of the portal look at: requests for data, and searches that found nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, redirect, request

from opendata.catalogue.reader_models import RequestState
from opendata.catalogue.search_form import NotOneOfError
from opendata.http.context import page_actor, services
from opendata.kernel.errors import InvalidInputError
from opendata.web import addresses
from opendata.web.access import signed_in
from opendata.web.form_fields import small_form
from opendata.web.rendering import render_page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

PERIODS: Final = ("30", "90")

blueprint = Blueprint("administration", __name__)


@blueprint.get("/admin/requests")
@signed_in
def data_requests() -> Response:
    return _requests_page(_one_of("state", tuple(map(str, RequestState))))


@blueprint.post("/admin/requests/<request_id>/answer")
@signed_in
def answer(request_id: str) -> Response:
    try:
        services().data_requests.answer(page_actor(), request_id, small_form().get("dataset", ""))
    except InvalidInputError as error:
        return _requests_page(str(RequestState.NEW), request_id, error)
    return redirect(addresses.page("administration.data_requests"), 303)


@blueprint.post("/admin/requests/<request_id>/decline")
@signed_in
def decline(request_id: str) -> Response:
    try:
        services().data_requests.decline(page_actor(), request_id, small_form().get("reason", ""))
    except InvalidInputError as error:
        return _requests_page(str(RequestState.NEW), request_id, error)
    return redirect(addresses.page("administration.data_requests"), 303)


@blueprint.get("/admin/searches")
@signed_in
def searches() -> Response:
    days = _one_of("days", PERIODS)
    return render_page(
        "administration/searches.html",
        days=int(days),
        periods=tuple(map(int, PERIODS)),
        wanted=services().demand_log.top(page_actor(), int(days)),
    )


def _requests_page(state: str, at: str = "", error: InvalidInputError | None = None) -> Response:
    held, actor = services().data_requests, page_actor()
    return render_page(
        "administration/requests.html",
        error.status if error else 200,
        state=state,
        counts=held.counts(actor),
        requests=held.listed(actor, state),
        at=at,
        error=error,
        sent=request.form,
    )


def _one_of(name: str, choices: tuple[str, ...]) -> str:
    """A parameter of the address; the first choice without it."""
    value = request.args.get(name, choices[0])
    if value not in choices:
        raise NotOneOfError(name=name, value=value[:40], choices=", ".join(choices))
    return value
